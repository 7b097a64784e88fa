"""Two text files, aligned line by line."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import zip_longest
from pathlib import Path

import pyarrow as pa

from seqloom.corpus.lines import read_lines
from seqloom.corpus.pairs import batches_of
from seqloom.corpus.report import shorten
from seqloom.corpus.shift import Shift, find_shift
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
    longer, shorter = (source, target)
    if shift.source_lines < shift.target_lines:
        longer, shorter = (target, source)
    return CorpusError(f"{counts} {_advice(shift, longer, shorter)}")


def _advice(shift: Shift, longer: Path, shorter: Path) -> str:
    common = min(shift.source_lines, shift.target_lines)
    if shift.line is None:
        return (
            f"No shift was found in lines 1 to {min(common, shift.searched)}: {shorter} seems cut "
            f"off, and line {common + 1} of {longer} is the first without a partner."
        )
    return (
        f"They look shifted from about line {shift.line} on, where "
        f"{shorten(shift.source)!r} stands beside {shorten(shift.target)!r}. "
        f"Look there for a line that is missing, doubled or broken in two."
    )
