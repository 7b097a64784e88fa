"""PO files and POT templates translated in place: only the texts behind msgstr change.

A blank is a form of an entry without translation: of entries that are neither obsolete nor fuzzy
nor the header. An entry with plural forms has a blank for each empty form: the first translates
msgid, every further one msgid_plural, and the only form of a language without plural msgid_plural.
Forms that the entry lacks, though the header counts them (``nplurals=3``), are blanks too, written
behind the last one.

Translations are written in the charset and with the line ends of the file. They begin and end with
a line feed where the source does, and only there: gettext compiles no others. A template is filled
like any other file; its header stays for its owner to complete.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from seqloom.corpus.formats.markup import Blank, Marked
from seqloom.corpus.formats.po_entries import Entry, PoFile
from seqloom.corpus.formats.po_lines import line_end
from seqloom.corpus.formats.po_write import quoted
from seqloom.corpus.formats.splice import Edit, spliced
from seqloom.corpus.report import shorten
from seqloom.corpus.streams import chunks, writing_bytes
from seqloom.errors import CorpusError


@dataclass(frozen=True)
class _Gap:
    """A form without translation."""

    entry: Entry
    form: int
    forms: int

    @property
    def is_missing(self) -> bool:
        """Whether the file has no msgstr for it, not even an empty one."""
        return self.form >= len(self.entry.targets)


def blanks_po(path: Path) -> list[Blank]:
    """What is not translated yet, in the order of the file; ``id`` is the context.

    Raises:
        CorpusError: as :func:`seqloom.corpus.formats.po.read_po`.
    """
    return [
        Blank(Marked(gap.entry.source_of(gap.form, gap.forms)), gap.entry.line, gap.entry.context)
        for gap in _gaps(PoFile(path))
    ]


def fill_po(path: Path, out: Path, translations: Mapping[int, Marked]) -> None:
    """Copy a file byte for byte, with translations put into its blanks.

    Args:
        path: a PO or POT file.
        out: where the copy goes; may be ``path`` itself.
        translations: by the index of the blank in :func:`blanks_po`; others stay blank.

    Raises:
        CorpusError: the file cannot be read, or its charset lacks a character of a translation.
        FolderError: the copy cannot be written.
    """
    edits = _edits(PoFile(path), translations)
    with writing_bytes(out) as copy:
        for piece in spliced(chunks(path), edits):
            copy.write(piece)


def _gaps(file: PoFile) -> Iterator[_Gap]:
    for entry in file.entries():
        if entry.is_header or entry.is_fuzzy:
            continue
        forms = len(entry.targets)
        if entry.plural is not None:
            forms = max(forms, file.header.forms or 0)
        for form in range(forms):
            if form >= len(entry.targets) or not entry.targets[form]:
                yield _Gap(entry, form, forms)


def _edits(file: PoFile, translations: Mapping[int, Marked]) -> Iterator[Edit]:
    newline = line_end(file.path)
    skipped = ""  # missing forms without translation: needed only if a later form has one
    for index, gap in enumerate(_gaps(file)):
        given = translations[index].text if index in translations else ""
        translation = _like(gap.entry.source_of(gap.form, gap.forms), given)
        text = quoted(translation, newline)
        begin, end = gap.entry.spans[min(gap.form, len(gap.entry.spans) - 1)]
        if gap.is_missing:
            first = gap.form == len(gap.entry.targets)
            text = ("" if first else skipped) + f"{newline}msgstr[{gap.form}] {text}"
            skipped, begin = "" if translation else text, end
        if translation:
            yield Edit(begin, end, _encoded(file, gap.entry, text))


def _like(source: str, translation: str) -> str:
    """The translation with a line feed at its start and end where the source has one."""
    if not translation.strip("\n"):
        return ""
    if source.startswith("\n") != translation.startswith("\n"):
        translation = f"\n{translation}" if source.startswith("\n") else translation.lstrip("\n")
    if source.endswith("\n") != translation.endswith("\n"):
        translation = f"{translation}\n" if source.endswith("\n") else translation.rstrip("\n")
    return translation


def _encoded(file: PoFile, entry: Entry, text: str) -> bytes:
    try:
        if "\0" not in text:
            return text.encode(file.codec)
        problem = "holds a NUL character, at which gettext ends a text"
    except UnicodeEncodeError as error:
        problem = (
            f"holds {text[error.start]!r}, which the charset of the file ({file.codec}) does not "
            "have. Convert the file to UTF-8 (iconv) and write charset=UTF-8 in its header"
        )
    raise CorpusError(f"{file.path}, line {entry.line}: the translation {problem}: {shorten(text)}")
