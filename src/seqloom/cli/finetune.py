"""``seqloom finetune`` and ``seqloom classify``: train a text classifier, and use it."""

from __future__ import annotations

import json
import shlex
import sys
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from seqloom.cli.console import Watch, say
from seqloom.cli.files import lines, one_line, results
from seqloom.cli.labelled import Columns, Files, Form, LabelFirst, Until, notes_on, read_texts
from seqloom.cli.options import Output
from seqloom.cli.vectors.bag import Ngrams, StopWords
from seqloom.cli.vectors.train import check_free
from seqloom.errors import CorpusError, FolderError
from seqloom.runtime import is_terminal

if TYPE_CHECKING:
    from seqloom.corpus.classes import Labelled
    from seqloom.evaluation.classification import Classification
    from seqloom.text.classifier import BagClassifier
    from seqloom.text.classifier_recipe import ClassifierRecipe

AT_ONCE = 1000
"""Texts that are classified together."""

_FORM = "seqloom finetune --train FILE --out DIR --bag"

Settings = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="KEY=VALUE",
        help="Any other field: c=3, min_documents=2, tf=log, idf=smooth, norm=none, split=spaces, "
        "lowercase=false, held_out=0.2, folds=10, seed=2 ...",
    ),
]


def finetune(
    folder: Annotated[
        Path | None, typer.Argument(metavar="[FOLDER]", help="An encoder; none with --bag.")
    ] = None,
    train: Files = None,
    validation: Annotated[
        list[str] | None,
        typer.Option(metavar="FILE", help="The same, to measure on; else a tenth of --train."),
    ] = None,
    out: Annotated[Path | None, typer.Option(help="Folder to write.")] = None,
    bag: Annotated[
        bool, typer.Option("--bag", help="Bag of words (TF-IDF) and a linear classifier.")
    ] = False,
    linear: Annotated[
        Literal["logistic", "svm", "nbsvm"],
        typer.Option(help="Logistic regression, linear SVM, or SVM on log-count ratios."),
    ] = "logistic",
    stop_words: StopWords = None,
    ngrams: Ngrams = (1, 1),
    columns: Columns = None,
    label_first: LabelFirst = False,
    until: Until = None,
    settings: Settings = None,
) -> None:
    """Train a text classifier, measure it, and say which words tell its classes apart."""
    place = _checked(folder, bag, out, train)
    from seqloom.text.classifier_recipe import classifier_recipe

    given = {"linear": linear, "stop_words": stop_words, "ngrams": ngrams}
    recipe = classifier_recipe(given, settings or [])
    form = Form(columns, label_first, until)
    with Watch() as watch:
        texts = read_texts(train or [], form, watch)
        kept, held, notes = _parted(texts, validation or [], recipe, form, watch)
        classifier, figures = _trained(kept, held, recipe, watch)
        for note in notes:
            watch.message(note)
    files = {"train": train, "validation": validation, "set": settings}
    command = _command(place, given, form, files)
    _write(place, classifier, recipe, figures, (kept, held), command)
    typer.echo(_summary(classifier, figures))
    say(f"trained {place}\ntry it: echo 'A text.' | seqloom classify {place} -")


def _checked(folder: Path | None, bag: bool, out: Path | None, train: list[str] | None) -> Path:
    """The folder to write, if the command is whole.

    Raises:
        FolderError: what it lacks, or has too much.
        CorpusError: nothing to train on.
    """
    if bag and folder is not None:
        raise FolderError(
            f"{folder}: --bag counts words and tunes no encoder; leave one of the two out."
        )
    if not bag:
        what = "no FOLDER is given" if folder is None else f"{folder} holds no such encoder"
        raise FolderError(
            f"expected an encoder that can be tuned for classification, but {what}. A classifier "
            f"on a bag of words needs none: {_FORM}"
        )
    if not train:
        raise CorpusError(f"nothing to train on; expected: {_FORM}")
    if out is None:
        raise FolderError("nowhere to write: add --out DIR, the folder of the classifier.")
    check_free(out)
    return out


def _parted(
    texts: Labelled,
    validation: Sequence[str],
    recipe: ClassifierRecipe,
    form: Form,
    watch: Watch,
) -> tuple[Labelled, Labelled, list[str]]:
    """Texts to train on, texts to measure on, and what is to be said of them."""
    from seqloom.corpus.classes import check_classes, hold_out

    check_classes(texts)
    known = texts.counts
    if not validation:
        kept, held = hold_out(texts, recipe.held_out, recipe.seed)
        note = (
            f"no --validation: {len(held):,} of {len(texts):,} texts are held out to measure on, "
            f"{recipe.held_out:.0%} of each label and at least one (seed {recipe.seed})"
        )
        return kept, held, [*notes_on(texts, known), note]
    held = read_texts(validation, form, watch)
    notes = [*notes_on(texts, known), *notes_on(held, known)]
    trained = set(texts.texts)
    if shared := sum(text in trained for text in held.texts):
        notes.append(
            f"{shared:,} of {len(held):,} validation texts are training texts too, which flatters "
            "the figures"
        )
    return texts, held, notes


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
    label_first: LabelFirst = False,
    until: Until = None,
    as_json: Annotated[
        bool,
        typer.Option(
            "--json",
            help="One JSON object a line: label, all classes, the words that spoke for it.",
        ),
    ] = False,
    output: Output = None,
) -> None:
    """Print the label of each text, one a line; or how many are right, with --labelled."""
    form = Form(columns, label_first, until)
    if not labelled and form.words():
        raise CorpusError(f"{form.words()[0]} is for texts that have labels; add --labelled.")
    if labelled and file == "-":
        raise CorpusError("--labelled reads a file and no standard input; name the file.")
    from seqloom.text.classifier import BagClassifier

    classifier = BagClassifier.load(folder)
    texts = iter(()) if labelled else lines(file)
    visible = output is not None or not is_terminal(sys.stdout)
    with results(output) as stream, Watch(shown=visible) as watch:
        if labelled:
            figures = _measured(classifier, file, form, watch)
            record = json.dumps(figures.as_dict(), ensure_ascii=False, indent=2)
            stream.write(f"{record if as_json else figures.text()}\n")
        window, done = 1 if file == "-" and is_terminal(sys.stdin) else AT_ONCE, 0
        while some := list(islice(texts, window)):
            stream.writelines(_shown(classifier, some, as_json))
            stream.flush()
            done += len(some)
            watch.stage("classifying", done)


def _measured(classifier: BagClassifier, file: str, form: Form, watch: Watch) -> Classification:
    from seqloom.evaluation.classification import classification

    texts = read_texts([file], form, watch)
    for note in notes_on(texts, classifier.classes):
        watch.message(note)
    return classification(texts.labels, classifier.predict(texts.texts))


def _shown(classifier: BagClassifier, texts: list[str], as_json: bool) -> Iterator[str]:
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
