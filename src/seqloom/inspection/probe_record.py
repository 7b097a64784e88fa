"""Records of probes: what each layer knows of a property, beside what it would know anyway."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Self

from seqloom.inspection.curves_page import page_of
from seqloom.inspection.fields import one_of, read
from seqloom.inspection.layer_curves import Curves, Figures, Line, Measure
from seqloom.inspection.record import Record

if TYPE_CHECKING:
    from seqloom.corpus.pairs import Progress

TRAINED, RANDOM = "trained", "random"
"""Whose states a run probed; those of a checkpoint are named after its update."""
TASK, CONTROL = "task", "control"
"""Which labels a run told."""
SPLIT = ("train", "validation", "test")
"""The parts of what is probed: learned from, stopped by, measured on."""


def check_split(sizes: Mapping[str, int], place: str) -> None:
    """Refuse other parts than those of :data:`SPLIT`.

    Raises:
        ValueError: the parts that are expected.
    """
    if set(sizes) != set(SPLIT):
        raise ValueError(f"{place}: expected those of {', '.join(SPLIT)}")


def check_layers(figures: Mapping[str, list[list[float]]], layers: int) -> None:
    """Refuse figures [L P] of another number of layers, or of no seed.

    Raises:
        ValueError: which figure, and how many layers it has.
    """
    for name, rows in figures.items():
        if len(rows) != layers or not all(rows):
            raise ValueError(f"{name} of {len(rows)} layers, expected {layers}")


@dataclass(frozen=True)
class Run:
    """The probes of one kind on the states of one model. Axes: L layers, P seeds."""

    states: str
    """:data:`TRAINED`, :data:`RANDOM`, or the update of a checkpoint."""
    labels: str
    """:data:`TASK` or :data:`CONTROL`."""
    probe: str
    """``linear``, or ``hidden`` for one hidden layer."""
    accuracy: list[list[float]]
    """Right test labels, in a hundred [L P]."""
    bits: list[list[float]]
    """Length of the online code of the training labels [L P]."""
    update: int | None = None
    """Of a checkpoint."""


@dataclass(frozen=True, eq=False)
class ProbeRecord(Record):
    """Probes of a model for one property."""

    kind = "probes"
    noun = "probe record"
    height = 760

    asked: str
    """What was asked for, such as ``upos``."""
    model: str
    """Folder."""
    classes: list[str]
    """[C]."""
    layers: list[str]
    """[L], the embeddings first."""
    examples: dict[str, int]
    """Of the parts of :data:`SPLIT`."""
    baselines: dict[str, float]
    """Right test labels, in a hundred, without any vectors."""
    runs: list[Run]

    def __post_init__(self) -> None:
        check_split(self.examples, "examples")
        for number, run in enumerate(self.runs):
            one_of((TASK, CONTROL), run.labels, f"runs[{number}].labels")
            one_of(_NAMES, run.probe, f"runs[{number}].probe")
            check_layers({"accuracy": run.accuracy, "bits": run.bits}, len(self.layers))

    @property
    def uniform(self) -> float:
        """Bits of the training labels if all classes are equally likely."""
        return self.examples["train"] * math.log2(len(self.classes))

    def values(self) -> dict[str, Any]:
        """See :meth:`Record.values`."""
        names = ("asked", "model", "classes", "layers", "examples", "baselines")
        values = {name: getattr(self, name) for name in names}
        return {**values, "runs": [asdict(run) for run in self.runs]}

    @classmethod
    def of(cls, values: Mapping[str, Any], version: int) -> Self:
        """See :meth:`Record.of`."""
        return read(cls, values)

    def run(self, states: str, labels: str, probe: str) -> Run | None:
        """The run of these, if there is one."""
        wanted = states, labels, probe
        return next((r for r in self.runs if (r.states, r.labels, r.probe) == wanted), None)

    @property
    def probes(self) -> list[str]:
        """The kinds of probes, in their order."""
        return list(dict.fromkeys(run.probe for run in self.runs))

    def accuracy(self, layer: int, states: str, labels: str, probe: str) -> Figures | None:
        """Right labels, in a hundred."""
        run = self.run(states, labels, probe)
        return None if run is None else Figures.of(run.accuracy[layer])

    def compression(self, layer: int, states: str, labels: str, probe: str) -> Figures | None:
        """How many times shorter the code is than one of equally likely classes."""
        run = self.run(states, labels, probe)
        return None if run is None else Figures.of([self.uniform / b for b in run.bits[layer]])

    def selectivity(self, layer: int, probe: str, states: str = TRAINED) -> Figures | None:
        """By how much the task's accuracy exceeds the control's (Hewitt and Liang 2019)."""
        found = self._selectivities(layer, probe, states)
        return Figures.of(found) if found else None

    def _selectivities(self, layer: int, probe: str, states: str) -> list[float]:
        """One a seed; none without a control task."""
        task, control = (self.run(states, labels, probe) for labels in (TASK, CONTROL))
        if task is None or control is None:
            return []
        pairs = zip(task.accuracy[layer], control.accuracy[layer], strict=True)
        return [one - other for one, other in pairs]

    def text(self) -> str:
        """A table for people, a row a layer and kind of probe."""
        parts = ", ".join(f"{number:,} {name}" for name, number in self.examples.items())
        lines = [
            f"{self.asked}: {len(self.classes):,} classes; examples: {parts}",
            *(f"{name}: {share:.1f} % right" for name, share in self.baselines.items()),
        ]
        for probe in self.probes:
            lines += ["", f"{_NAMES.get(probe, probe)}, mean ± deviation over seeds", _HEAD]
            lines += [self._row(layer, name, probe) for layer, name in enumerate(self.layers)]
        return "\n".join(lines)

    def _row(self, layer: int, name: str, probe: str) -> str:
        found = (
            self.accuracy(layer, TRAINED, TASK, probe),
            self.accuracy(layer, RANDOM, TASK, probe),
            self.accuracy(layer, TRAINED, CONTROL, probe),
            self.selectivity(layer, probe),
            self.compression(layer, TRAINED, TASK, probe),
            self.compression(layer, RANDOM, TASK, probe),
        )
        decimals = (1, 1, 1, 1, 2, 2)
        cells = (
            "" if each is None else each.text(digits)
            for each, digits in zip(found, decimals, strict=True)
        )
        return f"{name:12}" + "".join(f"{cell:>15}" for cell in cells)

    def page(self) -> str:
        """See :meth:`Record.page`."""
        return page_of(self._curves())

    def picture(self, suffix: str, progress: Progress | None = None) -> bytes:
        """See :meth:`Record.picture`: accuracy, selectivity and compression over the layers."""
        from seqloom.inspection.curves_picture import figure_of
        from seqloom.inspection.picture import rendered

        names = ["accuracy", "selectivity", "compression"]
        return rendered(figure_of(self._curves(), names), suffix)

    def _curves(self) -> Curves:
        parts = ", ".join(f"{number:,} {name}" for name, number in self.examples.items())
        of_model = f" of {self.model}" if self.model else ""
        return Curves(
            f"What the layers{of_model} know of {self.asked}",
            f"{len(self.classes):,} classes; examples: {parts}.",
            self.layers,
            {
                "accuracy": Measure("accuracy, %", self.baselines),
                "selectivity": Measure("selectivity: accuracy above the control task, points"),
                "compression": Measure("compression", {"nothing known": 1.0}),
                "kilobits": Measure("code length, kilobits", {"uniform": self.uniform / 1000}),
            },
            [self._line(run) for run in self.runs],
        )

    def _line(self, run: Run) -> Line:
        values = {
            "accuracy": run.accuracy,
            "compression": [[self.uniform / bits for bits in row] for row in run.bits],
            "kilobits": [[bits / 1000 for bits in row] for row in run.bits],
        }
        if run.labels == TASK and self.run(run.states, CONTROL, run.probe):
            values["selectivity"] = [
                self._selectivities(layer, run.probe, run.states)
                for layer in range(len(self.layers))
            ]
        name = f"{run.states} model, {run.labels}"
        return Line(name, run.probe, values, run.update, run.labels)


_NAMES = {"linear": "linear probe", "hidden": "probe with one hidden layer"}
_HEAD = f"{'':12}" + "".join(
    f"{name:>15}"
    for name in (
        "accuracy, %", "random model", "control task", "selectivity", "compression", "random",
    )
)  # fmt: skip
