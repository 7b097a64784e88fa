"""Two text files, aligned line by line."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import pyarrow as pa

from seqloom.corpus.formats.writing import mark_before, refuse_characters
from seqloom.corpus.lines import line_arrays, read_lines
from seqloom.corpus.pairs import BATCH_PAIRS, Corpus, make_batch
from seqloom.corpus.report import shorten
from seqloom.corpus.shift import find_shift
from seqloom.corpus.streams import writing_bytes
from seqloom.errors import CorpusError


def read_aligned(source: Path, target: Path) -> Iterator[pa.RecordBatch]:
    """Stream line N of ``source`` with line N of ``target``.

    Raises:
        CorpusError: a file is damaged, or the files differ in their number of lines; the message
            then names the first line where they look shifted.
    """
    sides = line_arrays(source), line_arrays(target)
    left, right = (next(side, None) for side in sides)
    while left is not None and right is not None:
        count = min(len(left), len(right), BATCH_PAIRS)
        yield make_batch(left[:count], right[:count])
        left, right = left[count:], right[count:]
        if not len(left):
            left = next(sides[0], None)
        if not len(right):
            right = next(sides[1], None)
    if left is not right:
        raise _unequal(source, target)


def write_aligned(source: Path, target: Path, corpus: Corpus) -> int:
    """Write the sources of a corpus to one file and its targets to another, line by line.

    Raises:
        CorpusError: a text with a line end in it, or files that are one and the same.
        FolderError: a file cannot be written; neither is there then.
    """
    if source == target:
        raise CorpusError(f"{source}: sources and targets need a file each.")
    written = 0
    with writing_bytes(source) as left, writing_bytes(target) as right:
        for batch in corpus.batches():
            for file, side in ((left, "source"), (right, "target")):
                texts = batch.column(side)
                refuse_characters(texts, "\n\r\0", written, "lines of text")
                if written == 0 and batch.num_rows:
                    file.write(mark_before(texts[0].as_py()))
                file.write("".join(f"{text}\n" for text in texts.to_pylist()).encode())
            written += batch.num_rows
    return written


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
