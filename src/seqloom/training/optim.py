"""Optimizer, gradient clipping and the moving average of the weights."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from seqloom.models.base import TextModel
from seqloom.recipe import Optimization
from seqloom.training.muon import Muon


class Optimizers:
    """Several optimizers, each over parameters of its own, that step as one."""

    def __init__(self, *parts: torch.optim.Optimizer) -> None:
        self.parts = parts

    @property
    def param_groups(self) -> list[dict[str, Any]]:
        """The groups of all parts."""
        return [group for part in self.parts for group in part.param_groups]

    @property
    def state(self) -> dict[Tensor, dict[str, Tensor]]:
        """What is remembered of each parameter; empty before the first step."""
        return {
            parameter: part.state[parameter]
            for part in self.parts
            for group in part.param_groups
            for parameter in group["params"]
        }

    def set_rate(self, share: float) -> None:
        """Learning rates are ``share`` times each group's highest."""
        for group in self.param_groups:
            group["lr"] = share * group["highest"]

    def step(self) -> None:
        """One update of all parameters that have a gradient."""
        for part in self.parts:
            part.step()

    def zero_grad(self) -> None:
        """Gradients to zero, in their place."""
        for part in self.parts:
            part.zero_grad(set_to_none=False)


def all_alike(name: str) -> float:
    """The share of the learning rate of a parameter, where all have the whole of it."""
    return 1.0


def build_optimizer(
    model: nn.Module, recipe: Optimization, rate_of: Callable[[str], float] = all_alike
) -> Optimizers:
    """Adam or AdamW, in which matrices decay and vectors (biases, norms) do not; or Muon.

    Muon (Jordan et al. 2024) makes the steps of hidden matrices orthogonal. Embeddings, the head
    and vectors are not hidden matrices, and are left to Adam.

    Args:
        model: its parameters that may move.
        recipe: which optimizer, and its rates.
        rate_of: the share of the learning rate that a parameter has, by its name.
    """
    named = {name: p for name, p in model.named_parameters() if p.requires_grad}
    hidden = _hidden_matrices(model) if recipe.optimizer == "muon" else set()
    apart = _groups({n: p for n, p in named.items() if id(p) in hidden}, recipe, rate_of)
    groups = _groups({n: p for n, p in named.items() if id(p) not in hidden}, recipe, rate_of)
    adam = torch.optim.AdamW if recipe.optimizer == "adamw" else torch.optim.Adam
    rate = recipe.learning_rate
    for group in groups:
        group["highest"] = rate * group["share"]
    parts: list[torch.optim.Optimizer] = [
        adam(groups, lr=rate, betas=(recipe.beta1, recipe.beta2), eps=1e-9, fused=True)
    ]
    if apart:
        rate = recipe.muon_learning_rate
        for group in apart:
            group["highest"] = rate * group["share"]
        parts.append(Muon(apart, lr=rate, weight_decay=recipe.weight_decay))
    return Optimizers(*parts)


def _groups(
    named: Mapping[str, nn.Parameter], recipe: Optimization, rate_of: Callable[[str], float]
) -> list[dict[str, Any]]:
    """Parameters of equal rate and equal decay together."""
    found: dict[tuple[float, float], list[nn.Parameter]] = {}
    for name, parameter in named.items():
        decay = recipe.weight_decay if parameter.ndim > 1 else 0.0
        found.setdefault((rate_of(name), decay), []).append(parameter)
    return [
        {"params": parameters, "weight_decay": decay, "share": share}
        for (share, decay), parameters in found.items()
    ]


def _hidden_matrices(model: nn.Module) -> set[int]:
    outer = {id(m.weight) for m in model.modules() if isinstance(m, nn.Embedding)}
    outer |= {id(m.head.weight) for m in model.modules() if isinstance(m, TextModel)}
    return {id(p) for p in model.parameters() if p.ndim == 2} - outer


def normalize_and_clip(parameters: list[nn.Parameter], tokens: float, clip: float) -> Tensor:
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


@torch.no_grad()
def set_weights(model: nn.Module, weights: Mapping[str, Tensor]) -> None:
    """Every parameter from ``weights``, by name."""
    for name, parameter in model.named_parameters():
        parameter.copy_(weights[name])


@contextmanager
def restored(model: nn.Module) -> Iterator[None]:
    """Inside the block the weights may be set to others; after it they are as before."""
    current = {name: p.detach().clone() for name, p in model.named_parameters()}
    try:
        yield
    finally:
        set_weights(model, current)
