"""What a search saw and decided, step by step, noted from inside it.

Search calls the functions ``note_...``; without a trace each is one look at a context variable.
With one, search computes the same numbers in the same order, so it finds the same. A trace follows
the search of one sentence or prompt.

Axes: R rows, M candidates of search, V vocabulary, C tokens that may be drawn.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from seqloom.decoding.candidates import Candidates
from seqloom.decoding.constraints import Constraints, Rule

Fate = Literal["kept", "finished", "pruned", "forbidden"]
Progress = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Candidate:
    """A hypothesis with one more token, and what became of it."""

    parent: int
    """What it continues, as a place among the candidates of the step before; -1 at first."""
    token: int
    log_probability: float
    """Of the token, as the models give it, before any rule forbids it."""
    fate: Fate
    rule: Rule | None = None
    """What forbids it."""
    rank: int | None = None
    """Its place, from 1, among all that the rules allow at this step; in a walk, of its row."""
    missed: float | None = None
    """Pruned: by how much log-probability the last that was taken is ahead."""
    draw: float | None = None
    """Sampling: the probability with which it is drawn."""


@dataclass(frozen=True)
class Stop:
    """Why beam search ended."""

    step: int
    """After which step, from 0."""
    attainable: float
    """The best score that an open hypothesis could still reach; minus infinity: none was open."""
    worst: float
    """The score of the last of the n-best; minus infinity: too few have finished."""

    @property
    def final(self) -> bool:
        """True where nothing could enter the n-best, False at the longest output."""
        return self.attainable <= self.worst


class Trace:
    """The candidates of every step: those that search took, and the likeliest of each hypothesis.

    Args:
        count: how many of the likeliest tokens of each open hypothesis are noted.
        watched: tokens of an output whose way is noted for as long as it is open, likely or not.
        progress: told how many steps have been taken, and how many there are at most.
    """

    def __init__(
        self, count: int, watched: Sequence[int] = (), progress: Progress | None = None
    ) -> None:
        self.steps: list[list[Candidate]] = []
        self.stop: Stop | None = None
        """Of beam search."""
        self.longest = 0
        """The longest output in tokens."""
        self._count = count
        self._progress = progress
        self._watched = tuple(watched)
        self._watched_row: int | None = 0
        self._open: list[int | None] = []
        """For each row the place of its hypothesis in the last step; None where there is none."""
        self._given = torch.empty(0)
        self._shares = torch.empty(0)
        self._drawable: Tensor | None = None

    def given(self, log_probabilities: Tensor) -> None:
        """Keep what the models say [R V] before rules change it."""
        self._given = log_probabilities.clone()
        if not self.steps:
            self._open = [-1] * len(log_probabilities)

    def pooled(self, shares: Tensor, ids: Tensor | None) -> None:
        """Keep with which weight [R C] each of ``ids`` [R C], or of all, may be drawn."""
        self._shares = shares / shares.sum(dim=1, keepdim=True)
        self._drawable = ids

    def extended(
        self,
        allowed: Tensor,
        totals: Tensor,
        taken: Candidates,
        ended: Tensor,
        going_on: Candidates,
        constraints: Constraints,
    ) -> None:
        """A step of beam search: see :func:`note_extension`."""
        self._begin_step(constraints)
        sums = allowed + totals.reshape(-1, 1)
        kept = _places(going_on, going_on.totals[0].isfinite())
        finished = _places(taken, ended[0])
        live = [row for row, place in enumerate(self._open) if place is not None]
        wanted = dict.fromkeys([*kept, *finished, *self._likely(live), *self._ahead()])
        ranks = _ranks(sums, wanted)
        last = float(going_on.totals[0][going_on.totals[0].isfinite()].amin()) if kept else None
        found = []
        for (row, token), rank in zip(wanted, ranks, strict=True):
            total = float(sums[row, token])
            bar = float(taken.totals[0, -1]) if token == constraints.symbols.end else last
            fate: Fate = "kept" if (row, token) in kept else "pruned"
            fate = "finished" if (row, token) in finished else fate
            rule = None
            if total == -torch.inf:
                fate, rule = "forbidden", constraints.rule(token, len(self.steps))
            missed = bar - total if fate == "pruned" and bar is not None else None
            found.append(self._candidate(row, token, fate, rule, rank, missed))
        self._follow(kept)
        self._end_step(found, wanted, kept)

    def chose(
        self, allowed: Tensor, chosen: Tensor, is_open: Tensor, constraints: Constraints
    ) -> None:
        """A step of a walk: see :func:`note_choice`."""
        self._begin_step(constraints)
        live = is_open.nonzero().squeeze(1).tolist()
        tokens = chosen.tolist()
        taken = [(row, tokens[row]) for row in live]
        wanted = dict.fromkeys([*taken, *self._likely(live), *self._ahead()])
        found = []
        for row, token in wanted:
            value, own = float(allowed[row, token]), float(allowed[row, tokens[row]])
            fate: Fate = "kept" if token == tokens[row] else "pruned"
            fate = "finished" if token == tokens[row] == constraints.symbols.end else fate
            rule, rank = None, 1 + int((allowed[row] > value).sum())
            if value == -torch.inf:
                fate, rule = "forbidden", constraints.rule(token, len(self.steps))
            missed = own - value if fate == "pruned" else None
            found.append(self._candidate(row, token, fate, rule, rank, missed))
        self._follow({pair: pair[0] for pair in taken})
        going_on = dict(taken)
        self._end_step(
            found, wanted, [(r, going_on[r]) if r in going_on else None for r in range(len(tokens))]
        )

    def _begin_step(self, constraints: Constraints) -> None:
        assert len(constraints.limits) == 1, "a trace follows the search of one sentence"
        self.longest = int(constraints.limits[0])

    def _candidate(
        self,
        row: int,
        token: int,
        fate: Fate,
        rule: Rule | None,
        rank: int,
        missed: float | None,
    ) -> Candidate:
        parent = self._open[row]
        assert parent is not None, "an open row has a hypothesis"
        draw = None
        if len(self._shares):
            shares, ids = self._shares[row], self._drawable
            draw = float(shares[token] if ids is None else shares[ids[row] == token].sum())
        log_probability = float(self._given[row, token])
        ranked = None if fate == "forbidden" else rank
        return Candidate(parent, token, log_probability, fate, rule, ranked, missed, draw)

    def _likely(self, rows: Sequence[int]) -> Iterator[tuple[int, int]]:
        """The likeliest tokens of rows, forbidden or not."""
        count = min(self._count, self._given.shape[1])
        for row in rows:
            values, tokens = self._given[row].topk(count)
            for token in tokens[values.isfinite()].tolist():
                yield row, token

    def _ahead(self) -> Iterator[tuple[int, int]]:
        """The next token of the output that is watched, while it is open."""
        if self._watched_row is not None and len(self.steps) < len(self._watched):
            yield self._watched_row, self._watched[len(self.steps)]

    def _follow(self, kept: dict[tuple[int, int], int]) -> None:
        ahead = next(self._ahead(), None)
        self._watched_row = None if ahead is None else kept.get(ahead)

    def _end_step(
        self,
        found: list[Candidate],
        wanted: Iterable[tuple[int, int]],
        going_on: Iterable[tuple[int, int] | None],
    ) -> None:
        places = {each: place for place, each in enumerate(wanted)}
        self.steps.append(found)
        if self._progress is not None:
            self._progress("searching", len(self.steps), self.longest)
        self._open = [None if each is None else places[each] for each in going_on]


def _places(candidates: Candidates, wanted: Tensor) -> dict[tuple[int, int], int]:
    """Row and token of the candidates where ``wanted`` [M] holds, and their places."""
    pairs = zip(candidates.rows[0].tolist(), candidates.ids[0].tolist(), strict=True)
    return {
        pair: i for i, (pair, there) in enumerate(zip(pairs, wanted.tolist(), strict=True)) if there
    }


def _ranks(sums: Tensor, wanted: Iterable[tuple[int, int]]) -> list[int]:
    """The places, from 1, of rows and tokens among sums [R V], equal ones sharing the best."""
    rows, tokens = zip(*wanted, strict=True)
    values = sums[list(rows), list(tokens)]
    finite = values[values.isfinite()]
    above = sums[sums >= finite.amin()] if len(finite) else sums[:0].flatten()
    rising = above.sort().values
    return (1 + len(rising) - torch.searchsorted(rising, values, right=True)).tolist()


_active: ContextVar[Trace | None] = ContextVar("trace", default=None)


@contextmanager
def traced(
    count: int, watched: Sequence[int] = (), progress: Progress | None = None
) -> Iterator[Trace]:
    """Note what is searched inside the block; see :class:`Trace`."""
    trace = Trace(count, watched, progress)
    token = _active.set(trace)
    try:
        yield trace
    finally:
        _active.reset(token)


def note_given(log_probabilities: Tensor) -> None:
    """What the models say [R V], before rules change it."""
    trace = _active.get()
    if trace is not None:
        trace.given(log_probabilities)


def note_pool(shares: Tensor, ids: Tensor | None) -> None:
    """With which weights [R C] tokens ``ids`` [R C], or all, may be drawn."""
    trace = _active.get()
    if trace is not None:
        trace.pooled(shares, ids)


def note_extension(
    allowed: Tensor,
    totals: Tensor,
    taken: Candidates,
    ended: Tensor,
    going_on: Candidates,
    constraints: Constraints,
) -> None:
    """A step of beam search.

    Args:
        allowed: log-probabilities [R V] of what the rules allow, others minus infinity.
        totals: of the open hypotheses [1 R].
        taken: the best continuations [1 M].
        ended: those of them that are finished [1 M].
        going_on: those of them that stay open.
        constraints: the rules.
    """
    trace = _active.get()
    if trace is not None:
        trace.extended(allowed, totals, taken, ended, going_on, constraints)


def note_choice(allowed: Tensor, chosen: Tensor, is_open: Tensor, constraints: Constraints) -> None:
    """A step of a walk: what the rows [R] that are open chose out of ``allowed`` [R V]."""
    trace = _active.get()
    if trace is not None:
        trace.chose(allowed, chosen, is_open, constraints)


def note_stop(step: int, attainable: Tensor, worst: Tensor) -> None:
    """Beam search ends after ``step``; scores [1] as of :class:`Stop`."""
    trace = _active.get()
    if trace is not None:
        trace.stop = Stop(step, float(attainable[0]), float(worst[0]))
