"""Transformer (Vaswani et al. 2017), with the switches the literature added since.

Parameter names map one to one onto Hugging Face's; see :mod:`seqloom.export.seq2seq`.
Axes: B batch, S source, T target, H heads, K head width, D width, N hypotheses, R = B*N rows.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from functools import partial
from typing import Generic, TypeVar, cast

import torch
from torch import Tensor, nn

from seqloom.layers.attention import MultiHeadAttention, SelfAttention
from seqloom.layers.cache import CachedState
from seqloom.layers.dropout import Dropout
from seqloom.layers.feedforward import FeedForward
from seqloom.layers.linear import Joint
from seqloom.layers.masks import additive, causal_mask
from seqloom.layers.positions import LearnedPositions, Rotary, SinusoidalPositions
from seqloom.layers.recorder import note
from seqloom.layers.state import State
from seqloom.models.base import EncoderDecoder, Memory
from seqloom.recipe import TransformerRecipe
from seqloom.symbols import PAD

Remember = Callable[[Tensor, Tensor], tuple[Tensor, Tensor]]
"""Takes keys and values [B H T K] of new positions, gives those of all positions [B H P K]."""


def _norm(recipe: TransformerRecipe) -> nn.LayerNorm:
    return nn.LayerNorm(recipe.width, recipe.norm_epsilon)


class Embedder(nn.Module):
    """Token vectors plus positions: ids [B T] -> [B T D]."""

    def __init__(self, tokens: nn.Embedding, recipe: TransformerRecipe) -> None:
        super().__init__()
        width = recipe.width
        self.tokens = tokens
        self.scale = math.sqrt(width) if recipe.scale_embedding else 1.0
        self.positions: SinusoidalPositions | LearnedPositions | None = None
        if recipe.positions == "learned":
            self.positions = LearnedPositions(width, recipe.max_positions)
        elif recipe.positions != "rotary":
            fairseq = recipe.positions == "fairseq"
            self.positions = SinusoidalPositions(width, recipe.max_positions, fairseq=fairseq)
        self.norm = _norm(recipe) if recipe.normalize_embedding else nn.Identity()
        self.dropout = Dropout(recipe.dropout)

    def forward(self, ids: Tensor, start: int = 0) -> Tensor:
        """Vectors of ids [B T] whose first position is ``start``; PAD has the zero vector."""
        x = self.tokens(ids) * self.scale
        x = x.masked_fill((ids == PAD)[..., None], 0.0)
        if self.positions is not None:
            x = x + self.positions(start, ids.shape[1])
        x = self.dropout(self.norm(x))
        note(self, "hidden", x)
        return x


class Block(nn.Module):
    """What encoder and decoder layers share: the residual path with its norm before or after."""

    def __init__(self, recipe: TransformerRecipe, heads: int) -> None:
        super().__init__()
        self.pre = recipe.norm == "pre"
        self.dropout = Dropout(recipe.dropout)
        width = recipe.width
        self.self_attention = SelfAttention(
            width, heads, recipe.attention_dropout, head_width=width // recipe.heads
        )
        self.self_attention_norm = _norm(recipe)
        self.feedforward = FeedForward(
            width, recipe.feedforward, recipe.activation, recipe.activation_dropout
        )
        self.feedforward_norm = _norm(recipe)
        self.rotary = Rotary(width // recipe.heads) if recipe.positions == "rotary" else None

    def before(self, x: Tensor, norm: nn.LayerNorm) -> Tensor:
        """What the sublayer reads."""
        return norm(x) if self.pre else x

    def after(self, x: Tensor, update: Tensor, norm: nn.LayerNorm) -> Tensor:
        """The residual stream after the sublayer."""
        x = x + self.dropout(update)
        return x if self.pre else norm(x)

    def turn(self, x: Tensor, positions: Tensor) -> Tensor:
        """Rotary ``positions`` [T] on queries or keys [B H T K], where the recipe wants them."""
        return x if self.rotary is None else self.rotary(x, positions)

    def feed(self, x: Tensor) -> Tensor:
        """The feed-forward sublayer: [B T D] -> [B T D]."""
        update = self.feedforward(self.before(x, self.feedforward_norm))
        return self.after(x, update, self.feedforward_norm)


class EncoderLayer(Block):
    """Self-attention over the whole source, then feed-forward."""

    def __init__(self, recipe: TransformerRecipe, layer: int) -> None:
        super().__init__(recipe, recipe.heads_of("encoder", layer))

    def forward(self, x: Tensor, bias: Tensor) -> Tensor:
        """[B S D] -> [B S D]; ``bias`` [B 1 1 S] hides padding."""
        attention = self.self_attention
        inner = self.before(x, self.self_attention_norm)
        query, key, value = attention.queries_keys_values(inner)
        positions = torch.arange(x.shape[1], device=x.device)
        query, key = self.turn(query, positions), self.turn(key, positions)
        update = attention.attend(query, key, value, bias)
        return self.feed(self.after(x, update, self.self_attention_norm))


class DecoderLayer(Block):
    """Masked self-attention, cross-attention over the memory, then feed-forward."""

    def __init__(self, recipe: TransformerRecipe, layer: int) -> None:
        super().__init__(recipe, recipe.heads_of("decoder", layer))
        self.cross_attention = MultiHeadAttention(
            recipe.width,
            recipe.heads_of("cross", layer),
            recipe.attention_dropout,
            head_width=recipe.width // recipe.heads,
        )
        self.cross_attention_norm = _norm(recipe)

    def look_back(
        self, x: Tensor, positions: Tensor, bias: Tensor | None, remember: Remember | None = None
    ) -> Tensor:
        """Self-attention of [B T D] over itself, or over what ``remember`` makes of it.

        Args:
            x: residual stream [B T D].
            positions: where its columns stand [T], or where all of them stand [1].
            bias: added to the scores; hides what is to come, or other hypotheses.
            remember: takes new keys and values, and gives them with those of earlier positions.
        """
        inner = self.before(x, self.self_attention_norm)
        query, key, value = self.self_attention.queries_keys_values(inner)
        query, key = self.turn(query, positions), self.turn(key, positions)
        if remember is not None:
            key, value = remember(key, value)
        update = self.self_attention.attend(query, key, value, bias)
        return self.after(x, update, self.self_attention_norm)

    def look_across(self, x: Tensor, key: Tensor, value: Tensor, bias: Tensor | None) -> Tensor:
        """Cross-attention of [B T D] over keys and values [B H S K], then feed-forward."""
        inner = self.before(x, self.cross_attention_norm)
        query = self.cross_attention.queries(inner)
        update = self.cross_attention.attend(query, key, value, bias)
        return self.feed(self.after(x, update, self.cross_attention_norm))


LayerType = TypeVar("LayerType", EncoderLayer, DecoderLayer)


class Stack(nn.Module, Generic[LayerType]):
    """Layers one upon the other, with a last norm when norms stand before the blocks."""

    def __init__(
        self, embedder: Embedder, layers: list[LayerType], recipe: TransformerRecipe
    ) -> None:
        super().__init__()
        self.embedder = embedder
        self.layers = nn.ModuleList(layers)
        self.norm = _norm(recipe) if recipe.norm == "pre" else nn.Identity()

    def __iter__(self) -> Iterator[LayerType]:
        return cast("Iterator[LayerType]", iter(self.layers))


class Transformer(EncoderDecoder):
    """Encoder-decoder Transformer.

    Args:
        recipe: sizes and switches.
        source_size: source vocabulary V.
        target_size: target vocabulary V.
    """

    def __init__(self, recipe: TransformerRecipe, source_size: int, target_size: int) -> None:
        super().__init__()
        self.max_positions = recipe.max_positions if recipe.positions == "learned" else None
        target = nn.Embedding(target_size, recipe.width)
        source = target if recipe.tie == "all" else nn.Embedding(source_size, recipe.width)
        self.encoder = Stack(
            Embedder(source, recipe),
            [EncoderLayer(recipe, layer) for layer in range(recipe.encoder_layers)],
            recipe,
        )
        self.decoder = Stack(
            Embedder(target, recipe),
            [DecoderLayer(recipe, layer) for layer in range(recipe.decoder_layers)],
            recipe,
        )
        across = [layer.cross_attention for layer in self.decoder]
        # Keys and values of all cross-attentions read the encoder's states.
        self.across = Joint([part for each in across for part in (each.key, each.value)])
        self.output = nn.Linear(recipe.width, target_size, bias=recipe.output_bias)
        initialize(self, recipe)
        if recipe.tie != "none":
            self.output.weight = target.weight

    def encode(self, source: Tensor, mask: Tensor) -> Memory:
        """See :meth:`EncoderDecoder.encode`; keys and values of all cross-attentions included."""
        x = self.encoder.embedder(source)
        bias = additive(mask, x.dtype)[:, None, None]
        for layer in self.encoder:
            x = layer(x, bias)
            note(layer, "hidden", x)
        states = self.encoder.norm(x)
        first = next(iter(self.decoder)).cross_attention
        parts = [first.split(part) for part in self.across(states)]
        if not self.training:  # a search reads them at every step
            parts = [part.contiguous() for part in parts]
        return Memory(states, mask, bias, keys=tuple(parts[::2]), values=tuple(parts[1::2]))

    def decode(self, memory: Memory, target: Tensor) -> Tensor:
        """See :meth:`EncoderDecoder.decode`: all positions in parallel."""
        x = self.decoder.embedder(target)
        positions = torch.arange(target.shape[1], device=x.device)
        future = additive(causal_mask(target.shape[1], target.device), x.dtype)
        for index, layer in enumerate(self.decoder):
            x = layer.look_back(x, positions, future)
            x = layer.look_across(x, memory.keys[index], memory.values[index], memory.bias)
            note(layer, "hidden", x)
        return self.decoder.norm(x)

    @property
    def head(self) -> nn.Linear:
        """See :attr:`EncoderDecoder.head`."""
        return self.output

    @property
    def embeddings(self) -> tuple[nn.Embedding, nn.Embedding]:
        """See :attr:`EncoderDecoder.embeddings`."""
        return self.encoder.embedder.tokens, self.decoder.embedder.tokens

    def start(self, memory: Memory) -> State:
        """No position seen yet."""
        # Keys of the decoder over itself; where heads were pruned, not as many as those across.
        sentences, _, _, width = memory.keys[0].shape
        return CachedState.empty(
            tuple(
                key.new_empty(sentences, layer.self_attention.query.out_features // width, 0, width)
                for key, layer in zip(memory.keys, self.decoder, strict=True)
            )
        )

    def step(self, memory: Memory, state: State, last: Tensor) -> tuple[Tensor, State]:
        """See :meth:`EncoderDecoder.step`.

        The N hypotheses of a sentence become N query positions over its one memory, and over the
        one set of slots that holds their pasts.
        """
        assert isinstance(state, CachedState)
        sentences = len(memory.mask)
        x = self.decoder.embedder(last[:, None], state.length)  # [R 1 D]
        x = x.view(sentences, len(last) // sentences, -1)  # [B N D]
        position = torch.full((1,), state.length, device=x.device)
        state = state.grow(sentences)
        others = state.bias(sentences, x.dtype)
        for index, layer in enumerate(self.decoder):
            x = layer.look_back(x, position, others, partial(state.remember, index))
            x = layer.look_across(x, memory.keys[index], memory.values[index], memory.bias)
            note(layer, "hidden", x)
        return self.decoder.norm(x).flatten(0, 1), state


def initialize(model: Transformer, recipe: TransformerRecipe) -> None:
    """Set every parameter.

    ==================  =================================================
    embeddings          normal, deviation D^-1/2 (1 after the scaling)
    learned positions   normal, deviation 0.02
    linear weights      Glorot uniform
    biases              0
    norms               weight 1, bias 0
    output              normal, deviation D^-1/2 (the embedding's, if tied)
    ==================  =================================================
    """
    deviation = recipe.width**-0.5
    for module in model.modules():
        if isinstance(module, nn.Linear):
            nn.init.xavier_uniform_(module.weight)
            if module.bias is not None:
                nn.init.zeros_(module.bias)
        elif isinstance(module, nn.Embedding):
            nn.init.normal_(module.weight, std=deviation)
        elif isinstance(module, LearnedPositions):
            nn.init.normal_(module.table, std=0.02)
    nn.init.normal_(model.output.weight, std=deviation)
