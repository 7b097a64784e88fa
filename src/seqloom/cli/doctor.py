"""``seqloom doctor``: what is wrong with a corpus, before a training run is wasted on it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from seqloom.cli.console import Watch, say
from seqloom.cli.corpora import FILES, Columns, Format, Languages, UntilError, open_corpora
from seqloom.cli.options import Json
from seqloom.errors import CorpusError, writing

if TYPE_CHECKING:
    from seqloom.corpus.doctor import Examination
    from seqloom.corpus.pairs import Corpus


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
    drop: Annotated[
        str | None,
        typer.Option(
            metavar="SIGNS",
            help="Signs with commas, such as unrelated,language,shifted: with --cleaned.",
        ),
    ] = None,
    cleaned: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="FILE",
            help="Write the corpus without the pairs that have a sign to drop; twice for source "
            "and target as lines of text.",
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """Examine a corpus: sizes, duplicates, leaks, languages, misalignment, suspects, advice."""
    from seqloom.corpus.doctor import examine, write_page
    from seqloom.corpus.readers import join_corpora

    _check_drop(drop, cleaned, limit)
    corpus = join_corpora(open_corpora(files, languages, columns, format, until_error))
    held_out = {
        name: join_corpora(open_corpora(places, languages, columns, format))
        for name, places in (("validation", validation), ("test", test))
        if places
    }
    with Watch() as watch:
        found = examine(corpus, held_out=held_out, limit=limit, progress=watch.stage)
        if drop and cleaned:
            _write_cleaned(corpus, found, drop, cleaned, watch)
    record = found.as_dict()
    typer.echo(json.dumps(record, ensure_ascii=False) if as_json else found.text())
    if out is not None:
        with writing(out):
            out.mkdir(parents=True, exist_ok=True)
            text = json.dumps(record, ensure_ascii=False, indent=1) + "\n"
            (out / "doctor.json").write_text(text, encoding="utf-8")
        write_page(record, out / "doctor.html")
        say(f"the same with pictures: {out / 'doctor.html'}")


def _check_drop(drop: str | None, cleaned: list[Path] | None, limit: int | None) -> None:
    """Both or none, one file or two, and of a corpus that is examined as a whole."""
    if drop is not None and limit is not None:
        raise CorpusError(
            "--limit and --drop: what is not examined cannot be cleaned; leave --limit out."
        )
    if (drop is None) != (not cleaned) or len(cleaned or ()) > 2:
        raise CorpusError(
            "--drop SIGNS and --cleaned FILE go together: what to leave out, and where to write "
            "the rest (one file, or two for lines of text)."
        )


def _write_cleaned(
    corpus: Corpus, found: Examination, drop: str, cleaned: list[Path], watch: Watch
) -> None:
    from seqloom.corpus.doctor import without
    from seqloom.corpus.writers import write_corpus

    signs = [sign.strip() for sign in drop.split(",") if sign.strip()]
    rest = without(corpus, found, signs)
    written = write_corpus(rest.watched(watch.stage, "write"), *cleaned)
    places = " and ".join(map(str, cleaned))
    watch.message(f"{written:,} pairs without {', '.join(signs)} written to {places}")
