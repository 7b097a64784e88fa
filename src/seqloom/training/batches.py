"""Length-bucketed token batches from a memory-mapped store, in an order that a seed decides.

The order of an epoch is a function of (seed, epoch) alone, so a run resumes by skipping. Memory
does not grow with the corpus: blocks of neighbouring rows are shuffled, then rows inside a window
of many blocks; inside the window, rows of equal length share a batch.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Protocol

import numpy as np
import torch
from torch import Tensor

from seqloom.corpus.groups import groups_of
from seqloom.corpus.store import TokenStore
from seqloom.symbols import BOS, EOS, PAD
from seqloom.training.sampling import BLOCK, blocks_of_epoch

Ids = Sequence[int] | np.ndarray
"""Token ids of one side of one pair."""

_WINDOW = 1 << 17


@dataclass(frozen=True)
class Batch:
    """Padded tensors of B pairs. The source ends with EOS; the decoder reads BOS + target."""

    source: Tensor
    """Source ids [B S]."""
    source_mask: Tensor
    """Real source positions [B S]."""
    target_input: Tensor
    """Decoder input [B T]."""
    target_output: Tensor
    """What the decoder should say [B T]."""
    target_mask: Tensor
    """Real target positions [B T]."""
    rows: tuple[int, ...]
    """Rows of the store, for messages."""

    @property
    def tokens(self) -> int:
        """Real target positions, end of sentence counted."""
        return int(self.target_mask.sum())

    def to(self, device: torch.device) -> Batch:
        """The same batch on a device."""
        return Batch(
            self.source.to(device, non_blocking=True),
            self.source_mask.to(device, non_blocking=True),
            self.target_input.to(device, non_blocking=True),
            self.target_output.to(device, non_blocking=True),
            self.target_mask.to(device, non_blocking=True),
            self.rows,
        )


class Perturb(Protocol):
    """Changes token ids in training, such as BPE-dropout."""

    def __call__(self, ids: Ids, rng: np.random.Generator) -> Ids:
        """Other ids of the same text."""
        ...


def pad(rows: Sequence[Ids]) -> tuple[Tensor, Tensor]:
    """Ids [B S], padded on the right, and the mask of real positions [B S]."""
    lengths = np.fromiter((len(row) for row in rows), dtype=np.int64, count=len(rows))
    mask = np.arange(lengths.max(initial=0))[None, :] < lengths[:, None]
    ids = np.full(mask.shape, PAD, dtype=np.int64)
    ids[mask] = np.concatenate([np.asarray(row, dtype=np.int64) for row in rows])
    return torch.from_numpy(ids), torch.from_numpy(mask)


def collate(sources: Sequence[Ids], targets: Sequence[Ids], rows: Sequence[int] = ()) -> Batch:
    """One batch of raw id sequences (without BOS and EOS)."""
    source, source_mask = pad([[*ids, EOS] for ids in sources])
    target_input, target_mask = pad([[BOS, *ids] for ids in targets])
    target_output, _ = pad([[*ids, EOS] for ids in targets])
    return Batch(source, source_mask, target_input, target_output, target_mask, tuple(rows))


def plan(
    store: TokenStore,
    batch_tokens: int,
    *,
    seed: int = 0,
    epoch: int | None = None,
    temperature: float = 1.0,
) -> Iterator[np.ndarray]:
    """Rows of each batch of one epoch.

    Args:
        store: the pairs.
        batch_tokens: most target positions (padding counted) of a batch; its source may have half
            as many again. A longer pair is a batch of its own.
        seed: decides the order, with the epoch.
        epoch: number of the epoch, or None for the order of lengths without chance (validation).
        temperature: how the corpora of a store share an epoch, see
            :mod:`seqloom.training.sampling`.
    """
    groups = groups_of(store)
    rng = None if epoch is None else np.random.default_rng((seed, epoch))
    blocks = np.arange(0, len(store), BLOCK)
    if epoch is not None and len(groups) > 1:
        blocks = blocks_of_epoch(groups, temperature, seed, epoch)
    stops = np.array([group.stop for group in groups])
    for rows in windows(blocks, stops, rng):
        source, target = _lengths(store, rows)
        # Snake order: inside one target length, source lengths go up, in the next down, so
        # neighbours differ little on either side. Ties are in the window's random order.
        order = np.lexsort((np.where(target % 2 == 0, source, -source), target))
        batches = _cut(rows[order], source[order] + 1, target[order] + 1, batch_tokens)
        if rng is not None:
            rng.shuffle(batches)
        yield from batches


def windows(
    blocks: np.ndarray, stops: np.ndarray, rng: np.random.Generator | None
) -> Iterator[np.ndarray]:
    """Rows in windows: random blocks, shuffled inside the window; or in order.

    ``blocks`` are the first rows of blocks; a block ends at the end of its corpus (``stops``).
    """
    if rng is not None:
        rng.shuffle(blocks)
    per_window = _WINDOW // BLOCK
    for start in range(0, len(blocks), per_window):
        chosen = blocks[start : start + per_window, None]
        rows = chosen + np.arange(BLOCK)
        ends = stops[np.searchsorted(stops, chosen, side="right")]
        rows = rows[rows < ends]
        if rng is not None:
            rng.shuffle(rows)
        yield rows


def _lengths(store: TokenStore, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Lengths of ``rows``, read block by block."""
    source = np.empty(len(rows), dtype=np.int64)
    target = np.empty(len(rows), dtype=np.int64)
    blocks = rows // BLOCK
    order = np.argsort(blocks, kind="stable")
    edges = np.flatnonzero(np.diff(blocks[order])) + 1
    for members in np.split(order, edges):
        start = int(blocks[members[0]]) * BLOCK
        sources, targets = store.lengths(start, min(start + BLOCK, len(store)))
        source[members] = sources[rows[members] - start]
        target[members] = targets[rows[members] - start]
    return source, target


def _cut(
    rows: np.ndarray, source: np.ndarray, target: np.ndarray, batch_tokens: int
) -> list[np.ndarray]:
    """Neighbouring rows into batches whose padded size stays within ``batch_tokens``."""
    batches = []
    start = 0
    widest_source = widest_target = 0
    pairs = zip(source.tolist(), target.tolist(), strict=True)
    for index, (source_length, target_length) in enumerate(pairs):
        new_source = max(widest_source, source_length)
        new_target = max(widest_target, target_length)
        # The source may be somewhat longer than the target without halving the batch.
        cost = (index - start + 1) * max(new_target, new_source * 2 // 3)
        if cost > batch_tokens and index > start:
            batches.append(rows[start:index])
            start, new_source, new_target = index, source_length, target_length
        widest_source, widest_target = new_source, new_target
    if start < len(rows):
        batches.append(rows[start:])
    return batches


def batches(
    store: TokenStore,
    batch_tokens: int,
    *,
    seed: int = 0,
    epoch: int | None = None,
    skip: int = 0,
    temperature: float = 1.0,
    perturb: tuple[Perturb, Perturb] | None = None,
) -> Iterator[Batch]:
    """The batches of one epoch, from number ``skip`` on.

    Args:
        store: the pairs.
        batch_tokens: see :func:`plan`.
        seed: see :func:`plan`.
        epoch: see :func:`plan`.
        skip: batches already seen.
        temperature: see :func:`plan`.
        perturb: changes source and target ids; its chance is decided by seed, epoch and batch.
    """
    planned = plan(store, batch_tokens, seed=seed, epoch=epoch, temperature=temperature)
    for number, rows in islice(enumerate(planned), skip, None):
        sources: Sequence[Ids]
        targets: Sequence[Ids]
        sources, targets = store.rows(rows)
        if perturb is not None:
            rng = np.random.default_rng((seed, epoch or 0, number))
            sources = [perturb[0](ids, rng) for ids in sources]
            targets = [perturb[1](ids, rng) for ids in targets]
        yield collate(sources, targets, rows.tolist())


@dataclass(frozen=True)
class PairFeed:
    """Batches of pairs for the training loop: see :func:`batches`."""

    store: TokenStore
    batch_tokens: int
    seed: int
    temperature: float = 1.0
    perturb: tuple[Perturb, Perturb] | None = None

    def __call__(self, epoch: int, skip: int) -> Iterator[Batch]:
        """The batches of an epoch, from number ``skip`` on."""
        return batches(
            self.store,
            self.batch_tokens,
            seed=self.seed,
            epoch=epoch,
            skip=skip,
            temperature=self.temperature,
            perturb=self.perturb,
        )
