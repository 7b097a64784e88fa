"""Tab-separated pairs: one pair a line, columns parted by tabs, no quoting and no escapes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from seqloom.corpus.formats.reading import Reading
from seqloom.corpus.formats.tables import Choice, choose, named_columns, wrong_width
from seqloom.corpus.formats.writing import mark_before, refuse_characters
from seqloom.corpus.lines import line_arrays
from seqloom.corpus.pairs import BATCH_PAIRS, Corpus, make_batch
from seqloom.corpus.streams import writing_bytes


def read_tsv(path: Path, reading: Reading) -> Iterator[pa.RecordBatch]:
    """Stream two columns of a TSV file; see :func:`seqloom.corpus.formats.tables.choose` for which.

    Raises:
        CorpusError: the number of columns changes, there are fewer than two, or a column is not
            there.
    """
    choice: Choice | None = None
    line = 1  # number of the first line of ``lines``
    for lines in line_arrays(path):
        if choice is None:
            choice = choose(path, "TSV", lines[0].as_py().split("\t"), reading)
            if choice.header:
                lines, line = lines[1:], 2
        rows = pc.split_pattern(lines, "\t")
        widths = rows.value_lengths().to_numpy()
        wrong = np.flatnonzero(widths != choice.width)
        good = int(wrong[0]) if len(wrong) else len(lines)
        cells = rows[:good].flatten()
        for start in range(0, good, BATCH_PAIRS):
            stop = min(start + BATCH_PAIRS, good) * choice.width
            part = np.arange(start * choice.width, stop, choice.width)
            yield make_batch(
                cells.take(pa.array(part + choice.source, pa.int64())),
                cells.take(pa.array(part + choice.target, pa.int64())),
            )
        if len(wrong):
            raise wrong_width(path, "TSV", line + good, int(widths[good]), choice)
        line += len(lines)


def write_tsv(path: Path, corpus: Corpus) -> int:
    """Write sources and targets, parted by a tab; returns the number of pairs.

    There is no header, unless the first pair would be taken for one.

    Raises:
        CorpusError: a tab or a line end inside a text.
        FolderError: the file cannot be written.
    """
    written = 0
    with writing_bytes(path) as file:
        for batch in corpus.batches():
            sides = [batch.column(0), batch.column(1)]
            for texts in sides:
                refuse_characters(texts, "\t\n\r\0", written, "a TSV file")
            if written == 0 and batch.num_rows:
                first = [texts[0].as_py() for texts in sides]
                file.write(mark_before(first[0]))
                if named_columns(Reading(), first):
                    file.write(b"source\ttarget\n")
            rows = zip(*(texts.to_pylist() for texts in sides), strict=True)
            file.write("".join(f"{source}\t{target}\n" for source, target in rows).encode())
            written += batch.num_rows
    return written
