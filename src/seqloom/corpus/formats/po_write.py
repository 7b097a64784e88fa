"""Pairs as a PO file that gettext and its editors read.

gettext tells messages apart by context and msgid. Where a corpus has the same source text again,
the context of the later entry gets a number (``msgctxt "2"``); the texts stay as they are. Plural
forms become entries of their own.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa

from seqloom.corpus.digest import text_digests
from seqloom.corpus.pairs import Corpus, Pair
from seqloom.corpus.streams import writing_bytes
from seqloom.errors import CorpusError

_ESCAPES = str.maketrans({"\\": r"\\", '"': r"\"", "\n": r"\n", "\r": r"\r", "\t": r"\t"})
"""Other control characters stand for themselves: some readers do not know their escapes."""

_LINE_ENDS = re.compile(r"[\r\n]+")
_FLAG = re.compile(r"(?!fuzzy\b)[a-z][a-z0-9-]*(:[^\s,]+)?")


def write_po(path: Path, corpus: Corpus) -> int:
    """Write an entry a pair, with the context, note, reference and flags of its metadata.

    Memory: a digest of 64 bits for every distinct source text. Returns the number of pairs.

    Raises:
        CorpusError: a pair with an empty text, or with a NUL character; names its number.
        FolderError: the file cannot be written.
    """
    names = _Contexts()
    written = 0
    with writing_bytes(path) as file:
        file.write(_header(corpus.target_language).encode())
        for pair in corpus.pairs():
            written += 1
            _refuse_unwritable(written, pair)
            file.write("\n".join(("", *_entry(pair, names), "")).encode())
    return written


def quoted(text: str, line_end: str = "\n") -> str:
    """A text as PO files hold it: in quotes, and one line of the text a line of the file."""
    lines = [f'"{line.translate(_ESCAPES)}"' for line in re.findall(r"[^\n]*\n|[^\n]+", text)]
    if len(lines) < 2:
        return "".join(lines) or '""'
    return line_end.join(('""', *lines))


class _Contexts:
    """Contexts under which source texts were written, to keep each entry apart from the others."""

    def __init__(self) -> None:
        self._times: dict[int, int] = {}  # by the digest of context and source

    def unused(self, context: str | None, source: str) -> str | None:
        """The context, with a number if the source text was written under it before."""
        key = self._digest(context, source)
        chosen, number = context, self._times.get(key, 0) + 1
        while number > 1:
            chosen = f"{context} {number}" if context else str(number)
            taken = self._digest(chosen, source)
            if taken not in self._times:
                self._times[taken] = 1
                break
            number += 1
        self._times[key] = number
        return chosen

    @staticmethod
    def _digest(context: str | None, source: str) -> int:
        return next(text_digests(pa.array([f"{context or ''}\x04{source}"])))


def _header(language: str | None) -> str:
    fields = [
        "MIME-Version: 1.0",
        "Content-Type: text/plain; charset=UTF-8",
        "Content-Transfer-Encoding: 8bit",
    ]
    if language:
        fields.append(f"Language: {language}")
    text = "".join(f"{field}\n" for field in fields)
    return f'msgid ""\nmsgstr {quoted(text)}\n'


def _entry(pair: Pair, names: _Contexts) -> Iterator[str]:
    known = pair.metadata or {}
    for note in filter(None, _LINE_ENDS.split(known.get("note", ""))):
        yield f"#. {note}"
    if reference := " ".join(known.get("reference", "").split()):
        yield f"#: {reference}"
    if flags := [flag for flag in known.get("flags", "").split(", ") if _FLAG.fullmatch(flag)]:
        yield f"#, {', '.join(flags)}"
    context = names.unused(known.get("context") or None, pair.source)
    if context is not None:
        yield f"msgctxt {quoted(context)}"
    yield f"msgid {quoted(pair.source)}"
    yield f"msgstr {quoted(pair.target)}"


def _refuse_unwritable(number: int, pair: Pair) -> None:
    texts = (pair.source, pair.target, *(pair.metadata or {}).values())
    if not pair.source:
        problem = "has an empty source text, which in PO files is the header of the file"
    elif not pair.target:
        problem = "has an empty target text, which in PO files means untranslated"
    elif any("\0" in text for text in texts):
        problem = "has a NUL character, at which gettext ends a text"
    else:
        return
    raise CorpusError(f"pair {number} {problem}. Leave the pair out, or write .jsonl or .parquet.")
