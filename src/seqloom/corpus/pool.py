"""Functions from batch to batch, run by several processes, their results in order.

The processes come from ``loky``, which starts them without importing the main module of the caller
again: a script needs no ``if __name__ == "__main__"``. Whatever the number of processes, results
are the same and come in the same order.
"""

from __future__ import annotations

import signal
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
from itertools import islice
from typing import TypeVar

Given = TypeVar("Given")
Found = TypeVar("Found")

_ALONE = 8
"""Items that are done before processes are started: for fewer it is not worth the second."""
_WAITING = 2  # items a process that are handed out or wait to be fetched


def pooled(
    function: Callable[[Given], Found], items: Iterable[Given], workers: int
) -> Iterator[Found]:
    """``map(function, items)`` by ``workers`` processes; at most a few items are in memory.

    Args:
        function: can be pickled, and depends on nothing but its argument.
        items: can be pickled; read in this process.
        workers: number of processes; with 1, everything happens in this one.
    """
    items = iter(items)
    if workers == 1:
        yield from map(function, items)
        return
    yield from map(function, islice(items, _ALONE))
    head = list(islice(items, 1))
    if head:
        yield from _shared_out(function, _chained(head, items), workers)


def _chained(head: list[Given], rest: Iterator[Given]) -> Iterator[Given]:
    yield from head
    yield from rest


def _shared_out(
    function: Callable[[Given], Found], items: Iterator[Given], workers: int
) -> Iterator[Found]:
    from loky import ProcessPoolExecutor

    # Each process works on one batch: threads inside would only get in each other's way.
    single = {"TOKENIZERS_PARALLELISM": "false", "OMP_NUM_THREADS": "1"}
    executor = ProcessPoolExecutor(workers, initializer=_ignore_interrupt, env=single)
    waiting: deque[Future[Found]] = deque()
    finished = False
    try:
        for item in items:
            waiting.append(executor.submit(function, item))
            if len(waiting) > _WAITING * workers:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
        finished = True
    finally:
        executor.shutdown(wait=True, kill_workers=not finished)


def _ignore_interrupt() -> None:
    """Ctrl-C reaches every process of the terminal; this one is told by the process it serves."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
