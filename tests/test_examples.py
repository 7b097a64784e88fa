"""The examples run in order in an empty folder, and say what they promise."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = sorted((Path(__file__).resolve().parents[1] / "examples").glob("*.py"))


@pytest.fixture(scope="module")
def outputs(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, str]]:
    """The folder where all examples ran, one after the other, and what each printed."""
    folder = tmp_path_factory.mktemp("examples")
    environment = {**os.environ, "SEQLOOM_DEVICE": "cpu"}
    printed = {}
    for example in EXAMPLES:
        command = [sys.executable, "-W", "error", str(example)]
        done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)
        assert done.returncode == 0, f"{example.name}: {done.stderr}"
        assert done.stderr == ""
        printed[example.name] = done.stdout
    return folder, printed


@pytest.mark.slow
def test_every_example_is_tested(outputs: tuple[Path, dict[str, str]]) -> None:
    assert sorted(outputs[1]) == ["01_reverse.py", "02_attention.py", "03_words.py"]


@pytest.mark.slow
def test_reverse_learns_to_write_backwards(outputs: tuple[Path, dict[str, str]]) -> None:
    *shown, summary = outputs[1]["01_reverse.py"].splitlines()
    found = re.fullmatch(r"(\d+) of 200 sequences that it had never seen are right", summary)
    assert found and int(found[1]) >= 190
    pairs = [re.split(r" +-> ", line) for line in shown]
    assert len(pairs) == 5
    assert sum(source[::-1] == answer for source, answer in pairs) >= 4


@pytest.mark.slow
def test_attention_looks_backwards(outputs: tuple[Path, dict[str, str]]) -> None:
    folder, printed = outputs
    *rows, drawn = printed["02_attention.py"].splitlines()
    assert drawn == "drawn: attention.png"
    assert (folder / "attention.png").read_bytes().startswith(b"\x89PNG")
    record = json.loads((folder / "attention.json").read_text(encoding="utf-8"))
    assert [piece.strip("▁") for piece in record["tokens"]["source"][:-1]] == list("seqlom")
    found = [re.fullmatch(r" *(\S+) looks at +(\S+) \((\d+)%\)", row) for row in rows]
    assert all(found)
    looks = [(match[1].strip("▁"), match[2].strip("▁")) for match in found if match]
    assert [written for written, _ in looks] == [*"molqes", "</s>"]
    assert sum(written == seen for written, seen in looks) >= 4


@pytest.mark.slow
def test_words_are_like_those_of_their_scene(outputs: tuple[Path, dict[str, str]]) -> None:
    scenes = {
        "whale": {"shark", "salmon"}, "cow": {"horse", "goat"}, "queen": {"king", "judge"},
        "pond": {"river", "well"},
    }  # fmt: skip
    found = {
        line.split()[0]: set(line.partition(" is like ")[2].split(", "))
        for line in outputs[1]["03_words.py"].splitlines()
    }
    assert found == scenes
