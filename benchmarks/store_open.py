"""Open a token store of ten million pairs and make the first batch that a training run would use.

    python benchmarks/store_open.py [PAIRS]

The store (about 1 GB) is written to a temporary folder by one process and read by another, so that
the memory shown is the reader's alone (Linux only). Pages of the file that are mapped count in the
peak, but the system takes them back when it needs the memory.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from seqloom.corpus.store import StoreWriter, TokenStore
from seqloom.training.batches import batches

VOCABULARY = 16000
MEAN_LENGTH = 25
BATCH_TOKENS = 4096
STEP = 500_000


def write(path: Path, pairs: int) -> None:
    """Write a store of random ids."""
    rng = np.random.default_rng(1)
    with StoreWriter(path, VOCABULARY, VOCABULARY) as writer:
        for start in range(0, pairs, STEP):
            flat = []
            for _ in range(2):
                lengths = rng.poisson(MEAN_LENGTH, min(STEP, pairs - start))
                flat += [rng.integers(4, VOCABULARY, lengths.sum(), dtype=np.uint16), lengths]
            writer.write_flat(*flat)


def read(path: Path) -> None:
    """Time what a training does first."""
    before = megabytes("RssAnon")
    started = time.perf_counter()
    store = TokenStore.open(path)
    opened = time.perf_counter()
    batch = next(batches(store, BATCH_TOKENS, seed=1, epoch=0))
    finished = time.perf_counter()
    print(f"open {len(store):,} pairs    {opened - started:.4f} s")
    print(f"first shuffled batch       {finished - opened:.4f} s ({batch.tokens:,} target tokens)")
    print(f"memory for the store       {megabytes('RssAnon') - before:.1f} MB")
    print(f"peak with mapped pages     {megabytes('VmHWM'):.0f} MB")


def megabytes(entry: str) -> float:
    """An entry of Linux's memory statistics of this process."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(status.split(f"{entry}:")[1].split()[0]) / 2**10


def main() -> None:
    """Run the two processes."""
    if sys.argv[1:2] == ["--write"]:
        write(Path(sys.argv[2]), int(sys.argv[3]))
        return
    if sys.argv[1:2] == ["--read"]:
        read(Path(sys.argv[2]))
        return
    command = [sys.executable, __file__]
    pairs = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000_000
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "train.arrow"
        started = time.perf_counter()
        subprocess.run([*command, "--write", str(path), str(pairs)], check=True)
        size = path.stat().st_size / 2**20
        print(f"write {pairs} pairs  {time.perf_counter() - started:.1f} s, {size:.0f} MB")
        subprocess.run([*command, "--read", str(path)], check=True)


if __name__ == "__main__":
    main()
