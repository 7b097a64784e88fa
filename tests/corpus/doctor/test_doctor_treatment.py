"""A corpus without what the doctor found, and nothing else missing."""

from __future__ import annotations

import pytest

from seqloom.corpus import Corpus
from seqloom.corpus.doctor import examine, without
from seqloom.errors import CorpusError

GOOD = [(f"Sentence {n} is fine.", f"Satz {n} ist gut.") for n in range(9000)]


def test_only_what_has_the_sign_is_gone() -> None:
    pairs = list(GOOD)
    pairs[10] = ("the same", "the same")
    pairs[8500] = ("The Same ", "the same")
    pairs[8700] = GOOD[3]
    corpus = Corpus.of(pairs, source_language="en", target_language="de")
    found = examine(corpus)
    identical = [(p.source, p.target) for p in without(corpus, found, ["identical"]).pairs()]
    assert identical == [pair for n, pair in enumerate(pairs) if n not in (10, 8500)]
    both = without(corpus, found, ["identical", "duplicate"])
    assert [(p.source, p.target) for p in both.pairs()] == [
        pair for n, pair in enumerate(pairs) if n not in (10, 8500, 8700)
    ]


def test_shifted_stretches_go_as_a_whole(real_data) -> None:
    lines = [
        (real_data / "multi30k" / f"train.{code}").read_text("utf-8").splitlines()[:6000]
        for code in ("en", "de")
    ]
    lines[1][2000:3000] = [*lines[1][2001:3000], lines[1][2000]]
    corpus = Corpus.of(list(zip(*lines, strict=True)), source_language="en", target_language="de")
    found = examine(corpus)
    kept = without(corpus, found, ["shifted"]).count()
    assert 6000 - kept == pytest.approx(1000, abs=10)


def test_a_sign_that_is_none() -> None:
    corpus = Corpus.of(GOOD[:100])
    with pytest.raises(CorpusError, match=r"no sign is called 'bad'; there are .*unrelated"):
        without(corpus, examine(corpus), ["bad"])
