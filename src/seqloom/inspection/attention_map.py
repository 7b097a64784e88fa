"""Where the heads of one layer look.

Axes: H heads, R tokens that look (rows), C tokens that are looked at (columns), K head width.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

import numpy as np

from seqloom.inspection.arrays import packed, unpacked
from seqloom.inspection.fields import members, one_of

PARTS = {
    "cross": "decoder over source",
    "encoder": "encoder over source",
    "decoder": "decoder over itself",
    "text": "over the text itself",
}
"""Which tokens look at which, in the order in which one is drawn unless another is asked for."""
DETAILS = ("query", "key", "value", "scores")
"""What is kept where it is asked for."""

_NAMES = ("path", "part", "rows", "columns")


def there_are(name: str, number: int) -> str:
    """Which layers or heads there are, for messages: ``layers 0 to 3``, ``layer 0 alone``."""
    return f"{name} 0 alone" if number == 1 else f"{name}s 0 to {number - 1}"


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

    def check(self, rows: int, columns: int) -> None:
        """Refuse arrays that do not fit so many tokens.

        Raises:
            ValueError: the shape that is wrong.
        """
        if self.weights.ndim != 3 or self.weights.shape[1:] != (rows, columns):
            raise ValueError(
                f"{self.path}: weights of shape {self.weights.shape}; expected [heads, "
                f"{rows} pieces that look, {columns} that are looked at]"
            )
        if self.lengths is not None and self.lengths.shape != (len(self.weights), columns):
            raise ValueError(f"{self.path}: lengths of shape {self.lengths.shape}")
        for name, array in self.details.items():
            tokens = columns if name in ("key", "value") else rows
            if array.ndim != 3 or array.shape[1] != tokens:
                raise ValueError(f"{self.path}: {name} of shape {array.shape}")

    def as_dict(self) -> dict[str, Any]:
        """The map as plain values."""
        arrays = {"weights": self.weights, "lengths": self.lengths, **self.details}
        return {
            **{name: getattr(self, name) for name in _NAMES},
            **{name: packed(array) for name, array in arrays.items() if array is not None},
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any], place: str) -> Self:
        """The map that :meth:`as_dict` gave.

        Raises:
            ValueError: something is wrong with it; the message names the ``place``.
        """
        optional = [name for name in ("lengths", *DETAILS) if name in values]
        kinds = dict.fromkeys(_NAMES, str) | dict.fromkeys(["weights", *optional], Any)
        given = members(kinds, values, place)
        one_of(PARTS, given["part"], f"{place}.part")
        arrays = {n: unpacked(given.pop(n), f"{place}.{n}") for n in ("weights", *optional)}
        weights, lengths = arrays.pop("weights"), arrays.pop("lengths", None)
        return cls(**given, weights=weights, lengths=lengths, details=arrays)


def first_version(
    values: Mapping[str, Any],
) -> tuple[dict[str, list[str]], list[AttentionMap]]:
    """Tokens and maps of a record of version 1.

    Raises:
        ValueError: it is damaged.
    """
    heads = list[list[list[float]]]
    kinds = {"source": list[str], "target": list[str], "layers": dict[str, heads]}
    source, target, layers = members(kinds, values).values()
    maps = [
        AttentionMap(
            path.removesuffix(".weights"), "cross", "written", "source",
            np.asarray(weights, dtype=np.float32),
        )
        for path, weights in layers.items()
    ]  # fmt: skip
    return {"source": source, "written": target}, maps
