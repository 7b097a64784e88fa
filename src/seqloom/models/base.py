"""The contract that search, probes, export and server see; no architecture is named outside models.

Axes: B sentences, S source and T target positions, D width, V vocabulary, R = B*N decoder rows
(N hypotheses a sentence, rows of one sentence side by side). Boolean masks: True = may be attended.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, fields, replace
from typing import Any, Self

from torch import Tensor, nn

from seqloom.errors import RecipeError
from seqloom.layers.state import State


@dataclass(frozen=True)
class Memory:
    """What the encoder leaves for the decoder. Made once a sentence, never copied a hypothesis."""

    states: Tensor
    """Encoder states [B S D]."""
    mask: Tensor
    """True where ``states`` holds a real token [B S]."""
    bias: Tensor | None = None
    """Transformers: 0 there and minus infinity elsewhere, added to scores [B 1 1 S]."""
    summary: Tensor | None = None
    """Recurrent models: the context vector, the encoder's final state [B D]."""
    keys: tuple[Tensor, ...] = ()
    """What attention compares queries with: one tensor, batch first, a layer."""
    values: tuple[Tensor, ...] = ()
    """What attention mixes: one tensor, batch first, a layer."""

    def select(self, sentences: Tensor) -> Self:
        """The memory of sentences ``sentences`` [B'] in that order (finished ones leave)."""
        chosen: dict[str, Any] = {}
        for field in fields(self):
            value = getattr(self, field.name)
            if isinstance(value, Tensor):
                chosen[field.name] = value.index_select(0, sentences)
            elif value is not None:
                chosen[field.name] = tuple(v.index_select(0, sentences) for v in value)
        return replace(self, **chosen)


class EncoderDecoder(nn.Module, ABC):
    """A model that reads a source and writes a target."""

    max_positions: int | None = None
    """Longest sequence in tokens, or None where the architecture sets no limit."""

    @abstractmethod
    def encode(self, source: Tensor, mask: Tensor) -> Memory:
        """Read source ids [B S] with mask [B S]."""

    @abstractmethod
    def decode(self, memory: Memory, target: Tensor) -> Tensor:
        """Hidden states [B T D] for decoder input ids [B T], all positions at once.

        Padding stands on the right, so a causal decoder needs no mask for it.
        """

    @property
    @abstractmethod
    def head(self) -> nn.Linear:
        """The layer that projects hidden states onto the target vocabulary.

        A layer and not a method, because the loss takes it apart to multiply in chunks.
        """

    @property
    def embeddings(self) -> tuple[nn.Embedding, nn.Embedding]:
        """The tables of source and target tokens; one and the same object where they are shared.

        Search does without; a family that names its tables can begin with word vectors.

        Raises:
            RecipeError: the family does not.
        """
        family = type(self).__name__
        problem = f"source_vectors, target_vectors: {family} cannot begin with word vectors"
        raise RecipeError("training", [problem])

    def project(self, hidden: Tensor) -> Tensor:
        """Logits [... V] of hidden states [... D]."""
        logits: Tensor = self.head(hidden)
        return logits

    @abstractmethod
    def start(self, memory: Memory) -> State:
        """State before the first step: one row a sentence (R = B)."""

    @abstractmethod
    def step(self, memory: Memory, state: State, last: Tensor) -> tuple[Tensor, State]:
        """Hidden states [R D] after the last ids [R], and the state that follows.

        R must be a multiple of the memory's B; rows of one sentence stand side by side.
        """
