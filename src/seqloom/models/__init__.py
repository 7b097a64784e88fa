"""Layers to whole models, one file a family; the registries are the only list of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from seqloom.models.base import CausalModel, EncoderDecoder, MaskedModel, Memory
from seqloom.models.bert import Bert
from seqloom.models.gpt import Gpt
from seqloom.models.rnn import RecurrentSeq2Seq
from seqloom.models.transformer import Transformer
from seqloom.recipe import ModelRecipe
from seqloom.recipe.language import LanguageModelRecipe
from seqloom.symbols import Symbols

MODELS: dict[str, Callable[[Any, int, int], EncoderDecoder]] = {
    "transformer": Transformer,
    "rnn": RecurrentSeq2Seq,
}
"""Family -> builder from (recipe section, source vocabulary, target vocabulary)."""


def build_model(recipe: ModelRecipe, source_size: int, target_size: int) -> EncoderDecoder:
    """A freshly initialised model of the recipe's family."""
    return MODELS[recipe.family](recipe, source_size, target_size)


LANGUAGE_MODELS: dict[str, Callable[[Any, int, Symbols], MaskedModel | CausalModel]] = {
    "bert": Bert,
    "gpt": Gpt,
}
"""Family -> builder from (recipe section, vocabulary, its special tokens)."""


def build_language_model(
    recipe: LanguageModelRecipe, size: int, symbols: Symbols
) -> MaskedModel | CausalModel:
    """A freshly initialised language model of the recipe's family."""
    return LANGUAGE_MODELS[recipe.family](recipe, size, symbols)


__all__ = [
    "LANGUAGE_MODELS",
    "MODELS",
    "CausalModel",
    "EncoderDecoder",
    "MaskedModel",
    "Memory",
    "build_language_model",
    "build_model",
]
