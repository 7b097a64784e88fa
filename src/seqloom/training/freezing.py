"""How much of an encoder moves while something on top of it is learned, and how fast.

::

    tune    what moves
    all     everything
    last    the last k layers, and the new layer
    head    the new layer alone
    lora    products of low rank beside the matrices of all layers, and the new layer

What the encoder itself computes from its last layer moves with it where the new layer reads that,
or old texts are mixed in. What does not move is in evaluation mode: see
:class:`seqloom.models.heads.EncoderHead`.
"""

from __future__ import annotations

from collections.abc import Callable

from torch import nn

from seqloom.models.base import MaskedModel
from seqloom.models.heads import EncoderHead
from seqloom.recipe.finetuning import FinetuningRecipe

_ENCODER = "encoder."


def freeze(model: EncoderHead, recipe: FinetuningRecipe) -> None:
    """Let only those weights of the encoder move that the recipe says.

    For lora it is called before the products are added, which move.
    """
    stages = len(model.encoder.stages())
    first = {"all": 0, "last": stages - 1 - recipe.last_layers}.get(recipe.tune, stages)
    behind = stages if model.reads_above or recipe.old_share else stages - 1
    found = stage_of(model.encoder)
    for name, parameter in model.encoder.named_parameters():
        parameter.requires_grad_(first <= found[name] < behind)


def rate_of(model: EncoderHead, decay: float) -> Callable[[str], float]:
    """By name, the share of the learning rate that a parameter has (Howard and Ruder 2018).

    The last layer and all above it have the whole of it; each layer ``decay`` times that of the
    layer above, and the embeddings that of a layer below the first.
    """
    found = stage_of(model.encoder)
    last = len(model.encoder.stages()) - 2

    def share(name: str) -> float:
        if not name.startswith(_ENCODER):
            return 1.0
        return decay ** max(0, last - found[name.removeprefix(_ENCODER)])

    return share


def stage_of(encoder: MaskedModel) -> dict[str, int]:
    """The stage of each parameter, by its name; a shared one belongs to the lowest."""
    found: dict[nn.Parameter, int] = {}
    for number, stage in enumerate(encoder.stages()):
        for module in stage:
            for parameter in module.parameters():
                found.setdefault(parameter, number)
    return {name: found[parameter] for name, parameter in encoder.named_parameters()}


def moving(model: nn.Module) -> int:
    """Number of weights that move."""
    return sum(p.numel() for p in model.parameters() if p.requires_grad)
