"""Weights that go over into a model with a larger vocabulary."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from seqloom.models import build_language_model, build_model
from seqloom.recipe import RecurrentRecipe, TransformerRecipe
from seqloom.recipe.language import BertRecipe, GptRecipe
from seqloom.symbols import Symbols
from seqloom.training.growth import carry_over

ROWS = np.array([0, 1, 2, 3, -1, 4, 5, -1, 6, 7])
KNOWN = torch.from_numpy(np.flatnonzero(ROWS >= 0))
SMALL = {"width": 8, "feedforward": 12, "heads": 2}


def pair_of(family: str):
    """An old model with 8 tokens, and a new one with 10."""
    torch.manual_seed(1)
    if family in ("gpt", "bert"):
        recipe = (GptRecipe if family == "gpt" else BertRecipe)(**SMALL, layers=1)
        return [build_language_model(recipe, size, Symbols()).eval() for size in (8, 10)]
    if family == "rnn":
        recipe = RecurrentRecipe(embedding=6, width=8, tie="none")
        return [build_model(recipe, size, 7).eval() for size in (8, 10)]
    tie = "all" if family == "tied" else "none"
    recipe = TransformerRecipe(**SMALL, encoder_layers=1, decoder_layers=1, tie=tie)
    target = (8, 10) if tie == "all" else (7, 7)
    return [
        build_model(recipe, size, other).eval() for size, other in zip((8, 10), target, strict=True)
    ]


@pytest.mark.parametrize("family", ["gpt", "bert"])
@torch.no_grad()
def test_a_language_model_says_of_old_tokens_what_it_said(family: str) -> None:
    old, new = pair_of(family)
    carry_over(old, new, ROWS)
    ids = torch.tensor([[1, 7, 5, 2]])
    moved = KNOWN[ids]
    before, after = old.project(old(ids)), new.project(new(moved))
    assert torch.allclose(after[..., KNOWN], before, atol=1e-6)


@pytest.mark.parametrize("family", ["tied", "untied", "rnn"])
@torch.no_grad()
def test_a_translation_model_says_of_old_tokens_what_it_said(family: str) -> None:
    old, new = pair_of(family)
    carry_over(old, new, ROWS)
    source = torch.tensor([[5, 7, 2]])
    target = torch.tensor([[1, 6, 3]])
    mask = torch.ones_like(source, dtype=torch.bool)
    kept = KNOWN if family == "tied" else torch.arange(7)
    before = old.project(old.decode(old.encode(source, mask), target))
    moved = KNOWN[target] if family == "tied" else target
    after = new.project(new.decode(new.encode(KNOWN[source], mask), moved))
    assert torch.allclose(after[..., kept], before, atol=1e-6)


@torch.no_grad()
def test_new_rows_are_the_mean_of_the_others() -> None:
    old, new = pair_of("gpt")
    carry_over(old, new, ROWS)
    for row in np.flatnonzero(ROWS < 0):
        assert torch.allclose(new.tokens.weight[row], old.tokens.weight.mean(dim=0))
