"""Maps of words: projections against what numpy computes, records, and what draws them."""

from __future__ import annotations

import base64
import hashlib
import html
import json
import logging
import math
import shutil
import subprocess
import sys
from html.parser import HTMLParser
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib import font_manager
from matplotlib.image import imread

from seqloom.errors import FolderError, SeqloomError, VectorsError
from seqloom.inspection import fonts, palette, wordmap
from seqloom.inspection.projection import describe, project
from seqloom.inspection.wordchoice import around, sections_of, together
from seqloom.inspection.wordmap import WordMap, map_words
from seqloom.inspection.wordmap_page import page_of
from seqloom.inspection.wordmap_picture import draw
from seqloom.text.ngrams import Ngrams
from seqloom.text.vectors import WordVectors

METHODS = ("pca", "tsne")
HOSTILE = [
    "</script>",
    "<!--",
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "a&amp;b",
    "'; //",
    "{title}",
    "\u202etxet",
    "\u2028",
    "__proto__",
]


def unit(rows):
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def clusters(per=20, groups=2, width=16, noise=0.08, seed=0):
    """Vectors around directions at right angles, group by group."""
    chance = np.random.default_rng(seed)
    centres = np.repeat(np.eye(groups, width), per, axis=0)
    return unit(centres + noise * chance.standard_normal((per * groups, width)))


def vectors_of(matrix, words=None, counts=None, ngrams=None):
    return WordVectors(words or [f"w{n}" for n in range(len(matrix))], matrix, counts, ngrams)


def small_map(words=None, **fields):
    """A record without any vectors behind it."""
    words = words or ["one", "two", "three"]
    chance = np.random.default_rng(len(words))
    return WordMap(
        words,
        np.round(chance.standard_normal((len(words), 2)), 6),
        "pca",
        {"variance": [0.5, 0.25]},
        [[(words[(n + 1) % len(words)], 0.75), ("elsewhere", 0.5)] for n in range(len(words))],
        1000,
        **fields,
    )


# ---- projections


@pytest.mark.parametrize("shape", [(50, 10), (4, 30), (3, 2)])
def test_principal_components_are_those_of_a_singular_value_decomposition(shape):
    rows = unit(np.random.default_rng(1).standard_normal(shape))
    points, quality = project(rows, "pca")
    centred = rows - rows.mean(axis=0)
    left, values, _ = np.linalg.svd(centred, full_matrices=False)
    expected = left[:, :2] * values[:2]
    expected *= np.sign((expected * points).sum(axis=0))
    np.testing.assert_allclose(points, expected, atol=1e-6)
    shares = values**2 / (values**2).sum()
    np.testing.assert_allclose(quality["variance"], shares[:2], atol=1e-6)


def test_the_word_farthest_out_lies_on_the_positive_side():
    for seed in range(5):
        rows = unit(np.random.default_rng(seed).standard_normal((30, 8)))
        points, _ = project(rows, "pca")
        assert (points.max(axis=0) >= -points.min(axis=0)).all()
        mirrored, _ = project(rows * [-1, 1, 1, -1, 1, 1, 1, -1], "pca")
        np.testing.assert_allclose(mirrored, points, atol=2e-6)


@pytest.mark.parametrize("method", METHODS)
def test_clusters_stay_apart(method):
    points, _ = project(clusters(), method)
    first, second = points[:20], points[20:]
    apart = min(np.linalg.norm(first[:, None] - second[None], axis=2).ravel())
    wide = max(
        np.linalg.norm(group - group.mean(axis=0), axis=1).max() for group in (first, second)
    )
    assert apart > wide


@pytest.mark.parametrize("method", METHODS)
def test_three_words_are_enough(method):
    points, quality = project(unit(np.eye(3, 5) + 0.1), method)
    assert points.shape == (3, 2) and np.isfinite(points).all()
    assert describe(method, quality)


def test_a_seed_gives_one_picture_of_tsne():
    rows = clusters(per=40)
    (first, _), (again, _), (other, _) = (project(rows, "tsne", seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert not np.allclose(first, other)


@pytest.mark.parametrize(("number", "perplexity"), [(3, 1.0), (10, 3.0), (81, 9.0), (1000, 30.0)])
def test_tsne_states_its_perplexity(number, perplexity):
    _, quality = project(clusters(per=number, groups=1), "tsne", seed=7)
    assert quality["perplexity"] == perplexity
    assert f"perplexity {perplexity:g}, seed 7, KL divergence" in describe("tsne", quality)
    assert quality["kl_divergence"] > 0


def test_tsne_tells_how_far_it_is_and_prints_nothing_itself(capsys):
    told = []

    def progress(stage, done, total, note=""):
        told.append((stage, done, total))
        sys.stdout.write("said meanwhile")
        sys.stdout.write("\n")  # as print() does

    project(clusters(), "tsne", progress=progress)
    assert told[0] == ("t-SNE", 0, 1000) and told[-1] == ("t-SNE", 1000, 1000)
    assert ("t-SNE", 100, 1000) in told and len(told) >= 10
    assert [done for _, done, _ in told] == sorted(done for _, done, _ in told)
    assert capsys.readouterr().out == "said meanwhile\n" * len(told)


@pytest.mark.parametrize(
    ("rows", "method", "message"),
    [
        (np.ones((5, 1)), "pca", "vectors of width 1"),
        (np.ones((5, 4)) / 2, "tsne", "the 5 words all have the same direction"),
        (np.zeros((5, 4)), "pca", "the 5 words all have the same direction"),
        (np.eye(5), "umap", "unknown method 'umap'; expected pca or tsne"),
    ],
)
def test_what_cannot_be_projected(rows, method, message):
    with pytest.raises(VectorsError, match=message):
        project(rows, method)


# ---- which words


def test_lists_of_words_have_sections():
    lines = [
        "Athens Greece",
        "",
        ": family",
        "boy  girl",
        "\tqueen",
        ": verbs ",
        "run girl",
        ":",
        ":)",
    ]
    assert sections_of(lines, "cities") == {
        "Athens": "cities",
        "Greece": "cities",
        "boy": "family",
        "girl": "family",
        "queen": "family",
        "run": "verbs",
        ":": "verbs",
        ":)": "verbs",
    }


def test_a_colon_by_itself_is_a_word():
    assert sections_of([": x", "a", ": ", "b"]) == {"a": "x", ":": "x", "b": "x"}


def test_words_of_several_choices_keep_their_first_section():
    found = together({"a": "", "b": ""}, {"b": "x", "c": "x"}, {"c": "y", "a": ""})
    assert list(found.items()) == [("a", ""), ("b", "x"), ("c", "x")]


def test_words_around_others_belong_to_the_nearest():
    rows = np.zeros((7, 8))
    rows[0, 0] = rows[1, 1] = 1  # the centres
    for row, share in zip(range(2, 7), [0.9, 0.8, 0.4, 0.2, 0.1], strict=True):
        rows[row, :2] = share, 1 - share
    vectors = vectors_of(unit(rows), list("XYabcde"))
    assert around(vectors, ["X", "Y"], 6) == dict(zip("XabYed", "XXXYYY", strict=True))
    assert around(vectors, ["X"], 3) == dict.fromkeys("Xab", "X")
    assert around(vectors, ["X", "Y"], 14) == dict(zip("XYabcde", "XYXXYYY", strict=True))
    with pytest.raises(VectorsError, match="'Z' is not among the 7 words"):
        around(vectors, ["X", "Z"], 6)


# ---- the record


def test_the_most_frequent_words_unless_said_otherwise():
    counts = np.array([5, 50, 7, 9, 1, 30])
    vectors = vectors_of(clusters(per=3), list("abcdef"), counts)
    found = map_words(vectors, number=4)
    assert sorted(found.words) == ["b", "c", "d", "f"]
    assert dict(zip(found.words, found.ranks, strict=True)) == {"b": 1, "f": 2, "d": 3, "c": 4}
    assert dict(zip(found.words, found.counts, strict=True)) == {"b": 50, "f": 30, "d": 9, "c": 7}
    assert (found.vocabulary, found.sections, found.unknown) == (6, [], [])
    bare = map_words(vectors_of(clusters(per=3), list("abcdef")), number=4)
    assert (bare.words, bare.counts, bare.ranks) == (list("abcd"), [], [])


@pytest.mark.parametrize("cells", [1, 150, 2**24])
def test_neighbours_are_those_of_the_full_space(cells, monkeypatch):
    monkeypatch.setattr(wordmap, "_CELLS", cells)
    vectors = vectors_of(np.random.default_rng(0).standard_normal((60, 12)).astype(np.float32))
    told = []
    found = map_words(vectors, vectors.words[10:30], progress=lambda *a: told.append(a))
    for word, near in zip(found.words, found.neighbours, strict=True):
        expected = vectors.neighbours(word, 5)
        assert [other for other, _ in near] == [other for other, _ in expected]
        np.testing.assert_allclose([c for _, c in near], [c for _, c in expected], atol=1e-5)
    assert told[-1] == ("neighbours", 20, 20)


def test_the_length_of_a_vector_does_not_move_it():
    rows = clusters()
    plain, longer = (map_words(vectors_of(rows * size)) for size in (1, np.arange(1, 41)[:, None]))
    np.testing.assert_allclose(plain.points, longer.points, atol=1e-5)


def test_words_without_a_vector_are_noted():
    rows = clusters(per=3)
    rows[5] = 0  # has no direction
    vectors = vectors_of(rows, list("abcdef"))
    found = map_words(vectors, ["a", "nowhere", "b", "c", "", "a", "f"])
    assert (found.words, found.unknown) == (["a", "b", "c"], ["nowhere", "", "f"])


def test_words_are_composed_where_there_are_ngrams():
    ngrams = Ngrams(np.random.default_rng(0).standard_normal((50, 16)).astype(np.float32))
    vectors = vectors_of(clusters(per=3), list("abcdef"), np.arange(6)[::-1], ngrams)
    found = map_words(vectors, ["a", "b", "unheard"])
    assert found.words == ["a", "b", "unheard"]
    assert (found.counts, found.ranks) == ([5, 4, None], [1, 2, None])
    assert found.neighbours[2][0] == pytest.approx(vectors.neighbours("unheard", 1)[0])


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["a", "b"], "3 different words or more, and 2 of those given have a vector. Give more"),
        (["a", "x y", "z"], "and 1 of those given has a vector; not among them: x y, z. Give"),
        ([], "and 0 of those given have a vector. Give"),
        (["a", *map(str, range(14))], "them: 0, 1, 2, 3, 4, 5, 6, 7, 8, 9 and 4 more. Give"),
    ],
)
def test_too_few_words(words, message):
    with pytest.raises(VectorsError) as error:
        map_words(vectors_of(clusters(per=3), list("abcdef")), words)
    assert message in str(error.value)


def test_sections_are_kept_where_there_are_several():
    vectors = vectors_of(clusters(per=3), list("abcdef"))
    given = {"d": "x", "a": "y", "none": "z", "b": "x"}
    assert map_words(vectors, given).sections == ["x", "y", "x"]
    assert map_words(vectors, dict.fromkeys("abc", "x")).sections == []


def test_a_record_reads_back_as_it_was(tmp_path):
    for method in METHODS:
        made = map_words(vectors_of(clusters(), counts=np.arange(40)), ["w1", "年", "w3", "w22"],
                         method=method)  # fmt: skip
        made.save(tmp_path / "new" / "map.json")
        text = (tmp_path / "new" / "map.json").read_text(encoding="utf-8")
        again = WordMap.from_dict(json.loads(text))
        assert again.as_dict() == made.as_dict()
        np.testing.assert_array_equal(again.points, made.points)
        assert '"年"' in text


def test_the_record_is_versioned_and_readable():
    record = WordMap(
        ["a", "年"], np.array([[0.1, -2.0], [3.5, 0.0]]), "pca", {"variance": [0.75, 0.2]},
        [[("b", 0.9)], []], 7, ["x", "y"], [3, None], [1, None], ["c"],
    )  # fmt: skip
    assert record.as_dict() == {
        "kind": "word map",
        "version": 1,
        "method": "pca",
        "quality": {"variance": [0.75, 0.2]},
        "vocabulary": 7,
        "words": ["a", "年"],
        "points": [[0.1, -2.0], [3.5, 0.0]],
        "sections": ["x", "y"],
        "counts": [3, None],
        "ranks": [1, None],
        "neighbours": [[["b", 0.9]], []],
        "unknown": ["c"],
    }


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"kind": "attention"}, "not a word map: its kind is 'attention'"),
        ({"version": 2}, "a word map of version 2; this Seqloom reads version 1"),
        ({"words": ["a"]}, "a damaged word map: points of shape"),
        ({"points": [[0, 1], [2, math.nan], [1, 1]]}, "a damaged word map: .*3 finite pairs"),
        ({"points": "here"}, "a damaged word map"),
        ({"neighbours": []}, "a damaged word map: neighbours of 0 words; expected 3"),
        ({"sections": ["x"]}, "a damaged word map: sections of 1 words; expected 3"),
        ({"ranks": [1, 2]}, "a damaged word map: ranks of 2 words"),
        ({"quality": {}}, "a damaged word map: quality: the field 'variance' is"),
        ({"method": "tsne"}, "quality: the field 'perplexity' is missing"),
        ({"method": "umap"}, "unknown method 'umap'"),
        ({"colour": "red"}, "a damaged word map: .*colour"),
    ],
)
def test_records_that_cannot_be_read(change, message):
    with pytest.raises(SeqloomError, match=message):
        WordMap.from_dict({**small_map().as_dict(), **change})
    with pytest.raises(SeqloomError, match="a damaged word map"):
        WordMap.from_dict({"kind": "word map", "version": 1})


def test_a_name_tells_what_is_written(tmp_path):
    for suffix, head in {
        ".png": b"\x89PNG", ".pdf": b"%PDF", ".svg": b"<?xml", ".json": b"{", ".HTML": b"<!doctype",
    }.items():  # fmt: skip
        small_map().save(tmp_path / f"map{suffix}")
        assert (tmp_path / f"map{suffix}").read_bytes().startswith(head)
    with pytest.raises(
        SeqloomError, match=r"map\.gif: the name of a word map ends in \.html, \.json"
    ):
        small_map().save(tmp_path / "map.gif")
    (tmp_path / "file").touch()
    with pytest.raises(FolderError, match=r"cannot write .*something else is there"):
        small_map().save(tmp_path / "file" / "map.png")


# ---- the picture


def labels_of(figure):
    return [text for text in figure.axes[0].texts if text.get_text()]


def points_of(figure):
    return sum(len(dots.get_offsets()) for dots in figure.axes[0].collections)


def spread_map(number, seed=0, word="word{}", **fields):
    chance = np.random.default_rng(seed)
    names = [word.format(n) for n in range(number)]
    return WordMap(
        names, chance.standard_normal((number, 2)), "pca", {"variance": [0.5, 0.25]},
        [[]] * number, number, **fields,
    )  # fmt: skip


def test_labels_do_not_lie_on_each_other_and_most_have_room():
    figure = draw(spread_map(300, ranks=list(range(1, 301))).as_dict())
    figure.draw_without_rendering()
    renderer = figure.canvas.get_renderer()
    boxes = [label.get_window_extent(renderer) for label in labels_of(figure)]
    assert len(boxes) >= 200
    assert points_of(figure) == 300
    assert not any(a.overlaps(b) for a, b in combinations(boxes, 2))
    frame = figure.axes[0].get_window_extent(renderer).padded(1)
    assert all(frame.fully_containsx(box.x1) and frame.fully_containsy(box.y1) for box in boxes)
    assert f"300 words, {len(boxes)} of them with room for a label" in figure.axes[0].get_title(
        "left"
    )


def test_each_label_lies_beside_its_own_point():
    record = spread_map(40)
    figure = draw(record.as_dict())
    at = dict(zip(record.words, figure.axes[0].transData.transform(record.points), strict=True))
    renderer = figure.canvas.get_renderer()
    for label in labels_of(figure):
        box = label.get_window_extent(renderer)
        x, y = at[label.get_text()]
        near = np.clip([x, y], [box.x0, box.y0], [box.x1, box.y1])
        assert 0 < np.linalg.norm(near - [x, y]) < 20


def test_words_in_one_place_are_points_without_labels():
    record = spread_map(60)
    record.points[5:] = record.points[4]
    figure = draw(record.as_dict())
    assert points_of(figure) == 60
    assert 5 <= len(labels_of(figure)) <= 5 + 8
    shown = {label.get_text() for label in labels_of(figure)}
    assert {f"word{n}" for n in range(5)} <= shown  # the earlier, the more important


def test_sections_and_ranks_are_told_by_colour():
    figure = draw(small_map(sections=["_x", "", "_x"], ranks=[1, 2, 3], counts=[9, 8, 7]).as_dict())
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["_x", "no section"]
    assert len(figure.axes) == 1
    figure = draw(small_map(ranks=[2, None, 70], counts=[9, None, 1]).as_dict())
    assert figure.legends == [] and points_of(figure) == 3
    assert figure.axes[1].get_ylabel() == "place by frequency among all words"
    figure = draw(small_map().as_dict())
    assert figure.legends == [] and len(figure.axes) == 1 and points_of(figure) == 3


def test_axes_say_what_they_hold():
    axes = draw(small_map().as_dict()).axes[0]
    assert axes.get_xlabel() == "first component: 50.0% of the variance"
    assert axes.get_ylabel() == "second component: 25.0% of the variance"
    made = map_words(vectors_of(clusters(per=5)), method="tsne")
    axes = draw(made.as_dict()).axes[0]
    assert axes.get_xlabel() == "" and list(axes.get_xticks()) == []
    assert "perplexity 3, seed 1, KL" in axes.get_title("left")
    assert axes.get_aspect() == 1


def test_words_that_would_break_a_picture():
    record = small_map(["$x^2$", "\x00", "a" * 100, "\\frac", "_", ""], unknown=["$", "\udcff"])
    figure = draw(record.as_dict())
    shown = {label.get_text() for label in labels_of(figure)}
    assert shown == {"$x^2$", "U+0000", "a" * 23 + "…", "\\frac", "_", "∅"}
    assert not any(label.get_parse_math() for label in labels_of(figure))
    assert "Not among the vectors: $, U+DCFF." in " ".join(figure.axes[0].get_title("left").split())


def test_no_font_for_chinese_gives_code_points_and_no_warning(monkeypatch, caplog):
    monkeypatch.setattr(fonts, "_FONT_PACKAGE", "no_such_package_of_fonts")
    manager = font_manager.fontManager
    plain = [e for e in manager.ttflist if "DejaVu" in e.name or "Last" in e.name]
    monkeypatch.setattr(manager, "ttflist", plain)
    record = small_map(["年", "год", "year"], sections=["中", "ru", "en"], unknown=["五"])
    with caplog.at_level(logging.WARNING):
        figure = draw(record.as_dict())
        figure.draw_without_rendering()
    assert {label.get_text() for label in labels_of(figure)} == {"U+5E74", "год", "year"}
    assert figure.legends[0].get_texts()[0].get_text() == "U+4E2D"
    assert "U+4E94" in figure.axes[0].get_title("left")
    assert caplog.records == []


@pytest.mark.parametrize("suffix", [".png", ".svg", ".pdf"])
def test_the_same_record_gives_the_same_bytes(tmp_path, suffix):
    record = small_map(sections=["x", "y", "x"])
    for name in ("a", "b"):
        record.save(tmp_path / f"{name}{suffix}")
    assert (tmp_path / f"a{suffix}").read_bytes() == (tmp_path / f"b{suffix}").read_bytes()
    if suffix == ".png":
        assert imread(tmp_path / "a.png").std() > 0.05


def test_colours_are_seen_on_white_and_on_black():
    def luminance(colour):
        parts = np.array([int(colour[at : at + 2], 16) for at in (1, 3, 5)]) / 255
        linear = np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)
        return float(linear @ [0.2126, 0.7152, 0.0722])

    for colour in {*palette.COLOURS, *palette.RAMP, palette.PLAIN, palette.UNKNOWN}:
        for background in ("#ffffff", "#121212"):
            low, high = sorted((luminance(colour), luminance(background)))
            assert (high + 0.05) / (low + 0.05) >= 3, (colour, background)
    assert len({palette.look(group) for group in range(32)}) == 32


# ---- the page


class Page(HTMLParser):
    """Collects tags, attributes, and what scripts, styles and cells of the table hold."""

    def __init__(self, content):
        super().__init__()
        self.tags, self.attributes, self.open = [], [], []
        self.texts = {}  # id or tag -> text
        self.rows = []
        self.feed(content)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += attrs
        if tag not in ("meta", "input"):
            self.open.append((tag, dict(attrs).get("id", tag)))
        if tag == "tr":
            self.rows.append([])
        if tag in ("td", "th"):
            self.rows[-1].append("")

    def handle_endtag(self, tag):
        assert self.open.pop()[0] == tag

    def handle_data(self, data):
        if self.open:
            name = self.open[-1][1]
            self.texts[name] = self.texts.get(name, "") + data
        if any(tag in ("td", "th") for tag, _ in self.open):
            self.rows[-1][-1] += data


def test_the_page_is_whole_and_fetches_nothing():
    record = small_map(["year", "год", "年"], sections=["en", "ru", "zh"], unknown=["lost & found"])
    page = Page(page_of(record.as_dict()))
    assert page.open == [], "every tag is closed"
    assert not {"link", "img", "iframe", "object", "embed", "base", "a"} & set(page.tags)
    for name, value in page.attributes:
        assert not name.startswith("on") and name not in ("src", "srcset", "href", "style")
        assert "://" not in (value or "")
    assert "url(" not in page.texts["style"] and "@import" not in page.texts["style"]
    for word in ("fetch(", "XMLHttpRequest", "innerHTML", "import(", "://", "eval("):
        assert word not in page.texts["script"]
    assert "Not among the vectors: lost & found." in page.texts["p"]


def test_the_policy_allows_this_script_and_no_other():
    page = Page(page_of(small_map().as_dict()))
    policy = next(value for _, value in page.attributes if value and "default-src" in value)
    assert policy.startswith("default-src 'none';") and "unsafe" not in policy
    for kind in ("script", "style"):
        digest = base64.b64encode(hashlib.sha256(page.texts[kind].encode()).digest()).decode()
        assert f"{kind}-src 'sha256-{digest}'" in policy


def test_the_table_says_what_the_record_says():
    record = small_map(["a", "b", "c"], sections=["x", "", "x"], counts=[1500, None, 7],
                       ranks=[1, None, 2])  # fmt: skip
    assert Page(page_of(record.as_dict())).rows == [
        ["word", "section", "times seen", "place by frequency",
         "nearest of all words, with the cosine"],
        ["a", "x", "1,500", "1", "b 0.750, elsewhere 0.500"],
        ["b", "", "", "", "c 0.750, elsewhere 0.500"],
        ["c", "x", "7", "2", "a 0.750, elsewhere 0.500"],
    ]  # fmt: skip
    assert len(Page(page_of(small_map().as_dict())).rows[0]) == 2


def check_escaped(record):
    """The page of any words has the same tags, and its record and table hold those words."""
    names = [f"w{n}" for n in range(len(record.words))]
    harmless = small_map(names, sections=["s"] * len(record.sections))
    harmless = Page(page_of(harmless.as_dict()))
    content = record.as_dict()
    page = Page(page_of(content))
    assert page.tags == harmless.tags and page.open == []
    assert json.loads(page.texts["record"]) == content
    assert WordMap.from_dict(json.loads(page.texts["record"])).words == record.words
    assert [row[0] for row in page.rows[1:]] == record.words


def test_hostile_words_stay_text():
    check_escaped(small_map(HOSTILE, sections=HOSTILE))


@given(st.lists(st.text(st.characters(exclude_characters="\0\r"), min_size=1), min_size=3,
                max_size=6, unique=True))  # fmt: skip
@settings(max_examples=50, deadline=None)
def test_any_word_stays_text(words):
    check_escaped(small_map(words))


def test_unknown_words_stay_text():
    page = Page(page_of(small_map(unknown=HOSTILE).as_dict()))
    assert page.tags == Page(page_of(small_map().as_dict())).tags
    assert f"Not among the vectors: {', '.join(HOSTILE)}." in page.texts["p"]


def test_half_characters_are_written_as_their_number(tmp_path):
    record = small_map(unknown=["\udcff"])
    record.save(tmp_path / "map.html")
    record.save(tmp_path / "map.json")
    assert "vectors: \\udcff." in (tmp_path / "map.html").read_text(encoding="utf-8")
    values = json.loads((tmp_path / "map.json").read_text(encoding="utf-8"))
    assert WordMap.from_dict(values).unknown == ["\udcff"]


def test_a_notebook_shows_the_page_in_a_frame():
    record = small_map(HOSTILE)
    frame = record._repr_html_()

    class Frame(HTMLParser):
        def handle_starttag(self, tag, attrs):
            assert tag == "iframe"
            self.seen = dict(attrs)

    parser = Frame()
    parser.feed(frame)
    assert parser.seen["srcdoc"] == page_of(record.as_dict())
    assert parser.seen["sandbox"] == "allow-scripts"  # neither the notebook's pages nor its files
    assert html.unescape(frame).count("<!doctype") == 1


# ---- the script of the page, in Node where there is one


@pytest.fixture
def run(tmp_path):
    """Runs a record's page and tells what is seen at first and after each step."""
    node = shutil.which("node")
    if node is None:
        pytest.skip("no Node here to run the script of the page")

    def act(record, *steps):
        path = tmp_path / "map.html"
        record.save(path)
        program = Path(__file__).with_name("wordmap_in_node.js")
        done = subprocess.run(
            [node, program, path, json.dumps(steps)], capture_output=True, encoding="utf-8"
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    return act


def step(on, event, value=None, **given):
    return {"on": on, "event": event, "with": given, **({} if value is None else {"value": value})}


def at(point, **given):
    return {"offsetX": point["x"], "offsetY": point["y"], **given}


def test_the_script_draws_every_word_where_the_record_says(run):
    record = spread_map(50)
    (frame,) = run(record)
    drawn = np.array([[point["x"], point["y"]] for point in frame["points"]])
    assert drawn.shape == (50, 2)
    assert (drawn >= 0).all() and (drawn <= [800, 600]).all()
    scale = np.ptp(drawn[:, 0]) / np.ptp(record.points[:, 0])
    moved = (drawn - drawn.mean(axis=0)) / scale * [1, -1]
    np.testing.assert_allclose(moved, record.points - record.points.mean(axis=0), atol=1e-9)
    assert frame["canvas"] == [1600, 1200]  # of a screen with two pixels for one
    assert frame["lines"] == 0 and frame["buttons"] == [] and "Point at a word" in frame["card"]


def test_five_thousand_words_are_drawn_and_labels_do_not_overlap(run):
    (frame,) = run(spread_map(5000))
    assert len(frame["points"]) == 5000
    assert 100 < len(frame["texts"]) < 5000
    assert frame["room"] == f"{len(frame['texts'])} of 5000 words have room for a label here."
    boxes = np.array([[t["x"], t["y"], t["x"] + 7 * len(t["text"])] for t in frame["texts"]])
    across = (boxes[:, None, 0] < boxes[None, :, 2]) & (boxes[None, :, 0] < boxes[:, None, 2])
    down = abs(boxes[:, None, 1] - boxes[None, :, 1]) < 16
    assert (across & down).sum() == len(boxes)  # each with itself


def test_pointing_at_a_word_shows_its_true_neighbours(run):
    words = ["north", "south", "east", "west"]
    record = small_map(words, counts=[1234, 5, 6, 7], ranks=[12, 20, 30, 40])
    record.neighbours[0][:] = [("west", 0.9), ("up", 0.8), ("south", 0.7)]
    first = run(record)[0]
    spot = at(first["points"][0])
    _, over, away = run(record, step("map", "pointermove", **spot), step("map", "pointerleave"))
    assert over["card"].startswith("northseen 1,234 times, place 12 of 1,000Nearest of all words")
    assert "west 0.900" in over["card"] and "up 0.800" in over["card"]
    assert over["buttons"] == ["west", "south"]
    assert over["lines"] == 2
    bright = {(point["x"], point["y"]) for point in over["points"] if point["alpha"] == 1}
    assert bright == {(first["points"][n]["x"], first["points"][n]["y"]) for n in (0, 1, 3)}
    assert {t["text"]: t["alpha"] for t in over["texts"]}["east"] == 0.25
    assert away["lines"] == 0 and "Point at a word" in away["card"]


def test_a_click_holds_a_word_and_leads_to_its_neighbours(run):
    record = small_map(["north", "south", "east"])
    spot = at(run(record)[0]["points"][0])
    steps = [
        step("map", "pointerdown", **spot),
        step("map", "pointerup", **spot),
        step("map", "pointerleave"),
        {"click": "south"},
        step("map", "keydown", key="Escape"),
    ]
    *_, held, led, freed = run(record, *steps)
    assert held["card"].startswith("north") and held["buttons"] == ["south"]
    assert led["card"].startswith("south") and led["buttons"] == ["east"]
    assert "Point at a word" in freed["card"]


def test_dragging_moves_the_map_and_chooses_nothing(run):
    record = small_map()
    first = run(record)[0]
    spot = at(first["points"][0])
    there = {"offsetX": spot["offsetX"] + 30, "offsetY": spot["offsetY"] - 20}
    steps = [
        step("map", "pointerdown", **spot),
        step("map", "pointermove", **there),
        step("map", "pointerup", **there),
    ]
    *_, last = run(record, *steps)
    for before, after in zip(first["points"], last["points"], strict=True):
        assert (after["x"] - before["x"], after["y"] - before["y"]) == pytest.approx((30, -20))
    assert "Point at a word" in last["card"]


def test_two_fingers_zoom_and_move(run):
    steps = [
        step("map", "pointerdown", pointerId=1, offsetX=300, offsetY=300),
        step("map", "pointerdown", pointerId=2, offsetX=500, offsetY=300),
        step("map", "pointermove", pointerId=2, offsetX=400, offsetY=300),
        step("map", "pointerup", pointerId=2, offsetX=400, offsetY=300),
    ]
    first, *_, last = run(spread_map(20), *steps)
    for before, after in zip(first["points"], last["points"], strict=True):
        expected = (350 + (before["x"] - 400) / 2, 300 + (before["y"] - 300) / 2)
        assert (after["x"], after["y"]) == pytest.approx(expected)
    assert "Point at a word" in last["card"]


def test_shift_and_an_arrow_move_the_map(run):
    first, last = run(small_map(), step("map", "keydown", key="ArrowRight", shiftKey=True))
    moved = [b["x"] - a["x"] for a, b in zip(first["points"], last["points"], strict=True)]
    assert moved == pytest.approx([-60] * 3)
    assert "Point at a word" in last["card"]


def test_the_wheel_zooms_at_the_pointer_and_a_button_shows_all_again(run):
    record = spread_map(20)
    first = run(record)[0]
    spot = at(first["points"][3])
    _, near, far, whole = run(
        record,
        step("map", "wheel", deltaY=-200, **spot),
        step("farther", "click"),
        step("whole", "click"),
    )
    seen = {(round(p["x"], 6), round(p["y"], 6)) for p in near["points"]}
    assert (round(spot["offsetX"], 6), round(spot["offsetY"], 6)) in seen
    assert near["prevented"] and len(near["points"]) < 20
    assert len(far["points"]) >= len(near["points"])
    assert whole["points"] == first["points"]


def test_the_keyboard_alone_is_enough(run):
    record = WordMap(
        ["left", "middle", "right", "top"], np.array([[-1.0, 0], [0, 0], [1, 0], [0, 1]]), "pca",
        {"variance": [0.5, 0.5]}, [[("right", 0.5)], [], [], []], 4,
    )  # fmt: skip
    keys = ["ArrowDown", "ArrowLeft", "ArrowUp", "ArrowRight", "+", "-", "0", "Tab"]
    frames = run(record, *(step("map", "keydown", key=key) for key in keys))
    chosen = [frame["card"].partition("Nearest")[0] for frame in frames[1:5]]
    assert chosen == ["middle", "left", "top", "right"]
    closer, farther, whole, tab = frames[5:]
    assert closer["points"] != frames[4]["points"]
    assert all(frame["prevented"] for frame in frames[1:8])
    assert not tab["prevented"], "the focus must be free to go on"
    spots = [[(p["x"], p["y"]) for p in frame["points"]] for frame in (frames[4], farther, whole)]
    assert np.allclose(spots[0], spots[1]) and np.allclose(spots[0], spots[2])
    ctrl = run(record, step("map", "keydown", key="+", ctrlKey=True))[-1]
    assert not ctrl["prevented"] and ctrl["points"] == frames[0]["points"]


def test_an_arrow_leads_to_no_word_that_lies_rather_aside(run):
    record = WordMap(
        ["middle", "right", "left"],
        np.array([[0, 0], [1, 0.1], [-1, -0.1]]),
        "pca",
        {"variance": [0.5, 0.5]},
        [[], [], []],
        3,
    )
    keys = ["ArrowRight", "ArrowLeft", "ArrowUp", "ArrowDown"]
    frames = run(record, *(step("map", "keydown", key=key) for key in keys))
    chosen = [frame["card"].partition("Nearest")[0] for frame in frames[1:]]
    assert chosen == ["right", "middle", "middle", "middle"]


def test_search_finds_whole_words_first_and_goes_round(run):
    record = small_map(["unroad", "Roads", "road", "way", "ROAD"])
    typed, one, two, three, four, five = run(
        record,
        step("search", "input", value=" road"),
        *[step("search", "keydown", key="Enter")] * 5,
    )[1:]
    assert typed["found"] == "4 found; Enter shows the next"
    assert sum(point["alpha"] == 1 for point in typed["points"]) == 4
    cards = [frame["card"].partition("Nearest")[0] for frame in (one, two, three, four, five)]
    assert cards == ["road", "ROAD", "Roads", "unroad", "road"]
    assert two["found"] == "2 of 4"
    nothing, cleared = run(
        record, step("search", "input", value="zzz"), step("search", "input", value="")
    )[1:]
    assert nothing["found"] == "0 found" and cleared["found"] == ""


def test_colours_of_the_script_are_those_of_the_picture(run):
    record = small_map(sections=["x", "", "x"])
    (frame,) = run(record)
    assert frame["legend"] == ["● x", "■ no section"]
    first, second = (palette.look(group)[0] for group in (0, 1))
    assert [point["colour"] for point in frame["points"]] == [first, second, first]
    (frame,) = run(small_map(ranks=[1, None, 100], counts=[5, None, 1]))
    assert frame["legend"] == ["most frequentrarest"]
    rgb = [f"rgb({', '.join(str(int(end[n : n + 2], 16)) for n in (1, 3, 5))})"
           for end in palette.RAMP]  # fmt: skip
    assert [point["colour"] for point in frame["points"]] == [rgb[0], palette.UNKNOWN, rgb[1]]
    (frame,) = run(small_map())
    assert frame["legend"] == []
    assert {point["colour"] for point in frame["points"]} == {palette.PLAIN}


def test_the_script_takes_hostile_words(run):
    record = small_map(HOSTILE, sections=HOSTILE)
    (frame,) = run(record)
    assert {text["text"] for text in frame["texts"]} <= set(HOSTILE)
    assert len(frame["points"]) == len(HOSTILE)
    assert [item[2:] for item in frame["legend"]] == HOSTILE
    spot = at(frame["points"][0])
    assert run(record, step("map", "pointermove", **spot))[-1]["card"].startswith(HOSTILE[0])


# ---- the page in a browser where there is one


def test_a_browser_opens_the_page_offline(open_page, tmp_path):
    record = spread_map(2000, ranks=list(range(1, 2001)), counts=[1] * 2000)
    record.neighbours[0] = [("word5", 0.5), ("elsewhere", 0.25)]
    record.save(tmp_path / "map.html")
    for scheme in ("light", "dark"):
        opened = open_page(tmp_path / "map.html", scheme)
        page = opened.page
        page.wait_for_function("document.getElementById('room').textContent")
        page.fill("#search", "word0")
        page.press("#search", "Enter")
        assert page.inner_text("#card h2") == "word0"
        assert page.inner_text("#card button") == "word5"
        page.focus("#map")
        page.keyboard.press("ArrowRight")
        assert page.inner_text("#card h2") != "word0"
        assert page.screenshot()
        page.focus("#map")
        page.keyboard.press("Escape")
        box = page.locator("#map").bounding_box()
        spots = [(box["x"] + box["width"] / 2 + 3 * n, box["y"] + box["height"] / 2 + n)
                 for n in range(100)]  # fmt: skip
        for spot in spots:  # until a word is met
            page.mouse.move(*spot)
            if page.locator("#card h2").count():
                break
        word = page.inner_text("#card h2")
        page.mouse.click(*spot)
        page.mouse.move(0, 0)
        assert page.inner_text("#card h2") == word  # a click holds it
        opened.check()


def test_the_first_arrow_finds_a_word_wherever_the_words_lie(run):
    places = np.array([[-1.0, 1], [-1, 0.9], [1, -1]])  # nothing right of the middle, or above it
    record = WordMap(["a", "b", "c"], places, "pca", {"variance": [0.5, 0.5]}, [[]] * 3, 3)
    for key in ("ArrowRight", "ArrowDown", "ArrowLeft", "ArrowUp"):
        assert run(record, step("map", "keydown", key=key))[-1]["card"][0] in "abc"
