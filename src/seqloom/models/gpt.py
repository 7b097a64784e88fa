"""GPT-2 (Radford et al. 2019), and with its switches Llama, Mistral and Qwen2: a decoder alone.

Parameter names, and those of Hugging Face's ``GPT2LMHeadModel`` (whose linear weights lie the other
way round, [D D'], and whose ``c_attn`` is query, key and value side by side) and
``LlamaForCausalLM`` (as in Mistral and Qwen2)::

    tokens.weight                transformer.wte.weight   model.embed_tokens.weight
    positions.table              transformer.wpe.weight   (rotary)
    layers.N                     transformer.h.N          model.layers.N
      .self_attention_norm.*       .ln_1.*                  .input_layernorm.weight
      .self_attention.query.*      .attn.c_attn.*           .self_attn.q_proj.*
      .self_attention.key.*        .attn.c_attn.*           .self_attn.k_proj.*
      .self_attention.value.*      .attn.c_attn.*           .self_attn.v_proj.*
      .self_attention.output.*     .attn.c_proj.*           .self_attn.o_proj.weight
      .feedforward_norm.*          .ln_2.*                  .post_attention_layernorm.weight
      .feedforward.gate.*          (swiglu only)            .mlp.gate_proj.weight
      .feedforward.inner.*         .mlp.c_fc.*              .mlp.up_proj.weight
      .feedforward.outer.*         .mlp.c_proj.*            .mlp.down_proj.weight
    norm.*                       transformer.ln_f.*       model.norm.weight
    output.weight                lm_head.weight           lm_head.weight

Axes: B rows or prompts, S prompt and T further positions, H heads, G heads of keys and values, K
head width, D width, V vocabulary, N hypotheses, R = B*N rows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from seqloom.layers.attention import SelfAttention
from seqloom.layers.cache import CachedState
from seqloom.layers.dropout import Dropout
from seqloom.layers.feedforward import FeedForward
from seqloom.layers.masks import (
    additive,
    causal_mask,
    length_mask,
    looking_back,
    same_document,
)
from seqloom.layers.positions import LearnedPositions, Rotary, Turn, positions_within, turned
from seqloom.layers.recorder import note
from seqloom.layers.state import State
from seqloom.models.base import CausalModel, Memory
from seqloom.recipe.language import GptRecipe
from seqloom.symbols import Symbols

Remember = Callable[[int, Tensor, Tensor], tuple[Tensor, Tensor]]
"""Takes a layer's number and the keys and values [B G T K] of new positions, gives those of all
positions [B G P K]."""


def _only_these(layer: int, key: Tensor, value: Tensor) -> tuple[Tensor, Tensor]:
    return key, value


def _norm(recipe: GptRecipe) -> nn.LayerNorm | nn.RMSNorm:
    kind = nn.RMSNorm if recipe.norm == "rms" else nn.LayerNorm
    return kind(recipe.width, eps=recipe.norm_epsilon)


class GptLayer(nn.Module):
    """Self-attention over what stands before, then feed-forward, each behind its norm."""

    def __init__(self, recipe: GptRecipe) -> None:
        super().__init__()
        self.self_attention_norm = _norm(recipe)
        self.self_attention = SelfAttention(
            recipe.width,
            recipe.heads,
            recipe.attention_dropout,
            key_value_heads=recipe.key_value_heads,
            head_width=recipe.head_width,
            bias=recipe.bias != "none",
            output_bias=recipe.bias == "all",
        )
        self.feedforward_norm = _norm(recipe)
        self.feedforward = FeedForward(
            recipe.width, recipe.feedforward, recipe.activation, bias=recipe.bias == "all"
        )
        self.dropout = Dropout(recipe.dropout)

    def forward(
        self,
        x: Tensor,
        turn: Turn | None,
        bias: Tensor | None,
        remember: Callable[[Tensor, Tensor], tuple[Tensor, Tensor]],
    ) -> Tensor:
        """[B T D] -> [B T D].

        Args:
            x: residual stream.
            turn: rotary angles of its positions.
            bias: added to the scores; hides what is to come, and others' tokens.
            remember: takes new keys and values, and gives them with those of earlier positions.
        """
        attention = self.self_attention
        query, key, value = attention.queries_keys_values(self.self_attention_norm(x))
        if turn is not None:
            query, key = turned(query, turn), turned(key, turn)
        x = x + self.dropout(attention.attend(query, *remember(key, value), bias))
        return x + self.dropout(self.feedforward(self.feedforward_norm(x)))


class Gpt(CausalModel):
    """Causal language model.

    Args:
        recipe: sizes and switches.
        size: vocabulary V.
        symbols: the vocabulary's special tokens.
    """

    def __init__(
        self, recipe: GptRecipe, size: int, symbols: Symbols = CausalModel.symbols
    ) -> None:
        super().__init__()
        self.symbols, self.max_positions = symbols, recipe.context
        self.window = recipe.window
        self.tokens = nn.Embedding(size, recipe.width)
        learned = recipe.positions == "learned"
        self.positions = LearnedPositions(recipe.width, recipe.context) if learned else None
        head_width = recipe.head_width or recipe.width // recipe.heads
        self.rotary = None if learned else Rotary(head_width, recipe.rotary_base)
        self.dropout = Dropout(recipe.dropout)
        self.layers = nn.ModuleList([GptLayer(recipe) for _ in range(recipe.layers)])
        self.norm = _norm(recipe)
        self.output = nn.Linear(recipe.width, size, bias=False)
        initialize(self)
        if recipe.tie:
            self.output.weight = self.tokens.weight

    def __iter__(self) -> Iterator[GptLayer]:
        return cast("Iterator[GptLayer]", iter(self.layers))

    def _read(
        self,
        ids: Tensor,
        positions: Tensor,
        bias: Tensor | None,
        remember: Remember = _only_these,
    ) -> Tensor:
        """Hidden states [B T D] of ids [B T] that stand at ``positions`` [T] or [B T]."""
        x = self.tokens(ids)
        if self.positions is not None:
            x = x + self.positions.at(positions)
        x = self.dropout(x)
        note(self.tokens, "hidden", x)
        turn = None if self.rotary is None else self.rotary.turn(positions)
        for index, layer in enumerate(self):
            x = layer(x, turn, bias, partial(remember, index))
            note(layer, "hidden", x)
        return self.norm(x)

    def forward(self, ids: Tensor, documents: Tensor | None = None) -> Tensor:
        """See :meth:`CausalModel.forward`."""
        mask = causal_mask(ids.shape[1], ids.device, self.window)
        if documents is None:
            positions = torch.arange(ids.shape[1], device=ids.device)
        else:
            positions = positions_within(documents)
            mask = (mask & same_document(documents))[:, None]
        return self._read(ids, positions, additive(mask, self.tokens.weight.dtype))

    @property
    def head(self) -> nn.Linear:
        """See :attr:`TextModel.head`."""
        return self.output

    def encode(self, source: Tensor, mask: Tensor) -> Memory:
        """See :meth:`Writer.encode`: keys and values of all tokens but each row's last."""
        before = mask.sum(dim=1, keepdim=True) - 1
        opening = source.gather(1, before).squeeze(1)
        # Prompts of one token leave one column that nobody sees: tensors without any are a
        # burden to every kernel.
        source = source[:, : max(source.shape[1] - 1, 1)]
        positions = torch.arange(source.shape[1], device=source.device)
        keys, values = [], []

        def keep(layer: int, key: Tensor, value: Tensor) -> tuple[Tensor, Tensor]:
            keys.append(key)
            values.append(value)
            return key, value

        future = causal_mask(source.shape[1], source.device, self.window)
        states = self._read(source, positions, additive(future, self.tokens.weight.dtype), keep)
        mask = length_mask(before.squeeze(1), source.shape[1])
        return Memory(states, mask, keys=tuple(keys), values=tuple(values), opening=opening)

    def decode(self, memory: Memory, target: Tensor) -> Tensor:
        """See :meth:`Writer.decode`: all positions in parallel, behind those of the prompt."""
        length, size = target.shape[1], memory.mask.shape[1]
        after = memory.mask.sum(dim=1, keepdim=True)
        positions = after + torch.arange(length, device=target.device)  # [B T]
        prompt = torch.arange(size, device=target.device).expand_as(memory.mask)
        mask = looking_back(positions, torch.cat([prompt, positions], dim=1), self.window)
        mask = mask & F.pad(memory.mask, (0, length), value=True)[:, None]
        bias = additive(mask, self.tokens.weight.dtype)[:, None]

        def behind(layer: int, key: Tensor, value: Tensor) -> tuple[Tensor, Tensor]:
            keys, values = memory.keys[layer], memory.values[layer]
            return torch.cat([keys, key], dim=2), torch.cat([values, value], dim=2)

        return self._read(target, self._within(positions), bias, behind)

    def _within(self, positions: Tensor) -> Tensor:
        """Below the limit: padding, and rows that are over, pass it beside shorter prompts."""
        return positions if self.positions is None else self.positions.within(positions)

    def start(self, memory: Memory) -> State:
        """All of the prompt seen but its last token."""
        return CachedState.filled(memory.keys, memory.values, memory.mask)

    def step(self, memory: Memory, state: State, last: Tensor) -> tuple[Tensor, State]:
        """See :meth:`Writer.step`.

        The N hypotheses of a prompt become N query positions over the one set of slots that holds
        the prompt and their pasts.
        """
        assert isinstance(state, CachedState)
        sentences = len(memory.mask)
        positions = self._within(state.positions.view(sentences, -1))  # [B N]
        state = state.grow(sentences, self.window)
        bias = state.bias(sentences, self.tokens.weight.dtype)
        hidden = self._read(last.view(sentences, -1), positions, bias, state.remember)
        return hidden.flatten(0, 1), state


def initialize(model: Gpt) -> None:
    """Set every parameter (Radford et al. 2019).

    ============================  ===================================================
    embeddings, positions         normal, deviation 0.02
    linear weights                normal, deviation 0.02
    those before a residual sum   normal, deviation 0.02 / sqrt(2L): there are 2L sums
    biases                        0
    norms                         weight 1, bias 0
    output                        normal, deviation 0.02 (the embedding's, if tied)
    ============================  ===================================================
    """
    for module in model.modules():
        if isinstance(module, nn.Linear | nn.Embedding):
            nn.init.normal_(module.weight, std=0.02)
        if isinstance(module, nn.Linear) and module.bias is not None:
            nn.init.zeros_(module.bias)
        elif isinstance(module, LearnedPositions):
            nn.init.normal_(module.table, std=0.02)
    for layer in model:
        for last in (layer.self_attention.output, layer.feedforward.outer):
            nn.init.normal_(last.weight, std=0.02 / (2 * len(model.layers)) ** 0.5)
