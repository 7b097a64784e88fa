"""The worst and the best sentences, next to their references.

Figures say how good translations are; these say what is wrong with them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from seqloom.evaluation.scorers import check_counts, make_scorer


@dataclass(frozen=True)
class Row:
    """One sentence."""

    line: int
    """Counted from 1."""
    source: str | None
    hypothesis: str
    reference: str
    score: float
    """chrF of the hypothesis."""
    other: str | None = None
    """Hypothesis of the other system."""
    other_score: float | None = None


@dataclass(frozen=True)
class SideBySide:
    """The ends of the list of sentences, ordered by chrF or by its gain over the other system."""

    worst: list[Row]
    """The worst first."""
    best: list[Row]
    """The best first."""

    def as_dict(self) -> dict[str, Any]:
        """As JSON values."""
        return asdict(self)

    def text(self) -> str:
        """For people: one block a sentence."""
        parts = []
        for title, rows in (("worst", self.worst), ("best", self.best)):
            if rows:
                parts.append(f"{title} sentences")
                parts += [_block(row) for row in rows]
        return "\n\n".join(parts)


def side_by_side(
    sources: Sequence[str] | None,
    hypotheses: Sequence[str],
    references: Sequence[str],
    count: int,
    other: Sequence[str] | None = None,
) -> SideBySide:
    """The ``count`` worst and best sentences by chrF, no sentence twice.

    Args:
        sources: source sentences, shown when given.
        hypotheses: translations.
        references: right translations.
        count: sentences at each end.
        other: translations of another system; then the ends are where ours loses and gains most.

    Raises:
        EvaluationError: the sides have different numbers of sentences.
    """
    check_counts(len(references), hypotheses=hypotheses)
    if sources is not None:
        check_counts(len(references), sources=sources)
    scores = _sentence_scores(hypotheses, references)
    theirs: list[float] | None = None
    if other is not None:
        check_counts(len(references), **{"hypotheses of the other system": other})
        theirs = _sentence_scores(other, references)

    def key(index: int) -> float:
        return scores[index] - (theirs[index] if theirs else 0.0)

    order = sorted(range(len(references)), key=key)
    rows = [
        Row(
            line=index + 1,
            source=None if sources is None else sources[index],
            hypothesis=hypotheses[index],
            reference=references[index],
            score=scores[index],
            other=None if other is None else other[index],
            other_score=None if theirs is None else theirs[index],
        )
        for index in [*order[:count], *order[max(count, len(order) - count) :][::-1]]
    ]
    return SideBySide(worst=rows[:count], best=rows[count:])


def _sentence_scores(hypotheses: Sequence[str], references: Sequence[str]) -> list[float]:
    if not references:
        return []
    scorer = make_scorer("chrf")
    return [scorer.figure(row) for row in scorer.statistics(hypotheses, references)]


def _block(row: Row) -> str:
    gain = (
        "" if row.other_score is None else f" ({row.score - row.other_score:+.1f} over the other)"
    )
    lines = [f"line {row.line}  chrF {row.score:.1f}{gain}"]
    lines += [f"  source     {row.source}"] if row.source is not None else []
    lines += [f"  reference  {row.reference}", f"  hypothesis {row.hypothesis}"]
    lines += [f"  other      {row.other}"] if row.other is not None else []
    return "\n".join(lines)
