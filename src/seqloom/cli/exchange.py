"""``seqloom export`` and ``seqloom import``: models in other programs' formats."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from seqloom.cli.console import say


def export(
    folder: Annotated[Path, typer.Argument(help="Folder of a model.")],
    out: Annotated[Path, typer.Option(help="Folder to write.")],
    to: Annotated[Literal["huggingface"], typer.Option(help="The format.")] = "huggingface",
) -> None:
    """Write a model in another program's format."""
    from seqloom.export.huggingface import export_huggingface

    say(f"written {export_huggingface(folder, out)}: transformers loads it by that path")


def import_(
    checkpoint: Annotated[
        str, typer.Argument(help="Folder of a Hugging Face checkpoint, or hub:owner/name.")
    ],
    out: Annotated[Path, typer.Option(help="Folder to write.")],
) -> None:
    """Make a model folder of a Hugging Face checkpoint; nothing in it is executed."""
    from seqloom.export.huggingface import import_huggingface

    say(f"imported {import_huggingface(checkpoint, out, warn=say)}")
