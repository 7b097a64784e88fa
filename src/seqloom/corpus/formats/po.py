"""Pairs of gettext's PO files and POT templates, streamed.

What becomes a pair:

- The header (an empty msgid without context) is no pair.
- Untranslated entries are no pairs; nor are obsolete ones (``#~``), and nor are fuzzy ones, whose
  translations are guesses of a program.
- An entry with plural forms gives a pair for each form that is translated: msgid with msgstr[0],
  msgid_plural with every further form. If it has one form only, as in languages without plural,
  that is the translation of msgid_plural.
- Metadata: ``context`` (msgctxt), ``note`` (the extracted comments ``#.``), ``reference`` (``#:``),
  ``flags`` (such as ``c-format``) and ``plural`` (the number of the form).

The msgid is taken for the source text. Files whose msgid is a key (``menu.open``) cannot be told
from others; their keys are read as sources.

gettext names the target language only. Where another target was asked for, and the source asked for
is the language of the file, the pairs are turned round: a file that translates into Bulgarian,
asked for from Bulgarian into English, gives its msgstr as source and its msgid as target.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

import pyarrow as pa

from seqloom.corpus.formats.po_entries import Entry, PoFile
from seqloom.corpus.formats.po_header import find_header
from seqloom.corpus.formats.reading import Reading
from seqloom.corpus.languages import Languages, find_language
from seqloom.corpus.pairs import Pair, batches_of
from seqloom.errors import CorpusError


def read_po(path: Path, reading: Reading) -> Iterator[pa.RecordBatch]:
    """Stream the pairs of a PO or POT file.

    Raises:
        CorpusError: the charset is unknown or wrong, a line is none that gettext knows, an entry is
            not whole, or the file is in another language than was asked for.
    """
    file = PoFile(path)
    pairs = pairs_of(file.entries())
    yield from batches_of(directed(pairs, path, file.header.language, reading))


def po_languages(path: Path) -> Languages:
    """The target language that the header names; gettext never names the source."""
    return None, find_header(path)[1].language


def pairs_of(entries: Iterable[Entry]) -> Iterator[Pair]:
    """The pairs that entries hold, by the rules of this file."""
    for entry in entries:
        if entry.is_header or entry.is_fuzzy:
            continue
        forms = len(entry.targets)
        for form, target in enumerate(entry.targets):
            if target:
                yield Pair(entry.source_of(form, forms), target, _metadata(entry, form))


def directed(
    pairs: Iterable[Pair], path: Path, language: str | None, reading: Reading
) -> Iterable[Pair]:
    """The pairs in the direction asked for.

    Args:
        pairs: of a file, from its msgid to its msgstr.
        path: of that file.
        language: into which it translates, if it says so.
        reading: the languages asked for, if any.

    Raises:
        CorpusError: it translates into neither of the languages asked for.
    """
    asked = reading.target_language
    if asked is None or language is None or _means(asked, language):
        return pairs
    if reading.source_language is None or not _means(reading.source_language, language):
        raise CorpusError(
            f"{path}: its header says Language: {language}, but {asked} was asked for as the "
            "target language. Ask for the language of the file, or correct its header."
        )
    return (Pair(target, source, metadata) for source, target, metadata in pairs)


def _means(asked: str, language: str) -> bool:
    # gettext adds scripts and variants: sr@latin, ca@valencia.
    return find_language(asked, [language, language.partition("@")[0]]) is not None


def _metadata(entry: Entry, form: int) -> dict[str, str] | None:
    found = {
        "context": entry.context or "",
        "note": "\n".join(entry.notes).strip(),
        "reference": " ".join(entry.references).strip(),
        "flags": ", ".join(entry.flags),
        "plural": "" if entry.plural is None else str(form),
    }
    return {key: text for key, text in found.items() if text} or None
