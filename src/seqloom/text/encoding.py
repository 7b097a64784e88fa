"""A corpus through its tokenizers into a token store."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from seqloom.corpus.pairs import Corpus
from seqloom.corpus.report import EXAMPLES, shorten
from seqloom.corpus.store import StoreWriter
from seqloom.text.tokenizer import Tokenizers


def write_store(
    corpus: Corpus,
    path: Path,
    tokenizers: Tokenizers,
    *,
    tag: str | None = None,
    max_length: int | None = None,
    progress: Callable[[int], None] | None = None,
) -> dict[str, Any]:
    """Encode all pairs; returns counts of pairs, tokens and too long pairs with examples.

    Args:
        corpus: clean pairs.
        path: the store to write, without BOS and EOS, the language tag first in the source.
        tokenizers: of both sides.
        tag: language tag for every source.
        max_length: leave out pairs with a side of more tokens.
        progress: called with the number of pairs done.

    Raises:
        FolderError: the store cannot be written.
    """
    read = stored = source_tokens = target_tokens = 0
    examples: list[dict[str, Any]] = []
    metadata = {
        "source_tokenizer": tokenizers.source.fingerprint,
        "target_tokenizer": tokenizers.target.fingerprint,
    }
    sizes = tokenizers.source.size, tokenizers.target.size
    with StoreWriter(path, *sizes, metadata) as store:
        for batch in corpus.batches():
            texts = [batch.column(side).to_pylist() for side in ("source", "target")]
            sources = tokenizers.source.encode_batch(texts[0], tag=tag)
            targets = tokenizers.target.encode_batch(texts[1])
            kept = []
            for row, (source, target) in enumerate(zip(sources, targets, strict=True)):
                if max_length is None or max(len(source), len(target)) <= max_length:
                    kept.append(row)
                    source_tokens += len(source)
                    target_tokens += len(target)
                elif len(examples) < EXAMPLES:
                    examples.append(
                        {
                            "pair": read + row + 1,
                            "source": shorten(texts[0][row]),
                            "target": shorten(texts[1][row]),
                            "score": max(len(source), len(target)),
                        }
                    )
            store.write([sources[row] for row in kept], [targets[row] for row in kept])
            read += batch.num_rows
            stored += len(kept)
            if progress:
                progress(read)
    return {
        "pairs": stored,
        "source_tokens": source_tokens,
        "target_tokens": target_tokens,
        "too_long": {"count": read - stored, "examples": examples},
    }
