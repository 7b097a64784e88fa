"""A run that is stopped and goes on ends with the same tensors, bit for bit."""

from __future__ import annotations

import signal
from pathlib import Path
from typing import Any

import pytest
from training_toys import (
    RNN,
    TRANSFORMER,
    Watcher,
    assert_same,
    contents,
    everything,
    recipe_of,
)

from seqloom.folder import load_config
from seqloom.training.metrics import read_metrics
from seqloom.workflow import train

pytestmark = pytest.mark.usefixtures("no_pictures")

CONFIGURATIONS: dict[str, dict[str, Any]] = {
    "plain": {},
    "average": {"ema": 0.9, "accumulation": 3, "average": 2, "keep": 2, "optimizer": "adamw"},
    "bpe-dropout": {"data": {"bpe_dropout": 0.3}},
    "simcut": {"consistency": "simcut", "cutoff": 0.2, "schedule": "cosine"},
    "muon": {"optimizer": "muon"},
    "late-simcut": {"consistency": "simcut", "consistency_from": 0.5},
    "rdrop": {"consistency": "rdrop", "model": {**TRANSFORMER, "attention_dropout": 0.1}},
    "rnn": {"model": RNN, "clip": 0.5},
}


def train_with_stops(recipe, out: Path, stops: tuple[int, ...], number: int = signal.SIGINT):
    for stop in stops:
        watcher = Watcher([stop], number)
        with pytest.raises((KeyboardInterrupt, SystemExit)):
            train(recipe, out, progress=watcher, device="cpu")
        assert watcher.updates[-1] == stop
    last = Watcher()
    train(recipe, out, progress=last, device="cpu")
    return last


@pytest.mark.parametrize("name", CONFIGURATIONS)
def test_resumed_is_uninterrupted(name: str, words: Path, pieces: Path, tmp_path: Path) -> None:
    source = pieces if name == "bpe-dropout" else words
    recipe = recipe_of(source=source, **CONFIGURATIONS[name])
    whole = Watcher()
    train(recipe, tmp_path / "whole", progress=whole, device="cpu")
    stops = (1, 5, 6, 11) if name == "average" else (3, 9)
    broken = train_with_stops(recipe, tmp_path / "broken", stops)
    assert_same(everything(tmp_path / "broken"), everything(tmp_path / "whole"))
    assert broken.updates == list(range(stops[-1] + 1, 13))
    assert broken.losses == whole.losses[stops[-1] :]
    courses = [
        [
            (x["kind"], x["update"], x["loss"])
            for x in read_metrics(tmp_path / each / "metrics.jsonl")
        ]
        for each in ("whole", "broken")
    ]
    assert courses[0] == courses[1]


def test_the_epochs_of_the_test_above_are_several(words: Path, tmp_path: Path) -> None:
    """Stops before, at and after the end of an epoch are among those tested."""
    from seqloom.corpus.store import TokenStore
    from seqloom.training.batches import plan

    a_pass = len(list(plan(TokenStore.open(words / "train.arrow"), 200, seed=1, epoch=0)))
    assert 3 < a_pass < 9


@pytest.mark.parametrize("stop", [7, 8])
def test_a_kill_after_the_checkpoint_is_undone(stop: int, words: Path, tmp_path: Path) -> None:
    """What is not in the last checkpoint (4, 6, 8, ...) is trained once more, the same."""
    recipe, out = recipe_of(source=words), tmp_path / "out"
    train(recipe, tmp_path / "whole", device="cpu")

    class KilledError(Exception):
        pass

    class Killer(Watcher):
        def update(self, update: int, total: int, loss: float, *rest: object) -> None:
            super().update(update, total, loss)
            if update == stop:
                raise KilledError

    with pytest.raises(KilledError):
        train(recipe, out, progress=Killer(), device="cpu")
    last = Watcher()
    train(recipe, out, progress=last, device="cpu")
    assert last.updates[0] == 7
    assert_same(everything(out), everything(tmp_path / "whole"))


@pytest.mark.parametrize(
    ("number", "error", "code"),
    [(signal.SIGINT, KeyboardInterrupt, None), (signal.SIGTERM, SystemExit, 143)],
)
def test_a_signal_saves_and_leaves(
    number: int, error: type[BaseException], code: int | None, words: Path, tmp_path: Path
) -> None:
    handlers = [signal.getsignal(each) for each in (signal.SIGINT, signal.SIGTERM)]
    watcher = Watcher([2], number)
    with pytest.raises(error) as caught:
        train(recipe_of(source=words), tmp_path / "out", progress=watcher, device="cpu")
    assert code is None or caught.value.code == code
    assert watcher.messages == [
        "Stopped after update 2 of 12; everything is saved. The same command goes on from here."
    ]
    assert [signal.getsignal(each) for each in (signal.SIGINT, signal.SIGTERM)] == handlers
    last = Watcher()
    train(recipe_of(source=words), tmp_path / "out", progress=last, device="cpu")
    assert last.updates[0] == 3
    assert not last.summaries  # costs are told once, at the beginning


def test_a_finished_run_returns_at_once(words: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    for options in ({}, {"patience": 1, "learning_rate": 1e-9, "metric": "exact", "average": 2}):
        recipe = recipe_of(source=words, **options)
        train(recipe, out, device="cpu")
        before, again = contents(out), Watcher()
        train(recipe, out, progress=again, device="cpu")
        assert (again.updates, again.figures, again.messages) == ([], [], [])
        assert contents(out) == before
        out = tmp_path / "patient"


def test_more_updates_go_on(words: Path, tmp_path: Path) -> None:
    """With a schedule that does not know the end, as if there had never been one."""
    train(recipe_of(source=words, ema=0.9), tmp_path / "whole", device="cpu")
    out = tmp_path / "out"
    train(recipe_of(source=words, ema=0.9, updates=7), out, device="cpu")
    longer = Watcher()
    train(recipe_of(source=words, ema=0.9), out, progress=longer, device="cpu")
    assert longer.updates == [8, 9, 10, 11, 12]
    ours, theirs = everything(out), everything(tmp_path / "whole")
    for tensors in (ours, theirs):  # one more validation, so another model may be the best
        for name in [name for name in tensors if name.startswith("published.")]:
            del tensors[name]
    assert_same(ours, theirs)


def test_chosen_sizes_are_kept(words: Path, tmp_path: Path, monkeypatch) -> None:
    recipe = recipe_of(source=words, precision="auto", validate_every=None)
    monkeypatch.setattr("seqloom.training.sizes.faster_precision", lambda device: "float32")
    with pytest.raises(KeyboardInterrupt):
        train(recipe, tmp_path / "out", progress=Watcher([2]), device="cpu")
    monkeypatch.setattr("seqloom.training.sizes.faster_precision", lambda device: "bfloat16")
    train(recipe, tmp_path / "out", device="cpu")
    settled, _ = load_config(tmp_path / "out")
    assert (settled.training.precision, settled.training.validate_every) == ("float32", 10)


def test_metrics_go_on_after_a_line_that_was_cut_off(words: Path, tmp_path: Path) -> None:
    recipe, out = recipe_of(source=words), tmp_path / "out"
    with pytest.raises(KeyboardInterrupt):
        train(recipe, out, progress=Watcher([7]), device="cpu")
    with (out / "metrics.jsonl").open("a", encoding="utf-8") as file:
        # left by a run that came further than its last checkpoint
        file.write('{"kind": "training", "update": 8, "loss": 1.0}\n{"kind": "validation", "upda')
    train(recipe, out, device="cpu")
    lines = read_metrics(out / "metrics.jsonl")
    text = (out / "metrics.jsonl").read_text(encoding="utf-8")
    assert len(text.splitlines()) == len(lines) and text.endswith("\n")
    assert [(x["kind"], x["update"]) for x in lines] == [
        ("training", 1), ("validation", 6), ("validation", 12),
    ]  # fmt: skip


def test_weights_of_a_killed_run_are_forgotten(words: Path, tmp_path: Path) -> None:
    recipe, out = recipe_of(source=words, average=3), tmp_path / "out"
    with pytest.raises(KeyboardInterrupt):
        train(recipe, out, progress=Watcher([7]), device="cpu")
    kept = out / "training" / "weights-0000006.safetensors"
    kept.with_name("weights-0000010.safetensors").write_bytes(kept.read_bytes())
    train(recipe, out, device="cpu")
    names = sorted(path.name for path in (out / "training").glob("weights-*"))
    assert names == ["weights-0000006.safetensors", "weights-0000012.safetensors"]
