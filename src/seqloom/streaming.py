"""Lines in, translations out, streamed, by one trained model or several that vote.

The models of an ensemble may be of different families and sizes; what they share is the vocabulary.
Memory does not grow with the number of lines.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from seqloom.decoding.hypothesis import Hypothesis
from seqloom.decoding.stream import decode_stream
from seqloom.errors import DecodingError
from seqloom.recipe import DecodingRecipe
from seqloom.text.pieces import split_to_fit
from seqloom.translator import Translator

UNLIMITED_TOKENS = 1024
"""Longest source handed to a model that sets no limit itself; far beyond what it was trained on."""
NO_SPACES = ("zh", "ja", "th")
"""Languages that set no space between two sentences."""


@dataclass(frozen=True)
class Proposal:
    """One translation of a line."""

    text: str
    score: float
    """After length normalisation; for a line in pieces, the sum over its pieces."""
    log_probability: float


@dataclass(frozen=True)
class Translation:
    """A source line and its translations, best first."""

    source: str
    proposals: list[Proposal]

    @property
    def text(self) -> str:
        """The best translation."""
        return self.proposals[0].text


class LineTranslator:
    """Trained models that vote on each token, and what stands around them: text, long lines.

    Raises:
        DecodingError: the vocabularies differ.
    """

    def __init__(self, translators: Sequence[Translator]) -> None:
        self.translators = list(translators)
        self.first = self.translators[0]
        for other in self.translators[1:]:
            if _fingerprints(other) != _fingerprints(self.first):
                raise DecodingError(
                    f"{self.first.folder} and {other.folder} have different vocabularies; models of "
                    "one ensemble must be trained with the same tokenizer."
                )
        limits = [each.model.max_positions or UNLIMITED_TOKENS for each in self.translators]
        self.limit = min(limits) - 1  # the end of the sentence is one more
        """Longest source in tokens."""

    def stream(
        self,
        texts: Iterable[str],
        options: DecodingRecipe,
        *,
        truncate: bool = False,
        warn: Callable[[str], None] | None = None,
        window: int | None = None,
    ) -> Iterator[Translation]:
        """Translate ``texts`` in order, reading them as far ahead as ``window`` lines.

        A line longer than the models can read is translated in pieces, cut where a reader would
        pause, or cut off with ``truncate``; ``warn`` is told. An empty line stays empty.
        """
        waiting: deque[tuple[str, int]] = deque()

        def sources() -> Iterator[list[int]]:
            for number, text in enumerate(texts, start=1):
                pieces = self._ids(number, text, truncate, warn)
                waiting.append((text, len(pieces)))
                yield from pieces

        extra = {} if window is None else {"window": window}
        found = decode_stream(
            [each.model for each in self.translators],
            sources(),
            options,
            device=self.first.device,
            **extra,
        )
        for hypotheses in found:
            text, count = waiting.popleft()
            pieces = [hypotheses, *islice(found, count - 1)]
            yield Translation(text, [self._join(each) for each in zip(*pieces, strict=False)])

    def _ids(
        self, number: int, text: str, truncate: bool, warn: Callable[[str], None] | None
    ) -> list[list[int]]:
        """Token ids of a line, in one piece or several."""
        if not text.strip():
            return [[]]
        tokenizer = self.first.tokenizers.source
        ids = self._encode(text)
        if len(ids) <= self.limit:
            return [ids]
        if warn is not None:
            done = "the rest is cut off" if truncate else "translated in pieces"
            warn(f"line {number}: {len(ids)} tokens, the model reads {self.limit}; {done}.")
        if truncate:
            return [ids[: self.limit]]
        room = self.limit - 1  # for a language tag
        return [self._encode(piece) for piece in split_to_fit(text, tokenizer, room)]

    def _encode(self, text: str) -> list[int]:
        data = self.first.recipe.data
        tag = data.target_language if data.tag else None
        return self.first.tokenizers.source.encode(text.strip(), tag=tag)

    def _join(self, pieces: Sequence[Hypothesis]) -> Proposal:
        """The translation whose parts are ``pieces``, on one line."""
        decode = self.first.tokenizers.target.decode
        gap = "" if self.first.recipe.data.target_language in NO_SPACES else " "
        text = gap.join(decode(piece.ids) for piece in pieces)
        return Proposal(
            " ".join(text.splitlines()),
            sum(piece.score for piece in pieces),
            sum(piece.log_probability for piece in pieces),
        )


def _fingerprints(translator: Translator) -> tuple[str, str]:
    tokenizers = translator.tokenizers
    return tokenizers.source.fingerprint, tokenizers.target.fingerprint
