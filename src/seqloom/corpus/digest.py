"""Short fingerprints of texts, the same on every machine and in every run.

Sets of them stand for sets of texts: with 64 bits, two of ten million different texts share one
with a chance of three in a million.
"""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import blake2b
from typing import Any

import pyarrow as pa


def text_digests(texts: pa.Array[Any]) -> Iterator[int]:
    """One integer of 64 bits a text."""
    encoded: list[Any] = texts.cast(pa.binary()).to_pylist()
    for text in encoded:
        yield int.from_bytes(blake2b(text, digest_size=8).digest(), "big")


def pair_digests(batch: pa.RecordBatch) -> Iterator[int]:
    """One integer of 64 bits a pair of source and target."""
    sources = batch.column("source").cast(pa.binary()).to_pylist()
    targets = batch.column("target").cast(pa.binary()).to_pylist()
    for source, target in zip(sources, targets, strict=True):
        both = b"%s\xff%s" % (source, target)  # 0xff is in no UTF-8 text, so it parts the sides
        yield int.from_bytes(blake2b(both, digest_size=8).digest(), "big")
