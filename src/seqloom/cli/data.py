"""``seqloom prepare`` and ``seqloom get``: from files to clean pairs, tokenizer and store."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from seqloom.cli.console import Watch, say
from seqloom.cli.corpora import (
    FILES,
    Columns,
    Filters,
    Format,
    Languages,
    UntilError,
    changed,
    data_of,
)
from seqloom.cli.options import Settings, find_recipe
from seqloom.errors import FolderError

if TYPE_CHECKING:
    from seqloom.recipe import DataRecipe
    from seqloom.text.prepare import Prepared
    from seqloom.text.tokenizer import Tokenizer


def prepare(
    files: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="FILE...",
            help=f"{FILES} Several are several corpora. With --explain also a prepared or model "
            "folder.",
        ),
    ] = None,
    out: Annotated[Path | None, typer.Option(help="Folder for the prepared corpus.")] = None,
    recipe: Annotated[
        str | None,
        typer.Option(metavar="RECIPE", help="A .yaml file, or the name of a shipped recipe."),
    ] = None,
    languages: Languages = None,
    columns: Columns = None,
    format: Format = None,
    filters: Filters = None,
    validation_source: Annotated[
        str | None, typer.Option(help="Held-out source sentences.")
    ] = None,
    validation_target: Annotated[
        str | None, typer.Option(help="Held-out target sentences.")
    ] = None,
    test_source: Annotated[
        str | None, typer.Option(help="Test sentences, to be kept out of training.")
    ] = None,
    test_target: Annotated[str | None, typer.Option(help="Their translations.")] = None,
    until_error: UntilError = False,
    workers: Annotated[
        int | None, typer.Option(min=1, help="Processes for a large corpus; all processors.")
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
    if explain is not None and files and Path(files[0]).is_dir():
        from seqloom.text.tokenizer import SOURCE_FILE, Tokenizer

        _explain(Tokenizer.load(Path(files[0]) / SOURCE_FILE), explain)
        return
    from seqloom.recipe import load_recipe

    data = load_recipe(None if recipe is None else find_recipe(recipe), settings or []).data
    data = data_of(data, files or [], languages, columns, format, filters, until_error)
    held_out = {
        "validation_source": validation_source, "validation_target": validation_target,
        "test_source": test_source, "test_target": test_target,
    }  # fmt: skip
    data = changed(data, {name: value for name, value in held_out.items() if value})
    if out is None:
        _explain_from_files(data, explain or "")
        return
    prepared = _prepared(data, out, workers)
    if explain is not None:
        _explain(prepared.tokenizers.source, explain)


def _prepared(data: DataRecipe, out: Path, workers: int | None) -> Prepared:
    """Prepare, and say what came of it."""
    from seqloom.corpus.picture import save_report
    from seqloom.corpus.report import Report
    from seqloom.runtime import processors
    from seqloom.text.prepare import prepare as run

    with Watch() as watch:
        try:
            prepared = run(
                data, out, workers=workers or processors(), progress=watch.stage, warn=watch.message
            )
        except KeyboardInterrupt:
            watch.message("stopped; the same command goes on from here")
            raise
    typer.echo(_summary(prepared.report))
    for name, cleaning in prepared.report["cleaning"].items():
        save_report(Report.from_dict(cleaning), out / f"cleaning-{name.replace(': ', '-')}.png")
    say(f"prepared {out}; examples of what was dropped: {out / 'report.json'}")
    return prepared


def _summary(report: dict[str, Any]) -> str:
    """What cleaning kept and dropped, and what the tokenizer came to."""
    rows = []
    for name, cleaning in report["cleaning"].items():
        rows.append(f"{name}: {cleaning['read']:,} pairs read, {cleaning['kept']:,} kept")
        for filter_name, dropped in cleaning["dropped"].items():
            if dropped["count"]:
                rows.append(f"  {filter_name}: {dropped['count']:,} dropped ({dropped['reason']})")
            rows += [
                f"    pair {example['pair']:,}: {example['source']!r} | {example['target']!r}"
                for example in dropped["examples"]
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


def _explain_from_files(recipe: DataRecipe, text: str) -> None:
    """Learn a tokenizer of the files without writing anything."""
    from seqloom.text.material import materials
    from seqloom.text.prepare import vocabulary_size
    from seqloom.text.tokenizer import Tokenizer

    found = materials(recipe, None, None, say)
    texts = [side for one in found for pair in one.corpus.pairs() for side in pair[:2]]
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
