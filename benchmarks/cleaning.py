"""What cleaning is worth: the score of a model on a corpus, on the same with noise, and cleaned.

    python benchmarks/cleaning.py [--share 0.2] [--updates 2000] [--threads N] [--data DIR]
                                  [--corpora plain noisy cleaned doctor] [--seeds 1 2 3]

To the training pairs of Tatoeba, English to Russian, come as many others that a share of them all
is noise of the kinds that harm most (Khayrallah and Koehn 2018): a quarter each of misaligned
pairs, of sources left untranslated, of targets in another language (German), and of broken ones
(cut short, repeated, with stray control characters). The recipe tatoeba-en-ru is trained on the
corpus as it is, on the noisy one as it is (but for duplicates and lengths, which always go), on the
noisy one with all filters, and on that without what the doctor then finds unrelated; BLEU and chrF
are those of the 412 validation pairs, beam 5.

Writes benchmarks/results/cleaning.json after each run; what is not trained keeps its figures.
"""

from __future__ import annotations

import argparse
import json
import random
import statistics
import tempfile
from collections.abc import Iterator
from itertools import product
from pathlib import Path
from typing import Any

from peers import HERE, parse_with_corpus, table, write_results

from seqloom.corpus import Corpus, clean, read_corpus
from seqloom.corpus.doctor import examine, without
from seqloom.evaluation.metrics import bleu, chrf
from seqloom.recipe import DataRecipe, load_recipe
from seqloom.runtime import devices, processors, set_threads
from seqloom.text.rules import filters_of
from seqloom.workflow import train

CORPORA = ("plain", "noisy", "cleaned", "doctor")
FILTERS: dict[str, Any] = {"filters": ("all",), "min_script": 0.5, "drop_near_duplicates": True}
"""For prose: half of the letters of a side must be of its own script."""


def noise(
    pairs: list[tuple[str, str]], foreign: list[tuple[str, str]], count: int
) -> Iterator[tuple[str, str]]:
    """``count`` pairs of noise, the kinds in turn."""
    chance = random.Random(1)
    for number in range(count):
        source, target = chance.choice(pairs)
        kind = number % 4
        if kind == 0:
            target = chance.choice(pairs)[1]
        elif kind == 1:
            target = source
        elif kind == 2:
            source, target = chance.choice(foreign)
        else:
            cut = target[: max(1, len(target) // 12)]
            target = chance.choice([cut, f"{target} " * 12, f"{target}\x1b[0m\ufffd", cut * 20])
        yield source, target


def treated(noisy: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """What the filters keep, without the pairs that the doctor finds unrelated in that."""
    corpus = Corpus.of(noisy, source_language="en", target_language="ru")
    cleaned, _ = clean(corpus, filters_of(DataRecipe(**FILTERS), corpus))
    rest = without(cleaned, examine(cleaned), ["unrelated"])
    return [(pair.source, pair.target) for pair in rest.pairs()]


def write(folder: Path, pairs: list[tuple[str, str]]) -> dict[str, str]:
    """Two files of lines, as a recipe names them."""
    folder.mkdir(parents=True)
    for side, name in enumerate(("train.en", "train.ru")):
        text = "".join(f"{pair[side]}\n" for pair in pairs)
        (folder / name).write_text(text, encoding="utf-8")
    return {"source": str(folder / "train.en"), "target": str(folder / "train.ru")}


def score(data: DataRecipe, chosen: argparse.Namespace, seed: int, out: Path) -> dict[str, float]:
    """Train and translate the validation pairs."""
    recipe = load_recipe(HERE.parent / "recipes" / "tatoeba-en-ru.yaml")
    training = recipe.training.model_copy(update={"updates": chosen.updates, "seed": seed})
    recipe = recipe.model_copy(update={"data": data, "training": training})
    translator = train(recipe, out, device="cpu")
    held_out = read_corpus(data.validation_source or "", data.validation_target)
    sources, references = zip(*((p.source, p.target) for p in held_out.pairs()), strict=True)
    found = translator.translate(sources, beam=5)
    return {"bleu": bleu(found, references, "ru"), "chrf": chrf(found, references)}


def row_of(label: str, seeds: dict[str, dict[str, float]]) -> dict[str, str]:
    """Means over the seeds, and the single figures."""
    row = {"corpus": label}
    for name in ("bleu", "chrf"):
        values = [found[name] for found in seeds.values()]
        row[name] = f"{statistics.mean(values):.2f}"
        row[f"{name} of each seed"] = " ".join(f"{value:.2f}" for value in values)
    return row


def main() -> None:
    """Plant, train three times, report."""
    parser = argparse.ArgumentParser(description="Raw, noisy and cleaned.")
    parser.add_argument("--share", type=float, default=0.2, help="share of noise in the whole")
    parser.add_argument("--updates", type=int, default=2000)
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    parser.add_argument("--corpora", nargs="+", choices=CORPORA, default=CORPORA)
    parser.add_argument("--threads", type=int, default=processors())
    chosen = parse_with_corpus(parser)
    set_threads(chosen.threads)
    place = chosen.data / "tatoeba-en-ru"
    corpus = read_corpus(place / "train.en", place / "train.ru")
    pairs = [(pair.source, pair.target) for pair in corpus.pairs()]
    german = read_corpus(
        *(chosen.data / "tatoeba-en-de" / f"train.{code}" for code in ("en", "de"))
    )
    foreign = [(pair.source, pair.target) for pair in german.pairs()]
    count = round(len(pairs) * chosen.share / (1 - chosen.share))
    noisy = [*pairs, *noise(pairs, foreign, count)]
    random.Random(2).shuffle(noisy)
    base = load_recipe(HERE.parent / "recipes" / "tatoeba-en-ru.yaml").data
    held_out = {
        "validation_source": str(place / "dev.en"), "validation_target": str(place / "dev.ru"),
    }  # fmt: skip
    path = HERE / "results" / "cleaning.json"
    runs = json.loads(path.read_text(encoding="utf-8"))["runs"] if path.exists() else {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for label, seed in product(chosen.corpora, chosen.seeds):
            kept = pairs if label == "plain" else treated(noisy) if label == "doctor" else noisy
            files = write(folder / f"{label} {seed} files", kept)
            more = FILTERS if label in ("cleaned", "doctor") else {}
            data = base.model_copy(update={**files, **held_out, **more})
            found = score(data, chosen, seed, folder / f"{label} {seed}")
            rounded = {name: round(value, 2) for name, value in found.items()}
            runs.setdefault(label, {})[str(seed)] = rounded
            print(label, seed, rounded, flush=True)
            values = {"pairs": len(pairs), "noise": count, "updates": chosen.updates}
            write_results("cleaning", {**values, "processor": devices()[0], "runs": runs})
    print(table([row_of(label, runs[label]) for label in CORPORA if label in runs]))


if __name__ == "__main__":
    main()
