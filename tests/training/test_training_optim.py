"""The learning rate by hand, clipping as torch does it, averages, and accumulation."""

from __future__ import annotations

import math

import pytest
import torch
from torch import nn
from training_toys import random_ids, tiny_batch, tiny_model

from seqloom.recipe import TrainingRecipe
from seqloom.training.batches import collate
from seqloom.training.muon import Muon
from seqloom.training.optim import (
    MovingAverage,
    average_weights,
    build_optimizer,
    normalize_and_clip,
)
from seqloom.training.schedule import rate_share
from seqloom.training.tasks import Translation


@pytest.mark.parametrize(
    ("schedule", "expected"),
    [
        # at updates 1, 50, 100, 200, 400 and 500 of 500, warm-up 100, highest 0.8
        ("inverse_sqrt", [0.008, 0.4, 0.8, 0.8 / math.sqrt(2), 0.4, 0.8 / math.sqrt(5)]),
        ("linear", [0.008, 0.4, 0.8, 0.6, 0.2, 0.0]),
        ("cosine", [0.008, 0.4, 0.8, 0.4 * (1 + math.sqrt(0.5)), 0.4 * (1 - math.sqrt(0.5)), 0.0]),
        ("constant", [0.008, 0.4, 0.8, 0.8, 0.8, 0.8]),
        ("wsd", [0.008, 0.4, 0.8, 0.8, 0.4, 0.0]),
    ],
)
def test_learning_rate_by_hand(schedule: str, expected: list[float]) -> None:
    recipe = TrainingRecipe(schedule=schedule, warmup=100, decay=0.4)
    found = [0.8 * rate_share(recipe, update, 500) for update in (1, 50, 100, 200, 400, 500)]
    assert found == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("schedule", ["inverse_sqrt", "linear", "cosine", "constant", "wsd"])
@pytest.mark.parametrize(("warmup", "updates"), [(0, 10), (1, 1), (20, 10), (10, 10)])
def test_learning_rate_at_its_edges(schedule: str, warmup: int, updates: int) -> None:
    recipe = TrainingRecipe(schedule=schedule, warmup=warmup)
    rates = [0.5 * rate_share(recipe, update, updates) for update in range(1, updates + 1)]
    assert all(0 <= rate <= 0.5 for rate in rates)


@pytest.mark.parametrize("clip", [0.0, 0.01, 1e6])
def test_clipping_is_that_of_torch_on_the_mean_loss(clip: float) -> None:
    batch, task = tiny_batch(), Translation(TrainingRecipe())
    ours, theirs = tiny_model().train(), tiny_model().train()
    task(ours, batch).total.backward()
    norm = normalize_and_clip(list(ours.parameters()), batch.tokens, clip)
    (task(theirs, batch).total / batch.tokens).backward()
    expected = nn.utils.clip_grad_norm_(theirs.parameters(), clip or math.inf)
    torch.testing.assert_close(norm, expected, rtol=1e-4, atol=1e-7)
    for p, q in zip(ours.parameters(), theirs.parameters(), strict=True):
        torch.testing.assert_close(p.grad, q.grad, rtol=1e-4, atol=1e-7)
    if clip == 0.01:
        clipped = nn.utils.get_total_norm([p.grad for p in ours.parameters()])
        assert float(clipped) == pytest.approx(0.01, rel=1e-3)


def test_parameters_without_a_gradient_are_left_alone() -> None:
    used, unused = nn.Parameter(torch.ones(2)), nn.Parameter(torch.ones(2))
    used.grad = torch.tensor([6.0, 8.0])
    assert float(normalize_and_clip([used, unused], 2, 1.0)) == pytest.approx(5.0)
    torch.testing.assert_close(used.grad, torch.tensor([0.6, 0.8]))
    assert unused.grad is None


def test_matrices_decay_and_vectors_do_not() -> None:
    model = tiny_model()
    optimizer = build_optimizer(model, TrainingRecipe(optimizer="adamw", weight_decay=0.1))
    matrices, vectors = optimizer.param_groups
    assert (matrices["weight_decay"], vectors["weight_decay"]) == (0.1, 0.0)
    assert {p.ndim for p in matrices["params"]} == {2}
    assert {p.ndim for p in vectors["params"]} == {1}
    grouped = {id(p) for group in optimizer.param_groups for p in group["params"]}
    assert grouped == {id(p) for p in model.parameters()}


@pytest.mark.parametrize(
    ("name", "kind"), [("adam", torch.optim.Adam), ("adamw", torch.optim.AdamW)]
)
def test_steps_are_those_of_torch(name: str, kind: type[torch.optim.Optimizer]) -> None:
    recipe = TrainingRecipe(optimizer=name, weight_decay=0.05, beta1=0.8, beta2=0.95)
    ours, theirs = nn.Linear(3, 2, bias=False), nn.Linear(3, 2, bias=False)
    theirs.load_state_dict(ours.state_dict())
    optimizers = [
        build_optimizer(ours, recipe),
        kind(theirs.parameters(), lr=2e-3, betas=(0.8, 0.95), eps=1e-9, weight_decay=0.05),
    ]
    for step in range(3):
        for model, optimizer in zip((ours, theirs), optimizers, strict=True):
            optimizer.zero_grad()
            (model(torch.arange(3.0) + step) ** 2).sum().backward()
            optimizer.step()
    torch.testing.assert_close(ours.weight, theirs.weight)


def test_muon_takes_the_hidden_matrices_and_adam_the_rest() -> None:
    for family in ("transformer", "rnn"):
        model = tiny_model(family=family)
        recipe = TrainingRecipe(optimizer="muon", learning_rate=3e-3, muon_learning_rate=2e-2)
        optimizer = build_optimizer(model, recipe)
        adam, muon = optimizer.parts
        assert isinstance(muon, torch.optim.Muon)
        names = {id(p): name for name, p in model.named_parameters()}
        hidden = {names[id(p)] for group in muon.param_groups for p in group["params"]}
        rest = {names[id(p)] for group in adam.param_groups for p in group["params"]}
        assert hidden | rest == set(names.values()) and not hidden & rest
        assert all(dict(model.named_parameters())[name].ndim == 2 for name in hidden)
        outer = {name for name in rest if dict(model.named_parameters())[name].ndim == 2}
        assert all("token" in name or "source" in name or "out" in name for name in outer), outer
        assert any("query" in name or "weight_hh" in name for name in hidden)
        optimizer.set_rate(0.5)
        assert {group["lr"] for group in adam.param_groups} == {1.5e-3}
        assert {group["lr"] for group in muon.param_groups} == {1e-2}


def test_hidden_matrices_are_muons_and_the_rest_is_adams() -> None:
    ours, theirs = (nn.Sequential(nn.Embedding(5, 6), nn.Linear(6, 4)) for _ in range(2))
    theirs.load_state_dict(ours.state_dict())
    recipe = TrainingRecipe(optimizer="muon", learning_rate=1e-2, muon_learning_rate=3e-2)
    optimizer = build_optimizer(ours, recipe)
    muon = Muon([theirs[1].weight], lr=3e-2, weight_decay=0.0)
    adam = torch.optim.Adam(
        [theirs[0].weight, theirs[1].bias], lr=1e-2, betas=(0.9, 0.98), eps=1e-9, fused=True
    )
    for step in range(3):
        for model in (ours, theirs):
            model.zero_grad()
            (model(torch.tensor([step, 1])) ** 2).sum().backward()
        optimizer.step()
        muon.step()
        adam.step()
    for p, q in zip(ours.parameters(), theirs.parameters(), strict=True):
        torch.testing.assert_close(p, q, rtol=0, atol=0)


def test_moving_average_by_hand() -> None:
    model = nn.Linear(1, 1, bias=False)
    with torch.no_grad():
        model.weight.fill_(0.0)
    average = MovingAverage(model, 0.5)
    with torch.no_grad():
        model.weight.fill_(11.0)
    average.update(model, 1)  # decay (1 + 1) / (10 + 1) = 2/11, below 0.5
    assert average.weights["weight"].item() == pytest.approx(9.0)
    with torch.no_grad():
        model.weight.fill_(1.0)
    average.update(model, 1000)  # decay 0.5
    assert average.weights["weight"].item() == pytest.approx(5.0)
    assert model.weight.item() == 1.0


def test_tied_weights_are_averaged_once() -> None:
    model = tiny_model()
    names = set(MovingAverage(model, 0.9).weights)
    assert names == {name for name, _ in model.named_parameters()}


def test_mean_of_weights() -> None:
    several = [{"a": torch.tensor([1.0, x]), "b": torch.tensor([[x]])} for x in (0.0, 3.0, 6.0)]
    mean = average_weights(several)
    assert mean["a"].tolist() == [1.0, 3.0]
    assert mean["b"].tolist() == [[3.0]]
    assert mean["a"].dtype == torch.float32
    # float32 cannot add these; the mean is taken in float64
    large = [{"a": torch.tensor([x])} for x in (2.0**25, 1.0, 1.0, -(2.0**25))]
    assert average_weights(large)["a"].item() == 0.5


@pytest.mark.parametrize("family", ["transformer", "rnn"])
def test_two_accumulated_batches_are_one_large_batch(family: str) -> None:
    task = Translation(TrainingRecipe())
    sources, targets = random_ids([3, 8, 1, 5], 1), random_ids([4, 2, 7, 7], 2)
    halves = [collate(sources[part], targets[part]) for part in (slice(0, 1), slice(1, 4))]
    whole, parts = tiny_model(family=family).train(), tiny_model(family=family).train()
    for model, group in ((whole, [collate(sources, targets)]), (parts, halves)):
        # Not Adam: it makes steps of full size out of rounding where a gradient is zero.
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
        for _ in range(3):
            for batch in group:
                task(model, batch).total.backward()
            tokens = sum(batch.tokens for batch in group)
            normalize_and_clip(list(model.parameters()), tokens, 1.0)
            optimizer.step()
            optimizer.zero_grad()
    for p, q in zip(whole.parameters(), parts.parameters(), strict=True):
        torch.testing.assert_close(p, q, rtol=0, atol=1e-6)
