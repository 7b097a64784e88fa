"""From text files to word vectors: read once, count, then learn epoch by epoch."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from seqloom.errors import MissingExtraError, TrainingError
from seqloom.recipe.vectors import VectorsRecipe
from seqloom.runtime import choose_device, processors
from seqloom.text.ngrams import Ngrams, table
from seqloom.text.vectors import WordVectors
from seqloom.text.word2vec.encoded import LINE_END, EncodedText, Stage, encode
from seqloom.text.word2vec.learner import Learner
from seqloom.text.word2vec.phrases import join_phrases
from seqloom.text.word2vec.vocabulary import Vocabulary, vocabulary_of
from seqloom.text.words import WordRule

if TYPE_CHECKING:
    import torch

Score = Callable[[WordVectors], float]
"""A figure of merit, the more the better."""


def quiet(*told: object) -> None:
    """For those who do not watch."""


@dataclass
class _Course:
    """How far a training is."""

    words: int = 0
    """Words learnt, over all epochs."""
    epochs: int = 0
    seconds: float = 0.0
    scores: list[float] = field(default_factory=list)
    interrupted: bool = False

    def as_dict(self) -> dict[str, Any]:
        """What the vectors tell of how they came about."""
        return {
            "epochs": self.epochs,
            "seconds": round(self.seconds, 2),
            "scores": self.scores,
            "interrupted": self.interrupted,
        }


def train_vectors(
    files: Sequence[str | Path],
    recipe: VectorsRecipe | None = None,
    *,
    score: Score | None = None,
    scratch: str | Path | None = None,
    device: str | None = None,
    progress: Stage = quiet,
    tell: Callable[[str], None] = quiet,
) -> WordVectors:
    """Learn word vectors from text files, one sentence or paragraph a line.

    Files are read once; epochs stream from a copy in numbers, four bytes a word, so memory does
    not grow with the text. Ctrl-C ends the training, and what was learnt until then is returned
    (``vectors.origin["interrupted"]``).

    Args:
        files: text files, also .gz, .xz, .zst.
        recipe: how to train.
        score: judged after every epoch, and once before the first, so that it can refuse in time;
            with ``recipe.patience`` the best epoch is returned, and training ends when it gets no
            better.
        scratch: a folder with room for the copy; the system's place for temporary files otherwise.
        device: such as ``cuda:1``; the best one when left out.
        progress: told the stage, and how many of its words are done of how many.
        tell: told in words what was found.

    Raises:
        CorpusError: a file is missing or no text.
        VectorsError: no word occurs often enough, or ``score`` refuses the vocabulary.
        DeviceError: there is no such device.
        TrainingError: the vectors are no longer finite.
        MissingExtraError: the compiler of the loops is not installed.
    """
    recipe = recipe or VectorsRecipe()
    learner_of = _learning(recipe, choose_device(device))  # what it lacks is told before hours
    with tempfile.TemporaryDirectory(prefix=".seqloom-", dir=scratch) as folder:
        text = _read(files, recipe, Path(folder), progress)
        vocabulary = vocabulary_of(text, recipe.min_count)
        tell(_found(text, vocabulary, recipe))
        with learner_of(vocabulary) as learner:
            vectors, course = _learn(text, vocabulary, recipe, learner, score, progress, tell)
    vectors.origin.update(
        files=[str(path) for path in files],
        recipe=recipe.model_dump(),
        text={"words": text.length, "lines": text.lines},
        learnt=int(vocabulary.counts.sum()),
        **course.as_dict(),
    )
    return vectors


def _read(
    files: Sequence[str | Path], recipe: VectorsRecipe, folder: Path, progress: Stage
) -> EncodedText:
    rule = WordRule(recipe.split, recipe.lowercase)
    text = encode(files, rule, folder / "text", progress)
    for number in range(recipe.phrases):
        # Each pass is more lenient, so that longer phrases form (Mikolov et al. 2013b, section 4).
        threshold = recipe.phrase_threshold / 2**number
        out = folder / f"text{number}"
        joined = join_phrases(text, threshold, recipe.min_count, out, progress)
        text.path.unlink()
        text = joined
    return text


def _found(text: EncodedText, vocabulary: Vocabulary, recipe: VectorsRecipe) -> str:
    share = vocabulary.counts.sum() / text.length
    return (
        f"{text.length:,} words in {text.lines:,} lines; {len(vocabulary):,} different ones "
        f"occur {recipe.min_count}+ times and make up {share:.1%}"
    )


def _learning(recipe: VectorsRecipe, device: torch.device) -> Callable[[Vocabulary], Learner]:
    """What makes the learner of a vocabulary: batches of tensors, or threads."""
    if device.type != "cpu" or recipe.objective == "softmax":
        from seqloom.text.word2vec.batched import Batched

        return lambda vocabulary: Batched(vocabulary, recipe, device)
    try:
        from seqloom.text.word2vec.threads import Threads
    except ModuleNotFoundError as error:
        if error.name != "numba":
            raise
        raise MissingExtraError("Training word vectors on processors", "vectors") from None
    return lambda vocabulary: Threads(vocabulary, recipe, recipe.workers or processors())


def _learn(
    text: EncodedText,
    vocabulary: Vocabulary,
    recipe: VectorsRecipe,
    learner: Learner,
    score: Score | None,
    progress: Stage,
    tell: Callable[[str], None],
) -> tuple[WordVectors, _Course]:
    """All epochs; the vectors of the last one, or of the best if that is asked for."""
    course, best = _Course(), None
    if score is not None:
        score(_vectors(vocabulary, recipe, learner))  # refuses sets that do not fit, in time
    began = time.monotonic()
    try:
        for epoch in range(recipe.epochs):
            _epoch(text, vocabulary, recipe, learner, course, progress)
            course.epochs, course.seconds = epoch + 1, time.monotonic() - began
            if score is None:
                continue
            vectors = _vectors(vocabulary, recipe, learner)
            course.scores.append(round(score(vectors), 4))
            tell(f"epoch {epoch + 1}: score {course.scores[-1]:.2f}")
            if course.scores[-1] == max(course.scores):
                best = vectors
            since = epoch - course.scores.index(max(course.scores))
            if recipe.patience is not None and since >= recipe.patience:
                tell(f"no better for {since} epochs; keeping the best")
                break
    except KeyboardInterrupt:
        course.interrupted, course.seconds = True, time.monotonic() - began
        learner.finish()
    if best is not None and recipe.patience is not None:
        return best, course
    return _vectors(vocabulary, recipe, learner), course


def _epoch(
    text: EncodedText,
    vocabulary: Vocabulary,
    recipe: VectorsRecipe,
    learner: Learner,
    course: _Course,
    progress: Stage,
) -> None:
    total = int(vocabulary.counts.sum()) * recipe.epochs
    # At least a hundred steps of the rate an epoch, at most what a thread does in some hundredths
    # of a second.
    size = int(np.clip(text.length // 100, 1000, 2**16))
    progress("words learnt", course.words, total)  # the first chunk may wait for a compiler
    seeds = np.random.SeedSequence([recipe.seed, course.epochs])
    # In another order each time: no part of the text is always learnt last, and threads side by
    # side are mostly at different places, so that they seldom change the same words.
    order = int(seeds.generate_state(1)[0])
    for number, chunk in enumerate(text.chunks(size, vocabulary.mapping, order)):
        left = 1 - course.words / total
        rate = recipe.final_rate + (recipe.first_rate - recipe.final_rate) * left
        learner.learn(chunk, rate, int(seeds.spawn(1)[0].generate_state(1, np.uint64)[0]))
        course.words += int((chunk != LINE_END).sum())
        progress("words learnt", course.words, total)
        if number % 16 == 0:
            _check(learner, rate, course)
    learner.finish()
    _check(learner, rate, course)


def _check(learner: Learner, rate: float, course: _Course) -> None:
    if not learner.is_finite():
        raise TrainingError(
            f"the vectors are no longer finite numbers after {course.words:,} words, at a learning "
            f"rate of {rate:g}. Give a lower one, such as --set learning_rate={rate / 10:.4g}."
        )


def _vectors(vocabulary: Vocabulary, recipe: VectorsRecipe, learner: Learner) -> WordVectors:
    """The vectors as they are now, those of words joined with their n-grams'."""
    found = learner.vectors()
    if not recipe.subwords:
        return WordVectors(vocabulary.words, found, counts=vocabulary.counts)
    size = len(vocabulary)
    starts, rows = table(
        vocabulary.words, recipe.shortest_ngram, recipe.longest_ngram, recipe.buckets
    )
    matrix = np.empty((size, recipe.width), np.float32)
    for place in range(size):
        parts = rows[starts[place] : starts[place + 1]] + size
        matrix[place] = (found[place] + found[parts].sum(axis=0)) / (1 + len(parts))
    ngrams = Ngrams(found[size:], recipe.shortest_ngram, recipe.longest_ngram)
    return WordVectors(vocabulary.words, matrix, counts=vocabulary.counts, ngrams=ngrams)
