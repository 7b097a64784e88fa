"""CoNLL-U: treebanks of Universal Dependencies (de Marneffe et al. 2021): tags of words, and trees.

A word a line in ten columns, a blank line after each sentence, comments behind ``#``. Tags belong
to syntactic words: German *im* is the two words *in* and *dem* under a line ``1-2`` that only says
how they are written together, and is passed over. So are empty nodes (``8.1``), which stand for
words that are left out. Where words are written without a space between them is kept.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from seqloom.corpus.lines import read_lines
from seqloom.corpus.report import shorten
from seqloom.errors import ColumnError, CorpusError

_COLUMNS = ("id", "form", "lemma", "upos", "xpos", "feats", "head", "deprel", "deps", "misc")
_TAGS = ("upos", "xpos", "deprel", "feats", "lemma")
_FEATURE = "feats:"
_NONE = "_"
_ID = re.compile(r"(?P<word>[1-9]\d*)(?:-(?P<last>[1-9]\d*))?|\d+\.[1-9]\d*")
_NO_SPACE = "SpaceAfter=No"
_SHOWN = 12  # features that a message names

Row = tuple[tuple[str, ...], tuple[str, ...], tuple[bool, ...], str]
"""Words, tags, where no space stands before a word, and the place of a sentence."""


class _Word(NamedTuple):
    line: int
    cells: list[str]


def read_conllu(path: Path, column: str | int | None) -> Iterator[Row]:
    """Read the sentences of a treebank, with one column as tags; ``upos`` when left out.

    A word that lacks the feature asked for has the tag ``_``.

    Raises:
        CorpusError: a line that is no word of CoNLL-U, a column that does not exist, or is empty
            in the whole file.
    """
    name = _column(path, "upos" if column is None else column)
    features = Counter[str]()
    words = filled = 0
    for sentence in _sentences(path):
        row = _row(path, sentence, name)
        words += len(row[1])
        filled += sum(tag != _NONE for tag in row[1])
        if name.startswith(_FEATURE) and not filled:
            features.update(key for word in sentence for key in _features(word.cells[5]))
        if row[0]:
            yield row
    if words and not filled:
        raise CorpusError(_nothing(path, name, words, features))


def read_heads(path: Path) -> Iterator[tuple[Row, tuple[int, ...]]]:
    """Read the sentences of a treebank: words with their relations, and the head of each word.

    Heads count from 0, the first word; the head of a root is -1.

    Raises:
        CorpusError: a line that is no word of CoNLL-U, or a word whose head or relation is missing
            or impossible.
    """
    for sentence in _sentences(path):
        row = _row(path, sentence, "deprel")
        words = [each for each in sentence if "-" not in each.cells[0]]
        if words:
            yield row, tuple(_head(path, each, len(words)) for each in words)


def _head(path: Path, word: _Word, number: int) -> int:
    head, relation = word.cells[6:8]
    if not head.isdecimal() or int(head) > number or head == word.cells[0]:
        raise CorpusError(
            f"{path}, line {word.line}: {head!r} is no head (column 7) of word {word.cells[0]}; "
            f"expected the id of another of the {number} words, or 0 for the root."
        )
    if relation in ("", _NONE):
        raise CorpusError(
            f"{path}, line {word.line}: word {word.cells[0]} has no relation to its head (column "
            "8, deprel); roles in the grammar need a treebank with dependencies."
        )
    return int(head) - 1


def _column(path: Path, column: str | int) -> str:
    name = str(column)
    if name.lower() in _TAGS:
        return name.lower()
    if name.lower().startswith(_FEATURE) and len(name) > len(_FEATURE):
        return _FEATURE + name[len(_FEATURE) :]
    raise ColumnError(
        f"{path}: no column {name!r} for tags; a .conllu file has {', '.join(_TAGS)}, and features "
        "such as feats:Case."
    )


def _nothing(path: Path, name: str, words: int, features: Counter[str]) -> str:
    if name.startswith(_FEATURE):
        there = ", ".join(feature for feature, _ in features.most_common(_SHOWN)) or "none"
        feature = name.removeprefix(_FEATURE)
        return f"{path}: none of {words:,} words has the feature {feature!r}; there are: {there}."
    return (
        f"{path}: the column {name} is empty ({_NONE}) in all {words:,} words; choose another of "
        f"{', '.join(_TAGS)}."
    )


def _sentences(path: Path) -> Iterator[list[_Word]]:
    """The lines of each sentence, comments and empty nodes left out."""
    found: list[_Word] = []
    for number, line in enumerate(read_lines(path), start=1):
        if not line.strip():
            if found:
                yield found
            found = []
        elif not line.startswith("#"):
            cells = line.split("\t")
            _check(path, number, line, cells)
            if "." not in cells[0]:
                found.append(_Word(number, cells))
    if found:
        yield found


def _check(path: Path, number: int, line: str, cells: list[str]) -> None:
    if len(cells) != len(_COLUMNS):
        columns = f"{len(cells)} column{'s' if len(cells) != 1 else ''}"
        raise CorpusError(
            f"{path}, line {number}: {columns} in {shorten(line)!r}; a word of CoNLL-U has "
            f"{len(_COLUMNS)}, parted by tabs ({', '.join(_COLUMNS)})."
        )
    if not _ID.fullmatch(cells[0]):
        raise CorpusError(
            f"{path}, line {number}: {cells[0]!r} is no id; expected 1 for a word, 1-2 for words "
            "written together, or 1.1 for an empty node."
        )
    if not cells[1].strip():
        raise CorpusError(f"{path}, line {number}: the word (column form) is empty.")


def _row(path: Path, sentence: list[_Word], name: str) -> Row:
    words, tags, joined = list[str](), list[str](), list[bool]()
    together = dict[int, _Word]()  # which line says how a word and its neighbours are written
    after = False  # whether the word before has no space after it
    for each in sentence:
        number = each.cells[0]
        if "-" in number:
            together.update(_range(path, each, len(words) + 1))
            continue
        if int(number) != len(words) + 1:
            raise CorpusError(
                f"{path}, line {each.line}: word {number} stands where {len(words) + 1} is "
                "expected; is a blank line between sentences missing?"
            )
        words.append(each.cells[1])
        tags.append(_tag(each, name))
        joined.append(after)
        after = _glued(together.get(len(words)), each, words)
    return tuple(words), tuple(tags), tuple(joined), f"{path}, line {sentence[0].line}"


def _range(path: Path, each: _Word, next_word: int) -> dict[int, _Word]:
    first, last = map(int, each.cells[0].split("-"))
    if first != next_word or last <= first:
        raise CorpusError(
            f"{path}, line {each.line}: {each.cells[0]} stands before word {next_word}; words "
            "written together are named as in 1-2, before the first of them."
        )
    return dict.fromkeys(range(first, last + 1), each)


def _glued(written: _Word | None, word: _Word, words: list[str]) -> bool:
    """Whether no space stands after the last word."""
    if written is None:
        return _NO_SPACE in word.cells[9].split("|")
    first, last = map(int, written.cells[0].split("-"))
    if last == len(words):
        return _NO_SPACE in written.cells[9].split("|")
    # "don't" is written as its words are, "im" is not as "in dem".
    return written.cells[1].startswith("".join(words[first - 1 :]))


def _tag(word: _Word, name: str) -> str:
    if name.startswith(_FEATURE):
        return _features(word.cells[5]).get(name.removeprefix(_FEATURE), _NONE)
    return word.cells[_COLUMNS.index(name)] or _NONE


def _features(cell: str) -> dict[str, str]:
    pairs = (feature.partition("=") for feature in cell.split("|") if "=" in feature)
    return {key: value for key, _, value in pairs}
