"""Products for decoding: one product for several layers, and weights in fewer bits."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from seqloom.layers.linear import PRECISIONS, Joint, lowered

ROWS, WIDTH = 6, 32


class Block(nn.Module):
    """Two layers that read one input, one that reads their sum, and a gate of one output."""

    def __init__(self) -> None:
        super().__init__()
        self.left, self.right = nn.Linear(WIDTH, 16), nn.Linear(WIDTH, 16)
        self.both = Joint((self.left, self.right))
        self.norm = nn.LayerNorm(16)
        self.top = nn.Linear(16, 40, bias=False)
        self.gate = nn.Linear(16, 1)

    def forward(self, x: Tensor) -> Tensor:
        left, right = self.both(x)
        hidden = self.norm(left + right)
        return self.top(hidden) * torch.sigmoid(self.gate(hidden))


@pytest.fixture
def block() -> Block:
    torch.manual_seed(3)
    return Block()


def test_joint_equals_each_layer_and_reaches_every_gradient(block: Block) -> None:
    x = torch.randn(2, ROWS, WIDTH)
    left, right = block.both(x)
    torch.testing.assert_close(left, block.left(x))
    torch.testing.assert_close(right, block.right(x))
    (left.sum() + 2 * right.sum()).backward()
    together = [p.grad for p in (block.left.weight, block.left.bias, block.right.weight)]
    expected = torch.autograd.grad(
        block.left(x).sum() + 2 * block.right(x).sum(),
        [block.left.weight, block.left.bias, block.right.weight],
    )
    torch.testing.assert_close(together, list(expected))


@pytest.mark.parametrize("precision", [None, *PRECISIONS])
def test_joint_without_biases(precision: str | None) -> None:
    block, x = Block(), torch.randn(ROWS, WIDTH)
    block.left, block.right = (nn.Linear(WIDTH, 16, bias=False) for _ in range(2))
    block.both = Joint((block.left, block.right))
    with torch.inference_mode():
        joint = block.both if precision is None else lowered(block, precision).both
        left, right = joint(x)
        torch.testing.assert_close(left, block.left(x), atol=5e-2, rtol=5e-2)
        torch.testing.assert_close(right, block.right(x), atol=5e-2, rtol=5e-2)


def test_joint_adds_no_parameter(block: Block) -> None:
    assert not [name for name in block.state_dict() if name.startswith("both")]


BOUNDS = {"float32": 1e-6, "bfloat16": 1e-2, "int8": 2e-2}
"""Greatest error as a share of the largest output; half a step of the type, a few times over."""


@pytest.mark.parametrize("precision", PRECISIONS)
def test_lowered_model_says_nearly_the_same(block: Block, precision: str) -> None:
    x = torch.randn(3, ROWS, WIDTH)
    with torch.inference_mode():
        exact, found = block.eval()(x), lowered(block, precision)(x)
    assert found.dtype == torch.float32
    error = (found - exact).abs().max() / exact.abs().max()
    assert error < BOUNDS[precision]
    assert precision == "float32" or error > 0  # it did round


@pytest.mark.parametrize("precision", ["bfloat16", "int8"])
def test_lowered_product_equals_rounding_by_hand(precision: str) -> None:
    torch.manual_seed(4)
    layer, x = nn.Linear(WIDTH, 24), torch.randn(ROWS, WIDTH)
    if precision == "bfloat16":
        weight, bias, given = (t.bfloat16().double() for t in (layer.weight, layer.bias, x))
        step = 0.0
    else:
        scale = layer.weight.abs().amax(dim=1, keepdim=True).double() / 127
        weight, bias = (layer.weight / scale).round() * scale, layer.bias.double()
        given, step = x.double(), float(x.max() - x.min()) / 255
    expected = given @ weight.T + bias
    with torch.inference_mode():
        found = lowered(nn.Sequential(layer), precision)(x)
    # What is left: the input's rounding to 8 bits, or the result's to bfloat16.
    allowed = step * weight.abs().sum(dim=1) + expected.abs() * 2**-8
    assert bool(((found - expected).abs() <= allowed + 1e-6).all())


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("rows", [(1,), (2, 3), (80,), (3, 1)])
def test_large_float32_weights_lie_otherwise_and_say_the_same(
    rows: tuple[int, ...], bias: bool
) -> None:
    torch.manual_seed(5)
    layer, x = nn.Linear(160, 240, bias=bias), torch.randn(*rows, 160)
    twin = lowered(nn.Sequential(layer), "float32")
    with torch.inference_mode():
        found = twin(x)
        torch.testing.assert_close(found, layer(x))
        torch.testing.assert_close(found.double(), layer.double()(x.double()), rtol=1e-5, atol=1e-5)
    assert getattr(twin, "0").laid_out is torch.backends.mkldnn.is_available()


def test_lowered_leaves_the_model_and_shares_the_rest(block: Block) -> None:
    before = {name: tensor.clone() for name, tensor in block.state_dict().items()}
    block.train()
    twin = lowered(block, "int8")
    assert block.training and not twin.training
    assert isinstance(block.top, nn.Linear) and not isinstance(twin.top, nn.Linear)
    assert isinstance(twin.gate, nn.Linear)  # too few outputs to gain anything
    assert twin.norm.weight is block.norm.weight
    assert twin.both.linears[0] is twin.left
    assert all(torch.equal(tensor, before[name]) for name, tensor in block.state_dict().items())


def test_zero_rows_stay_zero() -> None:
    layer = nn.Linear(WIDTH, 16, bias=False)
    layer.weight.data[3] = 0
    with torch.inference_mode():
        found = lowered(nn.Sequential(layer), "int8")(torch.randn(ROWS, WIDTH))
    assert bool((found[:, 3] == 0).all()) and bool(found.isfinite().all())
