"""A corpus through its tokenizers into a token store, with the texts beside it row by row."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, cast

import pyarrow as pa

from seqloom.corpus.pairs import Corpus
from seqloom.corpus.report import EXAMPLES, shorten
from seqloom.corpus.store import StoreWriter
from seqloom.text.tokenizer import Tokenizers


class Encoder:
    """Encodes pairs, leaves out those that are too long, and counts.

    Args:
        tokenizers: of both sides.
        tag: language tag for every source.
        max_length: pairs with a side of more tokens are left out.
        progress: called with the number of pairs done.
    """

    def __init__(
        self,
        tokenizers: Tokenizers,
        *,
        tag: str | None,
        max_length: int,
        progress: Callable[[int], None],
    ) -> None:
        self.tokenizers = tokenizers
        self.tag = tag
        self.max_length = max_length
        self.progress = progress

    def write(self, corpus: Corpus, store: Path, pairs: Path) -> dict[str, Any]:
        """Write the token store and, in the same order, the Parquet file of its pairs.

        The store has no BOS and EOS; the language tag is the first source token.

        Returns:
            Counts of pairs and tokens, and of pairs that were too long, with examples.

        Raises:
            FolderError: a file cannot be written.
        """
        source, target = self.tokenizers.source, self.tokenizers.target
        metadata = {
            "source_tokenizer": source.fingerprint,
            "target_tokenizer": target.fingerprint,
        }
        self._read = self._source_tokens = self._target_tokens = 0
        self._examples: list[dict[str, Any]] = []
        with StoreWriter(store, source.size, target.size, metadata) as writer:
            kept = corpus.derive(lambda: self._batches(corpus, writer)).write(pairs)
        return {
            "pairs": kept,
            "source_tokens": self._source_tokens,
            "target_tokens": self._target_tokens,
            "too_long": {
                "count": self._read - kept,
                "reason": f"a side of more than {self.max_length} tokens",
                "examples": self._examples,
            },
        }

    def _batches(self, corpus: Corpus, writer: StoreWriter) -> Iterator[pa.RecordBatch]:
        for batch in corpus.batches():
            texts = [cast("list[str]", column.to_pylist()) for column in batch.columns[:2]]
            sources = self.tokenizers.source.encode_batch(texts[0], tag=self.tag)
            targets = self.tokenizers.target.encode_batch(texts[1])
            lengths = [max(map(len, sides)) for sides in zip(sources, targets, strict=True)]
            kept = [row for row, length in enumerate(lengths) if length <= self.max_length]
            self._remember(texts, lengths)
            self._read += batch.num_rows
            self._source_tokens += sum(len(sources[row]) for row in kept)
            self._target_tokens += sum(len(targets[row]) for row in kept)
            writer.write([sources[row] for row in kept], [targets[row] for row in kept])
            self.progress(self._read)
            yield batch.take(pa.array(kept, pa.int64()))

    def _remember(self, texts: list[list[str]], lengths: list[int]) -> None:
        """Keep the first pairs that are left out as examples for the report."""
        for row, length in enumerate(lengths):
            if length > self.max_length and len(self._examples) < EXAMPLES:
                self._examples.append(
                    {
                        "pair": self._read + row + 1,
                        "source": shorten(texts[0][row]),
                        "target": shorten(texts[1][row]),
                        "score": length,
                    }
                )
