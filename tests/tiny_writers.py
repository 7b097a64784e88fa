"""Tiny models that write: they have learned nothing, but have clear opinions."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch
from tokenizers import Tokenizer as Backend
from tokenizers.models import WordLevel
from tokenizers.pre_tokenizers import WhitespaceSplit
from torch import nn

import tiny
from seqloom.language_folder import save_language_config, save_language_weights
from seqloom.models import build_language_model
from seqloom.models.base import TextModel
from seqloom.recipe import recipe_from
from seqloom.recipe.pretraining import PretrainRecipe
from seqloom.symbols import SPECIALS, Symbols
from seqloom.text.tokenizer import Tokenizer, Tokenizers
from seqloom.translator import Translator

LETTERS = [*"abcdefgh", *"ABCDEFGH"]
WORDS = ["a", "cat", "sat", "on", "the", "mat", "and", "saw", *(f"word{n}" for n in range(60))]


def vocabulary(words: Sequence[str]) -> Tokenizer:
    """A vocabulary made by others: words, and nothing for the rest."""
    names = {name: number for number, name in enumerate([*SPECIALS, *words])}
    made = Backend(WordLevel(names, "<unk>"))
    made.add_special_tokens(list(SPECIALS))
    made.pre_tokenizer = WhitespaceSplit()
    return Tokenizer(made, Symbols())


def sharp_translator(model: dict[str, object]) -> Translator:
    """A translator of letters that searches with a beam of 2."""
    values = {
        "data": {"tokenizer": "word", "max_length": tiny.LIMIT},
        "model": model,
        "decoding": {"beam": 2, "precision": "float32"},
    }
    recipe, letters = recipe_from(values, "sharp"), vocabulary(LETTERS)
    translator = tiny.fresh(recipe, Tokenizers(letters, letters))
    _sharpen(translator.model)
    return translator


def tiny_gpt(folder: Path, context: int = 24, **decoding: object) -> Path:
    """The folder of a GPT of :data:`WORDS`."""
    model = {"family": "gpt", "width": 16, "feedforward": 24, "heads": 2, "layers": 1}
    recipe = PretrainRecipe.model_validate(
        {"model": {**model, "context": context, "dropout": 0.0}, "decoding": decoding}
    )
    tokenizer = vocabulary(WORDS)
    writer = build_language_model(recipe.model, tokenizer.size, tokenizer.symbols)
    _sharpen(writer)
    save_language_config(folder, "language", recipe, tokenizer)
    save_language_weights(folder, writer.state_dict(), recipe, tokenizer)
    return folder


def never_ends(model: TextModel) -> None:
    """The model writes until it is cut off."""
    bias = torch.zeros(model.head.out_features)
    bias[model.symbols.end] = -1e4
    model.head.bias = nn.Parameter(bias)


def _sharpen(model: nn.Module) -> None:
    torch.manual_seed(5)
    for parameter in model.parameters():
        if parameter.ndim > 1:
            nn.init.normal_(parameter, std=0.5)
