"""Texts as one flat array of code points, so that numpy looks at all characters at once.

Classes of characters are written as in RE2 (``\\p{L}``, ``\\p{Cyrillic}``, ``0-9``). Their tables
are made at the first use, so no list of characters stands in the code.
Axes: C characters of all texts one after the other, N texts.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

NUM_CODE_POINTS = 0x110000
"""Length of a table that is indexed by code points."""

Points = NDArray[np.uint32]
Starts = NDArray[np.int64]


def code_points(texts: pa.Array[Any]) -> tuple[Points, Starts]:
    """The code points of all texts, and where each text begins.

    Args:
        texts: strings without nulls.

    Returns:
        Code points [C] and starts [N + 1]: text i is ``points[starts[i] : starts[i + 1]]``.
    """
    starts = np.zeros(len(texts) + 1, np.int64)
    if not len(texts):
        return np.zeros(0, np.uint32), starts
    column: Any = texts.cast(pa.large_string())
    np.cumsum(pc.utf8_length(column).to_numpy(zero_copy_only=False), out=starts[1:])
    _, offsets, data = column.buffers()
    ends = np.frombuffer(offsets, np.int64)[column.offset : column.offset + len(column) + 1]
    content = memoryview(data or b"")[ends[0] : ends[-1]]
    return points_of(str(content, "utf-8")), starts


def points_of(text: str) -> Points:
    """The code points of one text."""
    return np.frombuffer(text.encode("utf-32-le"), "<u4")


def strings(points: Points, starts: Starts) -> pa.Array[Any]:
    """The texts that :func:`code_points` would take apart like this."""
    bytes_each = np.ones(len(points), np.uint8)
    for least in (0x80, 0x800, 0x10000):
        bytes_each += points >= least
    offsets = np.zeros(len(starts), np.int64)
    np.cumsum(sums(bytes_each, starts), out=offsets[1:])
    data = points.astype("<u4").tobytes().decode("utf-32-le").encode("utf-8")
    buffers = [None, pa.py_buffer(offsets.tobytes()), pa.py_buffer(data)]
    return pa.Array.from_buffers(pa.large_string(), len(starts) - 1, buffers).cast(pa.string())


def sums(values: NDArray[Any], starts: Starts) -> NDArray[np.int64]:
    """The sum of ``values`` [C], numbers or booleans, over each text [N]."""
    found = np.zeros(len(starts) - 1, np.int64)
    filled = starts[1:] > starts[:-1]  # between two starts reduceat takes at least one value
    if filled.any():
        found[filled] = np.add.reduceat(values, starts[:-1][filled], dtype=np.int64)
    return found


def select(characters: str, character_class: str) -> str:
    """Those of ``characters`` that are in a class such as ``\\p{L}\\p{M}``, in their order."""
    outside = f"[^{character_class}]+"
    return pc.replace_substring_regex(pa.array([characters]), outside, "")[0].as_py()


@lru_cache(maxsize=64)
def members(character_class: str) -> NDArray[np.bool_]:
    """A table over all code points: True for those in a class such as ``\\p{Nd}``."""
    table = np.zeros(NUM_CODE_POINTS, np.bool_)
    table[points_of(select(every_character(), character_class))] = True
    table.flags.writeable = False
    return table


def every_character() -> str:
    """All code points but the surrogates, which no text can hold."""
    points = np.arange(NUM_CODE_POINTS, dtype="<u4")
    return points[(points < 0xD800) | (points > 0xDFFF)].tobytes().decode("utf-32-le")
