"""``seqloom tag``: the tags of words."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from seqloom.cli.console import Watch
from seqloom.cli.files import lines, results
from seqloom.cli.options import Device, Json, Output
from seqloom.errors import CorpusError
from seqloom.runtime import is_terminal

if TYPE_CHECKING:
    from seqloom.encoders import WordTagger
    from seqloom.evaluation.tagging import Tagging

AT_ONCE = 500
"""Sentences that are tagged together."""


def tag(
    folder: Annotated[Path, typer.Argument(help="Folder of `seqloom finetune --task tag`.")],
    file: Annotated[
        str,
        typer.Argument(
            metavar="FILE|-",
            help="One sentence a line, spaces between words; - or nothing: standard input.",
        ),
    ] = "-",
    labelled: Annotated[
        bool,
        typer.Option("--labelled", help="FILE has tags (.conllu, or columns): measure."),
    ] = False,
    column: Annotated[
        str | None,
        typer.Option(metavar="COLUMN", help="--labelled: which column, as for finetune."),
    ] = None,
    conllu: Annotated[
        bool, typer.Option("--conllu", help="Write CoNLL-U, the tags as UPOS.")
    ] = False,
    as_json: Json = False,
    output: Output = None,
    device: Device = None,
) -> None:
    """Print each word, a tab and its tag, a blank line after each sentence.

    With --labelled, print how many tags are right.
    """
    if column is not None and not labelled:
        raise CorpusError("--column is for sentences that have tags; add --labelled.")
    if labelled and file == "-":
        raise CorpusError("--labelled reads a file and no standard input; name the file.")
    if conllu and (as_json or labelled):
        raise CorpusError("--conllu is a form of tagged sentences; leave the other option out.")
    from seqloom.encoders import WordTagger
    from seqloom.runtime import set_threads

    set_threads()
    tagger = WordTagger.load(folder, device=device)
    sentences = iter(()) if labelled else (line.split() for line in lines(file))
    visible = output is not None or not is_terminal(sys.stdout)
    with results(output) as stream, Watch(shown=visible) as watch:
        if labelled:
            figures = _measured(tagger, file, column, watch)
            record = json.dumps(figures.as_dict(), ensure_ascii=False, indent=2)
            stream.write(f"{record if as_json else figures.text()}\n")
        window, done = 1 if file == "-" and is_terminal(sys.stdin) else AT_ONCE, 0
        while some := list(islice(sentences, window)):
            for number, (words, tags) in enumerate(zip(some, tagger.tag(some), strict=True)):
                form = "json" if as_json else "conllu" if conllu else "columns"
                stream.writelines(_shown(words, tags, form, done + number + 1))
            stream.flush()
            done += len(some)
            watch.stage("tagging", done)
        for note in tagger.notes:
            watch.message(note)


def _measured(tagger: WordTagger, file: str, column: str | None, watch: Watch) -> Tagging:
    from seqloom.corpus.tagged import read_tagged, unknown_tags
    from seqloom.evaluation.tagging import tagging

    found = read_tagged([file], column=column)
    if strange := unknown_tags(found, tagger.tags):
        watch.message(strange)
    said = tagger.tag(
        [each.words for each in found.sentences], [each.joined for each in found.sentences]
    )
    return tagging([each.tags for each in found.sentences], said)


def _shown(words: Sequence[str], tags: Sequence[str], form: str, number: int) -> Iterator[str]:
    """The lines of one sentence; none of an empty one."""
    if form == "json":
        yield json.dumps({"words": words, "tags": tags}, ensure_ascii=False) + "\n"
        return
    if not words:
        return
    if form == "conllu":
        yield f"# sent_id = {number}\n# text = {' '.join(words)}\n"
    for place, (word, name) in enumerate(zip(words, tags, strict=True), 1):
        if form == "conllu":
            yield f"{place}\t{word}\t_\t{name}" + "\t_" * 6 + "\n"
        else:
            yield f"{word}\t{name}\n"
    yield "\n"
