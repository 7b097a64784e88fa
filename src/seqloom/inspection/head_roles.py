"""Which role a head has, and on what evidence (Voita et al. 2019, section 5).

A role is accepted where the lower end of the interval of its figure reaches a bar, after
Bonferroni's correction for all heads and all that was tried with each, and where there were enough
cases. So a head of random weights has none, however many heads and relations are tried.

Axes: N texts, H heads of a layer, O offsets.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np

from seqloom.evaluation.bootstrap import interval, resampled
from seqloom.evaluation.shares import Numbers, deviations, effective, wilson
from seqloom.inspection.head_places import layers_of
from seqloom.inspection.head_statistics import OFFSETS, RAREST, Statistics, Sums
from seqloom.inspection.head_syntax import TO_DEPENDENT, TO_HEAD, Found, Relation

POSITIONAL, SYNTACTIC, RARE = ROLES = ("positional", "syntactic", "rare token")
_WAYS = {TO_HEAD: "↑", TO_DEPENDENT: "↓"}
CONFIDENCE = 0.95
STANDS = 0.9
"""Share of cases in which a positional head looks at one offset (Voita et al. 2019, 5.1)."""
MARGIN = 0.1
"""How much better than any fixed offset, and than unrelated words, a syntactic head is (ibid.)."""
RARELY = (1 / 2, 2 / 3)
"""Share of cases in which a rare-token head looks at the rarest token, at one of the two rarest."""
CASES, TEXTS, KINDS = 50, 10, 10
"""Cases, texts with cases, and different tokens (or pairs of words) that a role needs at least."""


LIKELIHOOD, BLEU = "log-likelihood", "BLEU"
"""What is lost without a head: nats a token, and points of sacreBLEU."""
OWN_BLEU = "BLEU against the model's own output"
"""The same where nothing else is given to be translated into: the whole model has 100."""


def counted(loss: str) -> str:
    """What n of a loss counts."""
    return {LIKELIHOOD: "tokens", BLEU: "texts", OWN_BLEU: "texts"}.get(loss, "cases")


def offset_name(offset: int) -> str:
    """Such as ``offset -1``."""
    return f"offset {offset:+d}" if offset else "offset 0"


@dataclass(frozen=True)
class Measure:
    """A mean with its 95 % interval."""

    value: float
    low: float
    high: float
    n: int
    """Tokens; of BLEU texts, of baselines cases (0 where they were not kept)."""


@dataclass(frozen=True)
class Evidence:
    """How often a head's largest weight falls where a role would have it."""

    role: str
    """One of :data:`ROLES`."""
    name: str
    """Such as ``offset -1`` or ``nsubj, to the head``."""
    value: float
    """Share of the cases."""
    low: float
    """Lower end of the 95 % interval."""
    high: float
    n: int
    """Cases."""
    floor: float
    """Lower end of the interval that holds for all heads and tests together."""
    bar: float
    """What ``floor`` must reach."""
    enough: bool
    """Whether there are cases enough to say so."""
    against: dict[str, Measure] = field(default_factory=dict)
    """Baselines: what else would find as much, and how much it finds."""

    @property
    def accepted(self) -> bool:
        """Whether the head has the role."""
        return self.enough and self.floor >= self.bar

    @property
    def short(self) -> str:
        """As it fits into a map: an offset, a relation and which way, or ``rare``."""
        if self.role == RARE:
            return "rare"
        name, _, direction = self.name.partition(", ")
        return f"{name.removeprefix('offset ')}{_WAYS.get(direction, '')}"


@dataclass(frozen=True)
class Head:
    """One head, and all that is known of it."""

    path: str
    """Of its layer in the model."""
    part: str
    layer: int
    """From 0, within the part."""
    head: int
    """From 0, within the layer."""
    confidence: Measure
    """Mean largest weight, the symbols around the text left out."""
    spread: Measure
    """Mean entropy over the logarithm of the length: 0 for one column, 1 for all alike."""
    rest: Measure
    """Mean share of the symbols around the text, where a head looks that has nothing to do (Clark
    et al. 2019, section 3.2)."""
    evidence: list[Evidence]
    importance: dict[str, Measure] = field(default_factory=dict)
    """Figure -> what it loses when the head alone is switched off."""

    @property
    def accepted(self) -> list[Evidence]:
        """The evidence of its roles, the clearest first."""
        return [each for each in self.nearest if each.accepted]

    @property
    def nearest(self) -> list[Evidence]:
        """All evidence with cases enough, what is nearest to being a role first."""
        found = [each for each in self.evidence if each.enough]
        return sorted(found, key=lambda each: each.bar - each.floor)

    @property
    def roles(self) -> list[str]:
        """In the order of :data:`ROLES`."""
        return [role for role in ROLES if any(each.role == role for each in self.accepted)]


def heads_of(
    statistics: Statistics,
    relations: Mapping[Relation, Found] | None = None,
    layers: Mapping[str, int] | None = None,
) -> list[Head]:
    """Every head with its evidence.

    Args:
        statistics: of any texts.
        relations: of a treebank, if there is one.
        layers: path -> heads, in the order of the heads of ``relations``.
    """
    relations, layers = relations or {}, layers or {}
    sums = {path: statistics.of(path) for path in statistics.parts}
    number = sum(each.confidence.shape[1] for each in sums.values())
    syntax = _syntax(relations, sum(layers.values()))
    places = [(path, head) for path, heads in layers.items() for head in range(heads)]
    by_relation = {place: syntax[index] for index, place in enumerate(places)} if syntax else {}
    found = list[Head]()
    for path, part, layer in layers_of(statistics.parts):
        each = sums[path]
        general = [*_positional(each, number), *_rare(each, number, statistics.kinds(part))]
        averages = [
            means(figures, each.rows) for figures in (each.confidence, each.spread, each.rest)
        ]
        for head in range(each.confidence.shape[1]):
            evidence = [column[head] for column in general] + by_relation.get((path, head), [])
            confidence, spread, rest = (mean[head] for mean in averages)
            found.append(Head(path, part, layer, head, confidence, spread, rest, evidence))
    return found


def told(each: Measure | Evidence, digits: int = 2) -> str:
    """A figure and its interval for people, such as ``0.62 [.60, .64]``."""
    low, high = (f"{end:.{digits}f}".replace("0.", ".", 1) if abs(end) < 1 else f"{end:.{digits}f}"
                 for end in (each.low, each.high))  # fmt: skip
    return f"{each.value:.{digits}f} [{low}, {high}]"


def means(sums: Numbers, rows: Numbers) -> list[Measure]:
    """Means of each head with bootstrap intervals over texts; ``sums`` [N H], ``rows`` [N]."""
    drawn = resampled(np.concatenate([sums, rows[:, None]], axis=1))
    spread = drawn[:, :-1] / np.maximum(drawn[:, -1:], 1)
    total = rows.sum()
    found = sums.sum(axis=0) / max(total, 1)
    return [
        Measure(float(value), *interval(column), int(total))
        for value, column in zip(found, spread.T, strict=True)
    ]


def _positional(each: Sums, heads: int) -> Iterator[list[Evidence]]:
    """Evidence of every offset, a list a head, at which half of all tokens or more could look."""
    tests = heads * len(OFFSETS)
    for index, offset in enumerate(OFFSETS):
        n = each.possible[:, index]
        enough = _enough(n) and bool(n.sum() >= each.rows.sum() / 2)
        hits = each.positions[:, :, index]
        yield _evidence(POSITIONAL, offset_name(offset), hits, n, tests, STANDS, enough, {})


def _rare(each: Sums, heads: int, kinds: int) -> Iterator[list[Evidence]]:
    """Evidence of rare tokens, a list a head."""
    tests = heads * len(RAREST)
    for index, least in enumerate(RARELY):
        n = each.chosen[:, index]
        [chance] = means(each.chance[:, index, None], n)
        bar, enough = max(least, chance.value + MARGIN), _enough(n) and kinds >= KINDS
        name = "the rarest token" if RAREST[index] == 1 else f"the {RAREST[index]} rarest tokens"
        hits = each.rare[:, :, index]
        yield _evidence(RARE, name, hits, n, tests, bar, enough, {"chance": chance})


def _syntax(relations: Mapping[Relation, Found], heads: int) -> list[list[Evidence]]:
    """Evidence of every relation, a list a head."""
    tests = heads * len(relations)
    columns = []
    for relation, each in relations.items():
        there = ~np.isnan(each.others)
        hits = _by_sentence(each.hits, each.sentences)
        n = _by_sentence(np.ones(there.shape), each.sentences)[:, 0]
        fixed = shares(_by_sentence(each.offsets, each.sentences), n)
        others = _by_sentence(np.where(there, each.others, 0), each.sentences)
        # Whether another word could look there is the same for all heads.
        unrelated = means(others, _by_sentence(there, each.sentences)[:, 0])
        best = max(range(len(OFFSETS)), key=lambda index: fixed[index].value)
        enough = _enough(n) and len(each.forms) >= KINDS
        column = []
        for head in range(heads):
            against = {offset_name(OFFSETS[best]): fixed[best], "other words": unrelated[head]}
            bar = max(baseline.value for baseline in against.values()) + MARGIN
            column += _evidence(
                SYNTACTIC, str(relation), hits[:, head : head + 1], n, tests, bar, enough, against
            )
        columns.append(column)
    return [list(row) for row in zip(*columns, strict=True)]


def _by_sentence(figures: Numbers, sentences: np.ndarray) -> Numbers:
    """Sums over the cases of each sentence that has some: of [cases H] to [sentences H]."""
    numbers, row = np.unique(sentences, return_inverse=True)
    sums = np.zeros((len(numbers), figures.shape[1]))
    np.add.at(sums, row, figures)
    return sums


def _enough(n: Numbers) -> bool:
    return bool(n.sum() >= CASES and (n > 0).sum() >= TEXTS)


def _evidence(
    role: str,
    name: str,
    hits: Numbers,
    n: Numbers,
    tests: int,
    bar: float,
    enough: bool,
    against: dict[str, Measure],
) -> list[Evidence]:
    """Evidence of each head out of hits [N H] in cases [N]."""
    corrected = 1 - (1 - CONFIDENCE) / tests
    pairs = zip(shares(hits, n), shares(hits, n, corrected), strict=True)
    return [
        Evidence(
            role, name, each.value, each.low, each.high, each.n, together.low, bar, enough, against
        )
        for each, together in pairs
    ]


def shares(hits: Numbers, n: Numbers, confidence: float = CONFIDENCE) -> list[Measure]:
    """Hits [N H] in the cases [N] of each text, as shares with Wilson's interval."""
    total = n.sum()
    share = hits.sum(axis=0) / max(total, 1)
    worth = effective(hits, np.broadcast_to(n[:, None], hits.shape))
    low, high = wilson(share, worth, deviations(confidence))
    columns = zip(share.tolist(), low.tolist(), high.tolist(), strict=True)
    return [Measure(value, least, most, int(total)) for value, least, most in columns]
