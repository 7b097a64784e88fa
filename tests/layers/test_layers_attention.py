"""Attention: values by hand, naive loops, and torch's own multi-head attention."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from seqloom.layers import attention as room
from seqloom.layers.attention import (
    SCORES,
    Additive,
    Bilinear,
    Dot,
    GlobalAttention,
    MultiHeadAttention,
    SelfAttention,
    attention_weights,
    mix,
)
from seqloom.layers.masks import additive, causal_mask, length_mask
from seqloom.layers.recorder import record

B, T, S, K = 2, 3, 4, 5


def test_dot_by_hand() -> None:
    query = torch.tensor([[[1.0, 2.0]]])
    keys = torch.tensor([[[3.0, 4.0], [-1.0, 0.5]]])
    assert Dot(2).score(query, keys).tolist() == [[[11.0, 0.0]]]


def test_scaled_dot_by_hand() -> None:
    query = torch.tensor([[[1.0, 2.0, 0.0, 0.0]]])
    keys = torch.tensor([[[3.0, 4.0, 9.0, 9.0]]])
    assert Dot(4, scaled=True).score(query, keys).tolist() == [[[5.5]]]


def test_bilinear_by_hand() -> None:
    score = Bilinear(2, 3)
    score.key.weight.data = torch.tensor([[1.0, 0.0, 2.0], [0.0, 1.0, -1.0]])
    keys = score.prepare(torch.tensor([[[1.0, 2.0, 3.0]]]))
    assert keys.tolist() == [[[7.0, -1.0]]]
    assert score.score(torch.tensor([[[2.0, 5.0]]]), keys).tolist() == [[[9.0]]]


def test_additive_by_hand() -> None:
    score = Additive(1, 1, 2)
    score.query.weight.data = torch.tensor([[1.0], [0.0]])
    score.key.weight.data = torch.tensor([[0.0], [2.0]])
    score.key.bias.data = torch.tensor([0.5, 0.0])
    score.energy.weight.data = torch.tensor([[1.0, 10.0]])
    result = score.score(torch.tensor([[[0.5]]]), score.prepare(torch.tensor([[[0.25]]])))
    assert result.item() == pytest.approx(math.tanh(1.0) + 10 * math.tanh(0.5), abs=1e-5)


def naive_score(name: str, score: nn.Module, query: Tensor, state: Tensor) -> float:
    """One score of vectors [K] and [K], written as the formulas stand in the papers."""
    product = sum(float(q) * float(k) for q, k in zip(query, state, strict=True))
    if isinstance(score, Bilinear):
        return float(query @ score.key.weight @ state)
    if isinstance(score, Additive):
        inner = score.query.weight @ query + score.key.weight @ state + score.key.bias
        return float(score.energy.weight[0] @ torch.tanh(inner))
    return product / math.sqrt(len(query)) if name == "scaled_dot" else product


@pytest.mark.parametrize("name", SCORES)
def test_global_attention_equals_a_loop(name: str) -> None:
    torch.manual_seed(1)
    attention = GlobalAttention(SCORES[name](K, K, 7))
    query, states = torch.randn(B, T, K), torch.randn(B, S, K)
    lengths = [4, 2]
    with torch.no_grad():
        context, weights = attention(
            query, attention.prepare(states), states, length_mask(torch.tensor(lengths))
        )
        assert context.shape == (B, T, K)
        assert weights.shape == (B, T, S)
        for b in range(B):
            for t in range(T):
                scores = [
                    naive_score(name, attention.score, query[b, t], states[b, s])
                    for s in range(lengths[b])
                ]
                total = sum(math.exp(score) for score in scores)
                expected = [math.exp(score) / total for score in scores]
                assert weights[b, t].tolist() == pytest.approx(
                    expected + [0.0] * (S - lengths[b]), abs=1e-5
                )
                mixed = [
                    sum(w * float(states[b, s, k]) for s, w in enumerate(expected))
                    for k in range(K)
                ]
                assert context[b, t].tolist() == pytest.approx(mixed, abs=1e-5)


def test_weights_by_hand() -> None:
    scores = torch.tensor([[0.0, math.log(3.0), 100.0]])
    masked = attention_weights(scores, torch.tensor([[True, True, False]]))
    assert masked[0].tolist() == pytest.approx([0.25, 0.75, 0.0])
    assert attention_weights(scores, None)[0, 2].item() == pytest.approx(1.0)


def test_mix_by_hand() -> None:
    values = torch.tensor([[4.0, 0.0], [0.0, 8.0]])
    assert mix(torch.tensor([[0.25, 0.75]]), values).tolist() == [[1.0, 6.0]]


def test_additive_mask_and_boolean_mask_hide_the_same_positions() -> None:
    scores = torch.randn(2, 3, 4)
    mask = length_mask(torch.tensor([4, 1]))[:, None]
    torch.testing.assert_close(
        attention_weights(scores, mask),
        attention_weights(scores + additive(mask, scores.dtype), None),
    )


# --- multi-head attention against torch ---------------------------------------------------------

D, H = 12, 3


def pair() -> tuple[SelfAttention, nn.MultiheadAttention]:
    """Ours and torch's with the same weights."""
    torch.manual_seed(2)
    ours, theirs = SelfAttention(D, H), nn.MultiheadAttention(D, H, batch_first=True)
    theirs.in_proj_bias.data.normal_()
    theirs.out_proj.bias.data.normal_()
    weights, biases = theirs.in_proj_weight.chunk(3), theirs.in_proj_bias.chunk(3)
    for part, weight, bias in zip((ours.query, ours.key, ours.value), weights, biases, strict=True):
        part.weight.data.copy_(weight)
        part.bias.data.copy_(bias)
    ours.output.load_state_dict(theirs.out_proj.state_dict())
    return ours, theirs


def keys_values(layer: MultiHeadAttention, states: Tensor) -> tuple[Tensor, Tensor]:
    return layer.split(layer.key(states)), layer.split(layer.value(states))


def attend(layer: MultiHeadAttention, x: Tensor, states: Tensor, bias: Tensor | None) -> Tensor:
    if isinstance(layer, SelfAttention) and x is states:
        return layer.attend(*layer.queries_keys_values(x), bias)
    return layer.attend(layer.queries(x), *keys_values(layer, states), bias)


PADDING = length_mask(torch.tensor([S, 2]))
MASKS = {
    "nothing": (None, {}),
    "padding": (
        additive(PADDING, torch.float32)[:, None, None],
        {"key_padding_mask": ~PADDING},
    ),
    "causal": (additive(causal_mask(S), torch.float32), {"attn_mask": ~causal_mask(S)}),
}


@pytest.mark.parametrize("use_fused", [False, True])
@pytest.mark.parametrize("mask", MASKS)
def test_multi_head_equals_torch(
    mask: str, use_fused: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room, "fused", lambda query, rate: use_fused)
    ours, theirs = pair()
    bias, options = MASKS[mask]
    x = torch.randn(B, S if mask == "causal" else T, D, requires_grad=True)
    states = x if mask == "causal" else torch.randn(B, S, D, requires_grad=True)
    output = attend(ours, x, states, bias)
    expected, _ = theirs(x, states, states, need_weights=False, **options)
    torch.testing.assert_close(output, expected, atol=1e-5, rtol=1e-5)

    direction = torch.randn_like(output)
    mine = torch.autograd.grad((output * direction).sum(), [x, states, *ours.parameters()])
    other = torch.autograd.grad((expected * direction).sum(), [x, states, *theirs.parameters()])
    torch.testing.assert_close(mine[:2], other[:2], atol=1e-5, rtol=1e-5)
    # Ours: query, key, value, output, each weight and bias; torch's: the first three joined.
    weights, biases = torch.cat(mine[2:8:2]), torch.cat(mine[3:8:2])
    torch.testing.assert_close((weights, biases, *mine[8:]), tuple(other[2:]), atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("mask", MASKS)
def test_visible_path_equals_the_fused_kernel(mask: str) -> None:
    ours, _ = pair()
    bias, _ = MASKS[mask]
    states = torch.randn(B, S, D)
    with torch.no_grad():
        query, (key, value) = ours.queries(states), keys_values(ours, states)
        context = F.scaled_dot_product_attention(query, key, value, attn_mask=bias)
        expected = ours.output(context.transpose(1, 2).flatten(2))
        torch.testing.assert_close(ours.attend(query, key, value, bias), expected)


def test_heads_are_side_by_side_in_the_width() -> None:
    x = torch.arange(2 * 3 * D, dtype=torch.float32).view(2, 3, D)
    heads = MultiHeadAttention(D, H).split(x)
    assert heads.shape == (2, H, 3, D // H)
    assert torch.equal(heads[1, 2, 1], x[1, 1, 8:12])


def test_where_the_fused_kernel_is_used() -> None:
    short, long = torch.zeros(2, H, 40, 4), torch.zeros(2, H, 100, 4)
    assert not room.fused(short, 0.0)
    assert room.fused(long, 0.0)
    assert not room.fused(long, 0.1)  # a CPU has no fused kernel that drops weights
    elsewhere = short.to("meta")
    assert room.fused(elsewhere, 0.1)
    with record(nn.Identity()):
        assert not room.fused(elsewhere, 0.0)
        assert not room.fused(long, 0.0)


def test_fused_path_drops_weights_in_training_only(monkeypatch: pytest.MonkeyPatch) -> None:
    rates = []
    kernel = F.scaled_dot_product_attention

    def spy(*args, dropout_p: float, **kwargs) -> Tensor:
        rates.append(dropout_p)
        return kernel(*args, dropout_p=dropout_p, **kwargs)

    monkeypatch.setattr(room, "fused", lambda query, rate: True)
    monkeypatch.setattr(F, "scaled_dot_product_attention", spy)
    layer, x = MultiHeadAttention(D, H, dropout=0.25), torch.randn(B, S, D)
    attend(layer, x, x, None)
    attend(layer.eval(), x, x, None)
    assert rates == [0.25, 0.0]


def test_visible_path_drops_weights_in_training_only() -> None:
    layer, x = MultiHeadAttention(D, H, dropout=0.5), torch.randn(B, S, D)
    torch.manual_seed(3)
    first = attend(layer, x, x, None)
    assert not torch.allclose(first, attend(layer, x, x, None))
    layer.eval()
    assert torch.equal(attend(layer, x, x, None), attend(layer, x, x, None))


# --- grouped heads ------------------------------------------------------------------------------


@pytest.mark.parametrize("use_fused", [False, True])
@pytest.mark.parametrize("groups", [1, 2])
def test_grouped_heads_equal_repeated_ones(
    groups: int, use_fused: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ainslie et al. 2023: query heads side by side share a head of keys and values."""
    monkeypatch.setattr(room, "fused", lambda query, rate: use_fused)
    heads, width, x = 4, 5, torch.randn(B, S, D)
    shared = SelfAttention(D, heads, key_value_heads=groups, head_width=width)
    whole = SelfAttention(D, heads, head_width=width)
    for name, parameter in whole.named_parameters():
        value = dict(shared.named_parameters())[name].data
        if name.startswith(("key", "value")):
            value = value.unflatten(0, (groups, width)).repeat_interleave(heads // groups, 0)
            value = value.flatten(0, 1)
        parameter.data.copy_(value)
    bias = additive(causal_mask(S), torch.float32)
    query, key, value = shared.queries_keys_values(x)
    assert query.shape == (B, heads, S, width)
    assert key.shape == value.shape == (B, groups, S, width)
    found, expected = attend(shared, x, x, bias), attend(whole, x, x, bias)
    torch.testing.assert_close(found, expected, atol=1e-5, rtol=1e-5)
    direction = torch.randn_like(found)
    one, other = (
        torch.autograd.grad((each * direction).sum(), layer.query.weight)
        for each, layer in ((found, shared), (expected, whole))
    )
    torch.testing.assert_close(one, other, atol=1e-5, rtol=1e-5)


def test_recorded_weights_have_a_matrix_for_every_query_head() -> None:
    layer, x = SelfAttention(D, 4, key_value_heads=2, head_width=3), torch.randn(B, S, D)
    with record(layer) as seen:
        attend(layer, x, x, None)
    assert seen["weights"][0].shape == seen["scores"][0].shape == (B, 4, S, S)


def test_biases_by_switch() -> None:
    inner = {"query.bias", "key.bias", "value.bias"}
    for bias, output in ((True, False), (False, False), (False, True)):
        layer = SelfAttention(D, H, bias=bias, output_bias=output)
        found = {name for name, _ in layer.named_parameters() if name.endswith("bias")}
        assert found == (inner if bias else set()) | ({"output.bias"} if output else set())
