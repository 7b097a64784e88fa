"""A classifier on a bag of words: trained, measured, written, and what it found told."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from seqloom.cli.console import Watch, say
from seqloom.cli.labelled import Form, read_texts
from seqloom.cli.vectors.train import check_free
from seqloom.errors import CorpusError, FolderError

if TYPE_CHECKING:
    from seqloom.corpus.classes import Labelled
    from seqloom.evaluation.classification import Classification
    from seqloom.text.classifier import BagClassifier
    from seqloom.text.classifier_recipe import ClassifierRecipe

FORM = "seqloom finetune --train FILE --out DIR --bag"


def finetune_bag(
    train: list[str] | None,
    validation: list[str] | None,
    out: Path | None,
    given: Mapping[str, Any],
    form: Form,
    settings: list[str] | None,
) -> None:
    """Train a classifier on a bag of words.

    Args:
        train: files of labelled texts.
        validation: files to measure on.
        out: the folder to write.
        given: fields of the recipe that have flags of their own.
        form: where labels stand.
        settings: other fields.
    """
    place = _checked(out, train)
    from seqloom.corpus.held_out import part_texts
    from seqloom.text.classifier_recipe import classifier_recipe

    recipe = classifier_recipe(given, settings or [])
    with Watch() as watch:
        texts = read_texts(train or [], form, watch)
        held_out = read_texts(validation, form, watch) if validation else None
        kept, held, notes = part_texts(texts, held_out, recipe.held_out, recipe.seed)
        classifier, figures = _trained(kept, held, recipe, watch)
        for note in notes:
            watch.message(note)
    files = {"train": train, "validation": validation, "set": settings}
    command = _command(place, given, form, files)
    _write(place, classifier, recipe, figures, (kept, held), command)
    typer.echo(_summary(classifier, figures))
    say(f"trained {place}\ntry it: echo 'A text.' | seqloom classify {place} -")


def _checked(out: Path | None, train: list[str] | None) -> Path:
    """The folder to write, if the command is whole.

    Raises:
        FolderError: there is none, or it holds something.
        CorpusError: nothing to train on.
    """
    if not train:
        raise CorpusError(f"nothing to train on; expected: {FORM}")
    if out is None:
        raise FolderError("nowhere to write: add --out DIR, the folder of the classifier.")
    check_free(out)
    return out


def _trained(
    kept: Labelled, held: Labelled, recipe: ClassifierRecipe, watch: Watch
) -> tuple[BagClassifier, Classification]:
    from seqloom.evaluation.classification import classification
    from seqloom.text.classifier import BagClassifier

    classifier = BagClassifier.fit(kept.texts, kept.labels, recipe, watch.stage)
    said = classifier.predict(held.texts)
    return classifier, classification(held.labels, said, next(iter(kept.counts)))


def _command(
    out: Path, given: Mapping[str, Any], form: Form, files: Mapping[str, Sequence[str] | None]
) -> str:
    """What does this again."""
    words = ["seqloom", "finetune", "--bag", "--out", str(out), *form.words()]
    for name, value in given.items():
        values = value if isinstance(value, tuple) else (value,)
        words += [f"--{name.replace('_', '-')}", *map(str, values)] if value else []
    for name, several in files.items():
        words += [word for one in several or () for word in (f"--{name}", one)]
    return shlex.join(words)


def _write(
    out: Path,
    classifier: BagClassifier,
    recipe: ClassifierRecipe,
    figures: Classification,
    texts: tuple[Labelled, Labelled],
    command: str,
) -> None:
    from seqloom.text.classifier_report import write_classifier

    kept, held = texts
    data = {
        "train": kept.name,
        "texts": len(kept),
        "classes": kept.counts,
        "validation": held.name,
    }
    tried = [{"c": c, "accuracy": 100 * share} for c, share in classifier.tried.items()]
    report = {"figures": figures.as_dict(), "data": data, "cross_validation": tried}
    write_classifier(out, classifier, recipe, report, command)


def _summary(classifier: BagClassifier, figures: Classification) -> str:
    from seqloom.text.classifier_report import TELLING

    tried = " · ".join(f"{c:.3g}: {100 * share:.2f}" for c, share in classifier.tried.items())
    how = f"by cross-validation on the training texts, accuracy {tried}" if tried else "as given"
    rows = [figures.text(), "", f"C = {classifier.c:.3g}, {how}", "", "most telling words:"]
    for label, words in classifier.telling(TELLING).items():
        rows.append(f"  {label}: {', '.join(word for word, _ in words)}")
    return "\n".join(rows)
