"""Batches: each row once, in an order that seed and epoch decide, with little padding."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from training_toys import caption_lengths, random_ids, write_store

from seqloom.corpus.readers import read_corpus
from seqloom.corpus.store import TokenStore
from seqloom.symbols import BOS, EOS, PAD
from seqloom.training import batches as module
from seqloom.training.batches import batches, collate, pad, plan


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> TokenStore:
    """1500 pairs with the lengths of captions."""
    source, target = caption_lengths(1500)
    path = tmp_path_factory.mktemp("store") / "train.arrow"
    return write_store(path, random_ids(source), random_ids(target, 1))


def rows_of(store: TokenStore, tokens: int = 512, seed: int = 1, epoch: int | None = 0):
    return [rows.tolist() for rows in plan(store, tokens, seed=seed, epoch=epoch)]


def fill(store: TokenStore, tokens: int, epoch: int | None) -> float:
    """Share of real positions, both sides together."""
    source, target = (np.asarray(side) + 1 for side in store.lengths(0, len(store)))
    padded = sum(
        len(rows) * int(source[rows].max() + target[rows].max())
        for rows in rows_of(store, tokens, epoch=epoch)
    )
    return float(source.sum() + target.sum()) / padded


def test_collate_by_hand() -> None:
    batch = collate([[7, 8], [9]], [[5], [6, 7]], (3, 4))
    assert batch.source.tolist() == [[7, 8, EOS], [9, EOS, PAD]]
    assert batch.source_mask.tolist() == [[True, True, True], [True, True, False]]
    assert batch.target_input.tolist() == [[BOS, 5, PAD], [BOS, 6, 7]]
    assert batch.target_output.tolist() == [[5, EOS, PAD], [6, 7, EOS]]
    assert batch.target_mask.tolist() == [[True, True, False], [True, True, True]]
    assert (batch.tokens, batch.rows) == (5, (3, 4))
    assert batch.source.dtype == torch.int64
    moved = batch.to(torch.device("cpu"))
    assert torch.equal(moved.source, batch.source) and moved.rows == batch.rows


def test_an_empty_side_is_the_end_alone() -> None:
    batch = collate([[]], [[5]])
    assert (batch.source.tolist(), batch.source_mask.tolist()) == ([[EOS]], [[True]])
    ids, mask = pad([[1, 2], []])
    assert (ids.tolist(), mask.tolist()) == ([[1, 2], [PAD, PAD]], [[True, True], [False, False]])


@pytest.mark.parametrize("epoch", [None, 0, 1])
@pytest.mark.parametrize(("block", "window"), [(256, 1 << 17), (8, 64), (7, 21)])
def test_every_row_exactly_once(
    store: TokenStore, epoch: int | None, block: int, window: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "BLOCK", block)
    monkeypatch.setattr(module, "_WINDOW", window)
    found = [row for rows in rows_of(store, epoch=epoch) for row in rows]
    assert sorted(found) == list(range(len(store)))


def test_seed_and_epoch_decide_the_order(store: TokenStore) -> None:
    first = rows_of(store)
    assert first == rows_of(store)
    others = [rows_of(store, epoch=1), rows_of(store, seed=2), rows_of(store, epoch=None)]
    assert all(first != other for other in others)
    assert others[0] != others[1]
    # Not only the order of the batches differs, but also who shares one.
    assert {frozenset(rows) for rows in first} != {frozenset(rows) for rows in others[0]}


def test_without_an_epoch_lengths_go_up(store: TokenStore) -> None:
    _, target = store.lengths(0, len(store))
    longest = [int(np.asarray(target)[rows].max()) for rows in rows_of(store, epoch=None)]
    assert longest == sorted(longest)


def test_chance_mixes_the_lengths_of_an_epoch(store: TokenStore) -> None:
    _, target = store.lengths(0, len(store))
    longest = [int(np.asarray(target)[rows].max()) for rows in rows_of(store)]
    assert abs(np.corrcoef(longest, np.arange(len(longest)))[0, 1]) < 0.3


@pytest.mark.parametrize("skip", [0, 5, 10_000])
def test_skipping_is_dropping(store: TokenStore, skip: int) -> None:
    def shuffle(ids, rng: np.random.Generator):
        return rng.permutation(ids)

    options = {"seed": 3, "epoch": 2, "perturb": (shuffle, shuffle)}
    whole = list(batches(store, 2048, **options))
    rest = list(batches(store, 2048, skip=skip, **options))
    assert len(rest) == len(whole[skip:])
    for ours, theirs in zip(rest, whole[skip:], strict=True):
        assert ours.rows == theirs.rows
        assert torch.equal(ours.source, theirs.source)
        assert torch.equal(ours.target_output, theirs.target_output)


def test_batches_hold_the_rows_they_name(store: TokenStore) -> None:
    for batch in batches(store, 1024, seed=1, epoch=0):
        for position, row in enumerate(batch.rows):
            source, target = store.pair(row)
            real = batch.source[position][batch.source_mask[position]]
            assert real.tolist() == [*source.tolist(), EOS]
            real = batch.target_input[position][batch.target_mask[position]]
            assert real.tolist() == [BOS, *target.tolist()]


def test_each_side_has_its_own_perturbation(store: TokenStore) -> None:
    twice = (lambda ids, rng: [*ids, *ids], lambda ids, rng: ids)
    batch = next(batches(store, 512, epoch=0, perturb=twice))
    plain = next(batches(store, 512, epoch=0))
    assert int(batch.source_mask.sum()) == 2 * int(plain.source_mask.sum()) - len(plain.rows)
    assert torch.equal(batch.target_input, plain.target_input)


@pytest.mark.parametrize("epoch", [None, 0])
@pytest.mark.parametrize("tokens", [1, 40, 512, 4096])
def test_batches_stay_within_their_budget(
    store: TokenStore, tokens: int, epoch: int | None
) -> None:
    source, target = (np.asarray(side) + 1 for side in store.lengths(0, len(store)))
    for rows in rows_of(store, tokens, epoch=epoch):
        if len(rows) > 1:
            assert len(rows) * target[rows].max() <= tokens
            assert len(rows) * (source[rows].max() * 2 // 3) <= tokens


def test_a_pair_longer_than_the_budget_stands_alone(tmp_path: Path) -> None:
    store = write_store(tmp_path / "a", random_ids([3, 50, 3]), random_ids([3, 50, 4]))
    assert sorted(rows_of(store, 12)) == [[0, 2], [1]]


def test_batches_are_full(store: TokenStore) -> None:
    """A pair more would not fit: the mean batch is near its budget."""
    _, target = (np.asarray(side) + 1 for side in store.lengths(0, len(store)))
    sizes = [len(rows) * target[rows].max() for rows in rows_of(store, 1024)]
    assert np.mean(sizes) > 0.85 * 1024


def test_padding_is_below_a_tenth(store: TokenStore, tmp_path: Path) -> None:
    assert fill(store, 512, 0) > 0.9
    source, target = caption_lengths(30_000, 5)
    large = write_store(tmp_path / "a", *([[5] * n for n in side] for side in (source, target)))
    assert fill(large, 4096, 0) > 0.93
    assert fill(large, 4096, None) > 0.93


def test_padding_of_a_real_corpus(real_data: Path, tmp_path: Path) -> None:
    folder = real_data / "multi30k"
    pairs = list(read_corpus(folder / "train.en", folder / "train.de").pairs())
    source = random_ids([len(pair.source.split()) for pair in pairs])
    target = random_ids([len(pair.target.split()) for pair in pairs])
    store = write_store(tmp_path / "a", source, target)
    assert fill(store, 4096, 0) > 0.9


def test_an_empty_store_has_no_batches(tmp_path: Path) -> None:
    assert list(batches(write_store(tmp_path / "a", [], []), 100, epoch=0)) == []


def test_a_window_shuffles_blocks_far_apart(store: TokenStore, monkeypatch) -> None:
    """A window holds random blocks of neighbours, so memory is bounded and chance is not local."""
    monkeypatch.setattr(module, "BLOCK", 10)
    monkeypatch.setattr(module, "_WINDOW", 300)
    blocks, stops = np.arange(0, len(store), 10), np.array([len(store)])
    windows = list(module.windows(blocks, stops, np.random.default_rng(0)))
    assert [len(rows) for rows in windows] == [300] * 5
    for rows in windows:
        blocks = np.unique(rows // 10)
        assert len(blocks) == 30
        assert blocks.max() - blocks.min() > 75
        assert np.any(np.diff(rows) != 1)


def test_lengths_of_rows_in_any_order(store: TokenStore, monkeypatch) -> None:
    monkeypatch.setattr(module, "BLOCK", 16)
    rows = np.random.default_rng(0).permutation(len(store))[:500]
    source, target = module._lengths(store, rows)
    pairs = [store.pair(row) for row in rows.tolist()]
    assert source.tolist() == [len(pair[0]) for pair in pairs]
    assert target.tolist() == [len(pair[1]) for pair in pairs]
