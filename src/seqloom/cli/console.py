"""What a person sees while a command works: one moving line on a terminal, log lines elsewhere.

Everything here goes to standard error; standard output carries results only.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import TYPE_CHECKING, Self

import typer

from seqloom.runtime import is_terminal
from seqloom.training.progress import Progress as Observer

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

QUIET = 2.0
"""Seconds that a stage may take before it is worth a line."""
EVERY = 15.0
"""Seconds between two log lines of one stage."""


def say(text: str = "") -> None:
    """One line on standard error."""
    typer.echo(text, err=True)


def clock(seconds: float) -> str:
    """Seconds as people read them: ``0:42``, ``12:05``, ``3:07:00``."""
    whole = max(0, round(seconds))
    hours, rest = divmod(whole, 3600)
    minutes, last = divmod(rest, 60)
    return f"{hours}:{minutes:02}:{last:02}" if hours else f"{minutes}:{last:02}"


def pace(done: int, total: int | None, elapsed: float) -> str:
    """How far a stage is: count, rate and time left."""
    count = f"{done:,}" if total is None else f"{done:,}/{total:,}"
    if not done or elapsed < QUIET:
        return count
    rate = done / elapsed
    shown = f"{rate:,.0f}/s" if rate >= 10 else f"{rate:.1f}/s"
    left = "" if total is None or done >= total else f" · {clock((total - done) / rate)} left"
    return f"{count} · {shown}{left}"


class Watch(Observer):
    """Shows stages and training; a context manager that cleans its line up.

    Satisfies :class:`seqloom.training.progress.Progress`; :meth:`stage` alone is what the other
    rooms call. With ``shown=False`` only messages are seen, for when the results themselves move
    on the same terminal.
    """

    def __init__(self, *, shown: bool = True, now: Callable[[], float] = time.monotonic) -> None:
        self._shown = shown
        self._now = now
        self._bar: Progress | None = None
        self._task: TaskID | None = None
        self._name = ""
        self._began = self._spoke = now()
        self._figures = ""

    def __enter__(self) -> Self:
        if self._shown and is_terminal(sys.stderr):
            from rich.console import Console
            from rich.progress import BarColumn, Progress, TextColumn

            self._bar = Progress(
                TextColumn("{task.description}"),
                BarColumn(bar_width=24),
                TextColumn("{task.fields[detail]}"),
                console=Console(stderr=True, soft_wrap=False),
                refresh_per_second=4,
                transient=True,
            )
            self._bar.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._bar is not None:
            self._bar.stop()
            self._bar = None

    def stage(self, stage: str, done: int, total: int | None = None, note: str = "") -> None:
        """``done`` of ``total`` items of a stage are finished."""
        self._begin(stage)
        detail = pace(done, total, self._now() - self._began)
        self._show(done, total, f"{detail} · {note}" if note else detail)

    def message(self, text: str) -> None:
        """One lasting line."""
        if self._bar is not None:
            self._bar.console.print(text, markup=False, highlight=False)
        else:
            say(text)

    def started(self, summary: Mapping[str, object]) -> None:
        """What is about to be trained, as name and value."""
        for name, value in summary.items():
            self.message(f"{name}: {value:,}" if isinstance(value, int) else f"{name}: {value}")

    def update(
        self,
        update: int,
        total: int,
        loss: float,
        speed: float,
        learning_rate: float,
        seconds_left: float,
        best: float | None = None,
    ) -> None:
        """Training is at ``update`` of ``total``."""
        self._begin("training")
        detail = (
            f"{update:,}/{total:,} · loss {loss:.3f} · {speed:,.0f} {self.unit}/s"
            f" · rate {learning_rate:.1e}{self._figures} · {clock(seconds_left)} left"
        )
        self._show(update, total, detail)

    def validated(self, figures: Mapping[str, float]) -> None:
        """Figures on the validation pairs; they stay in the line until the next ones."""
        shown = " · ".join(f"{name} {value:.2f}" for name, value in figures.items())
        self._figures = f" · {shown}"
        self.message(f"validation: {shown}")

    def _begin(self, name: str) -> None:
        if name == self._name:
            return
        self._name = name
        self._began = self._spoke = self._now()
        if self._bar is not None:
            if self._task is not None:
                self._bar.remove_task(self._task)
            self._task = self._bar.add_task(name, total=None, detail="")

    def _show(self, done: int, total: int | None, detail: str) -> None:
        now = self._now()
        if self._bar is not None and self._task is not None:
            self._bar.update(self._task, completed=done, total=total, detail=detail)
        elif self._shown and now - self._spoke >= EVERY:
            self._spoke = now
            say(f"{self._name}: {detail}")
