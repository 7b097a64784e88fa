"""Boolean masks, True = may be attended, and their additive form for scores."""

from __future__ import annotations

import torch
from torch import Tensor


def causal_mask(
    length: int, device: torch.device | None = None, window: int | None = None
) -> Tensor:
    """Each position sees itself and what stands before it: [T T], lower triangle.

    With a ``window`` it sees the last ``window`` of them only, itself included.
    """
    positions = torch.arange(length, device=device)
    return looking_back(positions, positions, window)


def looking_back(queries: Tensor, keys: Tensor, window: int | None = None) -> Tensor:
    """As :func:`causal_mask`, for queries at positions [... T] and keys at [... S]: [... T S]."""
    distance = queries[..., :, None] - keys[..., None, :]
    mask = distance >= 0
    return mask if window is None else mask & (distance < window)


def same_document(documents: Tensor) -> Tensor:
    """Tokens of documents [B T] see their own document: [B T T].

    Padding, document 0, sees padding: no row of weights is empty, and no real token sees it.
    """
    return documents[:, :, None] == documents[:, None, :]


def length_mask(lengths: Tensor, size: int | None = None) -> Tensor:
    """True at the first ``lengths[b]`` positions of row b: [B S]."""
    size = int(lengths.max()) if size is None else size
    return torch.arange(size, device=lengths.device)[None, :] < lengths[:, None]


def additive(mask: Tensor, dtype: torch.dtype) -> Tensor:
    """0 where ``mask`` is True, minus infinity elsewhere: added to scores before the softmax."""
    return torch.zeros(mask.shape, dtype=dtype, device=mask.device).masked_fill_(
        ~mask, float("-inf")
    )
