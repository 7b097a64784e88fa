"""Packed batches: each example once and whole, little padding, an order of seed and epoch."""

from __future__ import annotations

import random

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from seqloom.text.examples import UNKNOWN, Example, Examples
from seqloom.training.labelled_batches import LabelledFeed, collate, labelled_batches, pack, plan


def examples(number: int = 50, group: int = 1) -> Examples:
    draw = random.Random(3)
    items = []
    for each in range(number):
        length = min(90, 3 + int(draw.expovariate(1 / 20)))
        ids = [1, *(draw.randint(5, 99) for _ in range(length - 2)), 2]
        places = sorted(draw.sample(range(length), draw.randint(1, 3)))
        labels = [draw.randint(-1, 4) for _ in places]
        items.append(Example(ids, [draw.randint(0, 1) for _ in ids], places, labels, each))
    return Examples(items, group=group)


def test_each_example_stands_in_its_batch_whole() -> None:
    found = examples()
    (batch,) = labelled_batches(found, 50, seed=1, epoch=0)
    ids, segments = batch.ids.flatten(), batch.segments.flatten()
    documents = batch.documents.flatten()
    labels, words = [], 0
    for row, start in zip(batch.rows, batch.starts.tolist(), strict=True):
        one = found.items[row]
        part = slice(start, start + len(one.ids))
        assert ids[part].tolist() == one.ids
        assert segments[part].tolist() == one.segments
        assert len(set(documents[part].tolist())) == 1
        places = batch.places[words : words + len(one.places)] - start
        assert places.tolist() == one.places
        words += len(one.places)
        labels += one.labels
    assert batch.labels.tolist() == labels
    assert batch.tokens == sum(label != UNKNOWN for label in labels)
    assert int((documents > 0).sum()) == sum(len(one.ids) for one in found.items)


def test_documents_rise_along_each_row_from_one() -> None:
    (batch,) = labelled_batches(examples(), 50)
    for row in batch.documents.tolist():
        real = [number for number in row if number]
        assert real == sorted(real)
        assert set(real) == set(range(1, max(real) + 1))
        assert row[len(real) :] == [0] * (len(row) - len(real)), "padding is on the right"


def test_rows_are_nearly_full() -> None:
    (batch,) = labelled_batches(examples(200), 200)
    assert float((batch.documents > 0).float().mean()) > 0.95
    assert batch.ids.shape[1] <= 128


def test_a_long_example_widens_its_rows() -> None:
    long = Example([5] * 300, [0] * 300, [0], [1], 0)
    found = Examples([long, Example([5] * 9, [0] * 9, [0], [1], 1)], pad=7)
    batch = collate(found, [0, 1])
    assert batch.ids[1, 9:].tolist() == [7] * 291, "the pad of another vocabulary"
    assert batch.ids.shape == (2, 300)


@given(st.lists(st.integers(1, 20), min_size=1, max_size=40))
def test_packed_lengths_do_not_overlap_or_leave_the_row(lengths: list[int]) -> None:
    taken = set()
    for (row, column), length in zip(pack(lengths, 20), lengths, strict=True):
        assert column + length <= 20
        cells = {(row, cell) for cell in range(column, column + length)}
        assert not cells & taken
        taken |= cells
    rows = 1 + max(row for row, _ in taken)
    assert rows <= 2 * sum(lengths) / 20 + 1, "first fit fills all rows but one by half"


def test_the_order_is_decided_by_seed_and_epoch() -> None:
    def order(**options: int) -> list[list[int]]:
        return [rows.tolist() for rows in plan(examples(), 8, **options)]

    assert order(seed=1, epoch=2) == order(seed=1, epoch=2)
    assert order(seed=1, epoch=2) != order(seed=1, epoch=3)
    assert order(seed=1, epoch=2) != order(seed=2, epoch=2)
    assert sorted(sum(order(seed=1, epoch=2), [])) == [*range(50)]  # noqa: RUF017
    assert sorted(sum(order(), [])) == [*range(50)]  # noqa: RUF017


@pytest.mark.parametrize("skip", [0, 3, 6, 7])
def test_an_epoch_resumes_by_skipping(skip: int) -> None:
    options = {"seed": 4, "epoch": 1}
    whole = list(labelled_batches(examples(), 8, **options))
    rest = list(labelled_batches(examples(), 8, skip=skip, **options))
    assert [batch.rows for batch in rest] == [batch.rows for batch in whole[skip:]]
    assert all(torch.equal(a.ids, b.ids) for a, b in zip(rest, whole[skip:], strict=True))
    fed = LabelledFeed(examples(), 8, seed=4)(1, skip)
    assert [batch.rows for batch in fed] == [batch.rows for batch in rest]


@pytest.mark.parametrize("epoch", [None, 0])
def test_pairs_stay_together(epoch: int | None) -> None:
    for batch in labelled_batches(examples(20, group=2), 4, epoch=epoch):
        firsts, seconds = batch.rows[0::2], batch.rows[1::2]
        assert len(firsts) <= 4
        assert all(b == a + 1 and a % 2 == 0 for a, b in zip(firsts, seconds, strict=True))


def test_a_batch_goes_to_a_device_whole() -> None:
    (batch,) = labelled_batches(examples(), 50)
    moved = batch.to(torch.device("meta"))
    assert {getattr(moved, name).device.type for name in ("ids", "places", "labels")} == {"meta"}
    assert (moved.rows, moved.tokens) == (batch.rows, batch.tokens)
