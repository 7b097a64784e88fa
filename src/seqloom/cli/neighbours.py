"""``seqloom neighbours``: the words nearest to a word, and the texts most like a text."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, NamedTuple

import typer

from seqloom.cli.console import Watch, say
from seqloom.cli.embed import AT_ONCE, Pooling, open_vectors_of_texts
from seqloom.cli.files import lines, one_line
from seqloom.cli.options import Device, Json, folder_kind
from seqloom.errors import VectorsError

if TYPE_CHECKING:
    from seqloom.text.collection import Place

    Found = Sequence[tuple["str | Place | Line", float]]


class Line(NamedTuple):
    """A text of a file."""

    number: int
    text: str

    def __str__(self) -> str:
        return f"{self.number}: {self.text}"


def neighbours(
    folder: Annotated[
        Path,
        typer.Argument(
            metavar="VECTORS",
            help="A folder or file of word vectors (.txt .vec .w2v .bin), or a folder of `seqloom "
            "vectors bag` or of an encoder.",
        ),
    ],
    words: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[WORD...]",
            help='Words, sums such as "king - man + woman", or texts for a bag of words. - or '
            "none: lines of standard input.",
        ),
    ] = None,
    file: Annotated[
        str | None, typer.Option(metavar="FILE", help="Take the words or texts from it, by line.")
    ] = None,
    among: Annotated[
        str | None,
        typer.Option(metavar="FILE", help="An encoder: the texts to look among, one a line."),
    ] = None,
    number: Annotated[int, typer.Option(min=1, metavar="N", help="Neighbours to show.")] = 10,
    as_json: Json = False,
    pooling: Pooling = None,
    device: Device = None,
) -> None:
    """Show the words nearest to a word with their cosines, or the texts most like a text.

    With --json, one JSON object a question. What is not known is named; the rest is answered.
    """
    questions = _questions(words or [], file)
    with Watch() as watch:
        if folder_kind(folder) is None:
            _refuse_options_of_encoders(folder, among, pooling, device)
            answer = _opened(folder, number, watch)
        else:
            answer = _of_texts(folder, among, number, (pooling, device), watch)
    if not _all_answered(questions, answer, _as_json if as_json else _as_text):
        raise typer.Exit(2)


def _all_answered(
    questions: Iterator[str],
    answer: Callable[[str], Found],
    shown: Callable[[str, Found], str],
) -> bool:
    """Print answers as they are found, and name what is not known."""
    known = True
    for question in questions:
        try:
            typer.echo(shown(question, answer(question)))
        except VectorsError as error:
            say(f"seqloom: {error}")
            known = False
    return known


def _questions(words: Sequence[str], file: str | None) -> Iterator[str]:
    """What was asked for: arguments, or lines that are not empty, as they arrive."""
    if words and file is not None:
        raise VectorsError(f"--file {file}: words are given too; give one or the other.")
    if words and list(words) != ["-"]:
        return iter(words)
    return filter(None, map(str.strip, lines(file or "-")))


def _refuse_options_of_encoders(
    folder: Path, among: str | None, pooling: str | None, device: str | None
) -> None:
    given = {"--among": among, "--pooling": pooling, "--device": device}
    for name, value in given.items():
        if value is not None:
            raise VectorsError(f"{name} {value} is for encoders, and {folder} holds none.")


def _opened(folder: Path, number: int, watch: Watch) -> Callable[[str], Found]:
    """What answers questions: word vectors, or documents."""
    from seqloom.text import bag

    if (folder / f"{bag.NAME}.json").is_file():
        from seqloom.text.collection import Collection

        collection = Collection.load(folder)
        return lambda text: collection.similar(text, number)
    from seqloom.text.vector_files import open_vectors

    vectors = open_vectors(folder, progress=watch.stage, tell=watch.message)

    def nearest(expression: str) -> Found:
        query, used = vectors.combine(expression)
        return vectors.nearest(query, number, used)

    return nearest


def _of_texts(
    folder: Path,
    among: str | None,
    number: int,
    how: tuple[Literal["mean", "first"] | None, str | None],
    watch: Watch,
) -> Callable[[str], Found]:
    """The texts of a file whose vectors are nearest to that of a text; ``how``: pooling, device.

    Raises:
        VectorsError: no file is named, or it holds no text.
    """
    import numpy as np

    if among is None:
        raise VectorsError(f"{folder} holds an encoder; name texts to look among: --among FILE")
    encoder = open_vectors_of_texts(folder, *how)
    texts = [Line(at, text) for at, text in enumerate(lines(among), 1) if text.strip()]
    if not texts:
        raise VectorsError(f"{among}: no text in it; expected one a line.")
    parts = []
    for start in range(0, len(texts), AT_ONCE):
        parts.append(encoder.embed([line.text for line in texts[start : start + AT_ONCE]]))
        watch.stage("embedding", min(start + AT_ONCE, len(texts)), len(texts))
    for note in encoder.notes:
        watch.message(note)
    matrix = np.concatenate(parts)

    def nearest(text: str) -> Found:
        cosines = matrix @ encoder.embed([text])[0]
        order = np.argsort(-cosines, kind="stable")[:number]
        return [(texts[at], float(cosines[at])) for at in order.tolist()]

    return nearest


def _as_json(question: str, found: Found) -> str:
    named = [{**_named(what), "cosine": cosine} for what, cosine in found]
    return json.dumps({"question": question, "neighbours": named}, ensure_ascii=False)


def _named(what: str | Place | Line) -> dict[str, Any]:
    if isinstance(what, Line):
        return {"text": what.text, "line": what.number}
    return {"word": what} if isinstance(what, str) else {"file": what.file, "line": what.line}


def _as_text(question: str, found: Found) -> str:
    """A table: letters of Chinese and its like are two columns wide."""
    from rich.cells import cell_len

    names = [one_line(str(what)) for what, _ in found]
    widest = max(map(cell_len, names), default=0)
    rows = [
        f"  {name}{' ' * (widest - cell_len(name))}  {cosine:7.4f}"
        for name, (_, cosine) in zip(names, found, strict=True)
    ]
    return "\n".join([one_line(question), *rows, ""])
