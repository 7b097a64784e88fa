"""What the filters drop of good translations, and what they find when faults are planted there."""

from __future__ import annotations

from functools import lru_cache

import pyarrow.compute as pc
import pytest

from seqloom.corpus import (
    ControlFilter,
    Corpus,
    IdenticalFilter,
    NumbersFilter,
    PlaceholderFilter,
    RepetitionFilter,
    ScriptFilter,
    clean,
    read_corpus,
)
from seqloom.corpus.pairs import make_batch

# At most this share of the pairs of a good corpus is dropped by any of the filters below.
RARELY = 0.01

CORPORA = {
    "multi30k": ("en", "de"),
    "tatoeba-en-ru": ("en", "ru"),
    "tatoeba-en-zh": ("en", "zh"),
    "l10n-en-ru": ("en", "ru"),
    "pydocs-en-zh": ("en", "zh"),
}


@lru_cache(maxsize=2)
def corpus_of(folder, name):
    source, target = CORPORA[name]
    pairs = read_corpus(folder / name / f"train.{source}", folder / name / f"train.{target}")
    return Corpus.of(list(pairs.pairs()), source_language=source, target_language=target)


def rules(name):
    return [
        IdenticalFilter(),
        RepetitionFilter(),
        ScriptFilter(*CORPORA[name]),
        ControlFilter(),
        NumbersFilter(),
        PlaceholderFilter(),
    ]


@pytest.mark.parametrize("name", CORPORA)
def test_good_translations_are_rarely_dropped(real_data, name):
    corpus = corpus_of(real_data, name)
    cleaned, report = clean(corpus, rules(name))
    cleaned.count()
    shares = {rule: dropped.count / report.read for rule, dropped in report.dropped.items()}
    assert {rule: share for rule, share in shares.items() if share > RARELY} == {}


def planted(batch, change):
    """The batch with every target changed by ``change``, an Arrow function of both columns."""
    source, target, metadata = batch.columns
    return make_batch(source, change(source, target), metadata)


def joined(*columns):
    return pc.binary_join_element_wise(*columns, " ")


FAULTS = [
    (IdenticalFilter(), lambda source, target: pc.utf8_upper(source)),
    (RepetitionFilter(), lambda source, target: joined(target, "ha ha ha ha ha")),
    (RepetitionFilter(), lambda source, target: joined(target, "............")),
    (ScriptFilter("en", "ru"), lambda source, target: source),
    (ControlFilter(), lambda source, target: joined(target, "\ufffd")),
    (NumbersFilter(0), lambda source, target: joined(target, "1977")),
    (PlaceholderFilter(), lambda source, target: joined(target, "%(name)s")),
]


@pytest.mark.parametrize(("rule", "change"), FAULTS, ids=lambda value: getattr(value, "name", ""))
def test_planted_faults_are_found(real_data, rule, change):
    for batch in corpus_of(real_data, "tatoeba-en-ru").batches():
        accepted = rule.accept(rule.score(planted(batch, change)))
        assert accepted.true_count <= 0.001 * batch.num_rows
