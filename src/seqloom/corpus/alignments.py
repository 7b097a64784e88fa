"""Word alignments: which words of a sentence and its translation stand for each other.

Pharaoh format, a line a pair: ``0-0 1-2 2?1`` links source word 0 with target word 0 and so on. In
gold made by people ``i-j`` is sure and ``i?j`` (or ``ipj``) possible (Och and Ney 2003). Some sets
count words from 0, others from 1.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from seqloom.corpus.files import check_readable
from seqloom.corpus.lines import read_lines
from seqloom.corpus.report import shorten
from seqloom.errors import CorpusError

_LINK = re.compile(r"(\d+)([-?p])(\d+)")

Link = tuple[int, int]
"""A source word and a target word, counted from 0."""


class Gold(NamedTuple):
    """The right alignment of one pair."""

    sure: frozenset[Link]
    possible: frozenset[Link]
    """The sure ones among them."""


@dataclass(frozen=True)
class AlignedPairs:
    """Pairs of sentences, their words parted by spaces, with their right alignments."""

    sources: list[list[str]]
    """The words of each source."""
    targets: list[list[str]]
    gold: list[Gold]
    """Of each pair; empty where none was given."""
    outside: list[str]
    """Links to words that do not exist, with their places; they are left out of ``gold``."""
    name: str
    """What messages call the pairs."""
    counted_from_1: bool = False
    """Whether words of ``gold`` were counted from 0, and (nearly) every link would name words that
    exist if they were counted from 1."""

    def __len__(self) -> int:
        return len(self.sources)

    @property
    def judged(self) -> bool:
        """Whether there is gold."""
        return bool(self.gold)

    @property
    def given(self) -> int:
        """Links of the gold, those to words that do not exist included."""
        return sum(len(each.possible) for each in self.gold) + len(self.outside)


def parse_links(line: str, first: int, place: str) -> Gold:
    """The links of one line whose words are counted from ``first``.

    Raises:
        CorpusError: something that is no link, or a word before the first.
    """
    sure, possible = set[Link](), set[Link]()
    for item in line.split():
        found = _LINK.fullmatch(item)
        if found is None:
            raise CorpusError(
                f"{place}: {shorten(item)!r} is no link; expected words of both sides such as 0-1, "
                "or 0?1 for a link that is only possible."
            )
        link = int(found[1]) - first, int(found[3]) - first
        if min(link) < 0:
            raise CorpusError(
                f"{place}: {item!r} names word 0, and words are counted from {first}; where the "
                "file counts them from 0, say --first-index 0."
            )
        possible.add(link)
        if found[2] == "-":
            sure.add(link)
    return Gold(frozenset(sure), frozenset(possible))


def format_links(links: Iterable[Link]) -> str:
    """Links as a line of Pharaoh format, counted from 0."""
    return " ".join(f"{source}-{target}" for source, target in sorted(links))


def read_aligned(
    sources: str | Path, targets: str | Path, gold: str | Path | None = None, *, first: int = 0
) -> AlignedPairs:
    """Read pairs of tokenised sentences, and their right alignments if there are any.

    Args:
        sources: a sentence a line, words parted by spaces.
        targets: likewise.
        gold: their links, a line a pair.
        first: the number of a sentence's first word in ``gold``, 0 or 1.

    Raises:
        CorpusError: a file cannot be read, the files are of different length, or a line is not what
            it should be.
    """
    paths = [Path(path) for path in (sources, targets, gold) if path is not None]
    for path in paths:
        check_readable(path)
    lines = [list(read_lines(path)) for path in paths]
    if len({len(each) for each in lines}) > 1:
        counts = ", ".join(
            f"{path}: {len(each):,}" for path, each in zip(paths, lines, strict=True)
        )
        raise CorpusError(f"expected as many lines in each file, found {counts}.")
    words = [[line.split() for line in side] for side in lines[:2]]
    found, outside = list[Gold](), list[str]()
    links = beyond_from_1 = 0
    for number, line in enumerate(lines[2] if gold is not None else [], start=1):
        lengths = len(words[0][number - 1]), len(words[1][number - 1])
        place = f"{gold}, line {number}"
        given = parse_links(line, first, place)
        right, beyond = _within(given, lengths)
        links += len(given.possible)
        beyond_from_1 += sum(not (0 < i <= lengths[0] and 0 < j <= lengths[1]) for i, j in given[1])
        found.append(right)
        outside += [
            f"{place}: {i + first}-{j + first}, in {lengths[0]} and {lengths[1]} words"
            for i, j in beyond
        ]
    return AlignedPairs(
        words[0], words[1], found, outside, str(paths[-1]),
        counted_from_1=first == 0 and beyond_from_1 < min(len(outside), 0.02 * links),
    )  # fmt: skip


def _within(links: Gold, lengths: tuple[int, int]) -> tuple[Gold, list[Link]]:
    """The links to words that exist, and the others."""
    beyond = {link for link in links.possible if link[0] >= lengths[0] or link[1] >= lengths[1]}
    return Gold(links.sure - beyond, links.possible - beyond), sorted(beyond)


def tell_outside(pairs: AlignedPairs) -> str | None:
    """What is to be said of links to words that do not exist; None if there are none."""
    if not pairs.outside:
        return None
    advice = ""
    if pairs.counted_from_1:
        advice = "; the file seems to count words from 1: say --first-index 1"
    return (
        f"{pairs.name}: {len(pairs.outside):,} of {pairs.given:,} links name words that do not "
        f"exist and are left out, the first in {pairs.outside[0].removeprefix(f'{pairs.name}, ')}"
        f"{advice}"
    )


def diagonal(source: int, target: int) -> frozenset[Link]:
    """The baseline: each target word with the source word at the same share of the sentence.

    Args:
        source: number of source words.
        target: number of target words.
    """
    if not source:
        return frozenset()
    return frozenset(
        (min(source - 1, (2 * j + 1) * source // (2 * target)), j) for j in range(target)
    )


def transposed(links: Iterable[Link]) -> frozenset[Link]:
    """Links of the other direction."""
    return frozenset((j, i) for i, j in links)
