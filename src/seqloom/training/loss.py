"""Losses over the vocabulary and their gradients, in chunks of positions.

Logits of a batch are the largest tensor of a training step (4,096 positions times 8,000 tokens).
Softmax, loss and gradient are therefore computed chunk by chunk while the chunk is in the
processor's cache, in float32 whatever the logits' number type, and the gradient overwrites the
logits: no second tensor of that size exists. The gradients are written out by hand; tests hold
them equal to autograd's.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

import torch
from torch import Tensor

_CHUNK = 64


class VocabularyLoss(ABC):
    """A loss over the logits of one or more passes over the same labels."""

    passes = 1
    """Passes P that the loss compares."""

    @abstractmethod
    def chunk(self, logits: Tensor, labels: Tensor, gradients: bool) -> tuple[Tensor, Tensor]:
        """Summed loss and summed plain cross-entropy of float32 logits [P C V] and labels [C].

        With ``gradients`` the logits are overwritten by the loss's gradients.
        """

    def __call__(self, logits: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
        """The loss summed over all rows, which has a gradient, and the plain cross-entropy.

        Args:
            logits: [P n V], one pass after the other; with gradients enabled they are lost.
            labels: [n].
        """
        if torch.is_grad_enabled():
            total, plain = _Chunked.apply(self, logits, labels)  # type: ignore[no-untyped-call]
        else:
            total, plain = self.sum(logits, labels, gradients=False)
        return total, plain

    def sum(self, logits: Tensor, labels: Tensor, gradients: bool) -> tuple[Tensor, Tensor]:
        """Loss and plain cross-entropy over all chunks; see :meth:`chunk`."""
        total, plain = labels.new_zeros(2, dtype=torch.float32).unbind()
        for start in range(0, len(labels), _CHUNK):
            part = logits[:, start : start + _CHUNK]
            # A copy even of float32 logits, so that without gradients the caller's stay whole.
            chunk = part.to(torch.float32, copy=True)
            loss, entropy = self.chunk(chunk, labels[start : start + _CHUNK], gradients)
            total += loss
            plain += entropy
            if gradients:
                part.copy_(chunk)
        return total, plain


class _Chunked(torch.autograd.Function):
    """Computes the gradient on the way forward, into the logits."""

    @staticmethod
    def forward(
        ctx: Any, loss: VocabularyLoss, logits: Tensor, labels: Tensor
    ) -> tuple[Tensor, Tensor]:
        gradient = logits.detach()
        total, plain = loss.sum(gradient, labels, gradients=True)
        ctx.gradient = gradient
        ctx.mark_non_differentiable(plain)
        return total, plain

    @staticmethod
    def backward(ctx: Any, *upstream: Tensor) -> tuple[Tensor | None, ...]:
        return None, ctx.gradient.mul_(upstream[0]), None


class CrossEntropy(VocabularyLoss):
    """Label-smoothed cross-entropy (Szegedy et al. 2016): smoothing spreads over all V tokens."""

    def __init__(self, smoothing: float) -> None:
        self.smoothing = smoothing

    def chunk(self, logits: Tensor, labels: Tensor, gradients: bool) -> tuple[Tensor, Tensor]:
        """See :meth:`VocabularyLoss.chunk`; the gradient is p - (smoothed labels)."""
        scores = torch.log_softmax(logits[0], dim=-1, out=logits[0])
        loss, plain = self.of(scores, labels)
        if gradients:
            self.gradient(scores.exp_(), labels)
        return loss, plain

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

    def chunk(self, logits: Tensor, labels: Tensor, gradients: bool) -> tuple[Tensor, Tensor]:
        """See :meth:`VocabularyLoss.chunk`."""
        scores = [torch.log_softmax(each, dim=-1) for each in logits]
        (first, plain_first), (second, plain_second) = (
            self.entropy.of(each, labels) for each in scores
        )
        p, q = (each.exp() for each in scores)
        ratio = scores[0].sub_(scores[1])  # log p - log q
        forward = (p * ratio).sum(dim=-1, keepdim=True)  # KL(p||q)
        backward = -(q * ratio).sum(dim=-1, keepdim=True)  # KL(q||p)
        divergence = (forward + backward).sum() / 2
        if gradients:
            half = self.weight / 2
            # d KL(p||q) / d logits of p = p (log p/q - KL);  d KL(q||p) / d logits of p = p - q
            to_p = half * (p * (ratio - forward) + p - q)
            to_q = half * (-q * (ratio + backward) + q - p)
            logits[0].copy_(self.entropy.gradient(p, labels).add_(to_p)).mul_(0.5)
            logits[1].copy_(self.entropy.gradient(q, labels).add_(to_q)).mul_(0.5)
        loss = (first + second + self.weight * divergence) / 2
        return loss, (plain_first + plain_second) / 2


class SimCut(VocabularyLoss):
    """SimCut (Gao et al. 2022, eq. 6): CE(p) + weight * KL(p||q), q from cut-off embeddings."""

    passes = 2

    def __init__(self, smoothing: float, weight: float) -> None:
        self.entropy = CrossEntropy(smoothing)
        self.weight = weight

    def chunk(self, logits: Tensor, labels: Tensor, gradients: bool) -> tuple[Tensor, Tensor]:
        """See :meth:`VocabularyLoss.chunk`; the gradient flows into both passes."""
        whole, cut = (torch.log_softmax(each, dim=-1, out=each) for each in logits)
        loss, plain = self.entropy.of(whole, labels)
        p = whole.exp()
        ratio = whole.sub_(cut)  # log p - log q, in the first logits' place
        divergence = (p * ratio).sum(dim=-1, keepdim=True)
        if gradients:
            q = cut.exp_()
            ratio.sub_(divergence).mul_(p).mul_(self.weight)
            q.sub_(p).mul_(self.weight)
            ratio.add_(self.entropy.gradient(p, labels))
        return loss + self.weight * divergence.sum(), plain
