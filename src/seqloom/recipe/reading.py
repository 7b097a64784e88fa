"""Recipes from files, settings and model folders, and all that is wrong with one in plain words."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar, get_args

import yaml
from pydantic import BaseModel, ValidationError, create_model

from seqloom.errors import DecodingError, RecipeError
from seqloom.recipe.data import CorpusRecipe
from seqloom.recipe.section import FIELDS_ONLY, Section
from seqloom.recipe.sections import DecodingRecipe, Recipe

Whole = TypeVar("Whole", bound=Section)
"""A kind of recipe: its fields are sections."""
OneSection = TypeVar("OneSection", bound=Section)


def load_recipe(path: str | Path | None = None, settings: Sequence[str] = ()) -> Recipe:
    """Read a recipe of a translation model, as :func:`load_recipe_of` does."""
    return load_recipe_of(Recipe, path, settings)


def load_recipe_of(
    whole: type[Whole],
    path: str | Path | None = None,
    settings: Sequence[str] = (),
    given: Mapping[str, Mapping[str, Any]] | None = None,
) -> Whole:
    """Read a recipe file, apply ``key=value`` settings on top, and validate the whole.

    Args:
        whole: the kind of recipe.
        path: its YAML file, or None for the defaults.
        settings: such as ``training.warmup=2000``.
        given: fields of sections that flags have decided; they stand above all else.

    Raises:
        RecipeError: the file is missing or not YAML, or any field is unknown or wrong; all
            problems are reported at once.
    """
    values = _read_yaml(Path(path)) if path is not None else {}
    applied = [_apply_setting(values, setting) for setting in settings]
    problems = [problem for problem in applied if problem]
    for name, fields in (given or {}).items():
        section = values.setdefault(name, {})
        if isinstance(section, dict):
            section.update(fields)
    return _validate(whole, values, str(path) if path is not None else "settings", problems)


def recipe_from(values: Mapping[str, Any], where: str) -> Recipe:
    """Validate a recipe of a translation model, as :func:`recipe_from_of` does."""
    return recipe_from_of(Recipe, values, where)


def recipe_from_of(whole: type[Whole], values: Mapping[str, Any], where: str) -> Whole:
    """Validate a nested mapping, as found in a model folder.

    Raises:
        RecipeError: any field is unknown or wrong; all problems are reported at once.
    """
    return _validate(whole, values, where, [])


def section_from(
    section: OneSection, values: Mapping[str, Any], name: str, where: str
) -> OneSection:
    """One section of a recipe with other values, checked by itself, without the other sections.

    Raises:
        RecipeError: any field is unknown or wrong; all problems are reported at once.
    """
    fields: dict[str, Any] = {name: (type(section), ...)}
    alone = create_model("Alone", __base__=Section, **fields)
    given = {**section.model_dump(exclude_unset=True), **values}
    found: OneSection = getattr(_validate(alone, {name: given}, where, []), name)
    return found


def _validate(whole: type[Whole], values: Any, where: str, problems: list[str]) -> Whole:
    """Check each field by itself, then the fields that are right against each other."""
    if not isinstance(values, Mapping):
        raise RecipeError(where, [_NO_SECTIONS])
    broken: set[str] = set()
    try:
        recipe = whole.model_validate(values, context=FIELDS_ONLY)
    except ValidationError as error:
        items = error.errors()
        problems = problems + [_explain(whole, item, values) for item in items]
        broken = {".".join(_path(item)[:2]) for item in items}
        recipe = whole.model_validate(_without(values, broken), context=FIELDS_ONLY)
    parts: list[Section] = [*(getattr(recipe, name) for name in whole.model_fields), recipe]
    for part in parts:
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


def _explain(whole: type[Section], item: Any, values: Mapping[str, Any]) -> str:
    """One pydantic error as a line that names the field, the value and what to write instead."""
    path = _path(item)
    name = ".".join(path)
    if item["type"] == "extra_forbidden":
        near = _nearest(whole, path, values)
        return f"{name}: unknown key" + (f"; did you mean {near}?" if near else "")
    if len(path) == 1 and path[0] in whole.model_fields:
        given = values[path[0]]
        if isinstance(given, Mapping):
            families = " or ".join(_family(kind) for kind in _kinds(whole, path[0]))
            return f"model.family: expected {families} (given: {given.get('family')!r})"
        example = next(iter(_fields(whole, values)[name]))
        return f"{name}: expected a section with fields such as {name}.{example} (given: {given!r})"
    return f"{name}: {in_words(item)}"


def _nearest(whole: type[Section], path: Sequence[str], values: Mapping[str, Any]) -> str:
    """What an unknown key was meant to be: the same name elsewhere, or one spelled alike."""
    *parents, key = path
    fields = _fields(whole, values)
    same = [f"{section}.{key}" for section, names in fields.items() if key in names]
    if same and len(parents) < 2:
        return " or ".join(same)
    if parents[:2] == ["data", "corpora"]:
        names = list(CorpusRecipe.model_fields)
    else:
        names = fields[parents[0]] if parents else list(fields)
    near = difflib.get_close_matches(key, names, n=1, cutoff=0.5)
    return ".".join([*parents, *near]) if near else ""


def _fields(whole: type[Section], values: Mapping[str, Any]) -> dict[str, list[str]]:
    """Section -> its field names; those of the model belong to the family in ``values``."""
    found = {}
    for name in whole.model_fields:
        kinds, section = _kinds(whole, name), values.get(name)
        asked = section.get("family") if isinstance(section, Mapping) else None
        chosen = next((kind for kind in kinds if len(kinds) > 1 and _family(kind) == asked), None)
        found[name] = list((chosen or kinds[0]).model_fields)
    return found


def _kinds(whole: type[Section], name: str) -> list[type[BaseModel]]:
    """The classes that a section may be of, its default first."""

    def inside(annotation: Any) -> list[type[BaseModel]]:
        if isinstance(annotation, type) and issubclass(annotation, BaseModel):
            return [annotation]
        return [kind for part in get_args(annotation) for kind in inside(part)]

    return inside(whole.model_fields[name].annotation)


def _family(kind: type[BaseModel]) -> str:
    return str(kind.model_fields["family"].default)


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
