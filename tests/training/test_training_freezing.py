"""What moves and how fast, by name; LoRA's products beside the matrices, and merged into them."""

from __future__ import annotations

import sys
from typing import Any

import pytest
import torch
from torch import nn

from seqloom.errors import MissingExtraError
from seqloom.models.bert import Bert
from seqloom.models.heads import Classifier, Pooling
from seqloom.recipe.finetuning import FinetuningRecipe
from seqloom.recipe.language import BertRecipe
from seqloom.training.freezing import freeze, moving, rate_of, stage_of
from seqloom.training.lora import add_products, merged
from seqloom.training.optim import build_optimizer

IDS = torch.tensor([[1, 5, 6, 7, 2], [1, 9, 8, 2, 0]])


def classifier(layers: int = 3, dropout: float = 0.0, pooling: Pooling = "first") -> Classifier:
    torch.manual_seed(1)
    recipe = BertRecipe(
        width=8, feedforward=16, heads=2, layers=layers, context=8, dropout=dropout,
        attention_dropout=dropout,
    )  # fmt: skip
    model = Classifier(Bert(recipe, 12), 3, 0.0, pooling)
    for parameter in model.parameters():
        nn.init.normal_(parameter, std=0.3)
    return model


def of(**fields: Any) -> FinetuningRecipe:
    return FinetuningRecipe.model_validate(fields)


def test_every_parameter_is_in_one_stage_and_a_shared_one_in_the_lowest() -> None:
    encoder = classifier().encoder
    found = stage_of(encoder)
    assert found.keys() == dict(encoder.named_parameters()).keys()
    assert found["tokens.weight"] == found["embedding_norm.bias"] == 0
    assert found["layers.2.feedforward.inner.weight"] == 3
    assert found["pooling.weight"] == found["output.bias"] == 4


def test_what_moves() -> None:
    for tune, parts in (
        ("all", {"tokens", "layers.0", "layers.1", "layers.2", "pooling", "output"}),
        ("last", {"layers.1", "layers.2", "pooling", "output"}),
        ("head", {"output"}),
    ):
        model = classifier()
        freeze(model, of(tune=tune, last_layers=2))
        names = {name for name, p in model.named_parameters() if p.requires_grad}
        names = {name.removeprefix("encoder.") for name in names}
        places = {".".join(n.split(".")[: 2 if n.startswith("layers") else 1]) for n in names}
        assert places & {"tokens", "layers.0", "layers.1", "layers.2", "pooling", "output"} == parts
    assert moving(model) == 3 * 8 + 3


def test_what_nobody_reads_stays() -> None:
    """The mean needs no pooling layer; holes in old texts need what fills them."""
    for share, moves in ((0.0, False), (0.5, True)):
        model = classifier(pooling="mean")
        freeze(model, of(old_share=share))
        assert model.encoder.transform.weight.requires_grad == moves
        assert model.encoder.pooling.weight.requires_grad == moves
        assert model.encoder.output.weight.requires_grad  # the embedding


def test_what_does_not_move_drops_nothing() -> None:
    model = classifier(dropout=0.5)
    freeze(model, of(tune="head"))
    model.train()
    assert model.training and torch.equal(model(IDS), model(IDS))
    free = classifier(dropout=0.5)
    freeze(free, of(tune="last"))
    free.train()
    assert not free.encoder.layers[1].training and free.encoder.layers[2].training
    assert not torch.equal(free(IDS), free(IDS))


def test_each_layer_learns_at_a_share_of_the_one_above() -> None:
    model = classifier()
    share = rate_of(model, 0.5)
    assert share("output.weight") == share("encoder.pooling.bias") == 1
    assert share("encoder.layers.2.feedforward.inner.weight") == 1
    assert share("encoder.layers.1.self_attention.query.weight") == 0.5
    assert share("encoder.layers.0.self_attention_norm.bias") == 0.25
    assert share("encoder.tokens.weight") == 0.125
    optimizer = build_optimizer(model, of(learning_rate=0.8), share)
    optimizer.set_rate(0.5)
    rates = {id(p): group["lr"] for group in optimizer.param_groups for p in group["params"]}
    for name, parameter in model.named_parameters():
        assert rates[id(parameter)] == pytest.approx(0.4 * share(name)), name


def test_products_begin_at_nothing_act_and_are_merged() -> None:
    model = classifier()
    before = {name: p.detach().clone() for name, p in model.state_dict().items()}
    plain = model(IDS).detach()
    freeze(model, of(tune="lora"))
    add_products(model, 2, 4)
    torch.testing.assert_close(model(IDS), plain, rtol=0, atol=1e-6)
    assert moving(model) == 3 * 8 + 3 + 3 * (4 * 2 * 16 + 2 * 2 * 24)
    for name, parameter in model.named_parameters():
        if ".lora_" in name:
            nn.init.normal_(parameter, std=0.3)
    moved = model(IDS).detach()
    assert (moved - plain).abs().max() > 0.05
    weights = merged(model)
    assert weights.keys() == before.keys()
    again = classifier()
    again.load_state_dict(weights)
    torch.testing.assert_close(again(IDS), moved, rtol=0, atol=1e-5)
    parts = {"query", "key", "value", "inner", "outer"}
    for name, tensor in weights.items():
        beside = name.endswith("weight") and name.startswith("encoder.layers.")
        beside = beside and (name.split(".")[-2] in parts or "attention.output" in name)
        assert torch.equal(tensor, before[name]) != beside, name


def test_products_of_queries_keys_and_values_each_act() -> None:
    for part in ("query", "key", "value"):
        model = classifier(layers=1)
        plain = model(IDS).detach()
        add_products(model, 2, 4)
        for name, parameter in model.named_parameters():
            if f".{part}.lora_" in name:
                nn.init.normal_(parameter, std=0.5)
        assert (model(IDS) - plain).abs().max() > 1e-3, part


def test_without_peft_the_way_to_it_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "peft", None)
    with pytest.raises(MissingExtraError, match=r"LoRA needs .* pip install 'seqloom\[hub\]'"):
        add_products(classifier(), 2, 4)
