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
    found = AlignmentRecord([*blank, ["b"]], [[], [], ["B", "C"]], [*links, frozenset({(0, 1)})], "x")
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


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_in_a_browser(open_page: Any, tmp_path: Any, scheme: str) -> None:
    record().save(tmp_path / "a.html")
    opened = open_page(tmp_path / "a.html", scheme)
    page = opened.page
    assert page.inner_text("#told") == "2 links, 0 of them wrong, 1 sure ones not found"
    assert page.inner_text("#source").split() == ["<b>", "b"]
    cells = [[cell.inner_text() for cell in row.query_selector_all("td")]
             for row in page.query_selector_all("#grid tbody tr")]  # fmt: skip
    assert cells == [["■", ""], ["▣", "□"]]
    page.focus("#source span >> nth=0")
    assert page.locator("#target span.linked").all_inner_texts() == ["x", "y"]
    page.click("#after")
    assert page.inner_text("#told") == "1 links, 1 of them wrong, 1 sure ones not found"
    assert page.input_value("#pair") == "2"
    page.fill("#pair", "1")
    page.press("#pair", "Enter")
    assert page.inner_text("#target").split() == ["x", "y"]
    assert page.locator("details table tr").count() == 4
    opened.check()
