"""Old batches among new ones: their share, their order, and where a run goes on."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

import pytest

from seqloom.errors import TrainingError
from seqloom.training.mixing import MixedFeed


def numbered(name: str, count: int):
    """A feed of ``count`` batches an epoch: name, epoch and number."""

    def feed(epoch: int, skip: int) -> Iterator[tuple[str, int, int]]:
        return ((name, epoch, number) for number in range(skip, count))

    return feed


def mixed(share: float = 0.3, new: int = 50, old: int = 7, seed: int = 1) -> MixedFeed:
    return MixedFeed(numbered("new", new), numbered("old", old), share, seed)


def test_every_new_batch_is_there_once_and_in_its_order() -> None:
    found = [batch for batch in mixed()(2, 0) if batch[0] == "new"]
    assert found == [("new", 2, number) for number in range(50)]


def test_old_batches_begin_again_with_another_order() -> None:
    found = [batch[1:] for batch in mixed(0.5)(3, 0) if batch[0] == "old"]
    assert len(found) > 14
    assert [number for _, number in found] == [number % 7 for number in range(len(found))]
    rounds = [epoch for epoch, _ in found]
    assert len(set(rounds)) == -(-len(found) // 7)
    assert set(rounds).isdisjoint(epoch for name, epoch, _ in mixed(0.5)(4, 0) if name == "old")


@pytest.mark.parametrize("skip", [0, 1, 17, 60, 69])
def test_an_epoch_goes_on_where_it_was(skip: int) -> None:
    feed = mixed()
    assert list(feed(1, skip)) == list(islice(feed(1, 0), skip, None))


def test_the_share_is_about_what_was_asked_for() -> None:
    found = list(mixed(0.25, new=3000, old=10_000)(0, 0))
    assert sum(name == "old" for name, _, _ in found) / len(found) == pytest.approx(0.25, abs=0.02)


def test_the_seed_decides() -> None:
    assert list(mixed(seed=1)(0, 0)) != list(mixed(seed=2)(0, 0))


def test_nothing_old_is_refused() -> None:
    with pytest.raises(TrainingError, match="nothing old to mix in"):
        list(mixed(0.9, old=0)(0, 0))
