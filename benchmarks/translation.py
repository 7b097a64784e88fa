"""Seqloom beside JoeyNMT and Hugging Face transformers: speed of training and of decoding.

    python benchmarks/translation.py [--updates 18] [--sentences 200] [--shapes tiny rnn ...]
                                     [--threads N] [--data DIR]

Installs each peer into an environment of its own. All sides train the same models on the same token
sequences of Multi30k (English to German) in batches of 4,096 positions, taking turns; real target
tokens count (no padding, ends of sentences included), by the clock of the whole loop. Then all
decode the same validation sentences with the same weights, those of Seqloom's Transformer after
400 updates; Seqloom in each of its number types. The machine's own limits, matrix products and
copies, stand beside the figures. A peer that cannot be installed is reported and left out.

DIR holds multi30k/train.en and its like (default: $SEQLOOM_DATA, or data). Writes
benchmarks/results/translation.json and .png. Takes twenty minutes on two cores, and ten more for
the first installation. Anything else that runs on the machine disturbs the figures; ratios
suffer less than the figures themselves.
"""

from __future__ import annotations

import argparse
import datetime
import json
import os
import statistics
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from contestants import (
    ENVIRONMENTS,
    JOEYNMT,
    OURS,
    TRANSFORMERS,
    WORK,
    Contestant,
    install,
    start,
    take_part,
    write_pieces,
)
from machine import ceilings
from peers import HERE, Side, parse_with_corpus, table, write_results
from picture import draw
from shapes import ALPHA, LONGEST, SHAPES, Shape, our_recipe

from seqloom.evaluation.metrics import bleu
from seqloom.runtime import devices, processors, versions
from seqloom.text.prepare import Prepared, prepare

ROUNDS = 3
WARM_UP = 2
"""Updates of each side before the clock runs."""
DECODING_UPDATES = 400
"""What the decoded model has seen: enough for sentences that end."""
PRECISIONS = ("float32", "bfloat16", "int8")
"""Number types that Seqloom decodes in; the peers decode in float32."""
AGREEMENT = 0.8
"""With fewer outputs equal to JoeyNMT's the model is too little trained, and the sides have not the
same work: JoeyNMT never ends a sentence at its first token, which such a model does often."""
SIZE_TOLERANCE = 1.01
"""Largest ratio of parameters between two sides."""
BEAMS = {"greedy": 1, "beam 5": 5}
GENERATE_BATCH = 100
"""Sentences that `generate` decodes together; 50 to 200 are as fast."""


def check_the_same(sides: Mapping[str, Side]) -> None:
    """Leave the program unless all sides have the same pairs and threads, and one size of model.

    Sizes may differ by what a library adds or leaves out: biases, the norm behind the last layer.
    """
    for fact in ("pairs", "threads"):
        found = {name: side.facts[fact] for name, side in sides.items()}
        if len(set(found.values())) > 1:
            sys.exit(f"The sides are not the same: {fact} {found}. Nothing was measured.")
    sizes = {name: side.facts["parameters"] for name, side in sides.items()}
    if max(sizes.values()) > SIZE_TOLERANCE * min(sizes.values()):
        sys.exit(f"The sides are not the same: parameters {sizes}. Nothing was measured.")


def train(sides: Mapping[str, Side], updates: int) -> dict[str, list[dict[str, Any]]]:
    """Rounds of updates, the sides taking turns."""
    rounds: dict[str, list[dict[str, Any]]] = {name: [] for name in sides}
    for side in sides.values():
        side.ask(updates=WARM_UP)
    for number in range(ROUNDS):
        for name, side in sides.items():
            found = side.ask(updates=max(1, updates // ROUNDS))
            found["tokens_per_second"] = found["target_tokens"] / found["seconds"]
            rounds[name].append(found)
            print(f"  round {number + 1}  {name:24} {found['tokens_per_second']:8.0f} tokens/s")
    return rounds


def summary(
    side: Side, rounds: Sequence[Mapping[str, Any]], limits: Mapping[str, Any]
) -> dict[str, Any]:
    """Median speed, fill, memory of a side, and its share of what matrix products reach."""

    def total(name: str) -> int:
        return sum(found[name] for found in rounds)

    speeds = [found["tokens_per_second"] for found in rounds]
    precision = side.facts.get("precision", "float32")
    found = {
        "precision": precision,
        "parameters": side.facts["parameters"],
        "target_tokens_per_second": round(statistics.median(speeds)),
        "rounds": [round(speed) for speed in speeds],
        "fill_target": round(total("target_tokens") / total("target_positions"), 3),
        "fill_source": round(total("source_tokens") / total("source_positions"), 3),
        "target_tokens_per_update": round(total("target_tokens") / total("updates")),
        "peak_memory_mb": rounds[-1]["peak_memory_mb"],
    }
    if "operations_per_token" in side.facts:
        gflops = side.facts["operations_per_token"] * statistics.median(speeds) / 1e9
        found["gflops"] = round(gflops)
        found["share_of_products"] = round(gflops / max(limits[precision].values()), 2)
    return found


def decode(
    sides: Mapping[str, Side], prepared: Prepared, sentences: int, beam: int
) -> dict[str, dict[str, Any]]:
    """Sentences a second of each side with the same weights, the sides taking turns.

    A side stands once for each number type that it decodes in, the last word of its name.
    """
    sources = [list(map(int, prepared.validation.pair(row)[0])) for row in range(sentences)]
    references = [pair.target for pair in prepared.validation_pairs[:sentences]]
    speeds: dict[str, list[float]] = {name: [] for name in sides}
    outputs: dict[str, list[list[int]]] = {}
    for number in range(ROUNDS):
        for name, side in sides.items():
            found = side.ask(
                sources=sources, beam=beam, longest=LONGEST, length_penalty=ALPHA,
                batch=GENERATE_BATCH, precision=name.split()[-1],
            )  # fmt: skip
            outputs[name] = found["outputs"]
            speeds[name].append(sentences / found["seconds"])
            print(f"  round {number + 1}  {name:24} {speeds[name][-1]:8.1f} sentences/s")
    return {
        name: {
            "sentences_per_second": round(statistics.median(values), 2),
            "rounds": [round(value, 2) for value in values],
            "mean_output_tokens": round(statistics.mean(map(len, outputs[name])), 1),
            "same_as_ours": _share_of_equal(outputs[name], outputs[f"{OURS} float32"]),
            "bleu": round(
                bleu(prepared.tokenizers.target.decode_batch(outputs[name]), references, "de"), 2
            ),
        }
        for name, values in speeds.items()
    }


def _share_of_equal(left: Sequence[Any], right: Sequence[Any]) -> float:
    return round(sum(a == b for a, b in zip(left, right, strict=True)) / len(left), 3)


def show(
    title: str, unit: str, found: Mapping[str, Mapping[str, Any]], more: Sequence[str]
) -> None:
    """Print a table with the ratios to Seqloom's best."""
    ours = max(values[unit] for name, values in found.items() if name.startswith(OURS))
    rows = [
        {
            title: name,
            unit.replace("_", " "): f"{values[unit]:,}",
            "Seqloom is ... times as fast": f"{ours / values[unit]:.1f}",
            **{column.replace("_", " "): str(values.get(column, "")) for column in more},
        }
        for name, values in found.items()
    ]
    print(f"\n{table(rows)}\n")


def arguments() -> argparse.Namespace:
    """What the user asks for."""
    parser = argparse.ArgumentParser(description="Seqloom beside its peers on Multi30k.")
    parser.add_argument("--updates", type=int, default=18, help="timed updates of each side")
    parser.add_argument("--sentences", type=int, default=200, help="sentences to decode")
    parser.add_argument("--shapes", nargs="+", choices=list(SHAPES), default=list(SHAPES))
    parser.add_argument("--threads", type=int, default=processors(), help="threads of each side")
    chosen = parse_with_corpus(parser)
    if min(chosen.updates, chosen.sentences, chosen.threads) < 1:
        parser.error("--updates, --sentences and --threads must be 1 or more.")
    return chosen


def measure(
    shape: Shape, chosen: argparse.Namespace, prepared: Prepared, peers: Sequence[str],
    limits: Mapping[str, Any],
) -> tuple[dict[str, Any], dict[str, Any]]:  # fmt: skip
    """Training figures of a model, and decoding figures if it is the first one."""
    sides: dict[str, Side] = {}
    try:
        for who in take_part(shape, peers):
            sides[who.name] = start(who, shape, chosen.data, prepared, chosen.threads)
        check_the_same(sides)
        print(f"{shape.title}: training, {chosen.threads} threads, {ROUNDS} rounds ...")
        rounds = train(sides, chosen.updates)
        training = {name: summary(side, rounds[name], limits) for name, side in sides.items()}
        if shape is not SHAPES["transformer"]:
            return training, {}
        decoders = with_one_model(sides, chosen, prepared)
        sides |= decoders
        sentences = min(chosen.sentences, len(prepared.validation_pairs))
        decoding = {}
        for title, beam in BEAMS.items():
            print(f"Decoding {sentences} sentences, {title} ...")
            decoding[title] = decode(decoders, prepared, sentences, beam)
        return training, decoding
    finally:
        for side in sides.values():
            side.close()


def with_one_model(
    sides: Mapping[str, Side], chosen: argparse.Namespace, prepared: Prepared
) -> dict[str, Side]:
    """One side of each program, all with Seqloom's weights after some updates more."""
    ours = sides[f"{OURS} auto"]
    names = [f"{JOEYNMT} float32", f"{TRANSFORMERS} float32"]
    decoders = {name: sides[name] for name in names if name in sides}
    updates = max(1, DECODING_UPDATES - chosen.updates)
    print(f"Training the model to decode with, {updates} more updates ...")
    ours.ask(updates=updates)
    for side in (ours, *decoders.values()):
        side.ask(updates=0)
    weights = str(WORK / "weights.pt")
    ours.ask(save=weights)
    for side in decoders.values():
        side.ask(load=weights)
    for side in sides.values():
        if side not in decoders.values():
            side.close()
    # In a process of its own, which has not trained, like that of seqloom translate.
    who, shape = Contestant(OURS, "auto"), SHAPES["transformer"]
    ours = start(who, shape, chosen.data, prepared, chosen.threads, weights=weights)
    return decoders | {f"{OURS} {precision}": ours for precision in PRECISIONS}


def report(
    training: Mapping[str, Any], decoding: Mapping[str, Any], limits: Mapping[str, Any]
) -> None:
    """Print all tables."""
    columns = ["precision", "fill_target", "fill_source", "share_of_products", "peak_memory_mb"]
    for title, found in training.items():
        show(title, "target_tokens_per_second", found, columns)
    for title, found in decoding.items():
        columns = ["mean_output_tokens", "same_as_ours", "bleu"]
        show(title, "sentences_per_second", found, columns)
        joeynmt = found.get(f"{JOEYNMT} float32")
        if joeynmt and joeynmt["same_as_ours"] < AGREEMENT:
            print("Too few equal outputs: the ratio does not count. Raise --updates.")
    rows = [
        {"matrix products, GFLOP/s": kind, **{name: str(n) for name, n in limits[kind].items()}}
        for kind in ("float32", "bfloat16")
    ]
    print(table(rows))


def _earlier(machine: Mapping[str, Any]) -> dict[str, Any]:
    """The results of an earlier run on such a machine: models left out now keep their figures."""
    path = HERE / "results" / "translation.json"
    values = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    same = values and values["machine"]["processor"] == machine["processor"]
    return values if same else {}


def main() -> None:
    """Install, measure, report."""
    chosen = arguments()
    load = os.getloadavg()[0]
    peers, missing = install()
    WORK.mkdir(parents=True, exist_ok=True)
    data = our_recipe(chosen.data, SHAPES["transformer"], "auto").data
    prepared = prepare(data, WORK / "prepared")
    write_pieces(prepared, min(chosen.sentences, len(prepared.validation_pairs)))
    print("The machine's limits ...")
    limits = ceilings()
    training: dict[str, Any] = {}
    decoding: dict[str, Any] = {}
    for name in chosen.shapes:
        shape = SHAPES[name]
        training[shape.title], found = measure(shape, chosen, prepared, peers, limits)
        decoding |= found
    report(training, decoding, limits)
    machine = {"processor": devices()[0], "processors": processors(), "load_before": round(load, 2)}
    before = _earlier(machine)
    values = {
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
        "machine": {**machine, "limits": limits},
        "versions": versions(),
        "peers": {name: ENVIRONMENTS[name].requirements[0] for name in peers},
        "missing": missing,
        "settings": {
            "updates": chosen.updates,
            "sentences": chosen.sentences,
            "threads": chosen.threads,
            "longest_output": LONGEST,
        },
        "training": before.get("training", {}) | training,
        "decoding": before.get("decoding", {}) | decoding,
    }
    path = write_results("translation", values)
    draw(values, path.with_suffix(".png"))
    print(f"Written to {path} and {path.with_suffix('.png')}")


if __name__ == "__main__":
    main()
