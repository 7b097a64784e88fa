"""Ways to drive the command line as a user would, and a corpus that is learned in seconds."""

from __future__ import annotations

import contextlib
import io
import os
import random
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from seqloom.cli import main

LETTERS = "abcdefgh"
SMALL = (
    "data.tokenizer=word", "model.width=32", "model.feedforward=64", "model.heads=2",
    "model.encoder_layers=1", "model.decoder_layers=1", "model.dropout=0",
    "training.updates=200", "training.batch_tokens=512", "training.validate_every=100",
    "training.warmup=20", "training.learning_rate=0.005", "training.schedule=linear",
    "training.label_smoothing=0", "training.precision=float32", "training.keep=2",
    "decoding.beam=2",
)  # fmt: skip
PROGRAM = Path(sys.executable).with_name("seqloom")


@dataclass(frozen=True)
class Result:
    code: int
    out: str
    err: str


def seqloom(*arguments: object, cwd: Path | None = None, stdin: str | bytes = "") -> Result:
    """Run one command in this process, through the same ``main`` that the shell calls."""
    given = stdin.encode() if isinstance(stdin, str) else stdin
    streams = sys.stdin, sys.stdout, sys.stderr
    handler = signal.getsignal(signal.SIGTERM)
    out, err = (io.TextIOWrapper(io.BytesIO(), encoding="utf-8") for _ in range(2))
    sys.stdin, sys.stdout, sys.stderr = io.TextIOWrapper(io.BytesIO(given)), out, err
    try:
        with contextlib.chdir(cwd or Path.cwd()):
            main([str(argument) for argument in arguments])
    except SystemExit as end:
        code = int(end.code or 0)
    finally:
        sys.stdin, sys.stdout, sys.stderr = streams
        signal.signal(signal.SIGTERM, handler)
    for stream in (out, err):
        stream.flush()
    return Result(code, *(s.buffer.getvalue().decode() for s in (out, err)))  # type: ignore[attr-defined]


def start(*arguments: object, cwd: Path) -> subprocess.Popen[bytes]:
    """Start the installed program in a process of its own."""
    return subprocess.Popen(
        [PROGRAM, *map(str, arguments)],
        cwd=cwd,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, "OMP_NUM_THREADS": "1", "SEQLOOM_DEVICE": "cpu"},
    )


def small(*more: str) -> list[str]:
    """Settings of a model that learns in seconds."""
    return [word for setting in (*SMALL, *more) for word in ("--set", setting)]


def write_pairs(folder: Path, name: str, count: int, seed: int) -> None:
    """Letters, and the same letters in capitals."""
    chance = random.Random(seed)
    texts = [" ".join(chance.choices(LETTERS, k=chance.randint(2, 5))) for _ in range(count)]
    (folder / f"{name}.en").write_text("".join(f"{t}\n" for t in texts), encoding="utf-8")
    (folder / f"{name}.de").write_text("".join(f"{t.upper()}\n" for t in texts), encoding="utf-8")
