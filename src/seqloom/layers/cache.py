"""Keys and values of self-attention, shared by the hypotheses of a sentence.

Hypotheses of one sentence differ in their last tokens and have the rest in common. So keys and
values stand in slots of the *sentence*: each is written once and stays where it is, and every
hypothesis has a row in a table of the slots that are its past. To reorder a beam is to reorder the
table. N hypotheses look back with one product of N queries and all slots of their sentence, those
of other hypotheses masked. Slots that nobody looks back to are dropped when the room is used up.
The prompt of a language model stands in the first slots, and all hypotheses look back to it.

Axes: B sentences, N hypotheses each, R = B*N rows, H heads, K head width, P slots in use.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor
from torch.nn import functional as F

from seqloom.layers.masks import additive

_ROOM = 8
"""Steps there is room for when keys and values are copied; or half the slots in use, if more."""
_LEAST = 32
"""Slots there is room for at least: without a beam copies drop nothing, and buy nothing."""


@dataclass
class _Slots:
    """Room for keys and values, one tensor [B H C K] a layer, C >= P; layers may differ in H."""

    keys: list[Tensor]
    values: list[Tensor]
    used: int
    """Slots that the newest state has claimed."""

    @property
    def room(self) -> int:
        return self.keys[0].shape[2]

    def copy(self, sentences: Tensor, slots: Tensor, room: int) -> _Slots:
        """Slots [B' P'] of sentences [B'], with ``room`` slots more, which hold anything."""
        size, width = self.keys[0].shape[2:]
        if not size:
            empty = [
                key.new_empty(len(sentences), key.shape[1], room, width)
                for key in self.keys + self.values
            ]
            return _Slots(empty[: len(self.keys)], empty[len(self.keys) :], 0)
        places = F.pad(slots, (0, room))  # [B' C']
        rows = dict[int, Tensor]()
        for heads in {key.shape[1] for key in self.keys}:
            every = torch.arange(heads, device=sentences.device)
            first = sentences[:, None] * heads + every  # [B' H]
            rows[heads] = (first[:, :, None] * size + places[:, None]).flatten()

        # One row a slot: index_select takes whole rows, six times as fast as indexing does.
        def moved(tensor: Tensor) -> Tensor:
            heads = tensor.shape[1]
            found = tensor.view(-1, width).index_select(0, rows[heads])
            return found.view(len(sentences), heads, -1, width)

        return _Slots(
            [moved(each) for each in self.keys],
            [moved(each) for each in self.values],
            slots.shape[1],
        )


@dataclass(frozen=True)
class CachedState:
    """Keys and values of all positions so far, for every decoder layer."""

    slots: _Slots
    past: Tensor
    """True where a slot is a row's past [R P], as far back as it looks."""
    sentences: Tensor
    """The sentence of ``slots`` that each row belongs to [R]."""
    prompts: Tensor
    """Number of positions each row had before the first step [R]."""
    length: int
    """Number of positions seen since."""

    @classmethod
    def empty(cls, keys: tuple[Tensor, ...]) -> CachedState:
        """Before the first position: one row a sentence; tensors [B H ? K] like ``keys``."""
        none = tuple(key[:, :, :0] for key in keys)
        mask = torch.zeros(len(keys[0]), 0, dtype=torch.bool, device=keys[0].device)
        return cls.filled(none, none, mask)

    @classmethod
    def filled(
        cls, keys: tuple[Tensor, ...], values: tuple[Tensor, ...], mask: Tensor
    ) -> CachedState:
        """After prompts with these keys and values [B H S K], real where ``mask`` [B S] is True.

        One row a sentence; prompts of several lengths are padded on the right.
        """
        sentences = torch.arange(len(mask), device=mask.device)
        slots = _Slots(
            [key.contiguous() for key in keys],
            [value.contiguous() for value in values],
            mask.shape[1],
        )
        return cls(slots, mask, sentences, mask.sum(dim=1), 0)

    @property
    def positions(self) -> Tensor:
        """Where the next token of each row stands [R]."""
        return self.prompts + self.length

    def reorder(self, rows: Tensor) -> CachedState:
        """See :meth:`State.reorder`."""
        return replace(
            self,
            past=self.past[rows],
            sentences=self.sentences[rows],
            prompts=self.prompts[rows],
        )

    def grow(self, sentences: int, window: int | None = None) -> CachedState:
        """With one position more, which :meth:`remember` fills; rows are of B ``sentences``.

        Each row looks back to its last ``window`` positions, the new one included; or to all.
        """
        beam = len(self.past) // sentences
        past = self.past.view(sentences, beam, -1)
        used = past.shape[2]
        where = self.sentences.view(sentences, beam)[:, 0]
        slots = self.slots
        here = torch.arange(sentences, device=where.device)
        # Where another state went on from this one, its slots must not be written over.
        free = slots.used == used and used + beam <= slots.room
        if not (free and len(slots.keys[0]) == sentences and torch.equal(where, here)):
            kept = _in_use(past)
            room = max(_ROOM * beam, _LEAST, kept.shape[1] // 2)
            slots = slots.copy(where, kept, room)
            past = past.gather(2, kept[:, None].expand(-1, beam, -1))
        own = torch.eye(beam, dtype=torch.bool, device=past.device).expand(sentences, -1, -1)
        past = torch.cat([past, own], dim=2)
        if window is not None:
            past = past & (past.cumsum(dim=2) > past.sum(dim=2, keepdim=True) - window)
        slots.used = past.shape[2]
        return replace(
            self,
            slots=slots,
            past=past.flatten(0, 1),
            sentences=here.repeat_interleave(beam),
            length=self.length + 1,
        )

    def remember(self, layer: int, key: Tensor, value: Tensor) -> tuple[Tensor, Tensor]:
        """Write keys and values [B H N K] of the newest position; return all [B H P K]."""
        end = self.past.shape[1]
        newest = slice(end - key.shape[2], end)
        keys, values = self.slots.keys[layer], self.slots.values[layer]
        keys[:, :, newest], values[:, :, newest] = key, value
        return keys[:, :, :end], values[:, :, :end]

    def bias(self, sentences: int, dtype: torch.dtype) -> Tensor | None:
        """What hides the slots of other hypotheses [B 1 N P]; None if nothing needs hiding."""
        if len(self.past) == sentences and bool(self.past.all()):
            return None
        return additive(self.past, dtype).view(sentences, 1, -1, self.past.shape[1])


def _in_use(past: Tensor) -> Tensor:
    """The slots [B P'] that some hypothesis of ``past`` [B N P] looks back to, in their order.

    Sentences with fewer of them than others get some of the others too, which stay hidden.
    """
    used = past.any(dim=1)
    most = int(used.sum(dim=1).max())
    return used.to(torch.uint8).argsort(dim=1, descending=True, stable=True)[:, :most]
