"""``seqloom translate`` and ``seqloom score``: what a model says, and how likely it finds it."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from seqloom.cli.console import Watch, say
from seqloom.cli.files import all_lines, check_aligned, lines, one_line, results
from seqloom.cli.options import (
    Device,
    Output,
    Settings,
    SourceLanguage,
    TargetLanguage,
    check_sampling,
    decoding_recipe,
    open_translator,
)
from seqloom.errors import DecodingError
from seqloom.runtime import is_terminal

if TYPE_CHECKING:
    from seqloom.lines import Translation
    from seqloom.recipe import DecodingRecipe
    from seqloom.text.tags import Languages
    from seqloom.translator import Translator

SCORED_TOGETHER = 1000
"""Pairs handed to the model at once."""

Folder = Annotated[Path, typer.Argument(help="Model folder.")]
With = Annotated[
    list[Path] | None,
    typer.Option("--with", metavar="FOLDER", help="Another model of an ensemble; may be repeated."),
]


def translate(
    folder: Folder,
    file: Annotated[
        str,
        typer.Argument(
            metavar="FILE|-",
            help="One sentence a line; - or nothing: standard input. An .xliff, .xlf, .po or .pot "
            "has the targets filled that it lacks (with --output).",
        ),
    ] = "-",
    companions: With = None,
    beam: Annotated[int | None, typer.Option(help="Beam size; 1 is greedy.")] = None,
    nbest: Annotated[int | None, typer.Option(help="Hypotheses a line.")] = None,
    sample: Annotated[bool, typer.Option("--sample", help="Draw instead of searching.")] = False,
    temperature: Annotated[float | None, typer.Option(help="Sampling: flatter above 1.")] = None,
    top_k: Annotated[int | None, typer.Option(help="Sampling: from the K likeliest.")] = None,
    top_p: Annotated[float | None, typer.Option(help="Sampling: from the likeliest P.")] = None,
    seed: Annotated[int | None, typer.Option(help="Sampling: seed.")] = None,
    no_repeat_ngram: Annotated[
        int | None, typer.Option(metavar="N", help="Never say the same N tokens twice.")
    ] = None,
    prefix: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Line n begins the translation of line n.")
    ] = None,
    target_language: TargetLanguage = None,
    source_language: SourceLanguage = None,
    truncate: Annotated[
        bool, typer.Option("--truncate/--split-long", help="What to do with too long a line.")
    ] = False,
    precision: Annotated[
        str | None,
        typer.Option(help="float32 (exact), bfloat16, int8 (fastest on a CPU), or auto: measured."),
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="One JSON object a line: source, hypotheses, scores.")
    ] = False,
    output: Output = None,
    device: Device = None,
    settings: Settings = None,
) -> None:
    """Translate a file or standard input, line by line.

    With --nbest, a line of output is: number of the source line, score, text, with tabs between.
    """
    flags: dict[str, Any] = {
        "beam": beam,
        "nbest": nbest,
        "sample": sample or None,
        "temperature": temperature,
        "top_k": top_k,
        "top_p": top_p,
        "seed": seed,
        "no_repeat_ngram": no_repeat_ngram,
        "precision": precision,
    }
    check_sampling(flags)
    document = _is_document(file)
    if document:
        _check_document(file, output, {"nbest": nbest, "prefix": prefix, "json": as_json or None})
    texts = iter(()) if document else lines(file)
    translator = open_translator(folder, device, companions or ())
    options = decoding_recipe(translator.recipe.decoding, flags, settings or [])
    languages: Languages = {"target_language": target_language, "source_language": source_language}
    if document and output is not None:
        _translate_document(translator, file, output, options, languages)
        return
    visible = output is not None or not is_terminal(sys.stdout)
    with results(output) as stream, Watch(shown=visible) as watch:
        found = translator.stream(
            texts,
            options,
            prefixes=None if prefix is None else lines(str(prefix)),
            **languages,
            truncate=truncate,
            warn=watch.message,
            window=1 if file == "-" and is_terminal(sys.stdin) else None,
        )
        for number, translation in enumerate(found, start=1):
            stream.write(_shown(number, translation, options.nbest, as_json))
            stream.flush()
            watch.stage("translating", number)


def _is_document(file: str) -> bool:
    from seqloom.documents import is_document

    return is_document(file)


def _check_document(file: str, output: Path | None, given: Mapping[str, Any]) -> None:
    """A document needs a place to be written to, and has one translation a unit.

    Raises:
        DecodingError: what cannot be done with a document.
        CorpusError: it is not there, or cannot be read.
    """
    from seqloom.corpus.files import check_readable

    if output is None:
        raise DecodingError(
            f"{file}: a document is not written to standard output; add --output FILE (the same "
            "name fills it in place)."
        )
    idle = [f"--{name}" for name, value in given.items() if value is not None]
    if idle:
        raise DecodingError(f"{', '.join(idle)}: not for documents such as {file}; leave it out.")
    check_readable(Path(file))


def _translate_document(
    translator: Translator,
    file: str,
    output: Path,
    options: DecodingRecipe,
    languages: Languages,
) -> None:
    from seqloom.documents import translate_document

    with Watch() as watch:
        filled = translate_document(
            translator,
            file,
            output,
            options,
            **languages,
            warn=watch.message,
            progress=watch.stage,
        )
    say(f"{filled:,} target{'' if filled == 1 else 's'} filled in {output}")


def _shown(number: int, translation: Translation, nbest: int, as_json: bool) -> str:
    """A translation as the lines that stand for it in the output."""
    if as_json:
        hypotheses = [asdict(output) for output in translation.outputs]
        line = {"source": translation.source, "hypotheses": hypotheses}
        return json.dumps(line, ensure_ascii=False) + "\n"
    if nbest == 1:
        return f"{one_line(translation.text)}\n"
    return "".join(
        f"{number}\t{each.score:.4f}\t{one_line(each.text)}\n" for each in translation.outputs
    )


def score(
    folder: Folder,
    source: Annotated[Path, typer.Option(metavar="FILE", help="Source sentences.")],
    target: Annotated[Path, typer.Option(metavar="FILE", help="Their translations.")],
    output: Output = None,
    device: Device = None,
) -> None:
    """Print the log-probability that the model gives to each translation, one a line."""
    sources, targets = all_lines(source), all_lines(target)
    check_aligned([(source, sources), (target, targets)])
    translator = open_translator(folder, device)
    with results(output) as stream, Watch() as watch:
        for start in range(0, len(sources), SCORED_TOGETHER):
            part = slice(start, start + SCORED_TOGETHER)
            for value in translator.score(sources[part], targets[part]):
                stream.write(f"{value:.6f}\n")
            watch.stage("scoring", min(part.stop, len(sources)), len(sources))
