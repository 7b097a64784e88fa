"""Segments of XLIFF 2.0 and 2.1.

Each ``segment`` of a ``unit`` is one; ``ignorable`` is none. Languages are ``srcLang`` and
``trgLang`` of the root. ``translate="no"`` is handed down from files and groups. The identity of a
segment is that of its unit, with its own behind a slash if it has one or is not the only one.
"""

from __future__ import annotations

from collections.abc import Iterator

from seqloom.corpus.formats.xliff_segments import Segment, Translatable
from seqloom.corpus.formats.xml import Element


def segments_2(root: Element, elements: Iterator[Element]) -> Iterator[Segment]:
    """The segments of a file of version 2, from its root and the elements behind it."""
    languages = (root.attributes.get("srcLang"), root.attributes.get("trgLang"))
    translatable = Translatable()
    file: str | None = None
    for element in elements:
        if element.name not in ("file", "group", "unit"):
            continue
        translate = translatable.enter(element)
        if element.name == "file":
            file = element.attributes.get("original") or element.attributes.get("id")
        if element.name != "unit":
            continue
        found = [child for child in element.children if child.name == "segment"]
        notes = element.child("notes")
        for number, segment in enumerate(found, 1):
            source = segment.child("source")
            if source is not None:
                yield Segment(
                    unit=element,
                    source=source,
                    target=segment.child("target"),
                    before_target=source,
                    languages=languages,
                    version=2,
                    is_translatable=translate,
                    id=_identity(element, segment, number, len(found)),
                    state=segment.attributes.get("state"),
                    file=file,
                    notes=tuple(notes.children if notes else ()),
                )


def _identity(unit: Element, segment: Element, number: int, of: int) -> str | None:
    whole = unit.attributes.get("id")
    own = segment.attributes.get("id") or (str(number) if of > 1 else None)
    return f"{whole}/{own}" if whole and own else whole or own
