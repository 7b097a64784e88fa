"""Losses and their hand-written gradients, against autograd through torch's own losses."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from seqloom.training import loss as module
from seqloom.training.loss import CrossEntropy, RDrop, SimCut, VocabularyLoss

VOCABULARY = 31


def kl(p: Tensor, q: Tensor) -> Tensor:
    """Summed KL(p||q) of logits."""
    p, q = F.log_softmax(p, -1), F.log_softmax(q, -1)
    return F.kl_div(q, p, log_target=True, reduction="sum")


def entropy(logits: Tensor, labels: Tensor, smoothing: float = 0.1) -> Tensor:
    return F.cross_entropy(logits, labels, label_smoothing=smoothing, reduction="sum")


def rdrop(logits: Tensor, labels: Tensor) -> Tensor:
    p, q = logits
    return 0.5 * (entropy(p, labels) + entropy(q, labels) + 5 * 0.5 * (kl(p, q) + kl(q, p)))


REFERENCES: list[tuple[VocabularyLoss, Callable[[Tensor, Tensor], Tensor]]] = [
    (CrossEntropy(0.0), lambda x, y: entropy(x[0], y, 0.0)),
    (CrossEntropy(0.1), lambda x, y: entropy(x[0], y)),
    (RDrop(0.1, 5.0), rdrop),
    (SimCut(0.1, 3.0), lambda x, y: entropy(x[0], y) + 3 * kl(x[0], x[1])),
    (SimCut(0.0, 0.0), lambda x, y: entropy(x[0], y, 0.0)),
]
NAMES = ["plain", "smoothed", "rdrop", "simcut", "simcut-weightless"]
every_loss = pytest.mark.parametrize(("loss", "reference"), REFERENCES, ids=NAMES)


def apply(
    loss: VocabularyLoss, logits: Tensor, labels: Tensor, vocabulary: int = VOCABULARY
) -> tuple[Tensor, Tensor]:
    """The loss of states whose projection is the identity: they are the logits."""
    head = nn.Linear(vocabulary, vocabulary, bias=False)
    nn.init.eye_(head.weight)
    return loss(logits, head, labels)


def data(loss: VocabularyLoss, rows: int) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(rows)
    logits = 2 * torch.randn(loss.passes, rows, VOCABULARY, generator=generator)
    return logits, torch.randint(0, VOCABULARY, (rows,), generator=generator)


@every_loss
@pytest.mark.parametrize("rows", [1, 63, 64, 65, 150])
@pytest.mark.parametrize("upstream", [1.0, -0.25])
def test_value_and_gradient(loss, reference, rows: int, upstream: float) -> None:
    logits, labels = data(loss, rows)
    ours, theirs = logits.clone().requires_grad_(), logits.clone().requires_grad_()
    total, plain = apply(loss, ours, labels)
    expected = reference(theirs, labels)
    torch.testing.assert_close(total, expected, rtol=1e-5, atol=1e-4)
    (total * upstream).backward()
    (expected * upstream).backward()
    torch.testing.assert_close(ours.grad, theirs.grad, rtol=1e-4, atol=2e-5)
    passes = logits if isinstance(loss, RDrop) else logits[:1]
    mean = sum(entropy(each, labels, 0.0) for each in passes) / len(passes)
    torch.testing.assert_close(plain, mean, rtol=1e-5, atol=1e-4)
    assert not plain.requires_grad


@every_loss
def test_chunks_change_nothing(loss, reference, monkeypatch: pytest.MonkeyPatch) -> None:
    logits, labels = data(loss, 100)
    found = []
    for chunk in (1, 7, 1000):
        monkeypatch.setattr(module, "_CHUNK", chunk)
        leaf = logits.clone().requires_grad_()
        total, _ = apply(loss, leaf, labels)
        total.backward()
        found.append((total.detach(), leaf.grad))
    for total, gradient in found[1:]:
        torch.testing.assert_close(total, found[0][0], rtol=1e-5, atol=1e-4)
        torch.testing.assert_close(gradient, found[0][1], rtol=1e-4, atol=1e-5)


@every_loss
def test_without_gradients_the_logits_stay(loss, reference) -> None:
    logits, labels = data(loss, 70)
    before = logits.clone()
    for mode in (torch.no_grad, torch.inference_mode):
        with mode():
            total, plain = apply(loss, logits, labels)
        assert torch.equal(logits, before)
        torch.testing.assert_close(total, reference(logits, labels), rtol=1e-5, atol=1e-4)
        assert plain > 0


@every_loss
def test_gradients_of_the_projection(loss, reference) -> None:
    """More positions than are projected at a time; autograd through the whole product agrees."""
    generator = torch.Generator().manual_seed(5)
    states = torch.randn(loss.passes, 1100, 12, generator=generator)
    labels = torch.randint(0, VOCABULARY, (1100,), generator=generator)
    head = nn.Linear(12, VOCABULARY)
    ours, theirs = states.clone().requires_grad_(), states.clone().requires_grad_()
    total, _ = loss(ours, head, labels)
    total.backward()
    found = [ours.grad, head.weight.grad, head.bias.grad]
    head.zero_grad()
    expected = reference(head(theirs), labels)
    expected.backward()
    torch.testing.assert_close(total, expected, rtol=1e-5, atol=1e-3)
    for one, other in zip(found, [theirs.grad, head.weight.grad, head.bias.grad], strict=True):
        torch.testing.assert_close(one, other, rtol=1e-3, atol=1e-3)


@every_loss
def test_bfloat16_products(loss, reference) -> None:
    """Under autocast the product is rounded, losses are computed in float32 from what it holds."""
    logits, labels = data(loss, 70)
    logits = logits.bfloat16()
    ours, theirs = logits.float().requires_grad_(), logits.float().requires_grad_()
    with torch.autocast("cpu", torch.bfloat16):
        total, _ = apply(loss, ours, labels)
    expected = reference(theirs, labels)
    torch.testing.assert_close(total, expected, rtol=1e-5, atol=1e-3)
    total.backward()
    expected.backward()
    assert ours.grad.dtype == torch.float32
    torch.testing.assert_close(ours.grad, theirs.grad, rtol=2**-6, atol=1e-4)


@every_loss
def test_gradients_of_each_row_sum_to_nothing(loss, reference) -> None:
    """Logits matter only up to a constant a row."""
    logits, labels = data(loss, 10)
    leaf = logits.requires_grad_()
    apply(loss, leaf, labels)[0].backward()
    assert leaf.grad.sum(-1).abs().max() < 1e-4


def test_textbook_cross_entropy() -> None:
    """Two tokens, probabilities 3/4 and 1/4."""
    logits = torch.tensor([[[3.0, 1.0]]]).log()
    with torch.no_grad():
        total, plain = apply(CrossEntropy(0.2), logits, torch.tensor([0]), 2)
    assert float(plain) == pytest.approx(0.287682, abs=1e-6)  # -ln 0.75
    assert float(total) == pytest.approx(0.397544, abs=1e-6)  # -0.9 ln 0.75 - 0.1 ln 0.25


def test_extreme_logits_stay_finite() -> None:
    logits = torch.tensor([[[1e4, -1e4, 0.0]], [[-1e4, 1e4, 0.0]]])
    for loss in (CrossEntropy(0.1), RDrop(0.1, 1.0), SimCut(0.1, 1.0)):
        leaf = logits[: loss.passes].clone().requires_grad_()
        total, _ = apply(loss, leaf, torch.tensor([1]), 3)
        total.backward()
        assert torch.isfinite(total) and torch.isfinite(leaf.grad).all()
