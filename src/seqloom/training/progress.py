"""Who watches a training run: the command line draws it, a notebook may, a test counts."""

from __future__ import annotations

from collections.abc import Mapping


class Progress:
    """What a run tells its observer. This one looks away; others override what they show."""

    unit = "tokens"
    """What the speed is counted in; the run says."""

    def stage(self, stage: str, done: int, total: int | None, note: str = "") -> None:
        """``done`` of ``total`` items of a preparing stage are finished; ``note`` says more."""

    def started(self, summary: Mapping[str, object]) -> None:
        """What is about to be trained: parameters, expected memory and time."""

    def update(
        self,
        update: int,
        total: int,
        loss: float,
        speed: float,
        learning_rate: float,
        seconds_left: float,
        best: float | None,
    ) -> None:
        """Update number ``update`` of ``total`` is done; ``loss`` is a token's, in nats.

        ``speed``: tokens a second, or whatever else the task counts.
        """

    def validated(self, figures: Mapping[str, float]) -> None:
        """Figures on the validation pairs."""

    def message(self, text: str) -> None:
        """One line for a person."""
