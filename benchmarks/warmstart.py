"""Translation models that begin with what was learned elsewhere, beside random weights.

    python benchmarks/warmstart.py [--updates N] [--every 100] [--seeds 1 2 3] [--rates 5e-3 ...]
        [--data DIR] [--set model.encoder_layers=2 ...]
    python benchmarks/warmstart.py --start encoder --folder runs/bert-gutenberg [...]
    python benchmarks/warmstart.py --start decoder --folder runs/gpt-gutenberg [...]

Trains recipes/tatoeba-en-ru.yaml twice for each seed: from random weights, and with a warm start.
All else is equal: data, vocabulary, architecture, order of batches, updates. Of several --rates,
either takes that with which its first seed ends at the highest BLEU. The start is

- vectors: embeddings are vectors of words that are trained, with the same seed, on the two sides of
  the same training pairs and on nothing else;
- encoder: the encoder of a BERT that has read English, whose vocabulary and sizes both runs have;
- decoder: the same with a GPT for the decoder, and Russian to English, so that it writes English.

Greedy BLEU and chrF of the validation pairs are taken after every so many updates, which shows an
early lead, and at the end those of the kept model by the recipe's own search (beam 5).

Writes benchmarks/results/warmstart.json, or warmstart_encoder.json or warmstart_decoder.json, after
every seed. Finished runs stay in benchmarks/peers/warmstart and are not trained again; delete that
folder to measure anew. A training takes 12 minutes on two cores.
"""

from __future__ import annotations

import argparse
import datetime
import statistics
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from peers import FOLDER, HERE, parse_with_corpus, table, write_results

from seqloom.corpus.readers import read_corpus
from seqloom.evaluation.metrics import bleu, chrf
from seqloom.language_folder import language_config
from seqloom.models.warm_start import agreeing
from seqloom.recipe import Recipe, load_recipe
from seqloom.recipe.vectors import VectorsRecipe
from seqloom.runtime import devices, processors, versions
from seqloom.text.prepare import Prepared, prepare
from seqloom.text.word2vec import train_vectors
from seqloom.training.embeddings import began_with
from seqloom.training.metrics import read_metrics
from seqloom.training.progress import Progress
from seqloom.workflow import train

RECIPE = HERE.parent / "recipes" / "tatoeba-en-ru.yaml"
WORK = FOLDER / "warmstart"
RANDOM, VECTORS = "random", "vectors"
SIDES = {"encoder": "source", "decoder": "target"}
"""Part of the model that can begin with a language model -> its side of the pairs."""
WORD2VEC: dict[str, Any] = {"min_count": 2, "epochs": 20, "workers": 1}
"""For a small corpus, most of whose words are rare, many passes. The width is the model's."""
FIGURES = {"bleu": "BLEU", "chrf": "chrF"}
COURSE = {"loss": "loss", **FIGURES}
"""What a validation tells: before words come right, the loss alone shows a lead (below 0)."""
Runs = dict[str, dict[int, dict[str, Any]]]
"""Start -> seed -> what came out."""


class Teller(Progress):
    """Prints the figures of a run as they come."""

    def validated(self, figures: Mapping[str, float]) -> None:
        """One line a validation."""
        print("   ", "  ".join(f"{name} {value:.2f}" for name, value in figures.items()))


def recipe_on(data: Path, settings: Sequence[str]) -> Recipe:
    """The recipe, with its files where they are here."""
    recipe = load_recipe(RECIPE, settings)
    names = ("source", "target", "validation_source", "validation_target")
    places = {
        name: str(data / Path(getattr(recipe.data, name)).relative_to("data")) for name in names
    }
    return recipe.model_copy(update={"data": recipe.data.model_copy(update=places)})


def beginning_with(recipe: Recipe, side: str, folder: str) -> Recipe:
    """The recipe with the vocabulary and sizes of a model of English, which is on ``side``."""
    _, given, _ = language_config(Path(folder), ("language",))
    data = recipe.data.model_dump() | {f"{SIDES[side]}_tokenizer_from": folder}
    if side == "decoder":  # Russian to English
        for name in ("source", "validation_source", "source_language"):
            other = name.replace("source", "target")
            data[name], data[other] = data[other], data[name]
    model = recipe.model.model_dump() | agreeing(given.model)
    return Recipe.model_validate(recipe.model_dump() | {"data": data, "model": model})


def write_texts(prepared: Prepared) -> list[Path]:
    """The two sides of the training pairs as text files."""
    files = [prepared.folder / "train.source", prepared.folder / "train.target"]
    pairs = list(read_corpus(prepared.folder / "train.parquet").pairs())
    for file, side in zip(files, ("source", "target"), strict=True):
        file.write_text("".join(f"{getattr(pair, side)}\n" for pair in pairs), encoding="utf-8")
    return files


def vectors_of(texts: Sequence[Path], width: int, seed: int) -> dict[str, str]:
    """Train vectors on each side; the fields of the recipe that name them."""
    fields = {}
    for text, field in zip(texts, ("source_vectors", "target_vectors"), strict=True):
        place = text.parent / f"{text.suffix[1:]}-vectors-{seed}"
        if not place.exists():
            recipe = VectorsRecipe(width=width, seed=seed, **WORD2VEC)
            train_vectors([text], recipe, device="cpu").save(place)
        fields[field] = str(place)
    return fields


def run(start: str, seed: int, recipe: Recipe, prepared: Prepared) -> dict[str, Any]:
    """Train one model; its course, and the scores of the weights that were kept."""
    updates, every = recipe.training.updates, recipe.training.validate_every
    rate = recipe.training.learning_rate
    out = prepared.folder.parent / f"{start}-{seed}-{updates}-{every}-{rate:g}"
    model = train(recipe, out, progress=Teller())
    pairs = prepared.validation_pairs
    outputs = model.translate([pair.source for pair in pairs])
    references = [pair.target for pair in pairs]
    lines = read_metrics(out / "metrics.jsonl")
    course = [line for line in lines if line["kind"] == "validation"]
    return {
        "rate": rate,
        "bleu": round(bleu(outputs, references, recipe.data.target_language), 2),
        "chrf": round(chrf(outputs, references), 2),
        "minutes": round(course[-1]["seconds"] / 60, 1),
        "embeddings": began_with(out),
        "course": [
            {
                "update": line["update"],
                **{name: round(line[name], 3) for name in COURSE},
            }
            for line in course
        ],
    }


def compare(start: str, ours: Sequence[float], theirs: Sequence[float]) -> dict[str, float | None]:
    """Means over seeds, and the mean difference of equal seeds with its standard error."""
    leads = [a - b for a, b in zip(ours, theirs, strict=True)]
    error = statistics.stdev(leads) / len(leads) ** 0.5 if len(leads) > 1 else None
    return {
        RANDOM: round(statistics.mean(theirs), 2),
        start: round(statistics.mean(ours), 2),
        "lead": round(statistics.mean(leads), 2),
        "standard_error": None if error is None else round(error, 2),
    }


def summary(runs: Runs, start: str) -> dict[str, Any]:
    """Greedy figures at every validation, and those of the kept weights by beam search."""
    seeds = sorted(runs[RANDOM].keys() & runs[start].keys())
    sides = [[runs[name][seed] for seed in seeds] for name in (start, RANDOM)]
    points = range(min(len(one["course"]) for side in sides for one in side))
    return {
        "seeds": seeds,
        "beam": {f: compare(start, *([one[f] for one in side] for side in sides)) for f in FIGURES},
        "course": [
            {"update": sides[0][0]["course"][point]["update"]}
            | {
                f: compare(start, *([one["course"][point][f] for one in side] for side in sides))
                for f in COURSE
            }
            for point in points
        ],
    }


def show(found: Mapping[str, Any]) -> None:
    """Print the summary as a table: a row a validation, then the beam's."""
    points = [(f"{point['update']:,}", point) for point in found["course"]]
    points.append(("beam", found["beam"]))
    nothing = dict.fromkeys(found["beam"]["bleu"])  # no loss of a search
    rows = [
        {
            "update": name,
            **{
                f"{title}, {key.replace('_', ' ')}": "" if value is None else f"{value:.2f}"
                for figure, title in COURSE.items()
                for key, value in point.get(figure, nothing).items()
            },
        }
        for name, point in points
    ]
    print(f"\n{len(found['seeds'])} seeds, validation pairs, greedy; beam: the kept weights")
    print(table(rows))


def arguments() -> argparse.Namespace:
    """What the user asks for."""
    parser = argparse.ArgumentParser(description="A warm start, or random weights.")
    parser.add_argument("--start", choices=[VECTORS, *SIDES], default=VECTORS)
    parser.add_argument("--folder", help="the language model that encoder or decoder begins with")
    parser.add_argument("--updates", type=int, help="of each training; the recipe's if left out")
    parser.add_argument("--every", type=int, default=100, help="updates between validations")
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    parser.add_argument("--rates", nargs="+", type=float, help="learning rates to choose from")
    parser.add_argument("--set", nargs="+", default=[], help="other fields of the recipe")
    chosen = parse_with_corpus(parser, "tatoeba-en-ru/train.en")
    if (chosen.start == VECTORS) != (chosen.folder is None):
        parser.error("--folder names the language model of --start encoder or decoder")
    return chosen


def train_all(
    recipe: Recipe, prepared: Prepared, chosen: argparse.Namespace, fixed: Mapping[str, Any]
) -> Iterator[Runs]:
    """What came out so far, after every seed."""
    runs: Runs = {RANDOM: {}, chosen.start: {}}
    texts = write_texts(prepared)
    data = recipe.data.model_copy(update={"source": str(prepared.folder)})
    for seed in chosen.seeds:
        if chosen.start == VECTORS:
            fields = vectors_of(texts, recipe.model.width, seed)
        else:
            fields = {f"{chosen.start}_from": chosen.folder}
        for start, more in ((RANDOM, {}), (chosen.start, fields)):
            known = [each["rate"] for each in runs[start].values()]
            tried = []
            for rate in known[:1] or chosen.rates or [recipe.training.learning_rate]:
                print(f"seed {seed}, start: {start}, rate {rate:g} ...", flush=True)
                fields_of_run = {"seed": seed, "learning_rate": rate, **fixed, **more}
                training = recipe.training.model_copy(update=fields_of_run)
                ready = recipe.model_copy(update={"data": data, "training": training})
                tried.append(run(start, seed, ready, prepared))
            runs[start][seed] = max(tried, key=lambda each: each["bleu"])
        yield runs


def main() -> None:
    """Train, score, report."""
    chosen = arguments()
    recipe = recipe_on(chosen.data, chosen.set)
    if chosen.start != VECTORS:
        recipe = beginning_with(recipe, chosen.start, chosen.folder)
    work = WORK / chosen.start
    work.mkdir(parents=True, exist_ok=True)
    prepared = prepare(recipe.data, work / "prepared")
    fixed = {"updates": chosen.updates or recipe.training.updates, "validate_every": chosen.every}
    values: dict[str, Any] = {
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
        "machine": {"processor": devices()[0], "processors": processors()},
        "versions": versions(),
        "recipe": [RECIPE.name, *chosen.set],
        "settings": fixed,
    }
    if chosen.start == VECTORS:
        values["word2vec"] = WORD2VEC
    name = "warmstart" if chosen.start == VECTORS else f"warmstart_{chosen.start}"
    for runs in train_all(recipe, prepared, chosen, fixed):
        found = summary(runs, chosen.start)
        path = write_results(name, {**values, "summary": found, "runs": runs})
    show(found)
    print(f"Written to {path}")


if __name__ == "__main__":
    main()
