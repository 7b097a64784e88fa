"""Records of searches: the tree of what was looked at, kept and pruned."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

from seqloom.inspection.beam_page import page_of
from seqloom.inspection.beam_tree import BeamTree
from seqloom.inspection.beam_words import report, verdict
from seqloom.inspection.record import Record

if TYPE_CHECKING:
    from seqloom.corpus.pairs import Progress


@dataclass(frozen=True, eq=False)
class BeamRecord(Record):
    """What a search looked at, and what became of it."""

    kind = "beam"
    noun = "beam record"
    height = 900

    tree: BeamTree

    def values(self) -> dict[str, Any]:
        """See :meth:`Record.values`."""
        return self.tree.values()

    @classmethod
    def of(cls, values: Mapping[str, Any], version: int) -> Self:
        """See :meth:`Record.of`."""
        return cls(BeamTree.of(values))

    def text(self) -> str:
        """The search for a terminal."""
        return report(self.tree)

    def verdict(self) -> str:
        """Why the forced text is not what the search chose; empty where none was forced."""
        forced = self.tree.forced
        return "" if forced is None else " ".join(verdict(self.tree, forced))

    def page(self) -> str:
        """See :meth:`Record.page`."""
        return page_of(self.tree)

    def picture(self, suffix: str, progress: Progress | None = None) -> bytes:
        """See :meth:`Record.picture`: what was kept."""
        from seqloom.inspection.beam_picture import draw
        from seqloom.inspection.picture import rendered

        return rendered(draw(self.tree), suffix)
