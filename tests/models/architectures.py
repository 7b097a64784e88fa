"""Every family with every switch, in tiny sizes: the one table that all model tests run over."""

from __future__ import annotations

from itertools import cycle, product
from typing import Any

import pytest

from seqloom.recipe import ModelRecipe, RecurrentRecipe, TransformerRecipe

SOURCE_SIZE = TARGET_SIZE = 30
"""Vocabularies of the tiny models; equal, because some of them share one embedding."""

SIZES = frozenset(
    {
        "family", "width", "feedforward", "heads", "encoder_layers", "decoder_layers",
        "max_positions", "embedding", "dropout", "attention_dropout", "activation_dropout",
        "norm_epsilon", "heads_left",
    }
)  # fmt: skip
"""Recipe fields that are no switches."""


def _transformers() -> list[TransformerRecipe]:
    """Norm x activation x positions, while the other switches take turns."""
    switches = product(
        ("pre", "post"),
        ("relu", "gelu", "silu", "swiglu", "gelu_tanh"),
        ("sinusoidal", "fairseq", "learned", "rotary"),
    )
    ties, scales, normalized, biased, depths = (
        cycle(("none", "target", "all")),
        cycle((True, False, False, True, True)),
        cycle((False, False, True)),
        cycle((False, True, False, False, True, False, True)),
        cycle(((1, 2), (2, 1), (2, 2), (1, 1), (1, 2))),
    )
    recipes = []
    for norm, activation, positions in switches:
        encoder_layers, decoder_layers = next(depths)
        recipes.append(
            TransformerRecipe(
                width=16,
                feedforward=20,
                heads=2,
                max_positions=12,
                norm=norm,
                activation=activation,
                positions=positions,
                tie=next(ties),
                scale_embedding=next(scales),
                normalize_embedding=next(normalized),
                output_bias=next(biased),
                encoder_layers=encoder_layers,
                decoder_layers=decoder_layers,
            )
        )
    return recipes


def _recurrent() -> list[RecurrentRecipe]:
    """Cell x wiring with attention, cell x context without, while the other switches take turns."""
    scores = cycle(("dot", "bilinear", "additive", "scaled_dot"))
    wirings: list[dict[str, Any]] = [
        {"wiring": "before"},
        {"wiring": "after", "input_feeding": True},
        {"wiring": "after", "input_feeding": False},
    ]
    contexts: list[dict[str, Any]] = [
        {"attention": "none", "context": context}
        for context in ("initial", "input", "input_and_output")
    ]
    bridges, directions, ties, depths = (
        cycle(("learned", "last")),
        cycle((True, True, False, False, True)),
        cycle(("target", "none", "all", "none")),
        cycle(((1, 1), (2, 1), (1, 2), (2, 2), (2, 2), (1, 1), (1, 2))),
    )
    recipes = []
    for cell, wiring in product(("rnn", "lstm", "gru"), wirings + wirings + contexts):
        encoder_layers, decoder_layers = next(depths)
        options = wiring if "attention" in wiring else {"attention": next(scores), **wiring}
        recipes.append(
            RecurrentRecipe(
                width=16,
                embedding=12,
                cell=cell,
                bridge=next(bridges),
                bidirectional=next(directions),
                tie=next(ties),
                encoder_layers=encoder_layers,
                decoder_layers=decoder_layers,
                **options,
            )
        )
    return recipes


def _pruned() -> list[TransformerRecipe]:
    """Layers that have kept different numbers of their heads."""
    left = {"encoder": (1, 3), "decoder": (4, 1), "cross": (2, 3)}
    return [
        TransformerRecipe.model_validate(
            {"width": 16, "feedforward": 20, "heads": 4, "max_positions": 12, "norm": norm,
             "positions": positions, "encoder_layers": 2, "decoder_layers": 2, "heads_left": left}
        )
        for norm, positions in (("pre", "rotary"), ("post", "sinusoidal"))
    ]  # fmt: skip


RECIPES: list[ModelRecipe] = [*_transformers(), *_recurrent(), *_pruned()]


def switches(recipe: ModelRecipe) -> dict[str, Any]:
    """The fields of a recipe that choose an architecture."""
    return {name: value for name, value in recipe.model_dump().items() if name not in SIZES}


def _name(recipe: ModelRecipe) -> str:
    words = [recipe.family]
    for name, value in switches(recipe).items():
        if value is True or value is False:
            words += [name] if value else []
        else:
            words.append(str(value))
    words += ["pruned"] if getattr(recipe, "heads_left", None) else []
    return "-".join([*words, str(recipe.encoder_layers), str(recipe.decoder_layers)])


ARCHITECTURES = [pytest.param(recipe, id=_name(recipe)) for recipe in RECIPES]
"""pytest parameters: one recipe each."""
