"""What changes the matrices of a training: threads with compiled loops, or batches of tensors."""

from __future__ import annotations

from abc import ABC, abstractmethod
from types import TracebackType
from typing import Self

import numpy as np


class Learner(ABC):
    """Two matrices and how they learn; a context manager that ends what it started."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    @abstractmethod
    def learn(self, numbers: np.ndarray, rate: float, seed: int) -> None:
        """Learn from a chunk of words, lines ended by -1; now or soon."""

    @abstractmethod
    def is_finite(self) -> bool:
        """Whether the vectors of the most frequent words are numbers yet."""

    @abstractmethod
    def vectors(self) -> np.ndarray:
        """Input vectors as they are now, words before n-grams, float32 [V+buckets D]."""

    def finish(self) -> None:  # noqa: B027  (nothing waits where all is learnt when it is given)
        """Wait until every chunk is learnt."""

    def close(self) -> None:  # noqa: B027
        """End what was started."""
