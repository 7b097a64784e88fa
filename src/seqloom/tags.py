"""Inline tags of a source find their places in its translation, by where the model looked.

Each piece of a translation is linked to the piece of the source that its attention is largest on.
A pair of tags goes around what is linked to the text between them, a tag alone goes beside what is
linked to its neighbour. Tags at the very beginning and end stay there, pairs stay nested, and no
tag is ever lost: what the links do not tell is placed by proportion.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain

from seqloom.corpus.formats.markup import Marked, Tag

_WORD = re.compile(r"\w+")


@dataclass(frozen=True)
class Link:
    """A stretch of a translation and the stretch of the source that it was written from."""

    target: tuple[int, int]
    """First character, and the one behind the last."""
    source: tuple[int, int]


@dataclass
class _Node:
    """A pair of tags with all that is between them, or a tag alone."""

    tags: tuple[Tag, ...]
    children: list[_Node] = field(default_factory=list)


def place_tags(source: Marked, text: str, links: Sequence[Link]) -> Marked:
    """The translation ``text`` with the tags of its source.

    Args:
        source: the source text and its tags.
        text: its translation, without tags.
        links: which stretches belong together, in the order of the translation; may be empty.
    """
    return Marked(text, tuple(_placed(_tree(source.tags), source.text, text, links, 0, len(text))))


def _tree(tags: Sequence[Tag]) -> list[_Node]:
    """Tags by their nesting; what is not nested properly is a tag alone."""
    closings = {tag.pair: index for index, tag in enumerate(tags) if tag.kind == "close"}
    nodes: list[_Node] = []
    index = 0
    while index < len(tags):
        tag = tags[index]
        end = closings.get(tag.pair) if tag.kind == "open" and tag.pair is not None else None
        if end is not None and _closed(tags[index + 1 : end]):
            nodes.append(_Node((tag, tags[end]), _tree(tags[index + 1 : end])))
            index = end
        else:
            nodes.append(_Node((tag,)))
        index += 1
    return nodes


def _closed(tags: Sequence[Tag]) -> bool:
    """Whether each pair that has a tag among ``tags`` has both there."""
    opened = {tag.pair for tag in tags if tag.kind == "open" and tag.pair is not None}
    return opened == {tag.pair for tag in tags if tag.kind == "close" and tag.pair is not None}


def _placed(
    nodes: Sequence[_Node], source: str, text: str, links: Sequence[Link], low: int, high: int
) -> Iterator[Tag]:
    """The tags in their places between ``low`` and ``high``, in the order of the translation."""
    spans = []
    for index, node in enumerate(nodes):
        begin, end = node.tags[0].position, node.tags[-1].position
        if len(node.tags) == 2:
            spans.append((*_around(source, text, links, begin, end), index))
        else:
            place = _beside(source, text, links, begin)
            spans.append((place, place, index))
    for begin, end, index in sorted(spans):
        # Side by side as in the source: one begins at the earliest where the one before ends.
        begin = min(max(begin, low), high)
        low = min(max(end, begin), high)
        node = nodes[index]
        yield replace(node.tags[0], position=begin)
        yield from _placed(node.children, source, text, links, begin, low)
        if len(node.tags) == 2:
            yield replace(node.tags[1], position=low)


def _around(source: str, text: str, links: Sequence[Link], begin: int, end: int) -> tuple[int, int]:
    """Where the translation of ``source[begin:end]`` begins and ends."""
    if not source[:begin].strip() and not source[end:].strip():
        return _edge(source, text, begin, left=True), _edge(source, text, end, left=False)
    inside = [link for link in links if begin < link.source[1] and link.source[0] < end]
    if begin == end:
        return (_beside(source, text, links, begin),) * 2
    if not inside:
        return _whole_words(text, _scaled(source, text, begin), _scaled(source, text, end))
    runs = _runs(links, inside)
    longest = max(runs, key=lambda run: run[1] - run[0])
    return _whole_words(text, *longest)


def _runs(links: Sequence[Link], inside: Sequence[Link]) -> list[tuple[int, int]]:
    """Stretches of the translation whose links are all ``inside``, one after another."""
    chosen = set(inside)
    runs: list[tuple[int, int]] = []
    before = False
    for link in links:
        if link in chosen:
            start = runs.pop()[0] if before else link.target[0]
            runs.append((start, link.target[1]))
        before = link in chosen
    return runs


def _whole_words(text: str, begin: int, end: int) -> tuple[int, int]:
    """The stretch without white space at its ends, and with the words it cuts into."""
    while begin < end and text[begin].isspace():
        begin += 1
    while begin < end and text[end - 1].isspace():
        end -= 1
    for word in _WORD.finditer(text):
        if word.start() < begin < word.end():
            begin = word.start()
        if word.start() < end < word.end():
            end = word.end()
    return begin, end


def _beside(source: str, text: str, links: Sequence[Link], position: int) -> int:
    """Where a tag alone goes: before what follows it in the source, or behind what precedes it."""
    if not source[:position].strip():
        return _edge(source, text, position, left=True)
    if not source[position:].strip():
        return _edge(source, text, position, left=False)
    before = len(source[:position].rstrip())
    after = len(source) - len(source[position:].lstrip())
    leads = (link.target[0] for link in links if link.source[0] <= after < link.source[1])
    follows = (link.target[1] for link in links[::-1] if link.source[0] < before <= link.source[1])
    # A tag at the end of a word stays at the end of its translation.
    both = chain(follows, leads) if before == position < after else chain(leads, follows)
    place = next(both, None)
    return _scaled(source, text, position) if place is None else _word_edge(text, place)


def _edge(source: str, text: str, position: int, *, left: bool) -> int:
    """The beginning or the end, inside or outside of the white space there as in the source."""
    if left:
        return 0 if position == 0 else len(text) - len(text.lstrip())
    return len(text) if position == len(source) else len(text.rstrip())


def _scaled(source: str, text: str, position: int) -> int:
    return _word_edge(text, round(position / max(len(source), 1) * len(text)))


def _word_edge(text: str, position: int) -> int:
    """The nearer end of the word that ``position`` is in."""
    for word in _WORD.finditer(text):
        if word.start() < position < word.end():
            middle = (word.start() + word.end()) / 2
            return word.start() if position <= middle else word.end()
    return position
