"""Classifiers on a bag of words: accuracy beside published figures, and seconds.

    python benchmarks/classification.py [--seeds 1 2 3 4 5] [--sets mr sst2 ...] [--data DIR]

MR (movie reviews, positive or negative; Pang and Lee 2005) by 10-fold cross-validation, as in the
papers. SST-2 (the same from the Stanford treebank; Socher et al. 2013): whole sentences of the
training part, measured on the development part, while the papers train on phrases as well and
report the test part. TREC questions (6 coarse and 50 fine types; Li and Roth 2002): a tenth of the
training part held out, since the 500 test questions are not here. The seeds draw folds and
held-out texts. C is chosen by cross-validation inside each training part, and its time counts;
times are seconds of one processor for one training and its predictions.

Published figures: Wang and Manning (2012) for MR, Socher et al. (2013) for SST-2, as others quote
them.

Writes benchmarks/results/classification.json; sets that are not measured keep their figures.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from peers import HERE, parse_with_corpus, table, write_results

from seqloom.corpus.classes import Labelled, folds, gather, hold_out
from seqloom.corpus.labels import read_labelled
from seqloom.evaluation.classification import classification
from seqloom.runtime import devices, processors
from seqloom.text.classifier import BagClassifier
from seqloom.text.classifier_recipe import ClassifierRecipe

Split = tuple[Labelled, Labelled]
"""Texts to train on, texts to measure on."""

CLASSIFIERS: tuple[tuple[str, tuple[int, int]], ...] = (
    ("logistic", (1, 1)), ("logistic", (1, 2)),
    ("svm", (1, 1)), ("svm", (1, 2)),
    ("nbsvm", (1, 1)), ("nbsvm", (1, 2)),
)  # fmt: skip
PUBLISHED: dict[str, dict[str, float]] = {
    "mr": {
        "naive Bayes 1-2, Wang and Manning (2012)": 79.0,
        "NBSVM 1-1, Wang and Manning (2012)": 78.1,
        "NBSVM 1-2, Wang and Manning (2012)": 79.4,
    },
    "sst2": {
        "naive Bayes 1-1, Socher et al. (2013), test part": 81.8,
        "SVM 1-1, Socher et al. (2013), test part": 79.4,
        "naive Bayes 1-2, Socher et al. (2013), test part": 83.1,
    },
}
FOLDS = 10


def mr(data: Path, seed: int) -> Iterator[Split]:
    """Ten parts, each held out in turn."""
    files = [f"{label}={data / 'mr' / f'rt-polarity.{label}'}" for label in ("neg", "pos")]
    texts = gather(read_labelled(files))
    fold = folds(texts.labels, FOLDS, seed)
    for number in range(FOLDS):
        held = np.flatnonzero(fold == number).tolist()
        rest = np.flatnonzero(fold != number).tolist()
        yield texts.choose(rest, texts.name), texts.choose(held, texts.name)


def sst2(data: Path, seed: int) -> Iterator[Split]:
    """The training part and the development part."""
    train, held = (
        gather(read_labelled([data / "sst2" / f"{part}.tsv"])) for part in ("train", "dev")
    )
    yield train, held


def trec(data: Path, seed: int, until: str | None = ":") -> Iterator[Split]:
    """Nine tenths and one."""
    file = data / "trec" / "train.txt"
    texts = gather(read_labelled([file], label_first=True, until=until))
    yield hold_out(texts, 0.1, seed)


def trec_fine(data: Path, seed: int) -> Iterator[Split]:
    """The same with the fine types."""
    return trec(data, seed, until=None)


SETS: dict[str, Callable[[Path, int], Iterator[Split]]] = {
    "mr": mr, "sst2": sst2, "trec": trec, "trec fine": trec_fine,
}  # fmt: skip


def measure(
    splits: Iterator[Split], kind: str, ngrams: tuple[int, int], seed: int
) -> dict[str, float]:
    """Accuracy and macro-F1 over all held-out texts, and processor seconds of one training."""
    right, said, seconds = list[str](), list[str](), []
    for train, held in splits:
        began = time.process_time()
        recipe = ClassifierRecipe(linear=kind, ngrams=ngrams, seed=seed)
        classifier = BagClassifier.fit(train.texts, train.labels, recipe)
        said += classifier.predict(held.texts)
        seconds.append(time.process_time() - began)
        right += held.labels
    figures = classification(right, said)
    return {
        "accuracy": round(figures.accuracy, 2),
        "low": round(figures.low, 2),
        "high": round(figures.high, 2),
        "macro_f1": round(figures.macro_f1, 2),
        "baseline": round(figures.baseline, 2),
        "seconds": round(statistics.mean(seconds), 2),
    }


def row_of(name: str, label: str, runs: dict[str, dict[str, float]]) -> dict[str, str]:
    """Means and deviations over the seeds."""
    row = {"set": name, "classifier, n-grams": label}
    for key, head in (("accuracy", "accuracy"), ("macro_f1", "macro-F1")):
        values = [run[key] for run in runs.values()]
        spread = f" ± {statistics.stdev(values):.2f}" if len(values) > 1 else ""
        row[head] = f"{statistics.mean(values):.2f}{spread}"
    row["majority"] = f"{next(iter(runs.values()))['baseline']:.2f}"
    row["seconds"] = f"{statistics.mean(run['seconds'] for run in runs.values()):.1f}"
    return row


def rows_of(name: str, found: dict[str, dict[str, dict[str, float]]]) -> list[dict[str, str]]:
    """Ours, and what is published."""
    rows = [row_of(name, label, runs) for label, runs in found.items()]
    for label, accuracy in PUBLISHED.get(name, {}).items():
        blank = dict.fromkeys(rows[0], "")
        shown = {"set": name, "classifier, n-grams": label, "accuracy": f"{accuracy:.1f}"}
        rows.append(blank | shown)
    return rows


def main() -> None:
    """Measure what is asked for, report all there is."""
    parser = argparse.ArgumentParser(description="Text classification with a bag of words.")
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3, 4, 5])
    parser.add_argument("--sets", nargs="+", choices=tuple(SETS), default=tuple(SETS))
    chosen = parse_with_corpus(parser, "mr", "sst2", "trec")
    path = HERE / "results" / "classification.json"
    found: dict[str, Any] = {}
    if path.exists():
        found = json.loads(path.read_text(encoding="utf-8"))["sets"]
    for name in chosen.sets:
        found[name] = {}
        for kind, ngrams in CLASSIFIERS:
            label = f"{kind} {ngrams[0]}-{ngrams[1]}"
            runs = found[name].setdefault(label, {})
            for seed in chosen.seeds:
                runs[str(seed)] = measure(SETS[name](chosen.data, seed), kind, ngrams, seed)
                print(name, label, seed, runs[str(seed)], flush=True)
            values = {"processor": devices()[0], "processors": processors()}
            write_results("classification", {**values, "published": PUBLISHED, "sets": found})
    rows = [row for name in SETS if name in found for row in rows_of(name, found[name])]
    print(f"\n{table(rows)}\n\nWritten to {path}")


if __name__ == "__main__":
    main()
