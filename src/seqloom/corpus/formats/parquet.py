"""Pairs in Parquet files, streamed; the form in which Seqloom itself keeps corpora."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from seqloom.corpus.formats.reading import Reading
from seqloom.corpus.formats.tables import named_columns, no_column
from seqloom.corpus.languages import Languages
from seqloom.corpus.pairs import BATCH_PAIRS, SCHEMA, Corpus, make_batch
from seqloom.errors import CorpusError


def read_parquet(path: Path, reading: Reading) -> Iterator[pa.RecordBatch]:
    """Stream two text columns: ``source`` and ``target``, or those named or numbered (from 0).

    Columns named after the languages asked for serve too. A column ``metadata`` of Seqloom's own
    type comes along; a missing text reads as an empty one.

    Raises:
        CorpusError: not Parquet, damaged, without rows, or without those columns of text.
    """
    with clear_errors(path), pq.ParquetFile(path) as file:
        names = _choose(path, file.schema_arrow, reading)
        if file.metadata.num_rows == 0:
            raise CorpusError(f"{path}: the file has no rows; expected pairs.")
        wanted = list(names)
        if _has_metadata(file.schema_arrow):
            wanted.append("metadata")
        for group in range(file.num_row_groups):  # one by one, since texts may be long
            for batch in file.iter_batches(BATCH_PAIRS, row_groups=[group], columns=wanted):
                batch.validate(full=True)  # text that is not UTF-8 would fail much later
                metadata = batch.column("metadata") if "metadata" in wanted else None
                source, target = (_text(batch.column(name)) for name in names)
                yield make_batch(source, target, metadata)


def write_parquet(path: Path, corpus: Corpus) -> int:
    """Write a corpus with its languages and metadata; returns the number of pairs.

    Raises:
        FolderError: the file cannot be written.
    """
    return corpus.write(path)


def parquet_languages(path: Path) -> Languages:
    """The languages that :meth:`Corpus.write` noted in the file."""
    with clear_errors(path):
        noted = pq.read_schema(path).metadata or {}
    source, target = (noted.get(f"seqloom.{side}_language".encode()) for side in SCHEMA.names[:2])
    return (source.decode() if source else None, target.decode() if target else None)


def parquet_rows(path: Path) -> Callable[[int], int | None]:
    """The number of pairs, which the file itself tells."""
    with clear_errors(path):
        rows = pq.read_metadata(path).num_rows
    return lambda done: rows


@contextmanager
def clear_errors(path: Path) -> Iterator[None]:
    """Say what is wrong with a Parquet file.

    Raises:
        CorpusError: it is damaged, or none.
    """
    try:
        yield
    except (pa.ArrowException, OSError) as error:
        reason = str(error).splitlines()[0]
        raise CorpusError(f"{path}: is not a Parquet file, or is damaged ({reason})") from error


def _choose(path: Path, schema: pa.Schema, reading: Reading) -> tuple[str, str]:
    names = schema.names
    numbered = [column for column in reading.columns or () if isinstance(column, int)]
    if len(numbered) == 2 and all(0 <= number < len(names) for number in numbered):
        chosen: tuple[str, str] | None = (names[numbered[0]], names[numbered[1]])
    else:
        chosen = named_columns(reading, names)
    if chosen is None:
        raise no_column(path, reading, names)
    for name in chosen:
        check_text(path, schema, name)
    return chosen


def check_text(path: Path, schema: pa.Schema, name: str) -> None:
    """Refuse a column of something else than texts.

    Raises:
        CorpusError: it is one.
    """
    kind = schema.field(name).type
    text = kind.value_type if pa.types.is_dictionary(kind) else kind
    if not (
        pa.types.is_string(text) or pa.types.is_large_string(text) or pa.types.is_string_view(text)
    ):
        raise CorpusError(f"{path}: column {name!r} holds {kind}, not text.")


def _has_metadata(schema: pa.Schema) -> bool:
    return "metadata" in schema.names and schema.field("metadata").type == SCHEMA.types[2]


def _text(column: Any) -> pa.Array[Any]:
    return column.cast(pa.string()).fill_null("")
