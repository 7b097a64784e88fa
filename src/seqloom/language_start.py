"""What training a language model goes on from: weights, architecture and vocabulary of a folder."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from torch import nn

from seqloom.errors import FolderError, RecipeError
from seqloom.language_folder import language_config, load_language_folder
from seqloom.recipe.inheriting import contradictions, inheriting
from seqloom.recipe.pretraining import PretrainRecipe
from seqloom.text.chat import MARKS, form_for
from seqloom.text.growth import grown, old_ids
from seqloom.text.tokenizer import SOURCE_FILE, Tokenizer

_VOCABULARY = ("tokenizer", "vocabulary", "mask", "chat")
"""Data fields that the folder's vocabulary decides."""


@dataclass(frozen=True)
class LanguageStart:
    """What a folder gives to a run."""

    recipe: PretrainRecipe
    """That of the run, with the folder's architecture and kind of vocabulary."""
    tokenizer: Tokenizer
    """The folder's, with tokens that say who speaks, if the run learns from dialogues."""
    rows: NDArray[np.int64]
    """For each of its tokens the id in the folder's vocabulary; -1 for new ones [V]."""
    model: nn.Module | None
    """None where the run is under way, and has weights of its own."""


def start_from(recipe: PretrainRecipe, under_way: bool) -> LanguageStart | None:
    """What the run of ``recipe`` goes on from, if it goes on from something.

    Args:
        recipe: names the folder.
        under_way: whether the run has a checkpoint; then the folder's weights are not read.

    Raises:
        FolderError: no folder of a language model, a damaged one, or a masked model's whose
            tokenizer has no mask token.
        RecipeError: the recipe asks for another architecture or vocabulary than the folder's.
    """
    if recipe.training.model_from is None:
        return None
    path = Path(recipe.training.model_from)
    _, old, _ = language_config(path, ("language",))
    assert isinstance(old, PretrainRecipe)
    verb = f"use seqloom pretrain {old.model.family}"
    if problems := contradictions(recipe, old, path, _VOCABULARY, verb):
        raise RecipeError(f"going on from {path}", problems)
    recipe = inheriting(recipe, old, _VOCABULARY)
    known = Tokenizer.load(path / SOURCE_FILE)
    if recipe.model.family == "bert" and known.symbols.mask is None:
        raise FolderError(
            f"{path}: its tokenizer has no mask token, which stands for the words that a masked "
            "model is to find. Go on from a folder that has one, or train anew, without --from."
        )
    tokenizer = known
    if recipe.data.dialogues:
        form = old.data.chat or form_for(known)
        tokenizer = grown(known, MARKS) if form == "tokens" else known
        data = recipe.data.model_copy(update={"chat": form})
        recipe = recipe.model_copy(update={"data": data})
    model = None if under_way else load_language_folder(path).model
    return LanguageStart(recipe, tokenizer, old_ids(known, tokenizer), model)
