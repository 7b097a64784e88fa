"""Pairs of texts, streamed as Arrow record batches: the one form in which corpora are handed on.

Readers yield batches, filters take and give batches, and nothing after this room knows a file
format. A :class:`Corpus` can be read again and again; it holds no pairs itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import pyarrow as pa
import pyarrow.parquet as pq

from seqloom.corpus.files import replacing
from seqloom.errors import CorpusError

SCHEMA = pa.schema(
    [
        pa.field("source", pa.string()),
        pa.field("target", pa.string()),
        pa.field("metadata", pa.map_(pa.string(), pa.string())),
    ]
)
"""Columns of every batch; ``metadata`` may be null."""

BATCH_PAIRS = 8192
"""Pairs in a batch, at most."""

BATCH_CHARACTERS = 2**25
"""A batch ends early when its texts add up to this many characters, so that memory stays bounded
when lines are huge."""

_GROUP_BATCHES = 8  # batches in a Parquet row group


class Progress(Protocol):
    """What is told how far some work is."""

    def __call__(self, stage: str, done: int, total: int | None, note: str = "") -> None:
        """So much of the stage of that name is done, of so much (None: not known).

        ``note`` says what else a person may want to see while it goes on.
        """
        ...


class Pair(NamedTuple):
    """A source text and its target text, with what else is known about them."""

    source: str
    target: str
    metadata: dict[str, str] | None = None


class Corpus:
    """A stream of pairs that can be read any number of times.

    Args:
        open_batches: called once a pass; yields record batches of :data:`SCHEMA`.
        name: what messages and reports call it.
        source_language: code such as ``en``, if known.
        target_language: code such as ``de``, if known.
        estimate: given the number of pairs read so far in the latest pass, tells about how many
            there are in all, or None; for progress bars.
    """

    def __init__(
        self,
        open_batches: Callable[[], Iterator[pa.RecordBatch]],
        *,
        name: str,
        source_language: str | None = None,
        target_language: str | None = None,
        estimate: Callable[[int], int | None] = lambda done: None,
    ) -> None:
        self._open_batches = open_batches
        self.estimate = estimate
        self.name = name
        self.source_language = source_language
        self.target_language = target_language

    @classmethod
    def of(
        cls,
        pairs: Iterable[tuple[str, str] | Pair],
        name: str = "pairs in memory",
        source_language: str | None = None,
        target_language: str | None = None,
    ) -> Corpus:
        """A corpus of pairs that are already in memory; the iterable is read once, now."""
        batches = list(batches_of(pairs))
        total = sum(batch.num_rows for batch in batches)
        return cls(
            lambda: iter(batches),
            name=name,
            source_language=source_language,
            target_language=target_language,
            estimate=lambda done: total,
        )

    def batches(self) -> Iterator[pa.RecordBatch]:
        """Read the corpus from its beginning, batch by batch.

        Raises:
            CorpusError: a file behind the corpus is damaged or its sides do not match.
        """
        return self._open_batches()

    def pairs(self) -> Iterator[Pair]:
        """Read the corpus from its beginning, pair by pair."""
        for batch in self.batches():
            columns = (batch.column(name).to_pylist() for name in SCHEMA.names)
            for source, target, metadata in zip(*columns, strict=True):
                yield Pair(source, target, None if metadata is None else dict(metadata))

    def map(self, function: Callable[[pa.RecordBatch], pa.RecordBatch]) -> Corpus:
        """The corpus with ``function`` applied to each batch while it is read."""
        return self.derive(lambda: map(function, self.batches()))

    def reversed(self) -> Corpus:
        """The corpus with source and target exchanged."""

        def exchanged() -> Iterator[pa.RecordBatch]:
            for batch in self.batches():
                yield make_batch(batch.column(1), batch.column(0), batch.column(2))

        return Corpus(
            exchanged,
            name=f"{self.name} (reversed)",
            source_language=self.target_language,
            target_language=self.source_language,
            estimate=self.estimate,
        )

    def in_languages(self, source: str | None, target: str | None) -> Corpus:
        """The same pairs, said to be in these languages; None leaves what is known."""
        return Corpus(
            self.batches,
            name=self.name,
            source_language=source or self.source_language,
            target_language=target or self.target_language,
            estimate=self.estimate,
        )

    def watched(self, progress: Progress, stage: str) -> Corpus:
        """The corpus, with ``progress`` told how far each pass over it is."""

        def open_batches() -> Iterator[pa.RecordBatch]:
            done = 0
            for batch in self.batches():
                done += batch.num_rows
                progress(stage, done, self.estimate(done))
                yield batch

        return self.derive(open_batches)

    def derive(
        self, open_batches: Callable[[], Iterator[pa.RecordBatch]], name: str | None = None
    ) -> Corpus:
        """Another stream of pairs with the same languages, and the same name if none is given."""
        return Corpus(
            open_batches,
            name=name or self.name,
            source_language=self.source_language,
            target_language=self.target_language,
        )

    def count(self) -> int:
        """Read everything once and count the pairs."""
        return sum(batch.num_rows for batch in self.batches())

    def write(self, path: str | Path) -> int:
        """Write a Parquet file, whole or not at all; returns the number of pairs.

        The languages are kept in the file, so that reading it gives the same corpus.

        Raises:
            CorpusError: the corpus cannot be read to its end.
            FolderError: the file cannot be written.
        """
        languages = {
            "seqloom.source_language": self.source_language,
            "seqloom.target_language": self.target_language,
        }
        schema = SCHEMA.with_metadata({key: code for key, code in languages.items() if code})
        written = 0
        batches = self.batches()
        with (
            replacing(Path(path)) as temporary,
            pq.ParquetWriter(temporary, schema, compression="zstd") as writer,
        ):
            while group := list(islice(batches, _GROUP_BATCHES)):
                table = pa.Table.from_batches(group).replace_schema_metadata(schema.metadata)
                writer.write_table(table)
                written += table.num_rows
        return written

    def __repr__(self) -> str:
        languages = f"{self.source_language or '?'} -> {self.target_language or '?'}"
        return f"Corpus({self.name!r}, {languages})"


def make_batch(
    sources: Sequence[str] | pa.Array[Any],
    targets: Sequence[str] | pa.Array[Any],
    metadata: Any = None,
) -> pa.RecordBatch:
    """A record batch of :data:`SCHEMA` from its columns, each a sequence or an Arrow array.

    ``metadata`` holds a dictionary or None a pair; left out, no pair has any.
    """
    if metadata is None:
        kind: Any = SCHEMA.types[2]
        metadata = pa.nulls(len(sources), kind)
    elif not isinstance(metadata, pa.Array):
        metadata = [None if entry is None else list(entry.items()) for entry in metadata]
    columns = [
        column if isinstance(column, pa.Array) else pa.array(column, kind)
        for column, kind in zip((sources, targets, metadata), SCHEMA.types, strict=True)
    ]
    return pa.RecordBatch.from_arrays(columns, schema=SCHEMA)


def batches_of(pairs: Iterable[tuple[str, str] | Pair]) -> Iterator[pa.RecordBatch]:
    """Collect pairs into batches of at most :data:`BATCH_PAIRS`.

    When a reader finds that its file is broken, what came before is handed on first.
    """
    sources: list[str] = []
    targets: list[str] = []
    metadata: list[dict[str, str] | None] = []
    characters = 0
    try:
        for pair in pairs:
            sources.append(pair[0])
            targets.append(pair[1])
            metadata.append(pair.metadata if isinstance(pair, Pair) else None)
            characters += len(pair[0]) + len(pair[1])
            if len(sources) == BATCH_PAIRS or characters >= BATCH_CHARACTERS:
                yield make_batch(sources, targets, metadata or None)
                sources, targets, metadata, characters = [], [], [], 0
    except CorpusError:
        if sources:
            yield make_batch(sources, targets, metadata or None)
        raise
    if sources:
        yield make_batch(sources, targets, metadata or None)
