"""What cleaning is worth: the score of a model on a corpus, on the same with noise, and cleaned.

    python benchmarks/cleaning.py [--share 0.2] [--updates 2000] [--threads N] [--data DIR]

To the training pairs of Tatoeba, English to Russian, come as many others that a share of them all
is noise of the kinds that harm most (Khayrallah and Koehn 2018): a quarter each of misaligned
pairs, of sources left untranslated, of targets in another language (German), and of broken ones
(cut short, repeated, with stray control characters). The recipe tatoeba-en-ru is trained on the
corpus as it is, on the noisy one as it is (but for duplicates and lengths, which always go), and on
the noisy one with all filters; BLEU and chrF are those of the 412 validation pairs, beam 5.

Writes benchmarks/results/cleaning.json after each run.
"""

from __future__ import annotations

import argparse
import random
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from peers import HERE, parse_with_corpus, table, write_results

from seqloom.corpus import read_corpus
from seqloom.evaluation.metrics import bleu, chrf
from seqloom.recipe import DataRecipe, load_recipe
from seqloom.runtime import devices, processors, set_threads
from seqloom.workflow import train

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


def write(folder: Path, pairs: list[tuple[str, str]]) -> dict[str, str]:
    """Two files of lines, as a recipe names them."""
    folder.mkdir(parents=True)
    for side, name in enumerate(("train.en", "train.ru")):
        text = "".join(f"{pair[side]}\n" for pair in pairs)
        (folder / name).write_text(text, encoding="utf-8")
    return {"source": str(folder / "train.en"), "target": str(folder / "train.ru")}


def score(data: DataRecipe, chosen: argparse.Namespace, out: Path) -> dict[str, float]:
    """Train and translate the validation pairs."""
    recipe = load_recipe(HERE.parent / "recipes" / "tatoeba-en-ru.yaml")
    training = recipe.training.model_copy(update={"updates": chosen.updates})
    recipe = recipe.model_copy(update={"data": data, "training": training})
    translator = train(recipe, out, device="cpu")
    held_out = read_corpus(data.validation_source or "", data.validation_target)
    sources, references = zip(*((p.source, p.target) for p in held_out.pairs()), strict=True)
    found = translator.translate(sources, beam=5)
    return {"bleu": bleu(found, references, "ru"), "chrf": chrf(found, references)}


def main() -> None:
    """Plant, train three times, report."""
    parser = argparse.ArgumentParser(description="Raw, noisy and cleaned.")
    parser.add_argument("--share", type=float, default=0.2, help="share of noise in the whole")
    parser.add_argument("--updates", type=int, default=2000)
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
    rows: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        plain, planted = write(folder / "plain", pairs), write(folder / "noisy", noisy)
        for label, files, more in (
            ("as it is", plain, {}), ("with noise", planted, {}), ("cleaned", planted, FILTERS),
        ):  # fmt: skip
            data = base.model_copy(update={**files, **held_out, **more})
            out = folder / label
            found = score(data, chosen, out)
            rows.append({"corpus": label, **{k: round(v, 2) for k, v in found.items()}})
            print(rows[-1], flush=True)
            values = {"pairs": len(pairs), "noise": count, "updates": chosen.updates}
            write_results("cleaning", {**values, "processor": devices()[0], "runs": rows})
    print(table([{key: str(value) for key, value in row.items()} for row in rows]))


if __name__ == "__main__":
    main()
