"""word2vec on texts of growing length: words a second and peak memory, up to 100 million words.

    python benchmarks/wordvectors_length.py [--words 6 25 100] [--architecture cbow] [--data DIR]

The text is that of benchmarks/wordvectors.py, repeated, so the vocabulary stays the same and only
the length grows. Each length is trained on for one epoch by a process of its own, whose peak memory
is the figure. Writes benchmarks/results/wordvectors_length.json.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from peers import parse_with_corpus, table, write_results
from wordvectors import write_text

from seqloom.recipe.vectors import VectorsRecipe
from seqloom.runtime import devices, processors
from seqloom.text.word2vec import train_vectors


def train(text: Path, architecture: str, threads: int) -> dict[str, float]:
    """One epoch in this process: seconds of reading and of learning, peak memory in MB."""
    recipe = VectorsRecipe(
        architecture=architecture, epochs=1, split="spaces", workers=threads, min_count=5
    )
    began = time.perf_counter()
    vectors = train_vectors([text], recipe, scratch=text.parent, device="cpu")
    whole = time.perf_counter() - began
    words = vectors.origin["text"]["words"]
    return {
        "words": words,
        "reading": round(words / (whole - vectors.origin["seconds"])),
        "learning": round(words / vectors.origin["seconds"]),
        "memory": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
    }


def main() -> None:
    """Write the texts, train on each, report."""
    parser = argparse.ArgumentParser(description="word2vec on texts of growing length.")
    parser.add_argument("--words", type=int, nargs="+", default=[6, 25, 100], help="millions")
    parser.add_argument("--architecture", choices=["cbow", "skipgram"], default="cbow")
    parser.add_argument("--threads", type=int, default=processors())
    parser.add_argument("--text", type=Path, help=argparse.SUPPRESS)  # for the processes
    chosen = parse_with_corpus(parser, "gutenberg", "peps/peps.txt")
    if chosen.text:
        print(json.dumps(train(chosen.text, chosen.architecture, chosen.threads)))
        return
    rows: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory() as folder:
        once, text = Path(folder) / "once", Path(folder) / "text"
        words = write_text(chosen.data, once)
        for millions in chosen.words:
            with text.open("wb") as file:
                for _ in range(max(1, round(millions * 1e6 / words))):
                    file.write(once.read_bytes())
            command = [sys.executable, __file__, "--text", str(text), "--data", str(chosen.data)]
            command += ["--architecture", chosen.architecture, "--threads", str(chosen.threads)]
            found = subprocess.run(command, check=True, capture_output=True, text=True).stdout
            rows.append(json.loads(found.splitlines()[-1]))
            print(rows[-1])
            write_results(
                "wordvectors_length",
                {"processor": devices()[0], "architecture": chosen.architecture, "runs": rows},
            )
    names = {"words": "words", "reading": "read, words/s", "learning": "learnt, words/s",
             "memory": "peak MB"}  # fmt: skip
    print("\n" + table([{names[key]: f"{row[key]:,}" for key in names} for row in rows]))


if __name__ == "__main__":
    main()
