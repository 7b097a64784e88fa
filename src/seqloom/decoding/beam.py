"""Beam search: the N best open hypotheses of each sentence go on, the finished ones are set aside.

At every step the 2N best continuations of a sentence's open hypotheses are kept, over rows and
vocabulary together. Each row ends in one way only, by the symbol of the end, so at least N of the
2N do not end: the best N of them stay open. Those that end are finished and scored; the best
``nbest`` finished ones are remembered. At the maximum length the search ends, and if fewer than
``nbest`` have finished, the best open ones follow them, scored as they are, without an end.

When a sentence may stop before that. Let w be the worst score of its ``nbest`` finished
hypotheses, l <= 0 the best total log-probability of its open ones, p the length penalty, L the
maximum length. A hypothesis that finishes later continues an open one by tokens of log-probability
at most 0, so its total is l' <= l <= 0, at a length n <= L. The penalty is positive and, as
alpha >= 0, never falls with the length: 0 < p(n) <= p(L). Hence its score is l'/p(n) <= l/p(n)
<= l/p(L). Once l/p(L) <= w, no later hypothesis can beat w, and the result is final.

Axes: B sentences, N open hypotheses, R = B*N rows side by side, V vocabulary, K = nbest.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from seqloom.decoding.candidates import Candidates, Finished
from seqloom.decoding.constraints import Constraints
from seqloom.decoding.ensemble import Ensemble, staying
from seqloom.decoding.history import Ending, History
from seqloom.decoding.hypothesis import Hypothesis, best_first
from seqloom.decoding.penalties import Penalty
from seqloom.decoding.top import top
from seqloom.decoding.trace import note_extension, note_given, note_stop


@dataclass(frozen=True)
class _Sentences:
    """What belongs to the sentences still in the batch, one entry [B ...] each.

    Leaving copies what stays, so those whose result is final leave several at a time.
    """

    numbers: Tensor
    """Their numbers in the whole batch [B]."""
    constraints: Constraints
    finished: Finished
    highest_penalty: Tensor
    """The length penalty at each one's maximum length [B]."""
    searching: Tensor
    """False where the result is final, and the sentence only waits to leave the batch [B]."""

    def select(self, sentences: Tensor) -> _Sentences:
        """Sentences [B'] in that order."""
        return _Sentences(
            self.numbers[sentences],
            self.constraints.select(sentences),
            self.finished.select(sentences),
            self.highest_penalty[sentences],
            self.searching[sentences],
        )

    def attainable(self, going_on: Candidates) -> Tensor:
        """The best score that an open hypothesis could still reach [B]."""
        return going_on.totals[:, 0] / self.highest_penalty

    def are_final(self, going_on: Candidates) -> Tensor:
        """True [B] where no open hypothesis can enter the n-best any more (see the module)."""
        return self.attainable(going_on) <= self.finished.scores[:, -1]


def beam_search(
    ensemble: Ensemble,
    source: Tensor,
    mask: Tensor,
    constraints: Constraints,
    penalty: Penalty,
    beam: int,
    nbest: int,
) -> list[list[Hypothesis]]:
    """The ``nbest`` best hypotheses found for each source [B S], best first.

    Fewer only where the constraints allow fewer. Finished hypotheses stand before those that the
    maximum length cut off, whatever their scores.
    """
    size, device = source.shape[0], source.device
    progress = ensemble.start(source, mask)
    sentences = _Sentences(
        torch.arange(size, device=device),
        constraints,
        Finished.none(size, nbest, device),
        torch.tensor([penalty(limit) for limit in constraints.limits.tolist()], device=device),
        torch.ones(size, dtype=torch.bool, device=device),
    )
    last = ensemble.opening(progress.memories)
    totals = torch.zeros(size, 1, device=device)
    written = last.new_empty(size, 0)  # grows only where constraints look back
    history = History()
    endings: list[list[Ending]] = [[] for _ in range(size)]

    for step in range(int(constraints.limits.max())):
        adjust = sentences.constraints.adjustment(written)
        log_probabilities, progress = ensemble.step(progress, last, adjust)
        note_given(log_probabilities)
        sentences.constraints.apply(log_probabilities, step, written)
        sentences, going_on = _extend(sentences, log_probabilities, totals, penalty, beam, step)
        over = sentences.are_final(going_on) | sentences.constraints.limits.le(step + 1)
        over &= sentences.searching
        if over.any():
            _close(sentences, going_on, over, step, endings)
            sentences = replace(sentences, searching=sentences.searching & ~over)
        if not sentences.searching.any():
            break
        kept = staying(sentences.searching)
        if kept is not None:
            sentences, going_on = sentences.select(kept), going_on.select(kept)
            progress = progress.select(kept, going_on.rows.flatten())
        else:
            progress = progress.reorder(going_on.rows.flatten())
        rows, last, totals = going_on.rows.flatten(), going_on.ids.flatten(), going_on.totals
        history.append(rows, last, going_on.gains.flatten())
        if constraints.looks_back:
            written = torch.cat([written[rows], last[:, None]], dim=1)
    return _hypotheses(endings, history, penalty, ensemble.symbols.end)


def _extend(
    sentences: _Sentences,
    log_probabilities: Tensor,
    totals: Tensor,
    penalty: Penalty,
    beam: int,
    step: int,
) -> tuple[_Sentences, Candidates]:
    """One step: finished hypotheses are set aside, the best ``beam`` others are returned."""
    sums, rows, ids = top(log_probabilities, totals, 2 * beam)
    candidates = Candidates(sums, rows, ids, log_probabilities[rows, ids])
    ended = candidates.ended(sentences.constraints.symbols.end)
    if ended.any():
        finished = sentences.finished.add(candidates, ended, penalty(step + 1), step)
        sentences = replace(sentences, finished=finished)
    going_on = candidates.first(~ended, beam)
    note_extension(log_probabilities, totals, candidates, ended, going_on, sentences.constraints)
    return sentences, going_on


def _close(
    sentences: _Sentences,
    going_on: Candidates,
    over: Tensor,
    step: int,
    endings: list[list[Ending]],
) -> None:
    """Write the results of the sentences where ``over`` [B] holds into ``endings``."""
    leaving = over.nonzero().squeeze(1)
    sentences, going_on = sentences.select(leaving), going_on.select(leaving)
    note_stop(step, sentences.attainable(going_on), sentences.finished.scores[:, -1])
    nbest, end = sentences.finished.scores.shape[1], sentences.constraints.symbols.end
    numbers = sentences.numbers.tolist()
    for number, ended, cut in zip(
        numbers, sentences.finished.endings(end), going_on.endings(step), strict=True
    ):
        endings[number] = (ended + cut)[:nbest]


def _hypotheses(
    endings: list[list[Ending]], history: History, penalty: Penalty, end: int
) -> list[list[Hypothesis]]:
    traced = iter(history.trace([ending for sentence in endings for ending in sentence]))
    return [
        best_first(Hypothesis.of(*next(traced), penalty, end) for _ in sentence)
        for sentence in endings
    ]
