"""How much of an encoder to tune: all of it, its last layers, only the new one, or LoRA.

    seqloom pretrain bert recipes/bert-gutenberg.yaml --out runs/bert-gutenberg
    python benchmarks/tuning.py runs/bert-gutenberg [--seeds 1 2 3] [--rates 5e-4 2e-3 8e-3]
                                [--epochs 20] [--threads N] [--data DIR]

TREC questions in six classes, 500 to learn from, a tenth of all to be measured on. Each way is
tuned at each learning rate and with each seed, which draws texts, weights and order; the rate is
the one that is best, over the seeds, on the tenth of the 500 that is held out of them. Seconds are
those of training. Memory is the most that a process came to hold in one more run, of one epoch,
beyond what it held when texts, encoder and libraries were read. How much is forgotten: holes in
held-out texts of the encoder's own that it fills right, before and after.

Writes benchmarks/results/tuning.json after every way.
"""

from __future__ import annotations

import argparse
import statistics
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from peers import HERE, Side, parse_with_corpus, table, write_results

from seqloom.language_folder import load_language_folder
from seqloom.runtime import devices, processors

WAYS: dict[str, dict[str, Any]] = {
    "all layers": {},
    "all layers, embeddings as they are": {"tune": "last", "last_layers": "all"},
    "all, each layer .7 of the rate above": {"layer_decay": 0.7},
    "last 2 layers": {"tune": "last", "last_layers": 2},
    "last layer": {"tune": "last", "last_layers": 1},
    "new layer alone": {"tune": "head"},
    "LoRA, rank 8": {"tune": "lora", "lora_rank": 8, "lora_alpha": 16},
    "LoRA, rank 2": {"tune": "lora", "lora_rank": 2, "lora_alpha": 4},
}
DROPOUT = 0.1
"""Within the encoder, of every way."""
Run = dict[str, Any]


def training_of(chosen: argparse.Namespace, way: str, rate: float) -> dict[str, Any]:
    """The section ``training`` of a run."""
    fields = {**WAYS[way], "learning_rate": rate, "epochs": chosen.epochs, "dropout": DROPOUT}
    if fields.get("last_layers") == "all":
        fields["last_layers"] = load_language_folder(chosen.encoder).recipe.model.layers
    return fields


def run(
    chosen: argparse.Namespace, training: Mapping[str, Any], seed: int, memory: bool = False
) -> Run:
    """One fine-tuning in a process of its own: its figures, or its memory."""
    request = {
        "encoder": str(chosen.encoder.resolve()), "data": str(chosen.data),
        "training": training, "seed": seed, "memory": memory,
    }  # fmt: skip
    command = [sys.executable, str(HERE / "tuning_side.py")]
    side = Side("tuning", command, chosen.threads, request)
    side.close()
    return side.facts


def mean(runs: Sequence[Run], name: str) -> float:
    """Of a figure over the seeds."""
    return statistics.mean(one[name] for one in runs)


def holes(runs: Sequence[Run], when: str) -> float:
    """Of a hundred holes in old texts those that are filled right."""
    return statistics.mean(one["holes"][when] for one in runs)


def held_out(runs: Sequence[Run]) -> tuple[float, float]:
    """What a rate is chosen by: accuracy where it was held out, then the lower loss."""
    figures = [one["chosen_by"] for one in runs]
    return mean(figures, "accuracy"), -mean(figures, "loss")


def try_way(chosen: argparse.Namespace, way: str) -> dict[str, Any]:
    """All rates and seeds of one way, and its best rate."""
    rates: dict[str, list[Run]] = {}
    for rate in chosen.rates:
        training = training_of(chosen, way, rate)
        rates[f"{rate:g}"] = [run(chosen, training, seed) for seed in chosen.seeds]
        figures = ", ".join(f"{one['accuracy']:.1f}" for one in rates[f"{rate:g}"])
        print(f"  {way:38} rate {rate:g}: {figures} %", flush=True)
    best = max(rates, key=lambda rate: held_out(rates[rate]))
    needed = run(chosen, training_of(chosen, way, float(best)), chosen.seeds[0], memory=True)
    return {"rate": best, "runs": rates, **needed}


def row_of(way: str, found: Mapping[str, Any]) -> dict[str, str]:
    """A way's line of the table."""
    runs = found["runs"][found["rate"]]
    scores = [one["accuracy"] for one in runs]
    spread = f" ± {statistics.stdev(scores):.1f}" if len(scores) > 1 else ""
    return {
        "what moves": way,
        "rate": found["rate"],
        "accuracy, %": f"{statistics.mean(scores):.1f}{spread}",
        "weights moved": f"{runs[0]['moving']:,}",
        "seconds": f"{mean(runs, 'seconds'):.0f}",
        "memory, MiB": f"{found['memory_mb']:,.0f}",
        "holes filled, %": f"{holes(runs, 'before'):.1f} to {holes(runs, 'after'):.1f}",
    }


def arguments() -> argparse.Namespace:
    """What the user asks for."""
    parser = argparse.ArgumentParser(description="How much of an encoder to tune.")
    parser.add_argument("encoder", type=Path, help="folder of a BERT")
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    parser.add_argument("--rates", type=float, nargs="+", default=[5e-4, 2e-3, 8e-3])
    parser.add_argument("--epochs", type=float, default=20.0)
    parser.add_argument("--threads", type=int, default=processors())
    return parse_with_corpus(parser, "trec")


def main() -> None:
    """Tune every way, report."""
    chosen = arguments()
    found: dict[str, Any] = {}
    for way in WAYS:
        found[way] = try_way(chosen, way)
        values = {"processor": devices()[0], "threads": chosen.threads, "epochs": chosen.epochs}
        path = write_results("tuning", {**values, "encoder": chosen.encoder.name, "ways": found})
    print(f"\n{table([row_of(way, found[way]) for way in found])}\n\nWritten to {path}")


if __name__ == "__main__":
    main()
