"""Tasks of pre-training: the next token (GPT), and hidden tokens with the next sentence (BERT).

Axes: B rows, T positions, D width, E examples, n positions with a loss.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from seqloom.models.base import CausalModel, MaskedModel
from seqloom.training.loss import CrossEntropy
from seqloom.training.masking import MaskedBatch
from seqloom.training.packing import PackedBatch
from seqloom.training.tasks import Loss


class NextToken:
    """Cross-entropy of each token given those before it in its document (Radford et al. 2018)."""

    unit = "tokens"

    def __init__(self) -> None:
        self.entropy = CrossEntropy(0.0)

    def __call__(self, model: CausalModel, batch: PackedBatch, done: float = 1.0) -> Loss:
        """See :class:`seqloom.training.tasks.Task`."""
        hidden = model(batch.inputs, batch.documents)
        real = batch.real
        labels = batch.targets[real]
        total, plain = self.entropy(hidden[real][None], model.head, labels)
        return Loss(total, plain, len(labels))


@dataclass(frozen=True)
class Reading:
    """What a masked model says of a batch."""

    masked: Tensor
    """Hidden states of the tokens to be found, ready for the head [n D]."""
    follows: Tensor
    """Logits of whether second texts follow first ones [E 2]."""


def read(model: MaskedModel, batch: MaskedBatch) -> Reading:
    """Pass a batch through the model; only chosen positions go on to the vocabulary."""
    hidden = model(batch.inputs, batch.documents, batch.segments)
    rows, columns = batch.starts.unbind(1)
    follows = model.follows(model.pool(hidden[rows, columns]))
    return Reading(model.readout(hidden[batch.chosen]), follows)


class HiddenTokens:
    """Cross-entropy of hidden tokens and, where there are pairs, of the next sentence.

    The second is a mean over examples (Devlin et al. 2019, A.2, add two means); since losses here
    are summed over tokens and divided by their number, it is multiplied by that number.
    """

    unit = "hidden tokens"

    def __init__(self) -> None:
        self.entropy = CrossEntropy(0.0)

    def __call__(self, model: MaskedModel, batch: MaskedBatch, done: float = 1.0) -> Loss:
        """See :class:`seqloom.training.tasks.Task`; ``Loss.plain`` is that of the tokens."""
        seen = read(model, batch)
        total, plain = self.entropy(seen.masked[None], model.head, batch.labels)
        tokens = len(batch.labels)
        if len(batch.follows):
            total = total + tokens * F.cross_entropy(seen.follows.float(), batch.follows)
        return Loss(total, plain, tokens)


@dataclass
class Counts:
    """What a masked model found right."""

    tokens: int = 0
    found: int = 0
    examples: int = 0
    right: int = 0

    @torch.no_grad()
    def add(self, model: MaskedModel, batch: MaskedBatch) -> float:
        """Count a batch; its summed cross-entropy over hidden tokens."""
        seen = read(model, batch)
        logits = model.head(seen.masked).float()
        self.tokens += len(batch.labels)
        self.found += int((logits.argmax(1) == batch.labels).sum())
        if len(batch.follows):
            self.examples += len(batch.follows)
            self.right += int((seen.follows.argmax(1) == batch.follows).sum())
        return float(F.cross_entropy(logits, batch.labels, reduction="sum"))
