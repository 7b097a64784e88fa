"""The best continuations of a sentence's hypotheses, over all its rows and the vocabulary at once.

Axes: B sentences, N rows a sentence, R = B*N, V vocabulary.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

_BLOCK = 64
"""Vocabulary entries that are first reduced to their maximum; measured best of 16 to 128."""


def top(log_probabilities: Tensor, totals: Tensor, count: int) -> tuple[Tensor, Tensor, Tensor]:
    """The ``count`` highest sums of a row's total and a token's log-probability, highest first.

    Takes ``log_probabilities`` [R V] and ``totals`` [B N]. Returns sums [B count], the rows
    [B count] that they continue (numbers below R) and the token ids [B count]. Where there are
    fewer than ``count`` candidates, the rest have sum minus infinity.

    Exact, but quicker than one ``topk``: the ``count`` best tokens lie in the ``count`` blocks
    with the highest maxima, and maxima are cheap.
    """
    sentences, beam = totals.shape
    size = log_probabilities.shape[1]
    blocks = size // _BLOCK
    if beam * blocks <= count:
        return _plain_top(log_probabilities, totals, count)
    body = log_probabilities[:, : blocks * _BLOCK].view(-1, blocks, _BLOCK)
    offset = torch.arange(0, sentences * beam, beam, device=totals.device)[:, None]
    flat = totals.reshape(-1)

    maxima = (body.amax(dim=2) + flat[:, None]).view(sentences, -1)  # [B N*blocks]
    chosen = maxima.topk(count, dim=1, sorted=False).indices
    rows = offset + chosen.div(blocks, rounding_mode="floor")
    block = chosen.remainder(blocks)
    sums = (body[rows, block] + flat[rows][:, :, None]).flatten(1)  # [B count*_BLOCK]
    rest = log_probabilities[:, blocks * _BLOCK :]
    if rest.shape[1]:
        sums = torch.cat([sums, (rest + flat[:, None]).view(sentences, -1)], dim=1)

    best, places = sums.topk(count, dim=1)
    inside = places < count * _BLOCK
    place = places.div(_BLOCK, rounding_mode="floor").clamp(max=count - 1)
    ids = block.gather(1, place) * _BLOCK + places.remainder(_BLOCK)
    if not rest.shape[1]:
        return best, rows.gather(1, place), ids
    beyond = places - count * _BLOCK
    rest_rows = offset + beyond.div(rest.shape[1], rounding_mode="floor")
    rest_ids = blocks * _BLOCK + beyond.remainder(rest.shape[1])
    return (
        best,
        torch.where(inside, rows.gather(1, place), rest_rows),
        torch.where(inside, ids, rest_ids),
    )


def _plain_top(
    log_probabilities: Tensor, totals: Tensor, count: int
) -> tuple[Tensor, Tensor, Tensor]:
    """See :func:`top`; for small vocabularies."""
    sentences, beam = totals.shape
    size = log_probabilities.shape[1]
    sums = (log_probabilities + totals.reshape(-1, 1)).view(sentences, -1)
    if sums.shape[1] < count:
        sums = F.pad(sums, (0, count - sums.shape[1]), value=-torch.inf)
    best, places = sums.topk(count, dim=1)
    offset = torch.arange(0, sentences * beam, beam, device=totals.device)[:, None]
    rows = places.div(size, rounding_mode="floor").clamp(max=beam - 1)
    return best, offset + rows, places.remainder(size)
