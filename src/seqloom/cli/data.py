"""``seqloom prepare`` and ``seqloom get``: from files to clean pairs, tokenizer and store."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from seqloom.cli.console import Watch, say
from seqloom.cli.options import Settings
from seqloom.errors import CorpusError, FolderError

if TYPE_CHECKING:
    from seqloom.recipe import DataRecipe
    from seqloom.text.tokenizer import Tokenizer


def prepare(
    files: Annotated[
        list[str],
        typer.Argument(
            metavar="FILE...",
            help="Two aligned text files, or one .tsv or .parquet file with both sides; "
            "with --explain also a prepared or model folder.",
        ),
    ],
    out: Annotated[Path | None, typer.Option(help="Folder for the prepared corpus.")] = None,
    validation_source: Annotated[
        str | None, typer.Option(help="Held-out source sentences.")
    ] = None,
    validation_target: Annotated[
        str | None, typer.Option(help="Held-out target sentences.")
    ] = None,
    explain: Annotated[
        str | None,
        typer.Option(metavar="TEXT", help="Show step by step how this text is cut into tokens."),
    ] = None,
    settings: Settings = None,
) -> None:
    """Read, clean, de-duplicate and split a corpus; learn its tokenizer; write the token store."""
    if out is None and explain is None:
        raise FolderError("nowhere to write: add --out DIR, or --explain TEXT to look only.")
    if explain is not None and Path(files[0]).is_dir():
        from seqloom.text.tokenizer import SOURCE_FILE, Tokenizer

        _explain(Tokenizer.load(Path(files[0]) / SOURCE_FILE), explain)
        return
    recipe = _data_recipe(files, validation_source, validation_target, settings)
    if out is None:
        _explain_from_files(recipe, explain or "")
        return
    from seqloom.text.prepare import prepare as run

    with Watch() as watch:
        prepared = run(recipe, out, progress=watch.stage)
    typer.echo(_summary(prepared.report))
    say(f"prepared {out}; examples of what was dropped: {out / 'report.json'}")
    if explain is not None:
        _explain(prepared.tokenizers.source, explain)


def _summary(report: dict[str, Any]) -> str:
    """What cleaning kept and dropped, and what the tokenizer came to."""
    rows = []
    for name, cleaning in report["cleaning"].items():
        rows.append(f"{name}: {cleaning['read']:,} pairs read, {cleaning['kept']:,} kept")
        rows += [
            f"  {filter_name}: {dropped['count']:,} dropped ({dropped['reason']})"
            for filter_name, dropped in cleaning["dropped"].items()
            if dropped["count"]
        ]
    sizes = report["vocabulary"]
    both = f"{sizes['source']:,}" if sizes["joint"] else f"{sizes['source']:,}/{sizes['target']:,}"
    rows.append(
        f"vocabulary: {both} ({sizes['kind']}, {'joint' if sizes['joint'] else 'separate'})"
    )
    for name in ("train", "validation"):
        part = report[name]
        long = part["too_long"]["count"]
        rows.append(
            f"{name} store: {part['pairs']:,} pairs, {part['source_tokens']:,} source and "
            f"{part['target_tokens']:,} target tokens{f'; {long:,} too long' if long else ''}"
        )
    return "\n".join(rows)


def _data_recipe(
    files: list[str],
    validation_source: str | None,
    validation_target: str | None,
    settings: list[str] | None,
) -> DataRecipe:
    from seqloom.recipe import load_recipe

    if len(files) > 2:
        raise CorpusError(
            f"{len(files)} files given; expected two aligned text files (source, target), or one "
            ".tsv or .parquet file with both sides."
        )
    recipe = load_recipe(None, settings or [])
    given = {
        "source": files[0],
        "target": files[1] if len(files) == 2 else None,
        "validation_source": validation_source,
        "validation_target": validation_target,
    }
    return recipe.data.model_copy(update={key: value for key, value in given.items() if value})


def _explain_from_files(recipe: DataRecipe, text: str) -> None:
    """Learn a tokenizer of the files without writing anything."""
    from seqloom.corpus.readers import read_corpus
    from seqloom.text.prepare import vocabulary_size
    from seqloom.text.tokenizer import Tokenizer

    corpus = read_corpus(recipe.source or "", recipe.target)
    texts = [side for pair in corpus.pairs() for side in pair[:2]]
    size = recipe.vocabulary or vocabulary_size(len(texts) // 2)
    _explain(Tokenizer.train(texts, recipe.tokenizer, size, exact=False), text)


def _explain(tokenizer: Tokenizer, text: str) -> None:
    typer.echo(str(tokenizer.explain(text)))


def get(
    name: Annotated[str, typer.Argument(help="Name of the data set, such as multi30k.")],
    out: Annotated[Path | None, typer.Option(help="Folder; data/NAME when left out.")] = None,
    mirror: Annotated[
        str | None, typer.Option(metavar="URL", help="Fetch from this address instead.")
    ] = None,
) -> None:
    """Download a data set from its own repository and check its checksums."""
    from seqloom.corpus.download import get as fetch

    folder = out or Path("data") / name
    with Watch() as watch:
        paths = fetch(name, folder, mirror, watch.stage)
    for path in paths:
        typer.echo(str(path))
