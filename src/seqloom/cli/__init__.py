"""The command line: parse, call the library, show. No logic worth testing lives here.

Exit codes: 0; 2 for a mistake of the user, with one message on standard error; 130 for Ctrl-C and
143 for SIGTERM, after saving what can be saved. Standard output carries results only.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Sequence
from io import TextIOWrapper
from types import FrameType
from typing import Annotated, NoReturn

import typer

from seqloom.cli import (
    chat,
    classify,
    corpora,
    data,
    doctor,
    embed,
    evaluate,
    exchange,
    finetune,
    generate,
    info,
    inspect,
    neighbours,
    pretrain,
    prune,
    tag,
    train,
    translate,
    vectors,
)
from seqloom.errors import SeqloomError
from seqloom.runtime import wait_briefly

app = typer.Typer(
    name="seqloom",
    help="Train your own sequence-to-sequence model, see why it says what it says, and ship it.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Start here: seqloom demo",
)

app.command("demo")(train.demo)
app.command("prepare")(data.prepare)
app.command("convert")(corpora.convert)
app.command("doctor")(doctor.doctor)
app.command("train")(train.train)
app.command("pretrain")(pretrain.pretrain)
app.command("generate")(generate.generate)
app.command("chat")(chat.chat)
app.command("translate")(translate.translate)
app.command("score")(translate.score)
app.command("evaluate")(evaluate.evaluate)
app.add_typer(inspect.app, name="inspect")
app.add_typer(vectors.app, name="vectors")
app.command("neighbours")(neighbours.neighbours)
app.command("finetune")(finetune.finetune)
app.command("classify")(classify.classify)
app.command("tag")(tag.tag)
app.command("embed")(embed.embed)
app.command("export")(exchange.export)
app.command("import")(exchange.import_)
app.command("average")(train.average)
app.command("prune")(prune.prune)
app.command("get")(data.get)
app.command("info")(info.info)


def _print_version(wanted: bool) -> None:
    if wanted:
        from seqloom import __version__

        typer.echo(f"seqloom {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_print_version, is_eager=True, help="Print the version."
        ),
    ] = False,
) -> None:
    pass


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run one command, by default that of ``sys.argv``, and exit."""
    wait_briefly()
    terminated: list[int] = []

    def stop(number: int, frame: FrameType | None) -> None:
        terminated.append(number)
        raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, stop)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(encoding="utf-8", errors="backslashreplace")
    try:
        code = _run(arguments)
    except KeyboardInterrupt:
        code = 130
    if terminated:
        code = 128 + terminated[0]
    sys.exit(code if _flushed() else code or 1)


def _run(arguments: Sequence[str] | None) -> int:
    try:
        app(args=arguments, prog_name="seqloom")
    except SeqloomError as error:
        sys.stderr.write(f"seqloom: {error}\n")
        return 2
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else 1
    return 0


def _flushed() -> bool:
    """Hand the last of the output over; False when its reader has gone, as after ``| head``."""
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return False
    return True
