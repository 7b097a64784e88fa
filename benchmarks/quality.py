"""Time to quality: minutes of training until BLEU 30, 35 and 38 on Multi30k's validation pairs.

    python benchmarks/quality.py [--programs Seqloom transformers JoeyNMT] [--minutes 60]
                                 [--every 200] [--threads N] [--data DIR]

Each program trains the Transformer of 4+4 layers, width 128, on the same token sequences (English
to German), one program after the other. After every so many updates its clock stops, it translates
the 1,014 validation pairs with a beam of 5 by its own search, and cased sacreBLEU is taken. A
program ends at the highest goal or when its minutes are over. Seqloom trains as in
recipes/multi30k-en-de.yaml, with fewer updates; the peers with the rate, warm-up and smoothing that
suit them, and the schedule of Vaswani et al. (2017), which is what they offer.

Writes benchmarks/results/quality.json and .png; programs that are not measured keep their figures.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import matplotlib as mpl

mpl.use("agg")

from contestants import JOEYNMT, OURS, TRANSFORMERS, WORK, Contestant, install, start, write_pieces
from matplotlib import pyplot as plt
from peers import HERE, Side, parse_with_corpus, table, write_results
from shapes import ALPHA, LONGEST, SHAPES, TRAINING, our_recipe

from seqloom.evaluation.metrics import bleu
from seqloom.runtime import devices, processors
from seqloom.text.prepare import Prepared, prepare

GOALS = (30, 35, 38)
SHAPE = SHAPES["tiny"]
BEAM, GENERATE_BATCH = 5, 100
RACE: dict[str, dict[str, Any]] = {
    # What recipes/multi30k-en-de.yaml says, for a shorter run.
    OURS: {
        **TRAINING, "learning_rate": 5e-3, "warmup": 400, "schedule": "linear", "ema": 0.995,
        "updates": 3600,
    },
    JOEYNMT: {**TRAINING, "learning_rate": 5e-3, "warmup": 600},
    # Norms behind the blocks, as Marian has them, bear less.
    TRANSFORMERS: {**TRAINING, "learning_rate": 2e-3, "warmup": 600},
}  # fmt: skip


def validations(side: Side, ours: bool, sources: list[list[int]], every: int) -> Iterator[Any]:
    """Seconds, tokens and translations after every ``every`` updates, training in between."""
    seconds, tokens, updates = 0.0, 0, 0
    request = {
        "sources": sources, "beam": BEAM, "longest": LONGEST, "length_penalty": ALPHA,
        "batch": GENERATE_BATCH,
    }  # fmt: skip
    while True:
        if ours:  # trains and translates in one go: what it translates with is an average
            found = side.ask(go=True)
            if "outputs" not in found:
                return
            seconds, tokens, updates = (found[n] for n in ("seconds", "target_tokens", "updates"))
        else:
            round_ = side.ask(updates=every)
            seconds += round_["seconds"]
            tokens += round_["target_tokens"]
            updates += every
            found = side.ask(**request)
        yield seconds, tokens, updates, found["outputs"]


def race(program: str, chosen: argparse.Namespace, prepared: Prepared) -> list[dict[str, float]]:
    """The course of one program: minutes, updates, tokens and BLEU at every validation."""
    pairs = prepared.validation_pairs
    sources = [list(map(int, prepared.validation.pair(row)[0])) for row in range(len(pairs))]
    references = [pair.target for pair in pairs]
    who = Contestant(program, "auto" if program == OURS else "float32")
    more = {"race": {"every": chosen.every, "sources": sources, "beam": BEAM}}
    side = start(
        who, SHAPE, chosen.data, prepared, chosen.threads, RACE[program],
        **(more if program == OURS else {}),
    )  # fmt: skip
    course: list[dict[str, float]] = []
    try:
        for seconds, tokens, updates, outputs in validations(
            side, program == OURS, sources, chosen.every
        ):
            texts = prepared.tokenizers.target.decode_batch(outputs)
            score = bleu(texts, references, "de")
            course.append(
                {
                    "minutes": round(seconds / 60, 2),
                    "updates": updates,
                    "target_tokens": tokens,
                    "bleu": round(score, 2),
                }
            )
            print(f"  {program:13} {seconds / 60:6.1f} min  {updates:6,} updates  BLEU {score:.2f}")
            if score >= GOALS[-1] or seconds >= chosen.minutes * 60:
                break
    finally:
        side.close()
    return course


def reached(course: list[dict[str, float]], goal: float) -> str:
    """Minutes until the goal, as a table shows them."""
    for point in course:
        if point["bleu"] >= goal:
            return f"{point['minutes']:.1f}"
    best = max(point["bleu"] for point in course)
    return f"not in {course[-1]['minutes']:.0f} (best {best:.1f})"


def draw(courses: Mapping[str, list[dict[str, float]]], path: Path) -> None:
    """BLEU over minutes, one line a program."""
    figure, axes = plt.subplots(figsize=(8, 4.5))
    for program, course in courses.items():
        minutes, scores = ([point[key] for point in course] for key in ("minutes", "bleu"))
        axes.plot(minutes, scores, label=program, linewidth=2.5 if program == OURS else 1.5)
    for goal in GOALS:
        axes.axhline(goal, color="#cccccc", linewidth=0.8, zorder=0)
    axes.set_xlabel("minutes of training")
    axes.set_ylabel("BLEU on the validation pairs, beam 5")
    axes.legend()
    figure.tight_layout()
    figure.savefig(path, dpi=150)
    plt.close(figure)


def arguments() -> argparse.Namespace:
    """What the user asks for."""
    parser = argparse.ArgumentParser(description="Minutes to a given BLEU, beside the peers.")
    programs = [OURS, TRANSFORMERS, JOEYNMT]
    parser.add_argument("--programs", nargs="+", choices=programs, default=programs)
    parser.add_argument("--minutes", type=float, default=60, help="training time of each, at most")
    parser.add_argument("--every", type=int, default=200, help="updates between validations")
    parser.add_argument("--threads", type=int, default=processors(), help="threads of each side")
    return parse_with_corpus(parser)


def main() -> None:
    """Install, race, report."""
    chosen = arguments()
    present, _ = install()
    WORK.mkdir(parents=True, exist_ok=True)
    data = our_recipe(chosen.data, SHAPE, "auto").data
    prepared = prepare(data, WORK / "prepared")
    write_pieces(prepared, len(prepared.validation_pairs))
    path = HERE / "results" / "quality.json"
    values = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {"courses": {}}
    for program in chosen.programs:
        if program == OURS or program in present:
            values["courses"][program] = race(program, chosen, prepared)
            values |= {"processor": devices()[0], "threads": chosen.threads, "training": RACE}
            write_results("quality", values)
    rows = [
        {"BLEU": program, **{f"{goal}, minutes": reached(course, goal) for goal in GOALS}}
        for program, course in values["courses"].items()
    ]
    print(f"\n{table(rows)}")
    draw(values["courses"], path.with_suffix(".png"))


if __name__ == "__main__":
    main()
