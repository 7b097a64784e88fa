"""What the rows of a beam wrote, as back-pointers: tokens are read only for the hypotheses kept."""

from __future__ import annotations

from typing import NamedTuple

from torch import Tensor


class Ending(NamedTuple):
    """How one hypothesis ends."""

    step: int
    """The step, from 0, at which it wrote its last token."""
    row: int
    """The row that it continued then."""
    token: int
    """The last token."""
    log_probability: float
    """The last token's log-probability."""


class History:
    """For each step, what every row wrote and which row of the step before it continued.

    Axes: R rows; their number falls as sentences leave the batch.
    """

    def __init__(self) -> None:
        self._steps: list[tuple[Tensor, Tensor, Tensor]] = []

    def append(self, rows: Tensor, ids: Tensor, log_probabilities: Tensor) -> None:
        """One more step; all [R]. ``rows`` are numbered as the step before left them."""
        self._steps.append((rows, ids, log_probabilities))

    def trace(self, endings: list[Ending]) -> list[tuple[list[int], list[float]]]:
        """The tokens, first to last, of each hypothesis, and their log-probabilities."""
        steps = [tuple(column.tolist() for column in step) for step in self._steps]
        traced = []
        for ending in endings:
            tokens, gains, row = [ending.token], [ending.log_probability], ending.row
            for parents, ids, log_probabilities in reversed(steps[: ending.step]):
                tokens.append(ids[row])
                gains.append(log_probabilities[row])
                row = parents[row]
            traced.append((tokens[::-1], gains[::-1]))
        return traced
