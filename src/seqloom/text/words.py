"""What counts as a word: the one rule by which bags of words and word vectors read texts.

``words``: runs of letters, marks and digits (Unicode's L, M and N), joined by single apostrophes
(``'``, and ``’``, which becomes ``'``) and underscores inside: ``don't`` and ``snake_case`` are one
word each, ``_them_`` is ``them``, hyphens part words. Scripts that put no spaces between words
(Han, Hiragana, Katakana, Thai, Lao, Khmer, Myanmar) are cut by the dictionaries of ICU.
``spaces``: what stands between white space, as it is.
"""

from __future__ import annotations

import codecs
import re
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, pairwise
from pathlib import Path
from typing import Any, Literal, NoReturn

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from seqloom.corpus.codepoints import code_points, strings
from seqloom.corpus.files import check_readable
from seqloom.corpus.lines import blocks
from seqloom.corpus.streams import CHUNK_BYTES, chunks, share_read
from seqloom.errors import CorpusError, VectorsError
from seqloom.text.word_edges import find_words

LONGEST_LINE = CHUNK_BYTES
"""Bytes from which :func:`read_lines` cuts a line."""

_WHITE_BYTES = (b" ", b"\t", "\u3000".encode())
_TOGETHER = 2**20  # characters of texts that are cut at once
_PIECE = re.compile(rf"(?s).{{1,{_TOGETHER}}}\S*")  # of a longer text, up to white space


@dataclass(frozen=True)
class WordRule:
    """How a text is cut into words."""

    split: Literal["words", "spaces"] = "words"
    """By letters and scripts, or at white space alone."""
    lowercase: bool = True
    """Lower-case first, letter by letter."""

    def __post_init__(self) -> None:
        if self.split not in ("words", "spaces") or not isinstance(self.lowercase, bool):
            raise VectorsError(
                f"split={self.split!r}, lowercase={self.lowercase!r}: no way to find words; "
                "expected split 'words' or 'spaces', and lowercase true or false."
            )

    def words(self, text: str) -> list[str]:
        """The words of one text, in their order.

        Raises:
            VectorsError: not Unicode.
            MissingExtraError: an unspaced script, and ICU is not installed.
        """
        return next(self.lists([text]))

    def lists(self, texts: Iterable[str]) -> Iterator[list[str]]:
        """The words of each text, one list a text; takes many texts together, which is fast.

        Raises:
            VectorsError: not Unicode.
            MissingExtraError: an unspaced script, and ICU is not installed.
        """
        for batch in _batches(texts):
            if len(batch[0]) > _TOGETHER and len(pieces := _PIECE.findall(batch[0])) > 1:
                yield list(chain.from_iterable(self.lists(pieces)))
                continue
            found = self.of_lines(_array(batch))
            # A word that comes again is the same object: less memory, and counted faster.
            coded: Any = found.values.dictionary_encode()
            different = np.array(coded.dictionary.to_pylist(), np.object_)
            words: list[str] = different[coded.indices.to_numpy()].tolist()
            for start, end in pairwise(found.offsets.to_pylist()):
                yield words[start:end]

    def of_lines(self, lines: pa.Array[Any] | pa.ChunkedArray[Any]) -> pa.ListArray[Any]:
        """The words of each line.

        Args:
            lines: strings without nulls [N].

        Returns:
            A list of strings a line [N].

        Raises:
            MissingExtraError: an unspaced script, and ICU is not installed.
        """
        if isinstance(lines, pa.ChunkedArray):
            lines = lines.cast(pa.large_string()).combine_chunks()
        if self.lowercase:
            lines = pc.utf8_lower(lines)
        if self.split == "words":
            lines = pc.replace_substring(lines, "’", "'")
        points, starts = code_points(lines)
        begins, inside = find_words(points, starts, self.split)
        first: Any = pa.array(np.searchsorted(np.flatnonzero(begins), starts), pa.int32())
        edges = np.append(np.flatnonzero(begins[inside]), np.count_nonzero(inside))
        return pa.ListArray.from_arrays(first, strings(points[inside], edges))

    def as_dict(self) -> dict[str, Any]:
        """What JSON files say of the rule."""
        values: dict[str, Any] = {"split": self.split, "lowercase": self.lowercase}
        if self.split == "words":
            values["unspaced_scripts"] = "cut by the dictionaries of ICU"
        return values

    @classmethod
    def from_dict(cls, values: Any) -> WordRule:
        """The rule that :meth:`as_dict` told.

        Raises:
            VectorsError: it is none.
        """
        if not isinstance(values, dict):
            values = {}
        return cls(values.get("split", "?"), values.get("lowercase", "?"))


def read_lines(
    paths: Sequence[str | Path], progress: Callable[[str, int, int | None], None] | None = None
) -> Iterator[pa.Array[Any]]:
    """The lines of text files in Arrow arrays of about a megabyte, streamed; also .gz .xz .zst.

    A line longer than :data:`LONGEST_LINE` is cut into several at white space (in a text without
    any, anywhere), so that a corpus may well be one line.

    Args:
        paths: files of UTF-8.
        progress: told how many lines are read, of about how many.

    Raises:
        CorpusError: a file is missing, empty, damaged, or no text (line and byte).
    """
    files = [Path(path) for path in paths]
    for path in files:
        check_readable(path)
    sizes = [path.stat().st_size for path in files]
    done = 0
    for number, path in enumerate(files):
        for lines in _lines_of(path):
            done += len(lines)
            if progress is not None:
                read = sum(sizes[:number]) + sizes[number] * share_read([path])
                progress("reading", done, round(done * sum(sizes) / read) if read else None)
            yield lines


def _batches(texts: Iterable[str]) -> Iterator[list[str]]:
    """Texts that are cut at once; a huge one is alone."""
    if isinstance(texts, str):
        raise TypeError("expected texts, not one text; put it into a list")
    batch: list[str] = []
    characters = 0
    for text in texts:
        if len(text) > _TOGETHER and batch:
            yield batch
            batch, characters = [], 0
        batch.append(text)
        characters += len(text) + 1
        if characters >= _TOGETHER:
            yield batch
            batch, characters = [], 0
    if batch:
        yield batch


def _array(texts: list[str]) -> pa.Array[Any]:
    try:
        return pa.array(texts, pa.large_string())
    except UnicodeEncodeError as error:
        raise VectorsError(
            f"a text holds a lone surrogate (U+{ord(error.object[error.start]):04X}), which is not "
            "valid Unicode; read the text as UTF-8."
        ) from None


def _lines_of(path: Path) -> Iterator[pa.Array[Any]]:
    pending = b""
    number = 0
    for chunk in chunks(path):
        pending += chunk
        if number == 0:
            pending = pending.removeprefix(codecs.BOM_UTF8)
        if cut := _cut(pending):
            yield _split(path, pending[:cut])
            pending = pending[cut:]
            number += 1
    if pending:
        yield _split(path, pending)
    elif number == 0:
        _refuse(path)


def _cut(block: bytes) -> int:
    """How much of a block to hand on: whole lines, or a part of one that is too long."""
    cut = block.rfind(b"\n") + 1
    if cut or len(block) < LONGEST_LINE:
        return cut
    cut = max(
        (block.rfind(white) + len(white) for white in _WHITE_BYTES if white in block), default=0
    )
    if cut:
        return cut
    ends = range(len(block) - 1, len(block) - 5, -1)
    return next((end for end in ends if block[end] & 0xC0 != 0x80), len(block))


def _split(path: Path, block: bytes) -> pa.Array[Any]:
    if b"\0" in block:
        _refuse(path)
    plain = block.replace(b"\r\n", b"\n").removesuffix(b"\n")
    try:
        text: Any = pa.array([plain], pa.binary()).cast(pa.string())
    except pa.ArrowInvalid:
        _refuse(path)
    return pc.split_pattern(text, "\n").values


def _refuse(path: Path) -> NoReturn:
    """Read a file in the strict way, which tells what is wrong with it and where."""
    deque(blocks(path), maxlen=0)
    raise CorpusError(f"{path}: changed while it was read; start again when it is complete.")
