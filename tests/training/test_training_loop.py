"""The loop: what it keeps, when it ends, what it says when the numbers break."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import torch
from training_toys import (
    VOCABULARY,
    Watcher,
    assert_same,
    contents,
    random_ids,
    recipe_of,
    tiny_model,
    write_store,
)

from seqloom.errors import FolderError, TrainingError
from seqloom.models import EncoderDecoder
from seqloom.tensors import load_tensors
from seqloom.training.batches import Batch, PairFeed
from seqloom.training.checkpoint import RunState
from seqloom.training.distributed import Group
from seqloom.training.loop import Trainer
from seqloom.training.metrics import read_metrics
from seqloom.training.tasks import Translation, autocast

pytestmark = pytest.mark.usefixtures("no_pictures")


@dataclass
class Scripted:
    """Validation whose figures were written beforehand; remembers the weights it was shown."""

    values: list[float]
    name: str = "bleu"
    shown: list[dict[str, torch.Tensor]] = field(default_factory=list)

    def __call__(self, model: EncoderDecoder) -> dict[str, float]:
        assert not model.training
        self.shown.append({name: p.detach().clone() for name, p in model.named_parameters()})
        figures = {"loss": 1.0, "bleu": 0.0, "chrf": 0.0, "exact": 0.0}
        return {**figures, self.name: self.values[len(self.shown) - 1]}


class Rig:
    """A trainer over 20 random pairs, and what it published."""

    def __init__(self, folder: Path, values: list[float], name: str = "bleu", **training: Any):
        self.recipe = recipe_of(metric=name, **{"validate_every": 2, **training}).training
        self.published: list[tuple[int, dict[str, torch.Tensor]]] = []
        self.validate, self.watcher = Scripted(values, name), Watcher()
        folder.mkdir(exist_ok=True)
        lengths = [3 + row % 5 for row in range(20)]
        path = folder.with_name(f"{folder.name}.arrow")
        self.trainer = Trainer(
            model=tiny_model(dropout=0.1),
            task=Translation(self.recipe),
            feed=PairFeed(
                write_store(path, random_ids(lengths), random_ids(lengths, 1)),
                self.recipe.batch_tokens,
                self.recipe.seed,
            ),
            recipe=self.recipe,
            folder=folder,
            validate=self.validate,
            publish=self.publish,
            progress=self.watcher,
            device=torch.device("cpu"),
        )

    def publish(self, model: EncoderDecoder, state: RunState) -> None:
        weights = {name: p.detach().clone() for name, p in model.named_parameters()}
        self.published.append((state.update, weights))


def test_the_best_is_published(tmp_path: Path) -> None:
    rig = Rig(tmp_path / "a", [3.0, 5.0, 5.0, 4.0, 6.0], updates=10)
    state = rig.trainer.fit()
    assert [update for update, _ in rig.published] == [2, 4, 10]
    assert (state.best, state.best_update, state.finished) == (6.0, 10, True)
    assert state.figures["bleu"] == 6.0
    assert rig.watcher.updates == list(range(1, 11))


def test_a_second_process_draws_its_own_chance_and_writes_nothing(tmp_path: Path) -> None:
    class Whole(Group):
        """Shares nothing, so that one process can play the second."""

        def share(self, batches: Any) -> Any:
            return batches

    seeds = []
    for rank in (0, 1):
        rig = Rig(tmp_path / str(rank), [1.0, 1.0], updates=4)
        rig.trainer.group = Whole(rank, 1)
        rig.trainer.fit()
        seeds.append(torch.initial_seed())
    assert seeds[0] != seeds[1]
    assert contents(tmp_path / "0" / "training")
    assert list((tmp_path / "1").iterdir()) == []
    assert rig.published == [] and rig.watcher.updates == []


@pytest.mark.parametrize("name", ["loss", "exact"])
def test_the_metric_decides_which_way_is_better(name: str, tmp_path: Path) -> None:
    rig = Rig(tmp_path / "a", [3.0, 2.0, 4.0], name, updates=6)
    state = rig.trainer.fit()
    expected = {"loss": (2.0, [2, 4]), "exact": (4.0, [2, 6])}[name]
    assert (state.best, [update for update, _ in rig.published]) == expected


def test_patience_ends_a_run(tmp_path: Path) -> None:
    rig = Rig(tmp_path / "a", [3.0, 2.0, 4.0, 4.0, 1.0], updates=100, patience=2)
    state = rig.trainer.fit()
    assert (state.update, state.best_update, state.finished) == (10, 6, True)
    again = Rig(tmp_path / "a", [], updates=100, patience=2)
    assert again.trainer.fit().update == 10
    more = Rig(tmp_path / "a", [1.0, 1.0], updates=100, patience=4)
    assert more.trainer.fit().update == 14


def test_a_validation_at_the_end_even_between_two(tmp_path: Path) -> None:
    rig = Rig(tmp_path / "a", [1.0, 2.0], updates=5, validate_every=3)
    assert rig.trainer.fit().best_update == 5


def test_what_is_validated_is_the_moving_average(tmp_path: Path) -> None:
    rig = Rig(tmp_path / "a", [1.0, 2.0], updates=4, ema=0.9)
    rig.trainer.fit()
    assert rig.trainer.average is not None
    assert_same(rig.validate.shown[-1], rig.trainer.average.weights)
    weights = dict(rig.trainer.model.named_parameters())
    assert any(
        not torch.equal(weights[name], each) for name, each in rig.validate.shown[-1].items()
    )
    plain = Rig(tmp_path / "b", [1.0, 2.0], updates=4)
    plain.trainer.fit()
    assert_same(weights, dict(plain.trainer.model.named_parameters()))  # it only looks on


@pytest.mark.parametrize(("last", "kept"), [(9.0, True), (2.5, False)])
def test_the_average_is_kept_if_it_is_better(last: float, kept: bool, tmp_path: Path) -> None:
    rig = Rig(tmp_path / "a", [1.0, 2.0, 3.0, last], updates=6, average=2, keep=2)
    state = rig.trainer.fit()
    files = sorted((tmp_path / "a" / "training").glob("weights-*"))
    assert [file.name for file in files] == [
        "weights-0000004.safetensors", "weights-0000006.safetensors",
    ]  # fmt: skip
    (left, _), (right, _) = (load_tensors(file) for file in files)
    shown = rig.validate.shown[-1]
    for name in left:
        torch.testing.assert_close(shown[name], (left[name] + right[name]) / 2)
    assert (len(rig.published) == 4) is kept
    assert state.best == (9.0 if kept else 3.0)
    assert_same(rig.validate.shown[-2], dict(rig.trainer.model.named_parameters()))
    course = read_metrics(tmp_path / "a" / "metrics.jsonl")
    assert [(x["kind"], x["update"]) for x in course][-1] == ("average", 6)


def test_groups_of_batches_run_on_over_the_end_of_an_epoch(tmp_path: Path, monkeypatch) -> None:
    rig = Rig(tmp_path / "a", [1.0], updates=5, accumulation=3, validate_every=5, batch_tokens=30)
    sizes: list[tuple[int, ...]] = []
    gradients = rig.trainer._gradients

    def watched(group: list[Batch]):
        assert len(group) == 3
        sizes.extend(batch.rows for batch in group)
        return gradients(group)

    monkeypatch.setattr(rig.trainer, "_gradients", watched)
    state = rig.trainer.fit()
    assert state.epoch >= 1 and state.tokens > 0
    seen = [row for rows in sizes for row in rows]
    assert set(seen[:20]) == set(range(20))  # the whole first epoch comes before the second


def poisoned(rig: Rig) -> None:
    with torch.no_grad():
        next(iter(rig.trainer.model.parameters())).fill_(float("nan"))


def test_a_loss_that_is_not_finite_ends_the_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = Rig(tmp_path / "a", [1.0, 1.0], updates=4)
    first.trainer.fit()
    before = contents(tmp_path / "a" / "training")
    rig = Rig(tmp_path / "a", [], updates=8)
    monkeypatch.setattr("seqloom.training.loop.forget_later_weights", lambda *loaded: poisoned(rig))
    with pytest.raises(TrainingError) as caught:
        rig.trainer.fit()
    message = str(caught.value)
    assert message.startswith("Update 5: the loss is nan and the gradient's norm nan, not finite")
    assert "The last checkpoint is untouched. Lower --set training.learning_rate" in message
    assert "(now 0.005), raise training.warmup (now 5)" in message
    assert "of the prepared corpus" in message
    assert contents(tmp_path / "a" / "training") == before


def test_an_absurd_learning_rate_is_explained(tmp_path: Path) -> None:
    options = {"learning_rate": 1e30, "clip": 0.0, "warmup": 0}
    rig = Rig(tmp_path / "a", [1.0] * 6, updates=10, **options)
    with pytest.raises(
        TrainingError, match=r"Update [2-4]: .*No checkpoint was written yet\. Lower"
    ):
        rig.trainer.validate_every = 100
        rig.trainer.fit()


def test_an_empty_corpus_is_explained(tmp_path: Path) -> None:
    rig = Rig(tmp_path / "a", [])
    rig.trainer.feed = PairFeed(write_store(tmp_path / "empty", [], []), 200, 1)
    with pytest.raises(TrainingError, match="nothing to train on; the corpus is empty"):
        rig.trainer.fit()


def test_a_full_disk_leaves_the_last_checkpoint(tmp_path: Path, monkeypatch) -> None:
    rig = Rig(tmp_path / "a", [1.0] * 9, updates=8, checkpoint_every=3, validate_every=100)
    from seqloom import tensors

    save, calls = tensors.save_file, []

    def full(tensors: object, path: Path, metadata: object) -> None:
        calls.append(path)
        save(tensors, path, metadata=metadata)
        if len(calls) > 1:
            raise OSError(28, "No space left on device")

    monkeypatch.setattr(tensors, "save_file", full)
    with pytest.raises(FolderError, match=r"cannot write .*checkpoint.*: the disk is full"):
        rig.trainer.fit()
    monkeypatch.setattr(tensors, "save_file", save)
    assert [path.name for path in (tmp_path / "a" / "training").iterdir()] == [
        "checkpoint.safetensors"
    ]
    rest = Rig(tmp_path / "a", [1.0], updates=8)
    rest.trainer.validate_every = 100
    rest.trainer.fit()
    assert rest.watcher.updates == [4, 5, 6, 7, 8]


def test_bfloat16_trains_float32_weights(tmp_path: Path) -> None:
    rig = Rig(tmp_path / "a", [1.0], updates=2, precision="bfloat16")
    rig.trainer.fit()
    assert {p.dtype for p in rig.trainer.model.parameters()} == {torch.float32}
    with autocast(torch.device("cpu"), "bfloat16"):
        assert (torch.ones(2, 2) @ torch.ones(2, 2)).dtype == torch.bfloat16
    with autocast(torch.device("cpu"), "float32"):
        assert (torch.ones(2, 2) @ torch.ones(2, 2)).dtype == torch.float32


def test_a_toy_is_learned(tmp_path: Path) -> None:
    """Twenty pairs by heart: the loss falls to less than half of that of guessing."""
    rig = Rig(
        tmp_path / "a", [1.0], updates=150, validate_every=150, learning_rate=1e-2, warmup=20,
        schedule="linear", label_smoothing=0.0, checkpoint_every=1000,
    )  # fmt: skip
    rig.trainer.fit()
    guessing = float(torch.tensor(float(VOCABULARY)).log())
    assert rig.watcher.losses[0] > 0.9 * guessing
    assert sum(rig.watcher.losses[-5:]) / 5 < 0.5 * guessing
