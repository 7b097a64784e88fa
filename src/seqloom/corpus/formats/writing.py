"""What the writers of line-based formats share: the characters that a format cannot hold."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from seqloom.corpus.report import shorten
from seqloom.errors import CorpusError

_NAMES = {"\n": "a line end", "\t": "a tab", "\r": "a carriage return", "\0": "a NUL character"}
_BYTE_ORDER_MARK = "\ufeff"


def refuse_characters(texts: pa.Array[Any], forbidden: str, before: int, what: str) -> None:
    """Refuse the first of ``texts`` that holds one of the ``forbidden`` characters.

    Args:
        texts: one side of some pairs.
        forbidden: characters that the format has no way to write.
        before: number of pairs before these.
        what: the format, as the message calls it.

    Raises:
        CorpusError: names the number of the pair, and what to do.
    """
    for character in forbidden:
        found = np.flatnonzero(
            pc.match_substring(texts, character).to_numpy(zero_copy_only=False).astype(bool)
        )
        if len(found):
            row = int(found[0])
            raise CorpusError(
                f"pair {before + row + 1} has {_NAMES[character]} in a text, which {what} cannot "
                f"hold: {shorten(texts[row].as_py())!r}. Write .jsonl or .parquet, or add "
                "--one-line to write a space in its place."
            )


def mark_before(first: str) -> bytes:
    """A byte-order mark if the first text of a file begins with one: readers skip the first."""
    return _BYTE_ORDER_MARK.encode() if first.startswith(_BYTE_ORDER_MARK) else b""


def one_line(batch: pa.RecordBatch) -> pa.RecordBatch:
    """The batch with each run of line ends, tabs and NULs inside its texts made one space."""
    sides = [pc.replace_substring_regex(batch.column(i), r"[\r\n\t\x00]+", " ") for i in (0, 1)]
    return pa.RecordBatch.from_arrays([*sides, batch.column(2)], schema=batch.schema)
