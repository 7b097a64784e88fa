"""The translation models of the alignment benchmark: trained for some minutes, or given."""

from __future__ import annotations

import argparse
import logging
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from alignment_text import SIDES, Texts

from seqloom.folder import load_config
from seqloom.recipe import Recipe, recipe_from
from seqloom.text.prepare import prepare
from seqloom.training.metrics import read_metrics
from seqloom.training.progress import Progress
from seqloom.translator import Translator
from seqloom.workflow import train

TRANSFORMER, REVERSE, DEEP, RNN = "transformer", "reverse", "deep", "rnn"
_SHALLOW: dict[str, Any] = {
    "family": "transformer", "width": 128, "feedforward": 512, "heads": 2, "encoder_layers": 2,
    "decoder_layers": 1, "positions": "rotary", "tie": "all", "dropout": 0.1,
}  # fmt: skip
SECTIONS: dict[str, dict[str, Any]] = {
    TRANSFORMER: _SHALLOW,
    REVERSE: _SHALLOW,
    DEEP: {**_SHALLOW, "heads": 4, "encoder_layers": 4, "decoder_layers": 4},
    RNN: {
        "family": "rnn", "cell": "gru", "embedding": 128, "width": 256, "attention": "additive",
        "wiring": "before", "tie": "all", "dropout": 0.2,
    },
}  # fmt: skip
"""Name -> section ``model`` of its recipe."""
RATES = {TRANSFORMER: 4e-3, REVERSE: 4e-3, DEEP: 4e-3, RNN: 3e-3}
VOCABULARY = 8000
"""Of pieces for both languages: with 18,800, the default here, projecting a width of 128 onto them
took over half of every update."""
PROBE = 20
"""Updates of the run that tells how many fit into the minutes; the first one sets libraries up."""
VALIDATIONS = 4


@dataclass(frozen=True)
class Model:
    """A translator, and what is known of its training."""

    translator: Translator
    facts: dict[str, Any]


class Teller(Progress):
    """Prints what a run tells."""

    def validated(self, figures: Mapping[str, float]) -> None:
        """One line a validation."""
        told = "  ".join(f"{name} {value:.2f}" for name, value in figures.items())
        print("   ", told, flush=True)

    def message(self, text: str) -> None:
        """One line."""
        print("   ", text, flush=True)


def trained(name: str, texts: Texts, chosen: argparse.Namespace) -> Model:
    """Train a model for the minutes asked for, or go on with what was interrupted."""
    folder = texts.folder / f"{name}-{chosen.minutes:g}min-{chosen.seed}"
    recipe = _recipe(name, texts, chosen.seed)
    if (folder / "config.json").exists():
        updates = load_config(folder)[0].training.updates
        assert updates is not None
    else:
        updates = _updates_in(chosen.minutes, recipe)
    print(f"  {name}: {updates:,} updates", flush=True)
    # It warns of tokenised text, which is meant here.
    logging.getLogger("sacrebleu").setLevel(logging.ERROR)
    train(_lasting(recipe, updates), folder, progress=Teller(), device="cpu")
    return opened(folder, {"pairs": texts.pairs, "asked": chosen.minutes, "seed": chosen.seed})


def finished(name: str, texts: Texts, chosen: argparse.Namespace) -> bool:
    """Whether a model was trained to its end with the same choices before."""
    folder = texts.folder / f"{name}-{chosen.minutes:g}min-{chosen.seed}"
    lines = read_metrics(folder / "metrics.jsonl")
    return bool(lines) and lines[-1]["update"] == load_config(folder)[0].training.updates


def opened(folder: Path, more: Mapping[str, Any] | None = None) -> Model:
    """A model folder, and what its course tells."""
    lines = read_metrics(folder / "metrics.jsonl")
    facts: dict[str, Any] = {"folder": folder.name, **(more or {})}
    if lines:
        facts |= {"updates": lines[-1]["update"], "minutes": round(lines[-1]["seconds"] / 60, 2)}
        best = max((line["bleu"] for line in lines if "bleu" in line), default=None)
        facts |= {} if best is None else {"validation BLEU": round(best, 2)}
    return Model(Translator.load(folder, device="cpu"), facts)


def _recipe(name: str, texts: Texts, seed: int) -> Recipe:
    """Without a length; the pairs are prepared, those of one direction once."""
    order = (1, 0) if name == REVERSE else (0, 1)
    data: dict[str, Any] = {"tokenizer": "bpe", "vocabulary": VOCABULARY, "joint": True}
    for field, side in zip(SIDES, order, strict=True):
        data[field] = str(texts.file("joined", side))
        data[f"validation_{field}"] = str(texts.file("dev", side))
        data[f"{field}_language"] = texts.languages[side]
    values = {
        "data": data,
        "model": SECTIONS[name],
        "training": {
            "batch_tokens": 2048, "learning_rate": RATES[name], "schedule": "linear",
            "label_smoothing": 0.1, "ema": 0.998, "validate_pairs": 200, "seed": seed,
        },
    }  # fmt: skip
    recipe = recipe_from(values, "benchmark")
    folder = texts.folder / "-".join(("prepared", *(texts.languages[side] for side in order)))
    prepare(recipe.data, folder, warn=print)
    source = {"source": str(folder), "target": None}
    return recipe.model_copy(update={"data": recipe.data.model_copy(update=source)})


def _lasting(recipe: Recipe, updates: int) -> Recipe:
    """The recipe with a length, and what follows from it."""
    length = {
        "updates": updates,
        "warmup": min(400, updates // 5),
        "validate_every": -(-updates // VALIDATIONS),
    }
    training = recipe.training.model_copy(update=length)
    return recipe.model_copy(update={"training": training})


def _updates_in(minutes: float, recipe: Recipe) -> int:
    """How many updates fit, by the speed of a few."""
    few = _lasting(recipe, PROBE).training.model_copy(
        update={"validate_every": PROBE, "validate_pairs": 1}
    )
    with tempfile.TemporaryDirectory() as name:
        train(recipe.model_copy(update={"training": few}), Path(name) / "probe", device="cpu")
        lines = read_metrics(Path(name) / "probe" / "metrics.jsonl")
    first, last = (line for line in lines if line["kind"] == "training")
    seconds = (last["seconds"] - first["seconds"]) / (last["update"] - first["update"])
    return max(1, round(60 * minutes / seconds))
