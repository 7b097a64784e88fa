"""How a text becomes pieces, step by step, as data that can be printed or drawn.

For BPE: the characters of each word, then every merge with its rank, down to the final pieces. For
the other kinds: the pieces, and for ``unigram`` their log-probabilities.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Protocol

from seqloom.text.merges import MergeTable


class Cutter(Protocol):
    """What a tokenizer must tell to be explained."""

    kind: str

    @property
    def description(self) -> dict[str, Any]:
        """The parsed ``tokenizer.json``."""

    def encode(self, text: str) -> list[int]:
        """Ids of a text."""

    def words(self, text: str) -> list[str]:
        """Normalized words of a text."""

    def encode_word(self, word: str) -> list[int]:
        """Ids of one normalized word."""

    def pieces(self, ids: Sequence[int]) -> list[str]:
        """Readable pieces."""

    def readable(self, normalized: str) -> str:
        """A normalized word as people should see it."""


@dataclass(frozen=True)
class MergeStep:
    """One merge, and the pieces of the word after it."""

    left: str
    right: str
    rank: int
    """0 is the first merge that was learned."""
    pieces: tuple[str, ...]


@dataclass(frozen=True)
class WordExplanation:
    """The way of one word from its characters to its pieces."""

    word: str
    start: tuple[str, ...]
    """BPE: the characters (or bytes) before the first merge; else the pieces."""
    steps: tuple[MergeStep, ...]
    pieces: tuple[str, ...]
    ids: tuple[int, ...]
    scores: tuple[float, ...] | None
    """``unigram``: log-probability of each piece."""


@dataclass(frozen=True)
class Explanation:
    """The way of a whole text, word by word."""

    sentence: str
    kind: str
    words: tuple[WordExplanation, ...]

    def as_dict(self) -> dict[str, Any]:
        """The record as versioned JSON values."""
        return {
            "version": 1,
            "kind": "tokens",
            "tokenizer": self.kind,
            "sentence": self.sentence,
            "words": [asdict(word) for word in self.words],
        }

    def text(self) -> str:
        """A rendering for the terminal."""
        return "\n".join(line for word in self.words for line in _render(word, self.kind))

    def __str__(self) -> str:
        return self.text()


def explain(tokenizer: Cutter, text: str) -> Explanation:
    """Retrace how ``tokenizer`` cuts ``text``.

    Raises:
        TokenizerError: the text is not valid Unicode.
    """
    tokenizer.encode(text)
    words = tokenizer.words(text)
    if tokenizer.kind in ("bpe", "byte_bpe"):
        table = MergeTable(tokenizer.description)
        explained = [_explain_merges(tokenizer, table, word) for word in words]
    else:
        scores = _scores(tokenizer)
        explained = [_explain_pieces(tokenizer, word, scores) for word in words]
    return Explanation(text, tokenizer.kind, tuple(explained))


def _explain_merges(tokenizer: Cutter, table: MergeTable, word: str) -> WordExplanation:
    symbols = table.symbols(word)
    start = tuple(tokenizer.pieces(symbols))
    steps = []
    while found := table.best(symbols):
        rank, position, merged = found
        left, right = tokenizer.pieces(symbols[position : position + 2])
        symbols[position : position + 2] = [merged]
        steps.append(MergeStep(left, right, rank, tuple(tokenizer.pieces(symbols))))
    pieces = tuple(tokenizer.pieces(symbols))
    shown = tokenizer.readable(word)
    return WordExplanation(shown, start, tuple(steps), pieces, tuple(symbols), None)


def _explain_pieces(tokenizer: Cutter, word: str, scores: list[float] | None) -> WordExplanation:
    ids = tokenizer.encode_word(word)
    pieces = tuple(tokenizer.pieces(ids))
    found = None if scores is None else tuple(scores[index] for index in ids)
    return WordExplanation(tokenizer.readable(word), pieces, (), pieces, tuple(ids), found)


def _scores(tokenizer: Cutter) -> list[float] | None:
    if tokenizer.kind != "unigram":
        return None
    return [float(score) for _, score in tokenizer.description["model"]["vocab"]]


def _render(word: WordExplanation, kind: str) -> list[str]:
    if word.scores is not None:
        shown = (f"{p} ({s:.2f})" for p, s in zip(word.pieces, word.scores, strict=True))
        return [f"{word.word}: {'  '.join(shown)}"]
    if kind not in ("bpe", "byte_bpe"):
        return [f"{word.word}: {' '.join(word.pieces)}"]
    lines = [f"{word.word}", f"  {'start':>10}  {' '.join(word.start)}"]
    for step in word.steps:
        lines.append(
            f"  {f'merge {step.rank}':>10}  {' '.join(step.pieces)}    ({step.left} + {step.right})"
        )
    return lines
