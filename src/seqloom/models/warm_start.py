"""Encoders that begin as a BERT, and decoders that begin as a GPT (Rothe et al. 2020).

What agrees in all switches computes what it computed there: a post-norm encoder with BERT's
positions and a norm on its embeddings is BERT (whose first segment becomes part of the positions
where they are learned, of the tokens' vectors where they are rotary),
and a pre-norm decoder with GPT's positions is GPT, but for cross-attention, which is new. Of models
that differ, matrices of equal shape are carried over, and what stays at random is told.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from seqloom.errors import RecipeError
from seqloom.models.base import CausalModel, EncoderDecoder, MaskedModel
from seqloom.models.bert import Bert
from seqloom.models.gpt import Gpt
from seqloom.models.transformer import Stack, Transformer
from seqloom.recipe.language import LanguageModelRecipe
from seqloom.recipe.models import TransformerRecipe

_BERT: dict[str, Any] = {
    "norm": "post", "normalize_embedding": True, "scale_embedding": False,
}  # fmt: skip
_GPT: dict[str, Any] = {
    "norm": "pre", "normalize_embedding": False, "scale_embedding": False,
}  # fmt: skip


def agreeing(given: LanguageModelRecipe) -> dict[str, Any]:
    """Fields of a Transformer with which a BERT's encoder or a GPT's decoder is carried over."""
    names = ("width", "feedforward", "heads", "activation", "norm_epsilon")
    fields = {name: getattr(given, name) for name in names}
    fields |= {"max_positions": given.context, "positions": given.positions}
    if given.family == "bert":
        return fields | _BERT | {"encoder_layers": given.layers}
    return fields | _GPT | {"decoder_layers": given.layers}


@dataclass(frozen=True)
class Given:
    """A language model that one side of a translation model begins with."""

    place: str
    model: MaskedModel | CausalModel
    recipe: LanguageModelRecipe
    rows: NDArray[np.int64]
    """For each token of that side's vocabulary its id in the language model's, or -1 [V]."""


@torch.no_grad()
def fill(model: EncoderDecoder, recipe: Any, side: str, given: Given, table: bool) -> str:
    """Let the ``encoder`` or the ``decoder`` begin with a language model; what was done, in words.

    Args:
        model: freshly initialised.
        recipe: its section.
        side: ``encoder`` or ``decoder``.
        given: what to begin with.
        table: whether to fill the side's embeddings, too.

    Raises:
        RecipeError: the model is no Transformer, or has another width.
    """
    if not isinstance(model, Transformer) or not isinstance(given.model, Bert | Gpt):
        problem = f"{side}_from: only a Transformer can begin with a language model"
        raise RecipeError("training", [problem])
    if recipe.width != given.recipe.width:
        problem = (
            f"model.width: {recipe.width}, and the model of {given.place} has the width "
            f"{given.recipe.width}; set model.width={given.recipe.width}"
        )
        raise RecipeError("training", [problem])
    stack: Stack[Any] = getattr(model, side)
    exact = _agrees(recipe, given.recipe)
    left = _layers(stack, given, recipe)
    left += _positions(stack, given, recipe)
    words = f"{min(len(stack.layers), given.recipe.layers)} layers of {given.place}"
    if recipe.activation != given.recipe.activation:
        left.append(f"its activation ({given.recipe.activation})")
    if table:
        words += f", {_table(stack, given, exact)}"
    return f"{words}; not carried over: {', '.join(left)}" if left else words


def _agrees(recipe: TransformerRecipe, given: LanguageModelRecipe) -> bool:
    """Whether vectors of tokens and positions mean in both what they mean in the other."""
    wanted = agreeing(given)
    names = ("norm", "positions", "normalize_embedding")
    return all(getattr(recipe, name) == wanted[name] for name in names)


def _layers(stack: Stack[Any], given: Given, recipe: TransformerRecipe) -> list[str]:
    """Copy what has the same name, shape and use; names of what does not."""
    left: dict[str, None] = {}
    theirs = [layer.state_dict() for layer in _layers_of(given.model)]
    for own, known in zip(stack, theirs, strict=False):
        for name, tensor in own.state_dict().items():
            part, found = name.partition(".")[0], known.get(name)
            if found is not None and found.shape == tensor.shape and _same_use(part, given, recipe):
                tensor.copy_(found)
            elif found is None and name.endswith("bias") and f"{name[:-4]}weight" in known:
                left["biases"] = None
            else:
                left[part.replace("_", " ")] = None
    if len(stack.layers) > len(theirs):
        left[f"layers from number {len(theirs) + 1} on"] = None
    return list(left)


def _layers_of(model: nn.Module) -> list[nn.Module]:
    assert isinstance(model, Bert | Gpt)
    return list(model)


def _same_use(part: str, given: Given, recipe: TransformerRecipe) -> bool:
    """Whether a part of a layer computes in both what it computes in the other."""
    wanted = agreeing(given.recipe)
    if "norm" in part:
        layer_norm = getattr(given.recipe, "norm", "layer") == "layer"
        return layer_norm and recipe.norm == wanted["norm"]
    return "attention" not in part or recipe.heads == wanted["heads"]


def _positions(stack: Stack[Any], given: Given, recipe: TransformerRecipe) -> list[str]:
    """Copy what stands around the layers: positions, the embeddings' norm, the last norm."""
    model, left = given.model, []
    known = _table_of_positions(model)
    own = stack.embedder.positions
    if recipe.positions == "learned" and own is not None and known is not None:
        length = min(len(own.table), len(known))
        own.table[:length] = known[:length]
        if length < len(own.table):
            left.append(f"positions from {length + 1:,} on")
    elif recipe.positions == "learned" or known is not None:
        left.append("positions")
    for norm, name in ((stack.embedder.norm, "embedding_norm"), (stack.norm, "norm")):
        if isinstance(norm, nn.LayerNorm):
            found = getattr(model, name, None)
            if isinstance(found, nn.LayerNorm):
                norm.load_state_dict(found.state_dict())
            else:
                left.append(name.replace("_", " "))
    return left


def _table_of_positions(model: nn.Module) -> Tensor | None:
    """Vectors of positions [T D], with that of the first segment, which stands at all of them."""
    positions = getattr(model, "positions", None)
    if positions is None:
        return None
    return positions.table + (model.segments.weight[0] if isinstance(model, Bert) else 0)


def _table(stack: Stack[Any], given: Given, exact: bool) -> str:
    """Copy the vectors of known tokens; how many there are.

    Where positions or norms differ, they take on the size of random ones, for which the model was
    made; see :mod:`seqloom.training.embeddings`.
    """
    weight = stack.embedder.tokens.weight
    model = given.model
    assert isinstance(model, Bert | Gpt)
    rows = torch.from_numpy(given.rows)
    known = rows >= 0
    values = model.tokens.weight[rows[known]]
    if isinstance(model, Bert) and model.positions is None:
        values = values + model.segments.weight[0]
    values = values / stack.embedder.scale
    if not exact:
        values = values * weight.square().mean().sqrt() / values.square().mean().sqrt()
    weight[known] = values.to(weight)
    return f"vectors of {int(known.sum()):,} of {len(rows):,} tokens"
