"""What both kinds of language model have in common: table, seeds, number types, fresh weights."""

from __future__ import annotations

from typing import Any, Literal, get_args, get_origin

import pytest
import torch
from language_architectures import (
    BERTS,
    GPTS,
    SIZE,
    SIZES,
    SYMBOLS,
    every_language_model,
    ids,
    strong,
)
from test_models_initialisation import deviates_by
from torch import Tensor, nn

from seqloom.layers.dropout import Dropout
from seqloom.layers.linear import PRECISIONS, lowered
from seqloom.layers.positions import LearnedPositions
from seqloom.models import LANGUAGE_MODELS, build_language_model
from seqloom.recipe.language import BertRecipe, GptRecipe

TEXTS = ids(1, 3, 9)


def values_of(annotation: Any) -> set[Any]:
    """All values of a switch: a Literal's words, or both truth values."""
    if annotation is bool:
        return {True, False}
    assert get_origin(annotation) is Literal, f"{annotation} is no switch: name it in SIZES"
    return set(get_args(annotation))


@pytest.mark.parametrize("recipes", [BERTS, GPTS])
def test_the_table_holds_every_value_of_every_switch(recipes: list[Any]) -> None:
    for name, field in type(recipes[0]).model_fields.items():
        if name not in SIZES:
            assert {getattr(recipe, name) for recipe in recipes} == values_of(field.annotation)


def test_the_table_holds_every_family() -> None:
    assert {recipe.family for recipe in (*BERTS, *GPTS)} == set(LANGUAGE_MODELS)
    assert len({id(kind) for kind in LANGUAGE_MODELS.values()}) == 2


@every_language_model
def test_a_seed_decides_weights_and_dropout(recipe: BertRecipe | GptRecipe) -> None:
    def logits() -> tuple[Tensor, Tensor]:
        torch.manual_seed(9)
        model = build_language_model(recipe, SIZE, SYMBOLS)
        return model.project(model(TEXTS)), model.project(model(TEXTS))

    (first, second), again = logits(), logits()
    assert torch.equal(first, again[0])
    assert torch.equal(second, again[1])
    assert not torch.equal(first, second)


@every_language_model
@torch.no_grad()
def test_bfloat16_models_run(recipe: BertRecipe | GptRecipe) -> None:
    model = strong(recipe)
    exact = model(TEXTS)
    hidden = model.to(torch.bfloat16)(TEXTS, torch.ones_like(TEXTS))
    assert hidden.dtype == torch.bfloat16
    assert (hidden.float() - exact).square().mean() < 0.05 * exact.square().mean()


@every_language_model
@pytest.mark.parametrize("precision", PRECISIONS)
@torch.inference_mode()
def test_lowered_models_say_nearly_the_same(recipe: BertRecipe | GptRecipe, precision: str) -> None:
    model = strong(recipe)
    twin = lowered(model, precision)
    exact, found = (each.project(each(TEXTS)) for each in (model, twin))
    bound = {"float32": 1e-9, "bfloat16": 1e-2, "int8": 0.05}[precision]
    assert (found - exact).square().mean() < bound * exact.square().mean()
    if isinstance(recipe, GptRecipe):
        memory = twin.encode(TEXTS, torch.ones_like(TEXTS, dtype=torch.bool))
        last, _ = twin.step(memory, twin.start(memory), memory.opening)
        wanted = model.project(model(TEXTS)[:, -1])
        assert (twin.project(last) - wanted).square().mean() < bound * wanted.square().mean()


@every_language_model
def test_dropout_stands_where_the_recipe_says(recipe: BertRecipe | GptRecipe) -> None:
    rates = {"dropout": 0.25, "attention_dropout": 0.5}
    model = build_language_model(recipe.model_copy(update=rates), SIZE, SYMBOLS)
    found = {name: each.rate for name, each in model.named_modules() if isinstance(each, Dropout)}
    layers = [f"layers.{depth}" for depth in range(recipe.layers)]
    expected = {"dropout": 0.25}
    for layer in layers:
        expected |= {f"{layer}.dropout": 0.25, f"{layer}.self_attention.dropout": 0.5}
        expected |= {f"{layer}.feedforward.dropout": 0.0}
    assert found == expected
    assert not torch.allclose(model(TEXTS), model.eval()(TEXTS))
    quiet = recipe.model_copy(update=dict.fromkeys(rates, 0.0))
    model = build_language_model(quiet, SIZE, SYMBOLS)
    assert torch.equal(model(TEXTS), model.eval()(TEXTS))


@every_language_model
def test_autocast_rounds_and_changes_nothing_else(recipe: BertRecipe | GptRecipe) -> None:
    model = strong(recipe)
    exact = model(TEXTS)
    with torch.autocast("cpu", torch.bfloat16):
        found = model(TEXTS, torch.ones_like(TEXTS))
    assert (found.float() - exact).square().mean() < 0.02 * exact.square().mean()
    found.sum().backward()


# --- fresh weights ------------------------------------------------------------------------------

WIDTH, DEPTH = 64, 3
FRESH = {
    "bert": BertRecipe(width=WIDTH, layers=DEPTH, segments=20),
    "gpt-2": GptRecipe(width=WIDTH, layers=DEPTH),
    "llama": GptRecipe(
        width=WIDTH, layers=DEPTH, norm="rms", positions="rotary", activation="swiglu",
        bias="none", tie=False, key_value_heads=2,
    ),
}  # fmt: skip


@pytest.mark.parametrize("recipe", FRESH.values(), ids=FRESH)
@torch.no_grad()
def test_fresh_weights_are_as_the_tables_say(recipe: BertRecipe | GptRecipe) -> None:
    torch.manual_seed(1)
    model = build_language_model(recipe, 500, SYMBOLS)
    seen: set[int] = set()
    for name, module in model.named_modules():
        if isinstance(module, nn.Linear | nn.Embedding):
            last = name.endswith(("attention.output", "feedforward.outer"))
            shrunk = (2 * DEPTH) ** -0.5 if last and recipe.family == "gpt" else 1.0
            assert deviates_by(module.weight, 0.02 * shrunk), name
            assert getattr(module, "bias", None) is None or not module.bias.any(), name
        elif isinstance(module, nn.LayerNorm | nn.RMSNorm):
            assert (module.weight == 1).all(), name
            assert getattr(module, "bias", None) is None or not module.bias.any(), name
        elif isinstance(module, LearnedPositions):
            assert deviates_by(module.table, 0.02), name
        else:
            continue
        seen |= {id(parameter) for parameter in module.parameters()}
    assert seen == {id(parameter) for parameter in model.parameters()}


@every_language_model
def test_tied_weights_are_one_tensor(recipe: BertRecipe | GptRecipe) -> None:
    model = build_language_model(recipe, SIZE, SYMBOLS)
    assert (model.head.weight is model.tokens.weight) == getattr(recipe, "tie", True)
    assert (model.head.bias is None) == (recipe.family == "gpt")


@pytest.mark.parametrize("bias", ["all", "query_key_value", "none"])
def test_which_layers_have_a_bias(bias: str) -> None:
    recipe = GptRecipe(width=16, layers=1, norm="rms", activation="swiglu", bias=bias)
    model = build_language_model(recipe, SIZE, SYMBOLS)
    found = {name.split(".")[-2] for name, _ in model.named_parameters() if name.endswith("bias")}
    inner = {"query", "key", "value"} if bias != "none" else set()
    assert found == inner | ({"output", "gate", "inner", "outer"} if bias == "all" else set())
