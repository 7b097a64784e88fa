"""Pairs in Parquet files, streamed; the form in which Seqloom itself keeps corpora."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from seqloom.corpus.pairs import BATCH_PAIRS, SCHEMA, make_batch
from seqloom.errors import CorpusError


def read_parquet(path: Path, columns: Sequence[str | int] | None) -> Iterator[pa.RecordBatch]:
    """Stream two text columns: ``source`` and ``target``, or those named or numbered (from 0).

    A column ``metadata`` of Seqloom's own type comes along; a missing text reads as an empty one.

    Raises:
        CorpusError: not Parquet, damaged, without rows, or without those columns of text.
    """
    with _clear_errors(path), pq.ParquetFile(path) as file:
        names = _choose(path, file.schema_arrow, columns or ("source", "target"))
        if file.metadata.num_rows == 0:
            raise CorpusError(f"{path}: the file has no rows; expected pairs.")
        wanted = list(names)
        if _has_metadata(file.schema_arrow):
            wanted.append("metadata")
        for batch in file.iter_batches(BATCH_PAIRS, columns=wanted):
            batch.validate(full=True)  # text that is not UTF-8 would fail much later
            metadata = batch.column("metadata") if "metadata" in wanted else None
            source, target = (_text(batch.column(name)) for name in names)
            yield make_batch(source, target, metadata)


def parquet_languages(path: Path) -> tuple[str | None, str | None]:
    """The languages that :meth:`Corpus.write` noted in the file."""
    with _clear_errors(path):
        noted = pq.read_schema(path).metadata or {}
    source, target = (noted.get(f"seqloom.{side}_language".encode()) for side in SCHEMA.names[:2])
    return (source.decode() if source else None, target.decode() if target else None)


@contextmanager
def _clear_errors(path: Path) -> Iterator[None]:
    try:
        yield
    except (pa.ArrowException, OSError) as error:
        reason = str(error).splitlines()[0]
        raise CorpusError(f"{path}: is not a Parquet file, or is damaged ({reason})") from error


def _choose(path: Path, schema: pa.Schema, columns: Sequence[str | int]) -> list[str]:
    chosen = []
    for column in columns:
        if isinstance(column, int) and 0 <= column < len(schema.names):
            name = schema.names[column]
        elif isinstance(column, str) and column in schema.names:
            name = column
        else:
            raise CorpusError(
                f"{path}: no column {column!r}; it has {', '.join(schema.names) or 'none'}. "
                "Name the source and the target column."
            )
        kind = schema.field(name).type
        text = kind.value_type if pa.types.is_dictionary(kind) else kind
        if not (
            pa.types.is_string(text)
            or pa.types.is_large_string(text)
            or pa.types.is_string_view(text)
        ):
            raise CorpusError(f"{path}: column {name!r} holds {kind}, not text.")
        chosen.append(name)
    return chosen


def _has_metadata(schema: pa.Schema) -> bool:
    return "metadata" in schema.names and schema.field("metadata").type == SCHEMA.types[2]


def _text(column: Any) -> pa.Array[Any]:
    return column.cast(pa.string()).fill_null("")
