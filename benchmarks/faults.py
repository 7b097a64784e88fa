"""Faults planted in a clean corpus at known places, and how many of them the doctor finds.

Each kind of fault belongs to a sign of the doctor. A kind is exact if a definition decides whether
a pair has it: then what has it without being planted has it in truth, and is not counted against
the doctor. For the other kinds everything that was not planted counts as wrong.
"""

from __future__ import annotations

import random
import re
from bisect import bisect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from seqloom.corpus import Corpus
from seqloom.corpus.doctor import examine

Pairs = list[tuple[str, str]]
Numbers = Mapping[str, NDArray[np.int64]]

STRETCHES = 6
"""Stretches that are shifted."""
SHORTEST, LONGEST = 60, 120
"""Pairs of such a stretch."""
_OFFSETS = (1, -1, 2, -2, 3, -3)
_DIGITS = re.compile(r"\d+")


@dataclass
class Planting:
    """A corpus with faults.

    Args:
        pairs: the clean corpus; changed in place.
        held_out: pairs that are not in it.
        foreign: sentences in a third language.
        seed: the same seed plants the same.
    """

    pairs: Pairs
    held_out: Pairs
    foreign: list[str]
    seed: int = 1
    planted: dict[str, set[int]] = field(default_factory=dict)
    """Numbers of the pairs, from 1, with each kind of fault."""

    def __post_init__(self) -> None:
        self.random = random.Random(self.seed)
        self._clean = list(self.pairs)
        self._left: list[int] = []

    def plant(self, count: int) -> None:
        """Shift the stretches, then plant ``count`` faults of each other kind."""
        self._shift()
        free = [i for i in range(len(self.pairs)) if i + 1 not in self.planted["shifted"]]
        self.random.shuffle(free)
        places = {kind: [free.pop() for _ in range(count)] for kind in FAULTS}
        self._left = sorted(free)
        for kind, fault in FAULTS.items():
            self.planted[kind] = {place + 1 for place in places[kind]}
            for place in places[kind]:
                self.pairs[place] = fault.make(self, place)

    def other(self, before: int | None = None) -> tuple[str, str]:
        """A pair that stays as it is, anywhere in the corpus or before a place in it."""
        last = len(self._left) if before is None else bisect(self._left, before)
        return self._clean[self._left[self.random.randrange(max(last, 1))]]

    def _shift(self) -> None:
        """Each stretch takes the targets from a few pairs away, so the files stay equally long."""
        self.planted["shifted"] = set()
        width = len(self.pairs) // STRETCHES
        for number in range(STRETCHES):
            length = self.random.randint(SHORTEST, LONGEST)
            start = number * width + self.random.randint(10, width - length - 10)
            offset = self.random.choice(_OFFSETS)
            for place in range(start, start + length):
                self.pairs[place] = (self.pairs[place][0], self._clean[place - offset][1])
            self.planted["shifted"] |= set(range(start + 1, start + length + 1))


@dataclass(frozen=True)
class Fault:
    """One kind of fault: the sign that tells it, and the faulty pair for a place."""

    sign: str
    exact: bool
    make: Callable[[Planting, int], tuple[str, str]]


def _duplicate(planting: Planting, place: int) -> tuple[str, str]:
    return planting.other(before=place)


def _near_duplicate(planting: Planting, place: int) -> tuple[str, str]:
    source, target = planting.other(before=place)
    return source.upper() + " !", f"« {target} »"


def _leak(planting: Planting, place: int) -> tuple[str, str]:
    return planting.held_out.pop()


def _source_leak(planting: Planting, place: int) -> tuple[str, str]:
    return planting.held_out.pop()[0], planting.pairs[place][1]


def _empty(planting: Planting, place: int) -> tuple[str, str]:
    return planting.pairs[place][0], planting.random.choice(("", "  "))


def _identical(planting: Planting, place: int) -> tuple[str, str]:
    source = planting.pairs[place][0]
    return source, source


def _numbers(planting: Planting, place: int) -> tuple[str, str]:
    source, target = planting.pairs[place]
    if not _DIGITS.search(target):
        number = planting.random.randint(10, 999)
        return f"{source} ({number})", f"{target} ({number + 1})"
    return source, _DIGITS.sub(lambda found: str(int(found.group()) + 7), target, count=1)


def _placeholders(planting: Planting, place: int) -> tuple[str, str]:
    source, target = planting.pairs[place]
    broken = (
        (f"{source} %s", target),
        (f"{source} {{name}}", f"{target} {{nme}}"),
        (f"<b>{source}</b>", f"<b>{target}"),
        (f"{source} https://example.org/a", f"{target} https://example.org/b"),
        (f"{source} $total", f"{target} $ total"),
    )
    return planting.random.choice(broken)


def _control(planting: Planting, place: int) -> tuple[str, str]:
    source, target = planting.pairs[place]
    cut = planting.random.randrange(len(target) + 1)
    return source, target[:cut] + planting.random.choice("\x07\x85\ufffd\u202e\ue000") + target[
        cut:
    ]


def _repetition(planting: Planting, place: int) -> tuple[str, str]:
    source, target = planting.pairs[place]
    return source, target + planting.random.choice(("!" * 15, " ha" * 8, "." * 40))


def _script(planting: Planting, place: int) -> tuple[str, str]:
    """Each letter of the target becomes an Armenian one."""
    source, target = planting.pairs[place]
    return source, "".join(chr(0x561 + ord(c) % 38) if c.isalpha() else c for c in target)


def _language(planting: Planting, place: int) -> tuple[str, str]:
    source, target = planting.pairs[place]
    foreign = planting.random.choice(planting.foreign)
    return planting.random.choice(((source, foreign), (foreign, target)))


def _ratio(planting: Planting, place: int) -> tuple[str, str]:
    """Three more sentences at the end of one side."""
    source, target = planting.pairs[place]
    return source, " ".join((target, *(planting.other()[1] for _ in range(3))))


def _unrelated(planting: Planting, place: int) -> tuple[str, str]:
    return planting.pairs[place][0], planting.other()[1]


FAULTS = {
    "duplicate": Fault("duplicate", True, _duplicate),
    "near duplicate": Fault("near_duplicate", True, _near_duplicate),
    "leak": Fault("overlap", True, _leak),
    "source of a leak": Fault("overlap", True, _source_leak),
    "empty side": Fault("empty", True, _empty),
    "identical sides": Fault("identical", True, _identical),
    "numbers": Fault("numbers", True, _numbers),
    "placeholders, tags": Fault("placeholders", True, _placeholders),
    "control characters": Fault("control", True, _control),
    "repeated characters": Fault("repetition", True, _repetition),
    "wrong script": Fault("script", True, _script),
    "wrong language": Fault("language", False, _language),
    "more text on one side": Fault("ratio", False, _ratio),
    "another sentence": Fault("unrelated", False, _unrelated),
}
"""By kind; shifted stretches come in addition."""


@dataclass(frozen=True)
class Score:
    """How well the doctor finds one kind of fault."""

    kind: str
    exact: bool
    planted: int
    found: int
    wrong: int
    """Pairs with the sign that have no planted fault; of exact kinds, those that it newly has."""
    before: int
    """Pairs of the clean corpus with the sign."""

    @property
    def recall(self) -> float:
        """Share of the planted faults that were found."""
        return self.found / self.planted

    @property
    def precision(self) -> float:
        """Share of the found pairs that were planted."""
        return self.found / max(self.found + self.wrong, 1)


def judge(clean: Corpus, held_out: Pairs, foreign: list[str], count: int) -> list[Score]:
    """Examine a corpus before and after planting ``count`` faults of each kind."""
    codes = clean.source_language, clean.target_language
    pairs = [(pair.source, pair.target) for pair in clean.pairs()]
    sets = {"held out": Corpus.of(held_out)}
    before = examine(clean, held_out=sets).numbers
    planting = Planting(pairs, list(held_out), foreign)
    planting.plant(count)
    after = examine(Corpus.of(pairs, clean.name, *codes), held_out=sets).numbers
    kinds = {"shifted": Fault("shifted", False, _unrelated), **FAULTS}
    return [_score(kind, fault, planting.planted, before, after) for kind, fault in kinds.items()]


def _score(
    kind: str, fault: Fault, planted: Mapping[str, set[int]], before: Numbers, after: Numbers
) -> Score:
    usual, found = (set(numbers[fault.sign].tolist()) for numbers in (before, after))
    wrong = found.difference(*planted.values(), usual if fault.exact else ())
    here = planted[kind]
    return Score(kind, fault.exact, len(here), len(found & here), len(wrong), len(usual))
