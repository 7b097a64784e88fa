"""Old batches among new ones, against forgetting (rehearsal: Robins 1995)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count, islice
from typing import Any

import numpy as np

from seqloom.errors import TrainingError
from seqloom.training.tasks import Feed

_ROUNDS = 1_000_003
"""Between the numbers of old epochs of two new ones; more rounds than one needs."""
_DRAWN = 1024  # kinds of batches that are drawn at a time


@dataclass(frozen=True)
class MixedFeed:
    """Batches of a new task, and in between a share of old ones.

    Which batch of an epoch is an old one is a function of (seed, epoch, number). An epoch ends with
    its new batches; the old ones are drawn anew in each, and begin again when they come to an end.
    """

    new: Feed
    old: Feed
    share: float
    """Of all batches, those that are old."""
    seed: int

    def __call__(self, epoch: int, skip: int) -> Iterator[Any]:
        """See :class:`seqloom.training.tasks.Feed`."""
        kinds = self._kinds(epoch)
        passed = sum(islice(kinds, skip))
        new = iter(self.new(epoch, skip - passed))
        # How many batches a round of old ones has is known only when it has been gone through.
        old = islice(self._rounds(epoch), passed, None)
        upcoming = next(new, None)
        while upcoming is not None:
            if next(kinds):
                yield next(old)
            else:
                yield upcoming
                upcoming = next(new, None)

    def _kinds(self, epoch: int) -> Iterator[bool]:
        """Whether each batch of an epoch is an old one."""
        rng = np.random.default_rng((self.seed, epoch, 0))
        while True:
            yield from (rng.random(_DRAWN) < self.share).tolist()

    def _rounds(self, epoch: int) -> Iterator[Any]:
        for number in count(epoch * _ROUNDS):
            empty = True
            for batch in self.old(number, 0):
                empty = False
                yield batch
            if empty:
                raise TrainingError("There is nothing old to mix in; the old texts are empty.")
