"""Attention in three visible steps: scores, weights, mix.

Score functions are values (Bahdanau et al. 2015, Luong et al. 2015, Vaswani et al. 2017)::

    dot         q . k
    scaled_dot  q . k / sqrt(K)
    bilinear    q . W k
    additive    v . tanh(W q + U k)

Each splits into ``prepare`` (what depends on the keys alone: once a sentence) and ``score``.
Axes: B batch, T queries, S keys, H heads, G heads of keys and values, K head width. Masks: True =
may be attended.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from seqloom.layers.dropout import Dropout
from seqloom.layers.gates import through_gates
from seqloom.layers.linear import Joint
from seqloom.layers.recorder import note, recording


class Dot(nn.Module):
    """score(q, k) = q . k, optionally divided by sqrt(K). Queries and keys have one width."""

    def __init__(self, width: int, *, scaled: bool = False) -> None:
        super().__init__()
        self.scale = 1 / math.sqrt(width) if scaled else 1.0

    def prepare(self, states: Tensor) -> Tensor:
        """Keys [B S K] of states [B S K]: themselves."""
        return states

    def score(self, query: Tensor, keys: Tensor) -> Tensor:
        """Scores [B T S] of queries [B T K] against keys [B S K]."""
        return (query * self.scale) @ keys.transpose(1, 2)


class Bilinear(nn.Module):
    """score(q, k) = q . W k (Luong et al. 2015, "general")."""

    def __init__(self, query_width: int, key_width: int) -> None:
        super().__init__()
        self.key = nn.Linear(key_width, query_width, bias=False)

    def prepare(self, states: Tensor) -> Tensor:
        """Keys W k [B S Q] of states [B S K]."""
        return self.key(states)

    def score(self, query: Tensor, keys: Tensor) -> Tensor:
        """Scores [B T S] of queries [B T Q] against prepared keys [B S Q]."""
        return query @ keys.transpose(1, 2)


class Additive(nn.Module):
    """score(q, k) = v . tanh(W q + U k) (Bahdanau et al. 2015, appendix A.1.2)."""

    def __init__(self, query_width: int, key_width: int, width: int) -> None:
        super().__init__()
        self.query = nn.Linear(query_width, width, bias=False)
        self.key = nn.Linear(key_width, width)
        self.energy = nn.Linear(width, 1, bias=False)

    def prepare(self, states: Tensor) -> Tensor:
        """Keys U k [B S A] of states [B S K]."""
        return self.key(states)

    def score(self, query: Tensor, keys: Tensor) -> Tensor:
        """Scores [B T S] of queries [B T Q] against prepared keys [B S A]."""
        hidden = torch.tanh(self.query(query)[:, :, None] + keys[:, None])  # [B T S A]
        return self.energy(hidden).squeeze(-1)


ScoreFunction = Dot | Bilinear | Additive

SCORES: dict[str, Callable[[int, int, int], ScoreFunction]] = {
    "dot": lambda query, key, width: Dot(key),
    "scaled_dot": lambda query, key, width: Dot(key, scaled=True),
    "bilinear": lambda query, key, width: Bilinear(query, key),
    "additive": Additive,
}
"""Name -> builder from (query width, key width, inner width)."""


def attention_weights(scores: Tensor, mask: Tensor | None) -> Tensor:
    """Softmax over the last axis of ``scores`` [... T S], zero where ``mask`` is False."""
    if mask is not None:
        scores = scores.masked_fill(~mask, float("-inf"))
    return torch.softmax(scores, dim=-1)


_LONG = 64
"""Queries from which on the fused kernel is the faster one on a CPU, forward and backward."""


def fused(query: Tensor, rate: float) -> bool:
    """Whether :meth:`MultiHeadAttention.attend` uses torch's fused kernel for ``query``.

    On a CPU it pays for long texts and for the one query of a text that is being written, and torch
    has none that drops weights, at ``rate``.
    """
    if query.device.type == "cpu":
        single = query.shape[0] == query.shape[-2] == 1
        if rate > 0 or not (single or query.shape[-2] >= _LONG):
            return False
    return not recording()


def mix(weights: Tensor, values: Tensor) -> Tensor:
    """Context [... T K]: the values [... S K] averaged with the weights [... T S]."""
    return weights @ values


class GlobalAttention(nn.Module):
    """One context for each query over all encoder states, with any score function."""

    def __init__(self, score: ScoreFunction) -> None:
        super().__init__()
        self.score = score

    def prepare(self, states: Tensor) -> Tensor:
        """Keys, once a sentence."""
        return self.score.prepare(states)

    def forward(
        self, query: Tensor, keys: Tensor, values: Tensor, mask: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Contexts [B T D] and weights [B T S].

        Args:
            query: decoder states [B T Q].
            keys: prepared keys [B S A].
            values: encoder states [B S D].
            mask: real source positions [B S].
        """
        scores = self.score.score(query, keys).float()
        weights = attention_weights(scores, mask[:, None])
        if recording():
            seen = {"query": query, "key": keys, "value": values}
            for name, tensor in (seen | {"scores": scores, "weights": weights}).items():
                note(self, name, tensor[:, None])  # as of one head: [B 1 ...]
        context = mix(weights.to(values.dtype), values)
        return through_gates(self, context[:, None]).squeeze(1), weights


class MultiHeadAttention(nn.Module):
    """Multi-head scaled dot-product attention (Vaswani et al. 2017, section 3.2.2).

    Args:
        width: model width D.
        heads: heads H of the queries.
        dropout: rate on the weights.
        key_value_heads: heads G of keys and values, each shared by H/G query heads side by side
            (Ainslie et al. 2023); H when left out.
        head_width: K; D/H when left out.
        bias: whether queries, keys and values add one.
        output_bias: whether the output adds one.
    """

    def __init__(
        self,
        width: int,
        heads: int,
        dropout: float = 0.0,
        *,
        key_value_heads: int | None = None,
        head_width: int | None = None,
        bias: bool = True,
        output_bias: bool = True,
    ) -> None:
        super().__init__()
        self.head_width = head_width or width // heads
        self.scale = 1 / math.sqrt(self.head_width)
        all_heads = heads * self.head_width
        shared = (key_value_heads or heads) * self.head_width
        self.query = nn.Linear(width, all_heads, bias=bias)
        self.key = nn.Linear(width, shared, bias=bias)
        self.value = nn.Linear(width, shared, bias=bias)
        self.output = nn.Linear(all_heads, width, bias=output_bias)
        self.dropout = Dropout(dropout)

    def split(self, x: Tensor) -> Tensor:
        """[B S H*K] -> [B H S K]."""
        return x.reshape(*x.shape[:-1], -1, self.head_width).transpose(1, 2)

    def queries(self, states: Tensor) -> Tensor:
        """Queries [B H T K] of states [B T D]."""
        return self.split(self.query(states))

    def attend(self, query: Tensor, key: Tensor, value: Tensor, bias: Tensor | None) -> Tensor:
        """Output [B T D] of queries [B H T K] over keys and values [B G S K].

        Args:
            query: queries.
            key: keys.
            value: values.
            bias: added to the scores, broadcast to [B H T S]; minus infinity hides a position.

        With a recorder on, scores and weights are noted. Without one, a fused kernel is used where
        there is one; on a CPU three plain steps are faster at the length of sentences.
        """
        rate = self.dropout.rate if self.training else 0.0
        if fused(query, rate):
            context = F.scaled_dot_product_attention(
                query,
                key,
                value,
                attn_mask=None if bias is None else bias.to(query.dtype),
                dropout_p=rate,
                scale=self.scale,
                enable_gqa=query.shape[1] != key.shape[1],
            )
        else:
            context = self.visibly(query, key, value, bias)
        return self.output(through_gates(self, context).transpose(1, 2).flatten(2))

    def visibly(self, query: Tensor, key: Tensor, value: Tensor, bias: Tensor | None) -> Tensor:
        """Context [B H T K], as :meth:`attend` says, in three plain steps."""
        batch, heads, length, width = query.shape
        groups, size = key.shape[1:3]
        # The queries that share a key's head stand one below the other: no key is copied.
        rows = heads // groups * length
        scores = (query * self.scale).reshape(batch, groups, rows, width) @ key.transpose(-2, -1)
        scores = scores.view(batch, heads, length, size)
        if bias is not None:
            scores = scores + bias.to(scores.dtype)
        weights = torch.softmax(scores, dim=-1)
        for name, tensor in (("query", query), ("key", key), ("value", value)):
            note(self, name, tensor)
        note(self, "scores", scores)
        note(self, "weights", weights)
        mixed = mix(self.dropout(weights).view(batch, groups, rows, size), value)
        return mixed.view(batch, heads, length, width)


class SelfAttention(MultiHeadAttention):
    """Multi-head attention of states over themselves; arguments as there."""

    def __init__(self, width: int, heads: int, dropout: float = 0.0, **options: Any) -> None:
        super().__init__(width, heads, dropout, **options)
        self.projection = Joint((self.query, self.key, self.value))

    def queries_keys_values(self, states: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Queries [B H T K], keys and values [B G T K] of states [B T D]."""
        query, key, value = self.projection(states)
        return self.split(query), self.split(key), self.split(value)
