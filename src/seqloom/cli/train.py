"""``seqloom train``, ``seqloom average``, ``seqloom demo``: where models come from."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from seqloom.cli.console import Watch, say
from seqloom.cli.corpora import Columns, Filters, Languages, changed, data_of
from seqloom.cli.options import Device, RecipeName, Settings, find_recipe
from seqloom.errors import FolderError, RecipeError
from seqloom.runtime import place_in_group


def train(
    recipe: RecipeName = None,
    source: Annotated[
        str | None,
        typer.Option(metavar="FILE", help="Source sentences, or both sides (.tsv, .tmx, .po ...)."),
    ] = None,
    target: Annotated[
        str | None, typer.Option(metavar="FILE", help="Target sentences, line by line.")
    ] = None,
    validation_source: Annotated[
        str | None, typer.Option(metavar="FILE", help="Held-out source sentences.")
    ] = None,
    validation_target: Annotated[
        str | None, typer.Option(metavar="FILE", help="Held-out target sentences.")
    ] = None,
    start: Annotated[
        str | None,
        typer.Option(
            "--from",
            metavar="FOLDER",
            help="Go on from the model of this folder, with its vocabulary.",
        ),
    ] = None,
    old_source: Annotated[
        str | None,
        typer.Option(
            metavar="FILE", help="Test sentences of the old task, told before and after; --from."
        ),
    ] = None,
    old_target: Annotated[
        str | None, typer.Option(metavar="FILE", help="Their translations.")
    ] = None,
    languages: Languages = None,
    columns: Columns = None,
    filters: Filters = None,
    out: Annotated[Path | None, typer.Option(help="Model folder to write.")] = None,
    settings: Settings = None,
    device: Device = None,
) -> None:
    """Train a model; the same command after an interruption goes on where it was."""
    if out is None:
        raise FolderError("nowhere to write: add --out DIR, the folder of the model.")
    from seqloom.recipe import load_recipe

    chosen = load_recipe(None if recipe is None else find_recipe(recipe), settings or [])
    given: dict[str, Any] = {
        "validation_source": validation_source,
        "validation_target": validation_target,
    }
    given = {name: place for name, place in given.items() if place}
    if source:
        # One file with both sides is not half of the recipe's corpus.
        given |= {"source": source, "target": target, "corpora": []}
    elif target:
        given["target"] = target
    data = data_of(chosen.data, [], languages, columns, None, filters, until_error=False)
    carried = {"model_from": start, "old_source": old_source, "old_target": old_target}
    training = {name: place for name, place in carried.items() if place}
    update = {
        "data": changed(data, given),
        "training": chosen.training.model_copy(update=training),
    }
    chosen = chosen.model_copy(update=update)
    if chosen.data.source is None and not chosen.data.corpora:
        raise RecipeError(
            recipe or "train",
            ["data.source: no corpus given; add --source FILE --target FILE"],
        )
    from seqloom.workflow import train as run

    with Watch() as watch:
        run(chosen, out, device=device, progress=watch)
    if place_in_group()[0] == 0:
        say(f"trained {out}")
        say(f"try it: echo 'A sentence.' | seqloom translate {out} -")


def average(
    folders: Annotated[
        list[Path],
        typer.Argument(metavar="FOLDER...", help="Model folders; one alone: its checkpoints."),
    ],
    out: Annotated[Path, typer.Option(help="Model folder to write.")],
) -> None:
    """Average the weights of several models, or of the kept checkpoints of one."""
    from seqloom.training.average import average_folders

    count = average_folders(folders, out)
    say(f"averaged {count} models into {out}")


def demo(
    out: Annotated[Path, typer.Option(help="Model folder to write.")] = Path("runs/demo"),
    settings: Settings = None,
    device: Device = None,
) -> None:
    """Train a small model that reads dates in six languages, and look inside it."""
    from seqloom.cli.demo import run

    run(out, settings or [], device)
