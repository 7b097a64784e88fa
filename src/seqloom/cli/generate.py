"""``seqloom generate``: a causal language model goes on with prompts."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from seqloom.cli.console import Watch, say
from seqloom.cli.files import lines, results
from seqloom.cli.options import Device, Json, Output, Settings, decoding_recipe, open_language_model
from seqloom.errors import CorpusError
from seqloom.runtime import is_terminal

if TYPE_CHECKING:
    from seqloom.language_model import LanguageModel
    from seqloom.recipe import DecodingRecipe


def generate(
    folder: Annotated[Path, typer.Argument(help="Folder of a causal language model.")],
    prompt: Annotated[
        str | None,
        typer.Argument(metavar="[PROMPT]", help="What to go on with; nothing: from the beginning."),
    ] = None,
    file: Annotated[
        str | None,
        typer.Option("--file", metavar="FILE|-", help="One prompt a line; - is standard input."),
    ] = None,
    tokens: Annotated[int | None, typer.Option(help="Longest output, in tokens.")] = None,
    temperature: Annotated[
        float | None, typer.Option(help="Below 1 sharper, above 1 flatter.")
    ] = None,
    top_k: Annotated[int | None, typer.Option(help="Only the k likeliest tokens.")] = None,
    top_p: Annotated[
        float | None, typer.Option(help="The likeliest tokens with this probability together.")
    ] = None,
    min_p: Annotated[
        float | None, typer.Option(help="Tokens with this share of the likeliest's probability.")
    ] = None,
    repetition_penalty: Annotated[
        float | None, typer.Option(help="Above 1: what was said before is less likely.")
    ] = None,
    beam: Annotated[
        int | None, typer.Option(help="Search with this beam instead of drawing; 1 is greedy.")
    ] = None,
    nbest: Annotated[int | None, typer.Option(help="Texts for each prompt.")] = None,
    stop: Annotated[
        list[str] | None, typer.Option(metavar="TEXT", help="End before this; may be repeated.")
    ] = None,
    seed: Annotated[int | None, typer.Option(help="Seed of the draws.")] = None,
    as_json: Json = False,
    output: Output = None,
    settings: Settings = None,
    device: Device = None,
) -> None:
    """Go on with prompts: one is written as it grows, others a line each, line breaks as \\n."""
    if prompt is not None and file is not None:
        raise CorpusError("both a PROMPT and --file FILE are given; use one of them.")
    model = open_language_model(folder, device)
    flags: dict[str, Any] = {
        "max_tokens": tokens, "temperature": temperature, "top_k": top_k, "top_p": top_p,
        "min_p": min_p, "repetition_penalty": repetition_penalty, "beam": beam, "nbest": nbest,
        "stop": stop or None, "seed": seed, "sample": None if beam is None else False,
    }  # fmt: skip
    options = decoding_recipe(model.recipe.decoding, flags, settings or [])
    grows = options.nbest == 1 and (options.sample or options.beam == 1)
    if file is None and grows and not as_json and output is None:
        _show(model, prompt or "", options)
    else:
        prompts = iter([prompt or ""]) if file is None else lines(file)
        _write(model, prompts, options, as_json, output)


def _show(model: LanguageModel, prompt: str, options: DecodingRecipe) -> None:
    """Write one text as it grows, behind its prompt."""
    pieces = model.write(prompt, options)  # refuses what cannot be written before anything is
    sys.stdout.write(prompt)
    for piece in pieces:
        sys.stdout.write(piece)
        sys.stdout.flush()
    sys.stdout.write("\n")


def _write(
    model: LanguageModel,
    prompts: Iterator[str],
    options: DecodingRecipe,
    as_json: bool,
    output: Path | None,
) -> None:
    """One line a text; line breaks in it are shown as \\n, or one JSON object a prompt."""
    read: list[str] = []

    def remembered() -> Iterator[str]:
        for prompt in prompts:
            read.append(prompt)
            yield prompt

    visible = output is not None or not is_terminal(sys.stdout)
    with results(output) as stream, Watch(shown=visible) as watch:
        for number, found in enumerate(model.stream(remembered(), options)):
            if as_json:
                record = {"prompt": read[number], "texts": [asdict(one) for one in found]}
                stream.write(json.dumps(record, ensure_ascii=False) + "\n")
            else:
                stream.writelines(one.text.replace("\n", "\\n") + "\n" for one in found)
            watch.stage("writing", number + 1)
    if not read:
        say("no prompt given: the input is empty")
