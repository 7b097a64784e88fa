"""Position-wise feed-forward layers (Vaswani et al. 2017, eq. 2; SwiGLU: Shazeer 2020)."""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor, nn
from torch.nn import functional as F

from seqloom.layers.dropout import Dropout

_ACTIVATIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "relu": F.relu,
    "gelu": F.gelu,
    "silu": F.silu,
    "swiglu": F.silu,
}


class FeedForward(nn.Module):
    """outer(activation(inner(x))), or for SwiGLU outer(silu(gate(x)) * inner(x)).

    Args:
        width: model width D.
        inner: inner width F.
        activation: relu, gelu, silu or swiglu.
        dropout: rate after the activation.
    """

    def __init__(self, width: int, inner: int, activation: str, dropout: float = 0.0) -> None:
        super().__init__()
        self.activation = _ACTIVATIONS[activation]
        self.gate = nn.Linear(width, inner) if activation == "swiglu" else None
        self.inner = nn.Linear(width, inner)
        self.outer = nn.Linear(inner, width)
        self.dropout = Dropout(dropout)

    def forward(self, x: Tensor) -> Tensor:
        """[B T D] -> [B T D]."""
        if self.gate is None:
            hidden = self.activation(self.inner(x))
        else:
            hidden = self.activation(self.gate(x)) * self.inner(x)
        return self.outer(self.dropout(hidden))
