"""What word2vec's two forms share: the first line, and words and rows gathered block by block."""

from __future__ import annotations

import codecs
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

import numpy as np

from seqloom.corpus.files import check_readable
from seqloom.corpus.pairs import Progress
from seqloom.corpus.streams import chunks, plain_name
from seqloom.errors import VectorsError
from seqloom.text.vectors import WordVectors

Tell = Callable[[str], None]
"""Told in one line of what a person should know and need not mend."""

AGAIN = "copy or download it again"

_LONGEST_HEADER = 2**16  # bytes
_FASTTEXT_MODEL = b"\xba\x16\x4f\x2f"  # how a .bin of fastText begins


@dataclass(frozen=True)
class Opened:
    """A file whose first line has been read."""

    path: Path
    count: int
    """Words that the first line promises, V."""
    width: int
    """Numbers in a vector, D."""
    rest: bytes
    """What has been read behind the first line."""
    stream: Iterator[bytes]
    """What comes after that."""
    offset: int
    """Bytes of the first line with its end."""


def open_file(path: str | Path) -> Opened:
    """Read the first line of a file of word vectors.

    Raises:
        VectorsError: it is not two numbers.
        CorpusError: the file is missing, empty, or its packing is damaged.
    """
    path = Path(path)
    check_readable(path)
    stream = chunks(path)
    head = b""
    for chunk in stream:
        head += chunk
        if b"\n" in chunk or len(head) > _LONGEST_HEADER:
            break
    if not head:
        raise VectorsError(f"{path}: the file is empty; expected word vectors.")
    line, _, rest = head.partition(b"\n")
    fields = line.removeprefix(codecs.BOM_UTF8).split()
    if len(fields) != 2 or not all(field.isdigit() and len(field) < 16 for field in fields):
        _raise_wrong_header(path, line, fields)
    count, width = map(int, fields)
    if not count or not width:
        raise VectorsError(
            f"{path}, line 1: {count} words of width {width}, so there is nothing to read; {AGAIN},"
            " or train the vectors again."
        )
    return Opened(path, count, width, rest, stream, len(line) + 1)


def is_number(field: bytes) -> bool:
    """Whether a field is a number as programs write it."""
    try:
        float(field)
    except ValueError:
        return False
    return b"_" not in field


def raise_surplus(file: Opened, place: str) -> NoReturn:
    """Refuse a file that goes on behind its last word."""
    raise VectorsError(
        f"{file.path}, {place}: more than the {file.count:,} words that the first line promises; "
        f"mend that line, or {AGAIN}."
    )


class Gathered:
    """Words and rows as they are read, the first of each word.

    Args:
        file: where they come from.
        first: how many words to read; None for all.
        row_bytes: the fewest bytes that a word takes in the file.
        place: how messages call the place of a word, given its number from 1.
        progress: told how many words are read.

    Raises:
        VectorsError: the vectors do not fit into memory.
    """

    def __init__(
        self,
        file: Opened,
        first: int | None,
        row_bytes: int,
        place: Callable[[int], str],
        progress: Progress | None,
    ) -> None:
        self.wanted = file.count if first is None else min(file.count, first)
        """Words to read."""
        self.read = 0
        """Words read so far, repeated ones counted."""
        self._path = file.path
        self._place = place
        self._progress = progress
        self._rows: dict[str, int] = {}
        self._repeated: list[str] = []
        self._replaced = 0
        self._matrix = _allocated(file, self.wanted, row_bytes)

    @property
    def missing(self) -> int:
        """Words that are still to be read."""
        return self.wanted - self.read

    def add(self, words: Sequence[bytes], numbers: np.ndarray) -> None:
        """Take the next words and their vectors [words D].

        Raises:
            VectorsError: a number is not finite.
        """
        finite = np.isfinite(numbers).all(axis=1)
        if not finite.all():
            bad = int(np.argmin(finite))
            raise VectorsError(
                f"{self._path}, {self._place(self.read + 1 + bad)}: the vector of "
                f"{words[bad].decode('utf-8', 'replace')!r} holds nan, inf or a number beyond 32 "
                "bits; take the word out, or train the vectors again."
            )
        start = len(self._rows)
        kept = [place for place, word in enumerate(words) if self._is_new(word)]
        whole = len(kept) == len(words)
        self._matrix[start : start + len(kept)] = numbers if whole else numbers[kept]
        self.read += len(words)
        if self._progress is not None:
            self._progress("reading vectors", self.read, self.wanted)

    def vectors(self, tell: Tell | None) -> WordVectors:
        """All that was read; ``tell`` hears of repeated words and of words that are not UTF-8."""
        if tell is not None and self._replaced:
            tell(
                f"{self._path}: {self._replaced:,} words are not UTF-8; what is wrong in them "
                "became \N{REPLACEMENT CHARACTER}."
            )
        if tell is not None and self._repeated:
            tell(
                f"{self._path}: {len(self._repeated):,} words stand there again, such as "
                f"{self._repeated[0]!r}; the first vector of each is kept."
            )
        matrix = self._matrix[: len(self._rows)]
        return WordVectors(list(self._rows), matrix, origin={"file": self._path.name})

    def _is_new(self, raw: bytes) -> bool:
        try:
            word = raw.decode("utf-8")
        except UnicodeDecodeError:
            word = raw.decode("utf-8", "replace")
            self._replaced += 1
        if word in self._rows:
            self._repeated.append(word)
            return False
        self._rows[word] = len(self._rows)
        return True


def _allocated(file: Opened, wanted: int, row_bytes: int) -> np.ndarray:
    """Room for the words that a file can hold: a wrong first line must not fill the memory."""
    if plain_name(file.path) == file.path:
        wanted = min(wanted, file.path.stat().st_size // row_bytes + 1)
    try:
        return np.empty((wanted, file.width), np.float32)
    except (MemoryError, ValueError):
        raise VectorsError(
            f"{file.path}, line 1: {wanted:,} words of width {file.width:,} do not fit into "
            "memory; read fewer, the first ones, or mend the line if it is wrong."
        ) from None


def _raise_wrong_header(path: Path, line: bytes, fields: list[bytes]) -> NoReturn:
    if line.startswith(_FASTTEXT_MODEL):
        raise VectorsError(
            f"{path} is a model of fastText, not a file of vectors; give the .vec file that came "
            "with it, or write one with gensim: load_facebook_vectors(...).save_word2vec_format."
        )
    hint = "."
    if len(fields) > 2 and all(map(is_number, fields[1:])):
        hint = (
            f'. Files of GloVe lack that line; put it on top: sed -i "1i $(wc -l < {path}) '
            f'{len(fields) - 1}" {path}'
        )
    raise VectorsError(
        f"{path}, line 1: expected two numbers, how many words and how wide, such as '400000 300'; "
        f"found {line[:60].decode('utf-8', 'replace')!r}{hint}"
    )
