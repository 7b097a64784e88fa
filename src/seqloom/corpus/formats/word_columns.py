"""A word and its tags a line, a blank line after each sentence: the shared tasks of CoNLL.

Columns are parted by tabs, or else by spaces; the form of CoNLL-2003 (Tjong Kim Sang and De Meulder
2003), with lines ``-DOCSTART-`` between documents, is one of these.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from seqloom.corpus.formats.conllu import Row
from seqloom.corpus.formats.tables import count
from seqloom.corpus.lines import read_lines
from seqloom.corpus.report import shorten
from seqloom.errors import ColumnError, CorpusError

_DOCUMENT = "-DOCSTART-"


def read_word_columns(path: Path, column: str | int | None) -> Iterator[Row]:
    """Read the sentences of a file, with one column as tags; the last when left out.

    Raises:
        CorpusError: a line without a tag, or of other columns than the first, or a column that does
            not exist.
    """
    words, tags = list[str](), list[str]()
    width, at, start, tabs = 0, 0, 0, False
    for number, line in enumerate(read_lines(path), start=1):
        if not line.strip() or line.startswith(_DOCUMENT):
            if words:
                yield _row(path, words, tags, start)
            words, tags = [], []
            continue
        if not width:
            tabs = "\t" in line
        cells = _cells(line, tabs)
        if not width:
            width, at = len(cells), _column(path, number, line, cells, column)
        _check(path, number, line, cells, width, at)
        start = start if words else number
        words.append(cells[0])
        tags.append(cells[at].strip())
    if words:
        yield _row(path, words, tags, start)


def last_column(path: Path) -> int:
    """The number of the last column, the word being 0, as the first line has it; 0 of none.

    Raises:
        CorpusError: the file cannot be read.
    """
    for line in read_lines(path):
        if line.strip() and not line.startswith(_DOCUMENT):
            return len(_cells(line, "\t" in line)) - 1
    return 0


def _cells(line: str, tabs: bool) -> list[str]:
    return line.split("\t") if tabs else line.split()


def _row(path: Path, words: list[str], tags: list[str], start: int) -> Row:
    return tuple(words), tuple(tags), (False,) * len(words), f"{path}, line {start}"


def _column(path: Path, number: int, line: str, cells: list[str], column: str | int | None) -> int:
    width = len(cells)
    if width < 2:
        raise CorpusError(
            f"{path}, line {number}: {shorten(line)!r} has no tag; expected a word, a tab and its "
            "tag a line, and a blank line after each sentence."
        )
    at = width - 1 if column is None else column
    if isinstance(at, str) and at.isdecimal():
        at = int(at)
    if not isinstance(at, int) or not 0 < at < width:
        raise ColumnError(
            f"{path}: no column {column!r} for tags; line {number} has {count(width)}: the word is "
            f"column 0, tags are column {'1' if width == 2 else f'1 to {width - 1}'}."
        )
    return at


def _check(path: Path, number: int, line: str, cells: list[str], width: int, at: int) -> None:
    if len(cells) != width:
        raise CorpusError(
            f"{path}, line {number}: {count(len(cells))} in {shorten(line)!r}, but the first word "
            f"has {width}. Each line needs a word and its tag."
        )
    if not cells[0].strip() or not cells[at].strip():
        what = "tag" if cells[0].strip() else "word"
        raise CorpusError(f"{path}, line {number}: the {what} is empty in {shorten(line)!r}.")
