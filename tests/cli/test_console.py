from __future__ import annotations

import io
import sys

import pytest

from seqloom.cli.console import EVERY, Watch, clock, pace
from seqloom.training.progress import Progress


class Clock:
    """Time that passes when the test says so."""

    def __init__(self) -> None:
        self.seconds = 100.0

    def __call__(self) -> float:
        return self.seconds


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_seconds_are_shown_as_people_read_them() -> None:
    assert [clock(s) for s in (0, 41.6, 725, 11_220)] == ["0:00", "0:42", "12:05", "3:07:00"]


def test_pace_counts_only_at_first_and_then_tells_rate_and_time_left() -> None:
    assert pace(10, 100, 1.0) == "10/100"
    assert pace(50, 200, 5.0) == "50/200 · 10/s · 0:15 left"
    assert pace(6, 12, 4.0) == "6/12 · 1.5/s · 0:04 left"
    assert pace(3000, None, 3.0) == "3,000 · 1,000/s"
    assert pace(200, 200, 5.0) == "200/200 · 40/s"


def test_without_a_terminal_a_stage_writes_a_line_now_and_then(
    capsys: pytest.CaptureFixture[str],
) -> None:
    now = Clock()
    with Watch(now=now) as watch:
        for done in range(0, 100, 10):
            watch.stage("reading", done, 100)
            now.seconds += EVERY / 2
    written = capsys.readouterr()
    assert written.out == ""
    assert written.err.splitlines()[0] == "reading: 20/100 · 1.3/s · 1:00 left"
    assert len(written.err.splitlines()) == 4


def test_a_short_stage_writes_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    with Watch() as watch:
        watch.stage("reading", 1, 2)
        watch.stage("reading", 2, 2)
    assert capsys.readouterr().err == ""


def test_training_is_told_with_rate_loss_score_and_time_left(
    capsys: pytest.CaptureFixture[str],
) -> None:
    now = Clock()
    with Watch(now=now) as watch:
        observer: Progress = watch
        observer.unit = "words"
        observer.started({"parameters": 1234567, "device": "cpu"})
        observer.update(1, 500, 4.5, 9000.4, 1e-3, 99.0, None)
        observer.validated({"loss": 2.5, "bleu": 31.25})
        now.seconds += EVERY
        observer.update(250, 500, 2.345, 9000.4, 1e-3, 61.0, 31.25)
        observer.message("saved")
    assert capsys.readouterr().err.splitlines() == [
        "parameters: 1,234,567",
        "device: cpu",
        "validation: loss 2.50 · bleu 31.25",
        "training: 250/500 · loss 2.345 · 9,000 words/s · rate 1.0e-03 · loss 2.50 · bleu 31.25"
        " · 1:01 left",
        "saved",
    ]


def test_on_a_terminal_one_line_moves(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "100")
    with Watch() as watch:
        watch.stage("reading", 50, 100)
        watch.stage("counting", 7)
        watch.message("a [lasting] line")
    written = terminal.getvalue()
    assert "7" in written
    assert "counting" in written
    assert "a [lasting] line" in written
