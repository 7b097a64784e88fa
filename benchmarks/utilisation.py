"""How much of a device a GPT of 124 million parameters uses while it trains.

    python benchmarks/utilisation.py [--device cuda] [--updates 60] [--rows 16] [--peak TFLOPS]
                                     [--size 124M|tiny] [--precision bfloat16] [--data DIR]

The shape is GPT-2's smallest (Radford et al. 2019): 12 layers, width 768, 12 heads, contexts of
1,024, some 50,000 pieces, those of novels and Python Enhancement Proposals, here. Loop, task and
packed batches are those of ``seqloom pretrain gpt``; --rows contexts make an update. Counted are
the floating point operations of the model, by Chowdhery et al. 2022 (appendix B): a token costs
6 for every parameter but those of positions, and 12 for layers x width x context; what is computed
twice counts once. Their share of --peak, which is what the maker of the device promises (the dense
rate of an H100 or H200 in bfloat16, 989, where it is left out on a GPU), and of what one large
matrix product reaches here, are the figures. --size tiny tries the program on a processor.

Writes benchmarks/results/utilisation.json, unless the size is tiny.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from itertools import islice
from pathlib import Path
from typing import Any

import torch
from peers import FOLDER, HERE, parse_with_corpus, table, write_results

from seqloom.models import build_language_model
from seqloom.recipe import recipe_from_of
from seqloom.recipe.pretraining import PretrainRecipe
from seqloom.runtime import choose_device, devices, product_speed, set_threads, versions
from seqloom.text.texts import PreparedTexts, prepare_texts
from seqloom.training.language_tasks import NextToken
from seqloom.training.loop import Trainer
from seqloom.training.progress import Progress
from seqloom.training.text_feed import TextFeed

WORK = FOLDER / "utilisation"
SIZES: dict[str, dict[str, int]] = {
    "124M": {
        "width": 768, "feedforward": 3072, "heads": 12, "layers": 12, "context": 1024,
        "vocabulary": 50_257,
    },
    "tiny": {
        "width": 64, "feedforward": 256, "heads": 4, "layers": 2, "context": 64,
        "vocabulary": 1000,
    },
}  # fmt: skip
PROMISED = 989.0
"""TFLOP/s of an H100 or H200 (SXM) in bfloat16, dense, as NVIDIA's data sheets say."""
WARM_UP = 10
LARGE = 8192
"""Rows and columns of the matrix product that shows what the device reaches."""


def recipe_of(chosen: argparse.Namespace) -> PretrainRecipe:
    """The run; what is not named here is Seqloom's default."""
    shape = dict(SIZES[chosen.size])
    sources = [str(chosen.data / "gutenberg"), str(chosen.data / "peps" / "peps.txt")]
    values = {
        "data": {"sources": sources, "vocabulary": shape.pop("vocabulary")},
        "model": {"family": "gpt", "positions": "learned", "dropout": 0.0, **shape},
        "training": {
            "optimizer": "adamw", "batch_tokens": chosen.rows * shape["context"],
            "learning_rate": 6e-4, "precision": chosen.precision,
            "updates": WARM_UP + chosen.updates, "validate_every": WARM_UP + chosen.updates,
        },
    }  # fmt: skip
    return recipe_from_of(PretrainRecipe, values, "benchmark")


def cost_of_a_token(recipe: PretrainRecipe, parameters: int) -> int:
    """Floating point operations, forward and backward, of the model alone."""
    shape = recipe.model
    positions = shape.context * shape.width
    return 6 * (parameters - positions) + 12 * shape.layers * shape.width * shape.context


def seconds_of_updates(trainer: Trainer, device: torch.device) -> tuple[list[float], int]:
    """Seconds of each update behind the first ones, and the tokens of all of them."""
    seconds, tokens = [], 0
    for number, batch in enumerate(islice(trainer.feed(0, 0), trainer.updates)):
        before, began = trainer.state.tokens, time.perf_counter()
        trainer._update([batch], None)  # the part of a run that the clock counts
        if device.type == "cuda":
            torch.cuda.synchronize(device)
        if number >= WARM_UP:
            seconds.append(time.perf_counter() - began)
            tokens += trainer.state.tokens - before
    return seconds, tokens


def measure(
    recipe: PretrainRecipe, texts: PreparedTexts, device: torch.device, peak: float | None
) -> dict[str, Any]:
    """Speed, and shares of the device."""
    torch.manual_seed(1)
    tokenizer = texts.tokenizer
    model = build_language_model(recipe.model, tokenizer.size, tokenizer.symbols).to(device)
    with tempfile.TemporaryDirectory() as folder:
        trainer = Trainer(
            model=model, task=NextToken(), feed=TextFeed(recipe, texts), recipe=recipe.training,
            folder=Path(folder), validate=lambda _: {}, publish=lambda *_: None,
            progress=Progress(), device=device,
        )  # fmt: skip
        seconds, tokens = seconds_of_updates(trainer, device)
    parameters = sum(p.numel() for p in model.parameters())
    speed = tokens / sum(seconds)
    reached = speed * cost_of_a_token(recipe, parameters) / 1e12
    dtype = getattr(torch, recipe.training.precision)
    product = product_speed(device, dtype, LARGE if device.type == "cuda" else 1024) / 1e3
    memory = torch.cuda.max_memory_allocated(device) / 2**30 if device.type == "cuda" else None
    return {
        "parameters": parameters,
        "tokens_per_second": round(speed),
        "milliseconds_an_update": round(1e3 * statistics.median(seconds), 2),
        "teraflops": round(reached, 3),
        "promised_teraflops": peak,
        "share_of_promised": round(reached / peak, 4) if peak else None,
        "product_teraflops": round(product, 3),
        "share_of_product": round(reached / product, 4),
        "peak_memory_gb": None if memory is None else round(memory, 2),
    }


def main() -> None:
    """Measure, report."""
    parser = argparse.ArgumentParser(description="Utilisation of a device by a GPT.")
    parser.add_argument("--device", help="such as cuda:1; the best one when left out")
    parser.add_argument("--updates", type=int, default=60, help="that are measured")
    parser.add_argument("--rows", type=int, default=16, help="contexts in an update")
    parser.add_argument("--peak", type=float, help="TFLOP/s that the device promises")
    parser.add_argument("--size", choices=tuple(SIZES), default="124M")
    parser.add_argument("--precision", choices=("bfloat16", "float32"), default="bfloat16")
    chosen = parse_with_corpus(parser, "gutenberg", "peps/peps.txt")
    set_threads()
    device = choose_device(chosen.device)
    peak = chosen.peak or (PROMISED if device.type == "cuda" else None)
    recipe = recipe_of(chosen)
    WORK.mkdir(parents=True, exist_ok=True)
    texts = prepare_texts(recipe.data, WORK / f"prepared-{chosen.size}")
    found = measure(recipe, texts, device, peak)
    name = next(each for each in devices() if each.startswith(device.type))
    values = {"device": name, "versions": versions(), "size": chosen.size, "rows": chosen.rows}
    precision = {"precision": recipe.training.precision}
    print(table([{key.replace("_", " "): str(value) for key, value in found.items()}]))
    if chosen.size != "tiny":
        write_results("utilisation", {**values, **precision, **found})
        print(f"\nWritten to {HERE / 'results' / 'utilisation.json'}")


if __name__ == "__main__":
    main()
