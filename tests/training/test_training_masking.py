"""Examples for masked models: pairs, packing, holes."""

from __future__ import annotations

from itertools import pairwise
from math import sqrt
from pathlib import Path

import numpy as np
import pytest
import torch

from seqloom.corpus.document_store import DocumentStore, DocumentWriter
from seqloom.errors import TrainingError
from seqloom.symbols import Symbols
from seqloom.training import masking as module
from seqloom.training import sentence_pairs
from seqloom.training.masking import Masking, masked_rows
from seqloom.training.sentence_pairs import ExampleMaker, best_fit

SYMBOLS = Symbols(mask=4)
SIZE = 40_000
FIRST = 10
ALPHABET = 500  # ids of one document of the toys


def write_documents(path: Path, sentences: list[list[int]]) -> DocumentStore:
    """Documents with disjoint alphabets and rising ids, so that a token tells its place."""
    with DocumentWriter(path, SIZE) as writer:
        writer.write(
            [
                [FIRST + ALPHABET * row + n for n in range(sum(s))]
                for row, s in enumerate(sentences)
            ],
            sentences,
        )
    return DocumentStore.open(path)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> DocumentStore:
    rng = np.random.default_rng(0)
    sentences = [rng.integers(3, 20, rng.integers(4, 25)).tolist() for _ in range(60)]
    return write_documents(tmp_path_factory.mktemp("masking") / "train.arrow", sentences)


def batches_of(store, context=64, batch_tokens=256, masking=None, **kw):
    masking = masking or Masking(SYMBOLS, SIZE)
    return list(masked_rows(store, context, batch_tokens, masking, **kw))


def restored(batch) -> torch.Tensor:
    """The ids before anything was hidden."""
    ids = batch.inputs.clone()
    ids[batch.chosen] = batch.labels
    return ids


def examples_of(batch):
    """Ids and segments of each example, in the order of ``starts``."""
    ids = restored(batch)
    for row, column in batch.starts.tolist():
        mine = batch.documents[row] == batch.documents[row, column]
        assert int(mine.nonzero()[0]) == column
        yield ids[row][mine].tolist(), batch.segments[row][mine].tolist()


@pytest.mark.parametrize("epoch", [None, 0, 2])
@pytest.mark.parametrize("pairs", [True, False])
def test_examples_are_framed_runs_of_one_document(store, epoch, pairs):
    for batch in batches_of(store, epoch=epoch, next_sentence=pairs):
        assert len(batch.follows) == (len(batch.starts) if pairs else 0)
        follows = batch.follows.tolist() or [None] * len(batch.starts)
        for (ids, segments), label in zip(examples_of(batch), follows, strict=True):
            assert ids[0] == SYMBOLS.begin and ids[-1] == SYMBOLS.end
            ends = [place for place, i in enumerate(ids) if i == SYMBOLS.end]
            assert len(ends) == 1 + pairs
            assert segments == [0] * (ends[0] + 1) + [1] * (len(ids) - ends[0] - 1)
            first, second = ids[1 : ends[0]], ids[ends[0] + 1 : -1]
            for run in (first, second) if pairs else (first,):
                assert run == list(range(run[0], run[-1] + 1))
                assert len({(i - FIRST) // ALPHABET for i in run}) == 1
            if label == 0:
                assert second[0] == first[-1] + 1
            if label == 1:
                assert (second[0] - FIRST) // ALPHABET != (first[0] - FIRST) // ALPHABET


@pytest.mark.parametrize("pairs", [True, False])
def test_every_token_is_in_an_example_each_epoch(store, pairs):
    seen: list[int] = []
    for batch in batches_of(store, epoch=1, next_sentence=pairs):
        ids = restored(batch)
        seen += ids[ids >= FIRST].tolist()
    everything = [int(i) for row in range(len(store)) for i in store.ids(row)]
    assert set(seen) == set(everything)
    if not pairs:
        assert sorted(seen) == sorted(everything)


@pytest.mark.parametrize("pairs", [True, False])
def test_long_documents_come_in_stretches_among_others(store, pairs, monkeypatch):
    """Examples of the whole corpus meet in a batch, and each token is still read once."""
    monkeypatch.setattr(sentence_pairs, "_STRETCH", 2)

    def order(shuffled):
        maker = ExampleMaker(store, 24, pairs, np.random.default_rng(3))
        return [example.first for example in maker.examples(shuffled)]

    def changes(spans):
        return sum(a.row != b.row for a, b in pairwise(spans))

    assert changes(order(False)) == len(store) - 1
    spans = order(True)
    assert changes(spans) > 2 * len(store)
    if not pairs:
        read = sorted(spans)
        for row in range(len(store)):
            mine = [span for span in read if span.row == row]
            assert [a.stop for a in mine[:-1]] == [b.start for b in mine[1:]]
            assert (mine[0].start, mine[-1].stop) == (0, len(store.ids(row)))


def test_half_of_the_second_texts_follow(store):
    labels = torch.cat([b.follows for epoch in range(20) for b in batches_of(store, epoch=epoch)])
    number, others = len(labels), int(labels.sum())
    assert number > 2000
    assert abs(others - number / 2) < 4 * sqrt(number / 4)


@pytest.mark.parametrize("rate", [0.15, 0.4])
def test_shares_of_hidden_replaced_and_kept_tokens(store, rate):
    free = chosen = hidden = kept = 0
    for epoch in range(10):
        for batch in batches_of(store, epoch=epoch, masking=Masking(SYMBOLS, SIZE, rate)):
            ids = restored(batch)
            free += int((ids >= FIRST).sum())
            chosen += batch.tokens
            now = batch.inputs[batch.chosen]
            hidden += int((now == SYMBOLS.mask).sum())
            kept += int((now == batch.labels).sum())
            others = now[(now != SYMBOLS.mask) & (now != batch.labels)]
            assert not set(others.tolist()) & {0, 1, 2, 3, 4}
            # Specials are never chosen, and what was not chosen is as it was.
            assert (batch.labels >= FIRST).all()
            assert torch.equal(batch.inputs[~batch.chosen], ids[~batch.chosen])
            assert batch.tokens == int(batch.chosen.sum())

    def near(count: int, of: int, share: float) -> bool:
        return abs(count - of * share) < 4 * sqrt(of * share * (1 - share))

    assert near(chosen, free, rate)
    assert near(hidden, chosen, 0.8)
    assert near(kept, chosen, 0.1)
    assert near(chosen - hidden - kept, chosen, 0.1)


def test_whole_words_are_chosen_together(store):
    begins = np.zeros(SIZE, np.bool_)
    begins[::3] = True  # words of three tokens
    masking = Masking(SYMBOLS, SIZE, begins_word=begins)
    free = chosen = 0
    for epoch in range(5):
        for batch in batches_of(store, epoch=epoch, masking=masking):
            ids = restored(batch)
            for row in range(len(ids)):
                for place in range(1, ids.shape[1]):
                    here, before = int(ids[row, place]), int(ids[row, place - 1])
                    if before >= FIRST and here == before + 1 and not begins[here]:
                        assert batch.chosen[row, place] == batch.chosen[row, place - 1]
            free += int((ids >= FIRST).sum())
            chosen += batch.tokens
    assert chosen / free == pytest.approx(0.15, abs=0.02)


def test_at_least_one_token_is_chosen(store):
    masking = Masking(SYMBOLS, SIZE, rate=1e-9)
    assert all(batch.tokens == 1 for batch in batches_of(store, epoch=0, masking=masking))


def test_seed_and_epoch_decide_and_skipping_goes_on(store, monkeypatch):
    monkeypatch.setattr(module, "_POOL", 64)
    first = batches_of(store, seed=1, epoch=0)
    again = batches_of(store, seed=1, epoch=0)
    assert all(torch.equal(a.inputs, b.inputs) for a, b in zip(first, again, strict=True))
    for other in (batches_of(store, seed=2, epoch=0), batches_of(store, seed=1, epoch=1)):
        assert any(not torch.equal(a.inputs, b.inputs) for a, b in zip(first, other, strict=False))
    holes = zip(batches_of(store, seed=1), batches_of(store, seed=1), strict=True)
    assert all(torch.equal(a.inputs, b.inputs) for a, b in holes)
    for skip in (1, 5, len(first)):
        tail = batches_of(store, seed=1, epoch=0, skip=skip)
        for a, b in zip(first[skip:], tail, strict=True):
            assert torch.equal(a.inputs, b.inputs) and torch.equal(a.labels, b.labels)
            assert torch.equal(a.follows, b.follows) and a.rows == b.rows
    moved = first[0].to(torch.device("cpu"))
    assert torch.equal(moved.starts, first[0].starts) and moved.tokens == first[0].tokens


@pytest.mark.parametrize("pairs", [True, False])
def test_rows_are_full(store, pairs):
    batches = batches_of(store, epoch=0, next_sentence=pairs)
    filled = sum(int((batch.documents > 0).sum()) for batch in batches)
    assert filled / sum(batch.inputs.numel() for batch in batches) > 0.95
    assert all(batch.inputs.shape == (4, 64) for batch in batches[:-1])


def test_best_fit_by_hand():
    assert best_fit(np.array([6, 5, 4, 3, 2]), 10) == [[0, 2], [1, 3, 4]]
    sizes = np.random.default_rng(0).integers(1, 65, 500)
    bins = best_fit(sizes, 64)
    assert sorted(thing for things in bins for thing in things) == list(range(500))
    assert all(sizes[things].sum() <= 64 for things in bins)


def test_what_cannot_be_masked_is_told(store, tmp_path):
    with pytest.raises(TrainingError, match=r"no <mask>.*data\.mask=true"):
        batches_of(store, masking=Masking(Symbols(), SIZE))
    with pytest.raises(TrainingError, match="a context of 4 positions holds no text; use 5"):
        batches_of(store, context=4)
    alone = write_documents(tmp_path / "one.arrow", [[5, 5, 5]])
    with pytest.raises(TrainingError, match="one document alone"):
        batches_of(alone)
    assert batches_of(alone, next_sentence=False)


def test_the_smallest_documents_make_pairs(tmp_path):
    store = write_documents(tmp_path / "tiny.arrow", [[1], [1], [2], [1, 1]])
    for epoch in range(5):
        for batch in batches_of(store, context=8, epoch=epoch):
            for ids, segments in examples_of(batch):
                assert len(ids) >= 5 and set(segments) == {0, 1}
