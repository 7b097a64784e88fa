"""Two text files, aligned line by line."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice, zip_longest
from pathlib import Path

import pyarrow as pa

from seqloom.corpus.lines import read_lines
from seqloom.corpus.pairs import batches_of
from seqloom.corpus.report import shorten
from seqloom.corpus.shift import find_shift
from seqloom.errors import CorpusError


def read_aligned(source: Path, target: Path) -> Iterator[pa.RecordBatch]:
    """Stream line N of ``source`` with line N of ``target``.

    Raises:
        CorpusError: a file is damaged, or the files differ in their number of lines; the message
            then names the first line where they look shifted.
    """
    return batches_of(_pairs(source, target))


def _pairs(source: Path, target: Path) -> Iterator[tuple[str, str]]:
    for source_line, target_line in zip_longest(read_lines(source), read_lines(target)):
        if source_line is None or target_line is None:
            raise _unequal(source, target)
        yield source_line, target_line


def _unequal(source: Path, target: Path) -> CorpusError:
    shift = find_shift(read_lines(source), read_lines(target))
    counts = (
        f"{source} has {shift.source_lines} lines, but {target} has {shift.target_lines}; "
        "line N of one must be the translation of line N of the other."
    )
    if shift.line is not None:
        return CorpusError(
            f"{counts} They look shifted from about line {shift.line} on, where "
            f"{_line(source, shift.line)!r} stands beside {_line(target, shift.line)!r}. "
            "Look there for a line that is missing, doubled or broken in two."
        )
    longer, shorter = (source, target)
    if shift.source_lines < shift.target_lines:
        longer, shorter = (target, source)
    common = min(shift.source_lines, shift.target_lines)
    return CorpusError(
        f"{counts} Lines 1 to {shift.searched} look aligned: {shorter} seems cut off, and line "
        f"{common + 1} of {longer} is the first without a partner."
    )


def _line(path: Path, number: int) -> str:
    return shorten(next(islice(read_lines(path), number - 1, None)))
