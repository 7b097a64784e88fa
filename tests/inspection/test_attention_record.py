from __future__ import annotations

import base64
import logging
from itertools import pairwise

import matplotlib
import numpy as np
import pytest
from matplotlib import font_manager
from matplotlib.image import imread

from seqloom.errors import FolderError, SeqloomError
from seqloom.inspection import fonts
from seqloom.inspection.attention import (
    AttentionRecord,
    AttentionRecords,
    plot_many,
)
from seqloom.inspection.attention_map import AttentionMap


def random_record(source: int, target: int, heads: int = 2) -> AttentionRecord:
    weights = np.random.default_rng(0).dirichlet(np.ones(source), (heads, target))
    return pair_record(
        [f"s{number}" for number in range(source)],
        [f"t{number}" for number in range(target)],
        [weights.astype(np.float32), weights[::-1].astype(np.float32)],
    )


def pair_record(source, target, weights) -> AttentionRecord:
    maps = [
        AttentionMap(f"decoder.layers.{layer}.cross_attention", "cross", "written", "source", each)
        for layer, each in enumerate(weights)
    ]
    return AttentionRecord({"source": source, "written": target}, maps)


def labels(figure):
    axes = figure.axes[0]
    return (
        [label.get_text() for label in axes.get_xticklabels()],
        [label.get_text() for label in axes.get_yticklabels()],
    )


def test_json_round_trip(tmp_path):
    record = random_record(7, 5)
    record.save(tmp_path / "attention.json")
    again = AttentionRecord.load(tmp_path / "attention.json")
    assert again.tokens == record.tokens
    for one, other in zip(again.maps, record.maps, strict=True):
        assert (one.path, one.part, one.rows, one.columns) == (
            other.path, other.part, other.rows, other.columns,
        )  # fmt: skip
        assert one.weights.dtype == np.float32
        np.testing.assert_array_equal(one.weights, other.weights)  # exact, not close
    both = AttentionRecords([record, random_record(2, 3)])
    both.save(tmp_path / "both.json")
    assert AttentionRecords.load(tmp_path / "both.json").records[1].source == ["s0", "s1"]


def test_json_is_versioned():
    weights = np.array([[[0.1, 0.9]]], dtype=np.float32)
    values = pair_record(["年", "a"], ["b"], [weights]).as_dict()
    assert (values["kind"], values["version"]) == ("attention", 2)
    assert values["tokens"] == {"source": ["年", "a"], "written": ["b"]}
    [only] = values["maps"]
    assert only["weights"]["shape"] == [1, 1, 2]
    assert np.frombuffer(base64.b64decode(only["weights"]["float32"]), "<f4").tolist() == [
        pytest.approx(0.1),
        pytest.approx(0.9),
    ]


def test_records_of_the_first_version_are_read():
    record = AttentionRecord.from_dict(
        {
            "kind": "attention",
            "version": 1,
            "source": ["年", "a"],
            "target": ["b"],
            "layers": {"decoder.attention.weights": [[[0.1, 0.9]]]},
        }
    )
    assert (record.source, record.target) == (["年", "a"], ["b"])
    assert record.maps[0].path == "decoder.attention"
    np.testing.assert_array_equal(record.weights(), np.float32([[0.1, 0.9]]))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"kind": "beam"}, "not an attention record: its kind is 'beam'"),
        ({"version": 3}, "an attention record of version 3; this Seqloom reads version 2"),
        ({"version": "2"}, "an attention record of version '2'"),
        ({"maps": None}, "a damaged attention record"),
        ({"maps": []}, "a damaged attention record: no map"),
        (
            {"tokens": {"source": ["a"] * 3, "written": ["t0"]}},
            r"a damaged attention record: .*expected \[heads, 1 pieces that look, 3 that",
        ),
    ],
)
def test_records_that_cannot_be_read(change, message):
    with pytest.raises(SeqloomError, match=message):
        AttentionRecord.from_dict({**random_record(3, 2).as_dict(), **change})


def test_files_that_are_no_records(tmp_path):
    with pytest.raises(SeqloomError, match=r"nothing\.json: cannot be read"):
        AttentionRecord.load(tmp_path / "nothing.json")
    for text in ("{", "[]", "3"):
        (tmp_path / "a.json").write_text(text)
        with pytest.raises(SeqloomError, match=r"a\.json: expected a record in JSON"):
            AttentionRecord.load(tmp_path / "a.json")
    (tmp_path / "a.json").write_text("{}")
    with pytest.raises(SeqloomError, match=r"a\.json: not an attention record: its kind is None"):
        AttentionRecord.load(tmp_path / "a.json")


def test_weights_of_layer_and_head():
    record = random_record(4, 3)
    first, last = (each.weights for each in record.maps)
    np.testing.assert_array_equal(record.weights(), last.mean(axis=0))
    np.testing.assert_array_equal(record.weights(head=1), last[1])
    np.testing.assert_array_equal(record.weights(0, 0), first[0])
    with pytest.raises(SeqloomError, match=r"no head 2; .* has heads 0 to 1"):
        record.weights(head=2)
    with pytest.raises(SeqloomError, match=r"no layer 2: .*'cross' has layers 0 to 1"):
        record.weights(2)
    with pytest.raises(SeqloomError, match="no part 'text' was recorded; there are: cross"):
        record.weights(part="text")


def test_plot_says_what_the_record_says(tmp_path):
    record = random_record(6, 4)
    figure = record.plot(tmp_path / "new" / "attention.png")
    assert labels(figure) == (record.source, record.target)
    image = figure.axes[0].images[0].get_array()
    np.testing.assert_array_equal(image, record.weights())  # row t, column s
    assert "mean over heads" in figure.axes[0].get_title()
    assert "heads" not in record.rolled_out().plot().axes[0].get_title()  # there is one
    assert figure.axes[1].get_ylabel() == "attention weight"
    assert imread(tmp_path / "new" / "attention.png").std() > 0.05
    assert "head 1" in record.plot(head=1).axes[0].get_title()
    assert "decoder.layers.0.cross_attention" in record.plot(layer=0).axes[0].get_title()


@pytest.mark.parametrize(("source", "target"), [(5, 5), (80, 80), (1, 1), (60, 2)])
def test_labels_do_not_touch_each_other(source, target):
    figure = random_record(source, target).plot()
    figure.draw_without_rendering()
    renderer = figure.canvas.get_renderer()
    axes = figure.axes[0]
    for label_set in (axes.get_xticklabels(), axes.get_yticklabels()):
        boxes = [label.get_window_extent(renderer) for label in label_set]
        assert all(box.height > 0 for box in boxes)
        assert not any(a.overlaps(b) for a, b in pairwise(boxes))
        assert all(figure.bbox.fully_overlaps(box) for box in boxes)


def test_a_long_text_gets_small_cells_and_some_labels():
    figure = random_record(500, 120).plot()
    axes = figure.axes[0]
    assert max(figure.get_size_inches()) < 24
    shown = [
        [label.get_text() for label in axis.get_ticklabels()] for axis in (axes.xaxis, axes.yaxis)
    ]
    assert shown[0] == [f"s{n}" for n in range(0, 500, 4)]
    assert len(shown[1]) == 120
    assert axes.get_xlabel() == "named: 1 of 4 columns"
    assert random_record(40, 40).plot().axes[0].get_xlabel() == ""


def test_a_picture_has_room_for_twenty_texts():
    figure = plot_many([random_record(2, 2)] * 23, titles=["A title of many words " * 4] * 23)
    panels = [axes for axes in figure.axes if axes.images]
    assert len(panels) == 20
    assert figure.get_supxlabel() == "3 more have no room in a picture; a page has"
    assert "\n" in panels[0].get_title()


def test_pieces_that_would_break_a_picture(tmp_path):
    pieces = [" ", "\n", "", "$x^2$", "\x00", "a" * 100, "\\frac", "Ġthe"]
    weights = np.full((1, 1, 8), 1 / 8, dtype=np.float32)
    record = pair_record(pieces, ["$"], [weights])
    shown, _ = labels(record.plot(tmp_path / "p.png"))
    assert shown == ["␣", "⏎", "∅", "$x^2$", "U+0000", "a" * 23 + "…", "\\frac", "Ġthe"]


def test_no_font_for_chinese_gives_code_points_and_no_warning(tmp_path, monkeypatch, caplog):
    monkeypatch.setattr(fonts, "_FONT_PACKAGE", "no_such_package_of_fonts")
    manager = font_manager.fontManager
    plain = [e for e in manager.ttflist if "DejaVu" in e.name or "Last" in e.name]
    monkeypatch.setattr(manager, "ttflist", plain)
    weights = np.full((1, 1, 2), 0.5, dtype=np.float32)
    record = pair_record(["五", "月"], ["5"], [weights])
    with caplog.at_level(logging.WARNING):
        figure = plot_many([record], tmp_path / "p.png", ["中"])
    assert labels(figure) == (["U+4E94", "U+6708"], ["5"])
    assert figure.axes[0].get_title() == "U+4E2D"
    assert caplog.records == []


def test_one_panel_a_record(tmp_path):
    records = [random_record(8, 3), random_record(20, 4), random_record(5, 5)]
    figure = plot_many(records, tmp_path / "all.png", ["English", "Русский", "Deutsch"])
    panels = [axes for axes in figure.axes if axes.images]
    assert [axes.get_title() for axes in panels] == ["English", "Русский", "Deutsch"]
    for axes, record in zip(panels, records, strict=True):
        np.testing.assert_array_equal(axes.images[0].get_array(), record.weights())
    assert len({axes.images[0].get_clim() for axes in panels}) == 1  # one scale, so comparable
    assert (tmp_path / "all.png").stat().st_size > 10_000


def test_nothing_global_is_touched():
    before = dict(matplotlib.rcParams)
    random_record(3, 3).plot()
    assert dict(matplotlib.rcParams) == before


def test_other_picture_files(tmp_path):
    random_record(3, 3).plot(tmp_path / "a.svg")
    assert b"<svg" in (tmp_path / "a.svg").read_bytes()
    with pytest.raises(SeqloomError, match=r"a\.txt: a picture's name ends in \.png, \.pdf, \.svg"):
        random_record(3, 3).plot(tmp_path / "a.txt")


def test_a_place_where_nothing_can_be_written(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(FolderError, match="cannot write"):
        random_record(3, 3).plot(tmp_path / "file" / "a.png")
    with pytest.raises(FolderError, match="cannot write"):
        random_record(3, 3).save(tmp_path / "file" / "a.json")
