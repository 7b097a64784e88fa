"""GPT on tiny Shakespeare: validation loss over minutes, beside a plain PyTorch GPT.

    python benchmarks/tinyshakespeare.py [--minutes-ours 10] [--minutes-reference 30]
                                         [--only ours|reference] [--size small|medium|large]
                                         [--rate 3e-3] [--rows 16] [--judgements 20]
                                         [--threads N] [--data DIR]

Both train the same model (that of recipes/tinyshakespeare.yaml; --size has others) on the same
characters, the first 90 % of the text, one after the other on the same threads. Seqloom trains as
the recipe says, for as many updates as its minutes allow by its speed in the first ones; the
reference (benchmarks/plain_gpt.py) in float32 with AdamW at --rate, in batches of --rows contexts.
The clock runs while a side trains, and one function judges both: the loss of all held-out
characters in full contexts that do not overlap. Published for another machine: 1.4697 after three
minutes of an A100, 10.6 million parameters (nanoGPT).

DIR holds tinyshakespeare/input.txt. Writes benchmarks/results/tinyshakespeare.json and .png; a
side that is left out keeps its figures.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import matplotlib as mpl

mpl.use("agg")

import numpy as np
import torch
from matplotlib import pyplot as plt
from peers import FOLDER, HERE, Side, parse_with_corpus, table, write_results
from plain_gpt import validation_loss

from seqloom.models import build_language_model
from seqloom.recipe import load_recipe_of
from seqloom.recipe.pretraining import PretrainRecipe
from seqloom.runtime import devices, keep_memory, processors, set_threads
from seqloom.text.texts import PreparedTexts, prepare_texts
from seqloom.training.language_tasks import NextToken
from seqloom.training.loop import Trainer
from seqloom.training.progress import Progress
from seqloom.training.text_feed import TextFeed

RECIPE = HERE.parent / "recipes" / "tinyshakespeare.yaml"
WORK = FOLDER / "tinyshakespeare"
SIZES: dict[str, dict[str, int]] = {
    "small": {},  # the recipe's
    "medium": {"width": 192, "feedforward": 768, "heads": 6, "layers": 4},
    "large": {"width": 256, "feedforward": 1024, "heads": 8, "layers": 6},
}
OURS, REFERENCE = "Seqloom", "plain PyTorch"
TRIED = 20
"""Updates after which Seqloom's speed is known."""

Point = dict[str, float]


def recipe_of(chosen: argparse.Namespace) -> PretrainRecipe:
    """The recipe, on the corpus given and at the size asked for."""
    recipe = load_recipe_of(PretrainRecipe, RECIPE)
    source = str(chosen.data / "tinyshakespeare" / "input.txt")
    return recipe.model_copy(
        update={
            "data": recipe.data.model_copy(update={"sources": (source,)}),
            "model": recipe.model.model_copy(update=SIZES[chosen.size]),
        }
    )


def trainer_of(
    recipe: PretrainRecipe, texts: PreparedTexts, folder: str, course: list[Point]
) -> Trainer:
    """Seqloom's loop; the benchmark judges, and nothing is kept."""
    torch.manual_seed(recipe.training.seed)
    tokenizer, held_out = texts.tokenizer, characters(texts)[1]
    model = build_language_model(recipe.model, tokenizer.size, tokenizer.symbols)

    def judge(averaged: Any) -> dict[str, float]:
        loss = validation_loss(
            lambda ids: averaged.project(averaged(ids)), held_out, recipe.model.context
        )
        state = trainer.state
        course.append(point(state.seconds, state.update, state.tokens, loss))
        show(OURS, course[-1])
        return {"loss": loss}

    trainer = Trainer(
        model=model, task=NextToken(), feed=TextFeed(recipe, texts), recipe=recipe.training,
        folder=Path(folder), validate=judge, publish=lambda *_: None, progress=Progress(),
        device=torch.device("cpu"),
    )  # fmt: skip
    return trainer


def characters(texts: PreparedTexts) -> list[torch.Tensor]:
    """Ids of the training text and of the held-out one."""
    return [
        torch.from_numpy(np.asarray(store.ids(0)).astype(np.int64))
        for store in (texts.train, texts.validation)
    ]


def point(seconds: float, updates: int, tokens: int, loss: float) -> Point:
    """Where a side stands."""
    return {
        "minutes": round(seconds / 60, 3), "updates": updates, "tokens": tokens,
        "loss": round(loss, 4),
    }  # fmt: skip


def show(name: str, where: Point) -> None:
    """Print it."""
    print(
        f"  {name:13} {where['minutes']:6.1f} min  {where['updates']:6,} updates  "
        f"loss {where['loss']:.4f}",
        flush=True,
    )


def with_updates(recipe: PretrainRecipe, updates: int, validate_every: int) -> PretrainRecipe:
    """The recipe for a run of that length."""
    length = {"updates": updates, "validate_every": validate_every, "precision": "float32"}
    return recipe.model_copy(update={"training": recipe.training.model_copy(update=length)})


def ours(
    recipe: PretrainRecipe, texts: PreparedTexts, chosen: argparse.Namespace
) -> tuple[int, list[Point]]:
    """Parameters, and the course of Seqloom."""
    with tempfile.TemporaryDirectory() as folder:
        tried = trainer_of(with_updates(recipe, TRIED, TRIED), texts, folder, [])
        began = time.perf_counter()
        for batch in islice(tried.feed(0, 0), TRIED):
            tried._update([batch], None)  # the part of a run that the clock counts
        speed = TRIED / (time.perf_counter() - began)
    updates = max(chosen.judgements, round(chosen.minutes_ours * 60 * speed))
    course: list[Point] = []
    with tempfile.TemporaryDirectory() as folder:
        run = with_updates(recipe, updates, updates // chosen.judgements)
        trainer = trainer_of(run, texts, folder, course)
        trainer.fit()
    return sum(p.numel() for p in trainer.model.parameters()), course


def reference(
    recipe: PretrainRecipe, texts: PreparedTexts, chosen: argparse.Namespace
) -> tuple[int, list[Point]]:
    """Parameters, and the course of the plain GPT."""
    files = {}
    for name, ids in zip(("train", "validation"), characters(texts), strict=True):
        files[name] = str(WORK / f"{name}.npy")
        np.save(files[name], ids.numpy())
    side = Side(
        REFERENCE, [sys.executable, str(HERE / "plain_gpt.py")], chosen.threads,
        {
            **files, "model": json.loads(recipe.model.model_dump_json()), "seed": 1,
            "vocabulary": texts.tokenizer.size, "rate": chosen.rate, "rows": chosen.rows,
            "warmup": 100, "seconds": chosen.minutes_reference * 60,
            "judgements": chosen.judgements,
        },
    )  # fmt: skip

    def course() -> Iterator[Point]:
        for _ in range(chosen.judgements):
            yield point(**side.ask(go=True))

    points = []
    try:
        for found in course():
            points.append(found)
            show(REFERENCE, found)
    finally:
        side.close()
    return side.facts["parameters"], points


def draw(courses: dict[str, dict[str, Any]], path: Path) -> None:
    """Loss over minutes, one line a side."""
    figure, axes = plt.subplots(figsize=(8, 4.5))
    for name, values in courses.items():
        minutes, losses = ([each[key] for each in values["course"]] for key in ("minutes", "loss"))
        axes.plot(minutes, losses, label=name, linewidth=2.5 if name == OURS else 1.5)
    axes.set_xlabel("minutes of training")
    axes.set_ylabel("loss of a held-out character, nats")
    axes.set_ylim(top=2.2)
    axes.legend()
    figure.tight_layout()
    figure.savefig(path, dpi=150)
    plt.close(figure)


def arguments() -> argparse.Namespace:
    """What the user asks for."""
    parser = argparse.ArgumentParser(description="A small GPT beside a plain PyTorch one.")
    parser.add_argument("--minutes-ours", type=float, default=10)
    parser.add_argument("--minutes-reference", type=float, default=30)
    parser.add_argument("--only", choices=["ours", "reference"], help="measure one side anew")
    parser.add_argument("--size", choices=list(SIZES), default="small")
    parser.add_argument("--rate", type=float, default=3e-3, help="the reference's learning rate")
    parser.add_argument("--rows", type=int, default=16, help="contexts in the reference's batches")
    parser.add_argument("--judgements", type=int, default=20, help="of each side")
    parser.add_argument("--threads", type=int, default=processors(), help="threads of each side")
    return parse_with_corpus(parser, "tinyshakespeare/input.txt")


def best(course: list[Point]) -> Point:
    """Where the loss was lowest: the weights that a run keeps."""
    return min(course, key=lambda each: each["loss"])


def main() -> None:
    """Train both, report."""
    chosen = arguments()
    set_threads(chosen.threads)
    keep_memory()
    recipe = recipe_of(chosen)
    WORK.mkdir(parents=True, exist_ok=True)
    texts = prepare_texts(recipe.data, WORK / "prepared")
    path = HERE / "results" / "tinyshakespeare.json"
    values = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    courses = values.get("courses", {})
    if chosen.only != "reference":
        parameters, course = ours(recipe, texts, chosen)
        courses[OURS] = {
            "parameters": parameters, "course": course,
            "training": json.loads(recipe.training.model_dump_json()),
        }  # fmt: skip
    if chosen.only != "ours":
        parameters, course = reference(recipe, texts, chosen)
        training = {"rate": chosen.rate, "rows": chosen.rows}
        courses[REFERENCE] = {"parameters": parameters, "course": course, "training": training}
    write_results(
        "tinyshakespeare",
        {
            "processor": devices()[0], "threads": chosen.threads,
            "model": json.loads(recipe.model.model_dump_json()), "courses": courses,
        },
    )  # fmt: skip
    rows = [
        {
            "program": name,
            "parameters": f"{found['parameters']:,}",
            "minutes": f"{found['course'][-1]['minutes']:.1f}",
            "characters": f"{found['course'][-1]['tokens']:,}",
            "validation loss": f"{best(found['course'])['loss']:.4f}",
        }
        for name, found in courses.items()
    ]
    print(f"\n{table(rows)}")
    draw(courses, path.with_suffix(".png"))


if __name__ == "__main__":
    main()
