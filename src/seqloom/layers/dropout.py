"""Dropout (Srivastava et al. 2014) whose masks cost next to nothing on a CPU.

Drawing a fresh Bernoulli mask for every activation took an eighth of a training step on two cores.
On a CPU the mask is therefore a window, at a random offset, of one long pre-drawn mask: the
offset comes from torch's generator, so a seed decides it as it does for torch's own dropout.
On other devices torch's kernel is used.
"""

from __future__ import annotations

from functools import lru_cache

import torch
from torch import Tensor, nn
from torch.nn import functional as F

_POOL = 1 << 23
"""Elements of the pre-drawn mask; also the number of different offsets."""


@lru_cache(maxsize=8)
def _pool(rate: float, dtype: torch.dtype) -> Tensor:
    """A long mask of zeros and 1/(1-rate), the same in every process."""
    with torch.inference_mode(False):  # whoever asks first, training may use it later
        generator = torch.Generator().manual_seed(0x5EED)
        keep = torch.rand(2 * _POOL, generator=generator) >= rate
        return keep.to(dtype).div_(1 - rate)


def dropout_mask(like: Tensor, rate: float) -> Tensor:
    """A mask of the shape and number type of ``like``: 0 with chance ``rate``, else 1/(1-rate)."""
    size = like.numel()
    if like.device.type != "cpu" or size > _POOL:
        return F.dropout(torch.ones_like(like), rate)
    offset = int(torch.randint(_POOL, ()))
    return _pool(rate, like.dtype)[offset : offset + size].view(like.shape)


class Dropout(nn.Module):
    """Zero each element with chance ``rate`` in training, scale the others by 1/(1-rate)."""

    def __init__(self, rate: float) -> None:
        super().__init__()
        self.rate = rate

    def forward(self, x: Tensor) -> Tensor:
        """Any shape in, the same shape out."""
        if not self.training or self.rate == 0:
            return x
        if x.device.type != "cpu":
            return F.dropout(x, self.rate)
        return x * dropout_mask(x, self.rate)

    def extra_repr(self) -> str:
        """What ``print(model)`` shows."""
        return f"rate={self.rate}"
