"""What training a language model goes on from: weights, architecture and vocabulary of a folder."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from torch import nn

from seqloom.errors import RecipeError
from seqloom.language_folder import language_config, load_language_folder
from seqloom.recipe.pretraining import PretrainRecipe
from seqloom.text.tokenizer import SOURCE_FILE, Tokenizer

_FREE = {"dropout", "attention_dropout"}
"""Model fields that weights do not depend on."""
_VOCABULARY = {"tokenizer", "vocabulary", "mask"}
"""Data fields that the folder's vocabulary decides."""


@dataclass(frozen=True)
class LanguageStart:
    """What a folder gives to a run."""

    recipe: PretrainRecipe
    """That of the run, with the folder's architecture and kind of vocabulary."""
    tokenizer: Tokenizer
    model: nn.Module | None
    """None where the run is under way, and has weights of its own."""


def start_from(recipe: PretrainRecipe, under_way: bool) -> LanguageStart | None:
    """What the run of ``recipe`` goes on from, if it goes on from something.

    Args:
        recipe: names the folder.
        under_way: whether the run has a checkpoint; then the folder's weights are not read.

    Raises:
        FolderError: no folder of a language model, or a damaged one.
        RecipeError: the recipe asks for another architecture or vocabulary than the folder's.
    """
    if recipe.training.model_from is None:
        return None
    path = Path(recipe.training.model_from)
    _, old, _ = language_config(path, ("language",))
    assert isinstance(old, PretrainRecipe)
    _check(recipe, old, path)
    changed = {name: getattr(recipe.model, name) for name in _FREE & recipe.model.model_fields_set}
    update = {
        "model": old.model.model_copy(update=changed),
        "data": recipe.data.model_copy(
            update={name: getattr(old.data, name) for name in _VOCABULARY}
        ),
        "decoding": recipe.decoding if "decoding" in recipe.model_fields_set else old.decoding,
    }
    recipe = recipe.model_copy(update=update)
    if under_way:
        return LanguageStart(recipe, Tokenizer.load(path / SOURCE_FILE), None)
    folder = load_language_folder(path)
    return LanguageStart(recipe, folder.tokenizer, folder.model)


def _check(recipe: PretrainRecipe, old: PretrainRecipe, path: Path) -> None:
    """Refuse what the folder has decided otherwise."""
    asked = recipe.model.model_fields_set - _FREE
    problems = [
        f"model.{name}: {getattr(recipe.model, name)} asked for, and the model of {path} has "
        f"{getattr(old.model, name, 'none')}; leave it out"
        for name in sorted(asked)
        if getattr(recipe.model, name) != getattr(old.model, name, None)
    ]
    problems += [
        f"data.{name}: {getattr(recipe.data, name)} asked for, and the vocabulary of {path} was "
        f"made with {getattr(old.data, name)}; it is taken as it is, so leave the field out"
        for name in sorted(_VOCABULARY & recipe.data.model_fields_set)
        if getattr(recipe.data, name) != getattr(old.data, name)
    ]
    if recipe.model.family != old.model.family:
        problems = [
            f"model.family: {recipe.model.family} asked for, and {path} holds a model of the "
            f"family {old.model.family}; use seqloom pretrain {old.model.family}"
        ]
    if problems:
        raise RecipeError(f"going on from {path}", problems)
