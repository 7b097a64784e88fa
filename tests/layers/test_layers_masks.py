"""Masks by hand: True = may be attended."""

from __future__ import annotations

import math

import torch

from seqloom.layers.masks import additive, causal_mask, length_mask


def test_causal_mask_by_hand() -> None:
    assert causal_mask(3).tolist() == [
        [True, False, False],
        [True, True, False],
        [True, True, True],
    ]


def test_length_mask_by_hand() -> None:
    lengths = torch.tensor([2, 0, 3])
    assert length_mask(lengths).int().tolist() == [[1, 1, 0], [0, 0, 0], [1, 1, 1]]
    assert length_mask(lengths, 4).int().tolist() == [[1, 1, 0, 0], [0, 0, 0, 0], [1, 1, 1, 0]]


def test_additive_by_hand() -> None:
    mask = torch.tensor([[True, False]])
    assert additive(mask, torch.float32).tolist() == [[0.0, -math.inf]]
    assert additive(mask, torch.bfloat16).dtype == torch.bfloat16
