"""Boolean masks, True = may be attended, and their additive form for scores."""

from __future__ import annotations

import torch
from torch import Tensor


def causal_mask(length: int, device: torch.device | None = None) -> Tensor:
    """Each position sees itself and what stands before it: [T T], lower triangle."""
    return torch.ones(length, length, dtype=torch.bool, device=device).tril()


def length_mask(lengths: Tensor, size: int | None = None) -> Tensor:
    """True at the first ``lengths[b]`` positions of row b: [B S]."""
    size = int(lengths.max()) if size is None else size
    return torch.arange(size, device=lengths.device)[None, :] < lengths[:, None]


def additive(mask: Tensor, dtype: torch.dtype) -> Tensor:
    """0 where ``mask`` is True, minus infinity elsewhere: added to scores before the softmax."""
    return torch.zeros(mask.shape, dtype=dtype, device=mask.device).masked_fill_(
        ~mask, float("-inf")
    )
