"""XLIFF translated in place: targets are put in, and nothing else in the file changes.

A blank is a segment that is to be translated and whose target is missing, or holds nothing but
white space. Its new target goes behind the source (in 1.x behind ``seg-source``), indented like it;
or into the target that is there, whose attributes stay, but that the states ``new`` and
``needs-translation`` of 1.x become ``translated``. All is written in the encoding and with the line
ends of the file; characters that its encoding lacks are written by their numbers. XLIFF 2 writes
those that XML cannot hold as ``cp``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from seqloom.corpus.formats.markup import INVALID, Blank, Marked, inner_xml, marked
from seqloom.corpus.formats.splice import Edit, spliced
from seqloom.corpus.formats.xliff import open_xliff, segments
from seqloom.corpus.formats.xliff_segments import Segment, is_blank
from seqloom.corpus.formats.xml import XmlFile
from seqloom.corpus.formats.xml_writing import well_formed
from seqloom.corpus.report import shorten
from seqloom.corpus.streams import chunks, writing_bytes
from seqloom.errors import CorpusError

_NAME = re.compile(r"<([^\s/>]+)")
_OPEN_STATE = re.compile(r"(\sstate\s*=\s*)([\"'])(?:new|needs-translation)\2")


def blanks_xliff(path: Path) -> list[Blank]:
    """What is not translated yet, in the order of the file.

    Raises:
        CorpusError: the file is broken, or of an unknown version.
    """
    file = open_xliff(path)
    return [
        Blank(marked(file.inner(segment.source)), segment.unit.line, segment.id)
        for segment in _blanks(file)
    ]


def fill_xliff(path: Path, out: Path, translations: Mapping[int, Marked]) -> None:
    """Copy a file byte for byte, with translations put into its blanks.

    Args:
        path: an XLIFF file.
        out: where the copy goes; may be ``path`` itself.
        translations: by the index of the blank in :func:`blanks_xliff`; others stay blank.

    Raises:
        CorpusError: the file is broken, or a translation holds what XML cannot hold: tags that do
            not nest, or certain characters.
        FolderError: the copy cannot be written.
    """
    with writing_bytes(out) as copy:
        for piece in spliced(chunks(path), _edits(path, translations)):
            copy.write(piece)


def _blanks(file: XmlFile) -> Iterator[Segment]:
    for segment in segments(file):
        target = segment.target
        if segment.is_translatable and (target is None or is_blank(marked(file.inner(target)))):
            yield segment


def _edits(path: Path, translations: Mapping[int, Marked]) -> Iterator[Edit]:
    file = open_xliff(path)
    for index, segment in enumerate(_blanks(file)):
        translation = translations.get(index)
        if translation is not None and not is_blank(translation):
            yield _edit(file, segment, translation)


def _edit(file: XmlFile, segment: Segment, translation: Marked) -> Edit:
    xml = _checked_xml(file, segment, translation)
    if segment.target is None:
        begin = end = file.end(segment.before_target)
        prefix = _name(file.tag(segment.source.start)).removesuffix("source")
        new = f"{file.indent(segment.source)}<{prefix}target>{xml}</{prefix}target>"
    else:
        begin, end = segment.target.start, file.end(segment.target)
        tag = file.tag(segment.target.start)
        if segment.version == 1:
            tag = _OPEN_STATE.sub(r"\1\2translated\2", tag)
        new = f"{tag.removesuffix('/>').removesuffix('>').rstrip()}>{xml}</{_name(tag)}>"
    new = re.sub("\r?\n", file.line_end, new)
    return Edit(begin, end, new.encode(file.codec, "xmlcharrefreplace"))


def _checked_xml(file: XmlFile, segment: Segment, translation: Marked) -> str:
    xml = inner_xml(translation)
    if segment.version == 2:
        xml = INVALID.sub(lambda found: f'<cp hex="{ord(found.group()):04X}"/>', xml)
    found = INVALID.search(xml)
    if found is None and well_formed(xml):
        return xml
    what = f"U+{ord(found.group()):04X}" if found else "tags that do not nest"
    raise CorpusError(
        f"{file.path}, line {segment.unit.line}: the translation holds {what}, which XML cannot "
        f"hold: {shorten(xml)!r}"
    )


def _name(tag: str) -> str:
    found = _NAME.match(tag)
    assert found is not None
    return found[1]
