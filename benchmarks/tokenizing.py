"""Cutting text into subwords: lines a second beside JoeyNMT and transformers.

    python benchmarks/tokenizing.py [--data DIR]

Each program learns 8,000 BPE pieces from both sides of Multi30k's training pairs with its own
library, and then cuts the 29,000 English lines into them, the programs taking turns. Writes
benchmarks/results/tokenizing.json.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
from pathlib import Path
from typing import Any

from contestants import ENVIRONMENTS, OURS, install
from peers import HERE, Side, parse_with_corpus, table, write_results

from seqloom.runtime import devices, processors

ROUNDS, VOCABULARY = 5, 8000


def measure(programs: list[str], files: list[str], lines: list[str]) -> dict[str, dict[str, Any]]:
    """Seconds of learning, and lines a second of each program."""
    sides: dict[str, Side] = {}
    speeds: dict[str, list[float]] = {program: [] for program in programs}
    tokens: dict[str, int] = {}
    with tempfile.TemporaryDirectory() as folder:
        for program in programs:
            own = ENVIRONMENTS.get(program)
            command = [str(own.python) if own else sys.executable, str(HERE / "tokenizing_side.py")]
            sides[program] = Side(
                f"{program} tokenizing", command, processors(),
                {"program": program, "files": files, "vocabulary": VOCABULARY, "folder": folder},
            )  # fmt: skip
        for _ in range(ROUNDS):
            for program, side in sides.items():
                found = side.ask(lines=lines)
                speeds[program].append(len(lines) / found["seconds"])
                tokens[program] = found["tokens"]
        for side in sides.values():
            side.close()
    return {
        program: {
            "lines_per_second": round(statistics.median(speeds[program])),
            "rounds": [round(speed) for speed in speeds[program]],
            "learning_seconds": round(sides[program].facts["learning_seconds"], 1),
            "tokens": tokens[program],
        }
        for program in programs
    }


def main() -> None:
    """Install, measure, report."""
    parser = argparse.ArgumentParser(description="Cutting Multi30k into subwords.")
    folder = parse_with_corpus(parser).data / "multi30k"
    files = [str(folder / f"train.{language}") for language in ("en", "de")]
    present, missing = install()
    lines = Path(files[0]).read_text(encoding="utf-8").splitlines()
    found = measure([*present, OURS], files, lines)
    ours = found[OURS]["lines_per_second"]
    rows = [
        {
            "tokenizing": program,
            "lines per second": f"{values['lines_per_second']:,}",
            "Seqloom is ... times as fast": f"{ours / values['lines_per_second']:.1f}",
            "seconds of learning": str(values["learning_seconds"]),
            "tokens": f"{values['tokens']:,}",
        }
        for program, values in found.items()
    ]
    print(f"\n{table(rows)}\n")
    values = {"processor": devices()[0], "processors": processors(), "missing": missing}
    print(f"Written to {write_results('tokenizing', {**values, 'programs': found})}")


if __name__ == "__main__":
    main()
