"""``seqloom pretrain bert|gpt``: a language model from texts."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from seqloom.cli.console import Watch, say
from seqloom.cli.options import Device, RecipeName, Settings, find_recipe
from seqloom.errors import FolderError, RecipeError
from seqloom.runtime import place_in_group

if TYPE_CHECKING:
    from seqloom.recipe.pretraining import PretrainRecipe

Family = Literal["bert", "gpt"]


def pretrain(
    family: Annotated[
        Family, typer.Argument(metavar="bert|gpt", help="Reads with holes, or writes on.")
    ],
    recipe: RecipeName = None,
    text: Annotated[
        list[str] | None,
        typer.Option(
            metavar="FILE",
            help="Texts: .txt .jsonl .parquet, a folder, hub:owner/name; may be repeated.",
        ),
    ] = None,
    dialogues: Annotated[
        list[str] | None,
        typer.Option(
            metavar="FILE", help="Conversations (.jsonl) in place of --text; needs --from."
        ),
    ] = None,
    validation: Annotated[
        list[str] | None,
        typer.Option(metavar="FILE", help="Held-out texts; else a share of --text is held out."),
    ] = None,
    documents: Annotated[
        Literal["auto", "files", "paragraphs", "lines"] | None,
        typer.Option(help="What one document of a .txt file is."),
    ] = None,
    tokenizer: Annotated[
        Literal["bpe", "byte_bpe", "unigram", "word", "character"] | None,
        typer.Option(help="How text is cut into tokens."),
    ] = None,
    start: Annotated[
        str | None,
        typer.Option(
            "--from",
            metavar="FOLDER",
            help="Go on from the language model of this folder, with its vocabulary.",
        ),
    ] = None,
    old: Annotated[
        list[str] | None,
        typer.Option(
            metavar="FILE",
            help="Texts of the old task, whose loss is told before and after; with --from.",
        ),
    ] = None,
    out: Annotated[Path | None, typer.Option(help="Folder to write.")] = None,
    settings: Settings = None,
    device: Device = None,
) -> None:
    """Train a language model; the same command after an interruption goes on where it was."""
    if out is None:
        raise FolderError("nowhere to write: add --out DIR, the folder of the model.")
    data = {
        "sources": text,
        "dialogues": dialogues,
        "validation_sources": validation,
        "documents": documents,
        "tokenizer": tokenizer,
        "mask": family == "bert" and start is None,
    }
    training = {"model_from": start, "old_texts": old}
    chosen = _recipe(family, recipe, settings or [], {"data": data, "training": training})
    from seqloom.pretraining import pretrain as run

    with Watch() as watch:
        run(chosen, out, device=device, progress=watch)
    if place_in_group()[0] == 0:
        say(f"trained {out}")
        if chosen.data.dialogues:
            say(f"try it: seqloom chat {out}")
        elif family == "gpt":
            say(f"try it: seqloom generate {out} 'Once upon a time'")
        else:
            say(f"try it: seqloom finetune {out} --train LABELLED.tsv --out DIR")


def _recipe(
    family: Family, name: str | None, settings: list[str], flags: dict[str, dict[str, Any]]
) -> PretrainRecipe:
    """The recipe with the flags that were given on top.

    Raises:
        RecipeError: all that is wrong with it, or no text.
    """
    from seqloom.recipe import load_recipe_of
    from seqloom.recipe.pretraining import PretrainRecipe

    given = {
        section: {field: value for field, value in fields.items() if value}
        for section, fields in flags.items()
    }
    given["model"] = {"family": family}
    place = None if name is None else find_recipe(name)
    chosen = load_recipe_of(PretrainRecipe, place, settings, given)
    if not chosen.data.sources and not chosen.data.dialogues:
        raise RecipeError(
            name or "pretrain", ["data.sources: no text given; add --text FILE (a folder works)"]
        )
    return chosen
