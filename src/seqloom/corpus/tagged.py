"""Sentences whose words have tags: parts of speech, features, names of people and places.

Treebanks of Universal Dependencies (``.conllu``), or a word and its tag a line with a blank line
after each sentence, as the shared tasks of CoNLL write them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from seqloom.corpus.classes import list_labels
from seqloom.corpus.files import check_readable
from seqloom.corpus.formats.conllu import read_conllu
from seqloom.corpus.formats.word_columns import read_word_columns
from seqloom.corpus.streams import plain_name
from seqloom.errors import CorpusError


class TaggedSentence(NamedTuple):
    """The words of a sentence, a tag each."""

    words: tuple[str, ...]
    tags: tuple[str, ...]
    joined: tuple[bool, ...]
    """Where no space stands between a word and the one before."""
    place: str
    """File and line."""

    @property
    def text(self) -> str:
        """The sentence as people write it."""
        parts = zip(self.words, self.joined, strict=True)
        return "".join(word if joined else f" {word}" for word, joined in parts).strip()


@dataclass(frozen=True)
class TaggedSentences:
    """Tagged sentences in memory."""

    sentences: list[TaggedSentence]
    name: str
    """What messages call them."""

    def __len__(self) -> int:
        return len(self.sentences)

    @property
    def words(self) -> int:
        """Number of words."""
        return sum(len(sentence.words) for sentence in self.sentences)

    @property
    def counts(self) -> dict[str, int]:
        """Words of each tag, the most frequent first; equals by the alphabet."""
        found = Counter(tag for sentence in self.sentences for tag in sentence.tags)
        return dict(sorted(found.items(), key=lambda item: (-item[1], item[0])))

    def choose(self, rows: Iterable[int], name: str) -> TaggedSentences:
        """Some of the sentences, under another name."""
        return TaggedSentences([self.sentences[row] for row in rows], name)

    def quote(self, tag: str) -> str:
        """The first word of a tag and its place, for messages."""
        sentence = next(each for each in self.sentences if tag in each.tags)
        return f"{sentence.place}: {sentence.words[sentence.tags.index(tag)]!r}"


def read_tagged(paths: Sequence[str | Path], *, column: str | int | None = None) -> TaggedSentences:
    """Read tagged sentences into memory; files may be compressed.

    Args:
        paths: treebanks (``.conllu``), or files with a word and its tags a line, parted by tabs or
            spaces.
        column: what to take as tags. Of a treebank ``upos``, ``xpos``, ``deprel``, ``feats`` or
            one feature as in ``feats:Case``; ``upos`` when left out. Of other files the number
            of a column, the words being 0; the last when left out.

    Raises:
        CorpusError: a file is missing, damaged, or without sentences, or there is no such column.
    """
    sentences: list[TaggedSentence] = []
    for path in map(Path, paths):
        check_readable(path)
        treebank = is_treebank(path)
        rows = read_conllu(path, column) if treebank else read_word_columns(path, column)
        before = len(sentences)
        sentences += (TaggedSentence(*row) for row in rows)
        if len(sentences) == before:
            form = "CoNLL-U: ten columns a word" if treebank else "a word, a tab and its tag a line"
            raise CorpusError(
                f"{path}: no sentence in it; expected {form}, and a blank line after each sentence."
            )
    return TaggedSentences(sentences, ", ".join(map(str, paths)))


def is_treebank(path: Path) -> bool:
    """Whether the file's name says that it holds CoNLL-U."""
    return plain_name(path).suffix.lower() == ".conllu"


def check_tags(found: TaggedSentences) -> str | None:
    """What is to be said of rare tags, which a tagger hardly learns; None if there are none.

    Raises:
        CorpusError: all words have the same tag.
    """
    counts = found.counts
    if len(counts) == 1:
        (tag,) = counts
        raise CorpusError(
            f"{found.name}: all {found.words:,} words have the tag {tag!r}; a tagger needs at "
            "least two tags. Choose another column."
        )
    single = {tag: number for tag, number in counts.items() if number == 1}
    if not single:
        return None
    return (
        f"{found.name}: {len(single):,} of {len(counts):,} tags occur once: {list_labels(single)}, "
        f"as in {found.quote(next(iter(single)))}; they are hardly learned"
    )


def unknown_tags(found: TaggedSentences, known: Collection[str]) -> str | None:
    """What is to be said of tags that no training word has; None if there are none.

    Raises:
        CorpusError: none of the tags is known.
    """
    counts = found.counts
    strange = {tag: number for tag, number in counts.items() if tag not in known}
    if not strange:
        return None
    first = found.quote(next(iter(strange)))
    if len(strange) == len(counts):
        raise CorpusError(
            f"{found.name}: no training word has any of its tags: {list_labels(strange)}, as in "
            f"{first}. Training knows {list_labels(dict.fromkeys(sorted(known)))}: check the "
            "column."
        )
    return (
        f"{found.name}: {sum(strange.values()):,} of {found.words:,} words have tags that no "
        f"training word has: {list_labels(strange)}, as in {first}; they count as wrong"
    )
