"""Documents packed into full rows for causal language models, in an order that a seed decides.

The documents of an epoch stand end to end as one stream of positions, which is cut into rows of
exactly ``context``: nothing is padded but the end of the last row. A document takes a position for
its begin and for each of its tokens; the target of a position is the token that follows in the
same document, and of the last one the end. So every token and every end is predicted once an epoch,
also where a row cuts a document: its parts are documents of their own to the model.

The order is a function of (seed, epoch) alone, and a run resumes by skipping. Memory does not grow
with the corpus: documents are shuffled block by block, then inside a window of many blocks; so are
the rows, since neighbouring rows of a long document are much alike.

Axes: B rows of a batch, T positions of a row (the context).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from seqloom.corpus.document_store import DocumentStore
from seqloom.symbols import Symbols
from seqloom.training.batches import windows
from seqloom.training.sampling import BLOCK

Numbers = NDArray[np.int64]


@dataclass(frozen=True)
class PackedBatch:
    """Tensors of B rows of T positions."""

    inputs: Tensor
    """What the model reads: begin and ids of documents, one after the other [B T]."""
    targets: Tensor
    """What it should say: the token that follows in the same document, or its end [B T]."""
    documents: Tensor
    """Which document of the row a position belongs to, from 1; 0 is padding [B T]."""
    real: Tensor
    """Positions that count in the loss: all but padding, or what is said; see packed_rows [B T]."""
    rows: tuple[int, ...]
    """Rows of the store whose documents are here, for messages."""

    @property
    def tokens(self) -> int:
        """Positions that count in the loss."""
        return int(self.real.sum())

    def to(self, device: torch.device) -> PackedBatch:
        """The same batch on a device."""
        return PackedBatch(
            self.inputs.to(device, non_blocking=True),
            self.targets.to(device, non_blocking=True),
            self.documents.to(device, non_blocking=True),
            self.real.to(device, non_blocking=True),
            self.rows,
        )


@dataclass(frozen=True)
class Stream:
    """Positions of documents end to end: document ``rows[i]`` from ``starts[i]`` for ``sizes[i]``.

    Position 0 of a document is its begin, position n its n-th token.
    """

    rows: Numbers
    starts: Numbers
    sizes: Numbers

    @property
    def positions(self) -> int:
        """How many there are."""
        return int(self.sizes.sum())

    def cut(self, at: int) -> tuple[Stream, Stream]:
        """The first ``at`` positions, and those after them."""
        ends = np.cumsum(self.sizes)
        number = int(np.searchsorted(ends, at, side="left"))
        if number == len(self.rows):
            return self, self.taken(slice(0, 0))
        inside = at - int(ends[number] - self.sizes[number])  # of the document on the border
        head, tail = self.taken(slice(0, number + 1)), self.taken(slice(number, None))
        head.sizes[-1] = inside
        tail.starts[0] += inside
        tail.sizes[0] -= inside
        if not tail.sizes[0]:
            tail = tail.taken(slice(1, None))
        return head if inside else head.taken(slice(0, -1)), tail

    def taken(self, which: slice) -> Stream:
        """Copies of some of the documents."""
        return Stream(self.rows[which].copy(), self.starts[which].copy(), self.sizes[which].copy())

    def joined(self, other: Stream) -> Stream:
        """This stream, then the other."""
        return Stream(
            np.concatenate([self.rows, other.rows]),
            np.concatenate([self.starts, other.starts]),
            np.concatenate([self.sizes, other.sizes]),
        )


def packed_rows(
    store: DocumentStore,
    context: int,
    batch_tokens: int,
    symbols: Symbols,
    *,
    seed: int = 0,
    epoch: int | None = None,
    skip: int = 0,
    said: bool = False,
) -> Iterator[PackedBatch]:
    """The batches of one epoch, from number ``skip`` on.

    Args:
        store: the documents.
        context: positions T of a row.
        batch_tokens: positions of a batch, at most, but one row at least.
        symbols: of the vocabulary.
        seed: decides order and cuts, with the epoch.
        epoch: number of the epoch, or None for the order of the store (validation).
        skip: batches already seen; they are not built.
        said: count what is said alone: every second stretch of a document, and its end; the lengths
            of stretches stand in the place of those of sentences.
    """
    batch_rows = max(1, batch_tokens // context)
    rest = Stream(*(np.zeros(0, np.int64) for _ in range(3)))
    for number, (stream, last) in enumerate(_streams(store, context, seed, epoch)):
        # What does not fill a batch goes on in front of the next window.
        whole = rest.joined(stream)
        full = whole.positions // (batch_rows * context) * batch_rows * context
        stream, rest = (whole, rest) if last else whole.cut(full)
        order = np.arange(-(-stream.positions // context))
        if epoch is not None:
            np.random.default_rng((seed, epoch, number + 1)).shuffle(order)
        starts = range(0, len(order), batch_rows)
        ends = np.cumsum(stream.sizes)
        for start in starts[skip:]:
            chosen = order[start : start + batch_rows]
            yield _build(store, stream, ends, chosen, context, symbols, said)
        skip = max(0, skip - len(starts))


def _streams(
    store: DocumentStore, context: int, seed: int, epoch: int | None
) -> Iterator[tuple[Stream, bool]]:
    """The documents of an epoch, window by window, and whether it is the last one.

    In training, the first few positions go to the end, so that even the cuts of a corpus of one
    document differ from epoch to epoch.
    """
    rng = None if epoch is None else np.random.default_rng((seed, epoch))
    blocks = np.arange(0, len(store), BLOCK)
    first = 0 if rng is None else int(rng.integers(context))
    moved: Stream | None = None
    seen = 0
    for rows in windows(blocks, np.array([len(store)]), rng):
        stream = Stream(rows, np.zeros(len(rows), np.int64), store.sizes(rows) + 1)
        if moved is None:
            moved, stream = stream.cut(first)
        seen += len(rows)
        last = seen == len(store)
        yield (stream.joined(moved) if last else stream), last


def _build(
    store: DocumentStore,
    stream: Stream,
    ends: Numbers,
    chosen: Numbers,
    context: int,
    symbols: Symbols,
    said: bool,
) -> PackedBatch:
    """The batch of some rows of a stream, whose documents end at ``ends``."""
    shape = (len(chosen), context)
    inputs = np.full(shape, symbols.pad, np.int64)
    targets = np.full(shape, symbols.pad, np.int64)
    documents = np.zeros(shape, np.int64)
    real = np.zeros(shape, np.bool_)
    used: list[int] = []
    for place, row in enumerate(chosen.tolist()):
        begin, number, document = row * context, 0, 0
        piece = int(np.searchsorted(ends, begin, side="right"))
        while number < context and piece < len(ends):
            skipped = begin + number - int(ends[piece] - stream.sizes[piece])
            start = int(stream.starts[piece]) + skipped
            length = min(int(stream.sizes[piece]) - skipped, context - number)
            used.append(int(stream.rows[piece]))
            inside = (place, slice(number, number + length))
            _fill(store.ids(used[-1]), start, inputs[inside], targets[inside], symbols)
            real[inside] = _said(store, used[-1])[start : start + length] if said else True
            document += 1
            documents[inside] = document
            number += length
            piece += 1
    return PackedBatch(
        torch.from_numpy(inputs),
        torch.from_numpy(targets),
        torch.from_numpy(documents),
        torch.from_numpy(real if real.any() else documents > 0),
        tuple(dict.fromkeys(used)),
    )


def _said(store: DocumentStore, row: int) -> NDArray[np.bool_]:
    """Whether what follows each position of a document, its end included, is said [tokens + 1]."""
    lengths = store.sentences(row)
    return np.append(np.repeat(np.arange(len(lengths)) % 2 == 1, lengths), True)


def _fill(
    ids: NDArray[np.integer], start: int, inputs: Numbers, targets: Numbers, symbols: Symbols
) -> None:
    """Positions of a document from ``start`` on: what is read, and what follows it."""
    stop = start + len(inputs)
    if start:
        inputs[:] = ids[start - 1 : stop - 1]
    else:
        inputs[0] = symbols.begin
        inputs[1:] = ids[: stop - 1]
    known = min(stop, len(ids)) - start
    targets[:known] = ids[start : start + known]
    targets[known:] = symbols.end
