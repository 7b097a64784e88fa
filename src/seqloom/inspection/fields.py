"""Plain values out of JSON become what dataclasses declare: every field there, none besides, each
of its type. So a damaged record is refused by name of the place, not drawn wrong."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import fields, is_dataclass
from functools import cache
from types import MappingProxyType, NoneType, UnionType
from typing import Any, Literal, TypeVar, get_args, get_origin, get_type_hints

from seqloom.corpus.report import shorten

T = TypeVar("T")

_CALLED = {
    str: "text",
    int: "a whole number",
    float: "a number",
    bool: "true or false",
    list: "a list",
    tuple: "a list",
    dict: "an object",
}


def read(kind: type[T], value: Any, place: str = "") -> T:
    """A value as a field of type ``kind`` holds it.

    Args:
        kind: a dataclass; ``str``, ``int``, ``float``, ``bool``, a Literal or Any; a list, a tuple
            or a dictionary by names of these; or one of these or None.
        value: as JSON gives it.
        place: where it stands in the record, such as ``runs[0].bits``.

    Raises:
        ValueError: another type, or a field too many or missing; the message names the place.
    """
    return _read(kind, value, place)


def members(kinds: Mapping[str, Any], value: Any, place: str = "") -> dict[str, Any]:
    """The fields of an object, each as its own of ``kinds``; arguments as of :func:`read`.

    Raises:
        ValueError: as :func:`read`.
    """
    given = _checked(dict, value, place)
    at = f"{place}: " if place else ""
    for name in kinds:
        if name not in given:
            raise ValueError(f"{at}the field {name!r} is missing")
    for name in given:
        if name not in kinds:
            raise ValueError(f"{at}{shorten(str(name))!r} is no field of it")
    return {name: _read(kind, given[name], _under(place, name)) for name, kind in kinds.items()}


@cache
def declared(kind: type) -> MappingProxyType[str, Any]:
    """The fields of a dataclass with their types."""
    hints = get_type_hints(kind)
    return MappingProxyType({field.name: hints[field.name] for field in fields(kind)})


def one_of(names: Collection[str], value: Any, place: str) -> None:
    """Refuse what is not among ``names``.

    Raises:
        ValueError: names those there are.
    """
    if value not in names:
        expected = " or ".join(map(_shown, names))
        raise ValueError(f"{place}: expected {expected}, found {_shown(value)}")


def _read(kind: Any, value: Any, place: str) -> Any:
    if kind is Any:
        return value
    if is_dataclass(kind) and isinstance(kind, type):
        return kind(**members(declared(kind), value, place))
    origin, inner = get_origin(kind) or kind, get_args(kind)
    if origin is UnionType:
        return None if value is None else _read(inner[0], value, place)
    if origin is Literal:
        one_of(inner, value, place)
        return value
    found = _checked(origin, value, place)
    if origin is dict:
        return {name: _read(inner[1], each, _under(place, name)) for name, each in found.items()}
    if origin is tuple and inner[-1] is not Ellipsis:
        if len(found) != len(inner):
            raise ValueError(f"{place}: expected {len(inner)} values, found {len(found)}")
        kinds = inner
    elif origin in (list, tuple):
        if set(map(type, found)) <= _plain(inner[0]):  # long columns of numbers, at once
            return origin(found)
        kinds = (inner[0],) * len(found)
    else:
        return found
    together = enumerate(zip(kinds, found, strict=True))
    return origin(_read(own, each, f"{place}[{number}]") for number, (own, each) in together)


@cache
def _plain(kind: Any) -> frozenset[type]:
    """Types of values that are of a kind as they are."""
    kinds = get_args(kind) if get_origin(kind) is UnionType else (kind,)
    return frozenset(each for each in kinds if each in (str, int, float, bool, NoneType))


def _checked(kind: Any, value: Any, place: str) -> Any:
    """The value, if it is of a plain type; JSON tells 1 from 1.0 no more than a person does."""
    if kind in (int, float):
        fine = isinstance(value, int | float) and not isinstance(value, bool)
        if fine and kind is int and isinstance(value, float):
            fine = value.is_integer()
        if fine:
            return kind(value)
    elif isinstance(value, list | tuple if kind in (list, tuple) else kind):
        return value
    at = f"{place}: " if place else ""
    raise ValueError(f"{at}expected {_CALLED[kind]}, found {_shown(value)}")


def _under(place: str, name: str) -> str:
    return f"{place}.{name}" if place else name


def _shown(value: Any) -> str:
    return shorten(json.dumps(value, ensure_ascii=False, default=repr), 40)
