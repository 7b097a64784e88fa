"""Functions over arrays as machine code."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import numba

Function = TypeVar("Function", bound=Callable[..., Any])

# No "nnan": a diverged run must be seen.
_FAST = {"contract", "reassoc", "nsz", "arcp", "afn"}


def compiled(function: Function) -> Function:
    """The function as machine code, kept on disk for the next time where that is possible."""
    options: dict[str, Any] = {"nogil": True, "fastmath": _FAST, "error_model": "numpy"}
    try:
        return numba.njit(function, cache=True, **options)
    except RuntimeError:  # neither the package's folder nor the user's cache can be written
        return numba.njit(function, **options)
