"""Ctrl-C and SIGTERM during training: finish the update, save, then stop."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any


class Stop:
    """Whether somebody asked the run to stop, and how."""

    def __init__(self) -> None:
        self.signal: int | None = None

    def __bool__(self) -> bool:
        return self.signal is not None

    def leave(self) -> None:
        """Go out the way the signal asked for, after everything is saved.

        Raises:
            KeyboardInterrupt: after Ctrl-C.
            SystemExit: with 128 + the signal's number, after SIGTERM.
        """
        if self.signal in (signal.SIGINT, None):  # none here: another process of the run had it
            raise KeyboardInterrupt
        raise SystemExit(128 + self.signal)


@contextmanager
def graceful_stop() -> Iterator[Stop]:
    """Turn the first SIGINT or SIGTERM inside the block into a note; a second one acts at once.

    Only the main thread may install handlers; elsewhere the block changes nothing.
    """
    stop = Stop()
    if threading.current_thread() is not threading.main_thread():
        yield stop
        return
    previous: dict[int, Any] = {
        number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)
    }

    def remember(number: int, frame: FrameType | None) -> None:
        stop.signal = number
        signal.signal(number, previous[number])

    for number in previous:
        signal.signal(number, remember)
    try:
        yield stop
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)
