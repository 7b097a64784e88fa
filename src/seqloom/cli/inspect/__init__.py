"""``seqloom inspect ...``: what a model does, as pictures, pages and records."""

from __future__ import annotations

import typer

from seqloom.cli.inspect import align, attention, beam, heads, probe, tokens

app = typer.Typer(help="See what a model does: where it looks, and why.", no_args_is_help=True)
app.command("attention")(attention.attention)
app.command("align")(align.align)
app.command("beam")(beam.beam)
app.command("heads")(heads.heads)
app.command("probe")(probe.probe)
app.command("tokens")(tokens.tokens)
