"""Segments of XLIFF, whatever its version: what readers and the filling of blanks work on."""

from __future__ import annotations

from dataclasses import dataclass

from seqloom.corpus.formats.markup import WHITE, Marked
from seqloom.corpus.formats.xml import Element
from seqloom.corpus.languages import Languages


@dataclass(frozen=True, slots=True)
class Segment:
    """A source, and its target if it has one."""

    unit: Element
    source: Element
    target: Element | None
    before_target: Element
    """Behind it a target goes that is not there yet."""
    languages: Languages
    """As the file names them."""
    version: int
    """Of XLIFF: 1 or 2."""
    is_translatable: bool = True
    id: str | None = None
    state: str | None = None
    file: str | None = None
    """The document that the segment comes from."""
    notes: tuple[Element, ...] = ()
    contexts: tuple[Element, ...] = ()


class Translatable:
    """The attribute ``translate``, which groups hand down to what is in them."""

    def __init__(self) -> None:
        self._said = [(0, True)]  # by depth

    def enter(self, element: Element) -> bool:
        """Take note of the next element in the file: is what it holds to be translated?"""
        while self._said[-1][0] >= element.depth:
            self._said.pop()
        said = element.attributes.get("translate")
        answer = self._said[-1][1] if said is None else said != "no"
        self._said.append((element.depth, answer))
        return answer


def is_blank(target: Marked) -> bool:
    """Whether a target holds neither tags nor anything but white space."""
    return not target.tags and not target.text.strip(WHITE)
