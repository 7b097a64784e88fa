"""What a pre-trained BERT is good for: fine-tuned, beside the same architecture from scratch.

    seqloom pretrain bert recipes/bert-gutenberg.yaml --out runs/bert-gutenberg
    python benchmarks/transfer.py runs/bert-gutenberg [--seeds 1 2 3] [--sets trec sst2 ewt]
                                  [--examples N] [--threads N] [--data DIR]

TREC questions in six classes, 500 to learn from, a tenth of all to be measured on; SST-2, the
training part and the development part; UD_English-EWT, tags (UPOS) of words, likewise. A tenth of
what is learned from decides which weights are kept; what is measured on decides nothing. Beside
the folder's encoder stand two of the same sizes and vocabulary with random weights, one of which
has the word vectors that the folder's encoder began with (where its recipe names some). For TREC,
rates, epochs and whether embeddings are tuned were chosen for each by itself, on questions that
are neither learned from nor measured on (docs/log.md); for the other sets they are not chosen yet.
TF-IDF of words and their pairs with logistic regression stands beside, its C chosen by
cross-validation. The seeds draw texts, weights and order.

Writes benchmarks/results/transfer.json; sets that are not measured keep their figures.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import torch
from peers import HERE, parse_with_corpus, table, write_results

from seqloom.corpus.classes import Labelled, gather, hold_out
from seqloom.corpus.labels import read_labelled
from seqloom.corpus.tagged import TaggedSentences, read_tagged
from seqloom.encoders import TextClassifier, WordTagger
from seqloom.evaluation.classification import classification
from seqloom.evaluation.tagging import tagging
from seqloom.finetuning import finetune
from seqloom.language_folder import (
    load_language_folder,
    save_language_config,
    save_language_weights,
)
from seqloom.models import build_language_model
from seqloom.recipe.finetuning import FinetuneRecipe, FinetuningRecipe
from seqloom.recipe.pretraining import PretrainRecipe
from seqloom.runtime import devices, processors, set_threads
from seqloom.text.classifier import BagClassifier
from seqloom.text.classifier_recipe import ClassifierRecipe
from seqloom.training.embeddings import fill, open_pieces
from seqloom.training.progress import Progress

PRETRAINED, SCRATCH, BAG = "pre-trained BERT", "the same from scratch", "TF-IDF, logistic 1-2"
VECTORS = "word vectors, random layers"
Data = Labelled | TaggedSentences
TREC_EXAMPLES = 500


class Setting(NamedTuple):
    """How an encoder is tuned."""

    rate: float
    epochs: float
    embeddings: bool = True
    """Whether they are tuned, too; else only the layers and what is upon them."""
    dropout: float = 0.1
    """Within the encoder."""


SETTINGS: dict[str, dict[str, Setting]] = {
    "trec": {
        PRETRAINED: Setting(7e-4, 40, False),
        VECTORS: Setting(1e-3, 20, False),
        SCRATCH: Setting(1e-3, 30, False),
    },
    "sst2": {PRETRAINED: Setting(1e-3, 4), VECTORS: Setting(1e-3, 4), SCRATCH: Setting(1e-3, 8)},
    "ewt": {PRETRAINED: Setting(1e-3, 5), VECTORS: Setting(1e-3, 8), SCRATCH: Setting(1e-3, 10)},
}


def trec(data: Path, seed: int) -> tuple[Data, Data]:
    """500 questions, and a tenth of all."""
    file = data / "trec" / "train.txt"
    texts = gather(read_labelled([file], label_first=True, until=":"))
    rest, held = hold_out(texts, 0.1, seed)
    _, few = hold_out(rest, TREC_EXAMPLES / len(rest), seed)
    return few, held


def sst2(data: Path, seed: int) -> tuple[Data, Data]:
    """The training part and the development part."""
    train, held = (
        gather(read_labelled([data / "sst2" / f"{part}.tsv"])) for part in ("train", "dev")
    )
    return train, held


def ewt(data: Path, seed: int) -> tuple[Data, Data]:
    """The training part and the development part."""
    folder = data / "ud" / "UD_English-EWT"
    train, held = (read_tagged([folder / f"en_ewt-ud-{part}.conllu"]) for part in ("train", "dev"))
    return train, held


SETS: dict[str, Callable[[Path, int], tuple[Data, Data]]] = {
    "trec": trec, "sst2": sst2, "ewt": ewt,
}  # fmt: skip


def untrained(encoder: Path, folder: Path, seed: int, vectors: str | None = None) -> Path:
    """A folder with random weights that is otherwise like the encoder's.

    ``vectors``: place of word vectors for its embeddings.
    """
    like = load_language_folder(encoder)
    assert isinstance(like.recipe, PretrainRecipe)
    torch.manual_seed(seed)
    model = build_language_model(like.recipe.model, like.tokenizer.size, like.tokenizer.symbols)
    found = open_pieces(vectors, like.tokenizer, Progress())
    if found is not None:
        fill(model.tokens, found)
    save_language_config(folder, "language", like.recipe, like.tokenizer)
    save_language_weights(folder, model.state_dict(), like.recipe, like.tokenizer)
    return folder


def vectors_of(encoder: Path) -> str | None:
    """Place of the word vectors that an encoder began with, if it is still there."""
    recipe = load_language_folder(encoder).recipe
    assert isinstance(recipe, PretrainRecipe)
    place = recipe.training.vectors
    return place if place is not None and Path(place).exists() else None


def tuned(
    encoder: Path, name: str, train: Data, held: Data, setting: Setting, seed: int
) -> dict[str, float]:
    """Accuracy on what was held out, and seconds of training."""
    training = FinetuningRecipe(
        epochs=setting.epochs, learning_rate=setting.rate, dropout=setting.dropout, seed=seed
    )
    if not setting.embeddings:
        layers = load_language_folder(encoder).recipe.model.layers
        training = training.model_copy(update={"tune": "last", "last_layers": layers})
    recipe = FinetuneRecipe(training=training)
    with tempfile.TemporaryDirectory() as place:
        work = Path(place)
        if name != PRETRAINED:
            vectors = vectors_of(encoder) if name == VECTORS else None
            encoder = untrained(encoder, work / "encoder", seed, vectors)
        task = "tag" if isinstance(train, TaggedSentences) else "classify"
        found = finetune(encoder, task, train, work / "tuned", recipe=recipe)
        report = json.loads((work / "tuned" / "metrics.json").read_text(encoding="utf-8"))
        return {"accuracy": accuracy(found, held), "seconds": round(report["seconds"], 1)}


def accuracy(model: Any, held: Data) -> float:
    """Right classes or tags in a hundred."""
    if isinstance(held, TaggedSentences):
        assert isinstance(model, WordTagger)
        words = [sentence.words for sentence in held.sentences]
        said = model.tag(words, [sentence.joined for sentence in held.sentences])
        right = [sentence.tags for sentence in held.sentences]
        return round(tagging(right, said).accuracy, 2)
    assert isinstance(model, TextClassifier | BagClassifier)
    return round(classification(held.labels, model.predict(held.texts)).accuracy, 2)


def bag(train: Labelled, held: Labelled, seed: int) -> dict[str, float]:
    """Accuracy of a linear classifier on words and their pairs."""
    began = time.perf_counter()
    recipe = ClassifierRecipe(linear="logistic", ngrams=(1, 2), seed=seed)
    classifier = BagClassifier.fit(train.texts, train.labels, recipe)
    seconds = round(time.perf_counter() - began, 1)
    return {"accuracy": accuracy(classifier, held), "seconds": seconds}


def shortened(data: Data, most: int | None) -> Data:
    """The first examples, to try the program."""
    return data if most is None else data.choose(range(min(most, len(data))), data.name)


def measure(name: str, chosen: argparse.Namespace) -> dict[str, dict[str, dict[str, float]]]:
    """Figures of every model on a set, seed by seed."""
    found: dict[str, dict[str, dict[str, float]]] = {}
    for seed in chosen.seeds:
        train, held = SETS[name](chosen.data, seed)
        train, held = shortened(train, chosen.examples), shortened(held, chosen.examples)
        runs = {
            model: tuned(chosen.encoder, model, train, held, setting, seed)
            for model, setting in SETTINGS[name].items()
            if model != VECTORS or vectors_of(chosen.encoder)
        }
        if isinstance(train, Labelled) and isinstance(held, Labelled):
            runs[BAG] = bag(train, held, seed)
        for model, values in runs.items():
            found.setdefault(model, {})[str(seed)] = {**values, "examples": len(train)}
            print(f"  {name:5} {model:27} seed {seed}  {values['accuracy']:.2f} %", flush=True)
    return found


def row_of(name: str, model: str, runs: Mapping[str, Mapping[str, float]]) -> dict[str, str]:
    """Means and deviations over the seeds."""
    scores = [run["accuracy"] for run in runs.values()]
    spread = f" ± {statistics.stdev(scores):.2f}" if len(scores) > 1 else ""
    return {
        "set": name,
        "model": model,
        "examples": f"{next(iter(runs.values()))['examples']:,}",
        "accuracy, %": f"{statistics.mean(scores):.2f}{spread}",
        "seconds": f"{statistics.mean(run['seconds'] for run in runs.values()):.0f}",
    }


def main() -> None:
    """Measure what is asked for, report all there is."""
    parser = argparse.ArgumentParser(description="Learning that carries over.")
    parser.add_argument("encoder", type=Path, help="folder of a BERT")
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    parser.add_argument("--sets", nargs="+", choices=tuple(SETS), default=tuple(SETS))
    parser.add_argument("--examples", type=int, help="no more than these, to try the program")
    parser.add_argument("--threads", type=int, default=processors())
    chosen = parse_with_corpus(parser, "trec", "sst2", "ud/UD_English-EWT")
    set_threads(chosen.threads)
    path = HERE / "results" / "transfer.json"
    found: dict[str, Any] = {}
    if path.exists():
        found = json.loads(path.read_text(encoding="utf-8"))["sets"]
    for name in chosen.sets:
        found[name] = measure(name, chosen)
        settings = {
            name: {model: setting._asdict() for model, setting in models.items()}
            for name, models in SETTINGS.items()
            if name in found
        }
        values = {"processor": devices()[0], "threads": chosen.threads, "settings": settings}
        write_results("transfer", {**values, "encoder": chosen.encoder.name, "sets": found})
    rows = [
        row_of(name, model, runs)
        for name in SETS
        if name in found
        for model, runs in found[name].items()
    ]
    print(f"\n{table(rows)}\n\nWritten to {path}")


if __name__ == "__main__":
    main()
