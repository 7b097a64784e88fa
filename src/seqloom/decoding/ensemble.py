"""One or several models as one: their probabilities are averaged at every step.

Axes: B sentences, S source positions, R = B*N rows, V target vocabulary.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor

from seqloom.errors import DecodingError
from seqloom.layers.state import State
from seqloom.models.base import CausalModel, Memory, Writer
from seqloom.symbols import Symbols

Adjust = Callable[[Tensor], None]
"""Changes a model's logits [R V] in place, before they become probabilities."""


def room_for(sentences: int) -> int:
    """The size of batch that holds so many sentences: 1 to 8, then four to the octave (10, 12, 14).

    Finished sentences leave a batch when the others fit into a smaller size, since leaving copies
    what stays. And products of few shapes are met: oneDNN compiles a kernel for each.
    """
    step = 1 << max((sentences - 1).bit_length() - 3, 0)
    return -(-sentences // step) * step


def staying(busy: Tensor) -> Tensor | None:
    """The sentences [B'] of a smaller batch with all that are ``busy`` [B]; None to leave none."""
    size = room_for(int(busy.sum()))
    if size >= len(busy):
        return None
    return busy.to(torch.uint8).argsort(descending=True, stable=True)[:size]


@dataclass(frozen=True)
class Progress:
    """Where the models of an ensemble stand: a value, like the states in it."""

    memories: tuple[Memory, ...]
    states: tuple[State, ...]

    def reorder(self, rows: Tensor) -> Progress:
        """The same sentences, going on from rows ``rows`` [R']."""
        return Progress(self.memories, tuple(state.reorder(rows) for state in self.states))

    def select(self, sentences: Tensor, rows: Tensor) -> Progress:
        """Only sentences ``sentences`` [B'], going on from rows ``rows`` [R'], numbered as now."""
        memories = tuple(memory.select(sentences) for memory in self.memories)
        return Progress(memories, tuple(state.reorder(rows) for state in self.states))


class Ensemble:
    """Models that read the same ids and write the same target vocabulary.

    Raises:
        DecodingError: there is no model; their special tokens differ; or some read a source and
            some a prompt.
    """

    def __init__(self, models: Sequence[Writer]) -> None:
        if not models:
            raise DecodingError("no model to decode with; give at least one model folder.")
        self.models = tuple(models)
        self.symbols: Symbols = models[0].symbols
        """The special tokens of all of them."""
        self.causal = isinstance(models[0], CausalModel)
        """True where the models go on from a prompt, False where they read a source."""
        for model in models:
            if isinstance(model, CausalModel) != self.causal:
                raise DecodingError(
                    "a causal model and an encoder-decoder cannot be averaged; an ensemble needs "
                    "models of one kind."
                )
            if model.symbols != self.symbols:
                raise DecodingError(
                    f"models with special tokens {tuple(self.symbols)} and {tuple(model.symbols)} "
                    "cannot be averaged; an ensemble needs models trained with the same tokenizer."
                )

    @property
    def max_positions(self) -> int | None:
        """Longest sequence, in tokens, that all models can handle; None without a limit."""
        limits = [m.max_positions for m in self.models if m.max_positions is not None]
        return min(limits, default=None)

    def encode(self, source: Tensor, mask: Tensor) -> tuple[Memory, ...]:
        """Read source ids [B S] with mask [B S].

        Raises:
            DecodingError: the source is longer than a model's limit.
        """
        limit = self.max_positions
        if limit is not None and source.shape[1] > limit:
            if self.causal:
                raise DecodingError(
                    f"a prompt of {source.shape[1]} tokens (beginning counted) is longer than the "
                    f"model's limit of {limit}; shorten it."
                )
            raise DecodingError(
                f"a source of {source.shape[1]} tokens (end of sentence counted) is longer than "
                f"the model's limit of {limit}; split it into sentences or truncate it."
            )
        return tuple(model.encode(source, mask) for model in self.models)

    def start(self, source: Tensor, mask: Tensor) -> Progress:
        """Read source ids [B S] with mask [B S]; one row a sentence.

        Raises:
            DecodingError: the source is longer than a model's limit.
        """
        memories = self.encode(source, mask)
        pairs = zip(self.models, memories, strict=True)
        return Progress(memories, tuple(model.start(memory) for model, memory in pairs))

    def opening(self, memories: Sequence[Memory]) -> Tensor:
        """What the first step reads [B]: the last of each prompt, or the symbol of a beginning."""
        memory = memories[0]
        if memory.opening is not None:
            return memory.opening
        return torch.full((len(memory.mask),), self.symbols.begin, device=memory.mask.device)

    def step(
        self, progress: Progress, last: Tensor, adjust: Adjust | None = None
    ) -> tuple[Tensor, Progress]:
        """Log-probabilities [R V], in float32, of what follows the last ids [R].

        ``adjust``, if any, changes each model's logits first.

        Raises:
            DecodingError: the models' target vocabularies differ in size.
        """
        logits, states = [], []
        for model, memory, state in zip(
            self.models, progress.memories, progress.states, strict=True
        ):
            hidden, following = model.step(memory, state, last)
            logits.append(model.project(hidden))
            if adjust is not None:
                adjust(logits[-1])
            states.append(following)
        return average_log_probabilities(logits), Progress(progress.memories, tuple(states))


def average_log_probabilities(logits: Sequence[Tensor]) -> Tensor:
    """Logarithm of the models' mean probability [... V], in float32; logits [... V], one a model.

    Without gradients the logits may be overwritten.

    Raises:
        DecodingError: the models' vocabularies differ in size.
    """
    sizes = [tensor.shape[-1] for tensor in logits]
    if len(set(sizes)) > 1:
        raise DecodingError(
            f"models with target vocabularies of {' and '.join(map(str, sizes))} tokens cannot be "
            "averaged; an ensemble needs models trained with the same tokenizer."
        )
    each = [_log_softmax(tensor) for tensor in logits]
    if len(each) == 1:
        return each[0]
    return torch.stack(each).logsumexp(dim=0) - math.log(len(each))


def _log_softmax(logits: Tensor) -> Tensor:
    """In float32; the logits are not needed again, and fresh memory of their size is slow."""
    scores = logits.float()
    if torch.is_grad_enabled():
        return scores.log_softmax(dim=-1)
    return torch.log_softmax(scores, dim=-1, out=scores)


@contextmanager
def evaluating(models: Sequence[Writer]) -> Iterator[None]:
    """Dropout off and no gradients; models that were training go back to it at the end."""
    training = [model for model in models if model.training]
    for model in training:
        model.eval()
    try:
        with torch.inference_mode():
            yield
    finally:
        for model in training:
            model.train()
