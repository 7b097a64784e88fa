"""Dropout: statistics, seeds, gradients, and when it does nothing."""

from __future__ import annotations

import pytest
import torch

from seqloom.layers import dropout as room
from seqloom.layers.dropout import Dropout, dropout_mask


@pytest.mark.parametrize("rate", [0.1, 0.5, 0.9])
def test_share_of_zeros_and_mean(rate: float) -> None:
    torch.manual_seed(1)
    output = Dropout(rate)(torch.ones(1000, 1000))
    zeros = output == 0
    # A million draws: the standard deviation of the share is below 0.0005.
    assert zeros.float().mean().item() == pytest.approx(rate, abs=0.003)
    assert output.mean().item() == pytest.approx(1.0, abs=0.03)
    torch.testing.assert_close(output[~zeros], torch.full_like(output[~zeros], 1 / (1 - rate)))
    # No row and no column is hit more than chance allows (six deviations).
    bound = 6 * (rate * (1 - rate) / 1000) ** 0.5
    for axis in (0, 1):
        assert (zeros.float().mean(axis) - rate).abs().max().item() < bound


def test_neighbouring_draws_are_independent() -> None:
    torch.manual_seed(2)
    first, second = (Dropout(0.5)(torch.ones(200_000)) == 0 for _ in range(2))
    assert (first & second).float().mean().item() == pytest.approx(0.25, abs=0.01)
    assert (first[1:] & first[:-1]).float().mean().item() == pytest.approx(0.25, abs=0.01)


def test_a_seed_decides_the_mask() -> None:
    x, layer = torch.randn(50, 40), Dropout(0.3)
    torch.manual_seed(3)
    first, second = layer(x), layer(x)
    torch.manual_seed(3)
    assert torch.equal(layer(x), first)
    assert torch.equal(layer(x), second)
    assert not torch.equal(first, second)


def test_gradients_pass_where_the_output_did() -> None:
    x = torch.randn(30, 20).abs().add(0.1).requires_grad_()
    output = Dropout(0.4)(x)
    output.sum().backward()
    torch.testing.assert_close(x.grad, output.detach() / x.detach())


def test_evaluation_and_rate_zero_change_nothing() -> None:
    x = torch.randn(4, 5)
    assert Dropout(0.5).eval()(x) is x
    assert Dropout(0.0)(x) is x


def test_the_number_type_stays() -> None:
    for dtype in (torch.float32, torch.bfloat16, torch.float64):
        assert Dropout(0.5)(torch.ones(8, dtype=dtype)).dtype == dtype


def test_more_elements_than_the_pool_holds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "_POOL", 100)
    torch.manual_seed(4)
    mask = dropout_mask(torch.empty(300, 300), 0.25)
    assert mask.shape == (300, 300)
    assert (mask == 0).float().mean().item() == pytest.approx(0.25, abs=0.01)


def test_a_mask_first_drawn_in_inference_mode_serves_training() -> None:
    rate = 0.123456  # no other test's pool
    layer, x = Dropout(rate), torch.ones(9, requires_grad=True)
    with torch.inference_mode():
        layer(torch.ones(9))
    layer(x * 2).sum().backward()
    assert x.grad is not None


def test_what_print_shows() -> None:
    assert repr(Dropout(0.1)) == "Dropout(rate=0.1)"
