"""Alignments read from attention, by hand; and their record."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from seqloom.corpus.alignments import Gold
from seqloom.errors import SeqloomError
from seqloom.evaluation.alignment import alignment
from seqloom.inspection.alignment import (
    Way,
    best_by_agreement,
    best_by_gold,
    cross_fitted,
    links_by_way,
    means_only,
)
from seqloom.inspection.alignment_record import DIAGONAL, FOUND, AlignmentRecord
from seqloom.inspection.attention import AttentionRecord
from seqloom.inspection.attention_map import AttentionMap
from seqloom.inspector.align import _usual


def pair(weights: np.ndarray) -> AttentionRecord:
    """Source words a, bc and the end; target words xy, z and the end."""
    return AttentionRecord(
        {"source": ["a", "b", "c", "</s>"], "written": ["x", "y", "z", "</s>"]},
        [AttentionMap("decoder", "cross", "written", "source", weights)],
        {"source": [0, 1, 3], "written": [0, 2, 3]},
    )


def test_links_by_hand() -> None:
    """Head 0 looks at a for x y and at bc for z when they are written; head 1 one step later."""
    written = [[0.6, 0.2, 0.1, 0.1], [0.5, 0.1, 0.3, 0.1], [0.3, 0.3, 0.3, 0.1], [0, 0, 0, 1]]
    read = [[0, 0, 0, 1], [0.1, 0.4, 0.4, 0.1], [0, 0.6, 0.2, 0.2], [0.9, 0, 0, 0.1]]
    found = links_by_way(pair(np.float32([written, read])))
    assert found[Way(0, 0, False)] == {(0, 0), (1, 1)}
    assert found[Way(0, 1, True)] == {(1, 0), (0, 1)}
    assert set(found) == {Way(0, head, later) for head in (None, 0, 1) for later in (False, True)}
    mean = np.mean([written, read], axis=0)
    assert found[Way(0, None, False)] == {
        (int(mean[:2, 0].sum() < mean[:2, 1:3].sum()), 0),
        (int(mean[2, 0] < mean[2, 1:3].sum()), 1),
    }


def test_one_head_has_no_number() -> None:
    found = links_by_way(pair(np.full((1, 4, 4), 0.25, np.float32)))
    assert [way.head for way in found] == [None, None]
    assert found[Way(0, None, False)] == {(1, 0), (1, 1)}  # two pieces have twice the share


def test_tokens_in_front_are_no_words() -> None:
    record = pair(np.float32([np.eye(4)]))
    assert links_by_way(record, front=(1, 1))[Way(0, None, False)] == {(0, 0)}


ONE, TWO, HEAD = Way(0, None, False), Way(1, None, True), Way(0, 1, False)
A, B = frozenset({(0, 0), (1, 1)}), frozenset({(0, 1), (1, 0)})


def test_ways_that_agree_and_ways_that_are_right() -> None:
    forward = {ONE: [A, B], TWO: [B, B], HEAD: [A, A]}
    assert best_by_agreement(forward, {ONE: [A, A], TWO: [B, A]}) == (HEAD, ONE)
    gold = [Gold(A, A), Gold(B, B)]
    assert best_by_gold(forward, gold) == ONE
    assert means_only(forward) == [ONE, TWO]
    assert str(TWO) == "layer 1, mean of the heads, when read"
    assert str(HEAD) == "layer 0, head 1, when written"


def test_the_half_that_chooses_is_not_the_half_that_is_judged() -> None:
    gold = [Gold(A, A), Gold(B, B)] * 2
    links, ways = cross_fitted({ONE: [A] * 4, TWO: [B] * 4}, gold)
    assert ways == (TWO, ONE)  # the odd ones, which are B, choose for the even ones
    assert links == [B, A, B, A]


def test_sure_links_in_one_half_alone_choose_for_both() -> None:
    none = Gold(frozenset(), A)
    gold = [Gold(A, A), none, Gold(B, B), none]
    links, ways = cross_fitted({ONE: [A] * 4, TWO: [B] * 4}, gold)
    assert ways == (TWO, ONE)
    assert links == [B, B, A, A]
    with pytest.raises(ValueError, match="1 pairs with sure links; expected two"):
        cross_fitted({ONE: [A] * 2, TWO: [B] * 2}, gold[:2])


def record(judged: bool = True) -> AlignmentRecord:
    gold = [Gold(A, A | {(0, 1)}), Gold(frozenset({(0, 0)}), frozenset({(0, 0)}))] * judged
    links = [frozenset({(0, 0), (0, 1)}), frozenset({(1, 0)})]
    figures = {}
    if judged:
        figures = {
            FOUND: alignment(links, gold), DIAGONAL: alignment([A, A], gold),
            str(ONE): alignment([A, B], gold),
        }  # fmt: skip
    return AlignmentRecord(
        [["<b>", "b"], ["c", "d"]], [["x", "y"], ["z"]], links, "x", gold, figures
    )


@pytest.mark.parametrize("judged", [True, False])
def test_record_round_trip(tmp_path: Any, judged: bool) -> None:
    before = record(judged)
    before.save(tmp_path / "a.json")
    after = AlignmentRecord.load(tmp_path / "a.json")
    assert after.as_dict() == before.as_dict()
    assert (after.links, after.gold, after.figures) == (before.links, before.gold, before.figures)
    assert after.lines() == ["0-0 0-1", "1-0"]
    before.save(tmp_path / "a.png")
    before.save(tmp_path / "a.svg")
    assert (tmp_path / "a.png").stat().st_size > 5000


def test_the_picture_shows_the_first_pair_with_words() -> None:
    blank: list[list[str]] = [[], ["a"]]
    links: list[frozenset[tuple[int, int]]] = [frozenset(), frozenset()]
    found = AlignmentRecord(
        [*blank, ["b"]], [[], [], ["B", "C"]], [*links, frozenset({(0, 1)})], "x"
    )
    assert "pair 3: x" in found.picture(".svg").decode()
    with pytest.raises(SeqloomError, match="no pair has words on both sides"):
        AlignmentRecord(blank, [[], []], links, "x").picture(".png")


def test_figures_for_people() -> None:
    found = record()
    lines = found.text().splitlines()
    assert [line[:52].strip() for line in lines[1:]] == [FOUND, DIAGONAL, str(ONE)]
    assert f"{found.figures[FOUND].aer:6.2f}" in lines[1]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"links": ["0-0"]}, "a damaged alignment record: links of 1 pairs of 2 and 2"),
        ({"sure": ["0-0"], "possible": ["0-0"]}, "gold of 1 pairs; expected 2"),
        ({"figures": {"x": {}}}, "a damaged alignment record"),
        ({"links": ["a", "b"]}, "'a' is no link"),
    ],
)
def test_damaged_records(change: dict[str, Any], message: str) -> None:
    with pytest.raises(SeqloomError, match=message):
        AlignmentRecord.from_dict({**record().as_dict(), **change})


BLUE, RED = "58,123,213,255", "208,69,76,255"

COLOURS = """([x, y, width, height]) => {
  const pen = new OffscreenCanvas(width, height).getContext("2d", { willReadFrequently: true });
  pen.drawImage(document.getElementById("map"), -x, -y);
  const { data } = pen.getImageData(0, 0, width, height);
  const found = new Set();
  for (let i = 0; i < data.length; i += 4) if (data[i + 3]) found.add(data.slice(i, i + 4).join());
  return [...found];
}"""
"""What is drawn in an area of the grid."""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_in_a_browser(open_page: Any, tmp_path: Any, scheme: str) -> None:
    record().save(tmp_path / "a.html")
    opened = open_page(tmp_path / "a.html", scheme)
    page = opened.page
    assert page.inner_text("#told") == "2 links, 0 of them wrong, 1 sure ones not found"
    assert page.inner_text("#source").split() == ["<b>", "b"]
    page.focus("#frame")
    said = []
    for key in ("ArrowRight", "ArrowDown", "End", "ArrowUp"):
        page.keyboard.press(key)
        said.append(page.inner_text("#card"))
    assert said == [
        "<b> – x: found and sure", "<b> – y: found and possible", "b – y: sure and not found",
        "b – x: not linked",
    ]  # fmt: skip
    assert page.locator("span.chosen").all_inner_texts() == ["b", "x"]
    page.keyboard.press("Escape")
    assert page.inner_text("#card").startswith("Point at a cell")
    assert {BLUE, RED} <= set(page.evaluate(COLOURS, [0, 0, 200, 200]))
    page.focus("#source span >> nth=0")
    assert page.locator("#target span.linked").all_inner_texts() == ["x", "y"]
    page.keyboard.press("ArrowRight")
    assert page.inner_text("#card") == "b: not linked"
    page.click("#after")
    assert page.inner_text("#told") == "1 links, 1 of them wrong, 1 sure ones not found"
    assert page.input_value("#pair") == "2"
    page.fill("#pair", "1")
    page.press("#pair", "Enter")
    assert page.inner_text("#target").split() == ["x", "y"]
    assert page.locator("details table tr").count() == 4
    opened.check()


def test_pointing_at_words_and_cells(open_page: Any, tmp_path: Any) -> None:
    record().save(tmp_path / "a.html")
    opened = open_page(tmp_path / "a.html")
    page = opened.page
    page.hover("#target span >> nth=1")
    assert page.locator("#source span.linked").all_inner_texts() == ["<b>"]
    assert page.inner_text("#card") == "y: linked with <b>"
    page.mouse.move(0, 0)
    assert page.locator("span.chosen, span.linked").count() == 0
    box = page.locator("#frame").bounding_box()
    said = {}
    for x in range(10, 120, 20):
        for y in range(10, 120, 20):
            page.mouse.move(box["x"] + x, box["y"] + y)
            said[page.inner_text("#card")] = x, y
    found = [each for each in said if "–" in each]
    assert sorted(found) == [
        "<b> – x: found and sure", "<b> – y: found and possible", "b – x: not linked",
        "b – y: sure and not found",
    ]  # fmt: skip
    x, y = said[found[0]]
    page.mouse.click(box["x"] + x, box["y"] + y)
    page.mouse.move(0, 0)
    assert page.inner_text("#card") == found[0]
    opened.check()


def test_a_long_pair_is_drawn_where_it_is_seen(open_page: Any, tmp_path: Any) -> None:
    source, target = ([f"{side}{n}" for n in range(500)] for side in "st")
    links = frozenset((n, n) for n in range(500))
    AlignmentRecord([source, []], [target, []], [links, frozenset()], "x").save(tmp_path / "a.html")
    opened = open_page(tmp_path / "a.html")
    page = opened.page
    assert page.locator("#source span, #target span").count() == 1000
    assert page.locator(":not(#source span, #target span)").count() < 60
    size = page.evaluate("[frame.scrollWidth, frame.scrollHeight, map.width, map.height]")
    assert min(size[:2]) > 500 * 10  # cells that have words beside them
    assert max(size[2:]) < 2000
    page.focus("#frame")
    page.keyboard.press("End")
    assert page.inner_text("#card") == "s499 – t0: not linked"
    page.evaluate("frame.scrollTop = frame.scrollHeight")
    page.wait_for_timeout(100)
    assert page.evaluate(COLOURS, [0, 100, 30, 200])  # words of rows
    assert page.evaluate(COLOURS, [200, 0, 200, 30])  # words of columns
    assert BLUE in page.evaluate(COLOURS, [size[2] - 100, size[3] - 100, 100, 100])
    page.click("#after")
    assert page.inner_text("#told") == "0 links"
    page.focus("#frame")
    page.keyboard.press("ArrowDown")
    opened.check()


def test_without_gold_the_last_layer_but_one_is_read_when_a_word_is_written() -> None:
    def usual(layers: int, *when: bool) -> Way:
        return _usual({Way(layer, None, later): [] for layer in range(layers) for later in when})

    assert usual(4, True, False) == Way(2, None, False)
    assert usual(1, True, False) == Way(0, None, False)
    assert usual(4, True) == Way(2, None, True)  # --when-read
