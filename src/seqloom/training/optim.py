"""Optimizer, gradient clipping and the moving average of the weights."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from seqloom.recipe import TrainingRecipe


def build_optimizer(model: nn.Module, recipe: TrainingRecipe) -> torch.optim.Optimizer:
    """Adam or AdamW over two groups: matrices decay, vectors (biases, norms) do not."""
    parameters = [p for p in model.parameters() if p.requires_grad]
    groups = [
        {"params": [p for p in parameters if p.ndim > 1], "weight_decay": recipe.weight_decay},
        {"params": [p for p in parameters if p.ndim <= 1], "weight_decay": 0.0},
    ]
    optimizer = torch.optim.AdamW if recipe.optimizer == "adamw" else torch.optim.Adam
    return optimizer(
        groups,
        lr=recipe.learning_rate,
        betas=(recipe.beta1, recipe.beta2),
        eps=1e-9,
        fused=True,
    )


def normalize_and_clip(parameters: list[nn.Parameter], tokens: int, clip: float) -> Tensor:
    """Divide summed gradients by the tokens they were summed over, then clip their global norm.

    Returns:
        The norm before clipping, a scalar.
    """
    gradients = [p.grad for p in parameters if p.grad is not None]
    norm = torch.nn.utils.get_total_norm(gradients) / tokens
    factor = 1 / tokens
    if clip:
        scale = (clip / (norm + 1e-6)).clamp(max=1.0) * factor
        torch._foreach_mul_(gradients, scale)
    else:
        torch._foreach_mul_(gradients, factor)
    return norm


class MovingAverage:
    """Exponential moving average of the weights: average += (1 - decay) (weights - average).

    The decay grows with the updates, min(decay, (1 + n) / (10 + n)), so that the beginning, when
    weights are random, is soon forgotten.
    """

    def __init__(self, model: nn.Module, decay: float) -> None:
        self.decay = decay
        self.weights: dict[str, Tensor] = {
            name: p.detach().clone() for name, p in model.named_parameters()
        }

    @torch.no_grad()
    def update(self, model: nn.Module, updates: int) -> None:
        """Take in the weights after update number ``updates``."""
        decay = min(self.decay, (1 + updates) / (10 + updates))
        current = [p.detach() for _, p in model.named_parameters()]
        torch._foreach_lerp_(list(self.weights.values()), current, 1 - decay)


@torch.no_grad()
def average_weights(several: list[Mapping[str, Tensor]]) -> dict[str, Tensor]:
    """The mean of several sets of weights of one model, computed in float64."""
    first = several[0]
    return {
        name: torch.stack([weights[name].double() for weights in several]).mean(0).to(tensor.dtype)
        for name, tensor in first.items()
    }
