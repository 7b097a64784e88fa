"""Arrays of numbers in records: float32 as base64, exact and a fifth of what digits would take."""

from __future__ import annotations

import base64
import math
from typing import Any

import numpy as np

from seqloom.inspection.fields import members


def packed(array: np.ndarray) -> dict[str, Any]:
    """An array as JSON holds it: its shape, and its numbers row by row, little-endian."""
    numbers = np.ascontiguousarray(array, dtype="<f4")
    return {"shape": list(array.shape), "float32": base64.b64encode(numbers.tobytes()).decode()}


def unpacked(values: Any, place: str) -> np.ndarray:
    """The array that :func:`packed` packed.

    Raises:
        ValueError: this is no packed array, its numbers do not fill the shape, or are no base64;
            the message names the ``place``.
    """
    given = members({"shape": list[int], "float32": str}, values, place)
    try:
        numbers = np.frombuffer(base64.b64decode(given["float32"], validate=True), dtype="<f4")
    except ValueError as error:
        raise ValueError(f"{place}: {error}") from None
    shape = tuple(given["shape"])
    if min(shape, default=0) < 0 or math.prod(shape) != len(numbers):
        raise ValueError(f"{place}: {len(numbers)} numbers do not fill the shape {shape}")
    return numbers.reshape(shape).astype(np.float32)
