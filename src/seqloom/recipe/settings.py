"""A description without sections, and ``key=value`` settings on top of it."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from pydantic import ValidationError

from seqloom.errors import RecipeError
from seqloom.recipe.reading import in_words, value_of
from seqloom.recipe.section import Section

Described = TypeVar("Described", bound=Section)


def with_settings(
    kind: type[Described],
    name: str,
    values: Mapping[str, Any],
    settings: Sequence[str],
    example: str,
) -> Described:
    """Validate some values, and settings that go before them.

    Args:
        kind: what they describe.
        name: how messages call it.
        values: by field.
        settings: ``field=value`` each.
        example: of a setting, for messages.

    Raises:
        RecipeError: fields that are unknown or wrong; all are told at once.
    """
    given, problems = dict(values), []
    for setting in settings:
        key, equals, text = setting.partition("=")
        if not equals:
            problems.append(f"--set {setting}: expected field=value, such as {example}")
        elif key not in kind.model_fields:
            near = difflib.get_close_matches(key, kind.model_fields, n=1, cutoff=0.5)
            problems.append(f"{key}: unknown field" + "".join(f"; did you mean {n}?" for n in near))
        else:
            given[key] = value_of(text)
    try:
        recipe = kind.model_validate(given)
    except ValidationError as error:
        for item in error.errors():
            # What is wrong between fields is told without one.
            field = "".join(f"{part}: " for part in item["loc"][:1])
            problems += [f"{field}{line}" for line in in_words(item).splitlines()]
    if problems:
        raise RecipeError(name, problems)
    return recipe
