"""Pairs through their tokenizers into a token store, with the texts beside it row by row."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any, Self

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from seqloom.corpus.pairs import SCHEMA, Corpus, make_batch
from seqloom.corpus.report import EXAMPLES, shorten
from seqloom.corpus.store import StoreWriter
from seqloom.text.tags import Fronts
from seqloom.text.tokenizer import Tokenizers

_IDS = pa.list_(pa.uint32())


@dataclass
class EncodingNote:
    """What encoding some batches came to; the length of the longer side is an example's score."""

    read: int = 0
    kept: int = 0
    source_tokens: int = 0
    target_tokens: int = 0
    examples: list[dict[str, Any]] = field(default_factory=list)

    def add(self, other: EncodingNote) -> None:
        """Take in what is said of the batches that follow."""
        for example in other.examples[: EXAMPLES - len(self.examples)]:
            self.examples.append(example | {"pair": example["pair"] + self.read})
        self.read += other.read
        self.kept += other.kept
        self.source_tokens += other.source_tokens
        self.target_tokens += other.target_tokens

    def as_dict(self) -> dict[str, Any]:
        """As JSON keeps it."""
        return dict(vars(self))

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Self:
        """The inverse of :meth:`as_dict`."""
        return cls(**values)

    def report(self, max_length: int) -> dict[str, Any]:
        """Counts of pairs and tokens, and of pairs that were too long, with examples."""
        return {
            "pairs": self.kept,
            "source_tokens": self.source_tokens,
            "target_tokens": self.target_tokens,
            "too_long": {
                "count": self.read - self.kept,
                "reason": f"a side of more than {max_length} tokens",
                "examples": self.examples,
            },
        }


@dataclass(frozen=True)
class EncodeBatch:
    """From a batch of pairs to the pairs that are short enough, with their token ids.

    Ids have no BOS and EOS; the tags are the first tokens of a side.
    """

    folder: Path
    """Where the tokenizers are saved."""
    fronts: Fronts
    """Language tags and marks that stand before each side."""
    max_length: int
    """Pairs with a side of more tokens are left out."""

    def __call__(self, batch: pa.RecordBatch) -> tuple[pa.RecordBatch, EncodingNote]:
        """The batch with two more columns, ``source_ids`` and ``target_ids``, and what to note."""
        tokenizers = _tokenizers(self.folder)
        texts: list[list[Any]] = [batch.column(side).to_pylist() for side in (0, 1)]
        sources = tokenizers.source.encode_batch(texts[0], tags=self.fronts.source)
        targets = tokenizers.target.encode_batch(texts[1], tags=self.fronts.target)
        lengths = np.array([[len(row) for row in side] for side in (sources, targets)])
        kept = np.flatnonzero(lengths.max(0, initial=0) <= self.max_length)
        note = EncodingNote(batch.num_rows, len(kept), *lengths[:, kept].sum(1).tolist())
        too_long = np.flatnonzero(lengths.max(0, initial=0) > self.max_length)
        for row in too_long[:EXAMPLES].tolist():
            shown = {side: shorten(texts[i][row]) for i, side in enumerate(("source", "target"))}
            score = int(lengths[:, row].max())
            note.examples.append({"pair": row + 1, **shown, "score": score})
        ids = [pa.array([side[row] for row in kept], _IDS) for side in (sources, targets)]
        columns = [*batch.take(pa.array(kept, pa.int64())).columns, *ids]
        names = [*SCHEMA.names, "source_ids", "target_ids"]
        return pa.RecordBatch.from_arrays(columns, names=names), note


@lru_cache(maxsize=1)
def _tokenizers(folder: Path) -> Tokenizers:
    return Tokenizers.load(folder)


def write_store(
    encoded: Iterator[pa.RecordBatch],
    tokenizers: Tokenizers,
    store: Path,
    pairs: Path,
    metadata: Mapping[str, str],
) -> None:
    """Write the token store and, in the same order, the Parquet file of its pairs.

    Args:
        encoded: batches as :class:`EncodeBatch` gives them.
        tokenizers: whose ids these are.
        store: the file of ids.
        pairs: the file of texts.
        metadata: what else the store should tell.

    Raises:
        FolderError: a file cannot be written.
    """
    source, target = tokenizers.source, tokenizers.target
    noted = {
        "source_tokenizer": source.fingerprint, "target_tokenizer": target.fingerprint, **metadata,
    }  # fmt: skip
    with StoreWriter(store, source.size, target.size, noted) as writer:

        def texts() -> Iterator[pa.RecordBatch]:
            for batch in encoded:
                sides: list[Any] = [batch.column("source_ids"), batch.column("target_ids")]
                writer.write_flat(*(part for side in sides for part in _flat(side)))
                yield make_batch(*batch.columns[:3])

        Corpus(texts, name=store.stem).write(pairs)


def _flat(ids: pa.ListArray[Any]) -> tuple[Any, Any]:
    return ids.flatten().to_numpy(), pc.list_value_length(ids).to_numpy()
