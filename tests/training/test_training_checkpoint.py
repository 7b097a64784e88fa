"""Checkpoints: everything comes back bit for bit, and nothing foreign is taken for one."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest
import torch
from training_toys import assert_same, contents, tiny_batch, tiny_model

from seqloom.errors import FolderError
from seqloom.recipe import TrainingRecipe
from seqloom.tensors import load_tensors, save_tensors
from seqloom.training.checkpoint import RunState, load_checkpoint, save_checkpoint
from seqloom.training.optim import MovingAverage, build_optimizer, normalize_and_clip
from seqloom.training.tasks import Translation

STATE = RunState(
    update=3, epoch=1, position=2, seconds=0.1, tokens=99, best=12.5, best_update=2, stale=1,
    figures={"bleu": 12.5, "loss": 1 / 3},
)  # fmt: skip


class Run:
    """A model some steps into its training."""

    def __init__(self, family: str = "transformer", steps: int = 0, optimizer: str = "adam"):
        recipe = TrainingRecipe(optimizer=optimizer)
        self.model = tiny_model(family=family).train()
        self.optimizer = build_optimizer(self.model, recipe)
        self.average = MovingAverage(self.model, 0.9)
        for step in range(steps):
            self.step(step)

    def step(self, number: int) -> None:
        batch = tiny_batch(seed=number)
        Translation(TrainingRecipe())(self.model, batch).total.backward()
        normalize_and_clip(list(self.model.parameters()), batch.tokens, 1.0)
        self.optimizer.step()
        self.optimizer.zero_grad()
        self.average.update(self.model, number + 1)

    def save(self, path: Path) -> None:
        save_checkpoint(path, STATE, self.model, self.optimizer, self.average.weights)

    def load(self, path: Path) -> RunState:
        return load_checkpoint(path, self.model, self.optimizer, self.average.weights)


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    path = tmp_path / "training" / "checkpoint.safetensors"
    Run(steps=2).save(path)
    return path


@pytest.mark.parametrize("family", ["transformer", "rnn"])
@pytest.mark.parametrize("optimizer", ["adam", "adamw", "muon"])
def test_everything_comes_back(family: str, optimizer: str, tmp_path: Path) -> None:
    ours, path = Run(family, 3, optimizer), tmp_path / "a.safetensors"
    ours.save(path)
    theirs = Run(family, 0, optimizer)
    assert theirs.load(path) == STATE
    assert_same(theirs.model.state_dict(), ours.model.state_dict())
    assert_same(theirs.average.weights, ours.average.weights)
    theirs.save(tmp_path / "b.safetensors")
    again, written = load_tensors(tmp_path / "b.safetensors"), load_tensors(path)
    assert_same(again[0], written[0])
    assert again[1] == written[1]
    for run in (ours, theirs):  # the optimizer's memory decides the next step
        run.step(3)
    assert_same(theirs.model.state_dict(), ours.model.state_dict())


def test_it_holds_plain_tensors_under_readable_names(saved: Path) -> None:
    tensors, metadata = load_tensors(saved)
    kinds = {name.split(".")[0] for name in tensors}
    assert kinds == {"model", "average", "optimizer"}
    slots = {name.rpartition(".")[2] for name in tensors if name.startswith("optimizer.")}
    assert slots == {"step", "exp_avg", "exp_avg_sq"}
    assert '"update": 3' in metadata["state"]
    assert list(saved.parent.iterdir()) == [saved]


def test_a_damaged_checkpoint_is_recognised(saved: Path) -> None:
    whole = saved.read_bytes()
    for data, message in (
        (whole[:-10], "is truncated or not a safetensors file"),
        (b"", "is truncated or not a safetensors file"),
        (whole[:-1] + bytes([whole[-1] ^ 1]), "was altered: its contents do not match"),
    ):
        saved.write_bytes(data)
        with pytest.raises(FolderError, match=message):
            Run().load(saved)


def test_a_foreign_checkpoint_is_recognised(saved: Path, tmp_path: Path) -> None:
    with pytest.raises(FolderError, match=r"does not fit this run \(.*another --out"):
        Run("rnn").load(saved)
    tensors, metadata = load_tensors(saved)
    for state in ({}, {"state": "{"}, {"state": '{"steps": 3}'}, {"state": "3"}):
        save_tensors(saved, tensors, state)
        with pytest.raises(FolderError, match="does not fit this run"):
            Run().load(saved)
    for missing in ("model.", "average."):
        rest = {name: each for name, each in tensors.items() if not name.startswith(missing)}
        save_tensors(saved, rest, {"state": metadata["state"]})
        with pytest.raises(FolderError, match=f"does not fit this run .*{missing}"):
            Run().load(saved)


def test_other_sizes_are_recognised(saved: Path) -> None:
    tensors, metadata = load_tensors(saved)
    name = next(name for name in tensors if name.startswith("model.") and tensors[name].ndim == 2)
    save_tensors(saved, {**tensors, name: torch.zeros(3, 3)}, {"state": metadata["state"]})
    with pytest.raises(FolderError, match="does not fit this run"):
        Run().load(saved)


@pytest.mark.parametrize(
    ("number", "message"),
    [
        (errno.ENOSPC, "the disk is full; free some space"),
        (errno.EACCES, "no permission to write there"),
        (errno.EROFS, "the file system is read-only"),
    ],
)
def test_a_refused_write_leaves_the_last_one_whole(
    saved: Path, number: int, message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = contents(saved.parent)

    def half(tensors: object, path: Path, metadata: object) -> None:
        path.write_bytes(b"half")
        raise OSError(number, "no")

    monkeypatch.setattr("seqloom.tensors.save_file", half)
    with pytest.raises(FolderError, match=message):
        Run(steps=1).save(saved)
    assert contents(saved.parent) == before
