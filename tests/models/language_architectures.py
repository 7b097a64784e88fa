"""Language models with every switch, in tiny sizes: the one table that their tests run over."""

from __future__ import annotations

from functools import cache
from itertools import cycle, product
from typing import Any

import pytest
import torch
from torch import Tensor

from seqloom.models import build_language_model
from seqloom.models.bert import Bert
from seqloom.models.gpt import Gpt
from seqloom.recipe.language import BertRecipe, GptRecipe
from seqloom.symbols import Symbols

SIZE = 30
"""Vocabulary of the tiny models."""
SYMBOLS = Symbols(mask=4)
CONTEXT = 48

SIZES = frozenset(
    {
        "family", "width", "feedforward", "heads", "key_value_heads", "head_width", "layers",
        "context", "window", "segments", "norm_epsilon", "rotary_base", "dropout",
        "attention_dropout",
    }
)  # fmt: skip
"""Recipe fields that are no switches."""


def _gpts() -> list[GptRecipe]:
    """Norm x positions x activation, while the other switches and sizes take turns."""
    choices = product(
        ("layer", "rms"), ("learned", "rotary"), ("relu", "gelu", "gelu_tanh", "silu", "swiglu")
    )
    biases, ties, groups, windows, widths, depths = (
        cycle(("all", "query_key_value", "none")),
        cycle((True, False, False, True)),
        cycle((None, 2, 1, 4, 2)),
        cycle((None, None, 3, 2, None, 5, None)),
        cycle((None, 6, None)),
        cycle((2, 1, 2)),
    )
    return [
        GptRecipe(
            width=16,
            feedforward=20,
            heads=4,
            context=CONTEXT,
            norm=norm,
            positions=positions,
            activation=activation,
            bias=next(biases),
            tie=next(ties),
            key_value_heads=next(groups),
            window=next(windows),
            head_width=next(widths),
            layers=next(depths),
        )
        for norm, positions, activation in choices
    ]


def _berts() -> list[BertRecipe]:
    depths, heads = cycle((1, 2, 2)), cycle((2, 4, 1))
    choices = product(("learned", "rotary"), ("relu", "gelu", "gelu_tanh", "silu"))
    return [
        BertRecipe(
            width=16,
            feedforward=20,
            heads=next(heads),
            layers=next(depths),
            context=CONTEXT,
            positions=positions,
            activation=activation,
        )
        for positions, activation in choices
    ]


GPTS, BERTS = _gpts(), _berts()


def _name(recipe: BertRecipe | GptRecipe) -> str:
    plain = type(recipe)().model_dump()
    words = [
        f"{name}={value}"
        for name, value in recipe.model_dump().items()
        if value != plain[name] and name not in ("width", "feedforward", "context")
    ]
    return "-".join([recipe.family, *words])


every_gpt = pytest.mark.parametrize("recipe", [pytest.param(each, id=_name(each)) for each in GPTS])
every_bert = pytest.mark.parametrize(
    "recipe", [pytest.param(each, id=_name(each)) for each in BERTS]
)
every_language_model = pytest.mark.parametrize(
    "recipe", [pytest.param(each, id=_name(each)) for each in (*GPTS, *BERTS)]
)


def strong(recipe: BertRecipe | GptRecipe, seed: int = 1) -> Any:
    """A model whose weights are large enough that an error anywhere shows in its states."""
    torch.manual_seed(seed)
    model = build_language_model(recipe, SIZE, SYMBOLS).eval()
    for parameter in model.parameters():
        parameter.data += 0.3 * torch.randn_like(parameter)
    return model


@cache
def gpt(recipe: GptRecipe) -> Gpt:
    """The recipe's model in evaluation mode, one for all tests; they leave its weights alone."""
    return strong(recipe)


@cache
def bert(recipe: BertRecipe) -> Bert:
    """As :func:`gpt`."""
    return strong(recipe)


def ids(seed: int, *shape: int) -> Tensor:
    """Random tokens that are no symbols."""
    return torch.randint(5, SIZE, shape, generator=torch.Generator().manual_seed(seed))


LENGTHS = [[4, 3], [6], [1, 2, 5]]
"""Documents of three packed rows."""
PACKED = torch.tensor([[1, 1, 1, 1, 2, 2, 2, 0, 0], [1] * 6 + [0] * 3, [1, 2, 2, 3, 3, 3, 3, 3, 0]])
"""Their numbers [3 9]; the last columns are padding."""


def documents_of(rows: Tensor) -> list[Tensor]:
    """The documents [1 t] in packed rows [3 9 ...], row by row."""
    found = []
    for row, lengths in zip(rows, LENGTHS, strict=True):
        found += [part[None] for part in row[: sum(lengths)].split(lengths)]
    return found
