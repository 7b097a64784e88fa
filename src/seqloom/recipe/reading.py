"""Recipes from files, settings and model folders, and all that is wrong with one in plain words."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ValidationError

from seqloom.errors import DecodingError, RecipeError
from seqloom.recipe.data import CorpusRecipe, DataRecipe
from seqloom.recipe.models import RecurrentRecipe, TransformerRecipe
from seqloom.recipe.section import FIELDS_ONLY
from seqloom.recipe.sections import DecodingRecipe, Recipe, TrainingRecipe


def load_recipe(path: str | Path | None = None, settings: Sequence[str] = ()) -> Recipe:
    """Read a recipe file, apply ``key=value`` settings on top, and validate the whole.

    Raises:
        RecipeError: the file is missing or not YAML, or any field is unknown or wrong; all
            problems are reported at once.
    """
    values = _read_yaml(Path(path)) if path is not None else {}
    applied = [_apply_setting(values, setting) for setting in settings]
    problems = [problem for problem in applied if problem]
    return _validate(values, str(path) if path is not None else "settings", problems)


def recipe_from(values: Mapping[str, Any], where: str) -> Recipe:
    """Validate a nested mapping, as found in a model folder.

    Raises:
        RecipeError: any field is unknown or wrong; all problems are reported at once.
    """
    return _validate(values, where, [])


def _validate(values: Any, where: str, problems: list[str]) -> Recipe:
    """Check each field by itself, then the fields that are right against each other."""
    if not isinstance(values, Mapping):
        raise RecipeError(where, [_NO_SECTIONS])
    broken: set[str] = set()
    try:
        recipe = Recipe.model_validate(values, context=FIELDS_ONLY)
    except ValidationError as error:
        items = error.errors()
        problems = problems + [_explain(item, values) for item in items]
        broken = {".".join(_path(item)[:2]) for item in items}
        recipe = Recipe.model_validate(_without(values, broken), context=FIELDS_ONLY)
    for part in (recipe.data, recipe.model, recipe.training, recipe.decoding, recipe):
        problems = problems + [
            conflict.message
            for conflict in part.conflicts()
            if not any({name, name.partition(".")[0]} & broken for name in conflict.fields)
        ]
    if problems:
        raise RecipeError(where, problems)
    return recipe


def _without(values: Mapping[str, Any], broken: set[str]) -> dict[str, Any]:
    """The sections and fields that are not ``broken``."""
    return {
        name: {key: value for key, value in section.items() if f"{name}.{key}" not in broken}
        if isinstance(section, Mapping)
        else section
        for name, section in values.items()
        if str(name) not in broken
    }


_NO_SECTIONS = "expected sections such as `model:` and `training:`"


class _Loader(yaml.SafeLoader):
    """Only true and false are booleans, as in YAML 1.2: ``no`` is Norwegian, ``on`` a word."""

    yaml_implicit_resolvers = {  # noqa: RUF012  (PyYAML's way to hold them)
        first: [(tag, pattern) for tag, pattern in resolvers if not tag.endswith(":bool")]
        for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }


_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:bool", re.compile("true|True|TRUE|false|False|FALSE"), list("tTfF")
)


def _read_yaml(path: Path) -> dict[str, Any]:
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise RecipeError(str(path), ["the file does not exist"]) from None
    except IsADirectoryError:
        raise RecipeError(str(path), ["this is a folder; a recipe is a .yaml file"]) from None
    except UnicodeDecodeError as error:
        raise RecipeError(str(path), [f"not UTF-8 text (byte {error.start})"]) from None
    except OSError as error:
        raise RecipeError(str(path), [f"cannot be read: {error.strerror}"]) from None
    try:
        values = yaml.load(text, Loader=_Loader)  # a SafeLoader
    except yaml.YAMLError as error:
        raise RecipeError(str(path), [f"not valid YAML: {' '.join(str(error).split())}"]) from None
    if values is None:
        return {}
    if not isinstance(values, dict):
        raise RecipeError(str(path), [_NO_SECTIONS])
    # A section whose lines are all commented out is empty, not wrong.
    return {name: {} if section is None else section for name, section in values.items()}


def _apply_setting(values: dict[str, Any], setting: str) -> str | None:
    """Put one ``a.b=value`` into the nested mapping; return a problem in words, or None."""
    key, equals, text = setting.partition("=")
    parts = key.strip().split(".")
    if not equals or len(parts) != 2 or not all(parts):
        return f"--set {setting}: expected section.field=value, such as training.warmup=2000"
    section = values.setdefault(parts[0], {})
    if not isinstance(section, dict):
        return f"--set {setting}: {parts[0]} is not a section"
    section[parts[1]] = value_of(text)
    return None


def value_of(text: str) -> Any:
    """What stands behind a ``key=``: a number, a list, true, ...; else the text itself."""
    try:
        return yaml.load(text, Loader=_Loader)
    except yaml.YAMLError:
        return text


def in_words(item: Any) -> str:
    """What is wrong with one value, from an error of pydantic, and what was given."""
    message = str(item["msg"]).removeprefix("Value error, ")
    given = item["input"]
    shown = f" (given: {given!r})" if not isinstance(given, dict | list) else ""
    return f"{message[:1].lower()}{message[1:]}{shown}"


def _path(item: Any) -> list[str]:
    """Section and field of one pydantic error; the family is no part of a field's name."""
    path = [str(part) for part in item["loc"]]
    return path[:1] + path[2:] if path[0] == "model" and len(path) > 1 else path


def _explain(item: Any, values: Mapping[str, Any]) -> str:
    """One pydantic error as a line that names the field, the value and what to write instead."""
    path = _path(item)
    name = ".".join(path)
    if item["type"] == "extra_forbidden":
        near = _nearest(path, values)
        return f"{name}: unknown key" + (f"; did you mean {near}?" if near else "")
    if len(path) == 1 and path[0] in Recipe.model_fields:
        given = values[path[0]]
        if isinstance(given, Mapping):
            return f"model.family: expected transformer or rnn (given: {given.get('family')!r})"
        example = next(iter(_fields(values)[name]))
        return f"{name}: expected a section with fields such as {name}.{example} (given: {given!r})"
    return f"{name}: {in_words(item)}"


def _nearest(path: Sequence[str], values: Mapping[str, Any]) -> str:
    """What an unknown key was meant to be: the same name elsewhere, or one spelled alike."""
    *parents, key = path
    fields = _fields(values)
    same = [f"{section}.{key}" for section, names in fields.items() if key in names]
    if same and len(parents) < 2:
        return " or ".join(same)
    if parents[:2] == ["data", "corpora"]:
        names = list(CorpusRecipe.model_fields)
    else:
        names = fields[parents[0]] if parents else list(fields)
    near = difflib.get_close_matches(key, names, n=1, cutoff=0.5)
    return ".".join([*parents, *near]) if near else ""


def _fields(values: Mapping[str, Any]) -> dict[str, list[str]]:
    """Section -> its field names; those of the model belong to the family in ``values``."""
    model = values.get("model")
    recurrent = isinstance(model, Mapping) and model.get("family") == "rnn"
    sections: dict[str, type[BaseModel]] = {
        "data": DataRecipe,
        "model": RecurrentRecipe if recurrent else TransformerRecipe,
        "training": TrainingRecipe,
        "decoding": DecodingRecipe,
    }
    return {name: list(section.model_fields) for name, section in sections.items()}


def override(decoding: DecodingRecipe, options: dict[str, Any]) -> DecodingRecipe:
    """Decoding options with some fields replaced, validated as a whole.

    Raises:
        DecodingError: a field is unknown or its value impossible.
    """
    try:
        return DecodingRecipe.model_validate({**decoding.model_dump(), **options})
    except ValidationError as error:
        reasons = []
        for item in error.errors():
            name = ".".join(str(part) for part in item["loc"])
            reason = str(item["msg"]).removeprefix("Value error, ")
            reasons.append(f"{name}: {reason}" if name else reason)
        known = ", ".join(DecodingRecipe.model_fields)
        raise DecodingError(f"{'; '.join(reasons)}. Options are: {known}.") from None
