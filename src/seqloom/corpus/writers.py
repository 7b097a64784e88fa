"""A corpus becomes files, in the format that the suffix tells."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa

from seqloom.corpus.formats import FORMATS, format_of
from seqloom.corpus.formats.aligned import write_aligned
from seqloom.corpus.formats.writing import one_line as make_one_line
from seqloom.corpus.pairs import Corpus
from seqloom.corpus.streams import plain_name
from seqloom.errors import CorpusError


def write_corpus(
    corpus: Corpus, source: str | Path, target: str | Path | None = None, *, one_line: bool = False
) -> int:
    """Write a corpus to one file with both sides, or to two aligned files of lines.

    The suffix tells the format; .gz, .xz or .zst behind it compresses. A file appears when it is
    whole. Reading it gives the same pairs; metadata is kept by .jsonl and .parquet, and by
    .tmx, .xlf and .po as far as they have a place for it.

    Args:
        corpus: what to write.
        source: the file, or the file for the source side.
        target: the file for the target side.
        one_line: write a space for each run of line ends and tabs inside a text, which lines of
            text and TSV cannot hold.

    Returns:
        The number of pairs.

    Raises:
        CorpusError: the format cannot be written or cannot hold a text, or there are no pairs.
        FolderError: a file cannot be written.
    """
    path = Path(source)
    corpus = _not_empty(corpus.map(make_one_line) if one_line else corpus)
    if target is not None:
        _refuse_both_sides(path, Path(target))
        return write_aligned(path, Path(target), corpus)
    form = format_of(path)
    if form is None or form.write is None:
        writable = ", ".join(suffix for suffix, form in FORMATS.items() if form.write)
        raise CorpusError(
            f"{path}: a file of that name cannot hold both sides. Name one that ends in "
            f"{writable}, or two files for lines of text."
        )
    return form.write(path, corpus)


def _refuse_both_sides(*paths: Path) -> None:
    for path in paths:
        if format_of(path) is not None:
            raise CorpusError(
                f"{path}: a {plain_name(path).suffix} file holds both sides; name it alone."
            )


def _not_empty(corpus: Corpus) -> Corpus:
    """The corpus, refused at its end if there was nothing: then nothing is written either."""

    def open_batches() -> Iterator[pa.RecordBatch]:
        found = 0
        for batch in corpus.batches():
            found += batch.num_rows
            yield batch
        if not found:
            raise CorpusError(f"{corpus.name}: has no pairs, so there is nothing to write.")

    return corpus.derive(open_batches)
