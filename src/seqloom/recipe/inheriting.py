"""What a run takes over from the folder that it goes on from, and may not ask for otherwise."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

_FREE = frozenset({"dropout", "attention_dropout", "activation_dropout"})
"""Model fields that weights do not depend on."""


def contradictions(
    recipe: Any, old: Any, place: object, kept: Collection[str], advice: str
) -> list[str]:
    """A line for each field that was set, and is otherwise in the folder's recipe.

    Args:
        recipe: what is asked for; has the sections ``model`` and ``data``.
        old: the recipe of the folder.
        place: the folder.
        kept: data fields that the folder's vocabulary decides.
        advice: what to do where the family is another.
    """
    model = recipe.model.model_fields_set - _FREE
    if model and recipe.model.family != old.model.family:
        return [
            f"model.family: {recipe.model.family} asked for, and {place} holds a model of the "
            f"family {old.model.family}; {advice}"
        ]
    problems = [
        f"model.{name}: {getattr(recipe.model, name)} asked for, and the model of {place} has "
        f"{getattr(old.model, name)}; leave it out"
        for name in sorted(model)
        if getattr(recipe.model, name) != getattr(old.model, name)
    ]
    return problems + [
        f"data.{name}: {getattr(recipe.data, name)} asked for, and the vocabulary of {place} was "
        f"made with {getattr(old.data, name)}; it is taken as it is, so leave the field out"
        for name in sorted(recipe.data.model_fields_set & set(kept))
        if getattr(recipe.data, name) != getattr(old.data, name)
    ]


def inheriting(recipe: Any, old: Any, kept: Collection[str]) -> Any:
    """The recipe with the model of another, but for dropout that was asked for.

    ``kept`` are the data fields that are the other's, too.
    """
    asked = _FREE & recipe.model.model_fields_set & type(old.model).model_fields.keys()
    model = {name: getattr(recipe.model, name) for name in asked}
    data = {name: getattr(old.data, name) for name in kept}
    sections = {
        "model": old.model.model_copy(update=model),
        "data": recipe.data.model_copy(update=data),
        "decoding": recipe.decoding if "decoding" in recipe.model_fields_set else old.decoding,
    }
    return recipe.model_copy(update=sections)
