"""What is learned on top of a masked model: classes of texts, tags of words, vectors of sentences.

Rows may be packed, several texts in each, or padded, one text in each. ``starts`` [E] are the
places of the first tokens of E texts, counted through all rows (row * T + column); left out, texts
are taken in the order in which they stand in the rows.

Axes: B rows, T positions, D width, E texts, n words, C classes.
"""

from __future__ import annotations

from typing import Literal, Self

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from seqloom.layers.dropout import Dropout
from seqloom.models.base import MaskedModel

Pooling = Literal["mean", "first"]
"""How the vector of a text comes from its tokens."""


class EncoderHead(nn.Module):
    """Base: an encoder and what is learned on top of it.

    A stage of the encoder that is frozen stays in evaluation mode while the rest learns: it gives
    what it always gave, without dropout.
    """

    reads_above = False
    """Whether it reads what the encoder computes from the states of its last layer."""

    def __init__(self, encoder: MaskedModel) -> None:
        super().__init__()
        self.encoder = encoder

    def train(self, mode: bool = True) -> Self:
        """Training mode, but for what is frozen."""
        super().train(mode)
        for stage in self.encoder.stages() if mode else []:
            if not any(p.requires_grad for module in stage for p in module.parameters()):
                for module in stage:
                    module.eval()
        return self


class Classifier(EncoderHead):
    """A class for each text: its vector, dropout, linear layer.

    Args:
        encoder: reads the texts.
        classes: their number C.
        dropout: on the vectors.
        pooling: the mean of all hidden states of a text, or what the encoder pools from that of its
            first token (Devlin et al. 2019), which has learned something of the whole text only
            where it was trained to tell whether sentences follow each other.
    """

    def __init__(
        self,
        encoder: MaskedModel,
        classes: int,
        dropout: float = 0.1,
        pooling: Pooling = "mean",
    ) -> None:
        super().__init__(encoder)
        self.pooling, self.reads_above = pooling, pooling == "first"
        self.dropout = Dropout(dropout)
        self.output = new_output(encoder, classes)

    def forward(
        self,
        ids: Tensor,
        documents: Tensor | None = None,
        segments: Tensor | None = None,
        starts: Tensor | None = None,
    ) -> Tensor:
        """Logits [E C] of the texts in ids [B T]; documents and segments as for MaskedModel."""
        hidden = self.encoder(ids, documents, segments)
        vectors = pooled(hidden.float(), ids, documents, starts, self.pooling).to(hidden.dtype)
        if self.pooling == "first":
            vectors = self.encoder.pool(vectors)
        logits: Tensor = self.output(self.dropout(vectors))
        return logits


class Tagger(EncoderHead):
    """A tag for each word, read from its first piece (Devlin et al. 2019).

    Args:
        encoder: reads the sentences.
        tags: their number C.
        dropout: on the hidden states of first pieces.
    """

    def __init__(self, encoder: MaskedModel, tags: int, dropout: float = 0.1) -> None:
        super().__init__(encoder)
        self.dropout = Dropout(dropout)
        self.output = new_output(encoder, tags)

    def forward(
        self,
        ids: Tensor,
        places: Tensor,
        documents: Tensor | None = None,
        segments: Tensor | None = None,
    ) -> Tensor:
        """Logits [n C] of the words in ids [B T] whose first pieces are at ``places`` [n]."""
        hidden = self.encoder(ids, documents, segments)
        logits: Tensor = self.output(self.dropout(states_at(hidden, places)))
        return logits


class SentenceEncoder(EncoderHead):
    """A vector of length 1 for each text (Reimers and Gurevych 2019).

    Args:
        encoder: reads the texts.
        pooling: the mean of all hidden states of a text, or that of its first token.
    """

    def __init__(self, encoder: MaskedModel, pooling: Pooling = "mean") -> None:
        super().__init__(encoder)
        self.pooling = pooling

    def forward(
        self,
        ids: Tensor,
        documents: Tensor | None = None,
        segments: Tensor | None = None,
        starts: Tensor | None = None,
    ) -> Tensor:
        """Vectors [E D] of the texts in ids [B T], float32."""
        hidden = self.encoder(ids, documents, segments).float()
        return F.normalize(pooled(hidden, ids, documents, starts, self.pooling), dim=-1)


def new_output(encoder: MaskedModel, size: int) -> nn.Linear:
    """A linear layer on hidden states, with weights as BERT begins with: N(0, 0.02), no bias."""
    output = nn.Linear(encoder.head.in_features, size)
    nn.init.normal_(output.weight, std=0.02)
    nn.init.zeros_(output.bias)
    return output


def pooled(
    hidden: Tensor, ids: Tensor, documents: Tensor | None, starts: Tensor | None, pooling: Pooling
) -> Tensor:
    """One vector [E D] for each text, of its hidden states [B T D]."""
    if starts is None:
        starts = starts_of(ids, documents)
    if pooling == "first":
        return states_at(hidden, starts)
    return means(hidden, documents_or_rows(ids, documents), starts)


def states_at(hidden: Tensor, places: Tensor) -> Tensor:
    """Hidden states [n D] at places [n] counted through all rows of [B T D]."""
    return hidden.flatten(0, 1).index_select(0, places)


def starts_of(ids: Tensor, documents: Tensor | None) -> Tensor:
    """Places [E] at which documents [B T] begin, counted through all rows."""
    return _begins(documents_or_rows(ids, documents)).flatten().nonzero().squeeze(1)


def documents_or_rows(ids: Tensor, documents: Tensor | None) -> Tensor:
    """Documents [B T]; each row is one where none are named."""
    return torch.ones_like(ids) if documents is None else documents


def means(hidden: Tensor, documents: Tensor, starts: Tensor) -> Tensor:
    """The mean hidden state [E D] of each document, those that begin at ``starts`` [E]."""
    # Number every token's document through all rows, without asking the device how many there are.
    numbers = _begins(documents).flatten().cumsum(0) - 1
    real = (documents > 0).flatten().to(hidden.dtype)
    owners = numbers.clamp(min=0)
    size = len(starts)
    states = hidden.flatten(0, 1) * real[:, None]
    sums = hidden.new_zeros(size, hidden.shape[-1]).index_add(0, owners, states)
    counts = real.new_zeros(size).index_add(0, owners, real)
    return (sums / counts[:, None]).index_select(0, owners.index_select(0, starts))


def _begins(documents: Tensor) -> Tensor:
    """Where a document begins [B T]."""
    before = F.pad(documents, (1, 0))[:, :-1]
    return (documents > 0) & (documents != before)
