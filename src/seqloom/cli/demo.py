"""The newcomer's first minutes: train, see it translate, see what it attends to."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from seqloom.cli.console import Watch, say
from seqloom.cli.options import find_recipe

if TYPE_CHECKING:
    from seqloom.corpus.pairs import Pair
    from seqloom.translator import Translator

PAIRS = 60_000
EXAMPLES_A_LANGUAGE = 2


def run(out: Path, settings: Sequence[str], device: str | None) -> None:
    """Train on dates as people write them, and show what came of it."""
    from seqloom.corpus.dates import dates_corpus
    from seqloom.recipe import load_recipe
    from seqloom.workflow import train

    say("Dates in six languages -> ISO 8601. No date of the test is seen in training.")
    corpus, validation, test = dates_corpus(PAIRS, seed=1)
    recipe = load_recipe(find_recipe("dates"), settings)
    generated = recipe.data.model_copy(update={"source": None, "validation_source": None})
    recipe = recipe.model_copy(update={"data": generated})
    with Watch() as watch:
        model = train(
            recipe, out, corpus=corpus, validation=validation, device=device, progress=watch
        )
        held_out = list(test.pairs())
        watch.stage("translating the test dates", 0, len(held_out))
        found = model.translate([pair.source for pair in held_out])
    _show_examples(held_out, found)
    right = sum(pair.target == text for pair, text in zip(held_out, found, strict=True))
    typer.echo(
        f"{right:,} of {len(held_out):,} held-out dates exactly right: "
        f"{100 * right / len(held_out):.2f} %"
    )
    picture = _draw_attention(model, held_out, out)
    typer.echo(f"attention of one sentence a language: {picture}")
    # Without an activated environment the bare name is not found; show what was called.
    command = "seqloom" if shutil.which("seqloom") else sys.argv[0]
    typer.echo(f"\nNow try it yourself:\n  echo '3 mai 1999' | {command} translate {out} -")
    typer.echo(
        "\nAnd train on your own files, one sentence a line:\n"
        f"  {command} train --source train.en --target train.de --out runs/en-de\n"
        f"  {command} translate runs/en-de new.en > new.de\n"
        f"  {command} evaluate runs/en-de --source test.en --references test.de"
    )


def _by_language(pairs: Sequence[Pair]) -> dict[str, list[int]]:
    """Language -> rows of its pairs, in order."""
    rows: dict[str, list[int]] = {}
    for row, pair in enumerate(pairs):
        rows.setdefault((pair.metadata or {}).get("language", ""), []).append(row)
    return rows


def _show_examples(pairs: Sequence[Pair], found: Sequence[str]) -> None:
    """Held-out dates beside the truth, a few a language."""
    from rich.console import Console
    from rich.table import Table

    table = Table("language", "never seen in training", "the model", "the truth", "", box=None)
    for language, rows in _by_language(pairs).items():
        for row in rows[:EXAMPLES_A_LANGUAGE]:
            pair = pairs[row]
            mark = "right" if found[row] == pair.target else "WRONG"
            table.add_row(language, pair.source, found[row], pair.target, mark)
    Console().print(table)


def _draw_attention(model: Translator, pairs: Sequence[Pair], out: Path) -> Path:
    """One picture with the attention of one sentence a language."""
    from seqloom.inspection.attention import plot_many

    records, titles = [], []
    for language, rows in _by_language(pairs).items():
        # A long date shows more than "5.3.1999".
        row = max(rows[:20], key=lambda row: len(pairs[row].source))
        records.append(model.attention(pairs[row].source))
        titles.append(language)
    path = out / "attention.png"
    plot_many(records, path, titles)
    return path
