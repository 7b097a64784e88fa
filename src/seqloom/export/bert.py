"""BERT (Devlin et al. 2019) as Hugging Face has it, and as we do."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from seqloom.export.links import Link, linear
from seqloom.export.settings import Settings, their_activation
from seqloom.recipe.language import BertRecipe
from seqloom.symbols import Symbols

PREFIX = "bert."
"""Of the names of all but the heads; left out in checkpoints without heads."""
SURPLUS = re.compile(
    r"bert\.embeddings\.position_ids|cls\.predictions\.decoder\.(weight|bias)|classifier\..*"
    r"|qa_outputs\..*"
)
"""What checkpoints may hold besides: the tied output again, heads of other tasks."""

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
_FILLING, _POOLING, _FOLLOWING = "head that fills holes", "pooling", "head of following sentences"


def links(recipe: BertRecipe) -> list[Link]:
    """Every parameter of ours, and what it is with them."""
    return list(_links(recipe))


def _links(recipe: BertRecipe) -> Iterator[Link]:
    tables = {
        "word_embeddings": "tokens.weight",
        "position_embeddings": "positions.table",
        "token_type_embeddings": "segments.weight",
    }
    for theirs, ours in tables.items():
        yield Link(f"bert.embeddings.{theirs}.weight", (ours,))
    yield from linear("bert.embeddings.LayerNorm", "embedding_norm")
    for layer in range(recipe.layers):
        for ours, theirs in _LAYER.items():
            yield from linear(f"bert.encoder.layer.{layer}.{theirs}", f"layers.{layer}.{ours}")
    heads = [
        *((_POOLING, link) for link in linear("bert.pooler.dense", "pooling")),
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
        segments=settings.get("type_vocab_size", 2),
        norm_epsilon=settings.get("layer_norm_eps", 1e-12),
        dropout=settings.get("hidden_dropout_prob", 0.1),
        attention_dropout=settings.get("attention_probs_dropout_prob", 0.1),
    )


def config_of(recipe: BertRecipe, size: int, symbols: Symbols) -> dict[str, Any]:
    """Their config of a BERT of ours."""
    return {
        "architectures": ["BertForPreTraining"],
        "model_type": "bert",
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
