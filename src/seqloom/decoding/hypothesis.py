"""What a search returns: token ids with the probability that the model gave to each of them."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from seqloom.decoding.penalties import Penalty


@dataclass(frozen=True)
class Hypothesis:
    """One translation of one sentence, or one continuation of one prompt."""

    ids: tuple[int, ...]
    """Token ids, without the symbols of beginning and end; with those of a stop string."""
    log_probability: float
    """Natural logarithm of the model's probability: the sum of ``token_log_probabilities``."""
    score: float
    """``log_probability`` divided by the length penalty; what hypotheses are ranked by."""
    token_log_probabilities: tuple[float, ...]
    """One a token of ``ids``, then that of the end where the model wrote it."""
    finished: bool
    """True when the model or a stop string ended it, False when the maximum length cut it off."""

    @classmethod
    def of(
        cls,
        tokens: Sequence[int],
        token_log_probabilities: Sequence[float],
        penalty: Penalty,
        end: int,
        *,
        stopped: bool = False,
    ) -> Hypothesis:
        """The hypothesis that wrote ``tokens``, the last of which may be ``end``.

        ``stopped``: a stop string ended it.
        """
        ended = bool(tokens) and tokens[-1] == end
        total = math.fsum(token_log_probabilities)
        return cls(
            ids=tuple(tokens[:-1] if ended else tokens),
            log_probability=total,
            score=total / penalty(len(tokens)),
            token_log_probabilities=tuple(token_log_probabilities),
            finished=ended or stopped,
        )


EMPTY = Hypothesis((), 0.0, 0.0, (), True)
"""The translation of an empty source: certain, and made without a model."""


def best_first(hypotheses: Iterable[Hypothesis]) -> list[Hypothesis]:
    """Finished hypotheses before those that were cut off, and by falling score within each."""
    return sorted(hypotheses, key=lambda h: (h.finished, h.score), reverse=True)
