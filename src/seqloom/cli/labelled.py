"""Labelled texts as verbs are given them: files, columns, where the labels stand."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import typer

from seqloom.cli.console import Watch
from seqloom.cli.corpora import _columns
from seqloom.errors import CorpusError

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


Second = Annotated[
    str | None,
    typer.Option(metavar="COLUMN", help="Pairs of texts: with --columns, that of second texts."),
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


def read_pairs(files: Sequence[str], form: Form, second: str | None, watch: Watch) -> Labelled:
    """Pairs of texts with labels, in memory.

    Raises:
        CorpusError: a file cannot be read, a pair has no label, or the columns are not three.
    """
    from seqloom.corpus.classes import gather
    from seqloom.corpus.labelled_pairs import read_labelled_pairs

    if form.label_first:
        raise CorpusError("--label-first is for single texts; name columns: --columns, --second.")
    columns: Any = None
    if form.columns:
        if second is None:
            raise CorpusError("--pair --columns TEXT LABEL needs --second COLUMN too.")
        three = (form.columns[0], second, form.columns[1])
        numbers = all(column.isdecimal() for column in three)
        columns = tuple(map(int, three)) if numbers else three
    return gather(
        read_labelled_pairs(files, columns=columns, until=form.until, progress=watch.stage)
    )
