"""BERT and RoFormer as Hugging Face has them, and as one BERT with us.

::

    model_type   positions   pooling, head of following sentences
    bert         learned     may be there
    roformer     rotary      never
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from seqloom.export.links import Link, linear
from seqloom.export.settings import Settings, their_activation
from seqloom.recipe.language import BertRecipe
from seqloom.symbols import Symbols

NAMES = {"bert": "Bert", "roformer": "RoFormer"}
"""How the names of their classes begin, by ``model_type``."""
ARCHITECTURES = {"bert": "BertForPreTraining", "roformer": "RoFormerForMaskedLM"}
"""By their ``model_type``, which is the prefix of all names but those of heads, too; left out in
checkpoints without heads."""
OTHER_TASKS = ("classifier.", "qa_outputs.")
"""How tensors of heads begin that none of ours stands for."""
SURPLUS = re.compile(
    r"bert\.embeddings\.position_ids|roformer\.encoder\.embed_positions\.weight"
    r"|cls\.predictions\.decoder\.(weight|bias)"
    rf"|({'|'.join(map(re.escape, OTHER_TASKS))}).*"
)
"""What checkpoints may hold besides: what is computed, the tied output again, heads of other
tasks."""

_ACTIVATIONS = ("relu", "gelu", "gelu_tanh", "silu")
_LAYER = {
    "self_attention.query": "attention.self.query",
    "self_attention.key": "attention.self.key",
    "self_attention.value": "attention.self.value",
    "self_attention.output": "attention.output.dense",
    "self_attention_norm": "attention.output.LayerNorm",
    "feedforward.inner": "intermediate.dense",
    "feedforward.outer": "output.dense",
    "feedforward_norm": "output.LayerNorm",
}
_TURNED = ("self_attention.query", "self_attention.key")
_FILLING, _POOLING, _FOLLOWING = "head that fills holes", "pooling", "head of following sentences"
NEVER = {"bert": (), "roformer": (_POOLING, _FOLLOWING)}
"""Parts of ours that an architecture of theirs does not have."""


def family_of(recipe: BertRecipe) -> str:
    """The ``model_type`` that a BERT of ours is with them."""
    return "bert" if recipe.positions == "learned" else "roformer"


def links(recipe: BertRecipe) -> list[Link]:
    """Every parameter of ours, and what it is with them."""
    return [*_body(recipe), *_heads(recipe)]


def body(recipe: BertRecipe, pooling: bool) -> list[Link]:
    """The parameters of the encoder, with those that pool its first state or without."""
    heads = [link for link in _heads(recipe) if pooling and link.part == _POOLING]
    return [*_body(recipe), *heads]


def _body(recipe: BertRecipe) -> Iterator[Link]:
    prefix, rotary = family_of(recipe), recipe.positions == "rotary"
    tables = {"word_embeddings": "tokens.weight", "token_type_embeddings": "segments.weight"}
    if not rotary:
        tables["position_embeddings"] = "positions.table"
    for theirs, ours in tables.items():
        yield Link(f"{prefix}.embeddings.{theirs}.weight", (ours,))
    yield from linear(f"{prefix}.embeddings.LayerNorm", "embedding_norm")
    for layer in range(recipe.layers):
        for ours, theirs in _LAYER.items():
            heads = recipe.heads if rotary and ours in _TURNED else 0
            names = f"{prefix}.encoder.layer.{layer}.{theirs}", f"layers.{layer}.{ours}"
            yield from (link._replace(interleaved=heads) for link in linear(*names))


def _heads(recipe: BertRecipe) -> Iterator[Link]:
    heads = [
        *((_POOLING, link) for link in linear(f"{family_of(recipe)}.pooler.dense", "pooling")),
        *((_FILLING, link) for link in linear("cls.predictions.transform.dense", "transform")),
        *(
            (_FILLING, link)
            for link in linear("cls.predictions.transform.LayerNorm", "transform_norm")
        ),
        (_FILLING, Link("cls.predictions.bias", ("output.bias",))),
        *((_FOLLOWING, link) for link in linear("cls.seq_relationship", "following")),
    ]
    for part, link in heads:
        yield link._replace(part=part)


def recipe_of(settings: Settings) -> BertRecipe:
    """The recipe of one of their configs.

    Raises:
        ExportError: settings that our BERT does not have; all of them are listed.
    """
    rotary = settings.family == "roformer"
    if rotary:
        settings.only("rotary_value", False, default=False)
        settings.only(
            "embedding_size", settings.get("hidden_size"), default=settings.get("hidden_size")
        )
    settings.only("position_embedding_type", "absolute", default="absolute")
    settings.only("is_decoder", False, default=False)
    settings.only("add_cross_attention", False, default=False)
    settings.only("tie_word_embeddings", True, default=True)
    return settings.build(
        BertRecipe,
        width=settings.whole("hidden_size"),
        feedforward=settings.whole("intermediate_size"),
        heads=settings.whole("num_attention_heads"),
        layers=settings.whole("num_hidden_layers"),
        activation=settings.activation("hidden_act", "gelu", _ACTIVATIONS),
        context=settings.whole("max_position_embeddings"),
        positions="rotary" if rotary else "learned",
        segments=settings.get("type_vocab_size", 2),
        norm_epsilon=settings.get("layer_norm_eps", 1e-12),
        dropout=settings.get("hidden_dropout_prob", 0.1),
        attention_dropout=settings.get("attention_probs_dropout_prob", 0.1),
    )


def config_of(recipe: BertRecipe, size: int, symbols: Symbols) -> dict[str, Any]:
    """Their config of a BERT of ours."""
    family = family_of(recipe)
    return {
        "architectures": [ARCHITECTURES[family]],
        "model_type": family,
        "vocab_size": size,
        "hidden_size": recipe.width,
        "intermediate_size": recipe.feedforward,
        "num_attention_heads": recipe.heads,
        "num_hidden_layers": recipe.layers,
        "hidden_act": their_activation(recipe.activation),
        "max_position_embeddings": recipe.context,
        "type_vocab_size": recipe.segments,
        "layer_norm_eps": recipe.norm_epsilon,
        "hidden_dropout_prob": recipe.dropout,
        "attention_probs_dropout_prob": recipe.attention_dropout,
        "pad_token_id": symbols.pad,
        "dtype": "float32",
    }
