"""How long a person waits before anything happens: ``import seqloom`` and ``seqloom --help``.

Run: python benchmarks/startup.py [rounds]
Each figure is the median of fresh interpreters, files cached. The import is measured inside the
interpreter (its own start, about 15 ms, left out); the command from outside, all included.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from pathlib import Path

LIMITS = {"import seqloom": 0.3, "seqloom --help": 0.5}


def import_seconds() -> float:
    """Seconds that ``import seqloom`` takes in a fresh interpreter."""
    program = "import time as t; s = t.perf_counter(); import seqloom; print(t.perf_counter() - s)"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    return float(done.stdout)


def help_seconds() -> float:
    """Seconds from typing ``seqloom --help`` to the prompt."""
    command = Path(sys.executable).with_name("seqloom")
    start = time.perf_counter()
    subprocess.run([command, "--help"], capture_output=True, check=True)
    return time.perf_counter() - start


def main() -> None:
    """Measure and print; exit 1 when a limit is missed."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 7
    missed = False
    for name, measure in zip(LIMITS, (import_seconds, help_seconds), strict=True):
        measure()  # fills the file cache
        seconds = statistics.median(measure() for _ in range(rounds))
        missed |= seconds > LIMITS[name]
        print(f"{name:16} {seconds:.3f} s  (limit {LIMITS[name]} s)")
    sys.exit(1 if missed else 0)


if __name__ == "__main__":
    main()
