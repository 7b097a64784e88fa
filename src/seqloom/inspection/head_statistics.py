"""What every head did, text by text: sums that are all that is kept of its weights.

A largest weight counts where it is the only one; a head without preference looks nowhere.

Axes: B texts of a batch, N of all, H heads, R rows, C columns, O offsets, K = 2 (rarest, two
rarest).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields

import numpy as np
import torch
from torch import Tensor

from seqloom.inspection.head_reading import Looks, Text

OFFSETS = tuple(range(-5, 6))
"""Where a head may look from its own place: -1 is the token before."""
RAREST = (1, 2)
"""How many of the rarest tokens of a text."""

_EQUAL = 1e-6  # difference from which on one weight is the larger


@dataclass(frozen=True)
class Sums:
    """Of the heads of one layer, a row a text."""

    rows: np.ndarray
    """Tokens that could choose where to look [N]."""
    confidence: np.ndarray
    """Sum of their largest weights, the symbols around the text left out [N H]."""
    spread: np.ndarray
    """Sum of their entropies, each divided by the logarithm of the number of columns [N H]."""
    rest: np.ndarray
    """Sum of what they give to the symbols around the text [N H]."""
    possible: np.ndarray
    """Tokens for which a column stands at the offset [N O]."""
    positions: np.ndarray
    """How often their largest weight stands there [N H O]."""
    chosen: np.ndarray
    """Tokens that could look at the rarest tokens or at others [N K]."""
    chance: np.ndarray
    """Sum of the chances to hit the rarest [N K]."""
    rare: np.ndarray
    """How often the largest weight falls on them [N H K]."""


class Statistics:
    """The sums of all layers, batch by batch.

    Args:
        counts: side (``source``, ``target`` or ``text``) -> how often each id occurs [V].
    """

    def __init__(self, counts: Mapping[str, Tensor]) -> None:
        self.counts = counts
        self.parts: dict[str, str] = {}
        """Path of a layer -> its part, in the order of the computation."""
        self._sums: dict[str, list[Sums]] = {}
        self._kinds: dict[str, set[int]] = {}

    def add(self, looks: Sequence[Looks]) -> None:
        """Take in one batch."""
        for each in looks:
            self.parts.setdefault(each.path, each.part)
            counts = self.counts[each.reads].to(each.columns.ids.device)[each.columns.ids]
            self._sums.setdefault(each.path, []).append(_sums(each, counts))
            rarest = counts.masked_fill(~each.columns.text, 1 << 60)
            rarest = each.columns.text & (rarest == rarest.amin(dim=1, keepdim=True))
            kinds = self._kinds.setdefault(each.part, set())
            kinds.update(each.columns.ids[rarest].tolist())

    def kinds(self, part: str) -> int:
        """How many different tokens are the rarest of a text."""
        return len(self._kinds[part])

    def of(self, path: str) -> Sums:
        """The sums of a layer over all texts."""
        several = self._sums[path]
        return Sums(
            *(np.concatenate([getattr(s, field.name) for s in several]) for field in fields(Sums))
        )


def counts_of(texts: Iterable[Text], side: str, size: int) -> Tensor:
    """How often each of ``size`` ids occurs on a side of the texts [V]."""
    found = torch.zeros(size, dtype=torch.long)
    for text in texts:
        ids = text.target if side == "target" else text.source
        front = text.front[side == "target"]
        found += torch.bincount(torch.tensor(ids[front:], dtype=torch.long), minlength=size)
    return found


def largest(weights: Tensor, allowed: Tensor) -> Tensor:
    """The column of the only largest weight [B H R], or -1 where there is none.

    Args:
        weights: [B H R C].
        allowed: columns that count [B R C].
    """
    inside = weights.masked_fill(~allowed[:, None], -1.0)
    if inside.shape[-1] == 1:
        return torch.where(inside[..., 0] >= 0, 0, -1)
    (first, second), place = (part.unbind(-1) for part in inside.topk(2, dim=-1))
    return torch.where((first >= 0) & (first - second > _EQUAL), place[0], -1)


def _sums(each: Looks, counts: Tensor) -> Sums:
    """The sums of one batch; ``counts`` [B C] of the columns."""
    words = each.visible & each.columns.text[:, None]
    able = each.rows.text & (words.sum(dim=-1) > 1)  # [B R]
    confidence = each.weights.masked_fill(~words[:, None], 0).amax(dim=-1)
    number = each.visible.sum(dim=-1).clamp(min=2)
    entropy = torch.special.entr(each.weights).sum(dim=-1) / number.log()[:, None]
    rest = each.weights.masked_fill(each.columns.text[:, None, None], 0).sum(dim=-1)
    chosen, chance, rare = _rarest(each, words, able, counts)
    possible, positions = _offsets(each, able)
    tensors = (
        able.sum(dim=-1),
        *((figure * able[:, None]).sum(dim=-1) for figure in (confidence, entropy, rest)),
        possible, positions, chosen, chance, rare,
    )  # fmt: skip
    return Sums(*(tensor.double().cpu().numpy() for tensor in tensors))


def _offsets(each: Looks, able: Tensor) -> tuple[Tensor, Tensor]:
    """Tokens that have a column at each offset [B O], and those that look there most [B H O]."""
    rows, columns = each.visible.shape[1:]
    here = torch.arange(rows, device=able.device)
    best = largest(each.weights, each.visible)
    distance = (best - here).masked_fill(best < 0, rows + columns)  # [B H R]
    possible, hits = [], []
    for offset in OFFSETS:
        there = here + offset
        inside = (there >= 0) & (there < columns)
        seen = each.visible[:, here, there.clamp(0, columns - 1)] & inside & able
        possible.append(seen.sum(dim=-1))
        hits.append(((distance == offset) & seen[:, None]).sum(dim=-1))
    return torch.stack(possible, dim=-1), torch.stack(hits, dim=-1)


def _rarest(
    each: Looks, words: Tensor, able: Tensor, counts: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """Tokens that could choose [B K], their chances [B K], and how often each head hits [B H K].

    Where several tokens are equally rare, each of them is right; where they are more than half of
    what is seen, the token does not count.
    """
    best = largest(each.weights, words)
    places = best.clamp(min=0)
    shown = counts[:, None].masked_fill(~words, 1 << 60)  # [B R C]
    ordered = shown.sort(dim=-1).values
    number = words.sum(dim=-1)
    chosen, chance, rare = [], [], []
    for many in RAREST:
        bound = ordered[..., min(many, ordered.shape[-1]) - 1]
        among = words & (shown <= bound[..., None])
        share = among.sum(dim=-1) / number.clamp(min=1)
        fair = able & (share <= 0.5)
        hit = among[:, None].expand(-1, best.shape[1], -1, -1).gather(3, places[..., None])[..., 0]
        chosen.append(fair.sum(dim=-1))
        chance.append((share * fair).sum(dim=-1))
        rare.append((hit & (best >= 0) & fair[:, None]).sum(dim=-1))
    return tuple(torch.stack(part, dim=-1) for part in (chosen, chance, rare))  # type: ignore[return-value]
