"""The recurrent decoder against the table of its module, written out one sentence and step a time.

The oracle uses torch's cells and plain sums and reads nothing of the model but its weights.
"""

from __future__ import annotations

import math

import pytest
import torch
from architectures import ARCHITECTURES, SOURCE_SIZE, TARGET_SIZE
from torch import Tensor, nn

from seqloom.layers.masks import length_mask
from seqloom.models import build_model
from seqloom.recipe import RecurrentRecipe

CELLS = {"rnn": nn.RNNCell, "lstm": nn.LSTMCell, "gru": nn.GRUCell}
LENGTHS = [6, 3]


class Oracle:
    """The decoder by its formulas; vectors without batch axes."""

    def __init__(self, recipe: RecurrentRecipe, weights: dict[str, Tensor]) -> None:
        self.recipe, self.weights = recipe, weights
        self.cells = [self.cell(f"decoder.layers.{i}") for i in range(recipe.decoder_layers)]

    def cell(self, path: str) -> nn.Module:
        names = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
        parts = {name: self.weights[f"{path}.{name}_l0"] for name in names}
        cell = CELLS[self.recipe.cell](parts["weight_ih"].shape[1], self.recipe.width)
        cell.load_state_dict(parts)
        return cell

    def linear(self, path: str, x: Tensor) -> Tensor:
        return self.weights[f"{path}.weight"] @ x + self.weights.get(f"{path}.bias", 0)

    def summary(self, states: Tensor) -> Tensor:
        """What each direction knows when it has read everything."""
        own = self.recipe.width // 2
        if self.recipe.bidirectional:
            return torch.cat([states[-1, :own], states[0, own:]])
        return states[-1]

    def transformed(self, index: int, summary: Tensor) -> Tensor:
        if self.recipe.bridge == "last":
            return summary
        return torch.tanh(self.linear(f"bridge.{index}", summary))

    def score(self, query: Tensor, state: Tensor) -> Tensor:
        path = "decoder.attention.score"
        match self.recipe.attention:
            case "dot":
                return query @ state
            case "scaled_dot":
                return query @ state / math.sqrt(len(query))
            case "bilinear":
                return query @ self.linear(f"{path}.key", state)
        inner = self.linear(f"{path}.query", query) + self.linear(f"{path}.key", state)
        return self.linear(f"{path}.energy", torch.tanh(inner))[0]

    def attend(self, query: Tensor, states: Tensor) -> Tensor:
        weights = torch.stack([self.score(query, state) for state in states]).softmax(0)
        return sum(weight * state for weight, state in zip(weights, states, strict=True))

    def logits(self, states: Tensor, target: Tensor) -> Tensor:
        """Logits [T V] for encoder states [S D] and decoder input ids [T]."""
        recipe, zeros = self.recipe, torch.zeros(self.recipe.width)
        attends, summary = recipe.attention != "none", self.summary(states)
        early = attends and recipe.wiring == "before"
        feeds = attends and recipe.wiring == "after" and recipe.input_feeding
        constant = not attends and recipe.context != "initial"
        depths = range(recipe.decoder_layers)
        hidden = [zeros if constant else self.transformed(i, summary) for i in depths]
        memory, fed, outputs = [zeros for _ in depths], torch.zeros(recipe.embedding), []
        for index in target.tolist():
            token = self.weights["decoder.tokens.weight"][index]
            if early:
                context = self.attend(hidden[-1], states)
            elif constant:
                context = self.transformed(0, summary)
            inputs = [] if recipe.context == "input" and not attends else [token]
            inputs += [context] if early or constant else []
            inputs += [fed] if feeds else []
            x = torch.cat(inputs)
            for depth, cell in enumerate(self.cells):
                if recipe.cell == "lstm":
                    hidden[depth], memory[depth] = cell(x, (hidden[depth], memory[depth]))
                else:
                    hidden[depth] = cell(x, hidden[depth])
                x = hidden[depth]
            if attends and not early:
                context = self.attend(x, states)
            deep = early or (constant and recipe.context == "input_and_output")
            parts = [x, *([token] if deep else []), *([context] if attends or deep else [])]
            fed = torch.tanh(self.linear("decoder.readout.combine", torch.cat(parts)))
            outputs.append(self.linear("project_out", fed))
        return torch.stack(outputs)


@pytest.mark.parametrize("recipe", [p for p in ARCHITECTURES if p.id.startswith("rnn")])
@torch.no_grad()
def test_decoder_follows_its_formulas(recipe: RecurrentRecipe) -> None:
    torch.manual_seed(1)
    model = build_model(recipe, SOURCE_SIZE, TARGET_SIZE).eval()
    for parameter in model.parameters():
        parameter += 0.2 * torch.randn_like(parameter)  # biases too, so that each one shows
    source, target = torch.randint(4, SOURCE_SIZE, (2, 6)), torch.randint(4, TARGET_SIZE, (2, 4))
    memory = model.encode(source, length_mask(torch.tensor(LENGTHS)))
    logits = model.project(model.decode(memory, target))
    oracle = Oracle(recipe, model.state_dict())
    for row, length in enumerate(LENGTHS):
        expected = oracle.logits(memory.states[row, :length], target[row])
        torch.testing.assert_close(logits[row], expected, atol=1e-4, rtol=1e-4)
