"""One token a row at a time, never taken back: greedy search, and the loop that sampling shares.

Axes: B sentences, N rows a sentence, R = B*N rows still in the batch, V vocabulary.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from seqloom.decoding.constraints import Constraints
from seqloom.decoding.ensemble import Ensemble, Progress, staying
from seqloom.decoding.hypothesis import Hypothesis
from seqloom.decoding.penalties import Penalty
from seqloom.decoding.top import top
from seqloom.symbols import BOS, EOS, PAD

Choose = Callable[[Tensor, Tensor, int], Tensor]
"""From log-probabilities [R V] of allowed tokens (others minus infinity), the rows' numbers in the
whole batch [R] and the step (from 0) to the chosen ids [R]."""


def greedy_search(
    ensemble: Ensemble, source: Tensor, mask: Tensor, constraints: Constraints, penalty: Penalty
) -> list[list[Hypothesis]]:
    """The most probable token at every step; one hypothesis for each source [B S]."""
    return walk(ensemble.start(source, mask), ensemble, constraints, penalty, 1, _most_probable)


def _most_probable(log_probabilities: Tensor, rows: Tensor, step: int) -> Tensor:
    zero = log_probabilities.new_zeros(log_probabilities.shape[0], 1)
    return top(log_probabilities, zero, 1)[2].squeeze(1)


def walk(
    progress: Progress,
    ensemble: Ensemble,
    constraints: Constraints,
    penalty: Penalty,
    count: int,
    choose: Choose,
) -> list[list[Hypothesis]]:
    """``count`` hypotheses a sentence, token by token as ``choose`` says, in the order of rows.

    ``progress`` stands before the first step, with one row a sentence.
    """
    sentences, device = constraints.limits.shape[0], constraints.limits.device
    numbers = torch.arange(sentences * count, device=device)  # of the rows still in the batch
    if count > 1:
        progress = progress.reorder(numbers.div(count, rounding_mode="floor"))
    longest = int(constraints.limits.max())
    written = torch.full((sentences * count, longest), PAD, device=device)
    gained = torch.zeros(sentences * count, longest, device=device)
    limits = constraints.limits.repeat_interleave(count)
    last = torch.full_like(numbers, BOS)
    is_open = torch.ones_like(numbers, dtype=torch.bool)

    for step in range(longest):
        log_probabilities, progress = ensemble.step(progress, last)
        past = written[numbers, :step] if constraints.no_repeat_ngram else written[:0]
        constraints.apply(log_probabilities, step, past)
        last = choose(log_probabilities, numbers, step).masked_fill(~is_open, PAD)
        written[numbers, step] = last
        gained[numbers, step] = log_probabilities.gather(1, last[:, None]).squeeze(1)
        is_open = is_open & last.ne(EOS) & limits.gt(step + 1)
        busy = is_open.view(-1, count).any(dim=1)
        if not busy.any():
            break
        stay = staying(busy)
        if stay is not None:
            rows = (stay[:, None] * count + torch.arange(count, device=device)).flatten()
            progress, constraints = progress.select(stay, rows), constraints.select(stay)
            numbers, limits, last, is_open = (x[rows] for x in (numbers, limits, last, is_open))
    return _collect(written, gained, penalty, count)


def _collect(
    written: Tensor, gained: Tensor, penalty: Penalty, count: int
) -> list[list[Hypothesis]]:
    """Rows [B*count T], padded with PAD after their last token, to hypotheses."""
    lengths = written.ne(PAD).sum(dim=1).tolist()
    hypotheses = [
        Hypothesis.of(tokens[:length], values[:length], penalty)
        for tokens, values, length in zip(written.tolist(), gained.tolist(), lengths, strict=True)
    ]
    return [hypotheses[i : i + count] for i in range(0, len(hypotheses), count)]
