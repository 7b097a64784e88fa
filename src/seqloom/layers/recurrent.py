"""Recurrent layers: simple (tanh), LSTM and GRU, over whole sequences and one step at a time.

Weights live in ``torch.nn.RNN``, ``LSTM`` and ``GRU`` modules of one layer and one direction, so
whole sequences run in torch's fused kernels and parameter names are torch's. A step is written out
here because a decoder with attention needs one, with the input's projection handed in: what is
known of all inputs beforehand is then projected in one product.
"""

from __future__ import annotations

from typing import cast

import torch
from torch import Tensor, nn

from seqloom.layers.dropout import Dropout
from seqloom.layers.recorder import note

RecurrentLayer = nn.RNN | nn.LSTM | nn.GRU

CELLS: dict[str, type[RecurrentLayer]] = {"rnn": nn.RNN, "lstm": nn.LSTM, "gru": nn.GRU}
"""Name -> torch module."""


def recurrent_layer(cell: str, inputs: int, width: int) -> RecurrentLayer:
    """One layer, one direction: [B T I] -> [B T D]."""
    return CELLS[cell](inputs, width, batch_first=True)


def recurrent_layers(layers: nn.ModuleList) -> list[RecurrentLayer]:
    """The layers of a list that holds recurrent layers alone."""
    return [cast("RecurrentLayer", layer) for layer in layers]


def input_weights(layer: RecurrentLayer) -> tuple[Tensor, Tensor]:
    """W_ih [G I] and b_ih [G]."""
    return cast("Tensor", layer.weight_ih_l0), cast("Tensor", layer.bias_ih_l0)


def recurrent_weights(layer: RecurrentLayer) -> tuple[Tensor, Tensor]:
    """W_hh [G D] and b_hh [G]."""
    return cast("Tensor", layer.weight_hh_l0), cast("Tensor", layer.bias_hh_l0)


def run(layer: RecurrentLayer, x: Tensor, hidden: Tensor, cell: Tensor | None) -> Tensor:
    """All hidden states [B T D] of inputs [B T I], from initial states [B D]."""
    if isinstance(layer, nn.LSTM):
        assert cell is not None
        return layer(x, (hidden[None].contiguous(), cell[None].contiguous()))[0]
    return layer(x, hidden[None].contiguous())[0]


def cell_step(
    layer: RecurrentLayer, projected: Tensor, hidden: Tensor, cell: Tensor | None
) -> tuple[Tensor, Tensor | None]:
    """The states [R D] after one step.

    Args:
        layer: holds the weights.
        projected: the input's share, W_ih x + b_ih [R G]; G = D (simple), 3 D (GRU), 4 D (LSTM).
        hidden: hidden state [R D].
        cell: LSTM cell state [R D].
    """
    recurrent = nn.functional.linear(hidden, *recurrent_weights(layer))
    if isinstance(layer, nn.GRU):
        reset_x, update_x, new_x = projected.chunk(3, dim=-1)
        reset_h, update_h, new_h = recurrent.chunk(3, dim=-1)
        update = torch.sigmoid(update_x + update_h)
        new = torch.tanh(new_x + torch.sigmoid(reset_x + reset_h) * new_h)
        return new + update * (hidden - new), None
    gates = projected + recurrent
    if isinstance(layer, nn.LSTM):
        assert cell is not None
        enter, forget, candidate, leave = gates.chunk(4, dim=-1)
        cell = torch.sigmoid(forget) * cell + torch.sigmoid(enter) * torch.tanh(candidate)
        return torch.sigmoid(leave) * torch.tanh(cell), cell
    return torch.tanh(gates), None


def reverse(x: Tensor, lengths: Tensor) -> Tensor:
    """Each row of [B S D] backwards within its own length; padding stays on the right."""
    positions = torch.arange(x.shape[1], device=x.device)[None]
    mirrored = lengths[:, None] - 1 - positions
    index = torch.where(mirrored >= 0, mirrored, positions)
    return x.gather(1, index[:, :, None].expand_as(x))


def last_state(states: Tensor, lengths: Tensor) -> Tensor:
    """The state [B D] of each row's last real position."""
    return states[torch.arange(len(states), device=states.device), lengths - 1]


class RecurrentEncoder(nn.Module):
    """L recurrent layers in one or two directions over padded sequences.

    Args:
        cell: rnn, lstm or gru.
        inputs: width of the input.
        width: width D of the output; each of two directions gives half of it.
        layers: depth L.
        bidirectional: read in both directions.
        dropout: rate between layers.
    """

    def __init__(
        self, cell: str, inputs: int, width: int, layers: int, bidirectional: bool, dropout: float
    ) -> None:
        super().__init__()
        own = width // 2 if bidirectional else width
        sizes = [inputs] + [width] * (layers - 1)
        self.own = own
        self.forwards = nn.ModuleList(recurrent_layer(cell, size, own) for size in sizes)
        self.backwards = nn.ModuleList(
            recurrent_layer(cell, size, own) for size in (sizes if bidirectional else [])
        )
        self.dropout = Dropout(dropout)

    def forward(self, x: Tensor, lengths: Tensor) -> tuple[Tensor, list[Tensor]]:
        """States [B S D] of the top layer, and each layer's last state [B D].

        The last state of the backward direction is the one at the first position, as it has then
        read everything.
        """
        finals = []
        backwards = recurrent_layers(self.backwards)
        for depth, onward in enumerate(recurrent_layers(self.forwards)):
            if depth:
                x = self.dropout(x)
            zeros = x.new_zeros(len(x), self.own)
            states = run(onward, x, zeros, zeros)
            final = last_state(states, lengths)
            if backwards:
                back = run(backwards[depth], reverse(x, lengths), zeros, zeros)
                final = torch.cat([final, last_state(back, lengths)], dim=-1)
                states = torch.cat([states, reverse(back, lengths)], dim=-1)
            x = states
            finals.append(final)
            note(self, f"layers.{depth}.hidden", x)
        return x, finals


class Readout(nn.Module):
    """h~ = tanh(W [s; e; c]) from the parts that the wiring offers: [... E]."""

    def __init__(self, inputs: int, width: int, dropout: float) -> None:
        super().__init__()
        self.combine = nn.Linear(inputs, width)
        self.dropout = Dropout(dropout)

    def forward(self, *parts: Tensor) -> Tensor:
        """Parts of equal leading axes, joined along the last."""
        return self.dropout(torch.tanh(self.combine(torch.cat(parts, dim=-1))))


def initialize_recurrent(layer: RecurrentLayer) -> None:
    """Glorot uniform inputs, orthogonal recurrences gate by gate, biases 0, the forget gate's 1."""
    width = layer.hidden_size
    weight_input, bias_input = input_weights(layer)
    weight_hidden, bias_hidden = recurrent_weights(layer)
    nn.init.xavier_uniform_(weight_input)
    for gate in torch.split(weight_hidden.detach(), width):
        nn.init.orthogonal_(gate)
    nn.init.zeros_(bias_input)
    nn.init.zeros_(bias_hidden)
    if isinstance(layer, nn.LSTM):
        bias_input.detach()[width : 2 * width].fill_(1.0)
