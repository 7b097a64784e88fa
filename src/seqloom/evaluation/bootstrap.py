"""How far a figure, or the difference of two, would move with other sentences: the bootstrap.

Draw as many sentences as there are, with replacement, again and again, and look at the spread
(Efron 1979; for translation Koehn 2004). Samples and p-values are those of sacrebleu's paired test.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from seqloom.errors import EvaluationError
from seqloom.evaluation.scorers import Scorer, Statistics, check_counts, make_scorer

SEED = 12345
"""sacrebleu's default."""

_DRAWN_AT_ONCE = 4_000_000  # sentences; bounds memory


@dataclass(frozen=True)
class Paired:
    """Two systems on the same sentences."""

    a: float
    """Figure of the first system."""
    b: float
    """Figure of the second."""
    delta: float
    """a - b."""
    p_value: float
    """Chance of a difference at least as large, if the systems were equally good."""
    low: float
    """Lower end of the 95 % interval of the difference."""
    high: float
    """Upper end."""


def paired(
    hypotheses_a: Sequence[str],
    hypotheses_b: Sequence[str],
    references: Sequence[str],
    metric: str = "bleu",
    samples: int = 1000,
    seed: int = SEED,
    *,
    target_language: str | None = None,
) -> Paired:
    """Compare two systems by paired bootstrap resampling (Koehn 2004), two-sided.

    Args:
        hypotheses_a: translations of the first system.
        hypotheses_b: translations of the second, of the same sentences.
        references: right translations.
        metric: one of :data:`seqloom.evaluation.scorers.METRICS`.
        samples: number of resamplings.
        seed: of the resamplings.
        target_language: chooses the tokenisation of the metric.

    Raises:
        EvaluationError: an unknown metric, sides of different length, nothing to compare, or no
            samples.
    """
    check_counts(len(references), hypotheses=hypotheses_a)
    check_counts(len(references), **{"baseline hypotheses": hypotheses_b})
    if not references:
        raise EvaluationError("no sentences to compare two systems on: both files are empty.")
    scorer = make_scorer(metric, target_language)
    statistics = [scorer.statistics(h, references) for h in (hypotheses_a, hypotheses_b)]
    a, b = (scorer.figure(rows.sum(axis=0)) for rows in statistics)
    first, second = (resample(scorer, rows, samples, seed) for rows in statistics)
    # How often chance alone, the spread around the mean difference, reaches what was seen
    # (Riezler and Maxwell 2005); the one added keeps p above zero. A tie counts: a system does
    # not differ from itself.
    spread = np.abs(first - second)
    beyond = int(np.sum(spread - spread.mean() >= abs(a - b)))
    low, high = interval(first - second)
    return Paired(a, b, a - b, (beyond + 1) / (samples + 1), low, high)


def resample(
    scorer: Scorer, statistics: Statistics, samples: int, seed: int = SEED
) -> NDArray[np.float64]:
    """The figure of each bootstrap sample: [samples].

    Args:
        scorer: the metric.
        statistics: of each sentence, [sentences, counts].
        samples: number of samples.
        seed: equal seeds draw equal sentences, also for another system.

    Raises:
        EvaluationError: fewer than one sample.
    """
    totals = resampled(statistics, samples, seed)
    return np.array([scorer.figure(total) for total in totals])


def resampled(statistics: Statistics, samples: int = 1000, seed: int = SEED) -> Statistics:
    """What the sentences of each bootstrap sample add up to: [samples, counts].

    Args:
        statistics: of each sentence, [sentences, counts].
        samples: number of samples.
        seed: equal seeds draw equal sentences.

    Raises:
        EvaluationError: fewer than one sample.
    """
    if samples < 1:
        raise EvaluationError(f"{samples} bootstrap samples; give at least 1, usually 1000.")
    drawn = (counts @ statistics for counts in _draws(len(statistics), samples, seed))
    return np.concatenate(list(drawn))


def interval(figures: NDArray[np.float64]) -> tuple[float, float]:
    """The middle 95 % of the samples."""
    ordered = np.sort(figures)
    outside = len(ordered) // 40
    return float(ordered[outside]), float(ordered[len(ordered) - outside - 1])


def _draws(sentences: int, samples: int, seed: int) -> Iterator[NDArray[np.float64]]:
    """How often each sentence is in each sample: blocks of [samples, sentences]."""
    generator = np.random.default_rng(seed)
    block = max(1, _DRAWN_AT_ONCE // sentences)
    for start in range(0, samples, block):
        rows = min(block, samples - start)
        drawn = generator.choice(sentences, size=(rows, sentences), replace=True)
        drawn += np.arange(rows)[:, None] * sentences
        counts = np.bincount(drawn.ravel(), minlength=rows * sentences)
        yield counts.reshape(rows, sentences).astype(np.float64)
