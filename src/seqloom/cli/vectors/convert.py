"""``seqloom vectors convert``: word vectors from one form into another."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from seqloom.cli.console import Watch, say


def convert(
    source: Annotated[
        Path,
        typer.Argument(
            metavar="FROM", help="A folder of word vectors, or a file: .txt .vec .w2v .bin."
        ),
    ],
    target: Annotated[
        Path,
        typer.Argument(
            metavar="TO",
            help="Written as text (.txt .vec .w2v), binary (.bin), each also .gz .xz .zst; or a "
            "folder.",
        ),
    ],
    first: Annotated[
        int | None, typer.Option(min=1, metavar="N", help="Keep the N most frequent words.")
    ] = None,
) -> None:
    """Write word vectors in another form: word2vec's text and binary, fastText's .vec, a folder."""
    from seqloom.text.vector_files import open_vectors, save_vectors

    with Watch() as watch:
        vectors = open_vectors(source, first=first, progress=watch.stage, tell=watch.message)
        save_vectors(vectors, target, progress=watch.stage, tell=watch.message)
    say(f"{len(vectors):,} words of width {vectors.width} written to {target}")
