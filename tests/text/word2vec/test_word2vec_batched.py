from __future__ import annotations

import numpy as np
import pytest
import torch

from seqloom.recipe.vectors import VectorsRecipe
from seqloom.text.word2vec.batched import MOST_CHANGES, Batched, _descend, windows
from seqloom.text.word2vec.vocabulary import Vocabulary, huffman

WORDS = ["wo", "wordy", "word", "sword", "ward", "words", "order"]
COUNTS = np.array([40, 30, 20, 9, 6, 3, 2])
CONTEXT = torch.tensor([[1, 2, -1, 3], [0, 0, 5, -1], [6, -1, -1, -1]])
TARGET = torch.tensor([4, 2, 0])


def batched(**fields: object) -> Batched:
    recipe = VectorsRecipe(width=8, buckets=11, **fields)  # type: ignore[arg-type]
    words = Vocabulary(WORDS, COUNTS, np.arange(len(WORDS), dtype=np.int32))
    found = Batched(words, recipe, torch.device("cpu"))
    generator = torch.Generator().manual_seed(1)
    for weight in (found.inputs, found.outputs):
        weight.data = torch.randn(weight.shape, generator=generator)
    return found


def softmax_gradients(
    contexts: list[list[int]], targets: list[int], inputs: np.ndarray, outputs: np.ndarray
) -> tuple[float, np.ndarray, np.ndarray]:
    """Loss and gradients of the definition, by hand: (p - y) h' and O' (p - y)."""
    loss, on_inputs, on_outputs = 0.0, np.zeros_like(inputs), np.zeros_like(outputs)
    for context, target in zip(contexts, targets, strict=True):
        hidden = inputs[context].sum(axis=0)
        scores = outputs @ hidden
        chances = np.exp(scores - scores.max())
        chances /= chances.sum()
        loss -= np.log(chances[target])
        error = chances - np.eye(len(outputs))[target]
        on_outputs += np.outer(error, hidden)
        for word in context:
            on_inputs[word] += outputs.T @ error
    return loss, on_inputs, on_outputs


@pytest.mark.parametrize("architecture", ["cbow", "skipgram"])
def test_the_full_softmax_is_the_definition(architecture: str) -> None:
    learner = batched(architecture=architecture, objective="softmax", combine="sum")
    inputs, outputs = (
        w.detach().double().numpy().copy() for w in (learner.inputs, learner.outputs)
    )
    contexts = [[word for word in row if word >= 0] for row in CONTEXT.tolist()]
    targets = TARGET.tolist()
    if architecture == "skipgram":
        targets = [t for row, t in zip(contexts, targets, strict=True) for _ in row]
        contexts = [[word] for row in contexts for word in row]
    expected, on_inputs, on_outputs = softmax_gradients(contexts, targets, inputs, outputs)
    learner.inputs, learner.outputs = (
        w.detach().double().requires_grad_() for w in (learner.inputs, learner.outputs)
    )
    loss = learner.loss(CONTEXT, TARGET).loss
    found = torch.autograd.grad(loss, (learner.inputs, learner.outputs))
    assert loss.item() == pytest.approx(expected, rel=1e-9)
    np.testing.assert_allclose(found[0].to_dense().numpy(), on_inputs, atol=1e-6)
    np.testing.assert_allclose(found[1].numpy(), on_outputs, atol=1e-6)


def test_cbow_can_take_the_mean() -> None:
    by_sum = batched(architecture="cbow", objective="softmax", combine="sum")
    by_mean = batched(architecture="cbow", objective="softmax", combine="mean")
    by_sum.inputs.data[[1, 2, 3]] /= 3
    first = CONTEXT[:1], TARGET[:1]
    assert by_mean.loss(*first).loss.item() == pytest.approx(
        by_sum.loss(*first).loss.item(), rel=1e-5
    )


def test_the_chances_of_all_ways_through_the_tree_add_up_to_one() -> None:
    learner = batched(architecture="cbow", objective="hierarchical")
    total = sum(
        torch.exp(-learner.loss(CONTEXT[:1], torch.tensor([word])).loss).item()
        for word in range(len(WORDS))
    )
    assert total == pytest.approx(1, abs=1e-5)
    starts, _, _ = huffman(COUNTS)
    assert np.diff(starts).max() > np.diff(starts).min()  # ways of different lengths were padded


def test_drawn_words_cost_what_equation_4_says(monkeypatch: pytest.MonkeyPatch) -> None:
    learner = batched(architecture="cbow", objective="negative", combine="sum", negatives=2)
    drawn = torch.tensor([3, 4, 0, 1, 1, 5])  # for the first, 4 is the word itself: not counted
    monkeypatch.setattr(torch, "multinomial", lambda *given, **more: drawn)
    loss = learner.loss(CONTEXT, TARGET).loss.item()
    inputs, outputs = (w.detach().double().numpy() for w in (learner.inputs, learner.outputs))
    expected = 0.0
    for row, target, wrong in zip(CONTEXT.tolist(), [4, 2, 0], [[3], [0, 1], [1, 5]], strict=True):
        hidden = inputs[[word for word in row if word >= 0]].sum(axis=0)
        expected += np.log1p(np.exp(-outputs[target] @ hidden))
        expected += np.log1p(np.exp(outputs[wrong] @ hidden)).sum()
    assert loss == pytest.approx(expected, rel=1e-5)


def test_words_are_means_of_themselves_and_their_ngrams() -> None:
    learner = batched(architecture="cbow", objective="softmax", subwords=True, shortest_ngram=4)
    found = learner._vectors(torch.tensor([0, 1]))
    assert learner._parts is not None
    for place, parts in enumerate(learner._parts[:2].tolist()):
        rows = [row for row in parts if row >= 0]
        expected = learner.inputs.detach()[rows].mean(dim=0)
        torch.testing.assert_close(found[place].detach(), expected)
    assert len([row for row in learner._parts[0].tolist() if row >= 0]) == 2  # "wo" and "<wo>"


def test_a_step_makes_the_loss_smaller() -> None:
    learner = batched(objective="softmax", window=2, dynamic_window=False, subsample=0)
    numbers = np.array([0, 1, 2, 3, -1, 4, 5, -1, 6, -1], np.int32)
    words, around = windows(numbers, learner._recipe, learner._chances, np.random.default_rng(0))
    given = torch.from_numpy(around), torch.from_numpy(words)
    before = learner.loss(*given).loss.item()
    learner.learn(numbers, 0.01, 1)
    assert learner.loss(*given).loss.item() < before


def test_windows_end_with_the_line() -> None:
    recipe = VectorsRecipe(window=2, dynamic_window=False)
    numbers = np.array([0, 1, 2, 3, -1, -1, 4, 5, -1, 6, -1], np.int32)
    words, around = windows(numbers, recipe, np.ones(7), np.random.default_rng(0))
    found = {w: [x for x in row if x >= 0] for w, row in zip(words, around.tolist(), strict=True)}
    assert found == {0: [1, 2], 1: [0, 2, 3], 2: [0, 1, 3], 3: [1, 2], 4: [5], 5: [4]}


def test_windows_have_every_size_and_words_are_skipped() -> None:
    recipe = VectorsRecipe(window=3)
    numbers = np.append(np.arange(7, dtype=np.int32).repeat(300), np.int32(-1))
    chances = np.array([1, 1, 1, 1, 1, 1, 0.1])
    words, around = windows(numbers, recipe, chances, np.random.default_rng(0))
    middle = (around >= 0).sum(axis=1)[10:-10]
    assert set(middle.tolist()) == {2, 4, 6}
    assert 10 < (words == 6).sum() < 60
    assert (words == 5).sum() == 300


@pytest.mark.parametrize("objective", ["softmax", "negative", "hierarchical"])
def test_the_rows_of_a_loss_are_those_with_a_gradient(objective: str) -> None:
    learner = batched(objective=objective, subwords=True)
    found = learner.loss(CONTEXT, TARGET)
    gradients = torch.autograd.grad(found.loss, (learner.inputs, learner.outputs))
    for gradient, rows in zip(gradients, (found.inputs, found.outputs), strict=True):
        dense = gradient.to_dense() if gradient.is_sparse else gradient
        if objective != "softmax" or rows is found.inputs:  # there, every output has one
            assert set(rows.tolist()) == set(dense.abs().sum(dim=1).nonzero()[:, 0].tolist())


@pytest.mark.parametrize("objective", ["softmax", "negative"])
def test_many_changes_of_a_row_count_for_no_more_than_some(objective: str) -> None:
    """Sixteen times the same pair in a batch, or sixty-four times: the same step."""
    found = []
    for times in (MOST_CHANGES, 4 * MOST_CHANGES, 1):
        learner = batched(objective=objective, architecture="cbow", negatives=1)
        learner._noise = torch.tensor([0, 0, 0, 1.0, 0, 0, 0])  # always the same negative
        before = learner.inputs.detach().clone()
        context, target = CONTEXT[2:].expand(times, -1), TARGET[2:].expand(times)
        loss = learner.loss(context, target)
        gradients = torch.autograd.grad(loss.loss, (learner.inputs, learner.outputs))
        _descend(learner.inputs, gradients[0], loss.inputs, 0.1)
        found.append(learner.inputs.detach() - before)
    torch.testing.assert_close(found[0], found[1])
    torch.testing.assert_close(found[0], found[2] * MOST_CHANGES)
