"""The token store: an Arrow IPC file of token ids, memory-mapped and never read whole.

Each row is a pair: source ids and target ids, raw piece ids without BOS and EOS. Ids are uint16
for vocabularies of up to 65536 pieces, else uint32. Every record batch but the last has the same
number of rows, so a row is found by division, and opening reads only the footer of the file:
milliseconds for ten million pairs, and no memory.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from itertools import chain
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple, Self

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from seqloom.corpus.files import check_readable, replacing
from seqloom.errors import CorpusError

BATCH_ROWS = 65536
"""Rows in a record batch of a new store."""

_FORMAT = "seqloom.store"  # metadata key of the format's version
_VERSION = "1"
_ROWS = "seqloom.batch_rows"
_OWN = "seqloom."  # prefix of keys that are not the user's

Ids = NDArray[Any]
"""Token ids [length], uint16 or uint32, a read-only view of the file."""


class StoreWriter:
    """Writes a token store, whole or not at all; use it as a context manager.

    Args:
        path: the file; it appears when the block ends without an error.
        source_size: number of pieces in the source vocabulary.
        target_size: number of pieces in the target vocabulary.
        metadata: texts to keep with the store, such as a tokenizer's fingerprint.
        batch_rows: rows of a record batch; fewer where rows are long, since so many are in memory.

    Raises:
        FolderError: the file cannot be written.
    """

    def __init__(
        self,
        path: str | Path,
        source_size: int,
        target_size: int,
        metadata: Mapping[str, str] | None = None,
        batch_rows: int | None = None,
    ) -> None:
        self._batch_rows = batch_rows or BATCH_ROWS
        self._path = Path(path)
        self._types = (_id_type(source_size), _id_type(target_size))
        noted: dict[str | bytes, str | bytes] = dict((metadata or {}).items())
        noted |= {_FORMAT: _VERSION, _ROWS: str(self._batch_rows)}
        self._schema = pa.schema(
            [
                pa.field("source", pa.list_(pa.from_numpy_dtype(self._types[0])), nullable=False),
                pa.field("target", pa.list_(pa.from_numpy_dtype(self._types[1])), nullable=False),
            ],
            metadata=noted,
        )
        self._pending: list[tuple[_Column, _Column]] = []
        self._pending_rows = 0

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            temporary = stack.enter_context(replacing(self._path))
            sink = stack.enter_context(pa.OSFile(str(temporary), "wb"))
            self._file = stack.enter_context(pa.ipc.new_file(sink, self._schema))
            self._open = stack.pop_all()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if error is not None:
            self._open.__exit__(kind, error, traceback)
            return
        with self._open:  # renames the file, or removes it if even the last rows fail
            self._flush(0)

    def write(
        self, source_ids: Sequence[Sequence[int]], target_ids: Sequence[Sequence[int]]
    ) -> None:
        """Append pairs, one sequence of ids a side and pair; a sequence may be empty."""
        flat = []
        for side, kind in zip((source_ids, target_ids), self._types, strict=True):
            lengths = np.fromiter(map(len, side), np.int64, len(side))
            values = np.fromiter(chain.from_iterable(side), np.int64, int(lengths.sum()))
            assert not len(values) or 0 <= values.min() <= values.max() <= np.iinfo(kind).max, (
                "an id lies outside the vocabulary size that the store was made for"
            )
            flat += [values, lengths]
        self.write_flat(*flat)

    def write_flat(
        self,
        source_values: NDArray[Any],
        source_lengths: NDArray[Any],
        target_values: NDArray[Any],
        target_lengths: NDArray[Any],
    ) -> None:
        """Append pairs as flat arrays: the ids of all rows on end, and the length of each row."""
        assert len(source_lengths) == len(target_lengths), "as many sources as targets are needed"
        source = _Column(source_values.astype(self._types[0]), source_lengths)
        target = _Column(target_values.astype(self._types[1]), target_lengths)
        self._pending.append((source, target))
        self._pending_rows += len(source_lengths)
        if self._pending_rows >= self._batch_rows:
            self._flush(self._batch_rows)

    def _flush(self, least: int) -> None:
        """Write full batches while ``least`` rows are pending; 0 writes all that is left."""
        sides = [_join(side) for side in zip(*self._pending, strict=True)]
        while self._pending_rows and self._pending_rows >= least:
            arrays = []
            for number, side in enumerate(sides):
                head, sides[number] = side.cut(self._batch_rows)
                arrays.append(head.to_arrow())
            self._file.write_batch(pa.RecordBatch.from_arrays(arrays, schema=self._schema))
            self._pending_rows -= len(arrays[0])
        self._pending = [(sides[0], sides[1])] if self._pending_rows else []


class _Column(NamedTuple):
    """One side of some rows: all ids one after another, and the length of each row."""

    values: NDArray[Any]
    lengths: NDArray[Any]

    def cut(self, rows: int) -> tuple[_Column, _Column]:
        border = int(self.lengths[:rows].sum())
        return (
            _Column(self.values[:border], self.lengths[:rows]),
            _Column(self.values[border:], self.lengths[rows:]),
        )

    def to_arrow(self) -> pa.ListArray[Any]:
        offsets = np.concatenate(([0], np.cumsum(self.lengths, dtype=np.int64)))
        assert offsets[-1] < 2**31, "the rows of one record batch hold too many ids"
        arrays: list[Any] = [pa.array(offsets.astype(np.int32)), pa.array(self.values)]
        return pa.ListArray.from_arrays(*arrays)


def _join(columns: Sequence[_Column]) -> _Column:
    values, lengths = zip(*columns, strict=True)
    return _Column(np.concatenate(values), np.concatenate(lengths))


def _id_type(size: int) -> np.dtype[Any]:
    return np.dtype(np.uint16 if size <= 2**16 else np.uint32)


class _View(NamedTuple):
    """One side of a record batch, where it lies in the mapped file."""

    offsets: NDArray[np.int32]
    values: NDArray[Any]


class TokenStore:
    """Random access to the rows of a store; made by :meth:`open`.

    ``metadata`` holds the texts that were given to the writer.
    """

    def __init__(
        self, path: Path, file: pa.RecordBatchFileReader, batch_rows: int, metadata: dict[str, str]
    ) -> None:
        self.path = path
        self.metadata = metadata
        self._file = file
        self._batch_rows = batch_rows
        self._views: list[tuple[_View, _View] | None] = [None] * file.num_record_batches
        full = max(file.num_record_batches - 1, 0) * batch_rows
        last = len(self._view(-1)[0].offsets) - 1 if self._views else 0
        self._length = full + last

    @classmethod
    def open(cls, path: str | Path) -> Self:
        """Map a store into memory; nothing of it is read but its footer.

        Raises:
            CorpusError: missing, truncated, not a token store, or of a later version.
        """
        path = Path(path)
        check_readable(path)
        try:
            file = pa.ipc.open_file(pa.memory_map(str(path)))
            noted = {k.decode(): v.decode() for k, v in (file.schema.metadata or {}).items()}
            if _FORMAT not in noted:
                raise CorpusError(f"{path}: is an Arrow file, but not a token store.")
            if noted[_FORMAT] != _VERSION:
                raise CorpusError(
                    f"{path}: is a token store of version {noted[_FORMAT]}; this Seqloom reads "
                    f"version {_VERSION}. Update Seqloom, or prepare the corpus again."
                )
            metadata = {key: text for key, text in noted.items() if not key.startswith(_OWN)}
            return cls(path, file, int(noted[_ROWS]), metadata)
        except (pa.ArrowException, OSError, ValueError) as error:
            raise CorpusError(
                f"{path}: is truncated or not a token store ({error}). Prepare the corpus again."
            ) from error

    def __len__(self) -> int:
        return self._length

    @property
    def batch_rows(self) -> int:
        """Rows of each record batch but the last."""
        return self._batch_rows

    def pair(self, row: int) -> tuple[Ids, Ids]:
        """Source and target ids of one row.

        Raises:
            IndexError: there is no such row.
        """
        if not 0 <= row < self._length:
            raise IndexError(f"row {row} of a store of {self._length} rows")
        batch, inside = divmod(row, self._batch_rows)
        source, target = self._view(batch)
        return (
            source.values[source.offsets[inside] : source.offsets[inside + 1]],
            target.values[target.offsets[inside] : target.offsets[inside + 1]],
        )

    def rows(self, rows: NDArray[np.integer[Any]]) -> tuple[list[Ids], list[Ids]]:
        """Source ids and target ids of the given rows, in that order."""
        pairs = [self.pair(row) for row in rows.tolist()]
        return [source for source, _ in pairs], [target for _, target in pairs]

    def lengths(self, start: int, stop: int) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
        """Numbers of source and target ids of rows ``start`` up to ``stop``, each [stop - start].

        Raises:
            IndexError: the range reaches beyond the store.
        """
        if not 0 <= start <= stop <= self._length:
            raise IndexError(f"rows {start} to {stop} of a store of {self._length} rows")
        parts: tuple[list[NDArray[np.int32]], ...] = ([], [])
        for first in range(start // self._batch_rows * self._batch_rows, stop, self._batch_rows):
            low, high = max(start - first, 0), min(stop - first, self._batch_rows)
            for part, view in zip(parts, self._view(first // self._batch_rows), strict=True):
                part.append(np.diff(view.offsets[low : high + 1]))
        source, target = (np.concatenate(p) if p else np.empty(0, np.int32) for p in parts)
        return source, target

    def _view(self, number: int) -> tuple[_View, _View]:
        view = self._views[number]
        if view is None:
            columns: list[Any] = self._file.get_batch(number % len(self._views)).columns
            source, target = (
                _View(column.offsets.to_numpy(), column.values.to_numpy()) for column in columns
            )
            view = self._views[number] = (source, target)
        return view

    def __repr__(self) -> str:
        return f"TokenStore({str(self.path)!r}, {self._length} pairs)"
