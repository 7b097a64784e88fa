"""The newcomer's first minutes, shortened to seconds."""

from __future__ import annotations

from pathlib import Path

import pytest
from command_line import seqloom

from seqloom.cli import demo
from seqloom.corpus.dates import LANGUAGES

SETTINGS = (
    "training.updates=4", "training.validate_every=4", "training.warmup=1",
    "training.batch_tokens=256", "training.validate_pairs=10", "training.precision=float32",
)  # fmt: skip


def test_the_demo_trains_shows_and_draws(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(demo, "PAIRS", 1200)
    monkeypatch.setattr(demo.shutil, "which", lambda name: None)
    monkeypatch.setattr(demo.sys, "argv", ["bin/seqloom"])
    flags = [word for setting in SETTINGS for word in ("--set", setting)]
    done = seqloom("demo", *flags, cwd=tmp_path)
    assert done.code == 0, done.err
    for language in LANGUAGES:
        assert f" {language} " in done.out
    assert "of 60 held-out dates exactly right" in done.out
    # Not on the path, as in an environment that is not activated: shown as it was called.
    assert "  bin/seqloom train --source train.en --target train.de --out runs/en-de" in done.out
    picture = tmp_path / "runs" / "demo" / "attention.png"
    assert picture.read_bytes().startswith(b"\x89PNG")
    again = seqloom("translate", "runs/demo", cwd=tmp_path, stdin="3 mai 1999\n")
    assert (again.code, len(again.out.splitlines())) == (0, 1)


def test_a_data_set_that_is_generated_needs_no_network(tmp_path: Path) -> None:
    done = seqloom("get", "reverse", cwd=tmp_path)
    assert done.code == 0, done.err
    files = done.out.splitlines()
    assert files == ["data/reverse/train.tsv", "data/reverse/validation.tsv"]
    source, target = (tmp_path / files[0]).read_text(encoding="utf-8").split("\n")[0].split("\t")
    assert source == target[::-1]
