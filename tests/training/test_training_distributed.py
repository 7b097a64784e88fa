"""Several processes on one run do what one process does with as many batches an update."""

from __future__ import annotations

import json
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest
import torch

import processes as several
from processes import finish
from seqloom.recipe import recipe_from
from seqloom.runtime import place_in_group
from seqloom.tensors import load_tensors
from seqloom.training.distributed import Group
from seqloom.training.metrics import read_metrics
from seqloom.workflow import train

RUN = """
import sys, json
from seqloom.recipe import recipe_from
from seqloom.workflow import train
train(recipe_from(json.loads(sys.argv[1]), "toy"), sys.argv[2], device="cpu")
"""


def values(prepared: Path, **training: Any) -> dict[str, Any]:
    return {
        "data": {"source": str(prepared)},
        "model": {
            "width": 16, "feedforward": 32, "heads": 2, "encoder_layers": 1, "decoder_layers": 1,
            "dropout": 0.0,
        },
        "training": {
            "updates": 14, "batch_tokens": 128, "validate_every": 7, "warmup": 4, "ema": 0.9,
            "precision": "float32", "average": 2, **training,
        },
    }  # fmt: skip


def processes(count: int, recipe: dict[str, Any], out: Path) -> list[subprocess.Popen[str]]:
    return several.processes(count, RUN, json.dumps(recipe), str(out))


def test_two_processes_are_one_with_twice_the_batches(words: Path, tmp_path: Path) -> None:
    alone, both = tmp_path / "alone", tmp_path / "both"
    running = processes(2, values(words), both)
    train(recipe_from(values(words, accumulation=2), "toy"), alone, device="cpu")
    finish(running)
    for name in ("model.safetensors", "training/checkpoint.safetensors"):
        ours, theirs = load_tensors(both / name)[0], load_tensors(alone / name)[0]
        assert ours.keys() == theirs.keys()
        for key in ours:
            torch.testing.assert_close(ours[key], theirs[key], atol=2e-5, rtol=1e-4)
    figures = [read_metrics(folder / "metrics.jsonl") for folder in (both, alone)]
    for ours, theirs in zip(*figures, strict=True):
        assert (ours["kind"], ours["update"]) == (theirs["kind"], theirs["update"])
        assert ours["loss"] == pytest.approx(theirs["loss"], rel=1e-4)


def test_a_group_goes_on_where_it_was(words: Path, tmp_path: Path) -> None:
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    finish(processes(2, values(words), whole))
    finish(processes(2, values(words, updates=7), parts))
    finish(processes(2, values(words), parts))
    name = "training/checkpoint.safetensors"
    ours, theirs = load_tensors(parts / name)[0], load_tensors(whole / name)[0]
    assert all(torch.equal(ours[key], theirs[key]) for key in theirs)


def test_a_signal_to_one_process_stops_and_saves_all(words: Path, tmp_path: Path) -> None:
    out = tmp_path / "model"
    recipe = values(words, updates=100_000, validate_every=100_000, checkpoint_every=20)
    running = processes(2, recipe, out)
    checkpoint = out / "training" / "checkpoint.safetensors"
    ends = time.monotonic() + 90
    while not checkpoint.exists() and time.monotonic() < ends:
        time.sleep(0.1)
    running[1].send_signal(signal.SIGTERM)
    for process in running:
        process.communicate(timeout=60)
        assert process.returncode
    state = json.loads(load_tensors(checkpoint)[1]["state"])
    assert 20 <= state["update"] < 100_000
    logged = [line["update"] for line in read_metrics(out / "metrics.jsonl")]
    assert max(logged) <= state["update"]  # what was done is saved


def test_a_mistake_is_told_by_the_first_and_ends_the_others(words: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder", encoding="utf-8")
    first, second = processes(2, values(words), tmp_path / "file")
    assert "is a file; --out names a folder" in first.communicate(timeout=120)[1]
    last = second.communicate(timeout=120)[1].strip().splitlines()[-1]
    assert last.endswith("another process of this run has ended; its own message says why.")
    assert first.returncode and second.returncode


def test_one_process_alone_shares_with_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("RANK", "WORLD_SIZE"):
        monkeypatch.delenv(name, raising=False)
    assert place_in_group() == (0, 1)
    group = Group()
    assert group.first
    assert group.share([1, 2, 3]) == [1, 2, 3]
    assert group.sum([torch.zeros(3)], 2.0, 0.5) == [2.0, 0.5]
    assert group.agree("x") == "x"
    assert group.any(True)
    assert not group.any(False)
    group.wait()


def test_shares_are_disjoint_and_together_everything() -> None:
    batches = list(range(6))
    shares = [Group(rank, 3).share(batches) for rank in range(3)]
    assert shares == [[0, 3], [1, 4], [2, 5]]
