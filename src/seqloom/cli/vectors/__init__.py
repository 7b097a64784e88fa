"""``seqloom vectors ...``: words and texts as numbers, from training to pictures."""

from __future__ import annotations

import typer

from seqloom.cli.vectors import bag, convert, evaluate, map, train

app = typer.Typer(
    help="Word vectors and bags of words: train, evaluate, draw, convert.", no_args_is_help=True
)
app.command("train")(train.train)
app.command("evaluate")(evaluate.evaluate)
app.command("map")(map.map)
app.command("convert")(convert.convert)
app.command("bag")(bag.bag)
app.command("keywords")(bag.keywords)
