"""Where the heads of one layer look.

Axes: H heads, R tokens that look (rows), C tokens that are looked at (columns), K head width.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

import numpy as np

from seqloom.inspection.arrays import packed, unpacked

PARTS = {
    "cross": "decoder over source",
    "encoder": "encoder over source",
    "decoder": "decoder over itself",
    "text": "over the text itself",
}
"""Which tokens look at which, in the order in which one is drawn unless another is asked for."""


@dataclass(frozen=True, eq=False)
class AttentionMap:
    """Where the heads of one layer look."""

    path: str
    """Of the layer in the model, such as ``decoder.layers.0.cross_attention``."""
    part: str
    """One of :data:`PARTS`."""
    rows: str
    """Which tokens of the record look."""
    columns: str
    """Which tokens are looked at."""
    weights: np.ndarray
    """[H R C]: row r of head h takes this share from each column; a row adds up to 1."""
    lengths: np.ndarray | None = None
    """[H C]: how long the vector is that head h would take from a column at weight 1; see
    :func:`seqloom.inspection.flows.by_value`."""
    details: dict[str, np.ndarray] = field(default_factory=dict)
    """Where asked for: ``query`` [H R K], ``key`` and ``value`` [H C K], ``scores`` [H R C]."""

    def as_dict(self) -> dict[str, Any]:
        """The map as plain values."""
        arrays = {"weights": self.weights, "lengths": self.lengths, **self.details}
        return {
            **{name: getattr(self, name) for name in ("path", "part", "rows", "columns")},
            **{name: packed(array) for name, array in arrays.items() if array is not None},
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """The map that :meth:`as_dict` gave."""
        plain = {name: str(values[name]) for name in ("path", "part", "rows", "columns")}
        arrays = {name: unpacked(each) for name, each in values.items() if name not in plain}
        weights, lengths = arrays.pop("weights"), arrays.pop("lengths", None)
        return cls(**plain, weights=weights, lengths=lengths, details=arrays)


def first_version(
    values: Mapping[str, Any],
) -> tuple[dict[str, list[str]], list[AttentionMap]]:
    """Tokens and maps of a record of version 1."""
    source, target = list(values["source"]), list(values["target"])
    maps = [
        AttentionMap(
            path.removesuffix(".weights"), "cross", "written", "source",
            np.asarray(weights, dtype=np.float32),
        )
        for path, weights in values["layers"].items()
    ]  # fmt: skip
    return {"source": source, "written": target}, maps
