"""Weights of a model for one of the same architecture, whose vocabulary may have grown."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from seqloom.tensors import untie


@torch.no_grad()
def carry_over(old: nn.Module, new: nn.Module, rows: NDArray[np.int64]) -> None:
    """Copy all weights; the rows of new tokens begin as the mean of the others.

    Args:
        old: the model that has learned.
        new: of the same architecture.
        rows: for each token of the vocabulary that has grown its old id, or -1 [V].
    """
    weights = untie(old.state_dict())
    for name, tensor in untie(new.state_dict()).items():
        given = weights[name]
        grown = tensor.shape != given.shape  # else it has no rows of that vocabulary
        tensor.copy_(_grown(given, torch.from_numpy(rows)) if grown else given)


def _grown(given: Tensor, rows: Tensor) -> Tensor:
    """Rows [V ...] of the old ones, and their mean for tokens that were not there."""
    rows = rows.to(given.device)
    known = given.index_select(0, rows.clamp(min=0))
    there = (rows >= 0).view(-1, *[1] * (given.ndim - 1))
    return torch.where(there, known, given.mean(dim=0))
