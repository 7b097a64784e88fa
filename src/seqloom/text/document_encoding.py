"""Documents through their tokenizer into a document store, with the lengths of their sentences."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice
from pathlib import Path
from typing import Any, Self

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from seqloom.corpus.document_store import DocumentWriter
from seqloom.corpus.parts import Parts
from seqloom.corpus.sentences import sentence_ends
from seqloom.text.piece_tables import normalized_ends, piece_bytes
from seqloom.text.tokenizer import SOURCE_FILE, Tokenizer

CHUNK_CHARACTERS = 2**16
"""A longer text goes through the tokenizer in pieces of about this size, so that memory does not
grow with it."""

_SINGLE_SPACE = re.compile(r"(?<=\S) (?=\S)")
_IDS = pa.list_(pa.uint32())


@dataclass
class TextNote:
    """What encoding some documents came to."""

    documents: int = 0
    sentences: int = 0
    tokens: int = 0
    characters: int = 0
    bytes: int = 0
    """Of UTF-8, for bits a byte."""

    def add(self, other: TextNote) -> None:
        """Take in what is said of the documents that follow."""
        for name, count in vars(other).items():
            setattr(self, name, getattr(self, name) + count)

    def as_dict(self) -> dict[str, Any]:
        """As JSON keeps it."""
        return dict(vars(self))

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Self:
        """The inverse of :meth:`as_dict`."""
        return cls(**values)


@dataclass(frozen=True)
class EncodeDocuments:
    """From a batch of documents to their token ids and the lengths of their sentences."""

    folder: Path
    """Where the tokenizer is saved."""

    def __call__(self, batch: pa.RecordBatch) -> tuple[pa.RecordBatch, TextNote]:
        """A batch with the columns ``ids`` and ``sentences``, and what to note."""
        tokenizer, sizes = _saved(self.folder)
        column: Any = batch.column("source")
        texts: list[str] = column.to_pylist()
        if tokenizer.foreign:
            ids, sentences = encode_foreign(tokenizer, texts)
        else:
            ids = encode_documents(tokenizer, texts)
            sentences = [
                sentence_lengths(text, tokens, tokenizer.kind, sizes)
                for text, tokens in zip(texts, ids, strict=True)
            ]
        note = TextNote(
            len(texts),
            sum(map(len, sentences)),
            sum(map(len, ids)),
            sum(map(len, texts)),
            pc.sum(pc.binary_length(column)).as_py() or 0,
        )
        arrays: list[Any] = [pa.array(rows, _IDS) for rows in (ids, sentences)]
        return pa.RecordBatch.from_arrays(arrays, names=["ids", "sentences"]), note


@lru_cache(maxsize=1)
def _saved(folder: Path) -> tuple[Tokenizer, NDArray[np.int64]]:
    tokenizer = Tokenizer.load(folder / SOURCE_FILE)
    sizes = np.zeros(0, np.int64) if tokenizer.foreign else piece_bytes(tokenizer)
    return tokenizer, sizes


def encode_documents(tokenizer: Tokenizer, texts: Sequence[str]) -> list[NDArray[np.uint32]]:
    """What ``tokenizer.encode_batch`` gives, in bounded memory for texts of any length."""
    chunks = [chunks_of(text) for text in texts]
    encoded = iter(tokenizer.encode_batch([chunk for parts in chunks for chunk in parts]))
    return [
        np.concatenate([np.array(ids, np.uint32) for ids in islice(encoded, len(parts))])
        for parts in chunks
    ]


def encode_foreign(
    tokenizer: Tokenizer, texts: Sequence[str]
) -> tuple[list[NDArray[np.uint32]], list[NDArray[np.uint32]]]:
    """Token ids of each text, and numbers of tokens of its sentences, for vocabularies of others.

    What their pieces stand for is not known, but where they are.
    """
    found, sentences = [], []
    for text, (ids, offsets) in zip(texts, tokenizer.locate_batch(texts), strict=True):
        starts = np.array([start for start, _ in offsets], np.int64)
        ends = np.array(sentence_ends(text)[:-1], np.int64)
        counts = np.bincount(np.searchsorted(ends, starts, side="right"), minlength=1)
        found.append(np.array(ids, np.uint32))
        sentences.append(counts[counts > 0].astype(np.uint32) if ids else np.zeros(1, np.uint32))
    return found, sentences


def chunks_of(text: str, size: int = CHUNK_CHARACTERS) -> list[str]:
    """A text in pieces of at least ``size`` characters, without the spaces between them.

    It is cut at single spaces, where words begin. The tokenizer puts that space back, as it puts
    one in front of every text, so that the pieces' tokens are those of the whole text.
    """
    chunks = []
    start = 0
    while match := _SINGLE_SPACE.search(text, start + size):
        chunks.append(text[start : match.start()])
        start = match.end()
    return [*chunks, text[start:]]


def sentence_lengths(
    text: str, ids: NDArray[np.uint32], kind: str, sizes: NDArray[np.int64]
) -> NDArray[np.uint32]:
    """Numbers of tokens of each sentence of a text; a token on a border belongs to the first.

    Args:
        text: one document of C characters.
        ids: its tokens.
        kind: of the tokenizer.
        sizes: bytes of normalized text behind each piece [V].
    """
    ends = sentence_ends(text)
    if len(ends) < 2:
        return np.array([len(ids)], np.uint32)
    tokens = np.cumsum(sizes[ids])
    borders = normalized_ends(text, kind)[np.array(ends) - 1]
    assert tokens[-1] == borders[-1], "pieces and normalized text differ in length"
    counts = np.diff(np.searchsorted(tokens, borders) + 1, prepend=0)
    return counts[counts > 0].astype(np.uint32)


def write_documents(parts: Parts[TextNote], tokenizer: Tokenizer, path: Path) -> None:
    """Write the store of what :class:`EncodeDocuments` gave.

    Raises:
        FolderError: the file cannot be written.
    """
    mean = parts.note.tokens / max(parts.note.documents, 1)
    noted = {"tokenizer": tokenizer.fingerprint}
    with DocumentWriter(path, tokenizer.size, noted, mean) as writer:
        for batch in _small(parts.batches()):
            ids, sentences = batch.column("ids"), batch.column("sentences")
            writer.write_flat(*_flat(ids), *_flat(sentences))


def _small(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    return (batch for batch in batches if batch.num_rows)


def _flat(column: Any) -> tuple[Any, Any]:
    return column.flatten().to_numpy(), pc.list_value_length(column).to_numpy()
