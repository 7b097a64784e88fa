"""Several processes on one run, as torchrun starts them."""

from __future__ import annotations

import os
import socket
import subprocess
import sys


def processes(count: int, code: str, *arguments: str) -> list[subprocess.Popen[str]]:
    """Start Python programs that are one group."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    # One thread each, as the test itself has: sums in another order would differ in the last place,
    # and Adam makes whole steps of it where a gradient is zero (the keys' biases have none).
    shared = {"OMP_NUM_THREADS": "1", "SEQLOOM_THREADS": "1"}
    shared |= {"WORLD_SIZE": str(count), "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port)}
    return [
        subprocess.Popen(
            [sys.executable, "-c", code, *arguments],
            env={**os.environ, **shared, "RANK": str(rank), "LOCAL_RANK": str(rank)},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for rank in range(count)
    ]


def finish(running: list[subprocess.Popen[str]]) -> None:
    """Wait for all; each must have succeeded."""
    for process in running:
        _, errors = process.communicate(timeout=120)
        assert process.returncode == 0, errors
