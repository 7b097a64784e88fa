"""The examination: three readings of a corpus.

The first reduces each pair to a few numbers and takes a sample; the second looks for signs of
trouble, knowing the languages and the words of the sample; the third quotes the pairs that are
named. Memory: some hundred bytes a pair.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import replace

import numpy as np
import pyarrow as pa

from seqloom.corpus.doctor.conclusions import Case, conclude
from seqloom.corpus.doctor.examination import Examination
from seqloom.corpus.doctor.identification import languages_of
from seqloom.corpus.doctor.leakage import LeakSearch
from seqloom.corpus.doctor.quotes import quote
from seqloom.corpus.doctor.signs import SignReader
from seqloom.corpus.doctor.stretches import usual_offset
from seqloom.corpus.doctor.survey import Survey
from seqloom.corpus.doctor.wordpairs import learn
from seqloom.corpus.pairs import Corpus, Progress
from seqloom.errors import CorpusError

IDENTIFIED = 1_000_000
"""Pairs whose languages are identified; of larger corpora every second, third ... pair."""


def examine(
    corpus: Corpus,
    *,
    held_out: Mapping[str, Corpus] = {},
    limit: int | None = None,
    progress: Progress | None = None,
) -> Examination:
    """Find out what is wrong with a corpus.

    Args:
        corpus: the pairs; read three times.
        held_out: sets of pairs that should not be in it, such as validation and test, by name.
        limit: look at this many pairs at its beginning only.
        progress: told how far each reading is.

    Raises:
        CorpusError: the corpus or a held-out set cannot be read, or holds no pairs.
    """
    leaks = [LeakSearch(name, pairs) for name, pairs in held_out.items()]
    for leak in leaks:
        leak.open()
    survey = Survey(leaks)
    for batch in _batches(corpus, limit, "read", progress):
        survey.add(batch)
    if not survey.pairs:
        raise CorpusError(f"{corpus.name}: holds no pairs, so there is nothing to examine.")
    case = _case(corpus, survey, limit, leaks)
    for batch in _batches(corpus, limit, "look for signs", progress):
        case.reader.add(batch)
    found = conclude(case)
    return replace(found, texts=quote(corpus, found.named()))


def _case(corpus: Corpus, survey: Survey, limit: int | None, leaks: list[LeakSearch]) -> Case:
    """What is known after the first reading, and the reader for the second."""
    samples = survey.sample.sides()
    codes = corpus.source_language, corpus.target_language
    sides = languages_of(samples[0], codes[0]), languages_of(samples[1], codes[1])
    expected = sides[0].expected, sides[1].expected
    source, target = survey.features()
    usual = usual_offset(source, target)
    pairs = learn(survey.sample.runs(), usual)
    overlaps = [leak.numbers() for leak in leaks]
    every = math.ceil(survey.pairs / IDENTIFIED)
    return Case(
        name=corpus.name,
        complete=limit is None or survey.pairs < limit,
        codes=codes,
        survey=survey,
        samples=samples,
        sides=sides,
        usual=usual,
        word_pairs=pairs,
        every=every,
        reader=SignReader(
            (codes[0] or expected[0], codes[1] or expected[1]), expected, pairs, every
        ),
        leakage=[leak.findings() for leak in leaks],
        overlap=np.unique(np.concatenate([np.zeros(0, np.int64), *overlaps])),
    )


def _batches(
    corpus: Corpus, limit: int | None, stage: str, progress: Progress | None
) -> Iterator[pa.RecordBatch]:
    """The batches of a corpus, or of its first ``limit`` pairs."""
    done = 0
    for batch in corpus.batches():
        if limit is not None:
            batch = batch.slice(0, limit - done)
        done += batch.num_rows
        if progress is not None:
            total = corpus.estimate(done)
            progress(stage, done, total if limit is None else min(total or limit, limit))
        yield batch
        if done == limit:
            return
