"""The token store of running text: a row is a document, with the lengths of its sentences.

The file is that of :mod:`seqloom.corpus.store`; its second column holds numbers of tokens.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from seqloom.corpus.store import BATCH_ROWS, Ids, StoreWriter, TokenStore
from seqloom.errors import CorpusError

_KIND = "kind"
_DOCUMENTS = "documents"
_BATCH_TOKENS = 2**24  # about so many are in memory while a store is written
_LENGTHS = 2**32  # a sentence is shorter


class DocumentWriter(StoreWriter):
    """Writes a document store, whole or not at all; use it as a context manager.

    Args:
        path: the file; it appears when the block ends without an error.
        size: number of pieces in the vocabulary.
        metadata: texts to keep with the store.
        mean_tokens: of a document, about; more of short ones share a record batch.

    Raises:
        FolderError: the file cannot be written.
    """

    def __init__(
        self,
        path: str | Path,
        size: int,
        metadata: Mapping[str, str] | None = None,
        mean_tokens: float = 1.0,
    ) -> None:
        rows = int(min(max(_BATCH_TOKENS / max(mean_tokens, 1.0), 1), BATCH_ROWS))
        noted = {**(metadata or {}), _KIND: _DOCUMENTS}
        super().__init__(path, size, _LENGTHS, noted, rows)


class DocumentStore(TokenStore):
    """Random access to documents; made by :meth:`open`."""

    @classmethod
    def open(cls, path: str | Path) -> Self:
        """Map a store into memory; nothing of it is read but its footer.

        Raises:
            CorpusError: missing, truncated, of a later version, or a store of something else.
        """
        store = super().open(path)
        if store.metadata.get(_KIND) != _DOCUMENTS:
            raise CorpusError(f"{path}: is a store of pairs, not of running text.")
        return store

    def ids(self, row: int) -> Ids:
        """Token ids of a document [tokens], without begin and end."""
        return self.pair(row)[0]

    def sentences(self, row: int) -> NDArray[Any]:
        """Numbers of tokens of a document's sentences [sentences]; they add up to its length."""
        return self.pair(row)[1]

    def sizes(self, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        """Numbers of tokens of the documents of ``rows``, in that order."""
        found = np.empty(len(rows), np.int64)
        batches = rows // self.batch_rows
        order = np.argsort(batches, kind="stable")
        edges = np.flatnonzero(np.diff(batches[order])) + 1
        for members in np.split(order, edges) if len(rows) else ():
            start = int(batches[members[0]]) * self.batch_rows
            tokens, _ = self.lengths(start, min(start + self.batch_rows, len(self)))
            found[members] = tokens[rows[members] - start]
        return found

    def __repr__(self) -> str:
        return f"DocumentStore({str(self.path)!r}, {len(self)} documents)"
