"""What the doctor finds of faults that were planted in clean corpora: precision and recall a kind.

    python benchmarks/doctor.py [--corpora multi30k tatoeba-en-ru tatoeba-en-zh] [--faults 200]
        [--data DIR]

Plants six shifted stretches of 60 to 120 pairs and --faults faults of each other kind at known
places of each corpus, examines it, and writes benchmarks/results/doctor.json. Some two minutes on
one core.
"""

from __future__ import annotations

import argparse
from dataclasses import asdict
from pathlib import Path

from faults import Score, judge
from peers import parse_with_corpus, table, write_results

from seqloom.corpus import read_corpus

CORPORA = {
    "multi30k": ("en", "de", "val", "multi30k/train.fr"),
    "tatoeba-en-ru": ("en", "ru", "dev", "tatoeba-en-de/train.de"),
    "tatoeba-en-zh": ("en", "zh", "dev", "tatoeba-en-fr/train.fr"),
}
"""Languages, name of the held-out part, and sentences of a third language."""


def scores_of(name: str, data: Path, faults: int) -> list[Score]:
    """Plant and find."""
    source, target, part, third = CORPORA[name]
    clean, held_out = (
        read_corpus(data / name / f"{part}.{source}", data / name / f"{part}.{target}")
        for part in ("train", part)
    )
    pairs = [(pair.source, pair.target) for pair in held_out.pairs()]
    foreign = (data / third).read_text(encoding="utf-8").splitlines()
    return judge(clean, pairs, foreign, min(faults, len(pairs) // 2))


def row_of(score: Score) -> dict[str, str]:
    """A line of the table."""
    return {
        "fault": score.kind,
        "planted": f"{score.planted:,}",
        "recall": f"{score.recall:.3f}",
        "precision": f"{score.precision:.3f}",
        "exact": "yes" if score.exact else "no",
        "in the clean corpus": f"{score.before:,}",
    }


def main() -> None:
    """Plant, examine, report."""
    parser = argparse.ArgumentParser(description="Precision and recall of seqloom doctor.")
    parser.add_argument("--corpora", nargs="+", choices=CORPORA, default=list(CORPORA))
    parser.add_argument("--faults", type=int, default=200)
    chosen = parse_with_corpus(parser)
    results = {}
    for name in chosen.corpora:
        scores = scores_of(name, chosen.data, chosen.faults)
        print(f"\n{name}\n{table([row_of(score) for score in scores])}")
        results[name] = [
            {**asdict(score), "recall": score.recall, "precision": score.precision}
            for score in scores
        ]
    write_results("doctor", {"faults": chosen.faults, "corpora": results})


if __name__ == "__main__":
    main()
