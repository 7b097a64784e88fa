"""Several corpora in one store: shares by temperature, and nothing passed over."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqloom.corpus.groups import Group, describe, groups_of, make_groups, shares
from seqloom.corpus.store import StoreWriter, TokenStore
from seqloom.training.batches import plan
from seqloom.training.sampling import BLOCK, blocks_of_epoch

SIZES = (64 * BLOCK, 8 * BLOCK + 7, BLOCK // 2)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> TokenStore:
    """Three corpora of very different size."""
    path = tmp_path_factory.mktemp("store") / "train.arrow"
    lengths = np.random.default_rng(0).integers(1, 9, sum(SIZES))
    with StoreWriter(path, 100, 100, describe(make_groups(SIZES, [None] * 3))) as writer:
        writer.write([[5] * n for n in lengths], [[6] * n for n in lengths])
    return TokenStore.open(path)


def seen(store: TokenStore, temperature: float, epochs: range) -> Counter[int]:
    """How often each row comes in some epochs."""
    return Counter(
        int(row)
        for epoch in epochs
        for rows in plan(store, 4096, seed=3, epoch=epoch, temperature=temperature)
        for row in rows
    )


def test_shares_by_hand() -> None:
    groups = [Group(0, 900), Group(900, 1000)]
    assert shares(groups, 1).tolist() == pytest.approx([0.9, 0.1])
    assert shares(groups, 2).tolist() == pytest.approx([0.75, 0.25])
    fixed = [*groups, Group(1000, 5000, share=0.5)]
    assert shares(fixed, 2).tolist() == pytest.approx([0.375, 0.125, 0.5])
    assert shares([Group(0, 9, 0.3), Group(9, 10, 0.1)], 1).tolist() == pytest.approx([0.75, 0.25])


@given(
    sizes=st.lists(st.integers(1, 10**7), min_size=1, max_size=9),
    temperature=st.floats(1, 100),
)
def test_shares_add_up_and_grow_equal(sizes: list[int], temperature: float) -> None:
    stops = np.cumsum(sizes).tolist()
    groups = [Group(stop - size, stop) for size, stop in zip(sizes, stops, strict=True)]
    found = shares(groups, temperature)
    assert found.sum() == pytest.approx(1)
    natural = np.array(sizes) / sum(sizes)
    assert np.ptp(found) <= np.ptp(natural) + 1e-9


def test_the_natural_shares_show_every_row_once(store: TokenStore) -> None:
    assert [(group.start, group.stop) for group in groups_of(store)] == [
        (0, SIZES[0]), (SIZES[0], sum(SIZES[:2])), (sum(SIZES[:2]), sum(SIZES)),
    ]  # fmt: skip
    whole = seen(store, 1, range(8))
    assert whole == dict.fromkeys(range(len(store)), 8)


@pytest.mark.parametrize("temperature", [2.0, 5.0, 100.0])
def test_an_epoch_has_the_shares_asked_for(store: TokenStore, temperature: float) -> None:
    counts = seen(store, temperature, range(6))
    groups = groups_of(store)
    rows = np.array([sum(counts[row] for row in range(g.start, g.stop)) for g in groups])
    assert rows / rows.sum() == pytest.approx(shares(groups, temperature), abs=0.01)
    assert rows.sum() / 6 == pytest.approx(len(store), rel=0.01)


def test_nothing_of_a_large_corpus_is_passed_over(store: TokenStore) -> None:
    """At T = 100 an epoch shows a third of the large corpus, and three epochs all of it."""
    counts = seen(store, 100, range(4))
    assert all(counts[row] for row in range(len(store)))
    assert max(counts[row] for row in range(SIZES[0])) <= 2


def test_the_order_is_a_function_of_seed_and_epoch(store: TokenStore) -> None:
    groups = groups_of(store)
    first = blocks_of_epoch(groups, 5, 1, 7)
    assert np.array_equal(first, blocks_of_epoch(groups, 5, 1, 7))
    assert not np.array_equal(first, blocks_of_epoch(groups, 5, 2, 7))
    assert not np.array_equal(first, blocks_of_epoch(groups, 5, 1, 8))


def test_a_store_that_does_not_tell_is_one_corpus(tmp_path: Path) -> None:
    with StoreWriter(tmp_path / "x", 9, 9) as writer:
        writer.write([[5]] * 3, [[6]] * 3)
    assert groups_of(TokenStore.open(tmp_path / "x")) == [Group(0, 3)]
