"""Layers to whole models, one file a family; the registry is the only list of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from seqloom.models.base import EncoderDecoder, Memory
from seqloom.models.rnn import RecurrentSeq2Seq
from seqloom.models.transformer import Transformer
from seqloom.recipe import ModelRecipe

MODELS: dict[str, Callable[[Any, int, int], EncoderDecoder]] = {
    "transformer": Transformer,
    "rnn": RecurrentSeq2Seq,
}
"""Family -> builder from (recipe section, source vocabulary, target vocabulary)."""


def build_model(recipe: ModelRecipe, source_size: int, target_size: int) -> EncoderDecoder:
    """A freshly initialised model of the recipe's family."""
    return MODELS[recipe.family](recipe, source_size, target_size)


__all__ = ["MODELS", "EncoderDecoder", "Memory", "build_model"]
