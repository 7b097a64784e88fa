"""Lines as a decoder takes them, and back: long ones in pieces, hypotheses joined rank by rank."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import reduce
from unicodedata import east_asian_width, name

from seqloom.decoding.hypothesis import Hypothesis
from seqloom.errors import DecodingError
from seqloom.text.segments import split_text


@dataclass(frozen=True)
class Output:
    """One hypothesis as text."""

    text: str
    score: float
    """After length normalisation."""
    log_probability: float
    """Sum over tokens, natural logarithm."""


@dataclass(frozen=True)
class Translation:
    """A source line and its hypotheses, best first."""

    source: str
    outputs: tuple[Output, ...]

    @property
    def text(self) -> str:
        """The best hypothesis."""
        return self.outputs[0].text


@dataclass(frozen=True)
class Line:
    """A line to translate: its source ids in pieces, and how the translation must begin."""

    text: str
    pieces: list[list[int]]
    prefix: list[int]


@dataclass(frozen=True)
class LineReader:
    """Turns lines into ids."""

    encode: Callable[[str], list[int]]
    """Source ids of a text, language tag included."""
    encode_prefix: Callable[[str], list[int]]
    """Target ids of a text."""
    limit: int
    """Longest source in tokens."""
    truncate: bool = False
    """Cut a source off at the limit instead of cutting it into pieces."""
    warn: Callable[[str], None] | None = None
    """Told of each source beyond the limit."""

    def __call__(self, number: int, text: str, prefix: str | None) -> Line:
        """The line of that number; a line without text has one piece without ids.

        Raises:
            DecodingError: there is no prefix.
        """
        if prefix is None:
            raise DecodingError(
                f"there is no prefix for line {number}; give one line of prefix (it may be empty) "
                "for each line of input."
            )
        ids = self.encode(text) if text.strip() else []
        pieces = [ids] if len(ids) <= self.limit else self._cut(number, text, ids)
        return Line(text, pieces, self.encode_prefix(prefix) if prefix else [])

    def _cut(self, number: int, text: str, ids: list[int]) -> list[list[int]]:
        if self.truncate:
            pieces, what = [ids[: self.limit]], "cut off"
        else:
            parts = split_text(text, self.limit, lambda part: len(self.encode(part)))
            pieces = [self.encode(part)[: self.limit] for part in parts]
            what = f"translated in {len(pieces)} pieces"
        if self.warn is not None:
            self.warn(
                f"line {number}: {len(ids)} tokens, more than the {self.limit} that the model "
                f"was trained on; {what}."
            )
        return pieces


def join(
    line: Line,
    found: Sequence[Sequence[Hypothesis]],
    decode: Callable[[Sequence[Sequence[int]]], list[str]],
) -> Translation:
    """The translation of a line from the hypotheses of its pieces, joined rank by rank.

    Args:
        line: what was translated.
        found: the hypotheses of each piece, best first.
        decode: ids of several texts to texts.
    """
    texts = [decode([hypothesis.ids for hypothesis in piece]) for piece in found]
    if len(texts) > 1:
        texts = [[text.strip() for text in piece] for piece in texts]
    outputs = tuple(
        Output(
            reduce(_run_on, parts),
            sum(hypothesis.score for hypothesis in hypotheses),
            sum(hypothesis.log_probability for hypothesis in hypotheses),
        )
        # A piece may have found fewer hypotheses than others.
        for parts, hypotheses in zip(
            zip(*texts, strict=False), zip(*found, strict=False), strict=True
        )
    )
    return Translation(line.text, outputs)


def _run_on(text: str, more: str) -> str:
    """Two pieces of a text as one: Chinese and Japanese put no space between sentences."""
    together = not text or not more or _wide(text[-1]) or _wide(more[0])
    return text + more if together else f"{text} {more}"


def _wide(character: str) -> bool:
    """Whether a character is as wide as a Chinese one; Korean, though wide, has spaces."""
    return east_asian_width(character) in "WF" and "HANGUL" not in name(character, "")
