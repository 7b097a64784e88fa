"""``seqloom inspect probe``: what each layer knows."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from seqloom.cli.console import Watch, say
from seqloom.cli.options import (
    Device,
    Drawings,
    SourceLanguage,
    TargetLanguage,
    folder_kind,
    open_language_model,
    open_translator,
)

Probes = Literal["linear", "hidden", "both"]


def probe(
    folder: Annotated[Path, typer.Argument(help="Folder of a translation or language model.")],
    treebank: Annotated[
        Path,
        typer.Option(metavar="FILE", help="Sentences in CoNLL-U, or a word and its tag a line."),
    ],
    test: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="To measure on; else a fifth of the sentences."),
    ] = None,
    asked: Annotated[
        str | None,
        typer.Option(
            "--property",
            metavar="NAME",
            help="upos (the default), xpos, deprel, feats:Case, or the number of a column of "
            "another file; length of the sentence; word: which of a hundred words it holds.",
        ),
    ] = None,
    kind: Annotated[
        Probes, typer.Option("--probe", help="Without a hidden layer, with one, or both.")
    ] = "both",
    examples: Annotated[
        int, typer.Option(min=100, metavar="N", help="At most so many are learned from.")
    ] = 10_000,
    seeds: Annotated[int, typer.Option(min=1, metavar="N", help="Probes of each kind.")] = 5,
    checkpoints: Annotated[
        bool,
        typer.Option("--checkpoints", help="Probe the kept checkpoints of the training run, too."),
    ] = False,
    out: Drawings = None,
    target_language: TargetLanguage = None,
    source_language: SourceLanguage = None,
    device: Device = None,
) -> None:
    """Print what each layer knows of a property, beside a control task and a random model."""
    from seqloom.inspection.probe_record import ProbeRecord
    from seqloom.inspection.probing import KINDS
    from seqloom.inspector.probe import Settings, probe_model
    from seqloom.inspector.probe_data import ask
    from seqloom.inspector.subject import Subject

    for place in out or []:
        ProbeRecord.check_suffix(place)
    if folder_kind(folder) is not None:
        subject = Subject.of_language_model(open_language_model(folder, device))
    else:
        translator = open_translator(folder, device)
        subject = Subject.of_translator(
            translator, {"target_language": target_language, "source_language": source_language}
        )
    with Watch() as watch:
        question = ask(asked, treebank, test, examples=examples, readable=subject.readable)
        if question.left_out:
            say(f"{question.left_out:,} sentences are longer than the model's limit; left out")
        kinds = KINDS if kind == "both" else (kind,)
        record = probe_model(subject, question, Settings(kinds, seeds, checkpoints), watch.stage)
        for place in out or []:
            record.save(place)
    typer.echo(record.text())
    if out:
        say(f"drawn in {', '.join(map(str, out))}")
