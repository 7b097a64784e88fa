"""What every model that writes is held to: its steps are its whole computation, cut into tokens."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from seqloom.models.base import Memory, Writer


def near(left: Any, right: Any) -> None:
    """Equal up to the order of sums."""
    torch.testing.assert_close(left, right, atol=1e-5, rtol=1e-5)


def run_steps(model: Writer, memory: Memory, target: Tensor) -> Tensor:
    """Hidden states [R T D] of step after step."""
    rows = torch.arange(len(memory.mask)).repeat_interleave(len(target) // len(memory.mask))
    state, outputs = model.start(memory).reorder(rows), []
    for index in range(target.shape[1]):
        hidden, state = model.step(memory, state, target[:, index])
        outputs.append(hidden)
    return torch.stack(outputs, dim=1)


def check_that_beams_move(model: Writer, memory: Memory, target: Tensor) -> None:
    """Rows are reordered within their sentences, one sentence leaves, and both go on.

    ``memory`` is of three sentences, ``target`` [12 T] of four hypotheses each.
    """
    state = model.start(memory).reorder(torch.arange(3).repeat_interleave(4))
    for index in range(2):
        _, state = model.step(memory, state, target[:, index])
    sentences = torch.tensor([2, 0])
    within = torch.tensor([[3, 3, 0, 1], [1, 0, 2, 1]])
    rows = (sentences[:, None] * 4 + within).flatten()
    state, left = state.reorder(rows), memory.select(sentences)
    prefixes = target[rows]
    expected = model.decode(left.select(torch.arange(2).repeat_interleave(4)), prefixes)
    for index in range(2, target.shape[1]):
        hidden, state = model.step(left, state, prefixes[:, index])
        near(hidden, expected[:, index])
