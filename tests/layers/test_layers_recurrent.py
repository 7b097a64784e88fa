"""Recurrent layers against torch's own stacks and cells on the same weights."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from seqloom.layers.recurrent import (
    CELLS,
    RecurrentEncoder,
    cell_step,
    input_weights,
    last_state,
    recurrent_layer,
    reverse,
    run,
)

TORCH_CELLS = {"rnn": nn.RNNCell, "lstm": nn.LSTMCell, "gru": nn.GRUCell}
PARTS = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
LENGTHS = torch.tensor([5, 2, 4])


def names(layers: int, bidirectional: bool) -> dict[str, str]:
    """Parameter names of our encoder -> names in torch's stack."""
    table = {}
    for depth in range(layers):
        for part in PARTS:
            table[f"forwards.{depth}.{part}_l0"] = f"{part}_l{depth}"
            if bidirectional:
                table[f"backwards.{depth}.{part}_l0"] = f"{part}_l{depth}_reverse"
    return table


@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize("layers", [1, 3])
@pytest.mark.parametrize("cell", CELLS)
def test_encoder_equals_torch(cell: str, layers: int, bidirectional: bool) -> None:
    torch.manual_seed(1)
    inputs, width = 5, 6
    own = width // 2 if bidirectional else width
    ours = RecurrentEncoder(cell, inputs, width, layers, bidirectional, 0.0)
    theirs = CELLS[cell](
        inputs, own, num_layers=layers, bidirectional=bidirectional, batch_first=True
    )
    table = names(layers, bidirectional)
    mine, other = dict(ours.named_parameters()), dict(theirs.named_parameters())
    assert sorted(table) == sorted(mine)
    assert sorted(table.values()) == sorted(other)
    for name, parameter in mine.items():
        parameter.data.copy_(other[table[name]])

    x = torch.randn(len(LENGTHS), int(LENGTHS.max()), inputs)
    states, finals = ours(x, LENGTHS)
    packed = pack_padded_sequence(x, LENGTHS, batch_first=True, enforce_sorted=False)
    output, last = theirs(packed)
    expected, _ = pad_packed_sequence(output, batch_first=True)
    last = last[0] if cell == "lstm" else last  # [L*directions B own]
    for row, length in enumerate(LENGTHS.tolist()):
        torch.testing.assert_close(states[row, :length], expected[row, :length])
    directions = 2 if bidirectional else 1
    for depth, final in enumerate(finals):
        sides = last[depth * directions : (depth + 1) * directions]
        torch.testing.assert_close(final, torch.cat(list(sides), dim=-1))


@pytest.mark.parametrize("cell", CELLS)
def test_step_equals_torchs_cell(cell: str) -> None:
    torch.manual_seed(2)
    layer, theirs = recurrent_layer(cell, 4, 6), TORCH_CELLS[cell](4, 6)
    for part in PARTS:
        getattr(theirs, part).data.copy_(getattr(layer, f"{part}_l0"))
    x, hidden, memory = torch.randn(3, 4), torch.randn(3, 6), torch.randn(3, 6)
    projected = F.linear(x, *input_weights(layer))
    new, new_memory = cell_step(layer, projected, hidden, memory if cell == "lstm" else None)
    if cell == "lstm":
        expected, expected_memory = theirs(x, (hidden, memory))
        torch.testing.assert_close(new_memory, expected_memory)
    else:
        expected = theirs(x, hidden)
        assert new_memory is None
    torch.testing.assert_close(new, expected)


@pytest.mark.parametrize("cell", CELLS)
def test_steps_equal_a_run(cell: str) -> None:
    torch.manual_seed(3)
    layer, x, hidden = recurrent_layer(cell, 4, 6), torch.randn(2, 5, 4), torch.randn(2, 6)
    memory: Tensor | None = torch.randn(2, 6) if cell == "lstm" else None
    expected = run(layer, x, hidden, memory)
    for index in range(5):
        projected = F.linear(x[:, index], *input_weights(layer))
        hidden, memory = cell_step(layer, projected, hidden, memory)
        torch.testing.assert_close(hidden, expected[:, index])


def one_unit(cell: str) -> nn.RNN | nn.LSTM | nn.GRU:
    """A layer of one unit; W_hh = 2 in every gate, biases 0 except as a test sets them."""
    layer = recurrent_layer(cell, 1, 1)
    layer.weight_hh_l0.data.fill_(2.0)
    layer.bias_hh_l0.data.zero_()
    return layer


def sigmoid(x: float) -> float:
    return 1 / (1 + math.exp(-x))


def test_cells_by_hand() -> None:
    hidden = torch.tensor([[0.5]])  # W_hh h = 1 in every gate

    simple, _ = cell_step(one_unit("rnn"), torch.tensor([[0.25]]), hidden, None)
    assert simple.item() == pytest.approx(math.tanh(1.25))

    # Gates in torch's order: input, forget, candidate, output.
    shares = torch.tensor([[0.1, 0.2, 0.3, 0.4]])
    new, memory = cell_step(one_unit("lstm"), shares, hidden, torch.tensor([[3.0]]))
    expected = sigmoid(1.2) * 3.0 + sigmoid(1.1) * math.tanh(1.3)
    assert memory is not None
    assert memory.item() == pytest.approx(expected)
    assert new.item() == pytest.approx(sigmoid(1.4) * math.tanh(expected))

    # Reset, update, new; the update gate keeps the old state.
    new, _ = cell_step(one_unit("gru"), torch.tensor([[0.1, 0.2, 0.3]]), hidden, None)
    candidate = math.tanh(0.3 + sigmoid(1.1) * 1.0)
    keep = sigmoid(1.2)
    assert new.item() == pytest.approx((1 - keep) * candidate + keep * 0.5)


def test_reverse_by_hand() -> None:
    x = torch.tensor([[[1], [2], [3], [9]], [[4], [5], [8], [8]]])
    assert reverse(x, torch.tensor([3, 2]))[:, :, 0].tolist() == [[3, 2, 1, 9], [5, 4, 8, 8]]
    assert torch.equal(reverse(reverse(x, torch.tensor([3, 2])), torch.tensor([3, 2])), x)


def test_last_state_by_hand() -> None:
    x = torch.tensor([[[1], [2], [3]], [[4], [5], [6]]])
    assert last_state(x, torch.tensor([2, 3])).tolist() == [[2], [6]]


@pytest.mark.parametrize("cell", CELLS)
def test_padding_reaches_nothing_real(cell: str) -> None:
    torch.manual_seed(4)
    encoder = RecurrentEncoder(cell, 5, 6, 2, True, 0.0)
    x = torch.randn(len(LENGTHS), 5, 5)
    other = x.clone()
    for row, length in enumerate(LENGTHS.tolist()):
        other[row, length:] = 100.0
    states, finals = encoder(x, LENGTHS)
    changed, changed_finals = encoder(other, LENGTHS)
    torch.testing.assert_close(finals, changed_finals)
    for row, length in enumerate(LENGTHS.tolist()):
        torch.testing.assert_close(states[row, :length], changed[row, :length])


def test_dropout_stands_between_layers_only() -> None:
    x = torch.randn(2, 5, 5)
    lengths = torch.tensor([5, 5])
    single = RecurrentEncoder("gru", 5, 6, 1, False, 0.5)
    assert torch.equal(single(x, lengths)[0], single(x, lengths)[0])
    double = RecurrentEncoder("gru", 5, 6, 2, False, 0.5)
    assert not torch.equal(double(x, lengths)[0], double(x, lengths)[0])
