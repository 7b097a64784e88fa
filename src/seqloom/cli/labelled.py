"""Labelled texts as verbs are given them: files, columns, where the labels stand."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, Annotated, NamedTuple

import typer

from seqloom.cli.console import Watch
from seqloom.cli.corpora import _columns

if TYPE_CHECKING:
    from seqloom.corpus.classes import Labelled

Files = Annotated[
    list[str] | None,
    typer.Option(
        metavar="FILE",
        help="Texts with labels: .tsv .csv .jsonl .parquet, lines that begin with __label__X, "
        "X=FILE for the texts of one class, a folder of these; also .gz .xz .zst. May be repeated.",
    ),
]
Columns = Annotated[
    tuple[str, str] | None,
    typer.Option(
        metavar="TEXT LABEL",
        help="Names or numbers (from 0) of the columns; by default text and label, or the first "
        "two.",
    ),
]
LabelFirst = Annotated[
    bool, typer.Option("--label-first", help="The first word, or column, of a line is its label.")
]
Until = Annotated[
    str | None,
    typer.Option(metavar="SIGN", help="Cut labels at this sign: with : DESC:manner is DESC."),
]


class Form(NamedTuple):
    """Where labels stand."""

    columns: tuple[str, str] | None
    label_first: bool
    until: str | None

    def words(self) -> list[str]:
        """The options as a command has them; none where all are left out."""
        found = ["--columns", *self.columns] if self.columns else []
        found += ["--label-first"] if self.label_first else []
        return found + (["--until", self.until] if self.until else [])


def read_texts(files: Sequence[str], form: Form, watch: Watch) -> Labelled:
    """Texts and labels, in memory; blank texts are left out, and counted in ``empty``.

    Raises:
        CorpusError: a file cannot be read, or a text has no label.
    """
    from seqloom.corpus.classes import gather
    from seqloom.corpus.labels import read_labelled

    corpus = read_labelled(
        files,
        columns=_columns(form.columns),
        label_first=form.label_first,
        until=form.until,
        progress=watch.stage,
    )
    return gather(corpus)


def notes_on(texts: Labelled, known: Collection[str]) -> list[str]:
    """What is to be said of texts to measure on or to train on.

    Args:
        texts: as they were read.
        known: the labels of the training texts.

    Raises:
        CorpusError: none of their labels is known.
    """
    from seqloom.corpus.classes import unknown_labels

    blank = [f"{texts.name}: {texts.empty:,} blank texts are left out"] if texts.empty else []
    strange = unknown_labels(texts, known)
    return [*blank, strange] if strange else blank
