"""BERT (Devlin et al. 2019): a Transformer encoder that reads a text with holes.

With rotary positions it is RoFormer (Su et al. 2021).

Parameter names, and those of Hugging Face's ``BertForPreTraining``::

    tokens.weight                    bert.embeddings.word_embeddings.weight
    positions.table                  bert.embeddings.position_embeddings.weight  (learned only)
    segments.weight                  bert.embeddings.token_type_embeddings.weight
    embedding_norm.*                 bert.embeddings.LayerNorm.*
    layers.N.self_attention          bert.encoder.layer.N.attention
        .query .key .value .*            .self.query .self.key .self.value .*
        .output.*                        .output.dense.*
    layers.N.self_attention_norm.*   bert.encoder.layer.N.attention.output.LayerNorm.*
    layers.N.feedforward.inner.*     bert.encoder.layer.N.intermediate.dense.*
    layers.N.feedforward.outer.*     bert.encoder.layer.N.output.dense.*
    layers.N.feedforward_norm.*      bert.encoder.layer.N.output.LayerNorm.*
    pooling.*                        bert.pooler.dense.*
    transform.*                      cls.predictions.transform.dense.*
    transform_norm.*                 cls.predictions.transform.LayerNorm.*
    output.weight                    (tokens.weight)
    output.bias                      cls.predictions.bias
    following.*                      cls.seq_relationship.*

Axes: B texts, T positions, D width, V vocabulary.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import cast

import torch
from torch import Tensor, nn

from seqloom.layers.attention import SelfAttention
from seqloom.layers.dropout import Dropout
from seqloom.layers.feedforward import ACTIVATIONS, FeedForward
from seqloom.layers.masks import additive, same_document
from seqloom.layers.positions import LearnedPositions, Rotary, Turn, positions_within, turned
from seqloom.layers.recorder import note
from seqloom.models.base import MaskedModel
from seqloom.recipe.language import BertRecipe
from seqloom.symbols import Symbols


class BertLayer(nn.Module):
    """Self-attention in both directions, then feed-forward, each followed by its norm."""

    def __init__(self, recipe: BertRecipe) -> None:
        super().__init__()
        width = recipe.width
        self.self_attention = SelfAttention(width, recipe.heads, recipe.attention_dropout)
        self.self_attention_norm = nn.LayerNorm(width, recipe.norm_epsilon)
        self.feedforward = FeedForward(width, recipe.feedforward, recipe.activation)
        self.feedforward_norm = nn.LayerNorm(width, recipe.norm_epsilon)
        self.dropout = Dropout(recipe.dropout)

    def forward(self, x: Tensor, turn: Turn | None, bias: Tensor | None) -> Tensor:
        """[B T D] -> [B T D]; rotary angles; ``bias`` [B 1 T T] hides other documents."""
        attention = self.self_attention
        query, key, value = attention.queries_keys_values(x)
        if turn is not None:
            query, key = turned(query, turn), turned(key, turn)
        update = attention.attend(query, key, value, bias)
        x = self.self_attention_norm(x + self.dropout(update))
        return self.feedforward_norm(x + self.dropout(self.feedforward(x)))


class Bert(MaskedModel):
    """Encoder with one head that fills holes and one that tells whether two texts belong together.

    Args:
        recipe: sizes and switches.
        size: vocabulary V.
        symbols: the vocabulary's special tokens.
    """

    def __init__(
        self, recipe: BertRecipe, size: int, symbols: Symbols = MaskedModel.symbols
    ) -> None:
        super().__init__()
        self.symbols, self.max_positions = symbols, recipe.context
        width = recipe.width
        self.tokens = nn.Embedding(size, width)
        learned = recipe.positions == "learned"
        self.positions = LearnedPositions(width, recipe.context) if learned else None
        self.rotary = None if learned else Rotary(width // recipe.heads)
        self.segments = nn.Embedding(recipe.segments, width)
        self.embedding_norm = nn.LayerNorm(width, recipe.norm_epsilon)
        self.dropout = Dropout(recipe.dropout)
        self.layers = nn.ModuleList([BertLayer(recipe) for _ in range(recipe.layers)])
        self.pooling = nn.Linear(width, width)
        self.transform = nn.Linear(width, width)
        self.activation = ACTIVATIONS[recipe.activation]
        self.transform_norm = nn.LayerNorm(width, recipe.norm_epsilon)
        self.output = nn.Linear(width, size)
        self.following = nn.Linear(width, 2)
        initialize(self)
        self.output.weight = self.tokens.weight

    def __iter__(self) -> Iterator[BertLayer]:
        return cast("Iterator[BertLayer]", iter(self.layers))

    def forward(
        self, ids: Tensor, documents: Tensor | None = None, segments: Tensor | None = None
    ) -> Tensor:
        """See :meth:`MaskedModel.forward`."""
        bias = None
        if documents is None:
            positions = torch.arange(ids.shape[1], device=ids.device)
        else:
            positions = positions_within(documents)
            bias = additive(same_document(documents), self.tokens.weight.dtype)[:, None]
        turn = None if self.rotary is None else self.rotary.turn(positions)
        x = self.tokens(ids)
        if self.positions is not None:
            x = x + self.positions.at(positions)
        x = x + (self.segments.weight[0] if segments is None else self.segments(segments))
        x = self.dropout(self.embedding_norm(x))
        note(self.embedding_norm, "hidden", x)
        for layer in self:
            x = layer(x, turn, bias)
            note(layer, "hidden", x)
        return x

    def stages(self) -> list[list[nn.Module]]:
        """See :meth:`MaskedModel.stages`."""
        below: list[nn.Module] = [
            self.tokens,
            self.segments,
            self.embedding_norm,
            self.dropout,
        ]
        if self.positions is not None:
            below.append(self.positions)
        layers: list[list[nn.Module]] = [[layer] for layer in self]
        above: list[nn.Module] = [
            self.pooling,
            self.transform,
            self.transform_norm,
            self.output,
            self.following,
        ]
        return [below, *layers, above]

    @property
    def head(self) -> nn.Linear:
        """See :attr:`TextModel.head`; the embedding's weights and a bias."""
        return self.output

    def readout(self, hidden: Tensor) -> Tensor:
        """See :meth:`MaskedModel.readout`."""
        return self.transform_norm(self.activation(self.transform(hidden)))

    def pool(self, first: Tensor) -> Tensor:
        """See :meth:`MaskedModel.pool`."""
        return torch.tanh(self.pooling(first))

    def follows(self, pooled: Tensor) -> Tensor:
        """See :meth:`MaskedModel.follows`."""
        return self.following(pooled)


def initialize(model: Bert) -> None:
    """Set every parameter (Devlin et al. 2019).

    ============================  ============================
    embeddings, positions         normal, deviation 0.02
    linear weights                normal, deviation 0.02
    biases                        0
    norms                         weight 1, bias 0
    output                        the embedding's, bias 0
    ============================  ============================
    """
    for module in model.modules():
        if isinstance(module, nn.Linear | nn.Embedding):
            nn.init.normal_(module.weight, std=0.02)
        if isinstance(module, nn.Linear):
            nn.init.zeros_(module.bias)
        elif isinstance(module, LearnedPositions):
            nn.init.normal_(module.table, std=0.02)
