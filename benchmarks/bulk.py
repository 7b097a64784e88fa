"""Ten million noisy pairs read, cleaned, de-duplicated, tokenized and stored: rate and memory.

    python benchmarks/bulk.py [--pairs 10000000] [--workers 1 2] [--folder DIR] [--data DIR]

The corpus is Tatoeba (English to German) and Multi30k again and again: each time with other numbers
in it, and with duplicates, near duplicates, empty sides and sides that do not fit. ``seqloom
prepare`` runs in a process of its own with each number of workers; its memory is that of all its
processes together, shared pages counted once (proportional set size), twice a second. The prepared
folders of all runs must be equal byte for byte. Before that, reading and the cheap filters alone
are timed in one process, as pairs a second of processor time.

Writes benchmarks/results/bulk.json.
"""

from __future__ import annotations

import argparse
import hashlib
import random
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from peers import FOLDER, parse_with_corpus, table, write_results

from seqloom.corpus import Corpus, read_corpus
from seqloom.corpus.filters import EmptyFilter, Filter, LengthFilter, RatioFilter, clean
from seqloom.recipe import DataRecipe
from seqloom.runtime import devices
from seqloom.text.rules import filters_of

FILES = ("train.arrow", "validation.arrow", "train.parquet", "tokenizer.json", "report.json")
CHEAP: list[Filter] = [EmptyFilter(), LengthFilter(4096), RatioFilter(9.0)]


def noisy(pairs: list[tuple[str, str]], count: int) -> Iterator[tuple[str, str]]:
    """``count`` pairs made of ``pairs``: two in three new, the others of some kind of noise."""
    chance = random.Random(1)
    recent: list[tuple[str, str]] = []
    for number in range(count):
        source, target = pairs[number % len(pairs)]
        kind = chance.random()
        if kind < 0.7 or len(recent) < 1000:
            turn = f" {chance.choice('abcdefghijklmnopqrstuvwxyz')}{number // len(pairs)}"
            source, target = source + turn, target + turn
            recent.append((source, target))
            if len(recent) > 100_000:
                recent[: len(recent) // 2] = []
        elif kind < 0.8:
            source, target = chance.choice(recent)
        elif kind < 0.9:
            source, target = chance.choice(recent)
            source, target = source.upper(), target.replace(".", " !")
        elif kind < 0.95:
            target = ""
        else:
            target = target * 12
        yield source, target


def write(folder: Path, data: Path, count: int) -> list[Path]:
    """The two files of the corpus; made once."""
    files = [folder / f"bulk-{count}.en", folder / f"bulk-{count}.de"]
    if not all(file.exists() for file in files):
        folder.mkdir(parents=True, exist_ok=True)
        pairs = [
            (pair.source, pair.target)
            for name in ("tatoeba-en-de", "multi30k")
            for pair in read_corpus(data / name / "train.en", data / name / "train.de").pairs()
        ]
        with files[0].open("w") as left, files[1].open("w") as right:
            for source, target in noisy(pairs, count):
                left.write(source + "\n")
                right.write(target + "\n")
    return files


def rate(corpus: Corpus, filters: list[Filter], most: int) -> float:
    """Pairs a second of processor time, of at most ``most`` pairs."""
    began, done = time.process_time(), 0
    _, report = cleaned = clean(corpus, filters)
    for _ in cleaned[0].batches():
        done = report.read
        if done >= most:
            break
    return done / (time.process_time() - began)


def family(process: int) -> list[int]:
    """A process and all that it has started."""
    found = [process]
    for child in Path(f"/proc/{process}/task").glob("*/children"):
        for number in child.read_text().split():
            found += family(int(number))
    return found


def memory(process: int) -> int:
    """Bytes that a process and its children hold, shared pages counted once."""
    total = 0
    for number in family(process):
        try:
            lines = Path(f"/proc/{number}/smaps_rollup").read_text().splitlines()
        except OSError:  # it has just ended
            continue
        total += next(int(line.split()[1]) for line in lines if line.startswith("Pss:")) * 1024
    return total


def prepared(files: list[Path], out: Path, workers: int) -> dict[str, Any]:
    """One run of ``seqloom prepare``: seconds, memory, and what it wrote."""
    shutil.rmtree(out, ignore_errors=True)
    command = [sys.executable, "-m", "seqloom", "prepare", *map(str, files), "--out", str(out)]
    command += ["--workers", str(workers), "--filters", "control,identical,repetition,script"]
    command += ["--set", "data.drop_near_duplicates=true"]
    began = time.perf_counter()
    process = subprocess.Popen(command)
    peak, over = [0], threading.Event()

    def watch() -> None:
        while not over.wait(0.5):
            try:
                peak[0] = max(peak[0], memory(process.pid))
            except OSError:
                return

    watcher = threading.Thread(target=watch)
    watcher.start()
    code = process.wait()
    seconds = time.perf_counter() - began
    over.set()
    watcher.join()
    if code:
        raise SystemExit(f"prepare ended with code {code}")
    digests = {name: hashlib.sha256((out / name).read_bytes()).hexdigest() for name in FILES}
    return {"workers": workers, "seconds": seconds, "peak_bytes": peak[0], "digests": digests}


def arguments() -> argparse.Namespace:
    """What the user asks for."""
    parser = argparse.ArgumentParser(description="A large corpus, prepared.")
    parser.add_argument("--pairs", type=int, default=10_000_000)
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--folder", type=Path, default=FOLDER / "bulk", help="needs 6 GB")
    return parse_with_corpus(parser)


def main() -> None:
    """Write the corpus, time, report."""
    chosen = arguments()
    files = write(chosen.folder, chosen.data, chosen.pairs)
    corpus = read_corpus(*files)
    every = filters_of(DataRecipe(filters=("all",)), corpus)
    sizes: list[tuple[str, list[Filter]]] = [
        ("reading", []), ("and empty, length, ratio", CHEAP), ("and all filters", every),
    ]  # fmt: skip
    most = min(chosen.pairs, 1_000_000)
    rates = {name: rate(corpus, rules, most) for name, rules in sizes}
    print(table([{"one process": n, "pairs/s": f"{value:,.0f}"} for n, value in rates.items()]))
    runs = [prepared(files, chosen.folder / f"w{n}", n) for n in chosen.workers]
    rows = [
        {
            "prepare, workers": str(run["workers"]),
            "minutes": f"{run['seconds'] / 60:.1f}",
            "pairs/s": f"{chosen.pairs / run['seconds']:,.0f}",
            "peak GB": f"{run['peak_bytes'] / 1e9:.2f}",
            "same result": "yes" if run["digests"] == runs[0]["digests"] else "NO",
        }
        for run in runs
    ]
    print(f"\n{table(rows)}")
    values = {"pairs": chosen.pairs, "rates": rates, "runs": runs, "processor": devices()[0]}
    write_results("bulk", values)


if __name__ == "__main__":
    main()
