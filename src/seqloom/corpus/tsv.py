"""Tab-separated pairs: one pair a line, columns parted by tabs, no quoting and no escapes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import pyarrow as pa

from seqloom.corpus.lines import read_lines
from seqloom.corpus.pairs import batches_of
from seqloom.errors import CorpusError


def read_tsv(path: Path, columns: Sequence[str | int] | None) -> Iterator[pa.RecordBatch]:
    """Stream two columns of a TSV file: the first two, or those numbered (from 0) or named.

    With names, the first line is the header; without, every line is a pair.

    Raises:
        CorpusError: the number of columns changes, there are fewer than two, or a column is not
            there.
    """
    return batches_of(_pairs(path, columns or (0, 1)))


def _pairs(path: Path, columns: Sequence[str | int]) -> Iterator[tuple[str, str]]:
    width = 0
    chosen: list[int] = []
    for number, line in enumerate(read_lines(path), 1):
        cells = line.split("\t")
        if number == 1:
            width = len(cells)
            chosen = _choose(path, cells, columns)
            if any(isinstance(column, str) for column in columns):
                continue
        if len(cells) != width:
            raise CorpusError(
                f"{path}, line {number}: {_count(len(cells))}, but line 1 has {width}. Each line "
                "needs the same columns, parted by tabs."
            )
        yield cells[chosen[0]], cells[chosen[1]]


def _choose(path: Path, first: list[str], columns: Sequence[str | int]) -> list[int]:
    if len(first) < 2:
        raise CorpusError(
            f"{path}, line 1: {_count(len(first))}; a TSV file needs at least two (source, "
            "target), parted by tabs."
        )
    chosen = []
    for column in columns:
        if isinstance(column, str) and column in first:
            chosen.append(first.index(column))
        elif isinstance(column, int) and 0 <= column < len(first):
            chosen.append(column)
        else:
            what = "columns named" if isinstance(column, str) else "columns, counted from 0:"
            raise CorpusError(f"{path}: no column {column!r}; it has {what} {', '.join(first)}")
    return chosen


def _count(cells: int) -> str:
    return f"{cells} column{'s' if cells != 1 else ''}"
