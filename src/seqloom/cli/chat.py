"""``seqloom chat``: a conversation with a model that has learned from dialogues."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from seqloom.cli.console import say
from seqloom.cli.files import lines
from seqloom.cli.options import Device, Settings, decoding_recipe, open_language_model
from seqloom.errors import DecodingError
from seqloom.runtime import is_terminal

if TYPE_CHECKING:
    from seqloom.language_model import LanguageModel
    from seqloom.recipe import DecodingRecipe


def chat(
    folder: Annotated[Path, typer.Argument(help="Folder of a model that learned from dialogues.")],
    system: Annotated[
        str | None, typer.Option(metavar="TEXT", help="What the model is told beforehand.")
    ] = None,
    tokens: Annotated[int | None, typer.Option(help="Longest answer, in tokens.")] = None,
    temperature: Annotated[
        float | None, typer.Option(help="Below 1 sharper, above 1 flatter.")
    ] = None,
    top_p: Annotated[
        float | None, typer.Option(help="The likeliest tokens with this probability together.")
    ] = None,
    seed: Annotated[int | None, typer.Option(help="Seed of the draws.")] = None,
    settings: Settings = None,
    device: Device = None,
) -> None:
    """Answer each line of the terminal, or of a pipe, as part of one conversation."""
    model = open_language_model(folder, device)
    _ = model.form  # refuses what cannot converse before anybody has typed
    flags: dict[str, Any] = {
        "max_tokens": tokens, "temperature": temperature, "top_p": top_p, "seed": seed,
    }  # fmt: skip
    options = decoding_recipe(model.recipe.decoding, flags, settings or [])
    messages = [] if system is None else [{"role": "system", "content": system}]
    _invite()
    for line in lines("-"):
        if line.strip():
            asked = {"role": "user", "content": line}
            try:
                said = _answer(model, [*messages, asked], options)
            except DecodingError as error:
                if not is_terminal(sys.stdin):
                    raise
                say(f"{error} The conversation goes on without it.")
            else:
                messages += [asked, {"role": "assistant", "content": said}]
        _invite()


def _answer(
    model: LanguageModel, messages: Sequence[Mapping[str, str]], options: DecodingRecipe
) -> str:
    """Print an answer as it grows; the whole of it."""
    said = ""
    for piece in model.answer(messages, options):
        said += piece
        sys.stdout.write(piece)
        sys.stdout.flush()
    sys.stdout.write("\n")
    sys.stdout.flush()
    return said


def _invite() -> None:
    """Show a person that it is their turn."""
    if is_terminal(sys.stdin):
        sys.stderr.write("> ")
        sys.stderr.flush()
