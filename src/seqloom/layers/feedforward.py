"""Position-wise feed-forward layers (Vaswani et al. 2017, eq. 2; SwiGLU: Shazeer 2020)."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from torch import Tensor, nn
from torch.nn import functional as F

from seqloom.layers.dropout import Dropout

ACTIVATIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "relu": F.relu,
    "gelu": F.gelu,
    "gelu_tanh": partial(F.gelu, approximate="tanh"),
    "silu": F.silu,
    "swiglu": F.silu,
}
"""Name -> function; gelu_tanh approximates gelu by a hyperbolic tangent (Hendrycks and Gimpel
2016), and swiglu's is that of its gate."""


class FeedForward(nn.Module):
    """outer(activation(inner(x))), or for SwiGLU outer(silu(gate(x)) * inner(x)).

    Args:
        width: model width D.
        inner: inner width F.
        activation: a name of :data:`ACTIVATIONS`.
        dropout: rate after the activation.
        bias: whether the linear layers add one.
    """

    def __init__(
        self, width: int, inner: int, activation: str, dropout: float = 0.0, *, bias: bool = True
    ) -> None:
        super().__init__()
        self.activation = ACTIVATIONS[activation]
        self.gate = nn.Linear(width, inner, bias=bias) if activation == "swiglu" else None
        self.inner = nn.Linear(width, inner, bias=bias)
        self.outer = nn.Linear(inner, width, bias=bias)
        self.dropout = Dropout(dropout)

    def forward(self, x: Tensor) -> Tensor:
        """[B T D] -> [B T D]."""
        if self.gate is None:
            hidden = self.activation(self.inner(x))
        else:
            hidden = self.activation(self.gate(x)) * self.inner(x)
        return self.outer(self.dropout(hidden))
