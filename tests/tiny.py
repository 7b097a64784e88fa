"""A tiny model that is trained once a session: letters to capitals, one word a letter."""

from __future__ import annotations

import random
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import pytest
import torch

from seqloom.corpus.pairs import Corpus
from seqloom.folder import save_config, save_weights
from seqloom.models import build_model
from seqloom.recipe import Recipe, recipe_from
from seqloom.text.tokenizer import Tokenizer, Tokenizers
from seqloom.translator import Translator
from seqloom.workflow import train

LIMIT = 12
"""Longest source in tokens that the tiny model is trained on."""

TRANSFORMER = {
    "family": "transformer", "width": 32, "feedforward": 64, "heads": 2, "encoder_layers": 1,
    "decoder_layers": 1, "dropout": 0.0,
}  # fmt: skip
RNN = {"family": "rnn", "embedding": 12, "width": 16, "dropout": 0.0}
TRAINING = {
    "updates": 350, "batch_tokens": 512, "validate_every": 350, "warmup": 20,
    "learning_rate": 0.005, "schedule": "linear", "label_smoothing": 0.0,
    "precision": "float32", "keep": 2,
}  # fmt: skip


def letters(count: int, seed: int) -> list[str]:
    """Texts such as ``b a . d``, 1 to 7 words long."""
    chance = random.Random(seed)
    return [" ".join(chance.choices("abcdefgh.", k=chance.randint(1, 7))) for _ in range(count)]


def capitals(texts: Sequence[str]) -> Corpus:
    """Each text with itself in capitals."""
    return Corpus.of([(text, text.upper()) for text in texts], name="capitals")


def trained_folder(factory: pytest.TempPathFactory) -> Path:
    """The folder of the trained model, made once a session; not to be written to."""
    return _trained(factory.getbasetemp())


@cache
def _trained(folder: Path) -> Path:
    out = folder / "tiny" / "model"
    recipe = recipe_from(
        {
            "data": {"tokenizer": "word", "max_length": LIMIT},
            "model": TRANSFORMER,
            "training": TRAINING,
            "decoding": {"beam": 2, "precision": "float32"},
        },
        "tiny",
    )
    train(recipe, out, corpus=capitals(letters(1500, 1)), validation=capitals(letters(40, 2)))
    return out


def tokenizers_of(joint: bool = True, tags: Sequence[str] = (), turn: int = 0) -> Tokenizers:
    """Word vocabularies; ``turn`` puts the letters in another order, so that ids differ."""
    order = [*"abcdefgh."[turn:], *"abcdefgh."[:turn]]
    # A letter that is seen more often comes earlier.
    texts = [" ".join([letter] * (20 - place)) for place, letter in enumerate(order)]
    upper = [text.upper() for text in texts]
    if joint:
        both = Tokenizer.train([*texts, *upper], "word", 300, tags=tags, exact=False)
        return Tokenizers(both, both)
    source = Tokenizer.train(texts, "word", 300, tags=tags, exact=False)
    return Tokenizers(source, Tokenizer.train([*upper, "X Y Z"], "word", 300, exact=False))


def untrained(
    model: dict[str, object], *, tokenizers: Tokenizers | None = None, **data: object
) -> Translator:
    """A model of a given section of the recipe with random weights, the same each time."""
    values = {"data": {"tokenizer": "word", **data}, "model": model}
    recipe = recipe_from(values, "untrained")
    tokenizers = tokenizers or tokenizers_of(recipe.data.joint)
    return fresh(recipe, tokenizers)


def fresh(recipe: Recipe, tokenizers: Tokenizers, seed: int = 1) -> Translator:
    """Random weights for a recipe."""
    torch.manual_seed(seed)
    model = build_model(recipe.model, tokenizers.source.size, tokenizers.target.size).eval()
    return Translator([model], tokenizers, recipe, torch.device("cpu"))


def save(translator: Translator, folder: Path) -> Path:
    """Write a model folder as training does."""
    save_config(folder, translator.recipe, translator.tokenizers)
    weights = translator.model.state_dict()
    save_weights(folder, weights, translator.recipe, translator.tokenizers)
    return folder
