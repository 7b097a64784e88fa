"""A translation model goes to another domain: what it wins there, and what it forgets.

    python benchmarks/domain.py [--everyday FOLDER] [--updates 600] [--share 0.3] [--seed 1]
                                [--data DIR]

recipes/tatoeba-en-ru.yaml (English to Russian, everyday sentences) is trained first, unless FOLDER
holds it already, and then goes on with texts of program interfaces (l10n-en-ru): with these alone,
and with everyday pairs mixed in, a --share of what it reads. The last one is trained as the recipe
says, with random weights first, on interface texts alone, for all its 2,000 updates. Every other
pair of the development parts of both corpora decides which weights are kept, the rest judges, by
the recipe's own search (beam 5).

Writes benchmarks/results/domain.json. Texts and models stay in benchmarks/peers/domain and are not
trained again; delete that folder to measure anew. Training takes most of an hour on two cores.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from peers import FOLDER, HERE, parse_with_corpus, table, write_results

from seqloom.evaluation.metrics import bleu, chrf
from seqloom.recipe import Recipe, load_recipe, recipe_from
from seqloom.runtime import devices, processors
from seqloom.training.progress import Progress
from seqloom.translator import Translator
from seqloom.workflow import train

RECIPE = HERE.parent / "recipes" / "tatoeba-en-ru.yaml"
WORK = FOLDER / "domain"
OLD, NEW = "tatoeba-en-ru", "l10n-en-ru"
BEFORE, AFTER = "everyday", "everyday, then interfaces"
MIXED, ALONE = "everyday, then both", "interfaces alone"
SIDES = {"source": "en", "target": "ru"}
VALIDATIONS = 5
"""Of each run that goes on; the best weights are kept."""


class Teller(Progress):
    """Prints the figures of a run as they come."""

    def validated(self, figures: Mapping[str, float]) -> None:
        """One line a validation."""
        print(
            "   ", "  ".join(f"{name} {value:.2f}" for name, value in figures.items()), flush=True
        )


def files(data: Path, name: str, part: str) -> dict[str, str]:
    """The two sides of a part of a corpus; ``chosen`` and ``judged`` are the halves of ``dev``."""
    place = data / name if part in ("train", "dev") else WORK / name
    return {side: str(place / f"{part}.{suffix}") for side, suffix in SIDES.items()}


def halve(data: Path) -> None:
    """Write the two halves of both development parts."""
    for name in (OLD, NEW):
        (WORK / name).mkdir(parents=True, exist_ok=True)
        for side, path in files(data, name, "dev").items():
            lines = Path(path).read_text(encoding="utf-8").splitlines(keepends=True)
            for number, part in enumerate(("chosen", "judged")):
                half = "".join(lines[number::2])
                Path(files(data, name, part)[side]).write_text(half, encoding="utf-8")


def held_out(data: Path, name: str) -> dict[str, str]:
    """The fields that name validation pairs."""
    return {f"validation_{side}": path for side, path in files(data, name, "chosen").items()}


def shipped(data: Path, name: str) -> Recipe:
    """The shipped recipe on a corpus."""
    recipe = load_recipe(RECIPE)
    places = {**files(data, name, "train"), **held_out(data, name)}
    return recipe.model_copy(update={"data": recipe.data.model_copy(update=places)})


def going_on(chosen: argparse.Namespace, model: Path, share: float) -> Recipe:
    """A run that begins with the everyday model, ``share`` of it everyday pairs."""
    corpora: list[dict[str, Any]] = [files(chosen.data, NEW, "train")]
    if share:
        corpora.append({**files(chosen.data, OLD, "train"), "share": share})
    test = files(chosen.data, OLD, "chosen")
    return recipe_from(
        {
            "data": {"corpora": corpora, **held_out(chosen.data, NEW)},
            "training": {
                "model_from": str(model), "updates": chosen.updates, "seed": chosen.seed,
                "validate_every": -(-chosen.updates // VALIDATIONS), "batch_tokens": 4096,
                "label_smoothing": 0.1, "metric": "chrf", "ema": 0.99,
                "old_source": test["source"], "old_target": test["target"],
            },
        },
        "going on",
    )  # fmt: skip


def judge(model: Translator, data: Path) -> dict[str, dict[str, float]]:
    """BLEU and chrF on the judging halves of both development parts."""
    found = {}
    for name in (OLD, NEW):
        sources, references = (
            Path(path).read_text(encoding="utf-8").splitlines()
            for path in files(data, name, "judged").values()
        )
        outputs = model.translate(sources)
        scores = {"BLEU": bleu(outputs, references, "ru"), "chrF": chrf(outputs, references)}
        found[name] = {metric: round(score, 2) for metric, score in scores.items()}
    return found


def models(chosen: argparse.Namespace) -> dict[str, Translator]:
    """All that are compared."""
    first = chosen.everyday or WORK / "everyday"
    found = {}
    if chosen.everyday is None:
        print(f"{BEFORE} ...", flush=True)
        found[BEFORE] = train(shipped(chosen.data, OLD), first, progress=Teller())
    else:
        found[BEFORE] = Translator.load(first)
    runs = {
        AFTER: going_on(chosen, first, 0.0),
        MIXED: going_on(chosen, first, chosen.share),
        ALONE: shipped(chosen.data, NEW),
    }
    for name, recipe in runs.items():
        print(f"{name} ...", flush=True)
        found[name] = train(
            recipe, WORK / name.replace(",", "").replace(" ", "-"), progress=Teller()
        )
    return found


def main() -> None:
    """Train, judge, report."""
    parser = argparse.ArgumentParser(description="A translation model in another domain.")
    parser.add_argument("--everyday", type=Path, help="a model of recipes/tatoeba-en-ru.yaml")
    parser.add_argument("--updates", type=int, default=600, help="of runs that go on")
    parser.add_argument("--share", type=float, default=0.3, help="of everyday pairs, mixed in")
    parser.add_argument("--seed", type=int, default=1)
    chosen = parse_with_corpus(parser, OLD, NEW)
    halve(chosen.data)
    found = {name: judge(model, chosen.data) for name, model in models(chosen).items()}
    rows = [
        {
            "learned from": name,
            **{
                f"{corpus}, {metric}": f"{score:.1f}"
                for corpus, scores in figures.items()
                for metric, score in scores.items()
            },
        }
        for name, figures in found.items()
    ]
    settings = {"updates": chosen.updates, "share": chosen.share, "seed": chosen.seed}
    values = {"processor": devices()[0], "processors": processors(), "settings": settings}
    path = write_results("domain", {**values, "found": found})
    print(f"\n{table(rows)}\n\nWritten to {path}")


if __name__ == "__main__":
    main()
