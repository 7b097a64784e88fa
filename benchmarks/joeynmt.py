"""Seqloom beside JoeyNMT 2.3.0 on Multi30k, English to German: training and decoding speed.

    python benchmarks/joeynmt.py [--updates 60] [--sentences 200] [--threads N] [--data DIR]

Installs JoeyNMT into an environment of its own, trains the same Transformer on the same token
sequences in batches of 4,096 tokens, the sides taking turns, then decodes validation sentences with
a beam of 5. In training, real target tokens count (no padding, ends of sentences included), by the
clock of the whole loop: batches, optimizer and log lines are in it, start-up and validation not.
Both sides decode with the same weights, those that Seqloom has after ten times the updates, so
that they have the same work. Writes benchmarks/results/joeynmt.json.

DIR holds multi30k/train.en and its like (default: $SEQLOOM_DATA). Takes some fifteen minutes on
two cores, and five more for the first installation. Anything else that runs on the machine disturbs
the figures; ratios suffer less than the figures themselves.
"""

from __future__ import annotations

import argparse
import datetime
import json
import os
import statistics
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from peers import FOLDER, HERE, Environment, Side, table, write_results

from seqloom.recipe import Recipe, recipe_from
from seqloom.runtime import devices, processors, versions
from seqloom.text.prepare import Prepared, prepare

JOEYNMT = "joeynmt==2.3.0"
ROUNDS = 3
WARM_UP = 2
"""Updates of each side before the clock runs."""
DECODING_UPDATES = 10
"""The decoded model has seen this many times ``--updates``."""
LONGEST = 50
"""Tokens of an output at most, on both sides; the longest reference has about as many."""
AGREEMENT = 0.8
"""With fewer equal outputs the model is too little trained, and the sides have not the same work:
JoeyNMT never ends a sentence at its first token, which such a model does often."""
PEER, OURS, FLOAT32 = "JoeyNMT", "Seqloom", "Seqloom float32"
WORK = FOLDER / "multi30k"


def our_recipe(data: Path, precision: str) -> Recipe:
    """The run as Seqloom is told; what is not named here is Seqloom's default."""
    corpus = data / "multi30k"
    values = {
        "data": {
            "source": str(corpus / "train.en"),
            "target": str(corpus / "train.de"),
            "validation_source": str(corpus / "val.en"),
            "validation_target": str(corpus / "val.de"),
            "vocabulary": 8000,
        },
        "model": {
            "width": 256, "feedforward": 1024, "heads": 4,
            "encoder_layers": 3, "decoder_layers": 3, "tie": "all", "dropout": 0.1,
        },
        "training": {
            "batch_tokens": 4096, "learning_rate": 1e-3, "warmup": 100, "label_smoothing": 0.1,
            "optimizer": "adam", "clip": 1.0, "precision": precision,
        },
        "decoding": {
            # A factor near zero leaves the same longest output for all sources, as in JoeyNMT.
            "beam": 5, "alpha": 0.6, "max_length_factor": 1e-9, "max_length_extra": LONGEST,
        },
    }  # fmt: skip
    return recipe_from(values, "benchmark")


def their_config() -> dict[str, Any]:
    """The same run as JoeyNMT is told."""
    layers = {
        "type": "transformer", "num_layers": 3, "num_heads": 4, "hidden_size": 256,
        "ff_size": 1024, "dropout": 0.1, "layer_norm": "pre",
        "embeddings": {"embedding_dim": 256, "scale": True, "dropout": 0.1},
    }  # fmt: skip
    vocabulary = {"level": "word", "lowercase": False, "voc_file": str(WORK / "vocabulary.txt")}
    return {
        "name": "multi30k",
        "model_dir": str(WORK / "model"),
        "use_cuda": False,
        "random_seed": 1,
        "data": {
            "train": str(WORK / "train"),
            "dev": str(WORK / "validation"),
            "test": str(WORK / "decode"),  # has no target: nothing is evaluated
            "src": {"lang": "en", **vocabulary},
            "trg": {"lang": "de", **vocabulary},
        },
        "model": {
            "initializer": "xavier_uniform", "embed_initializer": "xavier_uniform",
            "bias_initializer": "zeros", "tied_embeddings": True, "tied_softmax": True,
            "encoder": layers, "decoder": layers,
        },
        "training": {
            "optimizer": "adam", "adam_betas": [0.9, 0.98], "learning_rate": 1e-3,
            "learning_rate_min": 1e-12, "scheduling": "warmupinversesquareroot",
            "learning_rate_warmup": 100, "label_smoothing": 0.1, "normalization": "tokens",
            "clip_grad_norm": 1.0, "batch_size": 4096, "batch_type": "token",
            "epochs": 10**6, "logging_freq": 100, "validation_freq": 10**9,
        },
        "testing": {
            "beam_size": 5, "beam_alpha": 0.6, "max_output_length": LONGEST,
            "batch_size": 1024, "batch_type": "token",
        },
    }  # fmt: skip


def write_pieces(prepared: Prepared, sentences: int) -> None:
    """The prepared pairs as text for JoeyNMT: a token is the number of a piece.

    Numbers instead of the pieces themselves, so that no rule about spaces, lines or Unicode can
    make the two sides see different sequences.
    """

    def line(ids: Sequence[int]) -> str:
        return " ".join(map(str, ids)) + "\n"

    for name, store in (("train", prepared.train), ("validation", prepared.validation)):
        pairs = [store.pair(row) for row in range(len(store))]
        for side, language in enumerate(("en", "de")):
            text = "".join(line(pair[side]) for pair in pairs)
            (WORK / f"{name}.{language}").write_text(text, encoding="utf-8")
    sources = [prepared.validation.pair(row)[0] for row in range(sentences)]
    (WORK / "decode.en").write_text("".join(map(line, sources)), encoding="utf-8")
    # JoeyNMT puts its four special tokens before these, as Seqloom does.
    pieces = "".join(f"{index}\n" for index in range(4, prepared.tokenizers.source.size))
    (WORK / "vocabulary.txt").write_text(pieces, encoding="utf-8")


def start(data: Path, prepared: Prepared, environment: Environment, threads: int) -> dict[str, Any]:
    """The sides and what each says of itself."""
    joeynmt = [str(environment.python), "-P", str(HERE / "joeynmt_side.py")]
    seqloom = [sys.executable, str(HERE / "seqloom_side.py")]
    sides, facts = {}, {}
    for name, command in ((PEER, joeynmt), (OURS, seqloom), (FLOAT32, seqloom)):
        sides[name] = Side(name, command, threads)
        if name == PEER:
            request = {"config": their_config()}
        else:
            recipe = our_recipe(data, "auto" if name == OURS else "float32")
            values = json.loads(recipe.model_dump_json())
            request = {"prepared": str(prepared.folder), "recipe": values}
        facts[name] = sides[name].ask(**request)
    for fact in ("parameters", "pairs", "threads"):
        found = {name: facts[name][fact] for name in sides}
        if len(set(found.values())) > 1:
            sys.exit(f"The sides are not the same: {fact} {found}. Nothing was measured.")
    return {"sides": sides, "facts": facts}


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
            print(f"  round {number + 1}  {name:16} {found['tokens_per_second']:8.0f} tokens/s")
    return rounds


def summary(rounds: Sequence[Mapping[str, Any]], fact: Mapping[str, Any]) -> dict[str, Any]:
    """Median speed, fill and memory of a side."""

    def total(name: str) -> int:
        return sum(found[name] for found in rounds)

    speeds = [found["tokens_per_second"] for found in rounds]
    return {
        "precision": fact.get("precision", "float32"),
        "target_tokens_per_second": round(statistics.median(speeds)),
        "rounds": [round(speed) for speed in speeds],
        "fill_target": round(total("target_tokens") / total("target_positions"), 3),
        "fill_source": round(total("source_tokens") / total("source_positions"), 3),
        "target_tokens_per_update": round(total("target_tokens") / total("updates")),
        "peak_memory_mb": rounds[-1]["peak_memory_mb"],
    }


def decode(sides: Mapping[str, Side], prepared: Prepared, sentences: int) -> dict[str, Any]:
    """Sentences a second with the same weights, the sides taking turns."""
    texts = [pair.source for pair in prepared.validation_pairs[:sentences]]
    weights = str(WORK / "weights.pt")
    sides[OURS].ask(save=weights)
    sides[PEER].ask(load=weights)
    speeds: dict[str, list[float]] = {PEER: [], OURS: []}
    outputs: dict[str, list[str]] = {}
    target = prepared.tokenizers.target
    for number in range(ROUNDS):
        for name in speeds:
            found = sides[name].ask(texts=texts)
            outputs[name] = found["outputs"]
            speeds[name].append(sentences / found["seconds"])
            print(f"  round {number + 1}  {name:16} {speeds[name][-1]:8.1f} sentences/s")
    ids = [[int(token) for token in output.split()] for output in outputs[PEER]]
    outputs[PEER] = target.decode_batch(ids)
    same = sum(a == b for a, b in zip(outputs[PEER], outputs[OURS], strict=True))
    result: dict[str, Any] = {
        name: {
            "sentences_per_second": round(statistics.median(values), 2),
            "rounds": [round(value, 2) for value in values],
        }
        for name, values in speeds.items()
    }
    ours = target.encode_batch(outputs[OURS])
    result["same_outputs"] = round(same / sentences, 3)
    result["mean_output_tokens"] = {
        name: round(statistics.mean(map(len, found)), 1)
        for name, found in ((PEER, ids), (OURS, ours))
    }
    return result


def show(training: Mapping[str, Any], decoding: Mapping[str, Any]) -> None:
    """Print both tables."""
    peer = training[PEER]["target_tokens_per_second"]
    rows = [
        {
            "training": f"{name} ({values['precision']})",
            "target tokens/s": str(values["target_tokens_per_second"]),
            "ratio": f"{values['target_tokens_per_second'] / peer:.2f}",
            "fill target/source": f"{values['fill_target']:.2f}/{values['fill_source']:.2f}",
            "tokens/update": str(values["target_tokens_per_update"]),
            "peak memory, MB": str(values["peak_memory_mb"]),
        }
        for name, values in training.items()
    ]
    print(f"\n{table(rows)}\n")
    peer = decoding[PEER]["sentences_per_second"]
    rows = [
        {
            "beam 5": name,
            "sentences/s": f"{decoding[name]['sentences_per_second']:.1f}",
            "ratio": f"{decoding[name]['sentences_per_second'] / peer:.2f}",
            "tokens/sentence": str(decoding["mean_output_tokens"][name]),
        }
        for name in (PEER, OURS)
    ]
    print(
        f"{table(rows)}\nThe same weights on both sides; {decoding['same_outputs']:.0%} of the "
        "outputs are the same."
    )
    if decoding["same_outputs"] < AGREEMENT:
        print("Too few: the decoding ratio does not count. Train longer with --updates.")


def arguments() -> argparse.Namespace:
    """What the user asks for."""
    parser = argparse.ArgumentParser(description="Seqloom beside JoeyNMT 2.3.0 on Multi30k.")
    parser.add_argument("--updates", type=int, default=60, help="timed updates of each side")
    parser.add_argument("--sentences", type=int, default=200, help="sentences to decode")
    parser.add_argument("--threads", type=int, default=processors(), help="threads of each side")
    parser.add_argument("--data", type=Path, default=os.environ.get("SEQLOOM_DATA"))
    chosen = parser.parse_args()
    if min(chosen.updates, chosen.sentences, chosen.threads) < 1:
        parser.error("--updates, --sentences and --threads must be 1 or more.")
    if chosen.data is None or not (chosen.data / "multi30k" / "train.en").exists():
        parser.error(
            f"no multi30k/train.en in {chosen.data}: name the folder above it with --data or "
            "SEQLOOM_DATA. To fetch it: seqloom get multi30k --out DIR/multi30k"
        )
    return chosen


def main() -> None:
    """Install, train, decode, report."""
    chosen = arguments()
    load = os.getloadavg()[0]
    environment = Environment(
        "joeynmt",
        [JOEYNMT, "importlib_metadata"],  # which it imports and does not ask for
        "import joeynmt.prediction, joeynmt.training",
    )
    environment.make(torch.__version__)
    data = chosen.data.resolve()
    WORK.mkdir(parents=True, exist_ok=True)
    prepared = prepare(our_recipe(data, "auto").data, WORK / "prepared")
    sentences = min(chosen.sentences, len(prepared.validation_pairs))
    write_pieces(prepared, sentences)
    began = start(data, prepared, environment, chosen.threads)
    sides, facts = began["sides"], began["facts"]
    try:
        print(f"Training, {chosen.threads} threads, {ROUNDS} rounds ...")
        rounds = train(sides, chosen.updates)
        training = {name: summary(rounds[name], facts[name]) for name in sides}
        for name in (PEER, FLOAT32):
            sides[name].ask(updates=0)
        sides.pop(FLOAT32).close()
        more = DECODING_UPDATES * chosen.updates - sum(x["updates"] for x in rounds[OURS])
        print(f"Training the model to decode with, {more} more updates ...")
        sides[OURS].ask(updates=more)
        sides[OURS].ask(updates=0)
        print(f"Decoding {sentences} sentences ...")
        decoding = decode(sides, prepared, sentences)
    finally:
        for side in sides.values():
            side.close()
    show(training, decoding)
    settings = {
        "updates": chosen.updates,
        "decoded_after_updates": WARM_UP + DECODING_UPDATES * chosen.updates,
        "sentences": sentences,
        "longest_output": LONGEST,
        "threads": facts[PEER]["threads"],
        "parameters": facts[PEER]["parameters"],
        "pairs": facts[PEER]["pairs"],
    }
    machine = {"processor": devices()[0], "processors": processors(), "load_before": round(load, 2)}
    path = write_results(
        "joeynmt",
        {
            "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
            "machine": machine,
            "versions": {"peer": JOEYNMT, "peer_torch": facts[PEER]["torch"], **versions()},
            "settings": settings,
            "training": training,
            "decoding": decoding,
        },
    )
    print(f"Written to {path}")


if __name__ == "__main__":
    main()
