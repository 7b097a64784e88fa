"""What is lost without a head: nothing where it gives nothing, and what forced scores say else."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest
import torch

sys.path.append(str(Path(__file__).parents[1] / "models"))

from language_architectures import BERTS, GPTS, strong

from seqloom.decoding.forced import score_pairs
from seqloom.inspection.head_importance import Translations, importance
from seqloom.inspection.head_reading import Text
from seqloom.inspection.head_roles import BLEU, LIKELIHOOD
from seqloom.models import build_model
from seqloom.recipe import TransformerRecipe

TEXTS = [Text(n, (5 + n, 6, 7 + n % 3), (8, 9 + n % 4)) for n in range(8)]
ENCODER = "encoder.layers.0.self_attention"


@pytest.fixture
def model() -> Any:
    torch.manual_seed(1)
    recipe = TransformerRecipe(
        width=16, feedforward=16, heads=2, encoder_layers=1, decoder_layers=1, norm="post"
    )
    return build_model(recipe, 20, 20).eval()


def without(model: Any, path: str, head: int) -> None:
    """Zero what the head adds, in the weights themselves."""
    layer = model.get_submodule(path)
    with torch.no_grad():
        layer.output.weight.view(16, 2, 8)[:, head] = 0


def test_losses_equal_those_of_a_model_without_the_head(model: Any) -> None:
    sides = [text.source for text in TEXTS], [text.target for text in TEXTS]
    before = score_pairs([model], *sides, torch.device("cpu"))
    found = importance(model, TEXTS, {ENCODER: 2})
    assert set(found) == {(ENCODER, 0), (ENCODER, 1)}
    without(model, ENCODER, 1)
    after = score_pairs([model], *sides, torch.device("cpu"))
    tokens = sum(map(len, before))
    lost = (sum(map(sum, before)) - sum(map(sum, after))) / tokens
    measure = found[ENCODER, 1][LIKELIHOOD]
    assert measure.value == pytest.approx(lost, abs=1e-6)
    assert measure.n == tokens
    assert measure.low <= measure.value <= measure.high
    again = importance(model, TEXTS, {ENCODER: 2})[ENCODER, 1][LIKELIHOOD]
    assert (again.value, again.low, again.high) == pytest.approx((0, 0, 0), abs=1e-6)


def test_bleu_is_lost_where_translations_change(model: Any) -> None:
    said = iter([["a b c d e"] * 8, ["a b c d e"] * 8, ["a x"] * 8])
    judged = Translations(lambda: next(said), ["a b c d e"] * 8)
    steps: list[tuple[int, int]] = []
    found = importance(
        model,
        TEXTS,
        {ENCODER: 2},
        translations=judged,
        progress=lambda name, done, total: steps.append((done, total)),
    )
    same, worse = (found[ENCODER, head][BLEU] for head in (0, 1))
    assert (same.value, same.low, same.high, same.n) == (0, 0, 0, 8)
    assert worse.value > 90
    assert worse.low > 90
    assert steps == [(1, 2), (2, 2)]


@pytest.mark.parametrize("recipe", [BERTS[0], GPTS[0]], ids=["bert", "gpt"])
def test_readers_are_scored_too(recipe: Any) -> None:
    model = strong(recipe)
    texts = [text._replace(target=()) for text in TEXTS]
    path = "layers.0.self_attention"
    found = importance(model, texts, {path: recipe.heads})
    again = importance(model, texts, {path: recipe.heads})
    values = [found[path, head][LIKELIHOOD] for head in range(recipe.heads)]
    assert values == [again[path, head][LIKELIHOOD] for head in range(recipe.heads)]
    assert any(abs(each.value) > 1e-4 for each in values)
    assert values[0].n == (len(texts) if recipe.family == "bert" else 4 * len(texts))
