"""Inline tags in translations: around what they were around, nested, and never lost."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqloom.corpus.formats.markup import Marked, inner_xml, marked
from seqloom.tags import Link, place_tags


def links_of(source: str, target: str, order: list[int]) -> list[Link]:
    """Word n of the target belongs to word ``order[n]`` of the source."""
    words = [[m.span() for m in re.finditer(r"\S+", text)] for text in (source, target)]
    return [Link(span, words[0][n]) for span, n in zip(words[1], order, strict=True)]


@pytest.mark.parametrize(
    ("source", "target", "order", "expected"),
    [
        ("a <b>big</b> dog", "ein großer Hund", [0, 1, 2], "ein <b>großer</b> Hund"),
        ("a <b>big</b> dog", "un perro grande", [0, 2, 1], "un perro <b>grande</b>"),
        ("<b>a big dog</b>", "un perro grande", [0, 2, 1], "<b>un perro grande</b>"),
        ("<b>a</b> <i>big</i> dog", "große ein Tiere", [1, 0, 2], "<i>große</i> <b>ein</b> Tiere"),
        ("a <b>big <i>red</i></b> dog", "ein roter großer Hund", [0, 2, 1, 3],
         "ein <b><i>roter</i> großer</b> Hund"),
        ("press <x id='1'/> now", "jetzt drücken", [1, 0], "<x id='1'/>jetzt drücken"),
        ("<x id='1'/>press now", "jetzt drücken", [1, 0], "<x id='1'/>jetzt drücken"),
        ("press now<x id='1'/>", "jetzt drücken", [1, 0], "jetzt drücken<x id='1'/>"),
        ("the <b>dogs</b> run", "собаки бегут", [1, 2], "<b>собаки</b> бегут"),
        ("one<b></b> two", "eins zwei", [0, 1], "eins<b></b> zwei"),
    ],
)  # fmt: skip
def test_by_hand(source: str, target: str, order: list[int], expected: str) -> None:
    given = marked(source)
    assert inner_xml(place_tags(given, target, links_of(given.text, target, order))) == expected


def test_without_links_by_proportion() -> None:
    given = marked("one two <b>three four</b> five six")
    placed = inner_xml(place_tags(given, "eins zwei drei vier fünf sechs", []))
    assert placed == "eins zwei <b>drei vier</b> fünf sechs"


def test_a_word_is_not_cut() -> None:
    given = marked("the <b>water</b> bottle")
    links = [Link((0, 3), (0, 3)), Link((4, 10), (4, 9)), Link((10, 17), (10, 16))]
    assert inner_xml(place_tags(given, "die Wasserflasche", links)) == "die <b>Wasserflasche</b>"


def test_native_codes_find_their_partners() -> None:
    given = marked("a <bpt i='1'>{b</bpt>big<ept i='1'>b}</ept> dog")
    placed = place_tags(
        given, "un perro grande", links_of(given.text, "un perro grande", [0, 2, 1])
    )
    assert inner_xml(placed) == "un perro <bpt i='1'>{b</bpt>grande<ept i='1'>b}</ept>"


@st.composite
def tagged(draw: st.DrawFn, depth: int = 3) -> str:
    """XML of words, tags alone and nested pairs."""
    parts = st.sampled_from(["one ", "two, ", " three", "四", "", "<x/>", " "])
    if depth:
        parts |= tagged(depth=depth - 1).map(lambda inner: f"<g>{inner}</g>")
    return "".join(draw(st.lists(parts, max_size=5)))


SPAN = st.tuples(st.integers(0, 30), st.integers(0, 30)).map(lambda pair: tuple(sorted(pair)))


@given(
    source=tagged(), target=st.text("ab c,四", max_size=30), spans=st.lists(st.tuples(SPAN, SPAN))
)
def test_no_tag_is_lost_and_all_are_nested(source, target, spans) -> None:
    """Whatever the links say: the same tags, the same text, and well-formed XML."""
    given = marked(source)
    ends = sorted(min(end, len(target)) for (_, end), _ in spans)
    starts = [0, *ends]
    links = [
        Link((begin, end), source_span)
        for begin, end, (_, source_span) in zip(starts, ends, spans, strict=False)
    ]
    placed = place_tags(given, target, links)
    assert placed.text == target
    assert sorted(tag.xml for tag in placed.tags) == sorted(tag.xml for tag in given.tags)
    assert [tag.position for tag in placed.tags] == sorted(tag.position for tag in placed.tags)
    again = marked(inner_xml(placed))
    assert again.text == target
    depth = 0
    for tag in again.tags:
        depth += {"open": 1, "close": -1, "alone": 0}[tag.kind]
        assert depth >= 0
    assert depth == 0


def test_text_without_tags_stays_as_it_is() -> None:
    assert place_tags(Marked("a"), "b", []) == Marked("b")
