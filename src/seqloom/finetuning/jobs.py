"""What is to be learned on top of an encoder: examples, loss and figures of each task.

Figures are on a scale of 0 to 100, but for the loss, which is in nats.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import torch
from torch import Tensor

from seqloom.corpus.classes import Labelled
from seqloom.corpus.held_out import TextPair
from seqloom.corpus.tagged import TaggedSentences
from seqloom.errors import CorpusError, RecipeError
from seqloom.evaluation.classification import classification
from seqloom.evaluation.similarity import FEWEST, rank_correlation
from seqloom.evaluation.tagging import tagging
from seqloom.models.heads import Classifier, SentenceEncoder, Tagger
from seqloom.recipe.finetuning import FinetuningRecipe
from seqloom.text.examples import UNKNOWN, Examples, pair_examples, tag_examples, text_examples
from seqloom.text.tokenizer import Tokenizer
from seqloom.training.labelled_tasks import (
    Classification,
    Ranking,
    Tagging,
    label_probabilities,
    ranking_loss,
    sentence_vectors,
)
from seqloom.training.tasks import Task

_SMALLEST = 1e-30  # a probability is at least this, so that its logarithm is finite


class Measured(NamedTuple):
    """How good a model is on what was held out."""

    figures: dict[str, float]
    """By their names, for the training loop."""
    whole: dict[str, Any]
    """All there is to say, as JSON holds it."""
    text: str
    """The same for people."""


Measure = Callable[[Any, torch.device], Measured]
"""From a model and its device to how good it is."""


@dataclass(frozen=True)
class Job:
    """One task with its data."""

    kind: str
    """Of the folder: see :data:`seqloom.language_folder.KINDS`."""
    labels: tuple[str, ...]
    train: Examples
    held: Examples
    task: Task
    measure: Measure
    metrics: tuple[str, ...]
    """Figures that may decide which weights are kept; the first one does, unless asked."""
    data: dict[str, Any] = field(default_factory=dict)
    """What it was trained on, for the report."""
    notes: tuple[str, ...] = ()
    """What is to be said of the data."""

    def metric(self, asked: str) -> str:
        """The figure that decides.

        Raises:
            RecipeError: this task has no such figure.
        """
        if asked == "auto":
            return self.metrics[0]
        if asked not in self.metrics:
            have = ", ".join(self.metrics)
            raise RecipeError(
                "fine-tuning", [f"training.metric: {asked} is no figure of this task; use {have}"]
            )
        return asked


def classify_job(tokenizer: Tokenizer, context: int, train: Labelled, held: Labelled) -> Job:
    """Classes of texts, or of pairs of texts."""
    labels = tuple(sorted(train.counts))
    numbers = {label: number for number, label in enumerate(labels)}

    def examples(texts: Labelled) -> Examples:
        return text_examples(
            tokenizer,
            texts.texts,
            context,
            seconds=texts.seconds,
            labels=[numbers.get(label, UNKNOWN) for label in texts.labels],
            name=texts.name,
        )

    measured = examples(held)
    commonest = next(iter(train.counts))

    def measure(model: Classifier, device: torch.device) -> Measured:
        probabilities = torch.cat(label_probabilities(model, measured, device))
        said = [labels[number] for number in probabilities.argmax(1).tolist()]
        found = classification(held.labels, said, commonest)
        figures = {
            "loss": _loss(probabilities, measured),
            "accuracy": found.accuracy,
            "f1": found.macro_f1,
        }
        return Measured(figures, found.as_dict(), found.text())

    return Job(
        kind="classifier",
        labels=labels,
        train=examples(train),
        held=measured,
        task=Classification(),
        measure=measure,
        metrics=("accuracy", "f1", "loss"),
        data=_described(train, held),
    )


def tag_job(
    tokenizer: Tokenizer,
    context: int,
    train: TaggedSentences,
    held: TaggedSentences,
) -> Job:
    """Tags of words."""
    labels = tuple(sorted(train.counts))
    numbers = {label: number for number, label in enumerate(labels)}
    measured = tag_examples(tokenizer, held, numbers, context)
    right = [list(sentence.tags) for sentence in held.sentences]
    commonest = next(iter(train.counts))

    def measure(model: Tagger, device: torch.device) -> Measured:
        parts = label_probabilities(model, measured, device)
        said: list[list[str]] = [[] for _ in right]
        for example, probabilities in zip(measured.items, parts, strict=True):
            said[example.number] += [labels[n] for n in probabilities.argmax(1).tolist()]
        found = tagging(right, said, commonest)
        figures = {
            "loss": _loss(torch.cat(parts), measured),
            "accuracy": found.accuracy,
            "f1": found.spans.f1 if found.spans else found.macro_f1,
        }
        return Measured(figures, found.as_dict(), found.text())

    return Job(
        kind="tagger",
        labels=labels,
        train=tag_examples(tokenizer, train, numbers, context),
        held=measured,
        task=Tagging(),
        measure=measure,
        metrics=("accuracy", "f1", "loss"),
        data=_described(train, held) | {"words": train.words},
    )


def _described(
    train: Labelled | TaggedSentences, held: Labelled | TaggedSentences
) -> dict[str, Any]:
    """What a model with labels was trained on."""
    return {
        "train": train.name,
        "examples": len(train),
        "classes": train.counts,
        "validation": held.name,
        "held": len(held),
    }


def vectors_job(
    tokenizer: Tokenizer,
    context: int,
    train: Sequence[TextPair],
    held: Sequence[TextPair],
    recipe: FinetuningRecipe,
    name: str,
    grades: Sequence[float] | None = None,
) -> Job:
    """Vectors of sentences.

    Args:
        tokenizer: of the encoder.
        context: of the encoder.
        train: pairs that mean alike, or sentences that are paired with themselves.
        held: the same, or pairs with ``grades``.
        recipe: scale and size of batches.
        name: what messages call the pairs.
        grades: how alike the two texts of each held-out pair are, by people.

    Raises:
        CorpusError: a single text, from which no other can be told; or grades that cannot rank.
    """
    if len({text for pair in train for text in pair}) < 2:
        raise CorpusError(f"{name}: expected two texts or more, so that one is told from others.")
    if grades is not None and (len(grades) < FEWEST or len(set(grades)) == 1):
        raise CorpusError(
            f"{len(grades)} graded pairs with {len(set(grades))} different grades cannot rank; "
            f"expected {FEWEST} pairs or more, of which not all are equally alike."
        )
    told = "graded pairs" if grades is not None else f"{name} (held out)"
    measured = pair_examples(tokenizer, held, context, f"{name} (held out)")
    metrics: tuple[str, ...] = ("spearman",)
    if grades is not None:
        measure = _by_grades(measured, grades)
    else:
        single = all(first == second for first, second in held)
        measure = _by_partners(measured, recipe)
        metrics = ("loss",) if single else ("recall", "loss")
    return Job(
        kind="sentences",
        labels=(),
        train=pair_examples(tokenizer, train, context, name),
        held=measured,
        task=Ranking(recipe.scale),
        measure=measure,
        metrics=metrics,
        data={"train": name, "examples": len(train), "validation": told, "held": len(held)},
    )


def _by_grades(measured: Examples, grades: Sequence[float]) -> Measure:
    """How the cosines of pairs go with what people think of them."""

    def measure(model: SentenceEncoder, device: torch.device) -> Measured:
        vectors = sentence_vectors(model, measured, device)
        cosines = (vectors[0::2] * vectors[1::2]).sum(1).double().numpy()
        figures = {"spearman": 100 * (rank_correlation(cosines, grades) or 0.0)}
        text = f"{'rank correlation':24} {figures['spearman']:6.2f}  with {len(grades):,} grades"
        return Measured(figures, dict(figures), text)

    return measure


def _by_partners(measured: Examples, recipe: FinetuningRecipe) -> Measure:
    """How often a text finds its partner among all of them, and the ranking loss."""
    numbers = torch.tensor([example.labels[0] for example in measured.items]).view(-1, 2)

    def measure(model: SentenceEncoder, device: torch.device) -> Measured:
        vectors = sentence_vectors(model, measured, device)
        first, second = vectors[0::2], vectors[1::2]
        recall = 100 * found_partners(first, second, numbers)
        loss = _ranking(first, second, numbers, recipe.scale, recipe.batch_size)
        figures = {"recall": recall, "loss": loss}
        text = (
            f"{'partner is nearest':24} {recall:6.2f}  of {len(numbers):,} pairs\n"
            f"{'ranking loss':24} {loss:6.3f}  nats a pair, {recipe.batch_size} at a time"
        )
        return Measured(figures, dict(figures), text)

    return measure


def found_partners(first: Tensor, second: Tensor, texts: Tensor) -> float:
    """Share of the first texts whose nearest second text is their partner, or equals it.

    Args:
        first: vectors of length 1 [P D].
        second: those of their partners [P D].
        texts: numbers of both texts [P 2], equal for equal texts.
    """
    hits = 0
    for start in range(0, len(first), 1024):  # so that scores fit into memory
        part = slice(start, start + 1024)
        nearest = (first[part] @ second.t()).argmax(1)
        hits += int((texts[nearest, 1] == texts[part, 1]).sum())
    return hits / len(first)


def _ranking(first: Tensor, second: Tensor, texts: Tensor, scale: float, size: int) -> float:
    """Mean ranking loss of pairs, so many at a time."""
    parts = [slice(start, start + size) for start in range(0, len(first), size)]
    losses = [ranking_loss(first[p], second[p], scale, False, texts[p]) for p in parts]
    return float(sum(losses)) / len(first)


def _loss(probabilities: Tensor, examples: Examples) -> float:
    """Mean cross-entropy of the labels that are known."""
    labels = torch.tensor([label for example in examples.items for label in example.labels])
    known = labels != UNKNOWN
    right = probabilities[known].gather(1, labels[known, None]).clamp(min=_SMALLEST)
    return float(-right.log().mean())
