"""Analogies: is the vector of *Paris* less *France* plus *Italy* nearest to that of *Rome*?"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from seqloom.evaluation.words import Case, lowers, rows_of
from seqloom.evaluation.wordsets import Questions

if TYPE_CHECKING:
    from seqloom.corpus.pairs import Progress
    from seqloom.text.vectors import WordVectors

RESTRICT = 300_000
"""Most frequent words that answer unless said otherwise, as in gensim."""

_CELLS = 2**20  # cosines held at a time; few enough for the processor's cache


@dataclass(frozen=True)
class Tally:
    """Questions of a section, or of several together."""

    name: str
    asked: int
    covered: int
    """Questions whose four words are known; the others are not answered."""
    right: int

    @property
    def accuracy(self) -> float | None:
        """Percentage of the covered questions that were answered rightly; None: none covered."""
        return 100 * self.right / self.covered if self.covered else None


@dataclass(frozen=True)
class Analogies:
    """How the questions of a set were answered."""

    name: str
    semantic: tuple[Tally, ...]
    """Sections about meanings."""
    syntactic: tuple[Tally, ...]
    """Sections about forms of words: those that are named ``gram…``."""
    unknown: tuple[str, ...]
    """Words of the questions that are not among the known ones, in the order of the set."""
    lower: bool
    """The questions were put into lower case."""
    answering: int
    """Words that could answer."""

    @property
    def total(self) -> Tally:
        """All sections together."""
        return self.sums()[-1]

    def sums(self) -> tuple[Tally, Tally, Tally]:
        """The semantic sections together, the syntactic ones, and all."""
        return (
            _sum("semantic", self.semantic),
            _sum("syntactic", self.syntactic),
            _sum("total", self.semantic + self.syntactic),
        )


def analogies(
    vectors: WordVectors,
    questions: Questions,
    *,
    restrict: int | None = RESTRICT,
    case: Case = "auto",
    progress: Progress | None = None,
) -> Analogies:
    """Answer questions by 3CosAdd, and count.

    Args:
        vectors: of the words, the most frequent first.
        questions: see :func:`seqloom.evaluation.wordsets.read_questions`.
        restrict: only so many of the most frequent words are known and answer; None: all.
        case: ``auto``, ``lower`` or ``keep``: see :func:`seqloom.evaluation.words.lowers`.
        progress: told how many words have been looked through.

    Raises:
        EvaluationError: another ``case``.
    """
    lower = lowers(vectors, case)
    words = dict.fromkeys(word for question in questions.asked for word in question)
    known = vectors if restrict is None or restrict >= len(vectors) else vectors.first(restrict)
    rows = rows_of(known, words, lower)
    table = np.array([[rows.get(word, -1) for word in one] for one in questions.asked])

    def seen(done: int) -> None:
        if progress is not None:
            progress(f"answering {questions.name}", done, len(known))

    covered: NDArray[np.bool_] = np.all(table >= 0, axis=1)
    right = np.zeros_like(covered)
    right[covered] = answers(known.unit, table[covered, :3], seen) == table[covered, 3]
    unknown = tuple(word for word in words if word not in rows)
    return Analogies(
        questions.name, *_tallies(questions, covered, right), unknown, lower, len(known)
    )


def answers(
    unit: NDArray[np.float32], asked: NDArray[np.int64], seen: Callable[[int], None]
) -> NDArray[np.int64]:
    """The fourth words of analogies by 3CosAdd (Mikolov et al. 2013, section 4).

    The word d, none of a, b and c, whose vector has the largest cosine with b - a + c; for vectors
    of length 1 that is the largest cos(d, b) - cos(d, a) + cos(d, c) (Levy and Goldberg 2014).
    Questions share their words, so cosines are computed once a word and not once a question.

    Args:
        unit: vectors of the words that may answer, of length 1: [V D].
        asked: rows of a, b and c: [questions 3].
        seen: told how many of the words have been looked through.

    Returns:
        Rows of the answers [questions]; of equally near words the first; -1 where there is none.
    """
    used, places = np.unique(asked, return_inverse=True)
    places = places.reshape(asked.shape)
    best = np.full(len(asked), -np.inf, dtype=np.float32)
    found = np.full(len(asked), -1)
    width = max(1, _CELLS // max(1, len(used)))
    height = max(1, _CELLS // width)
    queries = unit[used]
    for start in range(0, len(unit), width):
        cosines = queries @ unit[start : start + width].T
        for first in range(0, len(asked), height):
            part = slice(first, first + height)
            top, at = _nearest(cosines, places[part], asked[part] - start)
            better = top > best[part]
            best[part][better] = top[better]
            found[part][better] = at[better] + start
        seen(min(start + width, len(unit)))
    return found


def _nearest(
    cosines: NDArray[np.float32], places: NDArray[np.int64], given: NDArray[np.int64]
) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """The best of some of the words for some questions: how near, and which.

    Args:
        cosines: of all questions' words with these words: [used, words].
        places: rows of a, b and c in ``cosines``: [questions 3].
        given: their columns in ``cosines``, outside of it where they are not among these words.
    """
    a, b, c = places.T
    scores = cosines[b]
    scores -= cosines[a]
    scores += cosines[c]
    question, which = np.nonzero((given >= 0) & (given < scores.shape[1]))
    scores[question, given[question, which]] = -np.inf
    at = scores.argmax(axis=1)
    return scores[np.arange(len(at)), at], at


def _tallies(
    questions: Questions, covered: NDArray[np.bool_], right: NDArray[np.bool_]
) -> tuple[tuple[Tally, ...], tuple[Tally, ...]]:
    """The semantic sections and the syntactic ones."""
    kinds: tuple[list[Tally], list[Tally]] = ([], [])
    start = 0
    for section in questions.sections:
        asked = len(section.questions)
        known, good = (int(column[start : start + asked].sum()) for column in (covered, right))
        kinds[section.syntactic].append(Tally(section.name, asked, known, good))
        start += asked
    return tuple(kinds[False]), tuple(kinds[True])


def _sum(name: str, tallies: tuple[Tally, ...]) -> Tally:
    return Tally(
        name,
        sum(tally.asked for tally in tallies),
        sum(tally.covered for tally in tallies),
        sum(tally.right for tally in tallies),
    )
