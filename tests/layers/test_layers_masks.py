"""Masks by hand: True = may be attended."""

from __future__ import annotations

import math

import torch

from seqloom.layers.masks import (
    additive,
    causal_mask,
    length_mask,
    looking_back,
    same_document,
)


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


def test_window_by_hand() -> None:
    assert causal_mask(4, window=2).int().tolist() == [
        [1, 0, 0, 0],
        [1, 1, 0, 0],
        [0, 1, 1, 0],
        [0, 0, 1, 1],
    ]
    assert torch.equal(causal_mask(4, window=4), causal_mask(4))


def test_looking_back_from_positions_of_each_row() -> None:
    queries, keys = torch.tensor([[5], [1]]), torch.tensor([[4, 5, 6], [0, 1, 2]])
    assert looking_back(queries, keys).int().tolist() == [[[1, 1, 0]], [[1, 1, 0]]]
    assert looking_back(queries, keys, 1).int().tolist() == [[[0, 1, 0]], [[0, 1, 0]]]


def test_same_document_by_hand() -> None:
    assert same_document(torch.tensor([[1, 1, 2, 0]])).int().tolist() == [
        [[1, 1, 0, 0], [1, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]]
    ]
