"""What looking inside costs when nobody looks, and how fast a large page opens.

    python benchmarks/recording.py [--rounds 60] [--threads N] [--browser PATH]

Three speeds of the same work in one process, taking turns in changing order: as it is, with nobody
looking; with every look at a recorder, a gate or a trace taken out of the code; and as it is
once more, which shows what the machine's noise is. A ratio of 1.00 says that looking costs nothing.
Work is a forward pass of every family, and a beam search.

Then a page with every layer and head of a text of 500 tokens (4+4 layers of 4 heads) is opened in a
browser, if there is one.

Writes benchmarks/results/recording.json.
"""

from __future__ import annotations

import argparse
import importlib
import shutil
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import torch
from peers import table, write_results

from seqloom.decoding.search import search
from seqloom.inspection.attention import AttentionRecord
from seqloom.inspection.attention_map import AttentionMap
from seqloom.models import build_language_model, build_model
from seqloom.recipe import DecodingRecipe, RecurrentRecipe, TransformerRecipe
from seqloom.recipe.language import BertRecipe, GptRecipe
from seqloom.runtime import devices, processors, set_threads
from seqloom.symbols import Symbols

Work = Callable[[], object]

VOCABULARY, ROWS, LENGTH = 4000, 16, 24
NOTES = {
    "seqloom.layers.recurrent": ("note",),
    "seqloom.layers.attention": ("note", "recording", "through_gates"),
    "seqloom.models.rnn": ("note",),
    "seqloom.models.gpt": ("note",),
    "seqloom.models.bert": ("note",),
    "seqloom.models.transformer": ("note",),
    "seqloom.decoding.beam": ("note_extension", "note_given", "note_stop"),
    "seqloom.decoding.walk": ("note_choice", "note_given"),
    "seqloom.decoding.sampling": ("note_pool",),
}
"""Where the code looks whether somebody looks."""
TOKENS, LAYERS, HEADS = 500, 4, 4
BAR = 2.0
"""Seconds within which the page is to open."""


def works() -> dict[str, Work]:
    """Name -> what is timed."""
    torch.manual_seed(0)
    ids = torch.randint(8, VOCABULARY, (ROWS, LENGTH))
    real = torch.ones_like(ids, dtype=torch.bool)
    found: dict[str, Work] = {}
    recipes: dict[str, Any] = {
        "Transformer 3+3/256": TransformerRecipe(width=256, feedforward=1024, heads=4),
        "RNN, additive attention": RecurrentRecipe(attention="additive"),
    }
    models = {name: build_model(each, VOCABULARY, VOCABULARY) for name, each in recipes.items()}
    for name, model in models.items():
        found[name] = lambda m=model: m.decode(m.encode(ids, real), ids)  # type: ignore[misc]
    symbols = Symbols(mask=4)
    for name, recipe in {
        "BERT 4/256": BertRecipe(width=256, feedforward=1024, heads=4, layers=4, context=128),
        "GPT 4/256": GptRecipe(width=256, feedforward=1024, heads=4, layers=4, context=128),
    }.items():
        reader = build_language_model(recipe, VOCABULARY, symbols).eval()
        found[name] = lambda m=reader: m(ids)  # type: ignore[misc]
    translator = models["Transformer 3+3/256"].eval()
    options = DecodingRecipe(beam=5, max_tokens=20)
    found["beam search of 5"] = lambda: search(
        [translator], ids, real, options, prefixes=[()] * ROWS
    )
    models["RNN, additive attention"].eval()
    return found


@contextmanager
def nobody_can_look() -> Iterator[None]:
    """Every look taken out of the code."""
    kept = []
    for place, names in NOTES.items():
        module = importlib.import_module(place)
        for name in names:
            kept.append((module, name, getattr(module, name)))
            nothing: Any = {
                "through_gates": lambda layer, context: context,
                "recording": lambda: False,
            }.get(name, lambda *given: None)
            setattr(module, name, nothing)
    try:
        yield
    finally:
        for module, name, function in kept:
            setattr(module, name, function)


def timed(work: Work) -> float:
    """Seconds."""
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


@torch.inference_mode()
def compare(work: Work, rounds: int) -> dict[str, float]:
    """Medians of the ratios within a round: as it is, and as it is once more, to taken out."""
    for _ in range(5):
        work()
    ratios, noise, seconds = [], [], []
    for turn in range(rounds):
        found = dict[str, float]()
        order = ["as it is", "taken out", "once more"]
        for name in order if turn % 2 else reversed(order):
            if name == "taken out":
                with nobody_can_look():
                    found[name] = timed(work)
            else:
                found[name] = timed(work)
        ratios.append(found["as it is"] / found["taken out"])
        noise.append(found["as it is"] / found["once more"])
        seconds.append(found["as it is"])
    spread = np.random.default_rng(0).choice(ratios, (2000, rounds))
    low, high = np.percentile(np.median(spread, axis=1), [2.5, 97.5])
    return {
        "milliseconds": 1000 * statistics.median(seconds),
        "ratio": statistics.median(ratios),
        "low": float(low),
        "high": float(high),
        "noise": statistics.median(noise),
    }


def large_record() -> AttentionRecord:
    """Every layer and head of a translation of 500 tokens."""
    chance = np.random.default_rng(0)
    tokens = {
        "source": [f"▁s{place}" for place in range(TOKENS)],
        "read": ["<s>", *(f"▁t{place}" for place in range(TOKENS - 1))],
        "written": [*(f"▁t{place}" for place in range(TOKENS - 1)), "</s>"],
    }
    sides = {
        "encoder": ("source", "source"), "decoder": ("written", "read"),
        "cross": ("written", "source"),
    }  # fmt: skip
    maps = [
        AttentionMap(
            f"{part}.{layer}", part, rows, columns,
            chance.dirichlet(np.full(TOKENS, 0.1), (HEADS, TOKENS)).astype(np.float32),
            np.ones((HEADS, TOKENS), np.float32),
        )
        for part, (rows, columns) in sides.items()
        for layer in range(LAYERS)
    ]  # fmt: skip
    return AttentionRecord(tokens, maps, {}, f"{TOKENS} tokens")


def opened(browser: str | None, times: int = 5) -> dict[str, float | str]:
    """Seconds until the page is drawn, the median of several, and its size."""
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        return {"missing": "playwright"}
    if browser is None:
        return {"missing": "a browser: name one with --browser"}
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as driver:
        path = Path(folder) / "page.html"
        large_record().save(path)
        launched = driver.chromium.launch(executable_path=browser)
        seconds = []
        for _ in range(times):
            page = launched.new_page()
            began = time.perf_counter()
            page.goto(path.as_uri())
            page.wait_for_selector("#heads button")
            page.evaluate(
                "new Promise((r) => requestAnimationFrame(() => requestAnimationFrame(r)))"
            )
            seconds.append(time.perf_counter() - began)
            page.close()
        launched.close()
        size = path.stat().st_size / 2**20
    return {"seconds": statistics.median(seconds), "megabytes": size}


def main() -> None:
    """Measure everything."""
    parser = argparse.ArgumentParser(description="What looking inside costs.")
    parser.add_argument("--rounds", type=int, default=60)
    parser.add_argument("--threads", type=int, default=processors())
    installed = shutil.which("chromium") or shutil.which("google-chrome")
    parser.add_argument("--browser", default=installed)
    chosen = parser.parse_args()
    set_threads(chosen.threads)
    found = {}
    for name, work in works().items():
        found[name] = compare(work, chosen.rounds)
        print(f"  {name}: {found[name]['ratio']:.3f}", flush=True)
    page = opened(chosen.browser)
    values = {"processor": devices()[0], "threads": chosen.threads, "rounds": chosen.rounds}
    path = write_results("recording", {**values, "ratios": found, "page": page, "bar": BAR})
    rows = [
        {
            "work": name,
            "milliseconds": f"{each['milliseconds']:.1f}",
            "time as it is / nobody can look": f"{each['ratio']:.3f}",
            "95 % interval": f"{each['low']:.3f} to {each['high']:.3f}",
            "as it is / once more": f"{each['noise']:.3f}",
        }
        for name, each in found.items()
    ]
    print(f"\n{table(rows)}\n\nA page of {TOKENS} tokens: {page}\n\nWritten to {path}")


if __name__ == "__main__":
    main()
