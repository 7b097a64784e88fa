"""Rows for causal models: full, each token predicted once, nothing from another document."""

from __future__ import annotations

from collections import Counter, defaultdict
from pathlib import Path

import numpy as np
import pytest
import torch

from seqloom.corpus.document_store import DocumentStore, DocumentWriter
from seqloom.symbols import Symbols
from seqloom.training import batches as batches_module
from seqloom.training import packing as module
from seqloom.training.packing import packed_rows

SYMBOLS = Symbols()
ALPHABET = 100  # ids of one document of the toys


def write_documents(path: Path, sizes: list[int]) -> DocumentStore:
    """Documents with disjoint alphabets, so that a token tells its document."""
    with DocumentWriter(path, 60_000) as writer:
        writer.write(
            [[10 + ALPHABET * row + n % ALPHABET for n in range(s)] for row, s in enumerate(sizes)],
            [[s] for s in sizes],
        )
    return DocumentStore.open(path)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> DocumentStore:
    rng = np.random.default_rng(0)
    sizes = [*rng.integers(1, 60, 200).tolist(), 700, 1]
    return write_documents(tmp_path_factory.mktemp("packing") / "train.arrow", sizes)


@pytest.fixture(params=["one window", "many windows"])
def small(request, monkeypatch) -> None:
    if request.param == "many windows":
        monkeypatch.setattr(module, "BLOCK", 8)
        monkeypatch.setattr(batches_module, "BLOCK", 8)
        monkeypatch.setattr(batches_module, "_WINDOW", 32)


def rows_of(store, context=32, batch_tokens=128, **kw):
    return list(packed_rows(store, context, batch_tokens, SYMBOLS, **kw))


def all_rows(batches):
    for batch in batches:
        yield from zip(
            batch.inputs.tolist(), batch.targets.tolist(), batch.documents.tolist(), strict=True
        )


def test_two_documents_by_hand(tmp_path):
    store = write_documents(tmp_path / "two.arrow", [3, 4])
    (batch,) = rows_of(store, context=5, batch_tokens=100)
    a, b = [10, 11, 12], [110, 111, 112, 113]
    assert batch.inputs.tolist() == [[1, *a, 1], [*b, 0]]
    assert batch.targets.tolist() == [[*a, 2, b[0]], [*b[1:], 2, 0]]
    assert batch.documents.tolist() == [[1, 1, 1, 1, 2], [1, 1, 1, 1, 0]]
    assert batch.real.tolist() == [[True] * 5, [True] * 4 + [False]]
    assert (batch.tokens, batch.rows) == (9, (0, 1))
    moved = batch.to(torch.device("cpu"))
    assert torch.equal(moved.targets, batch.targets)


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("epoch", [None, 0, 3])
def test_every_token_is_read_and_predicted_once(store, epoch):
    read: Counter[int] = Counter()
    said: Counter[int] = Counter()
    for batch in rows_of(store, epoch=epoch, seed=5):
        read.update(batch.inputs[batch.real].tolist())
        said.update(batch.targets[batch.real].tolist())
    tokens = Counter(int(i) for row in range(len(store)) for i in store.ids(row))
    assert said == tokens + Counter({SYMBOLS.end: len(store)})
    # The last token of a document is a target; nothing follows the end, so it is not read.
    assert read == tokens + Counter({SYMBOLS.begin: len(store)})


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("epoch", [None, 0, 1])
def test_nothing_leaks_from_another_document(store, epoch):
    for inputs, targets, documents in all_rows(rows_of(store, epoch=epoch)):
        seen = defaultdict(set)
        for read, said, number in zip(inputs, targets, documents, strict=True):
            seen[number] |= {(i - 10) // ALPHABET for i in (read, said) if i >= 10}
        assert all(len(owners) == 1 for number, owners in seen.items() if number)
        real = [number for number in documents if number]
        assert real == sorted(real) and set(np.diff(real)) <= {0, 1}
        # Inside a document each input is the target before it.
        for place in range(1, len(real)):
            if documents[place] == documents[place - 1]:
                assert inputs[place] == targets[place - 1]


@pytest.mark.usefixtures("small")
def test_only_the_last_row_is_padded(store):
    for epoch in (None, 0):
        batches = rows_of(store, epoch=epoch)
        assert all(batch.inputs.shape == (4, 32) for batch in batches[:-1])
        padded = sum(not all(numbers) for _, _, numbers in all_rows(batches))
        assert padded <= 1


@pytest.mark.usefixtures("small")
def test_seed_and_epoch_decide_and_skipping_goes_on(store):
    first = rows_of(store, seed=1, epoch=0)
    again = rows_of(store, seed=1, epoch=0)
    assert all(torch.equal(a.inputs, b.inputs) for a, b in zip(first, again, strict=True))
    for other in (rows_of(store, seed=2, epoch=0), rows_of(store, seed=1, epoch=1)):
        assert any(not torch.equal(a.inputs, b.inputs) for a, b in zip(first, other, strict=False))
    for skip in (1, 7, len(first)):
        tail = rows_of(store, seed=1, epoch=0, skip=skip)
        assert len(tail) == len(first) - skip
        for a, b in zip(first[skip:], tail, strict=True):
            assert torch.equal(a.targets, b.targets) and a.rows == b.rows


def test_skipped_batches_are_not_built(store, monkeypatch):
    monkeypatch.setattr(DocumentStore, "ids", lambda self, row: pytest.fail("built"))
    assert rows_of(store, epoch=0, skip=10**6) == []


def test_cuts_of_a_single_document_vary_with_the_epoch(tmp_path):
    store = write_documents(tmp_path / "one.arrow", [99])
    cuts = []
    for epoch in range(4):
        rows = list(all_rows(rows_of(store, context=16, epoch=epoch)))
        cuts.append(frozenset(row[0][0] for row in rows))
    assert len(set(cuts)) > 1
    said = [i for _, said, numbers in rows for i, n in zip(said, numbers, strict=True) if n]
    assert sorted(said) == sorted([*store.ids(0).tolist(), SYMBOLS.end])


def test_neighbouring_rows_of_a_long_document_are_shuffled(tmp_path):
    store = write_documents(tmp_path / "long.arrow", [5000])
    firsts = [row[0][0] for row in all_rows(rows_of(store, context=10, epoch=0))]
    in_order = [row[0][0] for row in all_rows(rows_of(store, context=10))]
    assert firsts != in_order and len(firsts) == len(in_order)
