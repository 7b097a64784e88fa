"""``seqloom inspect probe``: what each layer knows."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, NamedTuple

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

if TYPE_CHECKING:
    from seqloom.inspection.probe_record import ProbeRecord
    from seqloom.inspection.probing import Kind
    from seqloom.inspection.structure_record import StructureRecord
    from seqloom.inspector.probe import Settings
    from seqloom.inspector.subject import Subject
    from seqloom.text.tags import Languages

Probes = Literal["linear", "hidden", "both"]


class Material(NamedTuple):
    """What probes learn from and are measured on."""

    treebank: Path
    test: Path | None
    examples: int


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
            "another file; length of the sentence; word: which of a hundred words it holds; tree: "
            "who depends on whom.",
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
    from seqloom.inspector.probe import Settings

    for place in out or []:
        ProbeRecord.check_suffix(place)
    languages: Languages = {"target_language": target_language, "source_language": source_language}
    subject = _subject(folder, languages, device)
    material = Material(treebank, test, examples)
    with Watch() as watch:
        if asked == "tree":
            record: ProbeRecord | StructureRecord = _trees(
                subject, material, seeds, checkpoints, watch
            )
        else:
            kinds: tuple[Kind, ...] = ("linear", "hidden") if kind == "both" else (kind,)
            settings = Settings(kinds, seeds, checkpoints)
            record = _property(subject, material, asked, settings, watch)
        for place in out or []:
            record.save(place)
    typer.echo(record.text())
    if out:
        say(f"drawn in {', '.join(map(str, out))}")


def _subject(folder: Path, languages: Languages, device: str | None) -> Subject:
    from seqloom.inspector.subject import Subject

    if folder_kind(folder) is not None:
        return Subject.of_language_model(open_language_model(folder, device))
    return Subject.of_translator(open_translator(folder, device), languages)


def _property(
    subject: Subject,
    material: Material,
    asked: str | None,
    settings: Settings,
    watch: Watch,
) -> ProbeRecord:
    from seqloom.inspector.probe import probe_model
    from seqloom.inspector.probe_data import ask

    treebank, test, examples = material
    question = ask(asked, treebank, test, examples=examples, readable=subject.readable)
    _tell(question.notes)
    return probe_model(subject, question, settings, watch.stage)


def _trees(
    subject: Subject, material: Material, seeds: int, checkpoints: bool, watch: Watch
) -> StructureRecord:
    from seqloom.inspector.structure import probe_structure, read_trees

    trees = read_trees(subject, *material)
    _tell(trees.notes)
    return probe_structure(subject, trees, seeds, checkpoints, watch.stage)


def _tell(notes: Sequence[str]) -> None:
    for note in notes:
        say(note)
