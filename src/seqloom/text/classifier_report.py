"""The folder of a classifier: written whole or not at all, with a card that says what it is."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from seqloom.corpus.files import whole_new_folder
from seqloom.corpus.streams import writing_bytes
from seqloom.text.classifier import BagClassifier
from seqloom.text.classifier_recipe import ClassifierRecipe

FORMAT = 1
"""Version of ``config.json``."""

TELLING = 10
"""Words of each class that a card and the command line name."""

_KINDS = {
    "logistic": "logistic regression",
    "svm": "a linear support vector machine",
    "nbsvm": "a linear support vector machine on log-count ratios (NBSVM, Wang and Manning 2012)",
}

_USE = """## Use

```
seqloom classify THIS_FOLDER texts.txt
echo "..." | seqloom classify THIS_FOLDER - --json
```

With `--json` each label comes with the words that spoke for it: a word's value in the text times
its weight for the class. With the class's bias, they add up to its score."""


def write_classifier(
    out: Path,
    classifier: BagClassifier,
    recipe: ClassifierRecipe,
    report: Mapping[str, Any],
    command: str,
) -> None:
    """Write the folder: config, bag, weights, metrics and card. ``out`` is free, or empty.

    Args:
        out: the folder.
        classifier: as it was trained.
        recipe: what it was trained by.
        report: ``figures`` and ``data``, as :func:`model_card` reads them, for ``metrics.json``.
        command: that made it.

    Raises:
        FolderError: it cannot be written; nothing is left behind then.
    """
    with whole_new_folder(out) as temporary:
        classifier.save(temporary)
        _write(temporary / "config.json", _json(_config(recipe)))
        _write(temporary / "metrics.json", _json(report))
        _write(temporary / "README.md", model_card(classifier, recipe, report, command))


def _config(recipe: ClassifierRecipe) -> dict[str, Any]:
    values = recipe.model_dump(mode="json")
    return {"format": FORMAT, "task": "classification", "family": "bag", "recipe": values}


def model_card(
    classifier: BagClassifier,
    recipe: ClassifierRecipe,
    report: Mapping[str, Any],
    command: str,
) -> str:
    """Markdown: what the classifier is, what it reaches, how it was made, how to use it."""
    figures, data = report["figures"], report["data"]
    options = yaml.safe_dump(recipe.model_dump(mode="json"), sort_keys=False, allow_unicode=True)
    return f"""# Seqloom classifier: {len(classifier.classes)} classes, bag of words

Tells texts apart by their words alone: TF-IDF weights of {len(classifier.bag.words):,} words and
{_KINDS[classifier.kind]} (C = {classifier.c:.4g}).

| figure, on {figures["texts"]:,} texts ({_cell(data["validation"])}) | % |
|---|---|
| accuracy | {figures["accuracy"]:.2f} |
| its 95 % interval (Wilson) | {figures["low"]:.2f} to {figures["high"]:.2f} |
| macro-F1 | {figures["macro_f1"]:.2f} |
| accuracy of always saying {_cell(figures["commonest"])} | {figures["baseline"]:.2f} |

| class | training texts | F1, % | most telling words |
|---|---|---|---|
{_class_rows(classifier, figures, data)}

{_USE}

## How it was trained

On {data["texts"]:,} texts of {_cell(data["train"])}:

```
{command}
```

```yaml
{options}```

A classifier repeats what its training texts say, mistakes and prejudice included. Check it on your
own texts before you rely on it. The licence of the training texts may bind it.
"""


def _class_rows(
    classifier: BagClassifier, figures: Mapping[str, Any], data: Mapping[str, Any]
) -> str:
    """A row of the card's table for each class."""
    shown = {each["label"]: each for each in figures["classes"]}
    telling = classifier.telling(TELLING)
    rows = []
    for label in classifier.classes:
        f1 = f"{shown[label]['f1']:.1f}" if label in shown else "–"
        words = ", ".join(_cell(word) for word, _ in telling[label])
        rows.append(f"| {_cell(label)} | {data['classes'][label]:,} | {f1} | {words} |")
    return "\n".join(rows)


def _cell(text: str) -> str:
    """Text that does not break a table."""
    return " ".join(text.split()).replace("|", "\\|")


def _json(values: Mapping[str, Any]) -> str:
    return json.dumps(values, ensure_ascii=False, indent=1) + "\n"


def _write(path: Path, text: str) -> None:
    with writing_bytes(path) as file:
        file.write(text.encode())
