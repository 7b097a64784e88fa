"""``seqloom inspect heads``: the role of every head, and the evidence for it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from seqloom.cli.console import Watch, say
from seqloom.cli.files import all_lines, check_aligned
from seqloom.cli.options import (
    Device,
    Drawings,
    SourceLanguage,
    TargetLanguage,
    folder_kind,
    open_language_model,
    open_translator,
)
from seqloom.errors import CorpusError, SeqloomError

if TYPE_CHECKING:
    from seqloom.corpus.trees import Treebank
    from seqloom.inspection.heads_record import HeadsRecord
    from seqloom.language_model import LanguageModel
    from seqloom.text.tags import Languages
    from seqloom.translator import Translator


def heads(
    folder: Annotated[Path, typer.Argument(help="Folder of a translation or language model.")],
    source: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="What the model reads, a text a line."),
    ] = None,
    target: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="What a translator is to write, in place of its own translations."
        ),
    ] = None,
    treebank: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Sentences in CoNLL-U, for syntactic roles."),
    ] = None,
    sentences: Annotated[
        int, typer.Option(min=1, metavar="N", help="Read the first N of either file.")
    ] = 1000,
    importance: Annotated[
        bool,
        typer.Option(
            "--importance",
            help="Switch each head off by itself: what is lost of log-likelihood and BLEU.",
        ),
    ] = False,
    out: Drawings = None,
    part: Annotated[
        str | None,
        typer.Option(
            metavar="cross|encoder|decoder|text",
            help="With --layer and --head: of which attention.",
        ),
    ] = None,
    layer: Annotated[
        int | None,
        typer.Option(metavar="N", help="Pictures: the evidence of one head of this layer, from 0."),
    ] = None,
    head: Annotated[
        int | None, typer.Option(metavar="N", help="And which head of it, from 0.")
    ] = None,
    target_language: TargetLanguage = None,
    source_language: SourceLanguage = None,
    device: Device = None,
) -> None:
    """Print what each head is for, with figures; --out draws a map and the evidence."""
    from seqloom.corpus.streams import writing_bytes
    from seqloom.corpus.trees import read_treebank
    from seqloom.inspection.heads_record import HeadsRecord

    for place in out or []:
        HeadsRecord.check_suffix(place)
    wanted = None if layer is None or head is None else (layer, head, part)
    if (layer is None) != (head is None) or (part is not None and head is None):
        raise SeqloomError("--part, --layer and --head name one head together; give both numbers.")
    sources, targets = _sides(source, target, sentences)
    if source is None and treebank is None:
        raise CorpusError("no text is given; name a file with --source, or one with --treebank.")
    trees = None if treebank is None else read_treebank(treebank, sentences)
    languages: Languages = {"target_language": target_language, "source_language": source_language}
    with Watch() as watch:
        model = _opened(folder, targets, languages, device, wanted)
        record = _record(model, folder, sources, targets, trees, importance, languages, watch)
        one = None if wanted is None else record.head(*wanted)
        for place in out or []:
            suffix = place.suffix.lower()
            if one is None or suffix in (".html", ".json"):
                record.save(place)
            else:
                with writing_bytes(place) as file:
                    file.write(record.picture_of(one, suffix))
    for note in record.notes:
        say(note)
    typer.echo(record.text())
    if out:
        say(f"drawn in {', '.join(map(str, out))}")


def _sides(
    source: Path | None, target: Path | None, most: int
) -> tuple[list[str], list[str] | None]:
    if target is not None and source is None:
        raise CorpusError(f"--target {target} says what is written for --source, which is missing.")
    files = [(each, all_lines(each)) for each in (source, target) if each is not None]
    if files:
        check_aligned(files)
    lines = [texts[:most] for _, texts in files]
    return (lines[0] if lines else []), (lines[1] if len(lines) > 1 else None)


def _opened(
    folder: Path,
    targets: list[str] | None,
    languages: Languages,
    device: str | None,
    wanted: tuple[int, int, str | None] | None,
) -> Translator | LanguageModel:
    """The model, in which there is the head that is ``wanted``."""
    from seqloom.inspection.head_places import head_at, places_of

    found: Translator | LanguageModel
    if folder_kind(folder) is None:
        found = open_translator(folder, device)
    elif targets is not None or any(languages.values()):
        raise CorpusError(f"{folder} holds a language model, which reads one text, no target.")
    else:
        found = open_language_model(folder, device)
    if wanted is not None:
        head_at(places_of(found.model), *wanted)
    return found


def _record(
    model: Translator | LanguageModel,
    folder: Path,
    sources: list[str],
    targets: list[str] | None,
    treebank: Treebank | None,
    losses: bool,
    languages: Languages,
    watch: Watch,
) -> HeadsRecord:
    from seqloom.inspector.heads import heads_of_language_model, heads_of_translator
    from seqloom.translator import Translator

    title = f"Heads of {folder.name or folder.resolve().name}"
    if isinstance(model, Translator):
        return heads_of_translator(
            model,
            sources,
            targets,
            treebank=treebank,
            losses=losses,
            languages=languages,
            title=title,
            progress=watch.stage,
        )
    return heads_of_language_model(
        model,
        sources,
        treebank=treebank,
        losses=losses,
        title=title,
        progress=watch.stage,
    )
