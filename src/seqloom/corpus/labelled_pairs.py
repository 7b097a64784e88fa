"""Pairs of texts with a label: does the one follow from the other, do both mean the same?

Tables (.tsv .csv .jsonl .parquet) with a column for each of the two texts and one of labels. And
pairs without labels, or single sentences, for models of sentence vectors.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from seqloom.corpus.files import check_readable
from seqloom.corpus.label_tables import PLACE, SECOND
from seqloom.corpus.labels import read_labelled
from seqloom.corpus.lines import line_arrays, read_lines
from seqloom.corpus.pairs import Corpus, Pair, Progress, batches_of, make_batch
from seqloom.corpus.readers import holds_both_sides, join_corpora, read_corpus
from seqloom.corpus.streams import plain_name
from seqloom.errors import CorpusError

PairColumns = tuple[str | int, str | int, str | int]
"""Names or numbers (from 0) of the columns of both texts and of labels."""

_TEXTS = (
    ("text_a", "text_b"),
    ("sentence1", "sentence2"),
    ("premise", "hypothesis"),
    ("question1", "question2"),
)
_LABELS = ("label", "labels", "class", "gold_label", "is_duplicate", "score")
_TABLES = (".tsv", ".csv", ".jsonl", ".parquet")


def read_labelled_pairs(
    paths: Sequence[str | Path],
    *,
    columns: PairColumns | None = None,
    until: str | None = None,
    progress: Progress | None = None,
) -> Corpus:
    """Open tables of labelled pairs: a corpus as of :func:`seqloom.corpus.labels.read_labelled`.

    The metadata of each pair holds the second text too, where
    :func:`seqloom.corpus.classes.gather` finds it.

    Args:
        paths: tables.
        columns: of both texts and of labels. Left out, columns named such as text_a, text_b and
            label are taken, or else the first three.
        until: keep what stands before this sign in a label.
        progress: called while the files are read.

    Raises:
        CorpusError: a file is missing or no table. While the corpus is iterated: it is damaged, a
            column is not there, or a label is missing.
    """
    for path in map(Path, paths):
        check_readable(path)
        if plain_name(path).suffix.lower() not in _TABLES:
            raise CorpusError(
                f"{path}: no table; pairs with labels stand in {', '.join(_TABLES)}, with columns "
                "such as text_a, text_b and label."
            )

    def open_batches() -> Iterator[pa.RecordBatch]:
        for path in map(Path, paths):
            yield from batches_of(_pairs(path, columns or _find_columns(path), until))

    corpus = Corpus(open_batches, name=", ".join(map(str, paths)))
    return corpus if progress is None else corpus.watched(progress, "reading")


def read_sentences(paths: Sequence[str | Path]) -> Corpus:
    """Open what sentence vectors are learned from: pairs that mean alike, or single sentences.

    A single sentence, one a line of a text file, is paired with itself (Gao et al. 2021).

    Raises:
        CorpusError: a file is missing, or read as :func:`seqloom.corpus.readers.read_corpus` does.
    """
    return join_corpora([_sentences(str(path)) for path in paths])


def _sentences(given: str) -> Corpus:
    if holds_both_sides(given):
        return read_corpus(given)
    path = Path(given)
    check_readable(path)

    def open_batches() -> Iterator[pa.RecordBatch]:
        for lines in line_arrays(path):
            yield make_batch(lines, lines)

    return Corpus(open_batches, name=path.name)


def _pairs(path: Path, columns: PairColumns, until: str | None) -> Iterator[Pair]:
    """Each text with the label, and the other text with the label, side by side."""
    first, second = (
        read_labelled([path], columns=(text, columns[2]), until=until).pairs()
        for text in columns[:2]
    )
    for one, other in zip(first, second, strict=True):
        place = (one.metadata or {})[PLACE]
        yield Pair(one.source, one.target, {PLACE: place, SECOND: other.source})


def _find_columns(path: Path) -> PairColumns:
    """Columns by their names, else the first three.

    Raises:
        CorpusError: the names tell nothing, and the table has no others or fewer than three.
    """
    names = _names(path)
    lowered = {name.strip().lower(): name for name in names}
    texts = next((two for two in _TEXTS if lowered.keys() >= set(two)), None)
    label = next((name for name in _LABELS if name in lowered), None)
    if texts and label:
        return lowered[texts[0]], lowered[texts[1]], lowered[label]
    named = plain_name(path).suffix.lower() in (".jsonl", ".parquet")
    if named or len(names) < 3:
        raise CorpusError(
            f"{path}: no columns text_a, text_b and label; it has {', '.join(names) or 'none'}. "
            "Name or number (from 0) the three with --columns TEXT LABEL --second TEXT."
        )
    return 0, 1, 2


def _names(path: Path) -> list[str]:
    """Names of the columns; the first row, where that may be a header."""
    suffix = plain_name(path).suffix.lower()
    if suffix == ".parquet":
        try:
            return list(pq.read_schema(path).names)
        except (pa.ArrowException, OSError) as error:
            reason = str(error).splitlines()[0]
            raise CorpusError(f"{path}: cannot be read as a table ({reason}).") from error
    if suffix == ".jsonl":
        line = next((line for line in read_lines(path) if line.strip()), "")
        try:
            record = json.loads(line)
        except ValueError as error:
            raise CorpusError(f"{path}: not JSON ({error}). Expected one object a line.") from None
        return list(record) if isinstance(record, dict) else []
    first = next(read_corpus(path).pairs(), None)
    try:
        third = next(read_corpus(path, columns=(0, 2)).pairs(), None)
    except CorpusError:  # two columns
        third = None
    return [] if first is None else [*first[:2], *([third.target] if third else [])]
