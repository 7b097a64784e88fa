"""What attention passes on, beyond one layer's weights.

Weights say how much is looked, not how much is taken: the vectors that are taken differ in length
(Kobayashi et al. 2020). And above the first layer each state is already a mixture of tokens; the
roll-out follows the mixtures down to the tokens that were read (Abnar and Zuidema 2020).

Axes: H heads, G heads of values, R rows, C columns, S source, T target positions, K head width, D
width.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor, nn

from seqloom.inspection.attention_map import AttentionMap
from seqloom.layers.attention import MultiHeadAttention

STAYS = 0.5
"""Share of a state that does not pass through attention, but through the residual connection
(Abnar and Zuidema 2020, section 3)."""


@torch.no_grad()
def value_lengths(layer: nn.Module, values: Tensor) -> Tensor:
    """Length [H C] of what each head would take from each column at weight 1.

    That is ||f(x)|| with f(x) = (x W_V + b_V) W_O of the head (Kobayashi et al. 2020, eq. 3); of
    attention without heads and output, ||x||.

    Args:
        layer: the attention.
        values: [G C K], as the layer mixes them.
    """
    if not isinstance(layer, MultiHeadAttention):
        return values.norm(dim=-1)
    width = values.shape[-1]
    output = layer.output.weight.view(len(layer.output.weight), -1, width)  # [D H K]
    heads = output.shape[1]
    shared = values.repeat_interleave(heads // len(values), dim=0)
    return torch.einsum("hck,dhk->hcd", shared.float(), output.float()).norm(dim=-1)


def by_value(each: AttentionMap) -> AttentionMap:
    """Each weight times the length of what is taken, ||a f(x)|| (Kobayashi et al. 2020), rows
    adding up to 1: a large weight on a short vector does little."""
    assert each.lengths is not None, "lengths are recorded"
    taken = each.weights * each.lengths[:, None]
    total = taken.sum(axis=-1, keepdims=True)
    shares = np.divide(taken, total, out=each.weights.copy(), where=total > 0)
    return replace(each, weights=shares, details={})


def joined(each: AttentionMap, rows: Sequence[int], columns: Sequence[int]) -> AttentionMap:
    """Pieces joined to words that begin at these pieces, the first one at 0: the sum over the
    pieces that are looked at, the mean over those that look."""
    sums = np.add.reduceat(each.weights, columns, axis=2)
    sizes = np.diff([*rows, each.weights.shape[1]]).astype(np.float32)
    weights = np.add.reduceat(sums, rows, axis=1) / sizes[:, None]
    return replace(each, weights=weights, lengths=None, details={})


def rolled_out(layers: Sequence[AttentionMap]) -> list[AttentionMap]:
    """The roll-out of every layer: which tokens that were read each state is made of.

    One head a layer, the mean. What a decoder's cross-attention takes from the source's states is
    followed through the encoder; so a state of the decoder is made of what it has read and of the
    source, and a row of both maps of a layer together adds up to 1. An encoder without attention
    counts as one that mixes nothing.
    """
    maps = list[AttentionMap]()
    made_of = dict[tuple[str, str], np.ndarray]()  # (who looks, what was read) -> shares
    for each in layers:
        weights = each.weights.mean(axis=0)
        if each.part == "cross":
            below = made_of.get((each.columns, each.columns))
            taken = weights if below is None else weights @ below
            stays = {read: shares for (who, read), shares in made_of.items() if who == each.rows}
            for read, shares in stays.items():
                made_of[each.rows, read] = STAYS * shares
            before = stays.get(each.columns, np.zeros_like(taken))
            made_of[each.rows, each.columns] = STAYS * before + (1 - STAYS) * taken
        else:
            same = np.eye(len(weights), dtype=weights.dtype)
            made_of.setdefault((each.rows, each.columns), same)
            mixed = (1 - STAYS) * weights + STAYS * same
            for (who, read), shares in list(made_of.items()):
                if who == each.rows:
                    made_of[who, read] = mixed @ shares
        found = made_of[each.rows, each.columns]
        maps.append(replace(each, weights=found[None], lengths=None, details={}))
    return maps
