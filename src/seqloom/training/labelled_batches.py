"""Batches of examples, several packed into a row, in an order that a seed decides.

The order of an epoch is a function of (seed, epoch) alone, so a run resumes by skipping. A batch is
a fixed number of examples. They are put into rows longest first, each into the first row that has
room: padded rows of one example each would be half empty.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

import numpy as np
import torch
from torch import Tensor

from seqloom.text.examples import UNKNOWN, Examples

_WIDTH = 128
"""Width of rows, unless an example is longer: attention costs its square."""


@dataclass(frozen=True)
class LabelledBatch:
    """E examples in B rows of T positions, with labels of n tokens.

    Places count through all rows: row * T + column.
    """

    ids: Tensor
    """[B T], padded."""
    documents: Tensor
    """Which example of its row, from 1, a token belongs to [B T]; 0 is padding."""
    segments: Tensor
    """Which of two texts a token belongs to [B T]."""
    starts: Tensor
    """Places of the first tokens of the examples [E]."""
    places: Tensor
    """Places of the tokens that have labels [n]."""
    labels: Tensor
    """Their labels [n]."""
    rows: tuple[int, ...]
    """Which examples these are, in the order of ``starts``."""
    tokens: int
    """Labels that are known."""

    def to(self, device: torch.device) -> LabelledBatch:
        """The same batch on a device."""
        names = ("ids", "documents", "segments", "starts", "places", "labels")
        moved = (getattr(self, name).to(device, non_blocking=True) for name in names)
        return LabelledBatch(*moved, rows=self.rows, tokens=self.tokens)  # type: ignore[misc]


@dataclass(frozen=True)
class LabelledFeed:
    """The batches of each epoch of a run; see :func:`labelled_batches`."""

    examples: Examples
    size: int
    seed: int

    def __call__(self, epoch: int, skip: int) -> Iterator[LabelledBatch]:
        """See :class:`seqloom.training.tasks.Feed`."""
        return labelled_batches(self.examples, self.size, seed=self.seed, epoch=epoch, skip=skip)


def labelled_batches(
    examples: Examples,
    size: int,
    *,
    seed: int = 0,
    epoch: int | None = None,
    skip: int = 0,
) -> Iterator[LabelledBatch]:
    """The batches of one epoch, from number ``skip`` on.

    Args:
        examples: in memory; neighbours that belong together stay together.
        size: examples of a batch, or pairs where they come in pairs.
        seed: decides the order, with the epoch.
        epoch: number of the epoch, or None for the order of lengths without chance (validation).
        skip: batches already seen.
    """
    for rows in islice(plan(examples, size, seed=seed, epoch=epoch), skip, None):
        yield collate(examples, rows.tolist())


def plan(
    examples: Examples, size: int, *, seed: int = 0, epoch: int | None = None
) -> Iterator[np.ndarray]:
    """Examples of each batch of one epoch; see :func:`labelled_batches`."""
    group = examples.group
    number = len(examples.items) // group
    if epoch is None:
        lengths = [len(example.ids) for example in examples.items[:: examples.group]]
        order = np.argsort(lengths, kind="stable")
    else:
        order = np.random.default_rng((seed, epoch)).permutation(number)
    for start in range(0, number, size):
        yield (group * order[start : start + size, None] + np.arange(group)).ravel()


def collate(examples: Examples, rows: Sequence[int]) -> LabelledBatch:
    """Pack the examples of numbers ``rows``."""
    chosen = [examples.items[row] for row in rows]
    lengths = [len(example.ids) for example in chosen]
    packed = pack(lengths, max(_WIDTH, *lengths))
    height = max(row for row, _ in packed) + 1
    width = max(column + length for (_, column), length in zip(packed, lengths, strict=True))
    ids = np.full((height, width), examples.pad, np.int64)
    documents, segments = (np.zeros_like(ids) for _ in range(2))
    seen = [0] * height
    # Along a row, so that the numbers of its documents rise.
    for which in sorted(range(len(chosen)), key=packed.__getitem__):
        row, column = packed[which]
        seen[row] += 1
        part = slice(column, column + lengths[which])
        ids[row, part] = chosen[which].ids
        documents[row, part] = seen[row]
        segments[row, part] = chosen[which].segments
    starts = np.array([row * width + column for row, column in packed], np.int64)
    places = [start + np.array(each.places) for start, each in zip(starts, chosen, strict=True)]
    labels = np.concatenate([np.array(example.labels, np.int64) for example in chosen])
    return LabelledBatch(
        torch.from_numpy(ids),
        torch.from_numpy(documents),
        torch.from_numpy(segments),
        torch.from_numpy(starts),
        torch.from_numpy(np.concatenate(places)),
        torch.from_numpy(labels),
        tuple(rows),
        int((labels != UNKNOWN).sum()),
    )


def pack(lengths: Sequence[int], width: int) -> list[tuple[int, int]]:
    """Row and column of each of some lengths in rows of ``width``: first fit, longest first."""
    filled = list[int]()
    places = [(0, 0)] * len(lengths)
    for which in sorted(range(len(lengths)), key=lambda each: -lengths[each]):
        length = lengths[which]
        row = next((r for r, used in enumerate(filled) if used + length <= width), len(filled))
        if row == len(filled):
            filled.append(0)
        places[which] = row, filled[row]
        filled[row] += length
    return places
