"""A text read once: its words counted, and kept on disk as numbers that every epoch streams.

Memory holds the different words and one chunk of the text, however long the text is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from seqloom.text.words import WordRule, read_lines

LINE_END = -1
"""Stands behind each line in a chunk: windows do not reach beyond it."""
MOST_WORDS = 4_000_000
"""Different words that are counted at a time; beyond, the rarest are forgotten."""

_BYTES = 4
Stage = Callable[[str, int, int | None], None]


class EncodedText:
    """Lines of words as numbers in a file, with the words and their counts.

    Numbers are given in order of appearance; :meth:`chunks` can map them to others.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.words: dict[str, int] = {}
        """Word -> number."""
        self.counts = np.zeros(0, np.int64)
        """How often each number occurs."""
        self.lines = 0
        self._numbers = 0
        self._rare = 1
        self._size = 0
        self._places: list[int] = []

    @property
    def length(self) -> int:
        """Words of the text."""
        return int(self.counts.sum())

    def chunks(
        self, size: int, mapping: np.ndarray | None = None, seed: int | None = None
    ) -> Iterator[np.ndarray]:
        """The text in pieces of some ``size`` numbers that end with a line, int32.

        Args:
            size: numbers a piece; longer only if one line is.
            mapping: new number of each number; what it maps below :data:`LINE_END` is left out.
            seed: of the order of the pieces; that of the text when left out.
        """
        cuts = self._cuts(size)
        places = np.arange(len(cuts) - 1)
        if seed is not None:
            np.random.default_rng(seed).shuffle(places)
        with self.path.open("rb") as file:
            for place in places.tolist():
                file.seek(cuts[place] * _BYTES)
                piece = np.fromfile(file, np.int32, cuts[place + 1] - cuts[place])
                yield _mapped(piece, mapping)

    def _cuts(self, size: int) -> list[int]:
        """Where pieces of some ``size`` numbers begin, and where the last one ends."""
        if self._size != size:
            cuts, last, done = [0], 0, 0
            with self.path.open("rb") as file:
                while len(read := np.fromfile(file, np.int32, size)):
                    ends = np.flatnonzero(read == LINE_END)
                    last = done + int(ends[-1]) + 1 if len(ends) else last
                    done += len(read)
                    if last > cuts[-1]:
                        cuts.append(last)
            self._size, self._places = size, cuts
        return self._places


def encode(paths: Sequence[str | Path], rule: WordRule, out: Path, stage: Stage) -> EncodedText:
    """Read text files, one pass, and leave their numbers in the file ``out``.

    Raises:
        CorpusError: a file is missing or no text.
    """
    text = EncodedText(out)
    with out.open("wb") as file:
        for lines in read_lines(paths, stage):
            _add(text, rule.of_lines(lines)).tofile(file)
    return text


def _add(text: EncodedText, lines: pa.ListArray[Any]) -> np.ndarray:
    """Count the words of some lines; the numbers of them, each line ended."""
    lengths = np.diff(np.asarray(lines.offsets))
    words: Any = lines.flatten().dictionary_encode()
    numbers = np.empty(len(words.dictionary), np.int32)
    for place, word in enumerate(words.dictionary.to_pylist()):
        found = text.words.get(word)
        if found is None:
            found = text.words[word] = text._numbers
            text._numbers += 1
        numbers[place] = found
    known = numbers[np.asarray(words.indices)]
    grown = np.bincount(known, minlength=text._numbers)
    grown[: len(text.counts)] += text.counts
    text.counts = grown
    text.lines += len(lengths)
    if len(text.words) > MOST_WORDS:
        _forget_rare(text)
    ended = np.full(len(known) + len(lengths), LINE_END, np.int32)
    ended[np.arange(len(known)) + np.repeat(np.arange(len(lengths)), lengths)] = known
    return ended


def _forget_rare(text: EncodedText) -> None:
    """Leave the rarest words out, ever less rare ones, as the program of Mikolov et al. does.

    Their numbers stay in the file; should such a word come again, it gets a new number.
    """
    while len(text.words) > MOST_WORDS // 2:
        kept = text.counts > text._rare
        text.words = {word: number for word, number in text.words.items() if kept[number]}
        text._rare += 1


def _mapped(numbers: np.ndarray, mapping: np.ndarray | None) -> np.ndarray:
    if mapping is None:
        return numbers
    # LINE_END, which is -1, finds the last entry.
    found = np.append(mapping, np.int32(LINE_END))[numbers]
    return found[found >= LINE_END]
