"""Decoder state: a value that is passed in and returned, never kept on a module.

Search sees only :meth:`State.reorder`; recurrent states and key/value caches look alike to it.
Axes: R rows = B sentences times N hypotheses each.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, Self

from torch import Tensor


class State(Protocol):
    """What a decoder remembers between two steps."""

    def reorder(self, rows: Tensor) -> Self:
        """The state of rows ``rows`` [R'] in that order; rows may repeat or be left out."""
        ...


@dataclass(frozen=True)
class RecurrentState:
    """Hidden states of a recurrent decoder, one tensor a layer and quantity."""

    hidden: tuple[Tensor, ...]
    """One [R D] a layer."""
    cell: tuple[Tensor, ...] = ()
    """LSTM only: one [R D] a layer."""
    fed: Tensor | None = None
    """Input feeding only: the last attentional state [R D]."""

    def reorder(self, rows: Tensor) -> RecurrentState:
        """See :meth:`State.reorder`."""
        return RecurrentState(
            tuple(h.index_select(0, rows) for h in self.hidden),
            tuple(c.index_select(0, rows) for c in self.cell),
            None if self.fed is None else self.fed.index_select(0, rows),
        )
