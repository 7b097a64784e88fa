"""Where heads look along the relations of a treebank (Voita et al. 2019; Clark et al. 2019).

Subwords are joined to words: the sum over the pieces that are looked at, the mean over those that
look. A case is a word with a relation, looking for its head, or for its dependents of one relation,
any of which is right. Three figures stand beside each other: how often the head's largest weight
falls there; how often a fixed offset would; and how often the largest weight of *other* words of
the sentence, unrelated to these, falls there too. A head that looks at full stops from everywhere
finds many of them, and follows no relation.

Axes: W words, C pieces, H heads of all layers, O offsets, P cases of a sentence, N of all.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from seqloom.corpus.trees import Tree
from seqloom.inspection.head_reading import Looks
from seqloom.inspection.head_statistics import OFFSETS, largest

TO_HEAD, TO_DEPENDENT = "to the head", "to the dependent"


class Relation(NamedTuple):
    """A relation as the treebank names it, and which way a head looks along it."""

    name: str
    direction: str
    """:data:`TO_HEAD` or :data:`TO_DEPENDENT`."""

    def __str__(self) -> str:
        return f"{self.name}, {self.direction}"


class Case(NamedTuple):
    """A word that looks, and where it should."""

    relation: Relation
    looker: int
    targets: tuple[int, ...]


class Found(NamedTuple):
    """What was found in the cases of one relation."""

    hits: np.ndarray
    """Whether each head's largest weight falls on a target [N H]."""
    others: np.ndarray
    """Share of unrelated words whose largest weight falls on it, NaN where there is none [N H]."""
    offsets: np.ndarray
    """Whether a target stands at the offset [N O]."""
    sentences: np.ndarray
    """Number of the sentence [N]."""
    forms: set[tuple[str, str]]
    """Pairs of words that stand in the relation, in lower case."""


def cases(tree: Tree) -> list[Case]:
    """All cases of a sentence; a root looks for no head."""
    found = dict[tuple[Relation, int], list[int]]()
    for word, (head, name) in enumerate(zip(tree.heads, tree.sentence.tags, strict=True)):
        if head >= 0:
            found[Relation(name, TO_HEAD), word] = [head]
            found.setdefault((Relation(name, TO_DEPENDENT), head), []).append(word)
    return [Case(relation, word, tuple(targets)) for (relation, word), targets in found.items()]


@dataclass
class Syntax:
    """The cases of all sentences, batch by batch."""

    paths: dict[str, int] = field(default_factory=dict)
    """Layers that look from words to words of the same text -> number of their heads."""
    _cases: dict[Relation, list[tuple[np.ndarray, ...]]] = field(default_factory=dict)
    _forms: dict[Relation, set[tuple[str, str]]] = field(default_factory=dict)

    def add(
        self,
        looks: Sequence[Looks],
        trees: Sequence[Tree],
        numbers: Sequence[int],
        firsts: Sequence[Sequence[int]],
    ) -> None:
        """Take in one batch.

        Args:
            looks: of its layers.
            trees: of its sentences.
            numbers: of the sentences.
            firsts: the place of the first piece of each word of each sentence, as the model reads.
        """
        own = [each for each in looks if each.part in ("encoder", "text")]
        for each in own:
            self.paths.setdefault(each.path, each.weights.shape[1])
        if not own:
            return
        joined = [_best_words(each, firsts) for each in own]
        best = torch.cat([words for words, _ in joined], dim=1).cpu().numpy()  # [B H W]
        seen = joined[0][1].cpu().numpy()
        for row, (tree, number) in enumerate(zip(trees, numbers, strict=True)):
            size = len(tree.heads)
            self._sentence(tree, number, best[row, :, :size], seen[row, :size, :size])

    def found(self) -> dict[Relation, Found]:
        """Every relation that occurred, by name and direction."""
        found = dict[Relation, Found]()
        for relation, several in sorted(self._cases.items()):
            hits, others, offsets, sentences = map(np.concatenate, zip(*several, strict=True))
            forms = self._forms[relation]
            found[relation] = Found(hits, others, offsets, sentences, forms)
        return found

    def _sentence(self, tree: Tree, number: int, best: np.ndarray, seen: np.ndarray) -> None:
        """Take in one sentence: ``best`` [H W], and what each word sees [W W]."""
        words = [word.lower() for word in tree.sentence.words]
        some, rows = list[Case](), dict[Relation, list[int]]()
        for case in cases(tree):
            targets = tuple(word for word in case.targets if seen[case.looker, word])
            if targets:
                rows.setdefault(case.relation, []).append(len(some))
                some.append(case._replace(targets=targets))
                pairs = ((words[case.looker], words[target]) for target in targets)
                self._forms.setdefault(case.relation, set()).update(pairs)
        if not some:
            return
        measured = *_measure(some, tree.heads, best, seen), np.full(len(some), number)
        for relation, own in rows.items():
            self._cases.setdefault(relation, []).append(tuple(each[own] for each in measured))


def _measure(
    some: Sequence[Case], heads: Sequence[int], best: np.ndarray, seen: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Hits [P H], rates of other words [P H] and hits of the offsets [P O]."""
    size = len(heads)
    right = np.zeros((len(some), size + 1), dtype=bool)  # nowhere, -1, is the last column
    for row, case in enumerate(some):
        right[row, list(case.targets)] = True
    lookers = np.array([case.looker for case in some])
    landed = right[:, best]  # [P H W]
    hits = landed[np.arange(len(some)), :, lookers]
    linked = np.zeros((size, size + 1), dtype=bool)
    linked[np.arange(size), list(heads)] = True  # the root is linked with nowhere
    linked = linked[:, :size] | linked[:, :size].T | np.eye(size, dtype=bool)
    near = (right[:, :size] @ linked) > 0
    able = (right[:, :size] @ seen.T) > 0  # [P W]: who sees a target
    others = able & ~near
    others[np.arange(len(some)), lookers] = False
    number = others.sum(axis=1)[:, None]
    with np.errstate(invalid="ignore"):
        rates = (landed & others[:, None]).sum(axis=2) / np.where(number, number, np.nan)
    places = lookers[:, None] + np.array(OFFSETS)
    inside = (places >= 0) & (places < size)
    offsets = np.take_along_axis(right, np.where(inside, places, size), axis=1)
    return hits, rates, offsets


def _best_words(each: Looks, firsts: Sequence[Sequence[int]]) -> tuple[Tensor, Tensor]:
    """The word that each word looks at most [B H W], or -1; and which words each sees [B W W]."""
    pieces = each.columns.text
    longest = max(map(len, firsts))
    member = torch.zeros(len(firsts), longest, pieces.shape[1], device=pieces.device)
    ends = pieces.shape[1] - pieces.flip(1).long().argmax(dim=1)  # behind the last piece
    for row, (starts, end) in enumerate(zip(firsts, ends.tolist(), strict=True)):
        for word, (begin, after) in enumerate(zip(starts, [*starts[1:], end], strict=True)):
            member[row, word, begin:after] = 1
    mean = member / member.sum(dim=-1, keepdim=True).clamp(min=1)
    shares = mean[:, None] @ each.weights @ member.transpose(1, 2)[:, None]
    seen = (member @ each.visible.float() @ member.transpose(1, 2)) > 0
    return largest(shares, seen), seen
