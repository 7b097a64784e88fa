"""Recurrent decoder states: rows in any order, repeated or left out."""

from __future__ import annotations

import torch

from seqloom.layers.state import RecurrentState

ROWS = torch.tensor([2, 0, 2, 1])


def numbered(*shape: int) -> torch.Tensor:
    """A tensor whose first column holds the row number."""
    return (
        torch.arange(shape[0], dtype=torch.float32).view(-1, *[1] * (len(shape) - 1)).expand(shape)
    )


def rows_of(tensor: torch.Tensor) -> list[float]:
    return tensor.flatten(1)[:, 0].tolist()


def test_recurrent_state() -> None:
    state = RecurrentState((numbered(3, 4), numbered(3, 4)), (numbered(3, 4),), numbered(3, 2))
    moved = state.reorder(ROWS)
    assert [rows_of(h) for h in moved.hidden] == [[2, 0, 2, 1]] * 2
    assert [rows_of(c) for c in moved.cell] == [[2, 0, 2, 1]]
    assert moved.fed is not None
    assert rows_of(moved.fed) == [2, 0, 2, 1]
    assert rows_of(state.hidden[0]) == [0, 1, 2]  # a value: the old state is as it was


def test_recurrent_state_without_cell_and_feeding() -> None:
    moved = RecurrentState((numbered(3, 4),)).reorder(torch.tensor([1]))
    assert rows_of(moved.hidden[0]) == [1]
    assert moved.cell == ()
    assert moved.fed is None
