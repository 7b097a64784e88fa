"""Tasks of fine-tuning: classes of texts, tags of words, vectors of sentences.

Axes: E texts, n words, C classes, P pairs, D width.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from seqloom.models.heads import Classifier, SentenceEncoder, Tagger
from seqloom.text.examples import UNKNOWN, Examples
from seqloom.training.labelled_batches import LabelledBatch, labelled_batches
from seqloom.training.tasks import Loss

_SIZE = 64  # examples read at once where nothing is learned


class Classification:
    """Cross-entropy of the classes of texts, summed."""

    unit = "texts"

    def __call__(self, model: Classifier, batch: LabelledBatch, done: float = 1.0) -> Loss:
        """See :class:`seqloom.training.tasks.Task`; ``Loss.tokens`` are texts."""
        return _entropy(class_logits(model, batch), batch)


class Tagging:
    """Cross-entropy of the tags of words, summed."""

    unit = "words"

    def __call__(self, model: Tagger, batch: LabelledBatch, done: float = 1.0) -> Loss:
        """See :class:`seqloom.training.tasks.Task`; ``Loss.tokens`` are words."""
        return _entropy(tag_logits(model, batch), batch)


class Ranking:
    """Multiple-negatives ranking (Henderson et al. 2017): find a text's partner in the batch.

    The scores of two texts are the cosine of their vectors times ``scale``. On sentences that are
    paired with themselves this is SimCSE without labels (Gao et al. 2021, temperature 1 / scale):
    each passes twice, under two masks of dropout.

    Args:
        scale: the inverse of the temperature.
        symmetric: let the second texts look for the first ones too, and take the mean of both.
    """

    unit = "pairs"

    def __init__(self, scale: float = 20.0, symmetric: bool = False) -> None:
        self.scale = scale
        self.symmetric = symmetric

    def __call__(self, model: SentenceEncoder, batch: LabelledBatch, done: float = 1.0) -> Loss:
        """See :class:`seqloom.training.tasks.Task`; ``Loss.tokens`` are pairs.

        The examples of the batch are pairs, first and second side by side.
        """
        vectors = model(batch.ids, batch.documents, batch.segments, batch.starts)
        texts = batch.labels.view(-1, 2)
        loss = ranking_loss(vectors[0::2], vectors[1::2], self.scale, self.symmetric, texts)
        return Loss(loss, loss.detach(), len(texts))


def ranking_loss(
    first: Tensor, second: Tensor, scale: float, symmetric: bool, texts: Tensor
) -> Tensor:
    """The cross-entropy of finding partners, summed over P pairs.

    Args:
        first: vectors of length 1 [P D].
        second: vectors of length 1 of their partners [P D].
        scale: times the cosines.
        symmetric: the mean of both directions.
        texts: numbers of both texts [P 2], equal for equal texts. A second text is no wrong answer
            to a first one that is equal to it, or that has another partner equal to it, or occurs
            as its partner elsewhere; such scores are left out.
    """
    scores = scale * first @ second.t()
    same = (texts[:, None] == texts[None]).any(-1) | (texts[:, None, 0] == texts[None, :, 1])
    same.fill_diagonal_(False)
    scores = scores.masked_fill(same, -torch.inf)
    right = torch.arange(len(scores), device=scores.device)
    loss = F.cross_entropy(scores, right, reduction="sum")
    if symmetric:
        loss = (loss + F.cross_entropy(scores.t(), right, reduction="sum")) / 2
    return loss


def class_logits(model: Classifier, batch: LabelledBatch) -> Tensor:
    """Logits [E C] of the texts of a batch."""
    logits: Tensor = model(batch.ids, batch.documents, batch.segments, batch.starts)
    return logits


def tag_logits(model: Tagger, batch: LabelledBatch) -> Tensor:
    """Logits [n C] of the words of a batch."""
    logits: Tensor = model(batch.ids, batch.places, batch.documents, batch.segments)
    return logits


def label_probabilities(
    model: Classifier | Tagger, examples: Examples, device: torch.device
) -> list[Tensor]:
    """Probabilities [texts or words, C] of each example, in the order of the examples."""
    found: dict[int, Tensor] = {}
    with _not_learning(model):
        for each in labelled_batches(examples, _SIZE):
            batch = each.to(device)
            if isinstance(model, Tagger):
                logits = tag_logits(model, batch)
            else:
                logits = class_logits(model, batch)
            parts = [len(examples.items[row].labels) for row in batch.rows]
            probabilities = torch.split(logits.float().softmax(-1).cpu(), parts)
            found.update(zip(batch.rows, probabilities, strict=True))
    return [found[row] for row in range(len(examples.items))]


def sentence_vectors(model: SentenceEncoder, examples: Examples, device: torch.device) -> Tensor:
    """Vectors [E D] of all examples, in their order."""
    rows, vectors = list[int](), list[Tensor]()
    with _not_learning(model):
        for each in labelled_batches(examples, _SIZE):
            batch = each.to(device)
            rows += batch.rows
            vectors.append(model(batch.ids, batch.documents, batch.segments, batch.starts).cpu())
    return torch.cat(vectors)[torch.tensor(rows).argsort()]


@contextmanager
def _not_learning(model: nn.Module) -> Iterator[None]:
    training = model.training
    model.eval()
    try:
        with torch.inference_mode():
            yield
    finally:
        model.train(training)


def _entropy(logits: Tensor, batch: LabelledBatch) -> Loss:
    loss = F.cross_entropy(logits.float(), batch.labels, ignore_index=UNKNOWN, reduction="sum")
    return Loss(loss, loss.detach(), batch.tokens)
