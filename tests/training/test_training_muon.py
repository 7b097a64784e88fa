"""Muon: torch's own, in another number type and for many matrices at once."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from seqloom.training.muon import Muon, orthogonal

COEFFICIENTS, ROUNDS, EPSILON = (3.4445, -4.7750, 2.0315), 5, 1e-7


@pytest.mark.parametrize("shape", [(3, 16, 16), (2, 16, 48), (2, 48, 16)])
def test_singular_values_come_near_one_and_directions_stay(shape: tuple[int, int, int]) -> None:
    torch.manual_seed(0)
    matrices = torch.randn(shape)
    found = orthogonal(matrices, COEFFICIENTS, ROUNDS, EPSILON)
    assert found.shape == shape
    values = torch.linalg.svdvals(found)
    assert float(values.min()) > 0.3
    assert float(values.max()) < 1.3  # Jordan et al. 2024: 0.7 to 1.2 for all but the smallest
    left, before, right = torch.linalg.svd(matrices, full_matrices=False)
    inside = left.mT @ found @ right.mT
    torch.testing.assert_close(
        inside, torch.diag_embed(inside.diagonal(dim1=1, dim2=2)), atol=1e-4, rtol=0
    )
    assert before.shape == values.shape


def test_a_matrix_of_zeros_stays_zero() -> None:
    found = orthogonal(torch.zeros(1, 4, 6), COEFFICIENTS, ROUNDS, EPSILON)
    assert torch.equal(found, torch.zeros(1, 4, 6))


def test_matrices_do_not_touch_each_other() -> None:
    torch.manual_seed(1)
    several = torch.randn(4, 8, 12)
    together = orthogonal(several, COEFFICIENTS, ROUNDS, EPSILON)
    for one, expected in zip(several, together, strict=True):
        alone = orthogonal(one[None], COEFFICIENTS, ROUNDS, EPSILON)[0]
        torch.testing.assert_close(alone, expected, atol=1e-5, rtol=1e-5)


def matrices() -> list[nn.Parameter]:
    """Square, wide and tall ones, the square ones twice."""
    torch.manual_seed(2)
    shapes = [(16, 16), (16, 48), (48, 16), (16, 16), (8, 16)]
    return [nn.Parameter(torch.randn(shape)) for shape in shapes]


@pytest.mark.parametrize("nesterov", [True, False])
def test_steps_are_those_of_torch_up_to_its_rounding(nesterov: bool) -> None:
    ours, theirs = matrices(), matrices()
    options = {"lr": 0.02, "weight_decay": 0.1, "nesterov": nesterov}
    optimizers = Muon(ours, **options), torch.optim.Muon(theirs, **options)
    generator = torch.Generator().manual_seed(3)
    for _ in range(3):
        for mine, other in zip(ours[:-1], theirs[:-1], strict=True):  # the last has no gradient
            mine.grad = torch.randn(mine.shape, generator=generator)
            other.grad = mine.grad.clone()
        before = [parameter.detach().clone() for parameter in ours]
        for optimizer in optimizers:
            optimizer.step()
        for old, mine, other in zip(before, ours, theirs, strict=True):
            # bfloat16 keeps eight bits, five rounds long: a twentieth of a step.
            moved = float((mine.detach() - old).abs().max())
            torch.testing.assert_close(mine, other, atol=0.06 * moved + 1e-7, rtol=0)
    assert torch.equal(ours[-1], theirs[-1])
    for mine, other in zip(ours[:-1], theirs[:-1], strict=True):
        (name,) = optimizers[0].state[mine]
        torch.testing.assert_close(
            optimizers[0].state[mine][name], optimizers[1].state[other][name]
        )
