"""One token a row at a time, never taken back: the walk of greedy search, sampling and streaming.

Axes: B sentences, N rows a sentence, R = B*N rows still in the batch, V vocabulary.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import torch
from torch import Tensor

from seqloom.decoding.constraints import Constraints
from seqloom.decoding.ensemble import Ensemble, staying
from seqloom.decoding.hypothesis import Hypothesis
from seqloom.decoding.penalties import Penalty
from seqloom.decoding.stopping import Stops
from seqloom.decoding.top import top
from seqloom.decoding.trace import note_choice, note_given

Choose = Callable[[Tensor, Tensor, int], Tensor]
"""From log-probabilities [R V] of allowed tokens (others minus infinity), the rows' numbers in the
whole batch [R] and the step (from 0) to the chosen ids [R]."""

_FEW = 8
"""Rows up to which one pass over the vocabulary is quicker than :func:`top`'s several steps."""


def most_probable(log_probabilities: Tensor, rows: Tensor, step: int) -> Tensor:
    """The choice of greedy search."""
    if len(log_probabilities) <= _FEW:
        return log_probabilities.argmax(dim=1)
    zero = log_probabilities.new_zeros(log_probabilities.shape[0], 1)
    return top(log_probabilities, zero, 1)[2].squeeze(1)


class Walk:
    """``count`` rows for each source or prompt [B S], token by token as ``choose`` says.

    Raises:
        DecodingError: a source or prompt is longer than a model's limit.
    """

    def __init__(
        self,
        ensemble: Ensemble,
        source: Tensor,
        mask: Tensor,
        constraints: Constraints,
        *,
        count: int = 1,
        choose: Choose = most_probable,
        stops: Stops | None = None,
    ) -> None:
        self._ensemble = ensemble
        self._constraints = constraints
        self._count = count
        self._choose = choose
        self._stops = stops
        self._progress = ensemble.start(source, mask)
        self.longest = int(constraints.limits.max())
        self.written = source.new_full((len(source) * count, self.longest), ensemble.symbols.pad)
        """What each row wrote [B*N longest]; anything after its last token."""
        self._gained = torch.zeros(self.written.shape, device=source.device)
        self._lengths = constraints.limits.repeat_interleave(count)
        """Tokens of each row [B*N], unless it wrote the end before."""
        self._stopped: set[int] = set()
        """The rows that a string ended."""

    def steps(self) -> Iterator[int]:
        """Take one step for each number (from 0) that is asked for, until all rows are over."""
        ensemble, constraints, progress = self._ensemble, self._constraints, self._progress
        symbols = ensemble.symbols
        count, limits, device = self._count, self._lengths, self.written.device
        numbers = torch.arange(len(limits), device=device)  # of the rows still in the batch
        last = ensemble.opening(progress.memories).repeat_interleave(count)
        if count > 1:
            progress = progress.reorder(numbers.div(count, rounding_mode="floor"))
        is_open = torch.ones_like(numbers, dtype=torch.bool)

        for step in range(self.longest):
            past = self.written[numbers, :step] if constraints.looks_back else self.written[:0]
            adjust = constraints.adjustment(past)
            log_probabilities, progress = ensemble.step(progress, last, adjust)
            note_given(log_probabilities)
            constraints.apply(log_probabilities, step, past)
            last = self._choose(log_probabilities, numbers, step).masked_fill(~is_open, symbols.pad)
            note_choice(log_probabilities, last, is_open, constraints)
            self.written[numbers, step] = last
            self._gained[numbers, step] = log_probabilities.gather(1, last[:, None]).squeeze(1)
            is_open = is_open & last.ne(symbols.end)
            if self._stops is not None:
                self._stop(self._stops, numbers, is_open, step)
            is_open = is_open & limits.gt(step + 1)
            yield step
            busy = is_open.view(-1, count).any(dim=1)
            if not busy.any():
                break
            stay = staying(busy)
            if stay is not None:
                rows = (stay[:, None] * count + torch.arange(count, device=device)).flatten()
                progress, constraints = progress.select(stay, rows), constraints.select(stay)
                numbers, limits, last, is_open = (x[rows] for x in (numbers, limits, last, is_open))

    def _stop(self, stops: Stops, numbers: Tensor, is_open: Tensor, step: int) -> None:
        """Close, in ``is_open`` [R], the rows with numbers [R] that hold a string to stop at."""
        rows = is_open.nonzero().squeeze(1).tolist()
        found = stops.found(self.written[numbers, : step + 1], rows)
        if found:
            is_open[found] = False
            ended = numbers[found]
            self._lengths[ended] = step + 1
            self._stopped.update(ended.tolist())

    def finish(self, penalty: Penalty) -> list[list[Hypothesis]]:
        """``count`` hypotheses a sentence, in the order of rows, once the steps are taken."""
        end = self._ensemble.symbols.end
        places = torch.arange(1, self.longest + 1, device=self.written.device)
        ends = places.where(self.written.eq(end), self.longest).amin(dim=1)
        lengths = torch.minimum(ends, self._lengths).tolist()
        tokens, gains = self.written.tolist(), self._gained.tolist()
        rows = [
            Hypothesis.of(
                tokens[row][:length],
                gains[row][:length],
                penalty,
                end,
                stopped=row in self._stopped,
            )
            for row, length in enumerate(lengths)
        ]
        return [rows[i : i + self._count] for i in range(0, len(rows), self._count)]
