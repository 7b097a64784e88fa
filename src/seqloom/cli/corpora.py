"""Files of pairs as verbs are given them: one file or many, languages, columns, what to forgive."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from seqloom.cli.console import say
from seqloom.errors import CorpusError

if TYPE_CHECKING:
    from seqloom.corpus.pairs import Corpus
    from seqloom.recipe import DataRecipe

_OF_ONE_CORPUS = ("source_language", "target_language", "columns", "format")
FILES = (
    "Two aligned text files, or files that hold both sides: .tsv .csv .jsonl .parquet .tmx .xlf "
    ".xliff .po .mo, each also .gz .xz .zst; or hub:owner/name."
)
Languages = Annotated[
    tuple[str, str] | None,
    typer.Option(
        metavar="SOURCE TARGET",
        help="Codes such as en ru: choose among the languages of a file, and tell the sides.",
    ),
]
Columns = Annotated[
    tuple[str, str] | None,
    typer.Option(
        metavar="SOURCE TARGET",
        help="Names or numbers (from 0) of the columns in .tsv, .csv, .jsonl, .parquet.",
    ),
]
Format = Annotated[
    str | None,
    typer.Option(
        help="Format of files with both sides whose names do not tell: tsv, csv, jsonl, parquet, "
        "tmx, xliff, po, mo."
    ),
]
UntilError = Annotated[
    bool,
    typer.Option(
        "--until-error",
        help="Keep what a broken file holds before its error, and say where that is.",
    ),
]
Filters = Annotated[
    str | None,
    typer.Option(
        metavar="NAMES",
        help="Also leave out pairs by: identical, script, control, repetition, numbers, "
        "placeholders; with commas, or all. Thresholds: --set data.min_script=0.5 ...",
    ),
]


def places_of(files: Sequence[str], form: str | None) -> list[tuple[str, ...]]:
    """The files of a command by corpus: two of lines of text are one, others one each.

    Of a format that is named, each file holds both sides.

    Raises:
        CorpusError: a file of lines without its other side.
    """
    from seqloom.corpus.files import check_readable
    from seqloom.corpus.readers import holds_both_sides

    whole = [file for file in files if form or holds_both_sides(file)]
    text = [file for file in files if file not in whole]
    for file in text:
        check_readable(Path(file))
    if len(text) not in (0, 2):
        count = "1 file" if len(text) == 1 else f"{len(text)} files"
        raise CorpusError(
            f"{', '.join(text)}: {count} of lines given. One side of a corpus is one file of "
            "lines, so give two, source and target; or files that hold both sides (.tsv, .tmx ...)."
        )
    two: list[tuple[str, ...]] = [tuple(text)] if text else []
    return [*two, *((file,) for file in whole)]


def changed(data: DataRecipe, values: dict[str, Any]) -> DataRecipe:
    """The recipe with other values, checked.

    Raises:
        RecipeError: a value is wrong.
    """
    from seqloom.recipe import section_from

    return section_from(data, values, "data", "command line")


def data_of(
    data: DataRecipe,
    files: Sequence[str],
    languages: tuple[str, str] | None,
    columns: tuple[str, str] | None,
    form: str | None,
    filters: str | None,
    until_error: bool,
) -> DataRecipe:
    """A recipe with the files of the command line in the place of its own.

    Raises:
        CorpusError: files that do not go together.
        RecipeError: an unknown filter.
    """
    values: dict[str, Any] = {}
    if languages:
        values |= {"source_language": languages[0], "target_language": languages[1]}
    if columns:
        values["columns"] = _columns(columns)
    if form:
        values["format"] = form
    if filters:
        values["filters"] = [name.strip() for name in filters.split(",") if name.strip()]
    if until_error:
        values["until_error"] = True
    places = places_of(files, form)
    if len(places) == 1:
        values |= {"corpora": [], "source": places[0][0], "target": (*places[0], None)[1]}
    elif places:
        each = {name: values.pop(name, None) for name in _OF_ONE_CORPUS}
        values["corpora"] = [
            {"source": place[0], "target": (*place, None)[1], **each} for place in places
        ]
    return changed(data, values) if values else data


def open_corpora(
    files: Sequence[str],
    languages: tuple[str, str] | None = None,
    columns: tuple[str, str] | None = None,
    form: str | None = None,
    until_error: bool = False,
) -> list[Corpus]:
    """The corpora behind the files of a command: two of text are one, others one each.

    Raises:
        CorpusError: files that do not go together, or that cannot be read.
    """
    from seqloom.corpus.readers import read_corpus, telling_once

    source, target = languages or (None, None)
    return [
        read_corpus(
            *places,
            source_language=source,
            target_language=target,
            columns=_columns(columns) if len(places) == 1 else None,
            format=form,
            on_error=telling_once(say) if until_error else None,
        )
        for places in places_of(files, form)
    ]


def _columns(columns: tuple[str, str] | None) -> tuple[str | int, str | int] | None:
    """Columns as the user wrote them: numbers, if both are."""
    if columns is not None and all(column.isdecimal() for column in columns):
        return int(columns[0]), int(columns[1])
    return columns


def convert(
    files: Annotated[list[str], typer.Argument(metavar="FILE...", help=FILES)],
    out: Annotated[
        list[Path],
        typer.Option(
            help="File to write, its format by its suffix; give it twice for source and target as "
            "lines of text."
        ),
    ],
    languages: Languages = None,
    columns: Columns = None,
    format: Format = None,
    one_line: Annotated[
        bool,
        typer.Option("--one-line", help="Write a space for line ends and tabs inside a text."),
    ] = False,
    until_error: UntilError = False,
) -> None:
    """Write pairs in another format: text, TSV, CSV, JSONL, Parquet, TMX, XLIFF or PO."""
    from seqloom.cli.console import Watch
    from seqloom.corpus.readers import join_corpora
    from seqloom.corpus.writers import write_corpus

    if len(out) > 2:
        raise CorpusError(f"{len(out)} files to write; expected one, or two for lines of text.")
    corpus = join_corpora(open_corpora(files, languages, columns, format, until_error))
    with Watch() as watch:
        written = write_corpus(corpus.watched(watch.stage, "convert"), *out, one_line=one_line)
    say(f"{written:,} pairs written to {' and '.join(map(str, out))}")
