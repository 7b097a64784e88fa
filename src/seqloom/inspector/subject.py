"""A model that is to be probed: what it reads, how, and what it would be without training."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import torch

from seqloom.corpus.pairs import Progress
from seqloom.corpus.tagged import TaggedSentence, TaggedSentences
from seqloom.errors import FolderError
from seqloom.folder import load_weights
from seqloom.inspection.recording import ReadableModel
from seqloom.inspection.states import Reading
from seqloom.inspector.words import check_words
from seqloom.language_model import LanguageModel
from seqloom.models import build_language_model, build_model
from seqloom.models.base import MaskedModel
from seqloom.tensors import load_tensors
from seqloom.text.pieces import pieces_of
from seqloom.text.tags import Languages
from seqloom.text.tokenizer import Tokenizer
from seqloom.training.checkpoint import kept_weights, update_of
from seqloom.translator import Translator


class Told:
    """Tells how many of all probes are done."""

    def __init__(self, progress: Progress | None, probes: int) -> None:
        self.progress, self.total, self.done = progress, probes, 0

    def one(self) -> None:
        """One more."""
        self.done += 1
        if self.progress is not None:
            self.progress("probes", self.done, self.total)


class Readable(NamedTuple):
    """What a model can read of a file."""

    sentences: list[TaggedSentence]
    notes: list[str]
    """What is to be said of the file: sentences left out, and so on."""

    @classmethod
    def all_of(cls, found: TaggedSentences) -> Readable:
        """Everything."""
        return cls(found.sentences, [])


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

    def readings(self, sentences: Sequence[TaggedSentence], whole: bool = False) -> list[Reading]:
        """Sentences, and where their words (or the ``whole`` of them) stand.

        Raises:
            TokenizerError: a word that the tokenizer has no piece for.
        """
        start = len(self.before)
        found = list[Reading]()
        for each in pieces_of(self.tokenizer, sentences):
            ids = [*self.before, *each.ids, *self.after]
            end = start + len(each.ids)
            # A word that shares its piece with the next one has that piece, too.
            firsts = [start, *(start + first for first in each.firsts[1:]), end]
            spans = [(one, max(one + 1, other)) for one, other in pairwise(firsts)]
            found.append(Reading(ids, [(start, end)] if whole else spans))
        return found

    def readable(self, found: TaggedSentences) -> Readable:
        """The sentences that are not too long for the model.

        Raises:
            TokenizerError: a word that the tokenizer has no piece for, or most words are unknown.
        """
        around = len(self.before) + len(self.after)
        pieces = list(pieces_of(self.tokenizer, found.sentences))
        notes = check_words(self.tokenizer, pieces, found.name)
        kept = [
            sentence
            for sentence, each in zip(found.sentences, pieces, strict=True)
            if self.limit is None or len(each.ids) + around <= self.limit
        ]
        left = len(found) - len(kept)
        if left:
            notes.append(
                f"{left:,} of {len(found):,} sentences of {found.name} are longer than the model's "
                "limit; left out"
            )
        return Readable(kept, notes)

    def untrained(self, seed: int) -> ReadableModel:
        """A model of the same architecture with random weights."""
        with torch.random.fork_rng():
            torch.manual_seed(seed)
            return self.fresh().to(next(self.model.parameters()).device)

    def checkpoints(self) -> dict[int, Path]:
        """Update -> weights, of those that the training run kept.

        Raises:
            FolderError: there are fewer than two.
        """
        folder = self.folder
        files = kept_weights(folder / "training" / "checkpoint.safetensors") if folder else []
        if len(files) < 2:
            raise FolderError(
                f"{folder} keeps {len(files)} checkpoint{'s' if len(files) != 1 else ''} in its "
                "training folder; a curve needs two or more. Train with --set training.keep=N, or "
                "leave --checkpoints out."
            )
        return {update_of(file): file for file in files}

    def at(self, checkpoint: Path) -> ReadableModel:
        """The model as it was at a checkpoint."""
        model = self.untrained(0)
        weights, _ = load_tensors(checkpoint)
        load_weights(model, weights, checkpoint)
        return model
