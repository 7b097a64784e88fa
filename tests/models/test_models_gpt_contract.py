"""What search, losses and probes rely on, held against every causal model of the table.

Relations: cached = uncached, padded = unpadded, batched = single, packed = one by one, N hypotheses
= separate rows, causal, memory and state follow their prompts.
"""

from __future__ import annotations

import pytest
import torch
from language_architectures import (
    CONTEXT,
    GPTS,
    PACKED,
    SIZE,
    SYMBOLS,
    documents_of,
    every_gpt,
    gpt,
    ids,
    strong,
)
from stepping import check_that_beams_move, near, run_steps
from torch import Tensor
from torch.nn import functional as F

from seqloom.layers import attention
from seqloom.layers.masks import length_mask
from seqloom.layers.recorder import record, recording
from seqloom.models.base import Memory
from seqloom.models.gpt import Gpt
from seqloom.recipe.language import GptRecipe

B, S, T, N = 3, 8, 5, 4
PROMPTS = [S, 4, 1]
"""The last prompt is the symbol of a beginning alone."""
SOURCE, MASK = ids(1, B, S), length_mask(torch.tensor(PROMPTS))
SOURCE[:, 0] = SYMBOLS.begin


@pytest.fixture
def model(recipe: GptRecipe) -> Gpt:
    return gpt(recipe)


def continued(memory: Memory, seed: int, count: int = 1, length: int = T) -> Tensor:
    """Decoder inputs [B*count length]: the last token of the prompt, then random ones."""
    opening = memory.opening.repeat_interleave(count)[:, None]
    return torch.cat([opening, ids(seed, len(opening), length - 1)], dim=1)


@every_gpt
@torch.no_grad()
def test_forced_scoring_equals_the_whole_text_at_once(model: Gpt) -> None:
    """Prompts of several lengths in one batch, each against its own text without padding."""
    memory = model.encode(SOURCE, MASK)
    target = continued(memory, 2)
    hidden = model.decode(memory, target)
    for row, length in enumerate(PROMPTS):
        whole = torch.cat([SOURCE[row, :length], target[row, 1:]])[None]
        near(hidden[row], model(whole)[0, length - 1 :])


@every_gpt
@torch.no_grad()
def test_cached_equals_uncached(model: Gpt) -> None:
    memory = model.encode(SOURCE, MASK)
    target = continued(memory, 3)
    near(run_steps(model, memory, target), model.decode(memory, target))


@every_gpt
@torch.no_grad()
def test_a_long_text_equals_the_cache_that_moves_several_times(model: Gpt) -> None:
    memory = model.encode(SOURCE, MASK)
    target = continued(memory, 4, length=CONTEXT - S + 1)
    near(run_steps(model, memory, target), model.decode(memory, target))


@every_gpt
@torch.no_grad()
def test_hypotheses_equal_separate_rows(model: Gpt) -> None:
    memory = model.encode(SOURCE, MASK)
    target = continued(memory, 5, N)
    copied = memory.select(torch.arange(B).repeat_interleave(N))
    near(run_steps(model, memory, target), model.decode(copied, target))


@every_gpt
@torch.no_grad()
def test_a_beam_moves_and_prompts_leave(model: Gpt) -> None:
    memory = model.encode(SOURCE, MASK)
    check_that_beams_move(model, memory, continued(memory, 6, N))


@every_gpt
@torch.no_grad()
def test_a_state_is_a_value(model: Gpt) -> None:
    memory = model.encode(SOURCE, MASK)
    keys = [key.clone() for key in memory.keys]
    target = continued(memory, 7)
    _, state = model.step(memory, model.start(memory), target[:, 0])
    first, _ = model.step(memory, state, target[:, 1])
    model.step(memory, state, target[:, 2])
    again, _ = model.step(memory, state, target[:, 1])
    near(first, again)  # not equal: what is behind a window was dropped in between
    assert all(torch.equal(key, other) for key, other in zip(memory.keys, keys, strict=True))


@every_gpt
@torch.no_grad()
def test_padding_of_prompts_does_not_matter(model: Gpt) -> None:
    memory = model.encode(SOURCE, MASK)
    target = continued(memory, 8)
    hidden = model.decode(memory, target)
    other = SOURCE.masked_fill(~MASK, SYMBOLS.pad)
    assert not torch.equal(other, SOURCE)
    near(model.decode(model.encode(other, MASK), target), hidden)
    for row, length in enumerate(PROMPTS):
        own = slice(row, row + 1)
        alone = model.encode(SOURCE[own, :length], MASK[own, :length])
        near(model.decode(alone, target[own]), hidden[own])
        near(run_steps(model, alone, target[own]), hidden[own])


@every_gpt
@torch.no_grad()
def test_prompts_of_one_token(model: Gpt) -> None:
    begin = torch.full((2, 1), SYMBOLS.begin)
    memory = model.encode(begin, torch.ones_like(begin, dtype=torch.bool))
    target = continued(memory.select(torch.tensor([1, 0])), 9, N)
    near(run_steps(model, memory, target), model(target))


@every_gpt
@torch.no_grad()
def test_packed_rows_equal_their_documents_one_by_one(model: Gpt) -> None:
    rows = ids(10, *PACKED.shape)
    packed = model(rows, PACKED)
    assert packed.isfinite().all()
    for found, document in zip(documents_of(packed), documents_of(rows), strict=True):
        near(found, model(document))


@every_gpt
def test_packed_rows_have_the_gradients_of_their_documents(recipe: GptRecipe) -> None:
    rows = ids(11, *PACKED.shape)
    together, apart = strong(recipe), strong(recipe)
    direction = torch.randn(recipe.width)
    (together(rows, PACKED)[PACKED > 0] @ direction).tanh().sum().backward()
    for document in documents_of(rows):
        (apart(document) @ direction).tanh().sum().backward()
    for (name, one), other in zip(together.named_parameters(), apart.parameters(), strict=True):
        if name != "output.weight":  # no gradient without the head
            torch.testing.assert_close(one.grad, other.grad, atol=1e-4, rtol=1e-4, msg=name)


@every_gpt
@torch.no_grad()
def test_causal(model: Gpt) -> None:
    text = ids(12, B, T)
    hidden = model(text)
    for position in range(1, T):
        changed = text.clone()
        changed[:, position:] = 5 + (changed[:, position:] - 4) % (SIZE - 5)
        assert (changed[:, position:] != text[:, position:]).all()
        other = model(changed)
        near(other[:, :position], hidden[:, :position])
        assert ((other - hidden)[:, position].abs().amax(dim=1) > 1e-4).all()


@pytest.mark.parametrize("layers", [1, 2])
@torch.no_grad()
def test_a_window_ends_what_a_token_sees(layers: int) -> None:
    """Through L layers a window of w reaches back L (w - 1) positions, and no further."""
    window = 3
    recipe = GptRecipe(width=16, heads=4, layers=layers, window=window, positions="rotary")
    model, text = gpt(recipe), ids(13, 1, 12)
    changed = text.clone()
    changed[0, 2] = 5 + (changed[0, 2] - 4) % (SIZE - 5)
    moved = (model(text) - model(changed)).abs().amax(dim=2)[0] > 1e-6
    assert moved.nonzero().flatten().tolist() == [*range(2, 3 + layers * (window - 1))]


@torch.no_grad()
def test_the_cache_of_a_window_forgets_what_is_behind_it() -> None:
    model = gpt(GptRecipe(width=16, heads=4, context=512, window=4))
    memory = model.encode(SOURCE, MASK)
    state, last = model.start(memory), memory.opening
    for _ in range(100):
        _, state = model.step(memory, state, last)
    assert state.past.sum(dim=1).tolist() == [4] * B
    assert state.slots.room < 50
    assert state.positions.tolist() == [length - 1 + 100 for length in PROMPTS]


@every_gpt
@torch.no_grad()
def test_the_cache_holds_shared_heads_once(model: Gpt, recipe: GptRecipe) -> None:
    memory = model.encode(SOURCE, MASK)
    width = recipe.head_width or recipe.width // recipe.heads
    shape = (B, recipe.key_value_heads or recipe.heads, S - 1, width)
    assert all(part.shape == shape for part in memory.keys + memory.values)
    _, state = model.step(memory, model.start(memory), memory.opening)
    assert state.slots.keys[0].shape[1] == shape[1]


@every_gpt
@torch.no_grad()
def test_recorded_equals_unrecorded(model: Gpt, recipe: GptRecipe) -> None:
    plain = model(SOURCE)
    with record(model) as seen:
        recorded = model(SOURCE)
    assert torch.equal(plain, recorded)
    layers = [f"layers.{depth}" for depth in range(recipe.layers)]
    noted = [f"self_attention.{name}" for name in ("query", "key", "value", "scores", "weights")]
    above = [f"{layer}.{name}" for layer in layers for name in (*noted, "hidden")]
    assert seen.paths() == ["tokens.hidden", *above]
    weights = seen["layers.0.self_attention.weights"][0]
    assert weights.shape == (B, recipe.heads, S, S)
    near(weights.sum(-1), torch.ones(B, recipe.heads, S))
    assert (weights.triu(1) == 0).all()


@every_gpt
@torch.no_grad()
def test_the_fused_kernel_equals_the_visible_path(
    model: Gpt, monkeypatch: pytest.MonkeyPatch
) -> None:
    memory = model.encode(SOURCE, MASK)
    target = continued(memory, 14, N)
    stepped, packed = run_steps(model, memory, target), model(SOURCE, PACKED[:, :S])
    monkeypatch.setattr(attention, "fused", lambda query, rate: not recording())
    near(run_steps(model, model.encode(SOURCE, MASK), target), stepped)
    near(model(SOURCE, PACKED[:, :S]), packed)


@every_gpt
def test_gradients_reach_every_parameter(recipe: GptRecipe) -> None:
    model = strong(recipe)
    memory = model.encode(SOURCE, MASK)
    for hidden in (model(SOURCE), model.decode(memory, continued(memory, 15))):
        model.zero_grad()
        logits = model.project(hidden)
        assert logits.shape == (*hidden.shape[:2], SIZE)
        F.cross_entropy(logits.flatten(0, 1), ids(16, logits.shape[0] * logits.shape[1])).backward()
        silent = {
            name
            for name, parameter in model.named_parameters()
            if parameter.grad is None or parameter.grad.abs().max() < 1e-7
        }
        # A bias on all keys of a query shifts its scores alike, which the softmax ignores, unless
        # rotary positions turn it.
        keys = {name for name, _ in model.named_parameters() if name.endswith("key.bias")}
        assert silent == (set() if recipe.positions == "rotary" else keys)


def test_the_context_is_the_limit() -> None:
    assert {gpt(recipe).max_positions for recipe in GPTS} == {CONTEXT}
    assert gpt(GPTS[0]).framed([7, 8]) == [SYMBOLS.begin, 7, 8]
