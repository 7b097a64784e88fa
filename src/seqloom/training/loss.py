"""Losses over the vocabulary and their gradients, in chunks of positions.

Logits of a batch would be the largest tensor of a training step (4,096 positions times 8,000
tokens), and fresh memory costs more than the product that fills it. So hidden states are projected
a few hundred positions at a time; softmax, loss and gradient are computed a few dozen at a time,
while they are in the processor's cache, in float32 whatever the product's number type; and the
gradient overwrites the logits. The gradients are written out by hand; tests hold them equal to
autograd's.

Axes: P passes, n positions, D width, V vocabulary, C positions of a chunk.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

_PRODUCT = 512
"""Positions projected at a time."""
_CHUNK = 64
"""Positions whose softmax is computed at a time."""


class Parts(NamedTuple):
    """What a loss says of some positions."""

    total: Tensor
    """The loss, summed."""
    plain: Tensor
    """Cross-entropy without smoothing or other terms, summed."""
    by_logits: Tensor | None
    """The loss's gradient with respect to the logits [P C V], if it was asked for."""


class VocabularyLoss(ABC):
    """A loss over the vocabulary of one or more passes over the same labels."""

    passes = 1
    """Passes P that the loss compares."""

    @abstractmethod
    def chunk(self, logits: Tensor, labels: Tensor, gradients: bool) -> Parts:
        """The parts for float32 logits [P C V], which stay as they are, and labels [C]."""

    def __call__(self, hidden: Tensor, head: nn.Linear, labels: Tensor) -> tuple[Tensor, Tensor]:
        """The loss summed over all positions, which has a gradient, and the plain cross-entropy.

        Args:
            hidden: states [P n D], one pass after the other.
            head: projects them onto the vocabulary.
            labels: [n].
        """
        if torch.is_grad_enabled():
            total, plain = _Chunked.apply(  # type: ignore[no-untyped-call]
                self, hidden, head.weight, head.bias, labels
            )
            return total, plain
        total, plain = _zeros(labels)
        for start in range(0, len(labels), _PRODUCT):
            part = slice(start, start + _PRODUCT)
            loss, entropy = self.of_logits(head(hidden[:, part]), labels[part], gradients=False)
            total, plain = total + loss, plain + entropy
        return total, plain

    def of_logits(self, logits: Tensor, labels: Tensor, gradients: bool) -> tuple[Tensor, Tensor]:
        """Loss and plain cross-entropy of logits [P n V].

        With ``gradients`` the logits are overwritten by the loss's gradient.
        """
        total, plain = _zeros(labels)
        for start in range(0, len(labels), _CHUNK):
            part = logits[:, start : start + _CHUNK]
            parts = self.chunk(part.float(), labels[start : start + _CHUNK], gradients)
            total += parts.total
            plain += parts.plain
            if parts.by_logits is not None:
                part.copy_(parts.by_logits)
        return total, plain


def _zeros(labels: Tensor) -> tuple[Tensor, Tensor]:
    total, plain = labels.new_zeros(2, dtype=torch.float32).unbind()
    return total, plain


class _Chunked(torch.autograd.Function):
    """Computes all gradients on the way forward; the way back only scales them."""

    @staticmethod
    def forward(
        ctx: Any,
        loss: VocabularyLoss,
        hidden: Tensor,
        weight: Tensor,
        bias: Tensor | None,
        labels: Tensor,
    ) -> tuple[Tensor, Tensor]:
        device = hidden.device.type
        dtype = hidden.dtype
        if torch.is_autocast_enabled(device):
            dtype = torch.get_autocast_dtype(device)
        with torch.autocast(device, enabled=False):
            total, plain, ctx.gradients = _gradients(
                loss, hidden.to(dtype), weight.to(dtype), bias, labels
            )
        ctx.dtypes = [None if each is None else each.dtype for each in (hidden, weight, bias)]
        ctx.mark_non_differentiable(plain)
        return total, plain

    @staticmethod
    def backward(ctx: Any, *upstream: Tensor) -> tuple[Tensor | None, ...]:
        hidden, weight, bias = (
            None if gradient is None else (gradient * upstream[0]).to(dtype)
            for gradient, dtype in zip(ctx.gradients, ctx.dtypes, strict=True)
        )
        return None, hidden, weight, bias, None


def _gradients(
    loss: VocabularyLoss, hidden: Tensor, weight: Tensor, bias: Tensor | None, labels: Tensor
) -> tuple[Tensor, Tensor, tuple[Tensor, Tensor, Tensor | None]]:
    """Loss, plain cross-entropy, and the loss's gradients by hidden states, weight and bias."""
    total, plain = _zeros(labels)
    by_hidden = torch.empty_like(hidden)
    by_weight = torch.zeros_like(weight, dtype=torch.float32)
    by_bias = None if bias is None else torch.zeros_like(bias, dtype=torch.float32)
    offset = None if bias is None else bias.to(hidden.dtype)
    for start in range(0, len(labels), _PRODUCT):
        part = slice(start, start + _PRODUCT)
        states = hidden[:, part].flatten(0, 1)  # rows of all passes: one product, no batch of them
        logits = F.linear(states, weight, offset)
        one_total, one_plain = loss.of_logits(
            logits.view(len(hidden), -1, logits.shape[1]), labels[part], gradients=True
        )
        total += one_total
        plain += one_plain
        by_hidden[:, part] = (logits @ weight).view(len(hidden), -1, weight.shape[1])
        by_weight += logits.t() @ states
        if by_bias is not None:
            by_bias += logits.sum(dim=0, dtype=torch.float32)
    return total, plain, (by_hidden, by_weight, by_bias)


class CrossEntropy(VocabularyLoss):
    """Label-smoothed cross-entropy (Szegedy et al. 2016): smoothing spreads over all V tokens."""

    def __init__(self, smoothing: float) -> None:
        self.smoothing = smoothing

    def chunk(self, logits: Tensor, labels: Tensor, gradients: bool) -> Parts:
        """See :meth:`VocabularyLoss.chunk`; the gradient is p - (smoothed labels)."""
        x = logits[0]
        if not gradients:
            return Parts(*self.of(torch.log_softmax(x, dim=-1), labels), None)
        # One exponential an entry instead of two: log Z comes from the largest logit and its
        # probability, which is at least 1/V.
        p = torch.softmax(x, dim=-1)
        log_z = (x.amax(dim=-1) - p.amax(dim=-1).log()).sum()
        plain = log_z - x.gather(1, labels[:, None]).sum()
        total = plain
        if self.smoothing:
            uniform = log_z - x.sum() / x.shape[1]
            total = (1 - self.smoothing) * plain + self.smoothing * uniform
        return Parts(total, plain, self.gradient(p, labels)[None])

    def of(self, scores: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
        """Smoothed and plain cross-entropy of log-probabilities [C V]."""
        plain = -scores.gather(1, labels[:, None]).sum()
        if not self.smoothing:
            return plain, plain
        uniform = -scores.sum() / scores.shape[1]
        return (1 - self.smoothing) * plain + self.smoothing * uniform, plain

    def gradient(self, probabilities: Tensor, labels: Tensor) -> Tensor:
        """Turn probabilities [C V] into the gradient with respect to the logits, in place."""
        if self.smoothing:
            probabilities -= self.smoothing / probabilities.shape[1]
        rows = torch.arange(len(labels), device=labels.device)
        probabilities[rows, labels] -= 1 - self.smoothing
        return probabilities


class RDrop(VocabularyLoss):
    """R-Drop (Wu et al. 2021, eq. 4) on two dropout passes p and q, halved to the scale of one:

    1/2 [CE(p) + CE(q) + weight * 1/2 (KL(p||q) + KL(q||p))]
    """

    passes = 2

    def __init__(self, smoothing: float, weight: float) -> None:
        self.entropy = CrossEntropy(smoothing)
        self.weight = weight

    def chunk(self, logits: Tensor, labels: Tensor, gradients: bool) -> Parts:
        """See :meth:`VocabularyLoss.chunk`."""
        scores = torch.log_softmax(logits, dim=-1)
        (first, plain_first), (second, plain_second) = (
            self.entropy.of(each, labels) for each in scores
        )
        p, q = probabilities = scores.exp()
        ratio = scores[0].sub_(scores[1])  # log p - log q
        forward = (p * ratio).sum(dim=-1, keepdim=True)  # KL(p||q)
        backward = -(q * ratio).sum(dim=-1, keepdim=True)  # KL(q||p)
        divergence = (forward + backward).sum() / 2
        total = (first + second + self.weight * divergence) / 2
        plain = (plain_first + plain_second) / 2
        if not gradients:
            return Parts(total, plain, None)
        half = self.weight / 2
        # d KL(p||q) / d logits of p = p (log p/q - KL);  d KL(q||p) / d logits of p = p - q
        to_p = half * (p * (ratio - forward) + p - q)
        to_q = half * (-q * (ratio + backward) + q - p)
        self.entropy.gradient(p, labels).add_(to_p)
        self.entropy.gradient(q, labels).add_(to_q)
        return Parts(total, plain, probabilities.mul_(0.5))


class SimCut(VocabularyLoss):
    """SimCut (Gao et al. 2022, eq. 6): CE(p) + weight * KL(p||q), q from cut-off embeddings."""

    passes = 2

    def __init__(self, smoothing: float, weight: float) -> None:
        self.entropy = CrossEntropy(smoothing)
        self.weight = weight

    def chunk(self, logits: Tensor, labels: Tensor, gradients: bool) -> Parts:
        """See :meth:`VocabularyLoss.chunk`; the gradient flows into both passes."""
        scores = torch.log_softmax(logits, dim=-1)
        whole, cut = scores
        loss, plain = self.entropy.of(whole, labels)
        p = whole.exp()
        ratio = whole.sub_(cut)  # log p - log q, in the first scores' place
        divergence = (p * ratio).sum(dim=-1, keepdim=True)
        total = loss + self.weight * divergence.sum()
        if not gradients:
            return Parts(total, plain, None)
        cut.exp_().sub_(p).mul_(self.weight)
        ratio.sub_(divergence).mul_(p).mul_(self.weight)
        ratio.add_(self.entropy.gradient(p, labels))
        return Parts(total, plain, scores)
