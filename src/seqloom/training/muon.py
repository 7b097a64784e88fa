"""Muon (Jordan et al. 2024) as ``torch.optim.Muon`` has it, with steps that processors like better.

torch makes one matrix after the other orthogonal, in bfloat16. On a processor that has no bfloat16
of its own that took three quarters of a training step. Here matrices of one shape go through
together, in the number type that multiplies fastest.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, cast

import torch
from torch import Tensor

from seqloom.runtime import faster_precision


def orthogonal(
    matrices: Tensor, coefficients: Sequence[float], rounds: int, epsilon: float
) -> Tensor:
    """Each of n matrices U S V^T [n P Q] with singular values near 1, by Newton-Schulz rounds.

    A round takes X to a X + (b X X^T + c (X X^T)^2) X, in the number type of ``matrices``.
    """
    a, b, c = coefficients
    tall = matrices.shape[1] > matrices.shape[2]
    x = matrices.mT if tall else matrices  # the smaller X X^T
    x = x / x.norm(dim=(1, 2), keepdim=True).clamp(min=epsilon)
    for _ in range(rounds):
        gram = x @ x.mT
        x = torch.baddbmm(x, torch.baddbmm(gram, gram, gram, beta=b, alpha=c), x, beta=a)
    return x.mT if tall else x


class Muon(torch.optim.Muon):
    """Arguments, state and steps of ``torch.optim.Muon``, up to rounding.

    Every parameter that has a gradient is a matrix [P Q]; its rate grows with sqrt(P / Q) where it
    is tall.
    """

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> float | None:  # type: ignore[override]
        """One update; there is no ``closure``."""
        assert closure is None, "Muon takes no closure"
        for group in self.param_groups:
            alike: dict[Any, list[Tensor]] = {}
            for parameter in group["params"]:
                if parameter.grad is not None:
                    kind = (parameter.shape, parameter.device, parameter.dtype)
                    alike.setdefault(kind, []).append(parameter)
            for parameters in alike.values():
                self._move(parameters, group)
        return None

    def _move(self, parameters: list[Tensor], group: dict[str, Any]) -> None:
        """Update matrices of one shape."""
        for parameter in parameters:
            if "momentum_buffer" not in self.state[parameter]:
                self.state[parameter]["momentum_buffer"] = torch.zeros_like(parameter)
        gradients = [cast("Tensor", parameter.grad) for parameter in parameters]
        means = [self.state[parameter]["momentum_buffer"] for parameter in parameters]
        torch._foreach_lerp_(means, gradients, 1 - group["momentum"])
        ahead = means
        if group["nesterov"]:
            ahead = list(torch._foreach_lerp(gradients, means, group["momentum"]))
        device = parameters[0].device
        steps = orthogonal(
            torch.stack(ahead).to(getattr(torch, faster_precision(device))),
            group["ns_coefficients"],
            group["ns_steps"],
            group["eps"],
        ).to(parameters[0].dtype)
        rows, columns = parameters[0].shape
        torch._foreach_mul_(parameters, 1 - group["lr"] * group["weight_decay"])
        rate = group["lr"] * max(1.0, rows / columns) ** 0.5
        torch._foreach_add_(parameters, list(steps.unbind()), alpha=-rate)
