"""Word vectors over several sets: all figures, their spread over trainings, and one score.

Figures are percentages here: of analogies answered rightly, and Spearman's correlation times 100.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import fmean, stdev
from typing import TYPE_CHECKING, Any

from seqloom.errors import VectorsError
from seqloom.evaluation.analogies import RESTRICT, Analogies, Tally, analogies
from seqloom.evaluation.similarity import Similarity, similarity
from seqloom.evaluation.words import Case, lowers
from seqloom.evaluation.wordsets import Pairs, Questions, read_sets

if TYPE_CHECKING:
    from seqloom.corpus.pairs import Progress
    from seqloom.text.vectors import WordVectors

KIND, VERSION = "word vectors", 1
SCORE = "score"
"""Name of the score among the figures of :meth:`Evaluations.spread`."""

_LEAST = 10  # one question or pair in so many is covered in a set that counts in the score


@dataclass(frozen=True)
class Figure:
    """One figure, and what it rests on."""

    set: str
    part: str
    """Section of an analogy set, ``semantic``, ``syntactic``, ``total``; or ``spearman``."""
    asked: int
    covered: int
    value: float | None
    """Percent; None: too little is covered."""
    low: float | None = None
    """Lower end of the 95 % interval of a ``spearman``."""
    high: float | None = None
    """Upper end."""


@dataclass(frozen=True)
class Evaluation:
    """What was found out about word vectors of one training."""

    name: str
    words: int
    lower: bool
    """The words of the sets were put into lower case."""
    analogies: tuple[Analogies, ...]
    similarities: tuple[Similarity, ...]

    def figures(self) -> list[Figure]:
        """All figures: those of the analogies, then the Spearmans."""
        found = [
            Figure(each.name, tally.name, tally.asked, tally.covered, tally.accuracy)
            for each in self.analogies
            for tally in (*each.semantic, *each.syntactic, *each.sums())
        ]
        return found + [_spearman(each) for each in self.similarities]

    def score(self) -> float | None:
        """One figure: the mean of the totals of the analogies and of the Spearmans, in percent.

        Each set counts once. Sets of which less than a tenth is covered, such as those in another
        language, do not count; None: no set does.
        """
        values = [
            figure.value
            for figure in self.figures()
            if figure.part in ("total", "spearman")
            and figure.value is not None
            and figure.covered * _LEAST >= figure.asked
        ]
        return fmean(values) if values else None

    def unknown(self) -> list[str]:
        """Words of the sets that are not known, each once."""
        sets: list[Analogies | Similarity] = [*self.analogies, *self.similarities]
        return list(dict.fromkeys(word for each in sets for word in each.unknown))

    def as_dict(self, name_unknown: bool = False) -> dict[str, Any]:
        """As JSON values; unknown words are counted, and named when asked for."""
        return {
            "name": self.name,
            "words": self.words,
            "lower": self.lower,
            SCORE: self.score(),
            "analogies": [
                _with_sums(each) | _unknown(each, name_unknown) for each in self.analogies
            ],
            "similarities": [
                asdict(each) | _unknown(each, name_unknown) for each in self.similarities
            ],
        }


@dataclass(frozen=True)
class Spread:
    """One figure over several trainings, such as those of several seeds."""

    mean: float
    deviation: float
    """Standard deviation, over n - 1."""


@dataclass(frozen=True)
class Evaluations:
    """What was found out about word vectors of several trainings, on the same sets."""

    each: tuple[Evaluation, ...]

    def spread(self) -> dict[str, Spread]:
        """Spread of each figure, by ``SET/PART``, and of the ``score``.

        What some of the trainings have no figure for is left out; with one training, everything.
        """
        if len(self.each) < 2:
            return {}
        tables = [
            {**{f"{f.set}/{f.part}": f.value for f in one.figures()}, SCORE: one.score()}
            for one in self.each
        ]
        found = {}
        for name in tables[0]:
            values = [value for table in tables if (value := table[name]) is not None]
            if len(values) == len(tables):
                found[name] = Spread(fmean(values), stdev(values))
        return found

    def as_dict(self, name_unknown: bool = False) -> dict[str, Any]:
        """The versioned record, for JSON."""
        return {
            "kind": KIND,
            "version": VERSION,
            "vectors": [one.as_dict(name_unknown) for one in self.each],
            "spread": {name: asdict(spread) for name, spread in self.spread().items()},
        }


def evaluate_vectors(
    vectors: Iterable[tuple[str, WordVectors]],
    sets: Sequence[Questions | Pairs],
    *,
    restrict: int | None = RESTRICT,
    case: Case = "auto",
    progress: Progress | None = None,
) -> Evaluations:
    """Measure word vectors of one training or of several.

    Args:
        vectors: names and vectors, each let go before the next is taken.
        sets: see :func:`seqloom.evaluation.wordsets.read_sets`.
        restrict: so many of the most frequent words answer analogies; None: all.
        case: ``auto``, ``lower`` or ``keep``: see :func:`seqloom.evaluation.words.lowers`.
        progress: told how far each analogy set is.

    Raises:
        EvaluationError: another ``case``.
    """
    return Evaluations(
        tuple(_evaluate(name, one, sets, restrict, case, progress) for name, one in vectors)
    )


def scorer(
    places: Sequence[Path],
    *,
    restrict: int | None = RESTRICT,
    case: Case = "auto",
    progress: Progress | None = None,
) -> Callable[[WordVectors], float]:
    """A function from word vectors to their :meth:`Evaluation.score`, for early stopping.

    Args:
        places: files and folders of sets, read now.
        restrict: so many of the most frequent words answer analogies; None: all.
        case: ``auto``, ``lower`` or ``keep``.
        progress: told how far each analogy set is.

    Raises:
        EvaluationError: no sets, or files that are none; when called, another ``case``.
        CorpusError: a file is missing, empty or not UTF-8.
        VectorsError: when called, if less than a tenth of every set is covered.
    """
    sets = read_sets(places)

    def score(vectors: WordVectors) -> float:
        found = _evaluate("", vectors, sets, restrict, case, progress)
        value = found.score()
        if value is None:
            raise VectorsError(
                f"no score: less than a tenth of every set is covered by these {found.words:,} "
                f"words; unknown are {', '.join(found.unknown()[:5])} and others. Take sets in "
                "the language of the text, or more text."
            )
        return value

    return score


def _evaluate(
    name: str,
    vectors: WordVectors,
    sets: Sequence[Questions | Pairs],
    restrict: int | None,
    case: Case,
    progress: Progress | None,
) -> Evaluation:
    lower = lowers(vectors, case)
    spelling: Case = "lower" if lower else "keep"
    answered = tuple(
        analogies(vectors, each, restrict=restrict, case=spelling, progress=progress)
        for each in sets
        if isinstance(each, Questions)
    )
    graded = tuple(
        similarity(vectors, each, case=spelling) for each in sets if isinstance(each, Pairs)
    )
    return Evaluation(name, len(vectors.words), lower, answered, graded)


def _spearman(each: Similarity) -> Figure:
    value, low, high = (
        None if figure is None else 100 * figure for figure in (each.spearman, each.low, each.high)
    )
    return Figure(each.name, "spearman", each.asked, each.covered, value, low, high)


def _with_sums(each: Analogies) -> dict[str, Any]:
    def plain(tally: Tally) -> dict[str, Any]:
        return {**asdict(tally), "accuracy": tally.accuracy}

    semantic, syntactic, total = map(plain, each.sums())
    return {
        "name": each.name,
        "lower": each.lower,
        "answering": each.answering,
        "semantic": {**semantic, "sections": [plain(tally) for tally in each.semantic]},
        "syntactic": {**syntactic, "sections": [plain(tally) for tally in each.syntactic]},
        "total": total,
    }


def _unknown(each: Analogies | Similarity, named: bool) -> dict[str, Any]:
    words = {"unknown_words": list(each.unknown)} if named else {}
    return {"unknown": len(each.unknown), **words}
