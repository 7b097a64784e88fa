"""What search, probes and export rely on, held against every architecture of the table.

Relations: padded = unpadded, batched = single, cached = uncached, N hypotheses = separate rows,
causal, recorded = unrecorded, memory and state follow their sentences, gradients go everywhere.
"""

from __future__ import annotations

from functools import cache
from typing import Any, Literal, get_args, get_origin

import pytest
import torch
from architectures import ARCHITECTURES, RECIPES, SIZES, SOURCE_SIZE, TARGET_SIZE, switches
from stepping import check_that_beams_move, near, run_steps
from torch import Tensor
from torch.nn import functional as F

from seqloom.layers import attention
from seqloom.layers.masks import length_mask
from seqloom.layers.recorder import record, recording
from seqloom.models import MODELS, EncoderDecoder, build_model
from seqloom.recipe import ModelRecipe, RecurrentRecipe, TransformerRecipe

B, S, T, N = 3, 7, 5, 4
every_architecture = pytest.mark.parametrize("recipe", ARCHITECTURES)


@cache
def _model(recipe: ModelRecipe) -> EncoderDecoder:
    torch.manual_seed(1)
    return build_model(recipe, SOURCE_SIZE, TARGET_SIZE).eval()


@pytest.fixture
def model(recipe: ModelRecipe) -> EncoderDecoder:
    """The recipe's model in evaluation mode, one for all tests; they leave its weights alone."""
    return _model(recipe)


def ids(seed: int, *shape: int) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randint(4, SOURCE_SIZE, shape, generator=generator)


LENGTHS = [S, 4, 1]
SOURCE, MASK, TARGET = ids(1, B, S), length_mask(torch.tensor(LENGTHS)), ids(2, B, T)


# --- the table itself ---------------------------------------------------------------------------


def values_of(annotation: Any) -> set[Any]:
    """All values of a switch: a Literal's words, or both truth values."""
    if annotation is bool:
        return {True, False}
    assert get_origin(annotation) is Literal, f"{annotation} is no switch: name it in SIZES"
    return set(get_args(annotation))


@pytest.mark.parametrize("section", [TransformerRecipe, RecurrentRecipe])
def test_the_table_holds_every_value_of_every_switch(section: type[ModelRecipe]) -> None:
    recipes = [recipe for recipe in RECIPES if isinstance(recipe, section)]
    for name, field in section.model_fields.items():
        if name in SIZES:
            assert name in ("family", "heads_left") or field.annotation in (int, float)
        else:
            assert {switches(recipe)[name] for recipe in recipes} == values_of(field.annotation)


def test_the_table_holds_every_family_and_no_architecture_twice() -> None:
    assert {recipe.family for recipe in RECIPES} == set(MODELS)
    assert len({param.id for param in ARCHITECTURES}) == len(ARCHITECTURES)


# --- relations ----------------------------------------------------------------------------------


@every_architecture
@torch.no_grad()
def test_padded_equals_unpadded(model: EncoderDecoder) -> None:
    memory = model.encode(SOURCE, MASK)
    hidden = model.decode(memory, TARGET)
    for row, length in enumerate(LENGTHS):
        own = slice(row, row + 1)
        alone = model.encode(SOURCE[own, :length], MASK[own, :length])
        near(memory.states[own, :length], alone.states)
        near(hidden[own], model.decode(alone, TARGET[own]))


@every_architecture
@torch.no_grad()
def test_what_stands_in_the_padding_does_not_matter(model: EncoderDecoder) -> None:
    other = SOURCE.where(MASK, torch.zeros_like(SOURCE))
    near(
        model.decode(model.encode(SOURCE, MASK), TARGET),
        model.decode(model.encode(other, MASK), TARGET),
    )


@every_architecture
@torch.no_grad()
def test_batched_equals_single(model: EncoderDecoder) -> None:
    everything = torch.ones_like(MASK)
    hidden = model.decode(model.encode(SOURCE, everything), TARGET)
    singles = [
        model.decode(model.encode(SOURCE[row : row + 1], everything[:1]), TARGET[row : row + 1])
        for row in range(B)
    ]
    near(hidden, torch.cat(singles))


@every_architecture
@torch.no_grad()
def test_cached_equals_uncached(model: EncoderDecoder) -> None:
    memory = model.encode(SOURCE, MASK)
    near(run_steps(model, memory, TARGET), model.decode(memory, TARGET))


@every_architecture
@torch.no_grad()
def test_hypotheses_equal_separate_rows(model: EncoderDecoder) -> None:
    memory, target = model.encode(SOURCE, MASK), ids(3, B * N, T)
    copied = memory.select(torch.arange(B).repeat_interleave(N))
    near(run_steps(model, memory, target), model.decode(copied, target))


@every_architecture
@torch.no_grad()
def test_a_beam_moves_and_sentences_leave(model: EncoderDecoder) -> None:
    check_that_beams_move(model, model.encode(SOURCE, MASK), ids(4, B * N, T))


@every_architecture
@torch.no_grad()
def test_a_state_is_a_value(model: EncoderDecoder) -> None:
    """Stepping twice from one state gives the same twice: nothing is kept on the model."""
    memory = model.encode(SOURCE, MASK)
    _, state = model.step(memory, model.start(memory), TARGET[:, 0])
    first, _ = model.step(memory, state, TARGET[:, 1])
    model.step(memory, state, TARGET[:, 2])
    again, _ = model.step(memory, state, TARGET[:, 1])
    assert torch.equal(first, again)


@every_architecture
@torch.no_grad()
def test_memory_selects_sentences(model: EncoderDecoder) -> None:
    memory, order = model.encode(SOURCE, MASK), torch.tensor([2, 0, 0])
    chosen = memory.select(order)
    assert torch.equal(chosen.mask, MASK[order])
    near(
        model.decode(chosen, TARGET), model.decode(model.encode(SOURCE[order], MASK[order]), TARGET)
    )


@every_architecture
@torch.no_grad()
def test_causal(model: EncoderDecoder) -> None:
    memory = model.encode(SOURCE, MASK)
    hidden = model.decode(memory, TARGET)
    for position in range(1, T):
        changed = TARGET.clone()
        changed[:, position:] = 4 + (changed[:, position:] - 3) % (TARGET_SIZE - 4)
        assert (changed[:, position:] != TARGET[:, position:]).all()
        near(model.decode(memory, changed)[:, :position], hidden[:, :position])


@every_architecture
@torch.no_grad()
def test_the_source_and_the_last_token_reach_the_output(
    model: EncoderDecoder, recipe: ModelRecipe
) -> None:
    hidden = model.decode(model.encode(SOURCE, MASK), TARGET)
    other = model.decode(model.encode(ids(5, B, S), MASK), TARGET)
    assert ((hidden - other).abs().amax(dim=(1, 2)) > 1e-4).all()
    changed = model.decode(model.encode(SOURCE, MASK), ids(6, B, T))
    # With the context as the only input, the decoder reads no tokens at all.
    blind = isinstance(recipe, RecurrentRecipe) and recipe.context == "input"
    assert torch.equal(hidden, changed) if blind else not torch.allclose(hidden, changed)


@every_architecture
@torch.no_grad()
def test_recorded_equals_unrecorded(model: EncoderDecoder, recipe: ModelRecipe) -> None:
    plain = model.decode(model.encode(SOURCE, MASK), TARGET)
    with record(model) as seen:
        recorded = model.decode(model.encode(SOURCE, MASK), TARGET)
    assert not recording()
    assert torch.equal(plain, recorded)
    assert sorted(seen.paths()) == sorted(paths(recipe))
    for path in seen.paths():
        if path.endswith("weights"):
            weights = torch.cat(seen[path], dim=2)  # one entry for all positions, or one each
            near(weights.sum(-1), torch.ones_like(weights[..., 0]))
            if weights.shape[-1] == S:
                assert (weights.masked_select(~MASK[:, None, None]) == 0).all()


NOTED = ("query", "key", "value", "scores", "weights")


def paths(recipe: ModelRecipe) -> list[str]:
    """What a recorder sees of a model; pictures and probes rely on these names."""
    encoder = [f"encoder.layers.{depth}" for depth in range(recipe.encoder_layers)]
    decoder = [f"decoder.layers.{depth}" for depth in range(recipe.decoder_layers)]
    hidden = [f"{layer}.hidden" for layer in encoder + decoder]
    if isinstance(recipe, RecurrentRecipe):
        layers = ["decoder.attention"] if recipe.attention != "none" else []
        hidden.append("source.hidden")
        return hidden + [f"{layer}.{name}" for layer in layers for name in NOTED]
    layers = [f"{layer}.self_attention" for layer in encoder + decoder]
    layers += [f"{layer}.cross_attention" for layer in decoder]
    hidden += [f"{side}.embedder.hidden" for side in ("encoder", "decoder")]
    return hidden + [f"{layer}.{name}" for layer in layers for name in NOTED]


@every_architecture
@torch.no_grad()
def test_a_recorded_step_equals_the_recorded_whole(
    model: EncoderDecoder, recipe: ModelRecipe
) -> None:
    attends = not isinstance(recipe, RecurrentRecipe) or recipe.attention != "none"
    last = f"decoder.layers.{recipe.decoder_layers - 1}.cross_attention.weights"
    path = last if isinstance(recipe, TransformerRecipe) else "decoder.attention.weights"
    memory = model.encode(SOURCE, MASK)
    with record(model) as whole:
        model.decode(memory, TARGET)
    with record(model) as stepped:
        run_steps(model, memory, TARGET)
    assert (path in stepped) == (path in whole) == attends
    if attends:
        near(torch.cat(stepped[path], dim=2), torch.cat(whole[path], dim=2))


@every_architecture
def test_gradients_reach_every_parameter(recipe: ModelRecipe) -> None:
    torch.manual_seed(7)
    model = build_model(recipe, SOURCE_SIZE, TARGET_SIZE)
    logits = model.project(model.decode(model.encode(SOURCE, MASK), TARGET))
    assert logits.shape == (B, T, TARGET_SIZE)
    F.cross_entropy(logits.flatten(0, 1), ids(8, B * T)).backward()
    silent = {
        name
        for name, parameter in model.named_parameters()
        if parameter.grad is None or parameter.grad.abs().max() < 1e-7
    }
    assert silent == unmoved(model, recipe)


def unmoved(model: EncoderDecoder, recipe: ModelRecipe) -> set[str]:
    """Parameters without a gradient, each for a reason.

    A bias on all keys of a query shifts its scores alike, which the softmax ignores, unless rotary
    positions turn it. A decoder that reads no tokens leaves an embedding alone that is not tied.
    """
    if isinstance(recipe, RecurrentRecipe):
        blind = recipe.context == "input" and recipe.tie == "none"
        return {"decoder.tokens.weight"} if blind else set()
    keys = {name for name, _ in model.named_parameters() if name.endswith("attention.key.bias")}
    if recipe.positions == "rotary":
        return {name for name in keys if "cross_attention" in name}
    return keys


@every_architecture
def test_a_seed_decides_weights_and_dropout(recipe: ModelRecipe) -> None:
    def logits() -> tuple[Tensor, Tensor]:
        torch.manual_seed(9)
        model = build_model(recipe, SOURCE_SIZE, TARGET_SIZE)
        first, second = (
            model.project(model.decode(model.encode(SOURCE, MASK), TARGET)) for _ in range(2)
        )
        return first, second

    (first, second), again = logits(), logits()
    assert torch.equal(first, again[0])
    assert torch.equal(second, again[1])
    assert not torch.equal(first, second)


@every_architecture
@torch.no_grad()
def test_bfloat16_models_run(recipe: ModelRecipe) -> None:
    torch.manual_seed(10)
    model = build_model(recipe, SOURCE_SIZE, TARGET_SIZE).eval().to(torch.bfloat16)
    memory = model.encode(SOURCE, MASK)
    hidden = model.decode(memory, TARGET)
    assert hidden.dtype == torch.bfloat16
    stepped = run_steps(model, memory, TARGET)
    torch.testing.assert_close(stepped, hidden, atol=0.2, rtol=0.1)


@pytest.mark.parametrize("recipe", [p for p in ARCHITECTURES if "transformer" in p.id])
@torch.no_grad()
def test_the_fused_kernel_equals_the_visible_path(
    model: EncoderDecoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    memory = model.encode(SOURCE, MASK)
    hidden = model.decode(memory, TARGET)
    monkeypatch.setattr(attention, "fused", lambda query, rate: not recording())
    near(model.decode(model.encode(SOURCE, MASK), TARGET), hidden)
    near(run_steps(model, memory, TARGET), hidden)


def test_only_learned_positions_limit_the_length() -> None:
    limits = {
        (getattr(recipe, "positions", None), _model(recipe).max_positions) for recipe in RECIPES
    }
    assert limits == {
        (None, None),
        ("sinusoidal", None),
        ("fairseq", None),
        ("rotary", None),
        ("learned", 12),
    }
