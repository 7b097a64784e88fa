"""Examples for masked language models: runs of sentences, in pairs for next-sentence prediction.

As in appendix A.2 of Devlin et al. (2019): a run of sentences that fills the context is parted in
two at random; in half of the cases the second part stays, in the others sentences of another
document take its place, and what was replaced is used again in the next example. One in ten
examples is shorter, by chance. Unlike theirs, nothing is thrown away: where whole sentences would
leave more than a twentieth of an example empty, the last one is cut and goes on in the next.

Axes: E examples of a window.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from seqloom.corpus.document_store import DocumentStore
from seqloom.training.batches import windows
from seqloom.training.sampling import BLOCK

_SHORT = 0.1  # share of examples that are shorter than they could be
_LEAST = 0.95  # an example less full than this gets a part of the next sentence
_STRETCH = 64  # examples that follow each other before the text goes on elsewhere


class Span(NamedTuple):
    """Tokens ``start`` up to ``stop`` of the document in a row of the store."""

    row: int
    start: int
    stop: int

    @property
    def size(self) -> int:
        """Number of tokens."""
        return self.stop - self.start


class Example(NamedTuple):
    """One text, or two of which the second may follow the first."""

    first: Span
    second: Span | None
    follows: bool

    @property
    def size(self) -> int:
        """Positions: begin, first, end, and second and end, if there is one."""
        return self.first.size + 2 + (self.second.size + 1 if self.second else 0)


@dataclass(frozen=True)
class ExampleMaker:
    """Cuts documents into examples.

    Args:
        store: the documents; two at least, for pairs.
        context: positions of an example, at most.
        pairs: two texts an example.
        rng: decides lengths, where runs are parted, and what follows.
    """

    store: DocumentStore
    context: int
    pairs: bool
    rng: np.random.Generator

    def examples(self, shuffled: bool) -> Iterator[Example]:
        """The examples of all documents; ``shuffled``: of these in an order by chance.

        Long documents come in stretches then, among those of others: a model that reads one book
        after the other forgets the first ones.
        """
        ends_of = lru_cache(maxsize=256)(lambda row: np.cumsum(self.store.sentences(row)))
        blocks = np.arange(0, len(self.store), BLOCK)
        stops = np.array([len(self.store)])
        for rows in windows(blocks, stops, self.rng if shuffled else None):
            if not shuffled:
                stretches = [(row, 0, 1) for row in rows.tolist()]
            else:
                stretches = self._stretches(rows)
            for stretch in stretches:
                yield from self._of(*stretch, ends_of)

    def _stretches(self, rows: NDArray[np.int64]) -> list[tuple[int, int, int]]:
        """Parts of documents in any order: row, number of the part, number of parts."""
        parts = np.maximum(1, self.store.sizes(rows) // (_STRETCH * self.context))
        every = [
            (row, part, several)
            for row, several in zip(rows.tolist(), parts.tolist(), strict=True)
            for part in range(several)
        ]
        return [every[index] for index in self.rng.permutation(len(every))]

    def _of(
        self, row: int, part: int, parts: int, ends_of: Callable[[int], NDArray[np.int64]]
    ) -> Iterator[Example]:
        """The examples of a part of a document, whose sentences end at ``ends_of(row)``."""
        ends = ends_of(row)
        most = self.context - (3 if self.pairs else 2)
        position, last = (_edge(ends, number, parts) for number in (part, part + 1))
        # A long document begins with a run of any length, so that each epoch cuts it elsewhere.
        short = last - position > most
        while position < last:
            room = int(self.rng.integers(2, most + 1)) if short else most
            stop = min(_stop(ends, position, room), last)
            if self.pairs:
                example = self._pair(Span(row, position, stop), room, ends, ends_of)
            else:
                example = Example(Span(row, position, stop), None, True)
            yield example
            follows = example.second is not None and example.follows
            position = stop if follows or not self.pairs else example.first.stop
            short = bool(self.rng.random() < _SHORT)

    def _pair(
        self,
        run: Span,
        room: int,
        ends: NDArray[np.int64],
        ends_of: Callable[[int], NDArray[np.int64]],
    ) -> Example:
        """A run of sentences parted in two, the second perhaps replaced."""
        low, high = np.searchsorted(ends, (run.start, run.stop - 1), side="right")
        if low < high:  # ends between sentences of the run
            parted = int(ends[self.rng.integers(low, high)])
        else:
            parted = run.start + (run.size + 1) // 2
        first = run._replace(stop=parted)
        if parted < run.stop and self.rng.random() < 0.5:
            return Example(first, run._replace(start=parted), True)
        other = int(self.rng.integers(len(self.store) - 1))
        other += other >= run.row
        ends = ends_of(other)
        sentence = int(self.rng.integers(len(ends)))
        start = int(ends[sentence - 1]) if sentence else 0
        return Example(first, Span(other, start, _stop(ends, start, room - first.size)), False)


def _edge(ends: NDArray[np.int64], number: int, parts: int) -> int:
    """Where part ``number`` of a document begins, at the end of a sentence."""
    if number == 0:
        return 0
    return int(ends[np.searchsorted(ends, number * int(ends[-1]) // parts)])


def _stop(ends: NDArray[np.int64], start: int, room: int) -> int:
    """Where a run of sentences from ``start`` on ends that may have ``room`` tokens."""
    number = int(np.searchsorted(ends, start + room, side="right"))
    stop = int(ends[number - 1]) if number else 0
    if number < len(ends) and stop - start < _LEAST * room:
        return start + room
    return stop


def best_fit(sizes: NDArray[np.int64], room: int) -> list[list[int]]:
    """Numbers of the things of each bin: the largest first, each where it leaves least room.

    Args:
        sizes: of things, at most ``room`` each [E].
        room: of a bin.
    """
    bins: list[list[int]] = []
    with_room: list[list[int]] = [[] for _ in range(room + 1)]
    rooms = 0  # bit r: there is a bin with room r
    for thing in np.argsort(-sizes, kind="stable").tolist():
        size = int(sizes[thing])
        fitting = rooms >> size
        if fitting:
            left = size + (fitting & -fitting).bit_length() - 1
            number = with_room[left].pop()
            if not with_room[left]:
                rooms &= ~(1 << left)
        else:
            left, number = room, len(bins)
            bins.append([])
        bins[number].append(thing)
        with_room[left - size].append(number)
        rooms |= 1 << (left - size)
    return bins
