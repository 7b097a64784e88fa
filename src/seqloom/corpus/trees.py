"""Sentences whose words depend on each other: treebanks of Universal Dependencies."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from seqloom.corpus.files import check_readable
from seqloom.corpus.formats.conllu import read_heads
from seqloom.corpus.tagged import TaggedSentence
from seqloom.errors import CorpusError


class Tree(NamedTuple):
    """The words of a sentence and what each depends on."""

    sentence: TaggedSentence
    """The words, their relations as tags."""
    heads: tuple[int, ...]
    """The word that each depends on, counted from 0; -1 for a root."""


@dataclass(frozen=True)
class Treebank:
    """Trees in memory."""

    trees: list[Tree]
    name: str
    """What messages call them."""

    def __len__(self) -> int:
        return len(self.trees)


def read_treebank(path: str | Path, most: int | None = None) -> Treebank:
    """Read a treebank in CoNLL-U into memory; the file may be compressed.

    Args:
        path: the file.
        most: read the first so many sentences only.

    Raises:
        CorpusError: the file is missing, damaged, no CoNLL-U, or without dependencies (file and
            line).
    """
    path = Path(path)
    check_readable(path)
    trees = list[Tree]()
    for row, heads in read_heads(path):
        trees.append(Tree(TaggedSentence(*row), heads))
        if len(trees) == most:
            break
    if not trees:
        raise CorpusError(
            f"{path}: no sentence in it; expected CoNLL-U: ten columns a word, parted by tabs, and "
            "a blank line after each sentence."
        )
    return Treebank(trees, str(path))
