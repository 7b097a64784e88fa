"""Figures of a model before its first update: what there was to lose, and what was won."""

from __future__ import annotations

from pathlib import Path

from seqloom.training.loop import Trainer
from seqloom.training.metrics import Metrics, read_metrics


def judge_before(trainer: Trainer) -> None:
    """Validate a model that has learned before, as line 0 of ``metrics.jsonl``; once a run."""
    folder = trainer.folder
    if not trainer.group.first or figures_before(folder):
        return
    trainer.model.eval()
    figures = trainer.validate(trainer.model)
    trainer.progress.message("Before the first update:")
    trainer.progress.validated(figures)
    metrics = Metrics(folder, 0)
    metrics.add("validation", 0, {**figures, "seconds": 0.0})
    metrics.close()


def figures_before(folder: Path) -> dict[str, float]:
    """The figures that :func:`judge_before` found; none for a run that began at random."""
    for line in read_metrics(folder / "metrics.jsonl"):
        if line["kind"] == "validation" and line["update"] == 0:
            return {
                name: value
                for name, value in line.items()
                if name not in ("kind", "update", "seconds")
            }
    return {}
