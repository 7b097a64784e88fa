"""Feed-forward layers by hand."""

from __future__ import annotations

import math

import pytest
import torch

from seqloom.layers.feedforward import FeedForward


def sigmoid(x: float) -> float:
    return 1 / (1 + math.exp(-x))


def normal_share(x: float) -> float:
    return (1 + math.erf(x / math.sqrt(2))) / 2


def tanh_share(x: float) -> float:
    """Hendrycks and Gimpel 2016, section 2."""
    return (1 + math.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3))) / 2


# x = 2 gives the inner values 2 * 2 + 1 = 5 and -2 + 0.5 = -1.5; the outer layer, a + 10 b + 3.
EXPECTED = {
    "relu": 5 + 0 + 3,
    "gelu": 5 * normal_share(5) - 15 * normal_share(-1.5) + 3,
    "gelu_tanh": 5 * tanh_share(5) - 15 * tanh_share(-1.5) + 3,
    "silu": 5 * sigmoid(5) - 15 * sigmoid(-1.5) + 3,
    # Gates 4 and -2 of x.
    "swiglu": 4 * sigmoid(4) * 5 + 10 * (-2 * sigmoid(-2)) * -1.5 + 3,
}


@pytest.mark.parametrize("activation", EXPECTED)
def test_feedforward_by_hand(activation: str) -> None:
    layer = FeedForward(1, 2, activation)
    layer.inner.weight.data = torch.tensor([[2.0], [-1.0]])
    layer.inner.bias.data = torch.tensor([1.0, 0.5])
    layer.outer.weight.data = torch.tensor([[1.0, 10.0]])
    layer.outer.bias.data = torch.tensor([3.0])
    if layer.gate is not None:
        layer.gate.weight.data = torch.tensor([[2.0], [-1.0]])
        layer.gate.bias.data.zero_()
    result = layer(torch.tensor([[[2.0]]]))
    assert result.item() == pytest.approx(EXPECTED[activation], abs=1e-5)


def test_only_swiglu_has_a_gate() -> None:
    gated = [name for name in EXPECTED if FeedForward(2, 3, name).gate is not None]
    assert gated == ["swiglu"]


def test_without_bias_there_is_none() -> None:
    names = [name for name, _ in FeedForward(2, 3, "swiglu", bias=False).named_parameters()]
    assert names == ["gate.weight", "inner.weight", "outer.weight"]


def test_dropout_stands_after_the_activation() -> None:
    layer = FeedForward(4, 64, "relu", dropout=0.5)
    x = torch.randn(3, 4)
    assert not torch.equal(layer(x), layer(x))
    layer.eval()
    hidden = torch.relu(layer.inner(x))
    assert torch.equal(layer(x), layer.outer(hidden))
