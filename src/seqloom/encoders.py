"""Fine-tuned encoders with their tokenizers: classes of texts, tags of words, vectors of sentences.

Axes: E texts, C classes, D width.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self

import numpy as np
import torch
from numpy.typing import NDArray

from seqloom.corpus.tagged import TaggedSentence, TaggedSentences
from seqloom.errors import DecodingError, FolderError
from seqloom.language_folder import KINDS, LanguageFolder, load_language_folder
from seqloom.models.base import MaskedModel
from seqloom.models.heads import EncoderHead, Pooling, SentenceEncoder
from seqloom.runtime import choose_device
from seqloom.text.examples import Examples, tag_examples, text_examples
from seqloom.training.labelled_tasks import label_probabilities, sentence_vectors

Vectors = NDArray[np.float32]


class _Encoder:
    """Base: a folder with an encoder in it, opened."""

    kinds: tuple[str, ...]

    def __init__(self, folder: LanguageFolder[Any], device: torch.device) -> None:
        self.folder = folder.path
        self.model = folder.model
        self.tokenizer = folder.tokenizer
        self.recipe = folder.recipe
        self.labels = folder.labels
        self.device = device
        self.notes: list[str] = []
        """What was said of texts that are longer than the context, last call last."""

    @classmethod
    def load(cls, folder: str | Path, *, device: str | torch.device | None = None) -> Self:
        """Read the folder that :func:`seqloom.finetune` wrote.

        Raises:
            FolderError: not such a folder, or damaged.
        """
        where = choose_device(str(device) if device is not None else None)
        return cls(load_language_folder(folder, cls.kinds, where), where)

    @property
    def context(self) -> int:
        """Longest text in tokens."""
        return self.recipe.model.context

    def _said(self, examples: Examples) -> Examples:
        self.notes += [examples.said] if examples.said else []
        return examples


class TextClassifier(_Encoder):
    """A class for each text, or for each pair of texts."""

    kinds = ("classifier",)

    @property
    def classes(self) -> tuple[str, ...]:
        """Their names, in the order of :meth:`probabilities`."""
        return self.labels

    @property
    def pairs(self) -> bool:
        """Whether it was trained on pairs of texts."""
        return bool(self.recipe.head.pair)  # type: ignore[union-attr]

    def probabilities(self, texts: Sequence[str], seconds: Sequence[str] | None = None) -> Vectors:
        """How likely each class is for each text [E C].

        Args:
            texts: longer ones than the context are cut; ``notes`` says so.
            seconds: the second text of each, where it was trained on pairs.

        Raises:
            DecodingError: second texts are missing, or not wanted.
        """
        if (seconds is not None) != self.pairs:
            wanted = "pairs of texts" if self.pairs else "single texts"
            raise DecodingError(f"{self.folder} was trained on {wanted}; give it such.")
        if not texts:
            return np.zeros((0, len(self.classes)), np.float32)
        found = text_examples(self.tokenizer, texts, self.context, seconds=seconds)
        parts = label_probabilities(self.model, self._said(found), self.device)
        return torch.cat(parts).numpy()

    def predict(self, texts: Sequence[str], seconds: Sequence[str] | None = None) -> list[str]:
        """The likeliest class of each text; arguments as for :meth:`probabilities`."""
        return [
            self.classes[at] for at in self.probabilities(texts, seconds).argmax(axis=1).tolist()
        ]


class WordTagger(_Encoder):
    """A tag for each word."""

    kinds = ("tagger",)

    @property
    def tags(self) -> tuple[str, ...]:
        """Their names."""
        return self.labels

    def tag(
        self, sentences: Sequence[Sequence[str]], joined: Sequence[Sequence[bool]] | None = None
    ) -> list[list[str]]:
        """The tags of the words of each sentence.

        Args:
            sentences: lists of words; longer ones than the context are split, ``notes`` says so.
            joined: where no space stands between a word and the one before.
        """
        given = [
            TaggedSentence(
                tuple(words),
                ("",) * len(words),
                tuple(joined[row]) if joined is not None else (False,) * len(words),
                f"sentence {row + 1}",
            )
            for row, words in enumerate(sentences)
        ]
        found: list[list[str]] = [[] for _ in given]
        filled = [row for row, each in enumerate(given) if each.words]
        if not filled:
            return found
        several = TaggedSentences([given[row] for row in filled], "sentences")
        examples = self._said(tag_examples(self.tokenizer, several, {}, self.context))
        parts = label_probabilities(self.model, examples, self.device)
        for example, part in zip(examples.items, parts, strict=True):
            found[filled[example.number]] += [self.tags[at] for at in part.argmax(1).tolist()]
        return found


class SentenceVectors(_Encoder):
    """A vector of length 1 for each text, from any encoder."""

    kinds = tuple(KINDS)

    def __init__(
        self, folder: LanguageFolder[Any], device: torch.device, pooling: Pooling | None = None
    ) -> None:
        super().__init__(folder, device)
        own: Pooling = folder.model.pooling if folder.kind == "sentences" else "mean"
        self.model = SentenceEncoder(encoder_of(folder), pooling or own).eval()

    @classmethod
    def load(
        cls,
        folder: str | Path,
        *,
        device: str | torch.device | None = None,
        pooling: Pooling | None = None,
    ) -> Self:
        """Read the folder of a pre-trained or fine-tuned encoder.

        Args:
            folder: of :func:`seqloom.pretrain` (BERT) or :func:`seqloom.finetune`.
            device: such as ``cuda:1``; the best one when left out.
            pooling: the mean of all states of a text or that of its first token; as it was trained
                when left out, else the mean.

        Raises:
            FolderError: not such a folder, or damaged.
        """
        where = choose_device(str(device) if device is not None else None)
        return cls(load_language_folder(folder, cls.kinds, where), where, pooling)

    def embed(self, texts: Sequence[str]) -> Vectors:
        """Vectors of length 1 [E D]; their products are cosines.

        Args:
            texts: longer ones than the context are cut; ``notes`` says so.
        """
        if not texts:
            return np.zeros((0, self.model.encoder.head.in_features), np.float32)
        examples = self._said(text_examples(self.tokenizer, texts, self.context))
        return sentence_vectors(self.model, examples, self.device).numpy()


def encoder_of(folder: LanguageFolder[Any]) -> MaskedModel:
    """The encoder of a folder, without what was learned on top of it.

    Raises:
        FolderError: it holds a model that writes (GPT).
    """
    model = folder.model.encoder if isinstance(folder.model, EncoderHead) else folder.model
    if not isinstance(model, MaskedModel):
        raise FolderError(
            f"{folder.path} holds a GPT, which writes; classes, tags and vectors of texts need an "
            "encoder, which reads. Pre-train one: seqloom pretrain bert --text FILE --out DIR. "
            f"This one learns more texts or dialogues: seqloom pretrain gpt --from {folder.path}"
        )
    return model
