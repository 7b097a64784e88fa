from __future__ import annotations

import json
import logging
from itertools import pairwise

import matplotlib
import numpy as np
import pytest
import torch
from matplotlib import font_manager
from matplotlib.image import imread

from seqloom.errors import FolderError, SeqloomError
from seqloom.inspection import fonts
from seqloom.inspection.attention import AttentionRecord, _joined, plot_many, record_attention
from seqloom.models import build_model
from seqloom.recipe import RecurrentRecipe, TransformerRecipe
from seqloom.symbols import BOS, EOS

TRANSFORMER = TransformerRecipe(
    width=8, feedforward=16, heads=2, encoder_layers=1, decoder_layers=2, dropout=0.5
)


def recurrent(**switches) -> RecurrentRecipe:
    return RecurrentRecipe(embedding=8, width=8, dropout=0.5, **switches)


def random_record(source: int, target: int, heads: int = 2) -> AttentionRecord:
    weights = np.random.default_rng(0).dirichlet(np.ones(source), (heads, target))
    return AttentionRecord(
        [f"s{number}" for number in range(source)],
        [f"t{number}" for number in range(target)],
        {
            "decoder.layers.0.cross_attention.weights": weights.astype(np.float32),
            "decoder.layers.1.cross_attention.weights": weights[::-1].astype(np.float32),
        },
    )


def labels(figure):
    axes = figure.axes[0]
    return (
        [label.get_text() for label in axes.get_xticklabels()],
        [label.get_text() for label in axes.get_yticklabels()],
    )


def test_json_round_trip(tmp_path):
    record = random_record(7, 5)
    record.save_json(tmp_path / "attention.json")
    text = (tmp_path / "attention.json").read_text(encoding="utf-8")
    again = AttentionRecord.from_dict(json.loads(text))
    assert (again.source, again.target) == (record.source, record.target)
    assert list(again.layers) == list(record.layers)
    for path, weights in record.layers.items():
        assert again.layers[path].dtype == np.float32
        np.testing.assert_array_equal(again.layers[path], weights)  # exact, not close


def test_json_is_versioned_and_readable():
    weights = np.array([[[0.1, 0.9]]], dtype=np.float32)
    record = AttentionRecord(["年", "a"], ["b"], {"decoder.attention.weights": weights})
    assert record.as_dict() == {
        "kind": "attention",
        "version": 1,
        "source": ["年", "a"],
        "target": ["b"],
        "layers": {"decoder.attention.weights": [[[0.1, 0.9]]]},  # not 0.10000000149011612
    }


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"kind": "beam"}, "not an attention record: its kind is 'beam'"),
        ({"version": 2}, "an attention record of version 2; this Seqloom reads version 1"),
        ({"layers": None}, "a damaged attention record"),
        ({"target": ["t0"]}, r"a damaged attention record: .*expected \[heads, 1 target pieces"),
    ],
)
def test_records_that_cannot_be_read(change, message):
    with pytest.raises(SeqloomError, match=message):
        AttentionRecord.from_dict({**random_record(3, 2).as_dict(), **change})


def test_weights_of_layer_and_head():
    record = random_record(4, 3)
    first, last = record.layers.values()
    np.testing.assert_array_equal(record.weights(), last.mean(axis=0))
    np.testing.assert_array_equal(record.weights(head=1), last[1])
    name = "decoder.layers.0.cross_attention.weights"
    np.testing.assert_array_equal(record.weights(name, 0), first[0])
    with pytest.raises(SeqloomError, match=r"no head 2; .* has heads 0 to 1"):
        record.weights(head=2)
    with pytest.raises(
        SeqloomError, match=r"no layer 'x' was recorded; there are: decoder\.layers"
    ):
        record.weights("x")


def test_plot_says_what_the_record_says(tmp_path):
    record = random_record(6, 4)
    figure = record.plot(tmp_path / "new" / "attention.png")
    assert labels(figure) == (record.source, record.target)
    image = figure.axes[0].images[0].get_array()
    np.testing.assert_array_equal(image, record.weights())  # row t, column s
    assert "mean over heads" in figure.axes[0].get_title()
    assert figure.axes[1].get_ylabel() == "attention weight"
    assert imread(tmp_path / "new" / "attention.png").std() > 0.05
    assert "head 1" in record.plot(head=1).axes[0].get_title()
    name = "decoder.layers.0.cross_attention.weights"
    assert name in record.plot(layer=name).axes[0].get_title()


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


def test_pieces_that_would_break_a_picture(tmp_path):
    pieces = [" ", "\n", "", "$x^2$", "\x00", "a" * 100, "\\frac", "Ġthe"]
    weights = np.full((1, 1, 8), 1 / 8, dtype=np.float32)
    record = AttentionRecord(pieces, ["$"], {"decoder.attention.weights": weights})
    shown, _ = labels(record.plot(tmp_path / "p.png"))
    assert shown == ["␣", "⏎", "∅", "$x^2$", "U+0000", "a" * 23 + "…", "\\frac", "Ġthe"]


def test_no_font_for_chinese_gives_code_points_and_no_warning(tmp_path, monkeypatch, caplog):
    monkeypatch.setattr(fonts, "_FONT_PACKAGE", "no_such_package_of_fonts")
    manager = font_manager.fontManager
    plain = [e for e in manager.ttflist if "DejaVu" in e.name or "Last" in e.name]
    monkeypatch.setattr(manager, "ttflist", plain)
    weights = np.full((1, 1, 2), 0.5, dtype=np.float32)
    record = AttentionRecord(["五", "月"], ["5"], {"decoder.attention.weights": weights})
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
        random_record(3, 3).save_json(tmp_path)


@pytest.mark.parametrize(
    ("recipe", "paths", "heads"),
    [
        (TRANSFORMER, [f"decoder.layers.{n}.cross_attention.weights" for n in (0, 1)], 2),
        (recurrent(wiring="before"), ["decoder.attention.weights"], 1),
        (recurrent(wiring="after", input_feeding=True), ["decoder.attention.weights"], 1),
        (recurrent(wiring="after", input_feeding=False), ["decoder.attention.weights"], 1),
        (recurrent(attention="dot", cell="lstm"), ["decoder.attention.weights"], 1),
    ],
)
def test_every_architecture_is_recorded(recipe, paths, heads):
    torch.manual_seed(0)
    model = build_model(recipe, 20, 20).train()
    record = record_attention(model, [5, 6, 7], [8, 9], ["a", "b", "c"], ["x", "y"])
    assert model.training
    assert record.source == ["a", "b", "c", "</s>"]
    assert record.target == ["x", "y", "</s>"]
    assert list(record.layers) == paths
    for weights in record.layers.values():
        assert weights.shape == (heads, 3, 4)
        np.testing.assert_allclose(weights.sum(axis=-1), 1, atol=1e-5)
    again = record_attention(model, [5, 6, 7], [8, 9], ["a", "b", "c"], ["x", "y"])
    for path in paths:  # no dropout, although the model is in training
        np.testing.assert_array_equal(again.layers[path], record.layers[path])


def test_attention_is_the_one_the_layer_computes():
    """Luong's dot attention by hand: softmax of decoder states times encoder states."""
    torch.manual_seed(0)
    recipe = recurrent(attention="dot", wiring="after", input_feeding=False)
    model = build_model(recipe, 20, 20).eval()
    record = record_attention(model, [5, 6], [8], ["a", "b"], ["x"])
    source = torch.tensor([[5, 6, EOS]])
    with torch.no_grad():
        memory = model.encode(source, torch.ones(1, 3, dtype=torch.bool))
        inputs = model.decoder.tokens(torch.tensor([[BOS, 8]]))
        states, _ = model.decoder.layers[0](inputs, torch.stack(model.start(memory).hidden))
        expected = torch.softmax(states @ memory.states.transpose(1, 2), dim=-1)
    np.testing.assert_allclose(record.weights(), expected[0].numpy(), atol=1e-6)


def test_a_model_without_attention():
    model = build_model(recurrent(attention="none"), 20, 20)
    with pytest.raises(SeqloomError, match="this model has no attention to draw"):
        record_attention(model, [5], [6], ["a"], ["b"])


def test_pieces_must_fit_the_ids():
    model = build_model(recurrent(), 20, 20)
    with pytest.raises(ValueError, match=r"expected \[heads, 2 target pieces, 3 source pieces\]"):
        record_attention(model, [5], [6], ["a", "b"], ["x"])


def test_calls_of_any_form_become_heads_by_target_by_source():
    weights = torch.rand(2, 3, 4)  # [H T S]
    whole = weights[None]
    np.testing.assert_array_equal(_joined([whole]), weights)
    np.testing.assert_array_equal(_joined(list(whole.split(1, dim=2))), weights)
    np.testing.assert_array_equal(_joined([weights[:1]]), weights[:1])  # [B T S]
    np.testing.assert_array_equal(_joined([row[None] for row in weights[0]]), weights[:1])  # [B S]
