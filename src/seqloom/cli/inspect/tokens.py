"""``seqloom inspect tokens``: how a text is cut."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from seqloom.cli.console import say
from seqloom.cli.options import Drawings


def tokens(
    folder: Annotated[Path, typer.Argument(help="Model folder, or a prepared one.")],
    text: Annotated[str, typer.Argument(help="What is to be cut.")],
    side: Annotated[
        Literal["source", "target"], typer.Option(help="Whose vocabulary, of two.")
    ] = "source",
    out: Drawings = None,
) -> None:
    """Show step by step how a text is cut into tokens: BPE merge by merge."""
    from seqloom.inspection.tokens import TokensRecord
    from seqloom.text.tokenizer import Tokenizers

    for place in out or []:
        TokensRecord.check_suffix(place)
    both = Tokenizers.load(folder)
    record = TokensRecord((both.source if side == "source" else both.target).explain(text))
    typer.echo(record.explanation.text())
    for place in out or []:
        record.save(place)
    if out:
        say(f"drawn in {', '.join(map(str, out))}")
