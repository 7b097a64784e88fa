"""What the machine can do at best: matrix products and copies, by the clock."""

from __future__ import annotations

import time
from collections.abc import Callable

import torch

PRODUCTS = ((1024, 1024, 1024), (4096, 256, 1024), (4096, 256, 8000), (4096, 128, 256))
"""Rows, inner and columns: a square one, and those of the models that are measured."""
LARGE, SMALL = 256 << 20, 8 << 20
"""Bytes copied: beyond every cache, and within."""
_SECONDS = 0.5
_ROUNDS = 3


def best_seconds(work: Callable[[], object]) -> float:
    """The shortest mean time of a call in several rounds."""
    work()
    shortest = float("inf")
    for _ in range(_ROUNDS):
        calls, started = 0, time.perf_counter()
        while (elapsed := time.perf_counter() - started) < _SECONDS:
            work()
            calls += 1
        shortest = min(shortest, elapsed / calls)
    return shortest


def product_gflops(rows: int, inner: int, columns: int, dtype: torch.dtype) -> float:
    """Billions of floating point operations a second of one matrix product."""
    left = torch.randn(rows, inner).to(dtype)
    right = torch.randn(inner, columns).to(dtype)
    out = torch.empty(rows, columns, dtype=dtype)
    seconds = best_seconds(lambda: torch.mm(left, right, out=out))
    return 2 * rows * inner * columns / seconds / 1e9


def copy_gigabytes(size: int) -> float:
    """Gigabytes a second, read and written counted once."""
    source, target = torch.zeros(size, dtype=torch.uint8), torch.zeros(size, dtype=torch.uint8)
    return size / best_seconds(lambda: target.copy_(source)) / 1e9


def ceilings() -> dict[str, dict[str, float]]:
    """Matrix products in GFLOP/s by number type and shape, copies in GB/s by size."""
    found: dict[str, dict[str, float]] = {}
    for dtype in (torch.float32, torch.bfloat16):
        name = str(dtype).removeprefix("torch.")
        found[name] = {
            f"{rows}x{inner} · {inner}x{columns}": round(
                product_gflops(rows, inner, columns, dtype)
            )
            for rows, inner, columns in PRODUCTS
        }
    found["copy"] = {f"{size >> 20} MB": round(copy_gigabytes(size), 1) for size in (LARGE, SMALL)}
    return found
