"""Comma-separated pairs as spreadsheets write them (RFC 4180): quoted cells, line ends inside."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa

from seqloom.corpus.formats.reading import Reading
from seqloom.corpus.formats.tables import Choice, choose, wrong_width
from seqloom.corpus.formats.writing import refuse_characters
from seqloom.corpus.lines import MAX_LINE_BYTES, blocks
from seqloom.corpus.pairs import Corpus, batches_of
from seqloom.corpus.streams import writing_bytes
from seqloom.errors import CorpusError

_DELIMITERS = ",;\t"  # where a comma parts decimals, spreadsheets write semicolons
_QUOTED = re.compile(r'"[^"]*("|$)')


def read_csv(path: Path, reading: Reading) -> Iterator[pa.RecordBatch]:
    """Stream two columns of a CSV file; see :func:`seqloom.corpus.formats.tables.choose` for which.

    Cells are parted by commas; by semicolons or tabs if the first line has no comma outside
    quotes.

    Raises:
        CorpusError: a quote that is not closed, a number of columns that changes, fewer than two
            columns, or a column that is not there.
    """
    return batches_of(_pairs(path, reading))


def _pairs(path: Path, reading: Reading) -> Iterator[tuple[str, str]]:
    csv.field_size_limit(MAX_LINE_BYTES)
    lines = _lines(path)
    first = next(lines)
    rows = csv.reader(_again(first, lines), delimiter=_delimiter(first), strict=True)
    choice: Choice | None = None
    begin = 1  # line on which the row begins
    try:
        for cells in rows:
            header = False
            if choice is None:
                choice = choose(path, "CSV", cells, reading)
                header = choice.header
            if cells and len(cells) != choice.width:
                raise wrong_width(path, "CSV", begin, len(cells), choice)
            if cells and not header:
                yield cells[choice.source], cells[choice.target]
            begin = rows.line_num + 1
    except csv.Error as error:
        raise CorpusError(
            f"{path}, line {begin}: the row that begins there cannot be read ({error}). Look for a "
            "quotation mark that is not closed, or not doubled inside a cell."
        ) from error


def _lines(path: Path) -> Iterator[str]:
    for block in blocks(path):
        yield from io.StringIO(block.decode(), newline="\n")


def _again(first: str, rest: Iterator[str]) -> Iterator[str]:
    yield first
    yield from rest


def _delimiter(line: str) -> str:
    bare = _QUOTED.sub("", line)
    return next((mark for mark in _DELIMITERS if mark in bare), _DELIMITERS[0])


def write_csv(path: Path, corpus: Corpus) -> int:
    """Write a header ``source,target`` and the pairs; returns their number.

    Raises:
        CorpusError: a NUL character inside a text.
        FolderError: the file cannot be written.
    """
    written = 0
    with writing_bytes(path) as file:
        file.write(b"source,target\r\n")
        for batch in corpus.batches():
            sides = [batch.column(0), batch.column(1)]
            for texts in sides:
                refuse_characters(texts, "\0", written, "a CSV file")
            buffer = io.StringIO(newline="")
            rows = zip(*(texts.to_pylist() for texts in sides), strict=True)
            csv.writer(buffer).writerows(rows)
            file.write(buffer.getvalue().encode())
            written += batch.num_rows
    return written
