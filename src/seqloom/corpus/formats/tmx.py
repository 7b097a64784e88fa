"""TMX, versions 1.1 to 1.4: translation memories, read as a stream and written.

Rules of reading:

- A unit (``tu``) is a pair if it has a variant (``tuv`` with ``seg``) in both languages; see
  :mod:`seqloom.corpus.formats.language_choice` for which two. The language of a variant is its
  ``xml:lang``, or ``lang`` as in TMX 1.1. The declared source is ``srclang`` of the unit or else of
  the header, unless it is ``*all*``. Of several variants in one language the first counts.
- Text is what :mod:`seqloom.corpus.formats.markup` says: without native code, with the text inside
  ``hi``. White space stays. A segment without text is a pair with an empty side.
- Metadata: ``id`` (``tuid``), ``note`` (notes of the unit, a line each), ``context`` and ``file``
  (properties ``x-context`` and ``file``), ``source_markup`` and ``target_markup``.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa

from seqloom.corpus.formats.language_choice import LanguageChoice
from seqloom.corpus.formats.markup import escape, marked, pair_of, quote
from seqloom.corpus.formats.reading import Reading
from seqloom.corpus.formats.xml import XML_LANG, Element, XmlFile
from seqloom.corpus.formats.xml_writing import (
    TMX_TAGS,
    both_languages,
    refuse_invalid,
    segment_xml,
)
from seqloom.corpus.languages import Languages, normal
from seqloom.corpus.pairs import Corpus, Pair, batches_of
from seqloom.corpus.streams import writing_bytes
from seqloom.errors import CorpusError

_PROPERTIES = {"x-context": "context", "file": "file"}
"""Types of properties that are read and written, and their names as metadata."""


def read_tmx(path: Path, reading: Reading) -> Iterator[pa.RecordBatch]:
    """Stream the pairs of a translation memory.

    Raises:
        CorpusError: the file is broken, a variant has no language, the languages asked for are not
            there, or none are asked for and the file has more than two. Pairs before the broken
            place are handed on first.
    """
    return batches_of(_pairs(path, reading))


def tmx_languages(path: Path) -> Languages:
    """Source and target of the first unit with two languages, unless it has more.

    Raises:
        CorpusError: the file is broken before that unit.
    """
    choice = LanguageChoice(path, None, None)
    for unit, variants, declared in _units(_open(path)):
        try:
            sides = choice.sides(tuple(variants), unit.line, declared)
        except CorpusError:
            return declared, None  # reading tells what is to be chosen
        if sides is not None:
            return choice.source, choice.target
    return None, None


def write_tmx(path: Path, corpus: Corpus) -> int:
    """Write TMX 1.4, and return the number of pairs.

    Inline tags of the metadata are written if they are those of TMX and still fit the text.

    Raises:
        CorpusError: a language is not known, both are the same, or a text holds a character that
            XML cannot hold.
        FolderError: the file cannot be written.
    """
    source, target = both_languages(path, corpus)
    if normal(source) == normal(target):
        raise CorpusError(
            f"{path}: source and target are both {source}, but TMX tells its sides apart by their "
            "languages. Write .tsv, .jsonl or .parquet."
        )
    number = 0
    with writing_bytes(path) as file:
        file.write(_HEAD.format(source=quote(source)).encode())
        for number, pair in enumerate(corpus.pairs(), 1):
            refuse_invalid(path, number, pair)
            file.write(_unit_xml(pair, quote(source), quote(target)).encode())
        file.write(b"  </body>\n</tmx>\n")
    return number


_HEAD = """\
<?xml version="1.0" encoding="UTF-8"?>
<tmx version="1.4">
  <header creationtool="Seqloom" creationtoolversion="1" segtype="sentence" o-tmf="Seqloom" \
adminlang="en" srclang={source} datatype="plaintext"/>
  <body>
"""


def _open(path: Path) -> XmlFile:
    return XmlFile(path, "tmx", units={"tu"}, leaves={"seg", "note", "prop"})


def _units(file: XmlFile) -> Iterator[tuple[Element, dict[str, Element], str | None]]:
    """Each unit, its segments by language, and the source language that is declared for it."""
    header: str | None = None
    for element in file.elements():
        if element.name == "header":
            header = element.attributes.get("srclang")
        elif element.name == "tu":
            variants: dict[str, Element] = {}
            for child in element.children:
                if child.name == "tuv" and (segment := child.child("seg")):
                    variants.setdefault(_language(file, child), segment)
            declared = element.attributes.get("srclang", header)
            is_one = bool(declared) and declared != "*all*"
            yield element, variants, declared if is_one else None


def _language(file: XmlFile, variant: Element) -> str:
    code = variant.attributes.get(XML_LANG) or variant.attributes.get("lang")
    if not code:
        raise CorpusError(
            f"{file.path}, line {variant.line}: this <tuv> does not say its language. Write it as "
            '<tuv xml:lang="...">.'
        )
    return code


def _pairs(path: Path, reading: Reading) -> Iterator[Pair]:
    file = _open(path)
    choice = LanguageChoice(path, reading.source_language, reading.target_language)
    for unit, variants, declared in _units(file):
        sides = choice.sides(tuple(variants), unit.line, declared)
        if sides is not None:
            source, target = (list(variants.values())[side] for side in sides)
            yield pair_of(file.inner(source), file.inner(target), _known(file, unit))
    choice.check()


def _known(file: XmlFile, unit: Element) -> dict[str, str | None]:
    known = {"id": unit.attributes.get("tuid")}
    notes = [marked(file.inner(child)).text for child in unit.children if child.name == "note"]
    known["note"] = "\n".join(notes)
    for child in unit.children:
        if child.name == "prop" and (name := _PROPERTIES.get(child.attributes.get("type", ""))):
            known[name] = marked(file.inner(child)).text
    return known


def _unit_xml(pair: Pair, source: str, target: str) -> str:
    known = pair.metadata or {}
    identity = f" tuid={quote(known['id'])}" if known.get("id") else ""
    lines = [f"    <tu{identity}>"]
    if known.get("note"):
        lines.append(f"      <note>{escape(known['note'])}</note>")
    lines += (
        f'      <prop type="{kind}">{escape(known[name])}</prop>'
        for kind, name in _PROPERTIES.items()
        if known.get(name)
    )
    for language, text, markup in (
        (source, pair.source, known.get("source_markup")),
        (target, pair.target, known.get("target_markup")),
    ):
        segment = segment_xml(text, markup, TMX_TAGS)
        lines.append(f"      <tuv xml:lang={language}><seg>{segment}</seg></tuv>")
    return "\n".join((*lines, "    </tu>", ""))
