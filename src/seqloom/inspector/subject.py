"""A model that is to be probed: what it reads, how, and what it would be without training."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from seqloom.corpus.tagged import TaggedSentence
from seqloom.inspection.states import ReadableModel, Reading
from seqloom.inspector.probe_data import Asked
from seqloom.language_model import LanguageModel
from seqloom.models import build_language_model, build_model
from seqloom.models.base import MaskedModel
from seqloom.text.pieces import pieces_of
from seqloom.text.tags import Languages
from seqloom.text.tokenizer import Tokenizer
from seqloom.translator import Translator


@dataclass(frozen=True)
class Subject:
    """A model that is probed, and how it reads."""

    model: ReadableModel
    tokenizer: Tokenizer
    before: list[int]
    """Ids in front of a text."""
    after: list[int]
    """Ids behind it."""
    limit: int | None
    """Most ids of a text, those around it counted."""
    fresh: Callable[[], ReadableModel]
    """Makes a model of the same architecture with random weights."""
    folder: Path | None

    @classmethod
    def of_translator(cls, translator: Translator, languages: Languages | None = None) -> Subject:
        """The encoder of a translation model."""
        tokenizers, model = translator.tokenizers, translator.model
        sizes = tokenizers.source.size, tokenizers.target.size
        return cls(
            model,
            tokenizers.source,
            translator.framing(**(languages or {})).sources([""])[0],
            [model.symbols.end],
            model.max_positions,
            lambda: build_model(translator.recipe.model, *sizes),
            translator.folder,
        )

    @classmethod
    def of_language_model(cls, model: LanguageModel) -> Subject:
        """A masked or causal model."""
        tokenizer, symbols = model.tokenizer, model.tokenizer.symbols
        return cls(
            model.model,
            tokenizer,
            [symbols.begin],
            [symbols.end] if isinstance(model.model, MaskedModel) else [],
            model.recipe.model.context,
            lambda: build_language_model(model.recipe.model, tokenizer.size, symbols),
            model.folder,
        )

    def readings(self, part: Asked) -> list[Reading]:
        """The sentences of a part, and where their words, or they themselves, stand.

        Raises:
            TokenizerError: a word that the tokenizer has no piece for.
        """
        start = len(self.before)
        found = list[Reading]()
        for each in pieces_of(self.tokenizer, part.sentences):
            ids = [*self.before, *each.ids, *self.after]
            end = start + len(each.ids)
            # A word that shares its piece with the next one has that piece, too.
            firsts = [start, *(start + first for first in each.firsts[1:]), end]
            spans = [(one, max(one + 1, other)) for one, other in pairwise(firsts)]
            found.append(Reading(ids, [(start, end)] if part.whole else spans))
        return found

    def readable(self, sentences: Sequence[TaggedSentence]) -> list[TaggedSentence]:
        """Those that are not too long for the model."""
        around = len(self.before) + len(self.after)
        pieces = pieces_of(self.tokenizer, sentences)
        return [
            sentence
            for sentence, each in zip(sentences, pieces, strict=True)
            if self.limit is None or len(each.ids) + around <= self.limit
        ]
