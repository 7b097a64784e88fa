"""One fine-tuning in a process of its own, so that its memory is its own (benchmarks/tuning.py)."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

from peers import Link, peak_memory_mb
from transfer import accuracy, trec

from seqloom.finetuning import finetune
from seqloom.language_folder import load_language_folder
from seqloom.recipe.finetuning import FinetuneRecipe, FinetuningRecipe
from seqloom.runtime import keep_memory, set_threads


def tune(request: dict[str, Any]) -> dict[str, Any]:
    """Figures of the held-out share, of the measured texts, and what they cost."""
    set_threads()
    keep_memory()
    train, measured = trec(Path(request["data"]), request["seed"])
    load_language_folder(request["encoder"])
    reading = peak_memory_mb()
    training = FinetuningRecipe(seed=request["seed"], **request["training"])
    recipe = FinetuneRecipe(training=training)
    with tempfile.TemporaryDirectory() as place:
        out = Path(place) / "tuned"
        found = finetune(request["encoder"], "classify", train, out, recipe=recipe)
        report = json.loads((out / "metrics.json").read_text(encoding="utf-8"))
    return {
        "chosen_by": report["after"],
        "accuracy": accuracy(found, measured),
        "moving": report["moving"],
        "seconds": round(report["seconds"], 1),
        "memory_mb": peak_memory_mb() - reading,
        "holes": {when: report["old"][when]["masked accuracy"] for when in ("before", "after")},
    }


if __name__ == "__main__":
    the_link = Link()
    the_link.send(**tune(the_link.receive()))
