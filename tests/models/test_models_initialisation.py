"""Fresh weights have the statistics that the tables of both ``initialize`` functions promise."""

from __future__ import annotations

import math

import pytest
import torch
from architectures import ARCHITECTURES, SOURCE_SIZE, TARGET_SIZE
from torch import Tensor, nn

from seqloom.models import EncoderDecoder, build_model
from seqloom.recipe import ModelRecipe, RecurrentRecipe, TransformerRecipe

WIDTH = 64


def deviates_by(weight: Tensor, deviation: float) -> bool:
    """Whether a normal weight has mean 0 and this deviation, within five standard errors."""
    error = deviation / math.sqrt(weight.numel())
    return abs(weight.mean().item()) < 5 * error and (
        abs(weight.std().item() - deviation) < 5 * error / math.sqrt(2)
    )


def is_glorot(weight: Tensor) -> bool:
    """Whether a weight [O I] is uniform within sqrt(6 / (I + O))."""
    bound = math.sqrt(6 / sum(weight.shape))
    spread = weight.std().item() * math.sqrt(3)
    return 0.9 * bound < weight.abs().max().item() <= bound and abs(spread - bound) < 0.06 * bound


@pytest.mark.parametrize("tie", ["none", "target", "all"])
@torch.no_grad()
def test_transformer(tie: str) -> None:
    torch.manual_seed(1)
    recipe = TransformerRecipe(
        width=WIDTH, feedforward=128, positions="learned", max_positions=200,
        activation="swiglu", normalize_embedding=True, tie=tie,
    )  # fmt: skip
    model = build_model(recipe, 500, 500)
    seen: set[int] = set()
    for name, module in model.named_modules():
        if isinstance(module, nn.Embedding) or name == "output":
            assert deviates_by(module.weight, WIDTH**-0.5), name
        elif isinstance(module, nn.Linear):
            assert is_glorot(module.weight), name
            assert not module.bias.any(), name
        elif isinstance(module, nn.LayerNorm):
            assert (module.weight == 1).all(), name
            assert not module.bias.any(), name
        elif name.endswith("positions"):
            assert deviates_by(module.table, 0.02), name
        else:
            continue
        seen |= {id(parameter) for parameter in module.parameters()}
    assert seen == {id(parameter) for parameter in model.parameters()}


def test_scaled_embeddings_start_at_deviation_one() -> None:
    torch.manual_seed(2)
    recipe = TransformerRecipe(width=WIDTH, positions="rotary", dropout=0.0)
    model = build_model(recipe, 500, 500)
    x = model.encoder.embedder(torch.arange(500)[None])
    assert x.std().item() == pytest.approx(1.0, abs=0.03)


@pytest.mark.parametrize("cell", ["rnn", "lstm", "gru"])
@pytest.mark.parametrize("tie", ["none", "target", "all"])
@torch.no_grad()
def test_recurrent(cell: str, tie: str) -> None:
    torch.manual_seed(3)
    embedding, width = 48, WIDTH
    recipe = RecurrentRecipe(
        cell=cell, embedding=embedding, width=width, encoder_layers=2, decoder_layers=2, tie=tie
    )
    model = build_model(recipe, 500, 500)
    seen: set[int] = set()
    for name, module in model.named_modules():
        if isinstance(module, nn.Embedding) or name == "project_out":
            assert deviates_by(module.weight, embedding**-0.5), name
        elif isinstance(module, nn.Linear):
            # One row alone has too few numbers for a narrow bound.
            assert is_glorot(module.weight) or module.weight.shape[0] == 1, name
        elif isinstance(module, nn.RNN | nn.LSTM | nn.GRU):
            check_recurrent(name, module)
        else:
            continue
        if isinstance(module, nn.Linear) and module.bias is not None:
            assert not module.bias.any(), name
        seen |= {id(parameter) for parameter in module.parameters()}
    assert seen == {id(parameter) for parameter in model.parameters()}


def check_recurrent(name: str, layer: nn.RNN | nn.LSTM | nn.GRU) -> None:
    own = layer.hidden_size
    assert is_glorot(layer.weight_ih_l0), name
    for gate in layer.weight_hh_l0.split(own):
        torch.testing.assert_close(gate @ gate.T, torch.eye(own), atol=1e-5, rtol=0)
    assert not layer.bias_hh_l0.any(), name
    expected = torch.zeros_like(layer.bias_ih_l0)
    if isinstance(layer, nn.LSTM):
        expected[own : 2 * own] = 1  # torch's order: input, forget, candidate, output
    assert torch.equal(layer.bias_ih_l0, expected), name


def embeddings(model: EncoderDecoder, recipe: ModelRecipe) -> tuple[Tensor, Tensor, Tensor]:
    """The weights of source embedding, target embedding and output."""
    if isinstance(recipe, RecurrentRecipe):
        return model.source.weight, model.decoder.tokens.weight, model.project_out.weight
    source, target = model.encoder.embedder.tokens, model.decoder.embedder.tokens
    return source.weight, target.weight, model.output.weight


@pytest.mark.parametrize("recipe", ARCHITECTURES)
def test_tied_weights_are_one_tensor(recipe: ModelRecipe) -> None:
    model = build_model(recipe, SOURCE_SIZE, TARGET_SIZE)
    source, target, output = embeddings(model, recipe)
    assert (output is target) == (recipe.tie != "none")
    assert (source is target) == (recipe.tie == "all")
    assert all(parameter.isfinite().all() for parameter in model.parameters())


@pytest.mark.parametrize("family", [TransformerRecipe, RecurrentRecipe])
def test_separate_vocabularies_have_their_own_sizes(family: type[ModelRecipe]) -> None:
    recipe = family(tie="target")
    model = build_model(recipe, 20, 31)
    assert [len(weight) for weight in embeddings(model, recipe)] == [20, 31, 31]
