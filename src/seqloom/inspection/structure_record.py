"""Records of structural probes: how far each layer's distances follow syntax trees."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Self

from seqloom.inspection.curves_page import page_of
from seqloom.inspection.fields import read
from seqloom.inspection.layer_curves import Curves, Figures, Line, Measure
from seqloom.inspection.probe_record import check_layers, check_split
from seqloom.inspection.record import Record

if TYPE_CHECKING:
    from seqloom.corpus.pairs import Progress

_PROBE = "structural probe"


@dataclass(frozen=True)
class StructureRun:
    """Structural probes on the states of one model. Axes: L layers, P seeds."""

    states: str
    """``trained``, ``random``, or the update of a checkpoint."""
    uuas: list[list[float]]
    """Edges of the trees that are found, in a hundred [L P]."""
    spearman: list[list[float]]
    """Rank correlation of distances [L P]."""
    update: int | None = None
    """Of a checkpoint."""


@dataclass(frozen=True, eq=False)
class StructureRecord(Record):
    """Structural probes of a model."""

    kind = "structural probes"
    noun = "structural probe record"
    height = 760

    model: str
    """Folder."""
    layers: list[str]
    """[L], the embeddings first."""
    sentences: dict[str, int]
    """Of the parts of :data:`seqloom.inspection.probe_record.SPLIT`."""
    chain: float
    """Edges that link neighbours, in a hundred: the baseline without vectors."""
    runs: list[StructureRun]

    def __post_init__(self) -> None:
        check_split(self.sentences, "sentences")
        for run in self.runs:
            check_layers({"uuas": run.uuas, "spearman": run.spearman}, len(self.layers))

    def values(self) -> dict[str, Any]:
        """See :meth:`Record.values`."""
        names = ("model", "layers", "sentences", "chain")
        values = {name: getattr(self, name) for name in names}
        return {**values, "runs": [asdict(run) for run in self.runs]}

    @classmethod
    def of(cls, values: Mapping[str, Any], version: int) -> Self:
        """See :meth:`Record.of`."""
        return read(cls, values)

    def text(self) -> str:
        """A table for people, a row a layer."""
        parts = ", ".join(f"{number:,} {name}" for name, number in self.sentences.items())
        head = "".join(f"{f'{run.states}: UUAS, %':>24}{'Spearman':>16}" for run in self.runs)
        lines = [
            f"sentences: {parts}",
            f"neighbours linked: {self.chain:.1f} % of the edges",
            "",
            f"{'':12}{head}",
        ]
        for layer, name in enumerate(self.layers):
            cells = (
                f"{Figures.of(run.uuas[layer]).text(1):>24}"
                f"{Figures.of(run.spearman[layer]).text(3):>16}"
                for run in self.runs
            )
            lines.append(f"{name:12}" + "".join(cells))
        return "\n".join(lines)

    def page(self) -> str:
        """See :meth:`Record.page`."""
        return page_of(self._curves())

    def picture(self, suffix: str, progress: Progress | None = None) -> bytes:
        """See :meth:`Record.picture`: both figures over the layers."""
        from seqloom.inspection.curves_picture import figure_of
        from seqloom.inspection.picture import rendered

        return rendered(figure_of(self._curves(), ["uuas", "spearman"]), suffix)

    def _curves(self) -> Curves:
        parts = ", ".join(f"{number:,} {name}" for name, number in self.sentences.items())
        of_model = f" of {self.model}" if self.model else ""
        return Curves(
            f"Syntax trees in the layers{of_model}",
            f"Sentences: {parts}.",
            self.layers,
            {
                "uuas": Measure("edges found, %", {"neighbours linked": self.chain}),
                "spearman": Measure("rank correlation of distances"),
            },
            [
                Line(
                    f"{run.states} model",
                    _PROBE,
                    {"uuas": run.uuas, "spearman": run.spearman},
                    run.update,
                )
                for run in self.runs
            ],
        )
