"""word2vec beside gensim: words a second and quality, on the same text with the same settings.

    python benchmarks/wordvectors.py [--seeds 1 2 3 4 5] [--epochs 5] [--threads 2] [--data DIR]

The text: the novels of Gutenberg and the Python Enhancement Proposals, lower-cased words, one
paragraph a line. Both programs read the same prepared file: gensim through ``corpus_file``, its
fastest way. Width, window, negatives, epochs, skipping and minimum count are the same, the learning
rates those that each program begins with by default. For each architecture and seed one trains
after the other; the time is that of the epochs, without reading and counting, which is printed
beside it. Quality: accuracy on Google's analogies and Spearman's rank correlation on WordSim-353,
by gensim's own evaluation for both.

Writes benchmarks/results/wordvectors.json.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from peers import parse_with_corpus, table, write_results

from seqloom.recipe.vectors import VectorsRecipe
from seqloom.runtime import devices, processors
from seqloom.text.gensim_vectors import to_gensim
from seqloom.text.word2vec import train_vectors
from seqloom.text.words import WordRule, read_lines

ARCHITECTURES = ("skipgram", "cbow")
OURS, PEER = "Seqloom", "gensim"


def write_text(data: Path, out: Path) -> int:
    """Words between single spaces, one paragraph a line; how many words."""
    files = [*sorted((data / "gutenberg").glob("*.txt")), data / "peps" / "peps.txt"]
    rule, words = WordRule(), 0
    with out.open("w", encoding="utf-8") as file:
        for lines in read_lines(files, lambda *told: None):
            for line in rule.of_lines(lines).to_pylist():
                words += len(line)
                file.write(" ".join(line) + "\n")
    return words


def ours(text: Path, chosen: argparse.Namespace, architecture: str, seed: int) -> tuple[Any, ...]:
    """Vectors as gensim has them, seconds of the epochs, seconds before them."""
    recipe = VectorsRecipe(
        architecture=architecture, width=chosen.width, epochs=chosen.epochs, seed=seed,
        workers=chosen.threads, split="spaces", lowercase=False,
    )  # fmt: skip
    began = time.perf_counter()
    vectors = train_vectors([text], recipe, device="cpu")
    whole = time.perf_counter() - began
    return to_gensim(vectors), vectors.origin["seconds"], whole - vectors.origin["seconds"]


def peers(text: Path, chosen: argparse.Namespace, architecture: str, seed: int) -> tuple[Any, ...]:
    """The same by gensim, with the same settings, which are its defaults."""
    from gensim.models import Word2Vec

    model = Word2Vec(
        vector_size=chosen.width, window=5, min_count=5, negative=5, sample=1e-3, seed=seed,
        sg=int(architecture == "skipgram"), epochs=chosen.epochs, workers=chosen.threads,
    )  # fmt: skip
    began = time.perf_counter()
    model.build_vocab(corpus_file=str(text))
    before = time.perf_counter() - began
    began = time.perf_counter()
    model.train(corpus_file=str(text), total_words=model.corpus_total_words, epochs=chosen.epochs)
    return model.wv, time.perf_counter() - began, before


def quality(vectors: Any, data: Path) -> dict[str, float]:
    """Analogies and WordSim-353, in percent."""
    sets = data / "wordsim"
    accuracy, _ = vectors.evaluate_word_analogies(str(sets / "questions-words.txt"))
    _, spearman, _ = vectors.evaluate_word_pairs(str(sets / "EN-WS-353-ALL.txt"))
    return {"analogies": 100 * accuracy, "wordsim353": 100 * float(spearman[0])}


def spread(values: Sequence[float]) -> str:
    """Mean and standard deviation."""
    deviation = statistics.stdev(values) if len(values) > 1 else 0.0
    return f"{statistics.mean(values):.1f} ± {deviation:.1f}"


def rows_of(runs: Sequence[dict[str, Any]]) -> list[dict[str, str]]:
    """One row an architecture and program."""
    rows = []
    for architecture in ARCHITECTURES:
        speeds = {}
        for program in (PEER, OURS):
            some = [r for r in runs if (r["architecture"], r["program"]) == (architecture, program)]
            speeds[program] = statistics.median(run["words_per_second"] for run in some)
            rows.append(
                {
                    "": f"{architecture}, {program}",
                    "words/s": f"{speeds[program]:,.0f}",
                    "of gensim's": f"{speeds[program] / speeds[PEER]:.2f}",
                    "before, s": f"{statistics.median(run['before'] for run in some):.1f}",
                    "analogies, %": spread([run["analogies"] for run in some]),
                    "WordSim-353, %": spread([run["wordsim353"] for run in some]),
                }
            )
    return rows


def main() -> None:
    """Train, judge, compare."""
    parser = argparse.ArgumentParser(description="word2vec beside gensim.")
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3, 4, 5])
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--width", type=int, default=100)
    parser.add_argument("--threads", type=int, default=processors())
    chosen = parse_with_corpus(parser, "gutenberg", "peps/peps.txt", "wordsim")
    runs: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory() as folder:
        text = Path(folder) / "text"
        words = write_text(chosen.data, text)
        ours(text, argparse.Namespace(**{**vars(chosen), "epochs": 1}), "cbow", 1)  # compiles
        for architecture in ARCHITECTURES:
            for seed in chosen.seeds:
                for program, train in ((PEER, peers), (OURS, ours)):
                    vectors, seconds, before = train(text, chosen, architecture, seed)
                    run = {
                        "architecture": architecture, "program": program, "seed": seed,
                        "words_per_second": round(words * chosen.epochs / seconds),
                        "before": round(before, 2), **quality(vectors, chosen.data),
                    }  # fmt: skip
                    runs.append(run)
                    print(run)
            write_results(
                "wordvectors",
                {"processor": devices()[0], "words": words, "width": chosen.width, "runs": runs,
                 "epochs": chosen.epochs, "threads": chosen.threads, "numpy": np.__version__},
            )  # fmt: skip
    print(f"\n{words:,} words\n\n{table(rows_of(runs))}")


if __name__ == "__main__":
    main()
