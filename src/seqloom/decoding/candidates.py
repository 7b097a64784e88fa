"""What a beam holds besides its open rows: continuations of this step, and finished hypotheses.

Axes: B sentences, M candidates a sentence, K = nbest.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import torch
from torch import Tensor

from seqloom.decoding.history import Ending


@dataclass(frozen=True)
class Candidates:
    """Hypotheses with one token more than the rows that they continue; every field [B M]."""

    totals: Tensor
    """Log-probability of the whole hypothesis, falling; minus infinity where there is none."""
    rows: Tensor
    """The row that each continues."""
    ids: Tensor
    """The token that it adds ..."""
    gains: Tensor
    """... and this token's log-probability."""

    def ended(self, end: int) -> Tensor:
        """True [B M] where the added token is ``end``, which ends the hypothesis."""
        return self.ids.eq(end) & self.totals.isfinite()

    def first(self, wanted: Tensor, count: int) -> Candidates:
        """The first ``count`` of each sentence where ``wanted`` [B M] holds, in the same order."""
        places = wanted.logical_not().to(torch.uint8).argsort(dim=1, stable=True)[:, :count]
        return Candidates(
            self.totals.gather(1, places),
            self.rows.gather(1, places),
            self.ids.gather(1, places),
            self.gains.gather(1, places),
        )

    def select(self, sentences: Tensor) -> Candidates:
        """Sentences [B'] in that order."""
        return Candidates(
            self.totals[sentences],
            self.rows[sentences],
            self.ids[sentences],
            self.gains[sentences],
        )

    def endings(self, step: int) -> list[list[Ending]]:
        """The hypotheses of each sentence, best first, as they end at ``step``."""
        columns = (self.totals, self.rows, self.ids, self.gains)
        return [
            [
                Ending(step, row, token, gain)
                for total, row, token, gain in zip(*sentence, strict=True)
                if total > -torch.inf
            ]
            for sentence in zip(*(column.tolist() for column in columns), strict=True)
        ]


@dataclass(frozen=True)
class Finished:
    """The best K finished hypotheses of each sentence, best first; every field [B K]."""

    scores: Tensor
    """After the length penalty; minus infinity where none has finished yet."""
    steps: Tensor
    """The step at which each wrote the symbol of the end."""
    rows: Tensor
    """The row that it continued then."""
    gains: Tensor
    """The log-probability of that symbol."""

    @classmethod
    def none(cls, sentences: int, count: int, device: torch.device) -> Self:
        """Nothing yet: room for ``count`` hypotheses of each of ``sentences`` sentences."""
        scores = torch.full((sentences, count), -torch.inf, device=device)
        zeros = torch.zeros(sentences, count, dtype=torch.long, device=device)
        return cls(scores, zeros, zeros, torch.zeros_like(scores))

    def add(self, candidates: Candidates, ended: Tensor, penalty: float, step: int) -> Finished:
        """With the candidates where ``ended`` [B M] holds, as far as they are good enough."""
        new = (candidates.totals / penalty).masked_fill(~ended, -torch.inf)
        scores, places = torch.cat([self.scores, new], 1).topk(self.scores.shape[1], dim=1)
        steps = torch.full_like(candidates.rows, step)
        return Finished(
            scores,
            torch.cat([self.steps, steps], 1).gather(1, places),
            torch.cat([self.rows, candidates.rows], 1).gather(1, places),
            torch.cat([self.gains, candidates.gains], 1).gather(1, places),
        )

    def select(self, sentences: Tensor) -> Finished:
        """Sentences [B'] in that order."""
        return Finished(
            self.scores[sentences],
            self.steps[sentences],
            self.rows[sentences],
            self.gains[sentences],
        )

    def endings(self, end: int) -> list[list[Ending]]:
        """The finished hypotheses of each sentence, best first, which all wrote ``end``."""
        columns = (self.scores, self.steps, self.rows, self.gains)
        return [
            [
                Ending(step, row, end, gain)
                for score, step, row, gain in zip(*sentence, strict=True)
                if score > -torch.inf
            ]
            for sentence in zip(*(column.tolist() for column in columns), strict=True)
        ]
