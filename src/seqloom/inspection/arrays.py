"""Arrays of numbers in records: float32 as base64, exact and a fifth of what digits would take."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any

import numpy as np


def packed(array: np.ndarray) -> dict[str, Any]:
    """An array as JSON holds it: its shape, and its numbers row by row, little-endian."""
    numbers = np.ascontiguousarray(array, dtype="<f4")
    return {"shape": list(array.shape), "float32": base64.b64encode(numbers.tobytes()).decode()}


def unpacked(values: Mapping[str, Any]) -> np.ndarray:
    """The array that :func:`packed` packed.

    Raises:
        ValueError: the numbers do not fill the shape, or are no base64.
        KeyError, TypeError: this is no packed array.
    """
    numbers = np.frombuffer(base64.b64decode(values["float32"], validate=True), dtype="<f4")
    return numbers.reshape([int(size) for size in values["shape"]]).astype(np.float32)
