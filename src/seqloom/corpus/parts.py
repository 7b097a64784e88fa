"""Long work over a corpus in parts on disk: interrupted and started again, it goes on.

A part is a Parquet file of the results for some record batches, and beside it what is to be said of
them (counts, examples) as JSON. It is finished when the JSON is there. The same corpus gives the
same batches, so the batches of finished parts are skipped.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any, Generic, Protocol, Self, TypeVar

import pyarrow as pa
import pyarrow.parquet as pq

from seqloom.corpus.files import replacing
from seqloom.corpus.pool import pooled

PART_BATCHES = 64
"""Batches of a part: half a million pairs."""


class Note(Protocol):
    """What is to be said of some batches; notes of neighbouring batches are added up."""

    def add(self, other: Any) -> None:
        """Take in what is said of the batches that follow."""
        ...

    def as_dict(self) -> dict[str, Any]:
        """As JSON keeps it."""
        ...

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Self:
        """The inverse of :meth:`as_dict`."""
        ...


AnyNote = TypeVar("AnyNote", bound=Note)
Given = TypeVar("Given")


class Parts(Generic[AnyNote]):
    """The results of one function over the batches of a corpus, on disk.

    Args:
        folder: where the parts are; made if it is missing.
        note: an empty note; what is known of all finished parts is added to it.
    """

    def __init__(self, folder: Path, note: AnyNote) -> None:
        self.folder = folder
        self.note = note

    def run(
        self,
        function: Callable[[Given], tuple[pa.RecordBatch, AnyNote]],
        items: Iterable[Given],
        workers: int,
        progress: Callable[[AnyNote], None],
    ) -> None:
        """Do what is not done yet; ``progress`` is told after each item.

        Args:
            function: gives the results for one item, and what is to be said of them; see
                :func:`seqloom.corpus.pool.pooled`.
            items: all of them, also those of finished parts, in the order of every other time.
            workers: number of processes.
            progress: told what is known so far.

        Raises:
            FolderError: a part cannot be written.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        kind = type(self.note)
        items = iter(items)
        number = 0
        while (noted := self._note_path(number)).exists():
            self.note.add(kind.from_dict(json.loads(noted.read_text(encoding="utf-8"))))
            number += 1
        if number and next(islice(items, number * PART_BATCHES - 1, None), None) is None:
            return
        results = pooled(function, items, workers)
        while first := next(results, None):
            part = self._write(number, first, islice(results, PART_BATCHES - 1), progress)
            with replacing(self._note_path(number)) as temporary:
                temporary.write_text(json.dumps(part.as_dict()), encoding="utf-8")
            number += 1

    def _write(
        self,
        number: int,
        first: tuple[pa.RecordBatch, AnyNote],
        rest: Iterator[tuple[pa.RecordBatch, AnyNote]],
        progress: Callable[[AnyNote], None],
    ) -> AnyNote:
        """Write one part; returns what is to be said of it."""
        batch, part = first
        self.note.add(part)
        with (
            replacing(self._path(number)) as temporary,
            pq.ParquetWriter(temporary, batch.schema, compression="zstd") as writer,
        ):
            writer.write_batch(batch)
            progress(self.note)
            for batch, note in rest:
                writer.write_batch(batch)
                part.add(note)
                self.note.add(note)
                progress(self.note)
        return part

    def batches(self) -> Iterator[pa.RecordBatch]:
        """All results in order."""
        for path in self.paths():
            with pq.ParquetFile(path) as file:
                for group in range(file.num_row_groups):  # as they were written, and no larger
                    yield from file.iter_batches(row_groups=[group])

    def paths(self) -> list[Path]:
        """The files of all parts in order."""
        return sorted(self.folder.glob("part-*.parquet"))

    def _path(self, number: int) -> Path:
        return self.folder / f"part-{number:05}.parquet"

    def _note_path(self, number: int) -> Path:
        return self.folder / f"part-{number:05}.json"
