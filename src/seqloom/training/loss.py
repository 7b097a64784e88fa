"""Losses over the vocabulary, computed in chunks of positions.

Logits of a batch are the largest tensor of a training step (4,096 positions times 8,000 tokens).
Their softmax and its gradient are therefore computed chunk by chunk while the chunk is in the
processor's cache, in float32 whatever the logits' number type, and only the gradient is kept.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

ChunkLoss = Callable[..., Tensor]
"""(float32 logits [C V] one or two of them, labels [C]) -> summed loss and figures, [2]."""

_CHUNK = 256


class _Chunked(torch.autograd.Function):
    """Sum of a loss over chunks of rows; the gradient is computed on the way forward."""

    @staticmethod
    def forward(ctx: Any, loss: ChunkLoss, labels: Tensor, *logits: Tensor) -> Tensor:
        gradients = [torch.empty_like(tensor) for tensor in logits]
        total = torch.zeros(2, device=labels.device)
        for start in range(0, len(labels), _CHUNK):
            stop = start + _CHUNK
            chunk = [tensor[start:stop].detach().float().requires_grad_() for tensor in logits]
            with torch.enable_grad():
                value = loss(*chunk, labels[start:stop])
            for whole, part in zip(gradients, torch.autograd.grad(value[0], chunk), strict=True):
                whole[start:stop] = part
            total += value.detach()
        ctx.gradients = gradients
        return total

    @staticmethod
    def backward(ctx: Any, *upstream: Tensor) -> tuple[Tensor | None, ...]:
        return None, None, *(gradient * upstream[0][0] for gradient in ctx.gradients)


def chunked(loss: ChunkLoss, labels: Tensor, *logits: Tensor) -> Tensor:
    """``loss`` summed over all rows: [2], of which the first entry has a gradient."""
    if not torch.is_grad_enabled():
        total = torch.zeros(2, device=labels.device)
        for start in range(0, len(labels), _CHUNK):
            stop = start + _CHUNK
            total += loss(*(tensor[start:stop].float() for tensor in logits), labels[start:stop])
        return total
    return _Chunked.apply(loss, labels, *logits)


def cross_entropy(smoothing: float) -> ChunkLoss:
    """Label-smoothed cross-entropy (Szegedy et al. 2016) and, beside it, the plain one."""

    def loss(logits: Tensor, labels: Tensor) -> Tensor:
        return _smoothed(F.log_softmax(logits, dim=-1), labels, smoothing)

    return loss


def rdrop(smoothing: float, weight: float) -> ChunkLoss:
    """R-Drop (Wu et al. 2021, eq. 4): two dropout passes, halved, so that one pass is its limit.

    1/2 [CE(p) + CE(q) + weight * 1/2 (KL(p||q) + KL(q||p))]
    """

    def loss(first: Tensor, second: Tensor, labels: Tensor) -> Tensor:
        p, q = F.log_softmax(first, dim=-1), F.log_softmax(second, dim=-1)
        both = _smoothed(p, labels, smoothing) + _smoothed(q, labels, smoothing)
        divergence = ((p.exp() - q.exp()) * (p - q)).sum() / 2
        return torch.stack([(both[0] + weight * divergence) / 2, both[1] / 2])

    return loss


def simcut(smoothing: float, weight: float) -> ChunkLoss:
    """SimCut (Gao et al. 2022, eq. 6): CE(p) + weight * KL(p||q), q from cut-off embeddings."""

    def loss(whole: Tensor, cut: Tensor, labels: Tensor) -> Tensor:
        p, q = F.log_softmax(whole, dim=-1), F.log_softmax(cut, dim=-1)
        plain = _smoothed(p, labels, smoothing)
        divergence = (p.exp() * (p - q)).sum()
        return torch.stack([plain[0] + weight * divergence, plain[1]])

    return loss


def _smoothed(log_probabilities: Tensor, labels: Tensor, smoothing: float) -> Tensor:
    """Smoothed and plain cross-entropy, summed: [2]. Smoothing spreads over all V tokens."""
    plain = -log_probabilities.gather(1, labels[:, None]).sum()
    if smoothing == 0:
        return torch.stack([plain, plain])
    uniform = -log_probabilities.mean(dim=-1).sum()
    return torch.stack([(1 - smoothing) * plain + smoothing * uniform, plain])
