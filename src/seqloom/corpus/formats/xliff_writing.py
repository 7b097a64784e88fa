"""Pairs as XLIFF 1.2, the version that every tool for translators opens."""

from __future__ import annotations

import re
from pathlib import Path

from seqloom.corpus.formats.markup import escape, marked, quote
from seqloom.corpus.formats.xliff_segments import is_blank
from seqloom.corpus.formats.xml_writing import (
    XLIFF_TAGS,
    both_languages,
    refuse_invalid,
    segment_xml,
)
from seqloom.corpus.pairs import Corpus, Pair
from seqloom.corpus.report import shorten
from seqloom.corpus.streams import writing_bytes
from seqloom.errors import CorpusError

_STATES = {
    *("new", "needs-translation", "needs-l10n", "needs-adaptation", "translated", "final"),
    *("needs-review-translation", "needs-review-l10n", "needs-review-adaptation", "signed-off"),
}
_SPACES = re.compile(r"\A\s|\s\Z|\s\s|[^\S ]")
"""White space that a tool might change unless told not to."""

_HEAD = """\
<?xml version="1.0" encoding="UTF-8"?>
<xliff version="1.2" xmlns="urn:oasis:names:tc:xliff:document:1.2">
  <file original={name} source-language={source} target-language={target} datatype="plaintext">
    <body>
"""
_TAIL = b"    </body>\n  </file>\n</xliff>\n"


def write_xliff(path: Path, corpus: Corpus) -> int:
    """Write XLIFF 1.2 with one ``file``, and return the number of pairs.

    A pair without an ``id`` gets its number, counted from 1. Notes, contexts and the states of 1.2
    are written too; inline tags if they are those of XLIFF 1.2 and still fit the text.

    Raises:
        CorpusError: a language is not known, a target is empty, or a text holds a character that
            XML cannot hold.
        FolderError: the file cannot be written.
    """
    source, target = both_languages(path, corpus)
    number = 0
    with writing_bytes(path) as file:
        head = _HEAD.format(name=quote(corpus.name), source=quote(source), target=quote(target))
        file.write(head.encode())
        for number, pair in enumerate(corpus.pairs(), 1):
            refuse_invalid(path, number, pair)
            file.write(_unit_xml(path, number, pair).encode())
        file.write(_TAIL)
    return number


def _unit_xml(path: Path, number: int, pair: Pair) -> str:
    known = pair.metadata or {}
    source = segment_xml(pair.source, known.get("source_markup"), XLIFF_TAGS)
    target = segment_xml(pair.target, known.get("target_markup"), XLIFF_TAGS)
    if is_blank(marked(target)):
        raise CorpusError(
            f"{path}: pair {number} has an empty target, which XLIFF takes for a text that is not "
            f"translated yet: {shorten(pair.source)!r}. Write .jsonl or .parquet, or clean the "
            "corpus first."
        )
    space = ' xml:space="preserve"' if _SPACES.search(f"{pair.source}|{pair.target}") else ""
    state = f" state={quote(known['state'])}" if known.get("state") in _STATES else ""
    lines = [
        f"      <trans-unit id={quote(known.get('id') or str(number))}{space}>",
        f"        <source>{source}</source>",
        f"        <target{state}>{target}</target>",
    ]
    if known.get("context"):
        context = f'<context context-type="x-context">{escape(known["context"])}</context>'
        lines.append(f"        <context-group>{context}</context-group>")
    if known.get("note"):
        lines.append(f"        <note>{escape(known['note'])}</note>")
    return "\n".join((*lines, "      </trans-unit>", ""))
