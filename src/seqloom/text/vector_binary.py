"""word2vec's binary form of word vectors, in and out.

::

    V D                 how many words, how wide, and a line end
    the ........        a word, a space, D float32 (little-endian), and maybe a line end

Files are streamed, packed (.gz, .xz, .zst) or not.
"""

from __future__ import annotations

from itertools import chain
from pathlib import Path
from typing import IO

import numpy as np

from seqloom.corpus.pairs import Progress
from seqloom.errors import VectorsError
from seqloom.text.vector_gathering import (
    AGAIN,
    Gathered,
    Opened,
    Tell,
    is_number,
    open_file,
    raise_surplus,
)
from seqloom.text.vectors import WordVectors

_LONGEST_WORD = 2**16  # bytes
_BLOCK_ROWS = 2**12  # written at a time


def read_binary(
    path: str | Path,
    *,
    first: int | None = None,
    progress: Progress | None = None,
    tell: Tell | None = None,
) -> WordVectors:
    """Read a file of this form, with or without a line end after each vector.

    Args:
        path: the file.
        first: read so many words only; as a rule these are the most frequent.
        progress: told how many words are read.
        tell: told of words that repeat (the first is kept) or are not UTF-8 (wrong bytes become
            U+FFFD).

    Raises:
        VectorsError: the file is not of this form, is cut off, or a number is not finite; names
            the word or the byte.
        CorpusError: the file is missing, empty, or its packing is damaged.
    """
    file = open_file(path)
    _refuse_text(file)
    size = 4 * file.width
    gathered = Gathered(file, first, size, lambda word: f"word {word:,}", progress)
    pending, byte = file.rest, file.offset  # bytes of the file before what is pending
    for chunk in chain((b"",), file.stream):
        pending += chunk
        words, rows, end = _records(pending, size, gathered.missing)
        if words:
            gathered.add(words, np.frombuffer(rows, "<f4").reshape(-1, file.width))
        pending, byte = pending[end:], byte + end
        if not gathered.missing:
            break
        _refuse_endless_word(file, pending, byte, gathered.read + 1)
    else:
        raise VectorsError(
            f"{path}, byte {byte + len(pending):,}: the file ends in word {gathered.read + 1:,} of "
            f"the {file.count:,} that its first line promises; {AGAIN}, or mend that line."
        )
    rest = chain((pending,), file.stream)
    if gathered.wanted == file.count and any(part.strip(b"\n") for part in rest):
        raise_surplus(file, f"byte {byte + 1:,}")
    return gathered.vectors(tell)


def write_binary(file: IO[bytes], vectors: WordVectors, progress: Progress) -> None:
    """Write this form, without line ends after the vectors."""
    count, width = vectors.matrix.shape
    file.write(f"{count} {width}\n".encode())
    for start in range(0, count, _BLOCK_ROWS):
        part = slice(start, start + _BLOCK_ROWS)
        rows = vectors.matrix[part].astype("<f4")
        words = [word.encode() for word in vectors.words[part]]
        file.write(b"".join(b"%b %b" % pair for pair in zip(words, rows, strict=True)))
        progress("writing vectors", start + len(rows), count)


def _refuse_text(file: Opened) -> None:
    fields = file.rest.partition(b"\n")[0].split()
    if len(fields) == file.width + 1 and all(map(is_number, fields[1:])):
        raise VectorsError(
            f"{file.path}, line 2: text, and word2vec's binary form was expected; let the name of "
            "the file end in .txt."
        )


def _refuse_endless_word(file: Opened, pending: bytes, byte: int, word: int) -> None:
    if len(pending) > _LONGEST_WORD and b" " not in pending[:_LONGEST_WORD]:
        raise VectorsError(
            f"{file.path}, byte {byte + 1:,}: expected word {word:,} and a space behind it, found "
            f"none in {_LONGEST_WORD:,} bytes; is this word2vec's binary form?"
        )


def _records(data: bytes, size: int, most: int) -> tuple[list[bytes], bytes, int]:
    """Whole records at the beginning of some bytes: words, vectors, and where the next begins."""
    words: list[bytes] = []
    rows: list[bytes] = []
    at = 0
    while len(words) < most:
        space = data.find(b" ", at)
        end = space + 1 + size
        if space < 0 or end > len(data):
            break
        words.append(data[at:space].lstrip(b"\n"))
        rows.append(data[space + 1 : end])
        at = end
    return words, b"".join(rows), at
