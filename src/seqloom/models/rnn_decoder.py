"""The parts of a recurrent decoder, for every wiring of :mod:`seqloom.models.rnn`.

Axes: E width of embeddings, D width of states.
"""

from __future__ import annotations

from torch import Tensor, nn

from seqloom.layers.attention import SCORES, GlobalAttention
from seqloom.layers.dropout import Dropout
from seqloom.layers.recurrent import Readout, recurrent_layer
from seqloom.recipe import RecurrentRecipe
from seqloom.symbols import PAD


class RecurrentDecoder(nn.Module):
    """The decoder's parts: embedding, recurrent layers, attention, readout."""

    def __init__(self, recipe: RecurrentRecipe, tokens: nn.Embedding) -> None:
        super().__init__()
        width, embedding = recipe.width, recipe.embedding
        attends = recipe.attention != "none"
        self.tokens = tokens
        self.reads_token = attends or recipe.context != "input"
        self.reads_context = (attends and recipe.wiring == "before") or (
            not attends and recipe.context != "initial"
        )
        self.feeds = attends and recipe.wiring == "after" and recipe.input_feeding
        self.early = attends and recipe.wiring == "before"
        extra = width * self.reads_context + embedding * self.feeds
        first = embedding * self.reads_token + extra
        self.layers = nn.ModuleList(
            recurrent_layer(recipe.cell, first if depth == 0 else width, width)
            for depth in range(recipe.decoder_layers)
        )
        self.attention = (
            GlobalAttention(SCORES[recipe.attention](width, width, width)) if attends else None
        )
        # What h~ sees: the state; with attention or Cho's wiring the context; Bahdanau's deep
        # output and Cho's also read the previous token.
        deep = self.early or (not attends and recipe.context == "input_and_output")
        self.shows_token = deep
        self.shows_context = attends or deep
        self.readout = Readout(
            width + embedding * deep + width * self.shows_context, embedding, recipe.dropout
        )
        self.dropout = Dropout(recipe.dropout)

    def embed(self, ids: Tensor) -> Tensor:
        """[...] -> [... E]; PAD has the zero vector."""
        return self.dropout(self.tokens(ids).masked_fill((ids == PAD)[..., None], 0.0))

    def output(self, state: Tensor, token: Tensor, context: Tensor | None) -> Tensor:
        """The attentional state h~ [... E]."""
        parts = [state]
        if self.shows_token:
            parts.append(token)
        if self.shows_context:
            assert context is not None
            parts.append(context)
        return self.readout(*parts)
