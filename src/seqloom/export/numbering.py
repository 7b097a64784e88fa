"""Vocabularies in another order: our encoder-decoders have their special tokens at ids 0 to 3.

Most checkpoints begin to write with the token of padding or of an end. Our beginning is then
invented: its vector is that of the token they begin with, and its bias in the output is 100 lower,
so its probability is below e^-100 and no other changes in float32.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import tokenizers
import torch
from torch import Tensor

from seqloom.symbols import BOS, EOS, PAD, SPECIALS, UNK

ORIGIN_FILE = "origin.json"
"""In a folder that was imported: the ids and names that its tokens had."""
_IMPOSSIBLE = -100.0


@dataclass(frozen=True)
class Numbering:
    """Which of their tokens each of ours is."""

    theirs: tuple[int | None, ...]
    """Their id of each token of ours; None for a beginning that they do not have."""
    start: int
    """Their id of the token that they begin to write with."""

    @classmethod
    def of(cls, size: int, *, pad: int, end: int, unknown: int, start: int) -> Numbering:
        """From their ids: the special tokens to the front, the others in their order."""
        begin = None if start in (pad, end, unknown) else start
        front = (pad, begin, end, unknown)
        rest = (index for index in range(size) if index not in front)
        return cls((*front, *rest), start)

    @classmethod
    def same(cls, size: int) -> Numbering:
        """Theirs are ours."""
        return cls(tuple(range(size)), BOS)

    @classmethod
    def padding_second(cls, size: int) -> Numbering:
        """Ours, but the beginning 0 and padding 1: M2M100 counts positions from there."""
        return cls((1, 0, *range(2, size)), 0)

    @property
    def invented(self) -> bool:
        """Whether the beginning is not theirs."""
        return self.theirs[BOS] is None

    @property
    def order(self) -> tuple[int | None, ...]:
        """Our id of each token of theirs."""
        ours = {index: place for place, index in enumerate(self.theirs) if index is not None}
        return tuple(ours[index] for index in range(len(ours)))

    def rows(self, table: Tensor) -> Tensor:
        """Their table [V ...] in our order."""
        chosen = [self.start if index is None else index for index in self.theirs]
        return table.index_select(0, torch.tensor(chosen))

    def bias(self, values: Tensor) -> Tensor:
        """Their bias of the output [V] in our order."""
        ours = self.rows(values)
        if self.invented:
            ours[BOS] += _IMPOSSIBLE
        return ours

    def back(self, table: Tensor) -> Tensor:
        """Our table [V ...] in their order."""
        return table.index_select(0, torch.tensor(self.order))


_SOURCE, _TARGET = "encoder.embedder.tokens.weight", "decoder.embedder.tokens.weight"
_OUTPUT, OUTPUT_BIAS = "output.weight", "output.bias"


@dataclass(frozen=True)
class Numberings:
    """Those of both sides; equal where the vocabulary is shared."""

    source: Numbering
    target: Numbering

    def side(self, name: str) -> Numbering | None:
        """The one that a parameter of ours goes by."""
        if name == _SOURCE:
            return self.source
        return self.target if name in (_TARGET, _OUTPUT, OUTPUT_BIAS) else None


def reordered(
    backend: tokenizers.Tokenizer, order: Sequence[int | None], control: Sequence[int]
) -> tokenizers.Tokenizer:
    """A tokenizer with its tokens in another order, and no special tokens added to texts.

    Args:
        backend: the tokenizer.
        order: the old id of each new token; None for one that is added: the beginning.
        control: old ids of tokens that no text becomes.
    """
    described = json.loads(backend.to_str())
    names = [_name(backend, index) for index in order]
    special = {backend.id_to_token(index) for index in control}
    special |= {name for name, index in zip(names, order, strict=True) if index is None}
    added = {token["content"]: token for token in described["added_tokens"]}
    described["added_tokens"] = [
        {**_PLAIN, **added.get(name, {}), "content": name, "id": index}
        | ({"special": True, "normalized": False} if name in special else {})
        for index, name in enumerate(names)
        if name in added or name in special
    ]
    described["post_processor"] = None
    _set_vocabulary(described["model"], names)
    return tokenizers.Tokenizer.from_str(json.dumps(described))


_PLAIN = {"single_word": False, "lstrip": False, "rstrip": False}


def _name(backend: tokenizers.Tokenizer, index: int | None) -> str:
    if index is None:
        return SPECIALS[BOS] if backend.token_to_id(SPECIALS[BOS]) is None else "<begin>"
    return backend.id_to_token(index) or f"<unused{index}>"


def _set_vocabulary(model: dict[str, Any], names: Sequence[str]) -> None:
    """Give every token, the added ones too, its place in the vocabulary."""
    if model["type"] != "Unigram":
        model["vocab"] = {name: index for index, name in enumerate(names)}
        return
    scores = dict(model["vocab"])
    lowest = min(scores.values())
    if model["unk_id"] is not None:
        model["unk_id"] = names.index(model["vocab"][model["unk_id"]][0])
    model["vocab"] = [[name, scores.get(name, lowest)] for name in names]


FRONT = (PAD, BOS, EOS, UNK)
"""Our ids of special tokens."""
