"""Which heads a model has, told before it has read anything; and one of them by its numbers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple, Protocol, TypeVar

from seqloom.errors import SeqloomError
from seqloom.inspection.attention_map import PARTS, there_are
from seqloom.inspection.head_reading import Text, read
from seqloom.inspection.recording import NO_ATTENTION, ReadableModel


class Placed(Protocol):
    """A head, or all that is known of one."""

    @property
    def path(self) -> str:
        """Of its layer in the model."""

    @property
    def part(self) -> str:
        """One of :data:`seqloom.inspection.attention_map.PARTS`."""

    @property
    def layer(self) -> int:
        """From 0, within the part."""

    @property
    def head(self) -> int:
        """From 0, within the layer."""


class Place(NamedTuple):
    """A head and nothing else."""

    path: str
    part: str
    layer: int
    head: int


P = TypeVar("P", bound=Placed)


def places_of(model: ReadableModel) -> list[Place]:
    """Every head of a model, in the order of the computation.

    Raises:
        SeqloomError: the model has no attention.
    """
    something = (model.symbols.end,)
    looks = read(model, [Text(0, something, something)])
    if not looks:
        raise SeqloomError(NO_ATTENTION)
    heads = {each.path: each.weights.shape[1] for each in looks}
    return [
        Place(path, part, layer, head)
        for path, part, layer in layers_of({each.path: each.part for each in looks})
        for head in range(heads[path])
    ]


def layers_of(parts: Mapping[str, str]) -> Iterator[tuple[str, str, int]]:
    """Path, part and number within the part of each layer, by the part of each path."""
    seen = dict[str, int]()
    for path, part in parts.items():
        seen[part] = seen.get(part, -1) + 1
        yield path, part, seen[part]


def parts_of(heads: Iterable[Placed]) -> list[str]:
    """The parts that there are, in the order in which they are drawn."""
    there = {head.part for head in heads}
    return [part for part in PARTS if part in there]


def head_at(heads: Sequence[P], layer: int, head: int, part: str | None = None) -> P:
    """One head; of the first part unless one is named.

    Raises:
        SeqloomError: no such part, layer or head; the message says which there are.
    """
    parts = parts_of(heads)
    part = parts[0] if part is None else part
    if part not in parts:
        raise SeqloomError(f"no part {part!r}; the model has: {', '.join(parts)}.")
    own = [each for each in heads if each.part == part]
    layers = 1 + max(each.layer for each in own)
    if not 0 <= layer < layers:
        raise SeqloomError(
            f"no layer {layer}: attention of the part {part!r} has {there_are('layer', layers)}."
        )
    here = [each for each in own if each.layer == layer]
    if not 0 <= head < len(here):
        raise SeqloomError(f"no head {head}; {here[0].path} has {there_are('head', len(here))}.")
    return here[head]
