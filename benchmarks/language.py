"""BERT and GPT beside Hugging Face transformers: speed of training, and of going on from prompts.

    python benchmarks/language.py [--updates 18] [--new-tokens 96] [--texts 20000]
                                  [--models bert gpt] [--threads N] [--data DIR]

Installs transformers and accelerate into an environment of their own. All sides train the same
shapes on the same paragraphs (novels and Python Enhancement Proposals) in the same vocabulary, in
batches of 4,096 positions with AdamW, taking turns; real positions count, no padding, by the clock
of the whole loop. transformers trains with its Trainer, on texts end to end cut into full contexts
(`full`), and on one text a row (`padded`), texts of like length together; Seqloom packs whole texts
and keeps them apart, and stands there a second time with Muon, its default. Then transformers'
`generate` and Seqloom go on from the same 16 prompts with the weights of Seqloom's GPT, 1 and 16 at
a time, greedily and drawing from the 95 % likeliest; Seqloom in each of its number types. What
matrix products and copies reach on the machine stands beside.

DIR holds gutenberg and peps (default: $SEQLOOM_DATA, or data). Writes
benchmarks/results/language.json.
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

import torch
from language_texts import paragraphs, write_texts
from machine import ceilings
from peers import (
    FOLDER,
    HERE,
    Environment,
    PeerMissing,
    Side,
    parse_with_corpus,
    table,
    write_results,
)  # fmt: skip

from seqloom.recipe import recipe_from_of
from seqloom.recipe.pretraining import PretrainRecipe
from seqloom.runtime import devices, processors, versions
from seqloom.text.texts import PreparedTexts, prepare_texts

WORK = FOLDER / "language"
OURS, THEIRS = "Seqloom", "transformers"
ROUNDS, WARM_UP = 3, 2
BATCH_TOKENS, VOCABULARY, MASKED = 4096, 8000, 0.15
PROMPT_TOKENS, TOP_P = 32, 0.95
PROMPTS, BATCHES = 16, (1, 16)
PRECISIONS = ("float32", "int8")
SIZE_TOLERANCE = 1.02
"""Largest ratio of parameters between two sides: BERT's pooler, which a masked one has not."""
COMMON = {"width": 256, "feedforward": 1024, "heads": 4, "layers": 4, "dropout": 0.1}
MODELS: dict[str, dict[str, Any]] = {
    "bert": {"family": "bert", "context": 128, "attention_dropout": 0.1, **COMMON},
    "gpt": {"family": "gpt", "context": 256, "attention_dropout": 0.0, **COMMON},
}
PEER = Environment(
    "transformers-trainer", ["transformers==5.24.0", "accelerate==1.15.0"],
    "import accelerate; from transformers import Trainer, BertForMaskedLM",
)  # fmt: skip


def recipe_of(model: str, optimizer: str = "adamw") -> PretrainRecipe:
    """The run as Seqloom is told; what is not named here is Seqloom's default."""
    values = {
        "data": {"vocabulary": VOCABULARY, "mask": True},
        "model": MODELS[model],
        "training": {
            "optimizer": optimizer, "batch_tokens": BATCH_TOKENS, "learning_rate": 1e-3,
            "masked": MASKED, "next_sentence": False,
        },
    }  # fmt: skip
    return recipe_from_of(PretrainRecipe, values, "benchmark")


def request_of(side: str, model: str, texts: PreparedTexts) -> dict[str, Any]:
    """The first request to a side: ``Seqloom``, ``Seqloom Muon``, ``transformers full`` ..."""
    if side.startswith(OURS):
        recipe = recipe_of(model, "muon" if side.endswith("Muon") else "adamw")
        return {
            "prepared": str(texts.folder), "recipe": json.loads(recipe.model_dump_json()),
            "save": str(WORK / f"{side.replace(' ', '-')}-{model}.pt"),
        }  # fmt: skip
    return {
        "texts": str(WORK / "texts.npz"), "tokenizer": str(texts.folder / "tokenizer.json"),
        "folder": str(WORK / "trainer"), "vocabulary": texts.tokenizer.size, "masked": MASKED,
        "symbols": texts.tokenizer.symbols._asdict(), "model": MODELS[model],
        "batch_tokens": BATCH_TOKENS, "rows": side.split()[-1],
    }  # fmt: skip


def start(side: str, request: Mapping[str, Any], threads: int) -> Side:
    """The process of a side."""
    ours = side.startswith(OURS)
    python = sys.executable if ours else str(PEER.python)
    script = "language_side.py" if ours else "trainer_side.py"
    return Side(side, [python, str(HERE / script)], threads, request)


def train(
    model: str, peer: bool, texts: PreparedTexts, chosen: argparse.Namespace
) -> dict[str, dict[str, Any]]:
    """Median speed of every side, the sides taking turns; Seqloom's weights are left in a file."""
    names = [*([f"{THEIRS} full", f"{THEIRS} padded"] if peer else []), OURS, f"{OURS} Muon"]
    sides = {name: start(name, request_of(name, model, texts), chosen.threads) for name in names}
    rounds: dict[str, list[dict[str, Any]]] = {name: [] for name in names}
    try:
        sizes = {name: side.facts["parameters"] for name, side in sides.items()}
        if max(sizes.values()) > SIZE_TOLERANCE * min(sizes.values()):
            sys.exit(f"The sides are not the same: parameters {sizes}. Nothing was measured.")
        for side in sides.values():
            side.ask(updates=WARM_UP)
        for number in range(ROUNDS):
            for name, side in sides.items():
                found = side.ask(updates=max(1, chosen.updates // ROUNDS))
                rounds[name].append(found)
                speed = found["tokens"] / found["seconds"]
                print(f"  round {number + 1}  {name:24} {speed:8.0f} tokens/s", flush=True)
        for side in sides.values():
            side.ask(updates=0)
    finally:
        for side in sides.values():
            side.close()
    return {name: summary(sides[name], rounds[name]) for name in names}


def summary(side: Side, rounds: list[dict[str, Any]]) -> dict[str, Any]:
    """Median speed, fill and memory of a side."""
    speeds = [found["tokens"] / found["seconds"] for found in rounds]
    tokens, positions, updates = (
        sum(found[name] for found in rounds) for name in ("tokens", "positions", "updates")
    )
    return {
        "tokens_per_second": round(statistics.median(speeds)),
        "rounds": [round(speed) for speed in speeds],
        "parameters": side.facts["parameters"],
        "precision": side.facts["precision"],
        "fill": round(tokens / positions, 3),
        "tokens_per_update": round(tokens / updates),
        "peak_memory_mb": rounds[-1]["peak_memory_mb"],
    }


def generate(
    peer: bool, texts: PreparedTexts, chosen: argparse.Namespace
) -> dict[str, dict[str, dict[str, Any]]]:
    """Median new tokens a second of every side by way of going on, the sides taking turns."""
    weights = {"weights": str(WORK / f"{OURS}-gpt.pt")}
    ours = start(
        OURS, {**request_of(OURS, "gpt", texts), **weights, "precisions": PRECISIONS},
        chosen.threads,
    )  # fmt: skip
    sides = {f"{OURS} {precision}": ours for precision in PRECISIONS}
    if peer:
        request = {**request_of(f"{THEIRS} full", "gpt", texts), **weights}
        sides = {THEIRS: start(THEIRS, request, chosen.threads)} | sides
    rows = [row for row in range(len(texts.train)) if len(texts.train.ids(row)) >= PROMPT_TOKENS]
    prompts = [list(map(int, texts.train.ids(row)[:PROMPT_TOKENS])) for row in rows]
    results = {}
    try:
        for batch in BATCHES:
            for way in ("greedy", "sampled"):
                request = {
                    "sample": way == "sampled", "top_p": TOP_P,
                    "new_tokens": chosen.new_tokens,
                }  # fmt: skip
                groups = [prompts[row : row + batch] for row in range(0, PROMPTS, batch)]
                results[f"{way}, {batch} at a time"] = race(sides, groups, request)
    finally:
        for side in set(sides.values()):
            side.close()
    return results


def race(
    sides: Mapping[str, Side], groups: Sequence[list[list[int]]], request: Mapping[str, Any]
) -> dict[str, dict[str, Any]]:
    """Rounds of going on from groups of prompts, one after the other; the first one warms up."""
    speeds: dict[str, list[float]] = {name: [] for name in sides}
    outputs: dict[str, list[list[int]]] = {}
    for number in range(ROUNDS + 1):
        for name, side in sides.items():
            asked = {**request, "precision": name.split()[-1]}
            answers = [side.ask(**asked, prompts=prompts) for prompts in groups]
            outputs[name] = [output for answer in answers for output in answer["outputs"]]
            if number:
                seconds = sum(answer["seconds"] for answer in answers)
                speeds[name].append(sum(map(len, outputs[name])) / seconds)
    found: dict[str, dict[str, Any]] = {
        name: {
            "tokens_per_second": round(statistics.median(values)),
            "rounds": [*map(round, values)],
        }
        for name, values in speeds.items()
    }
    if not request["sample"]:
        expected = outputs[f"{OURS} float32"]
        for name, own in outputs.items():
            same = [a == b for a, b in zip(own, expected, strict=True)]
            found[name]["same_as_ours"] = round(statistics.mean(same), 2)
    return found


def show(title: str, found: Mapping[str, Mapping[str, Any]], ours: str, *more: str) -> None:
    """Print a table with the ratios to one of Seqloom's."""
    best = found[ours]["tokens_per_second"]
    rows = [
        {
            title: name,
            "tokens a second": f"{values['tokens_per_second']:,}",
            f"{ours} is ... times as fast": f"{best / max(1, values['tokens_per_second']):.1f}",
            **{column.replace("_", " "): str(values[column]) for column in more},
        }
        for name, values in found.items()
    ]
    print(f"\n{table(rows)}\n", flush=True)


def arguments() -> argparse.Namespace:
    """What the user asks for."""
    parser = argparse.ArgumentParser(description="BERT and GPT beside transformers.")
    parser.add_argument("--updates", type=int, default=18, help="timed updates of each side")
    parser.add_argument("--new-tokens", type=int, default=96, help="of each output, at most")
    parser.add_argument("--texts", type=int, default=20_000, help="paragraphs of the corpus")
    parser.add_argument("--models", nargs="+", choices=list(MODELS), default=list(MODELS))
    parser.add_argument("--threads", type=int, default=processors(), help="threads of each side")
    chosen = parse_with_corpus(parser, "gutenberg", "peps/peps.txt")
    if not 1 <= chosen.new_tokens <= MODELS["gpt"]["context"] - PROMPT_TOKENS - 2:
        parser.error("--new-tokens: 1 or more, and no more than the context has room for.")
    return chosen


def compared(
    peer: bool, texts: PreparedTexts, chosen: argparse.Namespace
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Figures of training by model, and of going on by way, printed as they come."""
    training, generation = {}, {}
    for model in chosen.models:
        print(f"{model}: training, {chosen.threads} threads, {ROUNDS} rounds ...", flush=True)
        training[model] = train(model, peer, texts, chosen)
        show(f"{model}, training", training[model], OURS, "precision", "fill", "peak_memory_mb")
    if "gpt" in chosen.models:
        generation = generate(peer, texts, chosen)
    for way, found in generation.items():
        same = () if way.startswith("sampled") else ("same_as_ours",)
        show(way, found, f"{OURS} float32", *same)
    return training, generation


def main() -> None:
    """Install, measure, report."""
    chosen = arguments()
    load = os.getloadavg()[0]
    peer = True
    try:
        PEER.make(torch.__version__)
    except PeerMissing as error:
        print(f"{THEIRS} takes no part: {error}")
        peer = False
    WORK.mkdir(parents=True, exist_ok=True)
    texts = prepare_texts(
        recipe_of("bert").data, WORK / f"prepared-{chosen.texts}",
        corpus=paragraphs(chosen.data, chosen.texts),
    )  # fmt: skip
    write_texts(texts, WORK / "texts.npz")
    limits = ceilings()
    training, generation = compared(peer, texts, chosen)
    values = {
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
        "machine": {
            "processor": devices()[0], "processors": processors(), "load_before": round(load, 2),
            "limits": limits,
        },
        "versions": versions(),
        "peer": PEER.requirements,
        "settings": {
            "updates": chosen.updates, "threads": chosen.threads, "texts": chosen.texts,
            "new_tokens": chosen.new_tokens, "batch_tokens": BATCH_TOKENS, "models": MODELS,
        },
        "training": training,
        "generation": generation,
    }  # fmt: skip
    print(f"Written to {write_results('language', values)}")


if __name__ == "__main__":
    main()
