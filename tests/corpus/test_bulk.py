"""Cleaning in parts on disk gives what plain filters give, however it is cut and interrupted."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from seqloom.corpus import bulk, parts
from seqloom.corpus.bulk import BulkCleaning
from seqloom.corpus.filters import (
    DuplicateFilter,
    EmptyFilter,
    NearDuplicateFilter,
    OverlapFilter,
    RatioFilter,
    clean,
)
from seqloom.corpus.pairs import Corpus, Pair, batches_of

RULES = (EmptyFilter(), RatioFilter(3.0))
MEMORY = {"none": (), "equal": (DuplicateFilter,), "alike": (DuplicateFilter, NearDuplicateFilter)}


def noisy(count: int, seed: int = 0) -> list[Pair]:
    """Pairs with duplicates near and far, alike ones, empty sides and odd ratios."""
    chance = random.Random(seed)
    made: list[Pair] = []
    for number in range(count):
        source, target = f"Sentence {number} says so.", f"Satz Nummer {number} sagt es."
        kind = chance.random()
        if made and kind < 0.2:
            source, target, _ = chance.choice(made)
        elif made and kind < 0.3:
            source, target, _ = chance.choice(made)
            source, target = source.upper(), target.replace(".", "!")
        elif kind < 0.35:
            target = " "
        elif kind < 0.4:
            target *= 9
        made.append(Pair(source, target, {"id": str(number)}))
    return made


def corpus_of(pairs: list[Pair], size: int = 50) -> Corpus:
    """In small batches, so that there are many."""
    cuts = [pairs[start : start + size] for start in range(0, len(pairs), size)]
    return Corpus(lambda: (batch for cut in cuts for batch in batches_of(cut)), name="noisy")


def quiet(stage: str, done: int, total: int | None, note: str = "") -> None:
    pass


@pytest.mark.parametrize("duplicates", ["none", "equal", "alike"])
@pytest.mark.parametrize("workers", [1, 2])
def test_the_same_as_filter_after_filter(tmp_path, monkeypatch, duplicates, workers) -> None:
    monkeypatch.setattr(parts, "PART_BATCHES", 7)
    pairs = noisy(2000)
    held_out = Corpus.of([pairs[5], pairs[77]], name="held out")
    rules = [*RULES, OverlapFilter(held_out)]
    expected, plain = clean(corpus_of(pairs), [*rules, *(rule() for rule in MEMORY[duplicates])])
    cleaning = BulkCleaning(tmp_path / "work", rules, duplicates, workers)
    found, report = cleaning.run(corpus_of(pairs), quiet, "clean")
    assert list(found.pairs()) == list(found.pairs()) == list(expected.pairs())
    assert len(list((tmp_path / "work").glob("part-*.parquet"))) == 6
    assert (report.read, report.kept) == (plain.read, plain.kept)
    for name, dropped in plain.dropped.items():
        same = report.dropped[name]
        assert (same.count, same.reason, same.examples) == (
            dropped.count, dropped.reason, dropped.examples,
        )  # fmt: skip


def test_interrupted_at_any_batch_it_goes_on(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(parts, "PART_BATCHES", 4)
    pairs = noisy(1000)
    whole, report = BulkCleaning(tmp_path / "whole", RULES, "equal", 1).run(
        corpus_of(pairs), quiet, "clean"
    )
    done = 0

    class StoppedError(Exception):
        pass

    work = bulk.CleanBatch.__call__

    def stopping(self, item):
        nonlocal done
        done += 1
        if done % 6 == 0:
            raise StoppedError
        return work(self, item)

    monkeypatch.setattr(bulk.CleanBatch, "__call__", stopping)
    stops = 0
    while True:
        try:
            found, again = BulkCleaning(tmp_path / "parts", RULES, "equal", 1).run(
                corpus_of(pairs), quiet, "clean"
            )
            break
        except StoppedError:
            stops += 1
    assert 3 <= stops <= 5, "finished parts were not done again"
    assert list(found.pairs()) == list(whole.pairs())
    assert again.as_dict() == report.as_dict()


def test_a_note_is_whole_or_not_there(tmp_path, monkeypatch) -> None:
    plain = Path.write_text

    def torn(self, text, **options):
        plain(self, text[: len(text) // 2], **options)
        raise KeyboardInterrupt

    cleaning = BulkCleaning(tmp_path / "work", RULES, "equal", 1)
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(Path, "write_text", torn)
        cleaning.run(corpus_of(noisy(200)), quiet, "clean")
    _, report = cleaning.run(corpus_of(noisy(200)), quiet, "clean")
    assert report.read == 200


def test_progress_tells_what_was_dropped(tmp_path) -> None:
    told = []
    cleaning = BulkCleaning(tmp_path, RULES, "equal", 1)
    cleaning.run(Corpus.of(noisy(100)), lambda *call: told.append(call), "clean")
    stage, done, total, note = told[-1]
    assert (stage, done, total) == ("clean", 100, 100)
    assert "dropped: " in note and "empty" in note and "ratio" in note
