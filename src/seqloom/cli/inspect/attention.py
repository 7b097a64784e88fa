"""``seqloom inspect attention``: where a model looks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from seqloom.cli.console import Watch, say
from seqloom.cli.files import all_lines
from seqloom.cli.options import (
    Device,
    SourceLanguage,
    TargetLanguage,
    folder_kind,
    open_language_model,
    open_translator,
)
from seqloom.errors import CorpusError

if TYPE_CHECKING:
    from seqloom.inspection.attention import AttentionRecord
    from seqloom.inspection.record import Record
    from seqloom.text.tags import Languages

Texts = Annotated[
    list[str] | None, typer.Argument(metavar="[TEXT]...", help="What the model is to read.")
]
File = Annotated[
    Path | None, typer.Option("--file", metavar="FILE", help="One text a line, in place of TEXT.")
]
Target = Annotated[
    list[str] | None,
    typer.Option(
        metavar="TEXT",
        help="What a translator is to write, in place of its own translation; one for each text.",
    ),
]
TargetFile = Annotated[
    Path | None, typer.Option(metavar="FILE", help="The same, one a line of --file.")
]
Out = Annotated[
    list[Path] | None,
    typer.Option(
        metavar="FILE",
        help="Page (.html), picture (.png, .svg, .pdf) or record (.json); may be repeated; "
        "attention.html when left out.",
    ),
]


_VIEWS = ("weights", "value", "rollout")


def attention(
    folder: Annotated[Path, typer.Argument(help="Folder of a translation or language model.")],
    texts: Texts = None,
    file: File = None,
    target: Target = None,
    target_file: TargetFile = None,
    out: Out = None,
    part: Annotated[
        str | None,
        typer.Option(
            metavar="cross|encoder|decoder|text",
            help="Pictures: which attention; cross of a translator when left out. A page has all, "
            "of all layers and heads.",
        ),
    ] = None,
    layer: Annotated[
        int | None, typer.Option(metavar="N", help="Pictures: from 0; the last when left out.")
    ] = None,
    head: Annotated[
        int | None, typer.Option(metavar="N", help="Pictures: from 0; the mean when left out.")
    ] = None,
    view: Annotated[
        str,
        typer.Option(
            metavar="weights|value|rollout",
            help="Pictures and records: weights, weights times the length of what is taken, or "
            "the roll-out down to the tokens that were read. A page has all three.",
        ),
    ] = "weights",
    words: Annotated[
        bool,
        typer.Option("--words", help="Pictures and records: join pieces to words, as a page can."),
    ] = False,
    details: Annotated[
        bool, typer.Option("--details", help="Keep queries, keys, values and scores, too.")
    ] = False,
    target_language: TargetLanguage = None,
    source_language: SourceLanguage = None,
    device: Device = None,
) -> None:
    """Draw where a model looks: every layer and head, of one text or many."""
    from seqloom.inspection.attention import AttentionRecord, AttentionRecords

    if view not in _VIEWS:
        raise CorpusError(f"--view {view}: expected one of {', '.join(_VIEWS)}.")
    if view == "rollout" and head is not None:
        raise CorpusError("a roll-out joins the heads of a layer; leave --head out.")
    places = out or [Path("attention.html")]
    for place in places:
        AttentionRecord.check_suffix(place)
    read = _given(texts, file, "TEXT", "--file")
    written = _given(target, target_file, "--target", "--target-file")
    _check_texts(read, file)
    languages: Languages = {"target_language": target_language, "source_language": source_language}
    with Watch() as watch:
        records = list[AttentionRecord]()
        for record in _records(folder, read, written, languages, details, device):
            record.weights(layer, head, part)  # refuses what there is not, before more is read
            records.append(record)
            watch.stage("reading", len(records), len(read))
        asked = [_as_asked(each, view, words) for each in records]
        for place in places:
            suffix = place.suffix.lower()
            if suffix in (".html", ".json"):
                shown = records if suffix == ".html" else asked
                whole: Record = shown[0] if len(shown) == 1 else AttentionRecords(shown)
                whole.save(place)
            else:
                _draw(asked, place, layer, head, part)
    say(f"drawn in {', '.join(map(str, places))}")


def _given(items: Sequence[str] | None, file: Path | None, one: str, many: str) -> list[str]:
    if items and file is not None:
        raise CorpusError(f"both {one} and {many} are given; use one of them.")
    return all_lines(file) if file is not None else list(items or [])


def _check_texts(texts: Sequence[str], file: Path | None) -> None:
    if not texts:
        raise CorpusError("no text is given; name one, or a file of them with --file.")
    for number, text in enumerate(texts, start=1):
        if not text.strip():
            where = f"text {number}" if file is None else f"{file}, line {number}"
            raise CorpusError(f"{where}: is empty; expected what the model is to read.")


def _records(
    folder: Path,
    texts: Sequence[str],
    targets: Sequence[str],
    languages: Languages,
    details: bool,
    device: str | None,
) -> Iterator[AttentionRecord]:
    if targets and len(targets) != len(texts):
        raise CorpusError(
            f"{len(texts)} texts and {len(targets)} targets; expected one target for each text."
        )
    if folder_kind(folder) is not None:
        if targets or any(languages.values()):
            raise CorpusError(f"{folder} holds a language model, which reads one text, no target.")
        model = open_language_model(folder, device)
        yield from (model.attention(text, details=details) for text in texts)
        return
    translator = open_translator(folder, device)
    for number, text in enumerate(texts):
        target = targets[number] if targets else None
        yield translator.attention(text, target, details=details, **languages)


def _as_asked(record: AttentionRecord, view: str, words: bool) -> AttentionRecord:
    views = {
        "weights": lambda: record, "value": record.by_value, "rollout": record.rolled_out,
    }  # fmt: skip
    shown = views[view]()
    return shown.by_words() if words else shown


def _draw(
    records: Sequence[AttentionRecord],
    place: Path,
    layer: int | None,
    head: int | None,
    part: str | None,
) -> None:
    from seqloom.inspection.attention import plot_many

    if len(records) == 1:
        records[0].plot(place, layer, head, part)
    else:
        titles = [each.title for each in records]
        plot_many(records, place, titles, layer=layer, head=head, part=part)
