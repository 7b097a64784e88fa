"""Translations against references: BLEU, chrF, TER, exact match, with signatures and intervals.

All figures are on a scale of 0 to 100. For TER (Snover et al. 2006) lower is better and it may
exceed 100; for the others higher is better.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from seqloom.evaluation.bootstrap import SEED, interval, resample
from seqloom.evaluation.scorers import METRICS, check_counts, make_scorer


@dataclass(frozen=True)
class Figure:
    """One figure and how it was computed."""

    name: str
    value: float
    signature: str
    low: float | None = None
    """Lower end of the 95 % bootstrap interval."""
    high: float | None = None
    """Upper end."""


def evaluate(
    hypotheses: Sequence[str],
    references: Sequence[str],
    *,
    metrics: Sequence[str] = tuple(METRICS),
    source_language: str | None = None,
    target_language: str | None = None,
    bootstrap: int = 0,
) -> list[Figure]:
    """Figures of translations, in the order of ``metrics``.

    Args:
        hypotheses: translations.
        references: right translations, one for each hypothesis.
        metrics: ``bleu``, ``chrf``, ``ter``, ``exact``, ``bleu_lower_tokenized``.
        source_language: named in the signatures, together with the target language.
        target_language: chooses the tokenisation; BLEU of Chinese, Japanese and Korean needs it.
        bootstrap: number of resamplings for 95 % intervals; 0: none.

    Returns:
        One figure a metric; 0 for no sentences at all.

    Raises:
        EvaluationError: an unknown metric, or different numbers of hypotheses and references.
    """
    figures = [
        _figure(name, hypotheses, references, target_language, bootstrap) for name in metrics
    ]
    if not (source_language and target_language):
        return figures
    pair = f"|lang:{source_language}-{target_language}"
    return [replace(figure, signature=figure.signature + pair) for figure in figures]


def bleu(
    hypotheses: Sequence[str], references: Sequence[str], target_language: str | None = None
) -> float:
    """Corpus BLEU as sacrebleu computes it (Papineni et al. 2002, Post 2018).

    Raises:
        EvaluationError: different numbers of hypotheses and references.
    """
    return _figure("bleu", hypotheses, references, target_language).value


def chrf(hypotheses: Sequence[str], references: Sequence[str]) -> float:
    """Corpus chrF2 (Popović 2015).

    Raises:
        EvaluationError: different numbers of hypotheses and references.
    """
    return _figure("chrf", hypotheses, references).value


def exact_match(hypotheses: Sequence[str], references: Sequence[str]) -> float:
    """Percentage of hypotheses that equal their reference, white space at the ends aside.

    Raises:
        EvaluationError: different numbers of hypotheses and references.
    """
    return _figure("exact", hypotheses, references).value


def bleu_lower_tokenized(
    hypotheses: Sequence[str], references: Sequence[str], language: str | None = None
) -> float:
    """BLEU of older papers: lower-cased, then Moses-tokenised, unsmoothed (``multi-bleu.perl``).

    Comparable with papers that report it on the same text only, never with ``bleu``.

    Raises:
        EvaluationError: different numbers of hypotheses and references.
    """
    return _figure("bleu_lower_tokenized", hypotheses, references, language).value


def _figure(
    name: str,
    hypotheses: Sequence[str],
    references: Sequence[str],
    target_language: str | None = None,
    bootstrap: int = 0,
) -> Figure:
    check_counts(len(references), hypotheses=hypotheses)
    scorer = make_scorer(name, target_language)
    if not references:
        return Figure(name, 0.0, "no sentences")
    statistics = scorer.statistics(hypotheses, references)
    value = scorer.figure(statistics.sum(axis=0))
    signature = scorer.signature()
    if not bootstrap:
        return Figure(name, value, signature)
    low, high = interval(resample(scorer, statistics, bootstrap))
    return Figure(name, value, f"{signature}|bs:{bootstrap}|seed:{SEED}", low, high)
