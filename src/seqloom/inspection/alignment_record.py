"""Records of word alignments: the links, where they were read, and how good they are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self

from seqloom.corpus.alignments import Gold, Link, format_links, parse_links
from seqloom.errors import SeqloomError
from seqloom.evaluation.alignment import Alignment
from seqloom.inspection.alignment_page import page_of
from seqloom.inspection.fields import declared, members
from seqloom.inspection.record import Record

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from seqloom.corpus.pairs import Progress

FOUND, DIAGONAL = "the alignment", "the diagonal"
"""Names among the figures: that which was chosen, and the baseline that knows lengths alone."""


@dataclass(frozen=True, eq=False)
class AlignmentRecord(Record):
    """The links of N pairs."""

    kind = "alignment"
    noun = "alignment record"
    height = 800

    sources: list[list[str]]
    """Words [N][S]."""
    targets: list[list[str]]
    """Words [N][T]."""
    links: list[frozenset[Link]]
    """[N]."""
    how: str
    """Where they were read."""
    gold: list[Gold] = field(default_factory=list)
    """[N]; empty where there is none."""
    figures: dict[str, Alignment] = field(default_factory=dict)
    """With gold: of :data:`FOUND`, :data:`DIAGONAL` and every way to read the model."""

    def __post_init__(self) -> None:
        number = len(self.links)
        if not number == len(self.sources) == len(self.targets):
            raise ValueError(
                f"links of {number} pairs of {len(self.sources)} and {len(self.targets)}"
            )
        if self.gold and len(self.gold) != number:
            raise ValueError(f"gold of {len(self.gold)} pairs; expected {number}")

    def values(self) -> dict[str, Any]:
        """See :meth:`Record.values`; links in Pharaoh format, words counted from 0."""
        return {
            "how": self.how,
            "sources": self.sources,
            "targets": self.targets,
            "links": [format_links(each) for each in self.links],
            "sure": [format_links(each.sure) for each in self.gold],
            "possible": [format_links(each.possible) for each in self.gold],
            "figures": {name: each.as_dict() for name, each in self.figures.items()},
        }

    @classmethod
    def of(cls, values: Mapping[str, Any], version: int) -> Self:
        """See :meth:`Record.of`."""
        lines = dict.fromkeys(("links", "sure", "possible"), list[str])
        kinds = {name: kind for name, kind in declared(cls).items() if name != "gold"} | lines
        given = members(kinds, values)
        for name in lines:
            given[name] = [_links(line, f"{name}[{n}]") for n, line in enumerate(given[name])]
        sure, possible = given.pop("sure"), given.pop("possible")
        if len(sure) != len(possible):
            raise ValueError(f"sure links of {len(sure)} pairs, possible ones of {len(possible)}")
        if given["figures"] and not {FOUND, DIAGONAL} <= given["figures"].keys():
            raise ValueError(f"figures: those of {FOUND} or of {DIAGONAL} are missing")
        return cls(**given, gold=[Gold(*each) for each in zip(sure, possible, strict=True)])

    def lines(self) -> list[str]:
        """Pharaoh format, a line a pair, words counted from 0."""
        return [format_links(each) for each in self.links]

    def text(self) -> str:
        """The figures for people: chosen, baseline, then every way, the best first."""
        rows = [f"{'':52}    AER   95 % interval  precision  recall"]
        others = [name for name in self.figures if name not in (FOUND, DIAGONAL)]
        others.sort(key=lambda name: self.figures[name].aer)
        for name in (FOUND, DIAGONAL, *others):
            each = self.figures[name]
            rows.append(
                f"{name:52} {each.aer:6.2f}  [{each.low:5.2f}, {each.high:5.2f}]"
                f"  {each.precision:9.2f}  {each.recall:6.2f}"
            )
        return "\n".join(rows)

    def page(self) -> str:
        """See :meth:`Record.page`."""
        return page_of(self.as_dict())

    def picture(self, suffix: str, progress: Progress | None = None) -> bytes:
        """See :meth:`Record.picture`: error rates with gold; else the links of the first pair that
        has words on both sides.

        Raises:
            SeqloomError: without gold, no pair has.
        """
        from seqloom.inspection.picture import rendered

        return rendered(self._rates() if self.figures else self._grid(), suffix)

    def _grid(self) -> Figure:
        """The links of the first pair that has words on both sides."""
        import numpy as np

        from seqloom.inspection.picture import draw

        sides = list(zip(self.sources, self.targets, strict=True))
        first = next((number for number, side in enumerate(sides) if all(side)), None)
        if first is None:
            raise SeqloomError("no pair has words on both sides, so there is no picture of links.")
        source, target = sides[first]
        cells = np.zeros((len(target), len(source)))
        for i, j in self.links[first]:
            cells[j, i] = 1
        return draw([(f"pair {first + 1}: {self.how}", source, target, cells)], scale=None)

    def _rates(self) -> Figure:
        """Error rates of every way, with their intervals, and the baseline as a line."""
        from seqloom.inspection.alignment_picture import rates

        return rates(self.figures, FOUND, DIAGONAL)


def _links(line: str, place: str) -> frozenset[Link]:
    """The links of a line; a record has a line of its own for those that are only possible."""
    found = parse_links(line, 0, place)
    if found.sure != found.possible:
        raise ValueError(f"{place}: expected links such as 0-1, found {line!r}")
    return found.sure
