"""Tasks: what a loss of a batch is, whatever the padding and whatever the batch."""

from __future__ import annotations

import pytest
import torch
from torch.nn import functional as F
from training_toys import random_ids, tiny_batch, tiny_model

from seqloom.recipe import TrainingRecipe
from seqloom.symbols import PAD
from seqloom.training.batches import Batch, collate
from seqloom.training.tasks import Translation, cut_off

families = pytest.mark.parametrize("family", ["transformer", "rnn"])


def gradients(model) -> dict[str, torch.Tensor]:
    found = {name: p.grad.clone() for name, p in model.named_parameters() if p.grad is not None}
    model.zero_grad()
    return found


def loss_of(task: Translation, model, batch: Batch):
    loss = task(model, batch)
    loss.total.backward()
    return loss, gradients(model)


@families
def test_the_loss_is_that_of_torch(family: str) -> None:
    model, batch = tiny_model(family=family).train(), tiny_batch()
    loss, ours = loss_of(Translation(TrainingRecipe(label_smoothing=0.1)), model, batch)
    memory = model.encode(batch.source, batch.source_mask)
    logits = model.project(model.decode(memory, batch.target_input)).flatten(0, 1)
    labels = batch.target_output.flatten()
    options = {"ignore_index": PAD, "reduction": "sum"}
    expected = F.cross_entropy(logits, labels, label_smoothing=0.1, **options)
    plain = F.cross_entropy(logits, labels, **options)
    torch.testing.assert_close(loss.total, expected, rtol=1e-5, atol=1e-4)
    torch.testing.assert_close(loss.plain, plain, rtol=1e-5, atol=1e-4)
    assert loss.tokens == batch.tokens
    expected.backward()
    theirs = gradients(model)
    assert ours.keys() == theirs.keys()
    for name in ours:
        torch.testing.assert_close(ours[name], theirs[name], rtol=1e-3, atol=2e-5)


@families
@pytest.mark.parametrize("consistency", ["rdrop", "simcut"])
def test_without_noise_consistency_is_cross_entropy(family: str, consistency: str) -> None:
    model, batch = tiny_model(family=family).train(), tiny_batch()
    plain, expected = loss_of(Translation(TrainingRecipe()), model, batch)
    recipe = TrainingRecipe(consistency=consistency, cutoff=0.0)
    double, found = loss_of(Translation(recipe), model, batch)
    torch.testing.assert_close(double.total, plain.total, rtol=1e-4, atol=1e-3)
    torch.testing.assert_close(double.plain, plain.plain, rtol=1e-4, atol=1e-3)
    assert double.tokens == plain.tokens
    for name in expected:
        torch.testing.assert_close(found[name], expected[name], rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("consistency", ["rdrop", "simcut"])
def test_noise_adds_to_the_loss_in_training_alone(consistency: str) -> None:
    batch, dropout = tiny_batch(), 0.3 if consistency == "rdrop" else 0.0
    model = tiny_model(dropout=dropout)
    recipe = TrainingRecipe(consistency=consistency, cutoff=0.5, consistency_weight=10.0)
    weightless = recipe.model_copy(update={"consistency_weight": 0.0})
    torch.manual_seed(0)
    noisy = Translation(recipe)(model.train(), batch)
    torch.manual_seed(0)
    base = Translation(weightless)(model, batch)
    assert float(noisy.total.detach()) > float(base.total.detach()) + 0.1
    model.eval()
    with torch.no_grad():
        ours, theirs = (Translation(r)(model, batch) for r in (recipe, TrainingRecipe()))
    assert torch.equal(ours.total, theirs.total)


@pytest.mark.parametrize("consistency", ["rdrop", "simcut"])
def test_consistency_sets_in_when_the_recipe_says(consistency: str) -> None:
    batch, model = tiny_batch(), tiny_model(dropout=0.3).train()
    recipe = TrainingRecipe(consistency=consistency, cutoff=0.5, consistency_from=0.25)
    from_the_start = recipe.model_copy(update={"consistency_from": 0.0})

    def total(recipe: TrainingRecipe, done: float) -> float:
        torch.manual_seed(0)
        return float(Translation(recipe)(model, batch, done).total.detach())

    plain, both = total(TrainingRecipe(), 0.0), total(from_the_start, 0.0)
    assert plain != both
    assert [total(recipe, done) for done in (0.0, 0.2499, 0.25, 0.9)] == [plain, plain, both, both]


@families
def test_a_batch_is_the_sum_of_its_halves(family: str) -> None:
    sources, targets = random_ids([3, 8, 1, 5], 1), random_ids([4, 2, 7, 7], 2)
    model, task = tiny_model(family=family).train(), Translation(TrainingRecipe())
    whole, expected = loss_of(task, model, collate(sources, targets))
    halves = [
        loss_of(task, model, collate(sources[part], targets[part]))
        for part in (slice(0, 2), slice(2, 4))
    ]
    total = sum(loss.total.detach() for loss, _ in halves)
    torch.testing.assert_close(whole.total.detach(), total, rtol=1e-5, atol=1e-4)
    assert whole.tokens == sum(loss.tokens for loss, _ in halves)
    for name in expected:
        found = sum(each[name] for _, each in halves)
        torch.testing.assert_close(found, expected[name], rtol=1e-3, atol=2e-5)


@families
def test_padding_changes_nothing(family: str) -> None:
    model, task, batch = tiny_model(family=family), Translation(TrainingRecipe()), tiny_batch()
    wider = Batch(
        F.pad(batch.source, (0, 3), value=PAD),
        F.pad(batch.source_mask, (0, 3)),
        F.pad(batch.target_input, (0, 2), value=PAD),
        F.pad(batch.target_output, (0, 2), value=PAD),
        F.pad(batch.target_mask, (0, 2)),
        batch.rows,
    )
    loss, expected = loss_of(task, model.train(), batch)
    padded, found = loss_of(task, model, wider)
    torch.testing.assert_close(padded.total, loss.total, rtol=1e-5, atol=1e-4)
    assert padded.tokens == loss.tokens
    for name in expected:
        torch.testing.assert_close(found[name], expected[name], rtol=1e-3, atol=2e-5)


def test_cut_off_takes_its_share_and_no_padding() -> None:
    torch.manual_seed(0)
    ids = torch.arange(4, 404).repeat(100, 1)
    mask = torch.arange(400).expand(100, -1) < 300
    cut = cut_off(ids, mask, 0.2)
    assert torch.equal(cut[:, 300:], ids[:, 300:])
    gone = cut[:, :300] == PAD
    assert torch.equal(cut[:, :300][~gone], ids[:, :300][~gone])
    # 30,000 draws: four standard deviations are 0.0092.
    assert float(gone.float().mean()) == pytest.approx(0.2, abs=0.0092)
    assert gone.any(0).sum() > 290  # every position may be hit
    assert ids.min() == 4  # the caller's ids stay


def test_cut_off_at_its_ends() -> None:
    ids, mask = torch.full((3, 5), 7), torch.ones(3, 5, dtype=torch.bool)
    assert torch.equal(cut_off(ids, mask, 0.0), ids)
    assert (cut_off(ids, mask, 1.0) == PAD).all()
