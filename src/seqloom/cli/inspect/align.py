"""``seqloom inspect align``: which words stand for each other."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from seqloom.cli.console import Watch, say
from seqloom.cli.files import results
from seqloom.cli.options import (
    Device,
    Drawings,
    Output,
    SourceLanguage,
    TargetLanguage,
    folder_kind,
    open_translator,
)
from seqloom.errors import SeqloomError

Symmetries = Literal["intersection", "union", "grow-diag", "grow-diag-final", "grow-diag-final-and"]


def align(
    folder: Annotated[Path, typer.Argument(help="Folder of a translation model.")],
    source: Annotated[
        Path, typer.Option(metavar="FILE", help="A sentence a line, words parted by spaces.")
    ],
    target: Annotated[Path, typer.Option(metavar="FILE", help="Their translations, likewise.")],
    gold: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="Right links in Pharaoh format, 0-0 sure and 0?1 possible."
        ),
    ] = None,
    first_index: Annotated[
        int, typer.Option(min=0, max=1, metavar="0|1", help="The number of the first word in it.")
    ] = 0,
    reverse: Annotated[
        Path | None,
        typer.Option(
            metavar="FOLDER",
            help="A model of the other direction: layers are chosen by agreement, links joined.",
        ),
    ] = None,
    symmetry: Annotated[
        Symmetries, typer.Option(help="How the links of both directions are joined.")
    ] = "grow-diag-final-and",
    layer: Annotated[
        int | None, typer.Option(metavar="N", help="Read this layer, from 0; else the best.")
    ] = None,
    head: Annotated[
        int | None, typer.Option(metavar="N", help="And this head; else the mean of all.")
    ] = None,
    later: Annotated[
        bool | None,
        typer.Option(
            "--when-read/--when-written",
            help="Look at where the decoder looks when it has read a word, or when it writes it.",
        ),
    ] = None,
    out: Drawings = None,
    target_language: TargetLanguage = None,
    source_language: SourceLanguage = None,
    output: Output = None,
    device: Device = None,
) -> None:
    """Print links of words in Pharaoh format; with --gold, how good they are.

    With --gold, the links themselves go to --output.
    """
    from seqloom.corpus.alignments import read_aligned, tell_outside
    from seqloom.inspection.alignment_record import AlignmentRecord
    from seqloom.inspector.align import Chosen
    from seqloom.inspector.align import align as aligned

    for place in out or []:
        AlignmentRecord.check_suffix(place)
    pairs = read_aligned(source, target, gold, first=first_index)
    if told := tell_outside(pairs):
        say(told)
    for each in filter(None, (folder, reverse)):
        if folder_kind(each) is not None:
            raise SeqloomError(f"{each} holds no translation model, so nothing to align with.")
    with Watch() as watch:
        record = aligned(
            open_translator(folder, device),
            pairs,
            reverse=None if reverse is None else open_translator(reverse, device),
            chosen=Chosen(layer, head, later, symmetry),
            languages={"target_language": target_language, "source_language": source_language},
            reverse_languages={"target_language": source_language},
            progress=watch.stage,
        )
        for place in out or []:
            record.save(place)
    say(f"read in {record.how}")
    if gold is not None:
        typer.echo(record.text())
    if gold is None or output is not None:
        with results(output) as stream:
            stream.writelines(f"{line}\n" for line in record.lines())
