"""How cost grows: with length, batch, beam, vocabulary, corpus and processes.

    python benchmarks/growth.py [--only beam vocabulary ...]

Each row multiplies one size and leaves the rest as it is; the model is the Transformer of 4+4
layers, width 128, on random tokens. The exponent is the slope between the last two sizes on
logarithmic scales, to be compared with the theory's: a decoder's step looks back at every token
before it, so a token costs at most in proportion to its sentence, a beam to its width, a corpus to
its pairs. Writes benchmarks/results/growth.json and .png. Takes about ten minutes on two cores.
"""

from __future__ import annotations

import argparse
import math
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import matplotlib as mpl

mpl.use("agg")

import torch
from machine import best_seconds
from matplotlib import pyplot as plt
from peers import HERE, table, write_results
from shapes import SHAPES
from store_open import write

from seqloom.corpus.store import TokenStore
from seqloom.decoding.stream import decode_stream
from seqloom.layers.linear import lowered
from seqloom.models import EncoderDecoder, build_model
from seqloom.recipe import recipe_from
from seqloom.runtime import devices, faster_precision, keep_memory, processors, set_threads
from seqloom.training.batches import Batch, batches
from seqloom.training.tasks import Translation, autocast

VOCABULARY, LENGTH, POSITIONS, BEAM = 8000, 16, 4096, 5
CPU = torch.device("cpu")
RECIPE = recipe_from({"model": dict(SHAPES["tiny"].model)}, "growth")


@dataclass(frozen=True)
class Row:
    """One size that grows."""

    title: str
    unit: str
    sizes: Sequence[int]
    theory: float
    """Highest exponent that the unit's cost may grow with."""
    cost: Callable[[int], float]
    """Seconds a unit at a size."""


def model_of(vocabulary: int) -> EncoderDecoder:
    """A fresh model."""
    torch.manual_seed(1)
    return build_model(RECIPE.model, vocabulary, vocabulary)


def training(
    length: int = LENGTH, positions: int = POSITIONS, vocabulary: int = VOCABULARY
) -> float:
    """Seconds of forward and backward for one target token."""
    model, task = model_of(vocabulary).train(), Translation(RECIPE.training)
    sentences = max(1, positions // length)
    ids = torch.randint(4, vocabulary, (sentences, length))
    mask = torch.ones_like(ids, dtype=torch.bool)
    batch = Batch(ids, mask, ids, ids, mask, rows=tuple(range(sentences)))
    precision = faster_precision(CPU)

    def update() -> None:
        with autocast(CPU, precision):
            loss = task(model, batch)
        torch.autograd.backward(loss.total)

    return best_seconds(update) / ids.numel()


def decoding(length: int = LENGTH, beam: int = BEAM, vocabulary: int = VOCABULARY) -> float:
    """Seconds of a beam search for one sentence whose translation is as long as itself."""
    model = lowered(model_of(vocabulary).eval(), faster_precision(CPU))
    options = RECIPE.decoding.model_copy(
        update={"beam": beam, "max_length_factor": 1.0, "max_length_extra": 1}
    )
    count = max(4, 1024 // length // max(1, beam // 8))
    sources = torch.randint(4, vocabulary, (count, length - 1)).tolist()
    return best_seconds(lambda: list(decode_stream([model], sources, options, device=CPU))) / count


def first_batch(pairs: int) -> float:
    """Seconds from nothing to the first shuffled batch of a corpus."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "train.arrow"
        write(path, pairs)
        return best_seconds(
            lambda: next(batches(TokenStore.open(path), POSITIONS, seed=1, epoch=0))
        )


def processes(count: int) -> float:
    """Seconds for one target token where so many processes share the machine's threads."""
    threads = max(1, processors() // count)
    with tempfile.TemporaryDirectory() as folder:
        write(Path(folder) / "train.arrow", 20_000)
        found = subprocess.run(
            [
                sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", str(count),
                str(HERE / "growth_process.py"), folder,
            ],
            env={**os.environ, "SEQLOOM_THREADS": str(threads), "OMP_NUM_THREADS": str(threads)},
            capture_output=True, text=True, check=True,
        )  # fmt: skip
    return float(found.stdout)


ROWS = {
    "length": Row(
        "training: length", "token", (16, 64, 256, 1024), 1, lambda n: training(length=n)
    ),
    "batch": Row(
        "training: positions a batch", "token", (256, 1024, 4096, 16384), 0,
        lambda n: training(positions=n),
    ),
    "vocabulary": Row(
        "training: vocabulary", "token", (1000, 4000, 16000, 64000), 1,
        lambda n: training(vocabulary=n),
    ),
    "output": Row(
        "decoding: length", "sentence", (16, 64, 256, 1024), 2, lambda n: decoding(length=n)
    ),
    "beam": Row("decoding: beam", "sentence", (1, 2, 4, 8, 16, 32), 1, lambda n: decoding(beam=n)),
    "words": Row(
        "decoding: vocabulary", "sentence", (1000, 4000, 16000, 64000), 1,
        lambda n: decoding(vocabulary=n),
    ),
    "corpus": Row(
        "first batch: pairs", "corpus", (10_000, 100_000, 1_000_000, 10_000_000), 1, first_batch
    ),
    "processes": Row("training: processes", "token", (1, 2), 0, processes),
}  # fmt: skip


def measure(row: Row) -> dict[str, Any]:
    """Costs at all sizes, and the exponent of the last step."""
    costs = [row.cost(size) for size in row.sizes]
    exponent = math.log(costs[-1] / costs[-2]) / math.log(row.sizes[-1] / row.sizes[-2])
    shown = (f"{size:,}: {cost * 1e6:.1f} µs" for size, cost in zip(row.sizes, costs, strict=True))
    print(f"{row.title}: {', '.join(shown)}")
    return {
        "title": row.title, "unit": row.unit, "sizes": list(row.sizes),
        "microseconds": [round(cost * 1e6, 2) for cost in costs],
        "exponent": round(exponent, 2), "theory": row.theory,
    }  # fmt: skip


def draw(found: Sequence[dict[str, Any]], path: Path) -> None:
    """Every row as a curve on logarithmic scales, the theory's slope beside it."""
    figure, axes = plt.subplots(2, 4, figsize=(13, 6), layout="constrained")
    for panel, values in zip(axes.flat, found, strict=False):
        sizes, costs = values["sizes"], values["microseconds"]
        panel.loglog(sizes, costs, "o-", color="#1f6f8b")
        slope = [costs[-1] * (size / sizes[-1]) ** values["theory"] for size in sizes]
        panel.loglog(sizes, slope, ":", color="#888888")
        panel.set_title(f"{values['title']}, µs a {values['unit']}", fontsize=9)
    figure.savefig(path, dpi=120)
    plt.close(figure)


def main() -> None:
    """Measure, report."""
    parser = argparse.ArgumentParser(description="How cost grows with every size.")
    parser.add_argument("--only", nargs="+", choices=list(ROWS), default=list(ROWS))
    chosen = parser.parse_args().only
    set_threads()
    keep_memory()
    found = [measure(ROWS[name]) for name in chosen]
    print(
        "\n"
        + table(
            [
                {
                    "cost": f"{values['title']}, a {values['unit']}",
                    "sizes": f"{values['sizes'][0]:,} to {values['sizes'][-1]:,}",
                    "grew": f"{values['microseconds'][-1] / values['microseconds'][0]:.1f} times",
                    "exponent at the end": f"{values['exponent']:.2f}",
                    "theory": f"{values['theory']:g}",
                }
                for values in found
            ]
        )
    )
    machine = {"processor": devices()[0], "processors": processors()}
    path = write_results("growth", {**machine, "rows": found})
    draw(found, path.with_suffix(".png"))


if __name__ == "__main__":
    main()
