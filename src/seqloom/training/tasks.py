"""A task turns a batch into a summed loss and its token count; all tasks share one loop."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Protocol, Self

import torch
from torch import Tensor

from seqloom.models.base import EncoderDecoder
from seqloom.recipe import TrainingRecipe
from seqloom.symbols import PAD
from seqloom.training.batches import Batch
from seqloom.training.loss import CrossEntropy, RDrop, SimCut, VocabularyLoss


@dataclass(frozen=True)
class Loss:
    """What a task says of a batch."""

    total: Tensor
    """Loss to be minimised, summed over real target tokens; has a gradient."""
    plain: Tensor
    """Cross-entropy without smoothing or other terms, summed over real target tokens."""
    tokens: int
    """Real target tokens."""


class AnyBatch(Protocol):
    """What the loop knows of a batch."""

    @property
    def rows(self) -> tuple[int, ...]:
        """Rows of the store, for messages."""
        ...

    def to(self, device: torch.device) -> Self:
        """The same batch on a device."""
        ...


class Feed(Protocol):
    """Where batches come from; what it gives is a function of its arguments."""

    def __call__(self, epoch: int, skip: int) -> Iterator[AnyBatch]:
        """The batches of epoch ``epoch`` (from 0), from number ``skip`` on."""
        ...


class Task(Protocol):
    """Batch -> loss."""

    unit: str
    """What :attr:`Loss.tokens` are, as people say it."""

    def __call__(self, model: Any, batch: Any, done: float = 1.0) -> Loss:
        """The summed loss of a batch, when the share ``done`` of all updates has been made."""
        ...


class Translation:
    """Teacher forcing (Williams and Zipser 1989) with label-smoothed cross-entropy.

    With R-Drop or SimCut each batch passes twice in training: under other dropout masks, or with
    some tokens cut off (their embedding becomes the zero vector, which is PAD's). Two passes take
    twice the time, and agreement with oneself is of little use before one can translate, so they
    may begin later in the run.
    """

    unit = "target tokens"

    def __init__(self, recipe: TrainingRecipe) -> None:
        self.recipe = recipe
        smoothing, weight = recipe.label_smoothing, recipe.consistency_weight
        self.single = CrossEntropy(smoothing)
        self.double: VocabularyLoss | None = None
        if recipe.consistency == "rdrop":
            self.double = RDrop(smoothing, weight)
        elif recipe.consistency == "simcut":
            self.double = SimCut(smoothing, weight)

    def __call__(self, model: EncoderDecoder, batch: Batch, done: float = 1.0) -> Loss:
        """See :class:`Task`; in evaluation mode a single pass."""
        real = batch.target_mask
        labels = batch.target_output[real]
        twice = model.training and done >= self.recipe.consistency_from
        if self.double is not None and twice:
            total, plain = self.double(self._twice(model, batch, real), model.head, labels)
        else:
            memory = model.encode(batch.source, batch.source_mask)
            hidden = model.decode(memory, batch.target_input)[real]
            total, plain = self.single(hidden[None], model.head, labels)
        return Loss(total, plain, len(labels))

    def _twice(self, model: EncoderDecoder, batch: Batch, real: Tensor) -> Tensor:
        """Hidden states [2 n D] of two passes over the batch, made in one."""
        source, target = batch.source, batch.target_input
        other_source, other_target = source, target
        if self.recipe.consistency == "simcut":
            other_source = cut_off(source, batch.source_mask, self.recipe.cutoff)
            other_target = cut_off(target, real, self.recipe.cutoff)
        memory = model.encode(torch.cat([source, other_source]), batch.source_mask.repeat(2, 1))
        hidden = model.decode(memory, torch.cat([target, other_target]))
        return hidden[real.repeat(2, 1)].view(2, -1, hidden.shape[-1])


def cut_off(ids: Tensor, mask: Tensor, rate: float) -> Tensor:
    """Replace each real token by PAD, whose vector is zero, with chance ``rate``."""
    chosen = torch.rand(ids.shape, device=ids.device) < rate
    return ids.masked_fill(chosen & mask, PAD)


def autocast(device: torch.device, precision: str) -> torch.autocast:
    """Matrix products in the recipe's number type; weights stay float32."""
    return torch.autocast(device.type, torch.bfloat16, enabled=precision == "bfloat16")
