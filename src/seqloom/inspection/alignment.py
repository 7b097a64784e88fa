"""Word alignments out of cross-attention.

Each target word is linked with the source word that attention gives the largest share to, in a
head or in the mean of a layer. Some Transformers look at a word's translation one step later, when
they have read the word rather than when they write it (Chen et al. 2020, section 3.1); so both are
tried.

Axes: H heads, T target words, S source words.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from seqloom.corpus.alignments import Gold, Link
from seqloom.evaluation.alignment import agreement, alignment
from seqloom.inspection.attention import AttentionRecord
from seqloom.inspection.flows import joined

Links = frozenset[Link]


@dataclass(frozen=True)
class Way:
    """Where in a model an alignment is read."""

    layer: int
    head: int | None
    """None: the mean of the layer's heads."""
    later: bool
    """When the word has been read, not when it is written."""

    def __str__(self) -> str:
        head = "mean of the heads" if self.head is None else f"head {self.head}"
        return f"layer {self.layer}, {head}, when {'read' if self.later else 'written'}"


def links_by_way(record: AttentionRecord, front: tuple[int, int] = (0, 0)) -> dict[Way, Links]:
    """The alignment of one pair in every way.

    Args:
        record: of a translator, with the words of both sides.
        front: how many tokens stand before the words of source and target, such as languages.
    """
    source, target = (record.words[name] for name in ("source", "written"))
    found = dict[Way, Links]()
    for layer, each in enumerate(record.of_part("cross")):
        for later in (False, True):
            weights = each.weights
            if later:  # row r of the next step has read what row r writes
                weights = np.concatenate([weights[:, 1:], weights[:, -1:]], axis=1)
            shares = joined(replace(each, weights=weights), target, source).weights
            words = shares[:, front[1] : -1, front[0] : -1]  # without the ends
            found[Way(layer, None, later)] = links_of(words.mean(axis=0))
            if len(words) > 1:
                found |= {Way(layer, h, later): links_of(head) for h, head in enumerate(words)}
    return found


def links_of(shares: np.ndarray) -> Links:
    """Each target word with its source word of the largest share [T S]."""
    if not shares.size:
        return frozenset()
    return frozenset((int(s), t) for t, s in enumerate(shares.argmax(axis=1)))


def best_by_agreement(
    forward: Mapping[Way, Sequence[Links]], backward: Mapping[Way, Sequence[Links]]
) -> tuple[Way, Way]:
    """The ways of two models of opposite directions whose alignments agree most.

    No gold is needed: what both find by themselves is likely right (Chen et al. 2020, section 3.2).

    Args:
        forward: links of each pair in every way of the model of this direction.
        backward: likewise of the other direction, turned so that the source comes first.
    """
    pairs = [(one, other) for one in forward for other in backward]
    return max(pairs, key=lambda ways: agreement(forward[ways[0]], backward[ways[1]]))


def best_by_gold(links: Mapping[Way, Sequence[Links]], gold: Sequence[Gold]) -> Way:
    """The way with the lowest error rate."""
    return min(links, key=lambda way: alignment(links[way], gold, samples=1).aer)


def cross_fitted(
    links: Mapping[Way, Sequence[Links]], gold: Sequence[Gold]
) -> tuple[list[Links], tuple[Way, Way]]:
    """Links of every pair, read in the way that is best on the half of the gold it is not in.

    So the choice has not seen what it is judged by. Pairs with sure links are dealt out in turns,
    the others likewise: each half can choose, wherever in the gold the sure links stand. Returns
    the ways chosen for both halves, too: the first is for the half of the first pair with sure
    links.

    Raises:
        ValueError: fewer than two pairs have sure links, so one half could not choose.
    """
    turns = sorted(range(len(gold)), key=lambda pair: not gold[pair].sure)
    sure = sum(bool(each.sure) for each in gold)
    if sure < 2:
        raise ValueError(f"{sure} pairs with sure links; expected two, one in each half")
    halves = [[*turns[:sure][half::2], *turns[sure:][half::2]] for half in (0, 1)]
    ways = [
        best_by_gold(
            {way: [each[pair] for pair in other] for way, each in links.items()},
            [gold[pair] for pair in other],
        )
        for other in reversed(halves)
    ]
    way_of = {pair: way for half, way in zip(halves, ways, strict=True) for pair in half}
    return [links[way_of[pair]][pair] for pair in range(len(gold))], (ways[0], ways[1])


def means_only(ways: Iterable[Way]) -> list[Way]:
    """The ways that read a whole layer."""
    return [way for way in ways if way.head is None]
