"""``seqloom embed``: texts as vectors of an encoder."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from seqloom.cli.console import Watch
from seqloom.cli.files import lines, results
from seqloom.cli.options import Device
from seqloom.errors import CorpusError
from seqloom.runtime import is_terminal

if TYPE_CHECKING:
    from seqloom.encoders import SentenceVectors, Vectors

AT_ONCE = 1000
"""Texts that are read together."""

Pooling = Annotated[
    Literal["mean", "first"] | None,
    typer.Option(
        help="The mean of all states of a text, or that of its first token; as it was trained when "
        "left out."
    ),
]


def embed(
    folder: Annotated[
        Path, typer.Argument(help="Folder of an encoder (`seqloom pretrain bert`, `finetune`).")
    ],
    file: Annotated[
        str,
        typer.Argument(metavar="FILE|-", help="One text a line; - or nothing: standard input."),
    ] = "-",
    pooling: Pooling = None,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out", help="A file .npy for numpy, or any other for text; else standard output."
        ),
    ] = None,
    device: Device = None,
) -> None:
    """Turn each text into a vector of length 1: a line of numbers, or a row of a matrix."""
    vectors = open_vectors_of_texts(folder, pooling, device)
    visible = out is not None or not is_terminal(sys.stdout)
    with Watch(shown=visible) as watch:
        parts = _parts(vectors, file, watch)
        if out is not None and out.suffix.lower() == ".npy":
            _save(out, parts, file)
        else:
            with results(out) as stream:
                for part in parts:
                    stream.writelines(
                        " ".join(f"{value:.6g}" for value in row) + "\n" for row in part.tolist()
                    )
                    stream.flush()
        for note in vectors.notes:
            watch.message(note)


def open_vectors_of_texts(
    folder: Path, pooling: Literal["mean", "first"] | None, device: str | None
) -> SentenceVectors:
    """The encoder of a folder, in a process that is ready to compute with it.

    Raises:
        SeqloomError: the folder or the device cannot be used.
    """
    from seqloom.encoders import SentenceVectors
    from seqloom.runtime import set_threads

    set_threads()
    return SentenceVectors.load(folder, device=device, pooling=pooling)


def _parts(vectors: SentenceVectors, file: str, watch: Watch) -> Iterator[Vectors]:
    texts, done = lines(file), 0
    window = 1 if file == "-" and is_terminal(sys.stdin) else AT_ONCE
    while some := list(islice(texts, window)):
        yield vectors.embed(some)
        done += len(some)
        watch.stage("embedding", done)


def _save(out: Path, parts: Iterator[Vectors], file: str) -> None:
    """All vectors as one matrix, whole or not at all.

    Raises:
        CorpusError: there is no text.
        FolderError: it cannot be written.
    """
    import numpy as np

    from seqloom.corpus.files import replacing

    found = list(parts)
    if not found:
        raise CorpusError(f"{file}: no text in it; expected one a line.")
    with replacing(out) as temporary, temporary.open("wb") as stream:
        np.save(stream, np.concatenate(found))
