"""``seqloom prune``: how many heads a task needs, and a model with no more than these."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from seqloom.cli.console import Watch, say
from seqloom.cli.files import all_lines, check_aligned
from seqloom.cli.options import Device, Json, SourceLanguage, TargetLanguage, folder_kind
from seqloom.errors import FolderError


def prune(
    folder: Annotated[Path, typer.Argument(help="Folder of a Transformer that translates.")],
    source: Annotated[
        Path, typer.Option(metavar="FILE", help="Sources to train further on, line by line.")
    ],
    target: Annotated[Path, typer.Option(metavar="FILE", help="Their translations.")],
    validation_source: Annotated[
        Path, typer.Option(metavar="FILE", help="Held-out sources that the figures are of.")
    ],
    validation_target: Annotated[Path, typer.Option(metavar="FILE", help="Their translations.")],
    out: Annotated[Path, typer.Option(help="Model folder to write.")],
    price: Annotated[
        list[float] | None,
        typer.Option(
            min=0,
            metavar="NATS",
            help="What an open head costs, in nats a token; may be repeated: a point of the curve "
            "each. 0.003, 0.01 and 0.03 when left out.",
        ),
    ] = None,
    updates: Annotated[int, typer.Option(min=1, help="Updates of training for each price.")] = 1000,
    tolerance: Annotated[
        float, typer.Option(min=0, help="BLEU that the model may lose; the smallest is written.")
    ] = 0.5,
    target_language: TargetLanguage = None,
    source_language: SourceLanguage = None,
    as_json: Json = False,
    device: Device = None,
) -> None:
    """Take heads out that a translation model can do without; print what each price leaves."""
    from seqloom.compression.pruning import PRICES, as_dicts, table
    from seqloom.compression.pruning import prune as pruned
    from seqloom.runtime import choose_device, set_threads

    if folder_kind(folder) is not None:
        raise FolderError(f"{folder} holds no translation model; heads are taken out of these.")
    sides = []
    for files in ((source, target), (validation_source, validation_target)):
        lines = [(file, all_lines(file)) for file in files]
        check_aligned(lines)
        sides.append((lines[0][1], lines[1][1]))
    set_threads()
    with Watch() as watch:
        curve = pruned(
            folder,
            out,
            *sides,
            prices=price or PRICES,
            updates=updates,
            tolerance=tolerance,
            languages={"target_language": target_language, "source_language": source_language},
            device=choose_device(device),
            progress=watch.stage,
        )
    typer.echo(json.dumps(as_dicts(curve)) if as_json else table(curve))
    say(f"written {out}")
