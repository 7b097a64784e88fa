"""What losses and probes rely on, held against every masked model of the table.

Relations: padded = unpadded, packed = one by one, every position sees both sides.
"""

from __future__ import annotations

import pytest
import torch
from language_architectures import (
    BERTS,
    CONTEXT,
    PACKED,
    SIZE,
    SYMBOLS,
    bert,
    documents_of,
    every_bert,
    ids,
    strong,
)
from stepping import near
from torch.nn import functional as F

from seqloom.layers import attention
from seqloom.layers.recorder import record, recording
from seqloom.models.bert import Bert
from seqloom.recipe.language import BertRecipe

B, T = PACKED.shape
ROWS = ids(1, B, T)
SEGMENTS = torch.randint(2, (B, T), generator=torch.Generator().manual_seed(2))


@pytest.fixture
def model(recipe: BertRecipe) -> Bert:
    return bert(recipe)


@every_bert
@torch.no_grad()
def test_packed_rows_equal_their_documents_one_by_one(model: Bert) -> None:
    packed = model(ROWS, PACKED, SEGMENTS)
    parts = (documents_of(each) for each in (packed, ROWS, SEGMENTS))
    for found, document, segments in zip(*parts, strict=True):
        near(found, model(document, segments=segments))


@every_bert
def test_packed_rows_have_the_gradients_of_their_documents(recipe: BertRecipe) -> None:
    together, apart = strong(recipe), strong(recipe)
    direction = torch.randn(recipe.width)
    (together(ROWS, PACKED, SEGMENTS)[PACKED > 0] @ direction).tanh().sum().backward()
    for document, segments in zip(documents_of(ROWS), documents_of(SEGMENTS), strict=True):
        (apart(document, segments=segments) @ direction).tanh().sum().backward()
    for (name, one), other in zip(together.named_parameters(), apart.parameters(), strict=True):
        if not name.startswith(("pooling", "transform", "following", "output")):
            torch.testing.assert_close(one.grad, other.grad, atol=1e-4, rtol=1e-4, msg=name)


@every_bert
@torch.no_grad()
def test_padding_does_not_matter_and_a_row_of_it_is_finite(model: Bert) -> None:
    documents = (torch.arange(T) < torch.tensor([T, 4, 0])[:, None]).long()
    hidden = model(ROWS, documents)
    assert hidden.isfinite().all()
    near(hidden[:1], model(ROWS[:1]))
    near(hidden[1:2, :4], model(ROWS[1:2, :4]))
    other = model(ROWS.masked_fill(documents == 0, SYMBOLS.pad), documents)
    near(other[documents > 0], hidden[documents > 0])


@every_bert
@torch.no_grad()
def test_every_position_sees_both_sides(model: Bert) -> None:
    hidden = model(ROWS)
    for position in (0, T // 2, T - 1):
        changed = ROWS.clone()
        changed[:, position] = 5 + (changed[:, position] - 4) % (SIZE - 5)
        assert ((model(changed) - hidden).abs().amax(dim=2) > 1e-4).all()


@every_bert
@torch.no_grad()
def test_segments_matter_and_are_zero_when_left_out(model: Bert) -> None:
    hidden = model(ROWS)
    near(hidden, model(ROWS, segments=torch.zeros_like(ROWS)))
    assert ((model(ROWS, segments=SEGMENTS) - hidden).abs().amax(dim=2) > 1e-4).all()


@every_bert
@torch.no_grad()
def test_recorded_equals_unrecorded(model: Bert, recipe: BertRecipe) -> None:
    plain = model(ROWS, PACKED)
    with record(model) as seen:
        recorded = model(ROWS, PACKED)
    assert torch.equal(plain, recorded)
    layers = [f"layers.{depth}" for depth in range(recipe.layers)]
    noted = [f"self_attention.{name}" for name in ("query", "key", "value", "scores", "weights")]
    above = [f"{layer}.{name}" for layer in layers for name in (*noted, "hidden")]
    assert seen.paths() == ["embedding_norm.hidden", *above]
    weights = seen["layers.0.self_attention.weights"][0]
    assert weights.shape == (B, recipe.heads, T, T)
    near(weights.sum(-1), torch.ones(B, recipe.heads, T))
    other = PACKED[:, :, None] != PACKED[:, None]
    assert (weights.masked_select(other[:, None]) == 0).all()


@every_bert
@torch.no_grad()
def test_the_fused_kernel_equals_the_visible_path(
    model: Bert, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain, packed = model(ROWS), model(ROWS, PACKED)
    monkeypatch.setattr(attention, "fused", lambda query, rate: not recording())
    near(model(ROWS), plain)
    near(model(ROWS, PACKED), packed)


@every_bert
def test_gradients_reach_every_parameter(recipe: BertRecipe) -> None:
    model = strong(recipe)
    hidden = model(ROWS, PACKED, SEGMENTS)
    logits, order = model.project(hidden), model.follows(model.pool(hidden[:, 0]))
    assert (logits.shape, order.shape) == ((B, T, SIZE), (B, 2))
    loss = F.cross_entropy(logits.flatten(0, 1), ids(3, B * T))
    (loss + F.cross_entropy(order, torch.tensor([0, 1, 0]))).backward()
    silent = {
        name
        for name, parameter in model.named_parameters()
        if parameter.grad is None or parameter.grad.abs().max() < 1e-7
    }
    # A bias on all keys of a query shifts its scores alike, which the softmax ignores, unless keys
    # are turned by their positions.
    ignored = {name for name, _ in model.named_parameters() if name.endswith("key.bias")}
    assert silent == (ignored if recipe.positions == "learned" else set())


@every_bert
@torch.no_grad()
def test_the_head_projects_what_is_read_out(model: Bert) -> None:
    hidden = model(ROWS)
    near(model.project(hidden), model.head(model.readout(hidden)))
    assert model.head.weight is model.tokens.weight


def test_the_context_is_the_limit() -> None:
    assert {bert(recipe).max_positions for recipe in BERTS} == {CONTEXT}
