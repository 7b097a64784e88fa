"""Gates on heads: a shut one is as if its columns of the output were zero; Louizos's L0."""

from __future__ import annotations

import math

import pytest
import torch

from seqloom.layers.attention import SCORES, GlobalAttention, SelfAttention
from seqloom.layers.gates import HardConcrete, gated


def attend(layer: SelfAttention, x: torch.Tensor) -> torch.Tensor:
    return layer.attend(*layer.queries_keys_values(x), None)


@pytest.mark.parametrize("length", [5, 80])  # visible, and fused
def test_a_gate_scales_what_its_head_adds(length: int) -> None:
    torch.manual_seed(1)
    layer = SelfAttention(12, 3)
    x = torch.randn(2, length, 12)
    gates = torch.tensor([1.0, 0.0, 0.5])
    plain = attend(layer, x)
    with gated(layer, {"": gates}):
        found = attend(layer, x)
    assert torch.equal(attend(layer, x), plain)
    with torch.no_grad():
        layer.output.weight.mul_(gates.repeat_interleave(4))
    torch.testing.assert_close(found, attend(layer, x))
    assert not torch.allclose(found, plain)


def test_attention_without_heads_has_one_gate() -> None:
    torch.manual_seed(1)
    layer = GlobalAttention(SCORES["dot"](4, 4, 4))
    query, states = torch.randn(2, 3, 4), torch.randn(2, 5, 4)
    mask = torch.ones(2, 5, dtype=torch.bool)
    plain, weights = layer(query, states, states, mask)
    with gated(layer, {"": torch.tensor([0.25])}):
        context, same = layer(query, states, states, mask)
    torch.testing.assert_close(context, plain / 4)
    assert torch.equal(weights, same)


def test_gates_of_one_layer_leave_others_and_go_away_after_an_error() -> None:
    torch.manual_seed(1)
    both = torch.nn.ModuleList([SelfAttention(4, 2), SelfAttention(4, 2)])
    x = torch.randn(1, 3, 4)
    plain = [attend(layer, x) for layer in both]  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="inside"), gated(both, {"1": torch.zeros(2)}):
        assert torch.equal(attend(both[0], x), plain[0])  # type: ignore[arg-type]
        shut = attend(both[1], x)  # type: ignore[arg-type]
        torch.testing.assert_close(shut, both[1].output.bias.expand_as(shut))  # type: ignore[union-attr,operator]
        raise ValueError("inside")
    assert torch.equal(attend(both[1], x), plain[1])  # type: ignore[arg-type]
    with pytest.raises(KeyError), gated(both, {"nowhere": torch.zeros(2)}):
        pass


def test_gradients_reach_the_gates() -> None:
    torch.manual_seed(1)
    layer, gates = SelfAttention(8, 4), HardConcrete(4, begin=0.0)
    with gated(layer, {"": gates()}):
        attend(layer, torch.randn(1, 4, 8)).square().sum().backward()
    assert gates.openness.grad is not None
    assert gates.openness.grad.abs().sum() > 0


def test_hard_concrete_by_the_paper() -> None:
    """P(gate > 0) of many draws equals the expected L0, and both ends have a chance."""
    torch.manual_seed(0)
    gates = HardConcrete(20000, begin=0.3)
    drawn = gates()
    assert drawn.min() == 0
    assert drawn.max() == 1
    expected = 1 / (1 + math.exp(-(0.3 - 2 / 3 * math.log(0.1 / 1.1))))
    assert float(gates.expected().detach()) / 20000 == pytest.approx(expected, rel=1e-5)
    assert float((drawn > 0).float().mean()) == pytest.approx(expected, abs=0.01)
    gates.eval()
    likely = 1 / (1 + math.exp(-0.3)) * 1.2 - 0.1
    assert float(gates().detach()[0]) == pytest.approx(likely, rel=1e-5)
    assert torch.equal(HardConcrete(2, begin=9.0).eval()(), torch.ones(2))
    assert torch.equal(HardConcrete(2, begin=-9.0).eval()(), torch.zeros(2))
