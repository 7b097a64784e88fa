"""``seqloom inspect beam``: a search as a tree."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from seqloom.cli.console import Watch, say
from seqloom.cli.options import (
    Device,
    Drawings,
    Settings,
    SourceLanguage,
    TargetLanguage,
    check_sampling,
    decoding_recipe,
    folder_kind,
    open_language_model,
    open_translator,
)
from seqloom.errors import DecodingError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from seqloom.inspection.beam_record import BeamRecord
    from seqloom.inspection.beam_recording import Asked
    from seqloom.text.tags import Languages


def beam(
    folder: Annotated[Path, typer.Argument(help="Folder of a translation or language model.")],
    text: Annotated[
        str, typer.Argument(help="A sentence to translate, or a prompt to go on with.")
    ],
    beam: Annotated[int | None, typer.Option(help="Beam size; 1 is greedy.")] = None,
    nbest: Annotated[
        int | None, typer.Option(help="Outputs of the search, and of --sample.")
    ] = None,
    max_tokens: Annotated[int | None, typer.Option(help="Longest output, in tokens.")] = None,
    candidates: Annotated[
        int,
        typer.Option(
            min=1,
            metavar="K",
            help="Show the K likeliest tokens of every hypothesis, taken or not.",
        ),
    ] = 5,
    force: Annotated[
        str | None,
        typer.Option(metavar="TEXT", help="Say why the search did not choose this output."),
    ] = None,
    greedy: Annotated[bool, typer.Option("--greedy", help="Show greedy search, too.")] = False,
    sample: Annotated[bool, typer.Option("--sample", help="Show sampling, too.")] = False,
    temperature: Annotated[float | None, typer.Option(help="Sampling: flatter above 1.")] = None,
    top_k: Annotated[int | None, typer.Option(help="Sampling: from the K likeliest.")] = None,
    top_p: Annotated[float | None, typer.Option(help="Sampling: from the likeliest P.")] = None,
    seed: Annotated[int | None, typer.Option(help="Sampling: seed.")] = None,
    out: Drawings = None,
    target_language: TargetLanguage = None,
    source_language: SourceLanguage = None,
    settings: Settings = None,
    device: Device = None,
) -> None:
    """Show a search step by step: what was kept, what was pruned and why, and what might have been.

    The search is that of the folder, in float32; other fields are set with --set decoding....
    """
    from seqloom.inspection.beam_record import BeamRecord
    from seqloom.inspection.beam_recording import Asked

    for place in out or []:
        BeamRecord.check_suffix(place)
    flags: dict[str, Any] = {
        "beam": beam, "nbest": nbest, "max_tokens": max_tokens, "temperature": temperature,
        "top_k": top_k, "top_p": top_p, "seed": seed, "sample": sample,
    }  # fmt: skip
    check_sampling(flags)
    asked = Asked(candidates, greedy, sample)
    languages: Languages = {"target_language": target_language, "source_language": source_language}
    with Watch() as watch:
        flags["sample"] = False  # the search is shown whatever the folder does by itself
        record = _recorded(
            folder, text, flags, settings or [], asked, force, languages, device, watch
        )
        for number, place in enumerate(out or []):
            watch.stage("drawing", number, len(out or []))
            record.save(place)
    typer.echo(record.text())
    if out:
        say(f"drawn in {', '.join(map(str, out))}")


def _recorded(
    folder: Path,
    text: str,
    flags: dict[str, Any],
    settings: Sequence[str],
    asked: Asked,
    force: str | None,
    languages: Languages,
    device: str | None,
    watch: Watch,
) -> BeamRecord:
    from seqloom.inspector.beam import beam_of_continuation, beam_of_translation

    if folder_kind(folder) is not None:
        if any(languages.values()):
            raise DecodingError(f"{folder} holds a language model, which is told no language.")
        model = open_language_model(folder, device)
        options = decoding_recipe(model.recipe.decoding, flags, settings)
        return beam_of_continuation(model, text, options, asked, force, watch.stage)
    translator = open_translator(folder, device)
    options = decoding_recipe(translator.recipe.decoding, flags, settings)
    return beam_of_translation(translator, text, options, asked, force, watch.stage, **languages)
