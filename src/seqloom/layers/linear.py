"""Linear layers that read the same input as one product, and all of them ready for decoding.

While a model trains, its weights are float32 and are joined and rounded at every use. A model that
only decodes reads the same weights thousands of times, a few rows at a time, and is bound by that
reading. :func:`lowered` joins and converts them once::

    float32     exact
    bfloat16    weights, inputs and results rounded to 8 significant bits; sums in float32
    int8        weights in 8 bits with one scale for each output, inputs rounded to 8 bits with one
                scale for the whole batch (torch's dynamic quantization): the fastest on a CPU, and
                what a sentence gets depends, a little, on its batch

Attention, norms, softmax and recurrences stay as they are.
"""

from __future__ import annotations

import copy
import warnings
from collections.abc import Callable, Mapping, Sequence
from itertools import chain
from typing import TypeVar

import torch
from torch import Tensor, nn
from torch.nn import functional as F


def rounded(weight: Tensor) -> Tensor:
    """``weight`` in the number type that autocast multiplies in.

    Autocast remembers the cast of a parameter, but not of a part of one, which a loop would cast
    at every step.
    """
    device = weight.device.type
    if not torch.is_autocast_enabled(device):
        return weight
    return weight.to(torch.get_autocast_dtype(device))


class Joint(nn.Module):
    """The outputs of several linear layers on one input, in one product: [... D] -> [... D'] each.

    One product is read and, under autocast, rounded once; the layers keep their own parameters. All
    of them have a bias, or none.
    """

    def __init__(self, linears: Sequence[nn.Linear]) -> None:
        super().__init__()
        # A tuple, so that they stay modules of their owners alone.
        self.linears: tuple[nn.Module, ...] = tuple(linears)
        self.sizes = [linear.out_features for linear in linears]
        self.packed: Packed | None = None
        """In a lowered model: the one product."""

    def replace(self, others: Mapping[nn.Module, nn.Module]) -> None:
        """Take other layers for some of these; what is no plain linear layer is asked by itself."""
        self.linears = tuple(others.get(linear, linear) for linear in self.linears)

    def joined(self) -> tuple[Tensor, Tensor | None]:
        """Weights [sum of D', D] and biases, if there are any, side by side."""
        linears = [linear for linear in self.linears if type(linear) is nn.Linear]
        assert len(linears) == len(self.linears), "layers that are no plain linear ones"
        weight = torch.cat([linear.weight for linear in linears])
        if linears[0].bias is None:
            return weight, None
        return weight, torch.cat([linear.bias for linear in linears])

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        """[... D] -> [... D'] for each layer."""
        if self.packed is None and any(type(each) is not nn.Linear for each in self.linears):
            return tuple(linear(x) for linear in self.linears)
        joined = F.linear(x, *self.joined()) if self.packed is None else self.packed(x)
        return torch.split(joined, self.sizes, dim=-1)


class Packed(nn.Module):
    """Base: one product with fixed weights [D' D]."""

    def __init__(self, weight: Tensor) -> None:
        super().__init__()
        self.out_features, self.in_features = weight.shape


def _laid_out(weight: Tensor) -> Tensor:
    """``weight`` in the order in which oneDNN reads it."""
    found: Tensor = torch.ops.mkldnn._reorder_linear_weight(weight, None)
    return found


def _product(x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    """x W^T + b with a weight that :func:`_laid_out` gave."""
    found: Tensor = torch.ops.mkldnn._linear_pointwise.default(x, weight, bias, "none", [], "")
    return found


_LARGE = 1 << 14
"""Weights from which on it pays that float32 ones lie as oneDNN reads them: the general product
lays them out anew at every call, in one thread. The 20 MB of a GPT of 4 layers and width 256 took
a half (1 to 16 rows) to a fifth less time (80 rows) on two cores."""


class Float32(Packed):
    """x W^T + b as it is."""

    def __init__(self, weight: Tensor, bias: Tensor | None) -> None:
        super().__init__(weight)
        self.laid_out = (
            weight.numel() >= _LARGE
            and weight.dtype == torch.float32
            and weight.device.type == "cpu"
            and torch.backends.mkldnn.is_available()  # type: ignore[no-untyped-call]
        )
        self.weight = _laid_out(weight) if self.laid_out else weight
        self.bias = bias

    def forward(self, x: Tensor) -> Tensor:
        """[... D] -> [... D']."""
        if self.laid_out:
            return _product(x, self.weight, self.bias)
        return F.linear(x, self.weight, self.bias)


class Bfloat16(Packed):
    """x W^T + b multiplied in bfloat16; the result in the input's number type."""

    def __init__(self, weight: Tensor, bias: Tensor | None) -> None:
        super().__init__(weight)
        self.weight = weight.bfloat16()
        self.bias = None if bias is None else bias.bfloat16()
        self.laid_out = (
            weight.device.type == "cpu"
            and torch.backends.mkldnn.is_available()  # type: ignore[no-untyped-call]
            and torch.ops.mkldnn._is_mkldnn_bf16_supported()
        )
        if self.laid_out:
            self.weight = _laid_out(self.weight)

    def forward(self, x: Tensor) -> Tensor:
        """[... D] -> [... D']."""
        rounded = x.bfloat16()
        if self.laid_out:
            product = _product(rounded, self.weight, self.bias)
        else:
            product = F.linear(rounded, self.weight, self.bias)
        return product.to(x.dtype)


class Int8(Packed):
    """x W^T + b multiplied in integers: W in 8 bits, output by output, x in 8 bits as a whole."""

    def __init__(self, weight: Tensor, bias: Tensor | None) -> None:
        super().__init__(weight)
        scales = (weight.abs().amax(dim=1).float() / 127).clamp(min=1e-12)
        zeros = torch.zeros(len(weight), dtype=torch.long)
        with warnings.catch_warnings():
            # torch means to drop tensors of this type some day. Quantizing by plain operations
            # around the product that is to stay takes twice as long at the rows of a beam.
            warnings.filterwarnings("ignore", message=".*quantized tensor creation")
            rounded = torch.quantize_per_channel(weight.float(), scales, zeros, 0, torch.qint8)
        self.packed = torch.ops.quantized.linear_prepack(rounded, bias)
        # Without these instructions sums of two products are kept in 16 bits, and may overflow.
        processor: dict[str, bool] = getattr(torch.cpu, "get_capabilities", dict)()
        self.seven_bits = not (processor.get("avx512_vnni") or processor.get("avx_vnni"))

    def forward(self, x: Tensor) -> Tensor:
        """[... D] -> [... D']."""
        product: Tensor = torch.ops.quantized.linear_dynamic.default(
            x, self.packed, self.seven_bits
        )
        return product


PRECISIONS: dict[str, Callable[[Tensor, Tensor | None], Packed]] = {
    "float32": Float32,
    "bfloat16": Bfloat16,
    "int8": Int8,
}
"""Name -> builder from weight [D' D] and bias [D']."""


def int8_available() -> bool:
    """Whether this build of torch multiplies integers on a processor."""
    return torch.backends.quantized.engine != "none" and hasattr(
        torch.ops.quantized, "linear_dynamic"
    )


Model = TypeVar("Model", bound=nn.Module)

_FEW = 8
"""A layer of fewer outputs is bound by reading its input, and stays as it is."""


@torch.no_grad()
def lowered(model: Model, precision: str) -> Model:
    """A copy of ``model`` that multiplies in ``precision``; for evaluation only.

    What is not packed shares its tensors with ``model``, whose weights should not change after.
    """
    shared = {id(tensor): tensor for tensor in chain(model.parameters(), model.buffers())}
    twin = copy.deepcopy(model, shared)
    pack = PRECISIONS[precision]
    joints = [module for module in twin.modules() if isinstance(module, Joint)]
    inside = {linear for joint in joints for linear in joint.linears}
    for joint in joints:
        joint.packed = pack(*joint.joined())
    for parent in list(twin.modules()):
        for name, child in list(parent.named_children()):
            if not isinstance(child, nn.Linear) or child in inside:
                continue
            if child.out_features >= _FEW:
                setattr(parent, name, pack(child.weight, child.bias))
    return twin.eval()
