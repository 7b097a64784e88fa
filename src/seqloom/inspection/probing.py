"""Probes: what can a small classifier read out of frozen vectors, and how easily?

Two figures of a probe: how often it is right on other texts, and how many bits it takes to tell the
labels to someone who has the vectors, where each part is told with a probe that has learned from
the parts before (online code: Voita and Titov 2020, section 2.2.2). A code that is no shorter than
log2 C a label says that the vectors know nothing of the labels.

Several probes, one a seed, are learned side by side. Axes: P probes, n examples, b of a batch, D
width of the vectors, H of the hidden layer, C classes.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

Kind = Literal["linear", "hidden"]
KINDS: tuple[Kind, ...] = ("linear", "hidden")
"""No hidden layer, or one."""

FRACTIONS = (0.001, 0.002, 0.004, 0.008, 0.016, 0.032, 0.0625, 0.125, 0.25, 0.5, 1.0)
"""Ends of the parts of an online code (Voita and Titov 2020, section 3.1)."""

UNKNOWN = -1
"""The label of a test example whose class was not learned: it counts as wrong."""

_HIDDEN_WIDTH = 128
_BATCH = 512
_RATES: dict[Kind, float] = {"linear": 1e-2, "hidden": 3e-3}
_LEAST_STEPS = 10  # between two looks at the validation part
_MOST_LOOKS = 30
_PATIENCE = 3  # looks without gain; after each the rate is halved
_CHUNK = 4096

Integers = NDArray[np.int64]


@dataclass(frozen=True)
class Part:
    """Vectors and what is to be read out of them."""

    vectors: Tensor
    """[n D], or [P n D] where each probe has vectors of its own."""
    labels: Tensor
    """Classes [n], or [P n]; :data:`UNKNOWN` in a test part only."""

    def __len__(self) -> int:
        return self.labels.shape[-1]


@dataclass(frozen=True)
class Probed:
    """What P probes found."""

    accuracy: list[float]
    """Right labels of the test part, in a hundred [P]."""
    bits: list[float]
    """Length of the online code of the training labels [P]."""


class Probes(nn.Module):
    """P classifiers side by side; at first each gives every class the same chance."""

    def __init__(self, kind: Kind, width: int, classes: int, seeds: Sequence[int]) -> None:
        super().__init__()
        count = len(seeds)
        inner = _HIDDEN_WIDTH if kind == "hidden" else width
        self.first: nn.Parameter | None = None
        if kind == "hidden":
            drawn = [torch.Generator().manual_seed(seed) for seed in seeds]
            weights = [torch.randn(width, inner, generator=each) for each in drawn]
            self.first = nn.Parameter(torch.stack(weights) / math.sqrt(width))
            self.first_bias = nn.Parameter(torch.zeros(count, 1, inner))
        self.last = nn.Parameter(torch.zeros(count, inner, classes))
        self.bias = nn.Parameter(torch.zeros(count, 1, classes))

    def forward(self, vectors: Tensor) -> Tensor:
        """Logits [P b C] of vectors [P b D]."""
        if self.first is not None:
            vectors = torch.relu(torch.baddbmm(self.first_bias, vectors, self.first))
        return torch.baddbmm(self.bias, vectors, self.last)


def probe(
    kind: Kind,
    train: Part,
    validation: Part,
    test: Part,
    groups: Integers,
    classes: int,
    seeds: Sequence[int],
) -> Probed:
    """Learn P probes on each beginning of the training part, and tell what follows with them.

    Args:
        kind: with a hidden layer or without.
        train: what is learned from and told; its vectors are best standardised.
        validation: decides when to stop.
        test: what accuracy is measured on.
        groups: the text of each training example [n], rising; each seed shuffles texts, not
            examples, so that nothing of a text that is told has been learned from.
        classes: C.
        seeds: one a probe.
    """
    orders = torch.from_numpy(np.stack([_order(groups, seed) for seed in seeds]))
    ends = sorted({min(len(train), max(1, round(share * len(train)))) for share in FRACTIONS})
    bits = torch.full((len(seeds),), ends[0] * math.log2(classes))
    for end, after in zip(ends, [*ends[1:], 0], strict=True):
        probes = fit(kind, train, orders[:, :end], validation, classes, seeds)
        if after:
            bits += _told(probes, train, orders[:, end:after])
    return Probed(_accuracy(probes, test, len(seeds)), bits.tolist())


def _order(groups: Integers, seed: int) -> Integers:
    """Examples in an order that keeps those of a text together [n]."""
    borders = np.flatnonzero(np.diff(groups)) + 1
    texts = np.split(np.arange(len(groups)), borders)
    shuffled = np.random.default_rng(seed).permutation(len(texts))
    return np.concatenate([texts[text] for text in shuffled])


@torch.enable_grad()
def fit(
    kind: Kind,
    train: Part,
    orders: Tensor,
    validation: Part,
    classes: int,
    seeds: Sequence[int],
) -> Probes:
    """Adam until the validation part gets no better; each probe keeps its best weights.

    Args:
        kind: as for :func:`probe`.
        train: the whole training part.
        orders: which examples of it each probe learns from [P k].
        validation: as for :func:`probe`.
        classes: C.
        seeds: one a probe.
    """
    probes = Probes(kind, train.vectors.shape[-1], classes, seeds)
    optimizer = torch.optim.Adam(probes.parameters(), lr=_RATES[kind])
    best = _loss(probes, validation, len(seeds))
    kept = [parameter.detach().clone() for parameter in probes.parameters()]
    batches = _Batches(orders, seeds)
    stale = 0
    for _ in range(_MOST_LOOKS):
        for _ in range(max(_LEAST_STEPS, batches.of_an_epoch)):
            vectors, labels = _chosen(train, batches.next())
            loss = F.cross_entropy(probes(vectors).flatten(0, 1), labels.flatten())
            optimizer.zero_grad()
            (loss * len(seeds)).backward()  # type: ignore[no-untyped-call]
            optimizer.step()
        now = _loss(probes, validation, len(seeds))
        better = now < best
        best = torch.minimum(now, best)
        for old, new in zip(kept, probes.parameters(), strict=True):
            old[better] = new.detach()[better]
        stale = 0 if better.any() else stale + 1
        if stale == _PATIENCE:
            break
        if stale:
            for group in optimizer.param_groups:
                group["lr"] /= 2
    with torch.no_grad():
        for old, new in zip(kept, probes.parameters(), strict=True):
            new.copy_(old)
    return probes


class _Batches:
    """Examples of P probes, each in an order of its own, again and again."""

    def __init__(self, orders: Tensor, seeds: Sequence[int]) -> None:
        self.orders = orders
        self.size = min(_BATCH, orders.shape[1])
        self.of_an_epoch = orders.shape[1] // self.size
        self._drawn = [np.random.default_rng([seed, 1]) for seed in seeds]
        self._place = self.of_an_epoch

    def next(self) -> Tensor:
        """The next examples [P b]."""
        if self._place == self.of_an_epoch:
            shuffled = [each.permutation(self.orders.shape[1]) for each in self._drawn]
            self.orders = self.orders.gather(1, torch.from_numpy(np.stack(shuffled)))
            self._place = 0
        start = self._place * self.size
        self._place += 1
        return self.orders[:, start : start + self.size]


def _chosen(part: Part, places: Tensor) -> tuple[Tensor, Tensor]:
    """Vectors [P b D] and labels [P b] of places [P b]."""
    probes = torch.arange(len(places))[:, None]
    own = part.vectors.ndim == 3
    vectors = part.vectors[probes, places] if own else part.vectors[places]
    return vectors, part.labels[probes, places] if part.labels.ndim == 2 else part.labels[places]


def _losses(probes: Probes, part: Part, places: Tensor) -> Tensor:
    """Nats of each label [P k]."""
    found = list[Tensor]()
    with torch.no_grad():
        for some in torch.split(places, _CHUNK, dim=1):
            vectors, labels = _chosen(part, some)
            logits = probes(vectors).transpose(1, 2)
            found.append(F.cross_entropy(logits, labels, reduction="none"))
    return torch.cat(found, dim=1)


def _everywhere(part: Part, count: int) -> Tensor:
    return torch.arange(len(part)).expand(count, -1)


def _loss(probes: Probes, part: Part, count: int) -> Tensor:
    return _losses(probes, part, _everywhere(part, count)).mean(dim=1)


def _told(probes: Probes, part: Part, places: Tensor) -> Tensor:
    """Bits of the labels there [P]."""
    return _losses(probes, part, places).sum(dim=1) / math.log(2)


def _accuracy(probes: Probes, test: Part, count: int) -> list[float]:
    right = torch.zeros(count)
    with torch.no_grad():
        for some in torch.split(_everywhere(test, count), _CHUNK, dim=1):
            vectors, labels = _chosen(test, some)
            right += (probes(vectors).argmax(-1) == labels).sum(dim=1)
    return (100 * right / len(test)).tolist()
