"""What bfloat16 costs in quality: validation loss after training in it and in float32, by seeds.

    python benchmarks/precision.py [--updates 1200] [--seeds 1 2 3] [--threads N] [--data DIR]

Trains the Transformer of 4+4 layers, width 128, on Multi30k (English to German) in both number
types with each seed, and takes the cross-entropy of the final weights on the validation pairs, in
float32 for both. Writes benchmarks/results/precision.json after each pair of runs. An hour on two
cores.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
from pathlib import Path
from typing import Any

from contestants import OURS
from peers import parse_with_corpus, table, write_results
from quality import RACE
from shapes import SHAPES, our_recipe

from seqloom.runtime import choose_device, devices, processors, set_threads
from seqloom.text.prepare import Prepared, prepare
from seqloom.workflow import train, validation_loss


def final_loss(precision: str, chosen: argparse.Namespace, seed: int, prepared: Prepared) -> float:
    """Validation loss in nats a token after a run in ``precision``."""
    training = {
        **RACE[OURS], "updates": chosen.updates, "validate_every": chosen.updates, "seed": seed,
    }  # fmt: skip
    recipe = our_recipe(chosen.data, SHAPES["tiny"], precision, training)
    data = recipe.data.model_copy(update={"source": str(prepared.folder), "target": None})
    with tempfile.TemporaryDirectory() as out:
        model = train(recipe.model_copy(update={"data": data}), out, device="cpu").model
    exact = recipe.training.model_copy(update={"precision": "float32"})
    return validation_loss(model.eval(), prepared.validation, exact, choose_device("cpu"))


def main() -> None:
    """Train, compare, report."""
    parser = argparse.ArgumentParser(description="Validation loss in bfloat16 and in float32.")
    parser.add_argument("--updates", type=int, default=1200)
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    parser.add_argument("--threads", type=int, default=processors())
    chosen = parse_with_corpus(parser)
    set_threads(chosen.threads)
    with tempfile.TemporaryDirectory() as folder:
        data = our_recipe(chosen.data, SHAPES["tiny"], "float32").data
        prepared = prepare(data, Path(folder) / "prepared")
        rows: list[dict[str, Any]] = []
        for seed in chosen.seeds:
            losses = {
                precision: round(final_loss(precision, chosen, seed, prepared), 4)
                for precision in ("float32", "bfloat16")
            }
            more = 100 * (losses["bfloat16"] / losses["float32"] - 1)
            rows.append({"seed": seed, **losses, "more_percent": round(more, 2)})
            print(f"seed {seed}: {losses}, {more:+.2f} %")
            write_results(
                "precision",
                {"processor": devices()[0], "updates": chosen.updates, "runs": rows},
            )
    print(f"\n{table([{name: str(value) for name, value in row.items()} for row in rows])}")
    print(f"mean: {statistics.mean(row['more_percent'] for row in rows):+.2f} %")


if __name__ == "__main__":
    main()
