"""Where a token stands: sinusoidal, learned and rotary positions.

The first two are added to embeddings; rotary turns queries and keys (Su et al. 2021).
Axes: B batch, T positions, H heads, D width, K head width.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F


def positions_within(documents: Tensor) -> Tensor:
    """Where each token stands in its own document, from 0: numbers of documents [B T] -> [B T].

    Padding, which may be longer than any document, stands at 0.
    """
    here = torch.arange(documents.shape[1], device=documents.device).expand_as(documents)
    begins = torch.ones_like(documents, dtype=torch.bool)
    begins[:, 1:] = documents[:, 1:] != documents[:, :-1]
    within = here - here.masked_fill(~begins, 0).cummax(dim=1).values
    return within.masked_fill(documents == 0, 0)


def sinusoids(positions: Tensor, width: int, *, fairseq: bool = False) -> Tensor:
    """Sines, then cosines, of each position at geometric wavelengths: [T] -> [T D].

    Vaswani et al. 2017 interleave sines and cosines; halves side by side (tensor2tensor, Marian)
    are the same up to the order of the features. The fairseq variant (M2M100, NLLB) ends at
    wavelength 10000 exactly, counts positions from 2, and fills an odd width up with a zero.
    """
    half = width // 2 if fairseq else (width + 1) // 2
    steps = torch.arange(half, device=positions.device, dtype=torch.float64)
    span = width // 2 - 1 if fairseq else width / 2
    frequencies = 10000.0 ** (-steps / max(span, 1))
    angles = (positions.double() + (2 if fairseq else 0))[:, None] * frequencies
    table = torch.cat([angles.sin(), angles.cos()[:, : width // 2]], dim=1)
    return F.pad(table, (0, width - table.shape[1])).float()


class SinusoidalPositions(nn.Module):
    """Fixed position vectors, without a limit of length."""

    table: Tensor

    def __init__(self, width: int, size: int, *, fairseq: bool = False) -> None:
        super().__init__()
        self.width, self.fairseq = width, fairseq
        table = sinusoids(torch.arange(size), width, fairseq=fairseq)
        self.register_buffer("table", table, persistent=False)

    def forward(self, start: int, length: int) -> Tensor:
        """Vectors [T D] of positions start to start + length - 1."""
        if start + length <= len(self.table):
            return self.table[start : start + length]
        positions = torch.arange(start, start + length, device=self.table.device)
        return sinusoids(positions, self.width, fairseq=self.fairseq).to(self.table.dtype)


class LearnedPositions(nn.Module):
    """One learned vector a position, up to ``size`` positions."""

    def __init__(self, width: int, size: int) -> None:
        super().__init__()
        self.table = nn.Parameter(torch.empty(size, width))

    def forward(self, start: int, length: int) -> Tensor:
        """Vectors [T D] of positions start to start + length - 1."""
        assert start + length <= len(self.table), (
            f"position {start + length} is beyond the {len(self.table)} learned ones"
        )
        return self.table[start : start + length]

    def at(self, positions: Tensor) -> Tensor:
        """Vectors [... D] of ``positions`` [...]."""
        return F.embedding(positions, self.table)

    def within(self, positions: Tensor) -> Tensor:
        """Positions [...], the last one instead of those beyond it."""
        return positions.clamp(max=len(self.table) - 1)


Turn = tuple[Tensor, Tensor]
"""Cosines and sines of rotary angles, to turn queries and keys by."""


class Rotary(nn.Module):
    """Rotary positions (Su et al. 2021, eq. 34): the dot product depends on the distance alone.

    Args:
        head_width: K.
        base: the longest wavelength is nearly 2 pi times this.
    """

    def __init__(self, head_width: int, base: float = 10000.0) -> None:
        super().__init__()
        self.head_width, self.base = head_width, base

    def turn(self, positions: Tensor) -> Turn:
        """The turn at ``positions`` [T], the same in all rows, or [B T]: for all layers at once."""
        # Not a buffer: a model turned to bfloat16 would round the frequencies, and far positions
        # would point anywhere.
        steps = torch.arange(0, self.head_width, 2, device=positions.device) / self.head_width
        angles = positions[..., None, :, None] * self.base**-steps  # [1 T K/2] or [B 1 T K/2]
        return angles.cos(), angles.sin()

    def forward(self, x: Tensor, positions: Tensor) -> Tensor:
        """Turn x [B H T K], which stands at ``positions`` [T] or [B T], or all at one position."""
        return turned(x, self.turn(positions))


def turned(x: Tensor, turn: Turn) -> Tensor:
    """Queries or keys x [B H T K], each feature of the first half turned with one of the second."""
    cosine, sine = (part.to(x.dtype) for part in turn)
    left, right = x.chunk(2, dim=-1)
    return torch.cat([left * cosine - right * sine, right * cosine + left * sine], dim=-1)
