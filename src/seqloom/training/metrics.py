"""The course of a run: ``metrics.jsonl``, TensorBoard, and a picture of the curves."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from seqloom.errors import writing
from seqloom.folder import write_text

_NO_FIGURES = ("kind", "update", "seconds")
"""What a line of validation holds besides figures."""


class Metrics:
    """Appends one JSON object a line to ``metrics.jsonl``, and the same to TensorBoard.

    Args:
        folder: the model folder.
        since: update to go on from; lines after it, left by an interrupted run, are dropped.
    """

    def __init__(self, folder: Path, since: int) -> None:
        from torch.utils.tensorboard.writer import SummaryWriter

        self.path = folder / "metrics.jsonl"
        kept = [line for line in read_metrics(self.path) if line["update"] <= since]
        write_text(self.path, "".join(json.dumps(line) + "\n" for line in kept))
        with writing(folder):
            self._board = SummaryWriter(str(folder / "tensorboard"), purge_step=since + 1)

    def add(self, kind: str, update: int, values: dict[str, float]) -> None:
        """One line of kind ``training`` or ``validation``."""
        line = {"kind": kind, "update": update, **values}
        with writing(self.path), self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")
        for name, value in values.items():
            self._board.add_scalar(f"{kind}/{name}", value, update)

    def close(self) -> None:
        """Flush what TensorBoard still holds."""
        self._board.close()


def read_metrics(path: Path) -> list[dict[str, Any]]:
    """All whole lines of a ``metrics.jsonl``; a last line cut off by a kill is left out."""
    if not path.is_file():
        return []
    lines = []
    for line in path.read_text(encoding="utf-8").splitlines():
        try:
            lines.append(json.loads(line))
        except ValueError:
            break
    return lines


def draw_curves(folder: Path) -> None:
    """``curves.png``: loss and learning rate of training, figures of validation, over updates."""
    from matplotlib.figure import Figure

    lines = read_metrics(folder / "metrics.jsonl")
    training = [line for line in lines if line["kind"] == "training"]
    validation = [line for line in lines if line["kind"] == "validation"]
    figure = Figure(figsize=(10, 4), layout="constrained")
    left, right = figure.subplots(1, 2)
    left.plot([x["update"] for x in training], [x["loss"] for x in training], label="training")
    figures = dict.fromkeys(name for line in validation for name in line)
    for name in (name for name in figures if name not in _NO_FIGURES):
        points = [(line["update"], line[name]) for line in validation if name in line]
        panel, label = (left, "validation") if name == "loss" else (right, name)
        panel.plot(*zip(*points, strict=True), "o-", label=label)
    left.set(xlabel="update", ylabel="cross-entropy per token (nats)", title="Loss")
    left.legend()
    right.set(xlabel="update", ylabel="score (0 to 100)", title="Validation")
    if figures:
        right.legend()
    with writing(folder):
        part = folder / "curves.part.png"
        try:
            figure.savefig(part, dpi=120)
            part.replace(folder / "curves.png")
        finally:
            part.unlink(missing_ok=True)
