"""One fine-tuning in a process of its own, so that its memory is its own (benchmarks/tuning.py)."""

from __future__ import annotations

import json
import shutil
import tempfile
from importlib import import_module
from pathlib import Path
from typing import Any

from peers import Link, peak_memory_mb
from transfer import accuracy, trec

from seqloom.finetuning import finetune
from seqloom.language_folder import load_language_folder
from seqloom.recipe.finetuning import FinetuneRecipe, FinetuningRecipe
from seqloom.runtime import keep_memory, set_threads


def recipe_of(request: dict[str, Any], **more: Any) -> FinetuneRecipe:
    """The run that is asked for."""
    training = FinetuningRecipe(seed=request["seed"], **{**request["training"], **more})
    return FinetuneRecipe(training=training)


def tune(request: dict[str, Any]) -> dict[str, Any]:
    """Figures of the held-out share, of the measured texts, and what they cost."""
    train, measured = trec(Path(request["data"]), request["seed"])
    with tempfile.TemporaryDirectory() as place:
        out = Path(place) / "tuned"
        found = finetune(request["encoder"], "classify", train, out, recipe=recipe_of(request))
        report = json.loads((out / "metrics.json").read_text(encoding="utf-8"))
    return {
        "chosen_by": report["after"],
        "accuracy": accuracy(found, measured),
        "moving": report["moving"],
        "seconds": round(report["seconds"], 1),
        "holes": {when: report["old"][when]["masked accuracy"] for when in ("before", "after")},
    }


def memory(request: dict[str, Any]) -> dict[str, Any]:
    """What an epoch needs beyond texts, encoder and libraries.

    The encoder is one without its old texts: filling their holes would need more than tuning does.
    """
    train, _ = trec(Path(request["data"]), request["seed"])
    if request["training"].get("tune") == "lora":
        import_module("peft")
    with tempfile.TemporaryDirectory() as place:
        bare = Path(place) / "encoder"
        shutil.copytree(
            request["encoder"], bare, ignore=shutil.ignore_patterns("data", "training", "old")
        )
        load_language_folder(bare)
        reading = peak_memory_mb()
        short = recipe_of(request, epochs=1)
        finetune(bare, "classify", train, Path(place) / "tuned", recipe=short)
    return {"memory_mb": peak_memory_mb() - reading}


if __name__ == "__main__":
    the_link = Link()
    asked = the_link.receive()
    set_threads()
    keep_memory()
    the_link.send(**(memory if asked["memory"] else tune)(asked))
