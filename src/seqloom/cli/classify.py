"""``seqloom classify``: the labels of texts, by a classifier on an encoder or on a bag of words."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from seqloom.cli.console import Watch
from seqloom.cli.files import lines, one_line, results
from seqloom.cli.labelled import (
    Columns,
    Form,
    LabelFirst,
    Second,
    Until,
    read_pairs,
    read_texts,
)
from seqloom.cli.options import Device, Output, folder_kind
from seqloom.errors import CorpusError
from seqloom.runtime import is_terminal

if TYPE_CHECKING:
    from seqloom.encoders import TextClassifier
    from seqloom.evaluation.classification import Classification
    from seqloom.text.classifier import BagClassifier

AT_ONCE = 1000
"""Texts that are classified together."""


def classify(
    folder: Annotated[Path, typer.Argument(help="Folder of `seqloom finetune`.")],
    file: Annotated[
        str,
        typer.Argument(metavar="FILE|-", help="One text a line; - or nothing: standard input."),
    ] = "-",
    labelled: Annotated[
        bool, typer.Option("--labelled", help="FILE has labels, as for finetune: measure.")
    ] = False,
    columns: Columns = None,
    second: Second = None,
    label_first: LabelFirst = False,
    until: Until = None,
    as_json: Annotated[
        bool,
        typer.Option(
            "--json",
            help="One JSON object a line: label, all classes, and of a bag the words.",
        ),
    ] = False,
    output: Output = None,
    device: Device = None,
) -> None:
    """Print the label of each text, one a line; or how many are right, with --labelled.

    A model that was trained on pairs reads two texts a line, a tab between them.
    """
    form = Form(columns, label_first, until)
    if not labelled and form.words():
        raise CorpusError(f"{form.words()[0]} is for texts that have labels; add --labelled.")
    if second is not None and not labelled:
        raise CorpusError("--second is for texts that have labels; add --labelled.")
    if labelled and file == "-":
        raise CorpusError("--labelled reads a file and no standard input; name the file.")
    classifier = _opened(folder, device)
    texts = iter(()) if labelled else lines(file)
    visible = output is not None or not is_terminal(sys.stdout)
    with results(output) as stream, Watch(shown=visible) as watch:
        if labelled:
            figures = _measured(classifier, file, form, second, watch)
            record = json.dumps(figures.as_dict(), ensure_ascii=False, indent=2)
            stream.write(f"{record if as_json else figures.text()}\n")
        window, done = 1 if file == "-" and is_terminal(sys.stdin) else AT_ONCE, 0
        while some := list(islice(texts, window)):
            stream.writelines(_shown(classifier, some, done, as_json))
            stream.flush()
            done += len(some)
            watch.stage("classifying", done)
        for note in getattr(classifier, "notes", []):
            watch.message(note)


def _opened(folder: Path, device: str | None) -> BagClassifier | TextClassifier:
    if folder_kind(folder) is None:
        from seqloom.text.classifier import BagClassifier

        return BagClassifier.load(folder)
    from seqloom.encoders import TextClassifier
    from seqloom.runtime import set_threads

    set_threads()
    return TextClassifier.load(folder, device=device)


def _measured(
    classifier: BagClassifier | TextClassifier,
    file: str,
    form: Form,
    second: str | None,
    watch: Watch,
) -> Classification:
    from seqloom.corpus.held_out import notes_on
    from seqloom.evaluation.classification import classification

    if getattr(classifier, "pairs", False):
        texts = read_pairs([file], form, second, watch)
    else:
        texts = read_texts([file], form, watch)
    for note in notes_on(texts, classifier.classes):
        watch.message(note)
    return classification(texts.labels, _labels(classifier, texts.texts, texts.seconds))


def _labels(
    classifier: BagClassifier | TextClassifier, texts: list[str], seconds: list[str] | None = None
) -> list[str]:
    from seqloom.encoders import TextClassifier

    if isinstance(classifier, TextClassifier):
        return classifier.predict(texts, seconds)
    return classifier.predict(texts)


def _shown(
    classifier: BagClassifier | TextClassifier, texts: list[str], before: int, as_json: bool
) -> Iterator[str]:
    """The lines that stand for some texts in the output, behind so many of the input."""
    from seqloom.encoders import TextClassifier

    if isinstance(classifier, TextClassifier):
        yield from _shown_of_encoder(classifier, texts, before, as_json)
    else:
        yield from _shown_of_bag(classifier, texts, as_json)


def _shown_of_encoder(
    classifier: TextClassifier, texts: list[str], before: int, as_json: bool
) -> Iterator[str]:
    seconds = None
    firsts = texts
    if classifier.pairs:
        firsts, seconds = _two(texts, before)
    shares = classifier.probabilities(firsts, seconds)
    for text, row in zip(texts, shares.tolist(), strict=True):
        label = classifier.classes[row.index(max(row))]
        record = {
            "text": text,
            "label": label,
            "probabilities": dict(zip(classifier.classes, row, strict=True)),
        }
        line = json.dumps(record, ensure_ascii=False) if as_json else one_line(label)
        yield f"{line}\n"


def _two(texts: list[str], before: int) -> tuple[list[str], list[str]]:
    """Both texts of each line.

    Raises:
        CorpusError: a line without a tab, or with several.
    """
    parts = [text.split("\t") for text in texts]
    for number, part in enumerate(parts, before + 1):
        if len(part) != 2:
            raise CorpusError(
                f"line {number}: {len(part)} texts; this classifier reads pairs of texts, a tab "
                "between the two."
            )
    return [part[0] for part in parts], [part[1] for part in parts]


def _shown_of_bag(classifier: BagClassifier, texts: list[str], as_json: bool) -> Iterator[str]:
    """The lines that stand for some texts in the output."""
    scores = classifier.scores(texts)
    labels = [classifier.classes[at] for at in scores.argmax(axis=1).tolist()]
    if not as_json:
        yield from (f"{one_line(label)}\n" for label in labels)
        return
    name, values = "scores", scores
    if classifier.kind == "logistic":
        name, values = "probabilities", classifier.probabilities(scores)
    spoken = classifier.contributions(texts, labels)
    rows = zip(texts, labels, scores.max(axis=1).tolist(), values.tolist(), spoken, strict=True)
    for text, label, score, row, words in rows:
        record = {
            "text": text,
            "label": label,
            name: dict(zip(classifier.classes, row, strict=True)),
            "score": score,
            "bias": classifier.bias(label),
            "words": [{"word": word, "adds": value} for word, value in words],
        }
        yield json.dumps(record, ensure_ascii=False) + "\n"
