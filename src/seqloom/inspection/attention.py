"""Where a model looks: records of attention and their pictures (Bahdanau et al. 2015, fig. 3).

Axes: H heads, R tokens that look (rows), C tokens that are looked at (columns), K head width.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from seqloom.errors import SeqloomError
from seqloom.inspection.attention_map import PARTS, AttentionMap, first_version, there_are
from seqloom.inspection.attention_page import BY_VALUE, Shown, page_of
from seqloom.inspection.fields import declared, members, one_of
from seqloom.inspection.flows import by_value, joined, rolled_out
from seqloom.inspection.record import Record

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from seqloom.corpus.pairs import Progress


@dataclass(frozen=True, eq=False)
class AttentionRecord(Record):
    """Attention of one text, or of a source and a target."""

    kind = "attention"
    version = 2
    noun = "attention record"
    height = 900

    tokens: dict[str, list[str]]
    """Names of rows and columns -> their pieces (or words). Of a pair: ``source``; ``written``,
    what the decoder writes, and ``read``, what it has read when it writes it. Else ``text``."""
    maps: list[AttentionMap]
    """In the order of the computation."""
    words: dict[str, list[int]] = field(default_factory=dict)
    """The first piece of each word of ``tokens``, the first one being 0; left out where words are
    not known, or tokens are words already."""
    title: str = ""

    def __post_init__(self) -> None:
        if not self.maps:
            raise ValueError("no map")
        for each in self.maps:
            for name in (each.rows, each.columns):
                one_of(self.tokens, name, f"tokens of {each.path}")
            each.check(len(self.tokens[each.rows]), len(self.tokens[each.columns]))

    @property
    def source(self) -> list[str]:
        """Source pieces of a pair."""
        return self.tokens["source"]

    @property
    def target(self) -> list[str]:
        """Target pieces of a pair; row r of its maps chose ``target[r]``."""
        return self.tokens["written"]

    def values(self) -> dict[str, Any]:
        """See :meth:`Record.values`; arrays are packed as :mod:`seqloom.inspection.arrays` says."""
        return {
            "title": self.title,
            "tokens": self.tokens,
            "words": self.words,
            "maps": [each.as_dict() for each in self.maps],
        }

    @classmethod
    def of(cls, values: Mapping[str, Any], version: int) -> Self:
        """See :meth:`Record.of`; version 1 had cross-attention alone, in digits."""
        if version == 1:
            return cls(*first_version(values))
        given = members(declared(cls) | {"maps": list[dict[str, Any]]}, values)
        given["maps"] = [
            AttentionMap.from_dict(each, f"maps[{number}]")
            for number, each in enumerate(given["maps"])
        ]
        return cls(**given)

    def parts(self) -> list[str]:
        """The parts that there are."""
        there = {each.part for each in self.maps}
        return [part for part in PARTS if part in there]

    def of_part(self, part: str | None = None) -> list[AttentionMap]:
        """The maps of a part, the first layer first; of the first part unless one is named.

        Raises:
            SeqloomError: there is no such part.
        """
        parts = self.parts()
        if part is None:
            part = parts[0]
        if part not in parts:
            raise SeqloomError(f"no part {part!r} was recorded; there are: {', '.join(parts)}.")
        return [each for each in self.maps if each.part == part]

    def map(self, layer: int | None = None, part: str | None = None) -> AttentionMap:
        """One map: a layer from 0, the last one unless named.

        Raises:
            SeqloomError: there is no such part or layer.
        """
        maps = self.of_part(part)
        if layer is None:
            return maps[-1]
        if not 0 <= layer < len(maps):
            raise SeqloomError(
                f"no layer {layer}: attention of the part {maps[0].part!r} has "
                f"{there_are('layer', len(maps))}."
            )
        return maps[layer]

    def weights(
        self, layer: int | None = None, head: int | None = None, part: str | None = None
    ) -> np.ndarray:
        """One matrix [R C]: a layer (the last one unless named), a head or the mean over heads.

        Raises:
            SeqloomError: there is no such part, layer or head.
        """
        found = self.map(layer, part)
        if head is None:
            return found.weights.mean(axis=0)
        heads = len(found.weights)
        if not 0 <= head < heads:
            raise SeqloomError(f"no head {head}; {found.path} has {there_are('head', heads)}.")
        return found.weights[head]

    def by_value(self) -> Self:
        """Each weight times the length of what is taken: see :func:`seqloom.inspection.flows`.

        Raises:
            SeqloomError: the lengths were not recorded.
        """
        if any(each.lengths is None for each in self.maps):
            raise SeqloomError("the lengths of values were not recorded; record again.")
        return replace(self, maps=[by_value(each) for each in self.maps])

    def rolled_out(self) -> Self:
        """Which tokens each state is made of: see :func:`seqloom.inspection.flows.rolled_out`."""
        return replace(self, maps=rolled_out(self.maps))

    def by_words(self) -> Self:
        """Pieces joined to words: what a word takes from another is the sum over the other's pieces
        and the mean over its own (Clark et al. 2019).

        Raises:
            SeqloomError: it is not known where words begin.
        """
        if not self.words:
            raise SeqloomError("these tokens are not known as pieces of words.")
        starts = {
            name: self.words.get(name, list(range(len(tokens))))
            for name, tokens in self.tokens.items()
        }
        tokens = {
            name: ["".join(pieces[a:b]) for a, b in pairwise([*starts[name], len(pieces)])]
            for name, pieces in self.tokens.items()
        }
        maps = [joined(each, starts[each.rows], starts[each.columns]) for each in self.maps]
        return replace(self, tokens=tokens, maps=maps, words={})

    def shown(self) -> Shown:
        """What a page shows of it."""
        views = {"weights": self.maps}
        if all(each.lengths is not None for each in self.maps):
            views[BY_VALUE] = self.maps
        views["roll-out"] = self.rolled_out().maps
        return Shown(self.title, self.tokens, self.words, views)

    def page(self) -> str:
        """See :meth:`Record.page`."""
        return page_of([self.shown()])

    def picture(self, suffix: str, progress: Progress | None = None) -> bytes:
        """See :meth:`Record.picture`: the last layer of the first part, mean over heads."""
        from seqloom.inspection.picture import rendered

        return rendered(self.plot(), suffix)

    def plot(
        self,
        path: str | Path | None = None,
        layer: int | None = None,
        head: int | None = None,
        part: str | None = None,
    ) -> Figure:
        """Draw one layer, the last unless named, and one head or the mean; write it to ``path``.

        Raises:
            SeqloomError: no such part, layer or head, or a file suffix that is no picture's.
            FolderError: ``path`` cannot be written.
        """
        title = "Attention"
        if head is not None:
            title += f", head {head}"
        elif len(self.map(layer, part).weights) > 1:
            title += ", mean over heads"
        if layer is None and len(self.of_part(part)) > 1:
            title += ", last layer"
        elif layer is not None:
            title += f"\n{self.map(layer, part).path}"
        return plot_many([self], path, [title], layer=layer, head=head, part=part)


@dataclass(frozen=True, eq=False)
class AttentionRecords(Record):
    """Attention of several texts, on one page."""

    kind = "attention of texts"
    noun = "attention record of texts"
    height = 900

    records: list[AttentionRecord]

    def __post_init__(self) -> None:
        if not self.records:
            raise ValueError("no record")

    def values(self) -> dict[str, Any]:
        """See :meth:`Record.values`."""
        return {"records": [each.as_dict() for each in self.records]}

    @classmethod
    def of(cls, values: Mapping[str, Any], version: int) -> Self:
        """See :meth:`Record.of`."""
        [records] = members({"records": list[dict[str, Any]]}, values).values()
        return cls([AttentionRecord.from_dict(each) for each in records])

    def page(self) -> str:
        """See :meth:`Record.page`."""
        texts = [each.shown() for each in self.records]
        return page_of(texts, f"Attention of {len(texts)} texts")

    def picture(self, suffix: str, progress: Progress | None = None) -> bytes:
        """See :meth:`Record.picture`: last layer of the first part, mean over heads."""
        from seqloom.inspection.picture import rendered

        return rendered(plot_many(self.records), suffix)


def plot_many(
    records: Sequence[AttentionRecord],
    path: str | Path | None = None,
    titles: Sequence[str] = (),
    *,
    layer: int | None = None,
    head: int | None = None,
    part: str | None = None,
) -> Figure:
    """One picture with a panel a record, written to ``path``.

    Args:
        records: one or more.
        path: file to write, such as ``attention.png``.
        titles: one a record, or none at all.
        layer: from 0, the last one unless named.
        head: the mean over heads unless named.
        part: the first one unless named.

    Raises:
        SeqloomError: no such part, layer or head, or a file suffix that is no picture's.
        FolderError: ``path`` cannot be written.
    """
    from seqloom.inspection.picture import draw, save

    names = list(titles) or [""] * len(records)
    panels = []
    for name, each in zip(names, records, strict=True):
        found = each.map(layer, part)
        columns, rows = each.tokens[found.columns], each.tokens[found.rows]
        panels.append((name, columns, rows, each.weights(layer, head, part)))
    figure = draw(panels)
    if path is not None:
        save(figure, Path(path))
    return figure
