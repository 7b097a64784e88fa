"""Heads that are switched off, or down: a factor on the context of each, before the output mixes.

``with gated(model, {"encoder.layers.2.self_attention": gates}):`` multiplies what each head of that
layer has gathered. Without the block that is one look at a context variable. Gates may be learned:
:class:`HardConcrete` are gates that training pushes to exactly 0 or 1.

Axes: B batch, H heads, T positions that look, K head width.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar

import torch
from torch import Tensor, nn

_active: ContextVar[Mapping[int, Tensor] | None] = ContextVar("gates", default=None)


@contextmanager
def gated(model: nn.Module, gates: Mapping[str, Tensor]) -> Iterator[None]:
    """Multiply the contexts of attention layers by gates [H] inside the block.

    Args:
        model: the layers' owner.
        gates: path of a layer in the model -> gates of its heads; other layers stay as they are.

    Raises:
        KeyError: the model has no layer of that path.
    """
    layers = dict(model.named_modules())
    token = _active.set({id(layers[path]): gate for path, gate in gates.items()})
    try:
        yield
    finally:
        _active.reset(token)


def through_gates(layer: nn.Module, context: Tensor) -> Tensor:
    """The context [B H T K] of a layer's heads, behind its gates if there are any."""
    gates = _active.get()
    gate = None if gates is None else gates.get(id(layer))
    return context if gate is None else context * gate.to(context.dtype)[:, None, None]


class HardConcrete(nn.Module):
    """Gates from 0 to 1, both ends with a chance of their own (Louizos et al. 2018, section 2.2).

    s = sigmoid((log u - log(1-u) + a) / BETA) with u uniform is stretched to (GAMMA, ZETA) and
    clipped to [0, 1]; so a gate can be shut exactly, and still has a gradient by its parameter a.
    """

    BETA, GAMMA, ZETA = 2 / 3, -0.1, 1.1

    def __init__(self, number: int, begin: float = 3.0) -> None:
        super().__init__()
        self.openness = nn.Parameter(torch.full((number,), begin))
        """log alpha [H] of the paper; all gates are nearly open at first."""

    def forward(self) -> Tensor:
        """Gates [H]: drawn in training (eq. 10 and 11), the likely ones in evaluation (eq. 13)."""
        noise = torch.zeros_like(self.openness)
        scale = 1.0
        if self.training:
            drawn = torch.rand_like(self.openness).clamp(1e-6, 1 - 1e-6)
            noise, scale = drawn.log() - (1 - drawn).log(), self.BETA
        share = torch.sigmoid((noise + self.openness) / scale)
        return (share * (self.ZETA - self.GAMMA) + self.GAMMA).clamp(0, 1)

    def expected(self) -> Tensor:
        """How many gates are likely not shut, a scalar: the penalty L0 (eq. 12)."""
        return torch.sigmoid(self.openness - self.BETA * math.log(-self.GAMMA / self.ZETA)).sum()
