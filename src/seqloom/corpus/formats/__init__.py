"""Formats of files of pairs, by suffix: how each is read and written.

A new format is a function (path, reading) -> record batches, one (path, corpus) -> number of pairs
if it can be written, and a line in :data:`FORMATS`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from seqloom.corpus.formats.csv import read_csv, write_csv
from seqloom.corpus.formats.jsonl import read_jsonl, write_jsonl
from seqloom.corpus.formats.mo import mo_languages, read_mo
from seqloom.corpus.formats.parquet import (
    parquet_languages,
    parquet_rows,
    read_parquet,
    write_parquet,
)
from seqloom.corpus.formats.po import po_languages, read_po
from seqloom.corpus.formats.po_write import write_po
from seqloom.corpus.formats.reading import Columns, Reading
from seqloom.corpus.formats.tmx import read_tmx, tmx_languages, write_tmx
from seqloom.corpus.formats.tsv import read_tsv, write_tsv
from seqloom.corpus.formats.xliff import read_xliff, xliff_languages
from seqloom.corpus.formats.xliff_writing import write_xliff
from seqloom.corpus.languages import Languages
from seqloom.corpus.pairs import Corpus
from seqloom.corpus.streams import plain_name, share_read
from seqloom.errors import CorpusError

__all__ = ["FORMATS", "Columns", "Format", "Reading", "by_bytes", "format_of", "named_format"]


def by_bytes(*paths: Path) -> Callable[[int], int | None]:
    """Tells about how many pairs some files hold, from those read and the bytes read so far."""

    def estimate(done: int) -> int | None:
        share = share_read(paths)
        return round(done / share) if done and share else None

    return estimate


@dataclass(frozen=True)
class Format:
    """How one format of files with both sides is read and written."""

    read: Callable[[Path, Reading], Iterator[pa.RecordBatch]]
    """Streams batches of :data:`seqloom.corpus.pairs.SCHEMA`."""
    write: Callable[[Path, Corpus], int] | None = None
    """Writes a corpus whole or not at all, and tells the number of pairs."""
    languages: Callable[[Path], Languages] = lambda path: (None, None)
    """The languages that the file itself names."""
    estimate: Callable[[Path], Callable[[int], int | None]] = by_bytes
    """How to tell the number of pairs while they are read; see :class:`Corpus`."""


FORMATS: dict[str, Format] = {
    ".tsv": Format(read_tsv, write_tsv),
    ".csv": Format(read_csv, write_csv),
    ".jsonl": Format(read_jsonl, write_jsonl),
    ".parquet": Format(read_parquet, write_parquet, parquet_languages, parquet_rows),
    ".tmx": Format(read_tmx, write_tmx, tmx_languages),
    ".xlf": Format(read_xliff, write_xliff, xliff_languages),
    ".xliff": Format(read_xliff, write_xliff, xliff_languages),
    ".po": Format(read_po, write_po, po_languages),
    ".pot": Format(read_po, write_po, po_languages),
    ".mo": Format(read_mo, None, mo_languages),
}
"""By suffix, without that of a compression; files with any other suffix are lines of text."""


def named_format(name: str) -> Format:
    """The format that a user calls ``tsv``, ``tmx`` and so on.

    Raises:
        CorpusError: there is none of that name.
    """
    form = FORMATS.get(f".{name.lower().removeprefix('.')}")
    if form is None:
        known = ", ".join(suffix[1:] for suffix in FORMATS)
        raise CorpusError(f"no format is called {name!r}; there are {known}.")
    return form


def format_of(path: Path) -> Format | None:
    """The format that a file's name tells, or None: then it holds one side, line by line."""
    return FORMATS.get(plain_name(path).suffix.lower())
