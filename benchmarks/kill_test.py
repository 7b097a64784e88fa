"""Kill a training run again and again, restart it, and compare with a run that nobody disturbed.

    python benchmarks/kill_test.py [--kills 20] [--updates N] [--seed 1]

A small Transformer with dropout and a moving average learns to write sequences backwards, with a
checkpoint every 5 updates. SIGKILL comes at random moments: while the corpus is prepared, a
checkpoint is written, a validation runs. At the end every tensor of the model and of the last
checkpoint (weights, average, optimizer) must be the same, bit for bit. Exit code 1 if not.
"""

from __future__ import annotations

import argparse
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

CHECKPOINT_EVERY = 5
COMPARED = ("model.safetensors", "training/checkpoint.safetensors")


def train(out: Path, updates: int) -> None:
    """The run itself, in a process of its own; says on standard output what it has done."""
    from seqloom.corpus.toy import reverse_corpus
    from seqloom.recipe import Recipe
    from seqloom.training.progress import Progress
    from seqloom.workflow import train as run

    class Tell(Progress):
        def update(self, update: int, *rest: object, **others: object) -> None:
            print(update, flush=True)

    recipe = Recipe.model_validate(
        {
            "data": {"tokenizer": "word"},
            "model": {
                "width": 32, "feedforward": 64, "heads": 2, "encoder_layers": 1,
                "decoder_layers": 1, "dropout": 0.1,
            },
            "training": {
                "updates": updates, "batch_tokens": 512, "warmup": 20, "ema": 0.95,
                "precision": "float32", "validate_every": 20, "validate_pairs": 20,
                "checkpoint_every": CHECKPOINT_EVERY, "keep": 2, "average": 2,
            },
        }
    )  # fmt: skip
    print("begun", flush=True)
    run(recipe, out, corpus=reverse_corpus(2000, seed=1), device="cpu", progress=Tell())


@contextmanager
def training(out: Path, updates: int) -> Iterator[subprocess.Popen[str]]:
    """A process that trains into ``out``; gone at the end of the block."""
    command = [sys.executable, __file__, "--train", str(out), "--updates", str(updates)]
    threads = {"OMP_NUM_THREADS": "1", "SEQLOOM_THREADS": "1", "MPLBACKEND": "Agg"}
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, env={**os.environ, **threads}
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def undisturbed(out: Path, updates: int) -> float:
    """Train without a disturbance; returns seconds an update, everything counted."""
    with training(out, updates) as process:
        assert process.stdout is not None
        process.stdout.readline()
        began = time.perf_counter()
        process.stdout.read()
        if process.wait():
            sys.exit("the undisturbed run failed")
        return (time.perf_counter() - began) / updates


def killed(
    out: Path, updates: int, kills: int, pace: float, chance: random.Random
) -> Iterator[int]:
    """Train, killing ``kills`` times; yields the last update that each killed process told of."""
    last = 0
    for _ in range(kills):
        # On average two thirds of an even share of the run, so that it does not end too soon.
        wanted = chance.randint(0, max(1, updates * 4 // (3 * (kills + 1))))
        with training(out, updates) as process:
            assert process.stdout is not None
            process.stdout.readline()
            for _ in range(wanted):
                last = int(process.stdout.readline() or last)
            # Without a single update seen: anywhere from the first file to the first update.
            time.sleep(chance.uniform(0, 3 * pace if wanted else 1.0))
            if process.poll() is None:
                process.kill()
                told = process.stdout.read().split()
                last = int(told[-1]) if told else last
                yield last
            elif process.returncode:
                sys.exit(f"a restarted run failed after update {last}")
    undisturbed(out, updates)


def different(left: Path, right: Path) -> list[str]:
    """Names of the tensors that differ between two model folders."""
    import torch

    from seqloom.tensors import load_tensors

    names = []
    for file in COMPARED:
        ours, theirs = load_tensors(left / file)[0], load_tensors(right / file)[0]
        names += [
            f"{file}: {name}"
            for name in sorted(ours.keys() | theirs.keys())
            if name not in ours or name not in theirs or not torch.equal(ours[name], theirs[name])
        ]
    return names


def main() -> None:
    """Run the comparison and print one line a fact."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--updates", type=int, help="length of the run; 15 a kill when left out")
    parser.add_argument("--seed", type=int, default=1, help="decides when to kill")
    parser.add_argument("--train", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    updates = options.updates or 15 * (options.kills + 1)
    if options.train:
        train(options.train, updates)
        return
    with tempfile.TemporaryDirectory() as folder:
        whole, broken = Path(folder) / "whole", Path(folder) / "broken"
        pace = undisturbed(whole, updates)
        chance = random.Random(options.seed)
        at = list(killed(broken, updates, options.kills, pace, chance))
        names = different(whole, broken)
    verdict = f"DIFFERENT: {', '.join(names)}" if names else "identical bit for bit"
    print(f"{len(at)} kills of a run of {updates} updates, after updates {at}: weights {verdict}")
    sys.exit(1 if names or len(at) < options.kills else 0)


if __name__ == "__main__":
    main()
