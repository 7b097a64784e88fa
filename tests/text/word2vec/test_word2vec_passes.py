"""The compiled loops against autograd, and a whole pass against a slow one."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from seqloom.recipe.vectors import VectorsRecipe
from seqloom.text.word2vec.passes import Plan, pass_over
from seqloom.text.word2vec.rows import LOGISTIC, learn, logistic
from seqloom.text.word2vec.threads import plan_of
from seqloom.text.word2vec.vocabulary import Vocabulary

WORDS = ["wo", "wordy", "word", "sword", "ward", "words", "order"]
COUNTS = np.array([40, 30, 20, 9, 6, 3, 2])
BUCKETS = 11
MULTIPLIER, ADDEND, MODULUS = 6364136223846793005, 1442695040888963407, 2**64


def vocabulary() -> Vocabulary:
    return Vocabulary(WORDS, COUNTS, np.arange(len(WORDS), dtype=np.int32))


@pytest.mark.parametrize("score", [-1e30, -20.0, -8.0, -7.999, -1.3, 0.0, 0.001, 5.5, 8.0, 90.0])
def test_the_logistic_function_is_right_to_3e_7(score: float) -> None:
    assert logistic(score, LOGISTIC) == pytest.approx(1 / (1 + np.exp(min(-score, 700))), abs=3e-7)


def test_a_score_that_is_no_number_stays_none() -> None:
    assert np.isnan(logistic(float("nan"), LOGISTIC))


@pytest.mark.parametrize("rows", [1, 4])
def test_a_step_goes_down_the_gradient_of_autograd(rows: int) -> None:
    random = np.random.default_rng(0)
    hidden, outputs = random.normal(size=(5, 16)), random.normal(size=(7, 16))
    targets, labels = np.array([3, 0, 6, 0, 9]), np.array([1.0, 0, 0, 0, 9])
    number = 4  # row 0 twice: what is drawn twice counts twice
    h, o = (torch.tensor(x, requires_grad=True) for x in (hidden[:rows], outputs))
    signs = torch.tensor(2 * labels[:number] - 1)
    loss = -F.logsigmoid(signs * (h @ o[torch.tensor(targets[:number])].T)).sum()
    loss.backward()
    before, changes = outputs.copy(), np.zeros((5, 16))
    errors, near = np.zeros((5, 5)), np.zeros((5, 16))
    learn(hidden, rows, targets, labels, number, outputs, 1.0, LOGISTIC, errors, changes, near)
    assert h.grad is not None
    assert o.grad is not None
    np.testing.assert_allclose(-changes[:rows], h.grad.numpy(), atol=1e-6)
    np.testing.assert_allclose(before - outputs, o.grad.numpy(), atol=1e-6)
    assert not changes[rows:].any()


class Random:
    """The random numbers of the kernels, in Python."""

    def __init__(self, seed: int) -> None:
        self.state = seed

    def bits(self) -> int:
        self.state = (self.state * MULTIPLIER + ADDEND) % MODULUS
        return self.state >> 32

    def below(self, number: int) -> int:
        return (self.bits() * number) >> 32

    def fraction(self) -> float:
        return self.bits() / 2**32


def targets_of(word: int, plan: Plan, random: Random) -> list[tuple[int, float]]:
    if not plan.negatives:
        way = slice(plan.way_starts[word], plan.way_starts[word + 1])
        return list(zip(plan.way_nodes[way].tolist(), plan.way_codes[way].tolist(), strict=True))
    found = [(word, 1.0)]
    for _ in range(plan.negatives):
        place = random.below(len(plan.share))
        if random.fraction() >= plan.share[place]:
            place = int(plan.other[place])
        if place != word:
            found.append((place, 0.0))
    return found


def parts_of(word: int, plan: Plan) -> list[int]:
    if not len(plan.ngram_starts):
        return []
    return plan.ngram_rows[plan.ngram_starts[word] : plan.ngram_starts[word + 1]].tolist()


def vector_of(word: int, plan: Plan, inputs: Tensor) -> Tensor:
    return inputs[torch.tensor([word, *parts_of(word, plan)])].mean(dim=0)


def slow_pass(
    numbers: list[int], plan: Plan, inputs: np.ndarray, outputs: np.ndarray, rate: float, seed: int
) -> None:
    """Word by word with autograd. Steps of means are those of sums, as the program has them."""
    random = Random(seed)
    kept = [
        n for n in numbers if n < 0 or plan.chances[n] >= 1 or random.fraction() < plan.chances[n]
    ]
    for place, word in enumerate(kept):
        if word < 0:
            continue
        reach = plan.window - (random.below(plan.window) if plan.dynamic else 0)
        before = list(itertools.takewhile(lambda n: n >= 0, reversed(kept[:place])))[:reach]
        after = list(itertools.takewhile(lambda n: n >= 0, kept[place + 1 :]))[:reach]
        if not (around := before + after):
            continue
        rows, labels = zip(*targets_of(word, plan, random), strict=True)
        given, out = (torch.tensor(x, requires_grad=True) for x in (inputs, outputs))
        vectors = torch.stack([vector_of(other, plan, given) for other in around])
        if plan.cbow:
            vectors = vectors.mean(0, True) if plan.mean else vectors.sum(0, True)
        signs = 2 * torch.tensor(labels) - 1
        loss = -F.logsigmoid(signs * (vectors @ out[torch.tensor(rows)].T)).sum()
        on_inputs, on_outputs, on_vectors = torch.autograd.grad(loss, (given, out, vectors))
        outputs -= rate * on_outputs.numpy()
        if plan.cbow or len(plan.ngram_starts):
            for i, other in enumerate(around):
                change = rate * on_vectors[0 if plan.cbow else i].numpy()
                inputs[other] -= change
                if len(plan.ngram_starts):
                    for row in plan.ngram_rows[
                        plan.ngram_starts[other] : plan.ngram_starts[other + 1]
                    ]:
                        inputs[row] -= change
        else:
            inputs -= rate * on_inputs.numpy()


@pytest.mark.parametrize("subwords", [False, True])
@pytest.mark.parametrize("objective", ["negative", "hierarchical"])
@pytest.mark.parametrize(
    ("architecture", "combine"), [("skipgram", "mean"), ("cbow", "mean"), ("cbow", "sum")]
)
def test_a_pass_is_that_of_the_papers(
    architecture: str, combine: str, objective: str, subwords: bool
) -> None:
    recipe = VectorsRecipe(
        architecture=architecture, combine=combine, objective=objective, subwords=subwords,
        buckets=BUCKETS, window=3, negatives=3, subsample=0.1, noise_power=0.75,
    )  # fmt: skip
    plan = plan_of(vocabulary(), recipe)
    assert (plan.chances < 1).any()
    random = np.random.default_rng(3)
    inputs = random.normal(size=(len(WORDS) + BUCKETS, 16), scale=0.3)
    outputs = random.normal(size=(len(WORDS), 16), scale=0.3)
    numbers = random.choice(len(WORDS), 60, p=COUNTS / COUNTS.sum())
    numbers[[12, 13, 40, 59]] = -1
    slow = inputs.copy(), outputs.copy()
    slow_pass(numbers.tolist(), plan, *slow, rate=0.1, seed=42)
    state = np.array([42], np.uint64)
    pass_over(numbers.astype(np.int32), plan, inputs, outputs, 0.1, state)
    np.testing.assert_allclose(inputs, slow[0], atol=1e-6)
    np.testing.assert_allclose(outputs, slow[1], atol=1e-6)
    assert state[0] != 42


def test_the_sum_of_cbow_has_the_gradient_of_the_definition() -> None:
    """With sums and without n-grams, a pass over one window is one step of gradient descent."""
    recipe = VectorsRecipe(
        architecture="cbow", combine="sum", window=2, dynamic_window=False, subsample=0
    )
    plan = plan_of(vocabulary(), recipe)
    random = np.random.default_rng(5)
    inputs, outputs = random.normal(size=(2, len(WORDS), 16), scale=0.3)
    given, out = (torch.tensor(x, requires_grad=True) for x in (inputs, outputs))
    rows, labels = zip(*targets_of(1, plan, source := Random(7)), strict=True)
    scores = given[0] @ out[torch.tensor(rows)].T
    F.binary_cross_entropy_with_logits(
        scores, torch.tensor(labels, dtype=torch.float64), reduction="sum"
    ).backward()
    before = inputs.copy()
    # A line of two words: the first is told from the second, and then the other way round.
    pass_over(np.array([0, 1], np.int32), plan, inputs, outputs, 0.0, np.array([7], np.uint64))
    np.testing.assert_array_equal(inputs, before)
    assert given.grad is not None
    assert source.state != 7
