"""The options of ``seqloom finetune``, and which of its two ways they ask for."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from seqloom.cli.finetune.bag import FORM, finetune_bag
from seqloom.cli.finetune.encoder import Given, finetune_encoder
from seqloom.cli.labelled import Columns, Files, Form, LabelFirst, Second, Until
from seqloom.cli.options import Device
from seqloom.cli.vectors.bag import Ngrams, StopWords
from seqloom.errors import FolderError

Settings = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="KEY=VALUE",
        help="Any other field: training.epochs=10, training.layer_decay=0.9 ...; "
        "with --bag c=3, min_documents=2, tf=log, split=spaces, held_out=0.2, seed=2 ...",
    ),
]
Pair = Annotated[
    bool, typer.Option("--pair", help="classify: tables of two texts and a label (or --second).")
]
Column = Annotated[
    str | None,
    typer.Option(
        metavar="COLUMN",
        help="tag: upos, xpos, deprel, feats, feats:Case ... of a .conllu; else its number.",
    ),
]
_WHOLE = "seqloom finetune FOLDER --train FILE --out DIR"


def finetune(
    folder: Annotated[
        Path | None,
        typer.Argument(
            metavar="[FOLDER]", help="Of an encoder (`seqloom pretrain bert`); none with --bag."
        ),
    ] = None,
    train: Files = None,
    validation: Annotated[
        list[str] | None,
        typer.Option(metavar="FILE", help="The same, to measure on; else a tenth of --train."),
    ] = None,
    out: Annotated[Path | None, typer.Option(help="Folder to write.")] = None,
    task: Annotated[
        Literal["classify", "tag", "vectors"],
        typer.Option(help="Classes of texts, tags of words (.conllu, columns), sentence vectors."),
    ] = "classify",
    tune: Annotated[
        Literal["all", "last", "head", "lora"] | None,
        typer.Option(
            help="What moves: all weights, the last layers, the new layer alone, or low-rank "
            "products (LoRA) beside the matrices."
        ),
    ] = None,
    adapter: Annotated[
        bool,
        typer.Option(
            "--adapter", help="--tune lora: keep the products beside FOLDER, not added to it."
        ),
    ] = False,
    old: Annotated[
        list[str] | None,
        typer.Option(
            metavar="FILE",
            help="Texts such as the encoder was trained on: how much of that is forgotten? Its "
            "folder's own when left out.",
        ),
    ] = None,
    columns: Columns = None,
    label_first: LabelFirst = False,
    until: Until = None,
    pair: Pair = False,
    second: Second = None,
    column: Column = None,
    grades: Annotated[
        bool,
        typer.Option(
            "--grades", help="vectors: --validation are two texts and how alike they are."
        ),
    ] = False,
    bag: Annotated[
        bool, typer.Option("--bag", help="Bag of words (TF-IDF) and a linear classifier.")
    ] = False,
    linear: Annotated[
        Literal["logistic", "svm", "nbsvm"] | None,
        typer.Option(help="--bag: logistic regression, linear SVM, or SVM on log-count ratios."),
    ] = None,
    stop_words: StopWords = None,
    ngrams: Ngrams = (1, 1),
    settings: Settings = None,
    device: Device = None,
) -> None:
    """Learn a task from labelled data and measure it, before and after.

    The same command after an interruption goes on where it was.
    """
    form = Form(columns, label_first, until)
    on_encoder: dict[str, Any] = {
        "--tune": tune, "--adapter": adapter, "--old": old, "--pair": pair,
        "--second": second, "--column": column,
        "--grades": grades, "--task": task != "classify", "--device": device,
    }  # fmt: skip
    on_bag: dict[str, Any] = {
        "--linear": linear,
        "--stop-words": stop_words,
        "--ngrams": ngrams != (1, 1),
    }
    _check_way(folder, bag, on_encoder, on_bag)
    if bag:
        given = {"linear": linear or "logistic", "stop_words": stop_words, "ngrams": ngrams}
        finetune_bag(train, validation, out, given, form, settings)
        return
    assert folder is not None
    data = Given(task, train or [], validation, form, pair, second, column, grades)
    moves = {"tune": tune, "adapter": adapter or None}
    finetune_encoder(folder, data, out, moves, old or [], settings or [], device)


def _check_way(
    folder: Path | None, bag: bool, on_encoder: dict[str, Any], on_bag: dict[str, Any]
) -> None:
    """Refuse a command that is half of one way and half of the other.

    Raises:
        FolderError: what it lacks, or has too much.
    """
    if bag and folder is not None:
        raise FolderError(
            f"{folder}: --bag counts words and tunes no encoder; leave one of the two out."
        )
    if not bag and folder is None:
        raise FolderError(
            f"no FOLDER of an encoder is given; expected: {_WHOLE}. A classifier on a bag of words "
            f"needs none: {FORM}"
        )
    unfit = [name for name, value in (on_encoder if bag else on_bag).items() if value]
    if unfit:
        where = "an encoder; leave it or --bag out" if bag else "--bag; leave it out"
        raise FolderError(f"{unfit[0]} is for {where}.")
