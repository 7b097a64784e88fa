"""Tiny models that write: they have learned nothing, but have clear opinions."""

from __future__ import annotations

from pathlib import Path

import torch
from tokenizers import Tokenizer as Backend
from tokenizers.models import WordLevel
from tokenizers.pre_tokenizers import WhitespaceSplit
from torch import nn

import tiny
from seqloom.language_folder import save_language_config, save_language_weights
from seqloom.models import build_language_model
from seqloom.recipe import recipe_from
from seqloom.recipe.pretraining import PretrainRecipe
from seqloom.symbols import SPECIALS, Symbols
from seqloom.text.tokenizer import Tokenizer, Tokenizers
from seqloom.translator import Translator

WORDS = "a cat sat on the mat and saw a rat"


def letters_only() -> Tokenizers:
    """A vocabulary made by others: letters, capitals, and nothing for the rest."""
    names = [*SPECIALS, *"abcdefgh", *"ABCDEFGH"]
    made = Backend(WordLevel({name: number for number, name in enumerate(names)}, "<unk>"))
    made.add_special_tokens(list(SPECIALS))
    made.pre_tokenizer = WhitespaceSplit()
    both = Tokenizer(made, Symbols())
    return Tokenizers(both, both)


def sharp_translator(model: dict[str, object]) -> Translator:
    """A translator of :func:`letters_only` that searches with a beam of 2."""
    values = {
        "data": {"tokenizer": "word", "max_length": tiny.LIMIT},
        "model": model,
        "decoding": {"beam": 2, "precision": "float32"},
    }
    recipe = recipe_from(values, "sharp")
    translator = tiny.fresh(recipe, letters_only())
    _sharpen(translator.model)
    return translator


def tiny_gpt(folder: Path, context: int = 24, **decoding: object) -> Path:
    """The folder of a GPT; a word is a token."""
    model = {"family": "gpt", "width": 16, "feedforward": 24, "heads": 2, "layers": 1}
    recipe = PretrainRecipe.model_validate(
        {"model": {**model, "context": context, "dropout": 0.0}, "decoding": decoding}
    )
    tokenizer = Tokenizer.train([WORDS] * 3, "word", 300, exact=False)
    writer = build_language_model(recipe.model, tokenizer.size, tokenizer.symbols)
    _sharpen(writer)
    save_language_config(folder, "language", recipe, tokenizer)
    save_language_weights(folder, writer.state_dict(), recipe, tokenizer)
    return folder


def _sharpen(model: nn.Module) -> None:
    torch.manual_seed(5)
    for parameter in model.parameters():
        if parameter.ndim > 1:
            nn.init.normal_(parameter, std=0.5)
