"""The contracts that search, probes, export and server see; only models and export name families.

::

    TextModel               vocabulary, head
    ├── Writer              reads something, then writes token by token: what search knows
    │   ├── EncoderDecoder  reads a source and writes a target
    │   └── CausalModel     reads a prompt and writes what follows
    └── MaskedModel         reads a text with holes

Axes: B sentences, S source and T target positions, D width, V vocabulary, R = B*N decoder rows
(N hypotheses a sentence, rows of one sentence side by side). Boolean masks: True = may be attended.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, Self

from torch import Tensor, nn

from seqloom.errors import RecipeError
from seqloom.layers.state import State
from seqloom.symbols import Symbols


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
    opening: Tensor | None = None
    """Causal models: the last id of each prompt [B], which the first step reads; others read the
    symbol of a beginning."""

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


class TextModel(nn.Module, ABC):
    """A model over a vocabulary."""

    symbols: Symbols = Symbols()
    """The special tokens of the vocabulary that is written (or filled in)."""
    max_positions: int | None = None
    """Longest sequence in tokens, or None where the architecture sets no limit."""

    @property
    @abstractmethod
    def head(self) -> nn.Linear:
        """The layer that projects hidden states onto the target vocabulary.

        A layer and not a method, because the loss takes it apart to multiply in chunks.
        """

    def project(self, hidden: Tensor) -> Tensor:
        """Logits [... V] of hidden states [... D]."""
        logits: Tensor = self.head(hidden)
        return logits


class Writer(TextModel):
    """A model that reads something and writes token by token: all that search knows of it."""

    def framed(self, ids: Sequence[int]) -> list[int]:
        """What :meth:`encode` should be given to read ``ids``: with a symbol of their end."""
        return [*ids, self.symbols.end]

    @abstractmethod
    def encode(self, source: Tensor, mask: Tensor) -> Memory:
        """Read ids [B S], padded on the right, with mask [B S]; each row has a real token."""

    @abstractmethod
    def decode(self, memory: Memory, target: Tensor) -> Tensor:
        """Hidden states [B T D] for decoder input ids [B T], all positions at once.

        The first input of each row is the memory's ``opening``, or the symbol of a beginning.
        Padding stands on the right, so a causal decoder needs no mask for it.
        """

    @abstractmethod
    def start(self, memory: Memory) -> State:
        """State before the first step: one row a sentence (R = B)."""

    @abstractmethod
    def step(self, memory: Memory, state: State, last: Tensor) -> tuple[Tensor, State]:
        """Hidden states [R D] after the last ids [R], and the state that follows.

        R must be a multiple of the memory's B; rows of one sentence stand side by side.
        """


class EncoderDecoder(Writer):
    """A model that reads a source and writes a target."""

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


class CausalModel(Writer):
    """A language model: each token sees those before it. For search, a prompt is what it reads.

    The memory of a prompt holds the keys and values of all its tokens but the last, which the first
    step reads (``opening``), so hypotheses of one prompt share them as those of a sentence do.
    """

    def framed(self, ids: Sequence[int]) -> list[int]:
        """A prompt behind the symbol of a beginning."""
        return [self.symbols.begin, *ids]

    @abstractmethod
    def forward(self, ids: Tensor, documents: Tensor | None = None) -> Tensor:
        """Hidden states [B T D] of ids [B T], each position seeing those before it.

        Args:
            ids: several documents may share a row.
            documents: the number, from 1, of the document that each token belongs to [B T], rising
                along a row; 0 is padding. A token sees its own document alone, whose positions
                count from 0. Left out: each row is one document.
        """


class MaskedModel(TextModel):
    """A model that reads a whole text in both directions."""

    @abstractmethod
    def forward(
        self, ids: Tensor, documents: Tensor | None = None, segments: Tensor | None = None
    ) -> Tensor:
        """Hidden states [B T D] of ids [B T].

        Args:
            ids: several documents may share a row.
            documents: as for :meth:`CausalModel.forward`.
            segments: which of two texts a token belongs to [B T]; 0 when left out.
        """

    @abstractmethod
    def stages(self) -> list[list[nn.Module]]:
        """What a text passes through, lowest first: the embeddings, each layer, and what reads the
        states of the last layer. Together they hold every parameter; a shared one belongs to the
        lowest."""

    @abstractmethod
    def readout(self, hidden: Tensor) -> Tensor:
        """What the head projects: hidden states [... D] of masked tokens, transformed."""

    def project(self, hidden: Tensor) -> Tensor:
        """Logits [... V] of hidden states [... D]."""
        return super().project(self.readout(hidden))

    @abstractmethod
    def pool(self, first: Tensor) -> Tensor:
        """The vector of a whole text [... D] from the hidden state of its first token [... D]."""

    @abstractmethod
    def follows(self, pooled: Tensor) -> Tensor:
        """Logits [... 2] of whether the second text follows the first (0) or does not (1)."""
