"""LoRA (Hu et al. 2022): products of low rank beside the matrices of an encoder, through ``peft``.

A linear layer W becomes W + alpha / rank * B A, in which A and B alone are learned; B begins at
zero, so that nothing has changed before the first update.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from torch import Tensor, nn

from seqloom.errors import MissingExtraError
from seqloom.layers.linear import Joint
from seqloom.models.heads import EncoderHead

ADAPTER = "default"
"""The name that ``peft`` gives to an only adapter."""


def add_products(model: EncoderHead, rank: int, alpha: int) -> None:
    """Put products beside all linear layers of attention and feed-forward.

    Args:
        model: its encoder's other weights stay as they are from now on.
        rank: of the products.
        alpha: they are multiplied by alpha / rank.

    Raises:
        MissingExtraError: ``peft`` is not installed.
    """
    try:
        from peft import LoraConfig, inject_adapter_in_model
    except ImportError:
        raise MissingExtraError("LoRA", "hub") from None
    inside = {id(module) for stage in model.encoder.stages()[1:-1] for module in _parts(stage)}
    names = [
        name
        for name, module in model.named_modules()
        if isinstance(module, nn.Linear) and id(module) in inside
    ]
    config = LoraConfig(r=rank, lora_alpha=alpha, lora_dropout=0.0, target_modules=names)
    moves = {name: p.requires_grad for name, p in model.named_parameters()}
    inject_adapter_in_model(config, model)
    for name, parameter in model.named_parameters():
        parameter.requires_grad_(moves.get(name, ".lora_" in name))
    wrapped = {module.base_layer: module for _, module in _products(model)}
    for module in model.modules():
        if isinstance(module, Joint):
            module.replace(wrapped)


def merged(model: EncoderHead) -> dict[str, Tensor]:
    """The weights of a model without products, into whose matrices they are added."""
    weights = dict(model.state_dict())
    for name, module in _products(model):
        weights[f"{name}.base_layer.weight"] = (
            module.base_layer.weight.detach() + module.get_delta_weight(ADAPTER).detach()
        )
    return {
        name.replace(".base_layer.", "."): tensor
        for name, tensor in weights.items()
        if ".lora_" not in name
    }


def apart(model: EncoderHead) -> dict[str, Tensor]:
    """What moves: the products, and what is learned on top, as an adapter keeps them."""
    return {
        name.replace(f".{ADAPTER}.", "."): parameter.detach()
        for name, parameter in model.named_parameters()
        if parameter.requires_grad
    }


def _parts(stage: list[nn.Module]) -> Iterator[nn.Module]:
    for module in stage:
        yield from module.modules()


def _products(model: nn.Module) -> Iterator[tuple[str, Any]]:
    from peft.tuners.lora import LoraLayer

    for name, module in model.named_modules():
        if isinstance(module, LoraLayer):
            yield name, module
