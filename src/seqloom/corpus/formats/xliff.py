"""XLIFF, versions 1.0 to 1.2 and, through :mod:`seqloom.corpus.formats.xliff2`, 2.0 and 2.1.

Rules of reading:

- A unit (``trans-unit``; each ``segment`` in 2.x) is a pair if it has a target that is not empty,
  whether it is to be translated or not. In 1.x the whole ``source`` and ``target`` are taken;
  ``seg-source`` and the proposals in ``alt-trans`` are passed over.
- Text is what :mod:`seqloom.corpus.formats.markup` says. White space stays.
- Languages are those that the file names. Those asked for may be the other way round: the pairs
  then are, too. A language that the file leaves out is taken for the one asked for.
- Metadata: ``id``, ``note`` (a line each), ``context`` (1.x, a line each), ``state``, ``file`` (the
  ``original``), ``source_markup`` and ``target_markup``.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa

from seqloom.corpus.formats.language_choice import LanguageChoice
from seqloom.corpus.formats.markup import marked, pair_of
from seqloom.corpus.formats.reading import Reading
from seqloom.corpus.formats.xliff2 import segments_2
from seqloom.corpus.formats.xliff_segments import Segment, Translatable, is_blank
from seqloom.corpus.formats.xml import Element, XmlFile
from seqloom.corpus.languages import Languages, find_language
from seqloom.corpus.pairs import Pair, batches_of
from seqloom.errors import CorpusError

_UNKNOWN = "und"
"""What stands for a language that nobody named."""


def read_xliff(path: Path, reading: Reading) -> Iterator[pa.RecordBatch]:
    """Stream the pairs of an XLIFF file of any version.

    Raises:
        CorpusError: the file is broken, of an unknown version, or not in the languages asked for;
            or none are asked for and its parts differ in theirs. Pairs before the broken place are
            handed on first.
    """
    return batches_of(_pairs(path, reading))


def xliff_languages(path: Path) -> Languages:
    """The languages that the first part of the file names.

    Raises:
        CorpusError: the file is broken before.
    """
    for element in open_xliff(path).elements():
        if element.name == "xliff" and "srcLang" in element.attributes:
            return element.attributes["srcLang"], element.attributes.get("trgLang")
        if element.name == "file":
            return _languages(element)
    return None, None


def open_xliff(path: Path) -> XmlFile:
    """The file, to be read as XML."""
    return XmlFile(
        path,
        "xliff",
        units={"trans-unit", "unit"},
        leaves={"source", "target", "seg-source", "alt-trans", "note", "context"},
    )


def segments(file: XmlFile) -> Iterator[Segment]:
    """The segments of a file of any version.

    Raises:
        CorpusError: the file is broken, or of an unknown version.
    """
    elements = file.elements()
    root = next(elements)
    version = root.attributes.get("version") or file.namespace.rpartition(":")[2]
    if version.startswith("2."):
        yield from segments_2(root, elements)
    elif version.startswith("1.") or not version:
        yield from _segments_1(elements)
    else:
        raise CorpusError(
            f"{file.path}, line {root.line}: XLIFF of version {version}; versions 1.0 to 1.2, 2.0 "
            "and 2.1 can be read."
        )


def _segments_1(elements: Iterator[Element]) -> Iterator[Segment]:
    translatable = Translatable()
    languages: Languages = (None, None)
    file: str | None = None
    for element in elements:
        if element.name not in ("file", "group", "trans-unit"):
            continue
        translate = translatable.enter(element)
        if element.name == "file":
            languages, file = _languages(element), element.attributes.get("original")
        source = element.child("source")
        if element.name == "trans-unit" and source is not None:
            target = element.child("target")
            groups = [child for child in element.children if child.name == "context-group"]
            yield Segment(
                unit=element,
                source=source,
                target=target,
                before_target=element.child("seg-source") or source,
                languages=languages,
                version=1,
                is_translatable=translate,
                id=element.attributes.get("id"),
                state=target.attributes.get("state") if target else None,
                file=file,
                notes=tuple(child for child in element.children if child.name == "note"),
                contexts=tuple(
                    child for group in groups for child in group.children if child.name == "context"
                ),
            )


def _pairs(path: Path, reading: Reading) -> Iterator[Pair]:
    file = open_xliff(path)
    asked = (reading.source_language, reading.target_language)
    choice = LanguageChoice(path, *asked)
    for segment in segments(file):
        codes = _codes(segment.languages, asked)
        sides = choice.sides(codes, segment.unit.line)
        if sides is None or segment.target is None:
            continue
        target = file.inner(segment.target)
        if not is_blank(marked(target)):
            texts = (file.inner(segment.source), target)
            yield pair_of(texts[sides[0]], texts[sides[1]], _known(file, segment))
    choice.check()


def _known(file: XmlFile, segment: Segment) -> dict[str, str | None]:
    notes, contexts = (
        "\n".join(marked(file.inner(element)).text for element in elements)
        for elements in (segment.notes, segment.contexts)
    )
    return {
        "id": segment.id,
        "note": notes,
        "context": contexts,
        "state": segment.state,
        "file": segment.file,
    }


def _languages(file: Element) -> Languages:
    source, target = (file.attributes.get(f"{side}-language") for side in ("source", "target"))
    return source or None, target or None


def _codes(languages: Languages, asked: Languages) -> tuple[str, str]:
    """The languages of a file; those it leaves out are the ones asked for that it does not name."""
    named = [code for code in languages if code]
    left = [code for code in asked if code and not any(find_language(code, [n]) for n in named)]
    if len(left) != languages.count(None):
        left = []
    source, target = (code or (left.pop(0) if left else _UNKNOWN) for code in languages)
    return source, target
