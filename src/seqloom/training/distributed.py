"""Several processes on one run, as ``torchrun`` starts them.

Every process holds the whole model and walks through the same batches. Of the batches of an update
each takes its share, the gradients are summed over all processes before they are divided by the
tokens of all, and so N processes do what one does with N times ``training.accumulation`` (dropout
falls otherwise). The first process alone validates, writes and talks; the others wait for it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TypeVar

import torch
from torch import Tensor, distributed

from seqloom.errors import TrainingError
from seqloom.runtime import choose_device, keep_memory, place_in_group, set_threads
from seqloom.training.progress import Progress

T = TypeVar("T")


@dataclass(frozen=True)
class Group:
    """The processes of a run, seen from one of them. The default is one process alone."""

    rank: int = 0
    size: int = 1

    @property
    def first(self) -> bool:
        """Whether this process is the one that writes."""
        return self.rank == 0

    def share(self, batches: Sequence[T]) -> list[T]:
        """What this process computes of the batches of an update."""
        return list(batches[self.rank :: self.size])

    def sum(self, parameters: Sequence[Tensor], *numbers: float) -> list[float]:
        """Sum the gradients of ``parameters``, in place, and each of ``numbers``."""
        if self.size == 1:
            return list(numbers)
        gradients = [p.grad for p in parameters if p.grad is not None]
        # One message for all: the numbers ride along, in float32 like the gradients.
        parts = [gradient.flatten() for gradient in gradients]
        message = torch.cat([*parts, parts[0].new_tensor(numbers)])
        with _company():
            distributed.all_reduce(message)
        sizes = [part.numel() for part in parts]
        *totals, sums = torch.split(message, [*sizes, len(numbers)])
        for gradient, total in zip(gradients, totals, strict=True):
            gradient.copy_(total.view_as(gradient))
        return sums.tolist()

    def any(self, here: bool) -> bool:
        """Whether it is so in any process."""
        if self.size == 1:
            return here
        there = torch.tensor(float(here))
        with _company():
            distributed.all_reduce(there)
        return bool(there)

    def agree(self, value: T) -> T:
        """The first process's ``value``, for all."""
        if self.size == 1:
            return value
        held = [value]
        with _company():
            distributed.broadcast_object_list(held, src=0)
        return held[0]

    def wait(self) -> None:
        """Go on when all processes have come here."""
        if self.size > 1:
            with _company():
                distributed.barrier()


@contextmanager
def _company() -> Iterator[None]:
    """One line instead of a traceback where another process has gone."""
    try:
        yield
    except RuntimeError as error:
        raise TrainingError(
            "another process of this run has ended; its own message says why."
        ) from error


@contextmanager
def joined(device: torch.device) -> Iterator[Group]:
    """The group that ``torchrun`` put this process into, or one of its own."""
    rank, size = place_in_group()
    if size == 1:
        yield Group()
        return
    if device.type == "cuda":
        torch.cuda.set_device(device)
    distributed.init_process_group("cpu:gloo,cuda:nccl" if device.type == "cuda" else "gloo")
    try:
        yield Group(rank, size)
    finally:
        distributed.destroy_process_group()


@contextmanager
def begun(
    device: str | None, progress: Progress | None
) -> Iterator[tuple[torch.device, Group, Progress]]:
    """A process that is ready for a run: where it computes, its group, and who watches it.

    The first process goes ahead, to prepare what all of them read; the others come in when it has
    called :meth:`Group.wait` for the first time. Nobody watches them.

    Raises:
        DeviceError: there is no such device.
    """
    where = choose_device(device)
    set_threads()
    keep_memory()
    with joined(where) as group:
        if not group.first:
            group.wait()
        yield where, group, progress if progress and group.first else Progress()
