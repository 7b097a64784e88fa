"""The recorder: same results with and without it, stable paths, nothing kept when it is off."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from seqloom.layers.attention import SelfAttention
from seqloom.layers.masks import additive, causal_mask
from seqloom.layers.recorder import note, record, recording
from seqloom.layers.recurrent import RecurrentEncoder

NOTED = ("query", "key", "value", "scores", "weights")


class Pair(nn.Module):
    """Two attention layers, one after the other."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = SelfAttention(8, 2), SelfAttention(8, 2)

    def forward(self, x: Tensor) -> Tensor:
        bias = additive(causal_mask(x.shape[1]), x.dtype)
        for layer in (self.first, self.second):
            x = layer.attend(*layer.queries_keys_values(x), bias)
        return x


def test_recording_changes_nothing_and_sees_every_step() -> None:
    torch.manual_seed(1)
    model, x = Pair(), torch.randn(2, 5, 8)
    plain = model(x)
    with record(model) as seen:
        recorded = model(x)
        model(x)
    assert torch.equal(plain, recorded)
    assert seen.paths() == [f"{part}.{name}" for part in ("first", "second") for name in NOTED]
    assert [tensor.shape for tensor in seen["first.weights"]] == [(2, 2, 5, 5)] * 2
    scores, weights = seen["second.scores"][0], seen["second.weights"][0]
    assert torch.equal(torch.softmax(scores, -1), weights)
    assert torch.equal(weights.triu(1), torch.zeros_like(weights))
    assert not weights.requires_grad


def test_without_a_recorder_nothing_is_kept() -> None:
    model, x = Pair(), torch.randn(1, 3, 8)
    with record(model) as seen:
        assert recording()
    assert not recording()
    model(x)
    note(model, "anything", x)
    assert seen.paths() == []


def test_the_recorder_goes_away_after_an_error() -> None:
    with pytest.raises(ValueError, match="inside"), record(Pair()):
        raise ValueError("inside")
    assert not recording()


def test_other_models_are_not_recorded() -> None:
    model, other, x = Pair(), Pair(), torch.randn(1, 3, 8)
    with record(model) as seen:
        other(x)
        assert seen.paths() == []
        with record(other) as inner:
            other(x)
        model(x)
    assert "first.weights" in inner
    assert len(seen["first.weights"]) == 1


def test_a_part_can_be_recorded_alone() -> None:
    model, x = Pair(), torch.randn(1, 3, 8)
    with record(model.first) as seen:
        model(x)
    assert seen.paths() == list(NOTED)


def test_an_unknown_path_is_refused_with_those_that_are_known() -> None:
    model, x = Pair(), torch.randn(1, 3, 8)
    with record(model.first) as seen:
        with pytest.raises(KeyError, match="weights was not recorded; recorded: nothing"):
            seen["weights"]
        model(x)
    with pytest.raises(
        KeyError, match="weight was not recorded; recorded: query, key, value, scores"
    ):
        seen["weight"]


def test_recurrent_layers_note_their_hidden_states() -> None:
    encoder = RecurrentEncoder("gru", 4, 6, 2, True, 0.0)
    with record(encoder) as seen:
        states, _ = encoder(torch.randn(2, 3, 4), torch.tensor([3, 1]))
    assert seen.paths() == ["layers.0.hidden", "layers.1.hidden"]
    assert torch.equal(seen["layers.1.hidden"][0], states)
