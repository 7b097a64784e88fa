"""``seqloom doctor``: what is wrong with a corpus, before a training run is wasted on it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from seqloom.cli.console import Watch, say
from seqloom.cli.corpora import FILES, Columns, Format, Languages, UntilError, open_corpora
from seqloom.cli.options import Json
from seqloom.errors import writing


def doctor(
    files: Annotated[list[str], typer.Argument(metavar="FILE...", help=FILES)],
    out: Annotated[
        Path | None, typer.Option(help="Folder for doctor.html (with pictures) and doctor.json.")
    ] = None,
    validation: Annotated[
        list[str] | None,
        typer.Option(
            metavar="FILE",
            help="Held-out pairs that must not be in the corpus; twice for source and target.",
        ),
    ] = None,
    test: Annotated[
        list[str] | None, typer.Option(metavar="FILE", help="The same, for test pairs.")
    ] = None,
    languages: Languages = None,
    columns: Columns = None,
    format: Format = None,
    until_error: UntilError = False,
    limit: Annotated[
        int | None, typer.Option(min=1, help="Look at this many pairs at the beginning only.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Examine a corpus: sizes, duplicates, leaks, languages, misalignment, suspects, advice."""
    from seqloom.corpus.doctor import examine, write_page
    from seqloom.corpus.readers import join_corpora

    corpus = join_corpora(open_corpora(files, languages, columns, format, until_error))
    held_out = {
        name: join_corpora(open_corpora(places, languages, columns, format))
        for name, places in (("validation", validation), ("test", test))
        if places
    }
    with Watch() as watch:
        found = examine(corpus, held_out=held_out, limit=limit, progress=watch.stage)
    record = found.as_dict()
    typer.echo(json.dumps(record, ensure_ascii=False) if as_json else found.text())
    if out is not None:
        with writing(out):
            out.mkdir(parents=True, exist_ok=True)
            text = json.dumps(record, ensure_ascii=False, indent=1) + "\n"
            (out / "doctor.json").write_text(text, encoding="utf-8")
        write_page(record, out / "doctor.html")
        say(f"the same with pictures: {out / 'doctor.html'}")
