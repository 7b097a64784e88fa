"""Marian, Pegasus, M2M100, BART and mBART: one Transformer each, with other switches.

::

    model_type   norm   positions    norm on embeddings
    marian       post   sinusoidal   no
    pegasus      pre    sinusoidal   no
    m2m_100      pre    fairseq      no
    bart         post   learned      yes
    mbart        pre    learned      yes
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from seqloom.export.links import Link, linear
from seqloom.export.settings import Settings, first_without, their_activation
from seqloom.recipe import TransformerRecipe

_OFFSET = 2
"""BART's tables of learned positions begin with two rows that no model reads."""
_EPSILON = 1e-5
"""What their norms add to variances."""


@dataclass(frozen=True)
class Family:
    """An architecture of theirs in our words."""

    architecture: str
    norm: str
    positions: str
    normalize_embedding: bool
    ties: tuple[str, ...] = ("all",)
    output_bias: bool = True
    """Whether it has a place for a bias of the output."""


FAMILIES = {
    "marian": Family("MarianMTModel", "post", "sinusoidal", False, ("all", "target", "none")),
    "pegasus": Family("PegasusForConditionalGeneration", "pre", "sinusoidal", False),
    "m2m_100": Family("M2M100ForConditionalGeneration", "pre", "fairseq", False, output_bias=False),
    "bart": Family("BartForConditionalGeneration", "post", "learned", True),
    "mbart": Family("MBartForConditionalGeneration", "pre", "learned", True),
}
"""By their ``model_type``."""

BIAS = "final_logits_bias"
"""Their bias of the output [1 V], which is a buffer with them and no parameter."""
SURPLUS = re.compile(r"lm_head\.weight|model\.(shared|(en|de)coder\.embed_\w+)\.weight")
"""What their checkpoints may hold besides: tied tables again, sinusoids."""

_ACTIVATIONS = ("relu", "gelu", "silu")
_ATTENTION = {"query": "q_proj", "key": "k_proj", "value": "v_proj", "output": "out_proj"}
_PARTS = {
    "feedforward.inner": "fc1",
    "feedforward.outer": "fc2",
    "feedforward_norm": "final_layer_norm",
    "self_attention_norm": "self_attn_layer_norm",
    **{f"self_attention.{ours}": f"self_attn.{theirs}" for ours, theirs in _ATTENTION.items()},
}
_ACROSS = {
    "cross_attention_norm": "encoder_attn_layer_norm",
    **{f"cross_attention.{ours}": f"encoder_attn.{theirs}" for ours, theirs in _ATTENTION.items()},
}


def links(recipe: TransformerRecipe) -> list[Link]:
    """Every parameter of ours but the bias of the output, and what it is with them."""
    return [*_layers(recipe), *_tables(recipe)]


def _layers(recipe: TransformerRecipe) -> Iterator[Link]:
    for side, depth, parts in (
        ("encoder", recipe.encoder_layers, _PARTS),
        ("decoder", recipe.decoder_layers, _PARTS | _ACROSS),
    ):
        for layer in range(depth):
            for ours, theirs in parts.items():
                path = f"{side}.layers.{layer}"
                yield from linear(f"model.{path}.{theirs}", f"{path}.{ours}")
        if recipe.norm == "pre":
            yield from linear(f"model.{side}.layer_norm", f"{side}.norm")
        if recipe.normalize_embedding:
            yield from linear(f"model.{side}.layernorm_embedding", f"{side}.embedder.norm")


def _tables(recipe: TransformerRecipe) -> Iterator[Link]:
    """Embeddings, positions and the output."""
    tables = {side: f"{side}.embedder.tokens.weight" for side in ("encoder", "decoder")}
    if recipe.tie == "all":
        # A checkpoint holds a tied table once, under any of its names.
        aliases = (*(f"model.{side}.embed_tokens.weight" for side in tables), "lm_head.weight")
        yield Link("model.shared.weight", (tables["encoder"],), aliases=aliases)
    else:
        yield Link("model.encoder.embed_tokens.weight", (tables["encoder"],))
        tied = ("lm_head.weight",) if recipe.tie == "target" else ()
        yield Link("model.decoder.embed_tokens.weight", (tables["decoder"],), aliases=tied)
    if recipe.tie == "none":
        yield Link("lm_head.weight", ("output.weight",))
    if recipe.positions == "learned":
        for side in tables:
            ours = f"{side}.embedder.positions.table"
            yield Link(f"model.{side}.embed_positions.weight", (ours,), skipped=_OFFSET)


def recipe_of(settings: Settings, *, output_bias: bool) -> TransformerRecipe:
    """The recipe of one of their configs.

    Raises:
        ExportError: settings that our Transformer does not have; all of them are listed.
    """
    family = FAMILIES[settings.family]
    for part in ("attention_heads", "ffn_dim"):
        settings.same(f"encoder_{part}", f"decoder_{part}")
    settings.only("normalize_embedding", family.normalize_embedding, None)
    settings.only("normalize_before", family.norm == "pre", None)
    settings.only("is_encoder_decoder", True, default=True)
    if family.positions == "fairseq":
        settings.only("pad_token_id", 1)  # from which its positions count
    tie = _tie(settings, family)
    return settings.build(
        TransformerRecipe,
        width=settings.whole("d_model"),
        feedforward=settings.whole("encoder_ffn_dim"),
        heads=settings.whole("encoder_attention_heads"),
        encoder_layers=settings.whole("encoder_layers"),
        decoder_layers=settings.whole("decoder_layers"),
        norm=family.norm,
        activation=settings.activation("activation_function", "gelu", _ACTIVATIONS),
        positions=family.positions,
        max_positions=settings.whole("max_position_embeddings"),
        tie=tie,
        scale_embedding=settings.get("scale_embedding", False),
        normalize_embedding=family.normalize_embedding,
        output_bias=output_bias,
        dropout=settings.get("dropout", 0.1),
        attention_dropout=settings.get("attention_dropout", 0.0),
        activation_dropout=settings.get("activation_dropout", 0.0),
    )


def _tie(settings: Settings, family: Family) -> str:
    shared = settings.get("share_encoder_decoder_embeddings", True)
    output = settings.get("tie_word_embeddings", True)
    tie = {(True, True): "all", (False, True): "target", (False, False): "none"}.get(
        (shared, output), "shared with another output"
    )
    if tie not in family.ties:
        settings.problems.append(
            "share_encoder_decoder_embeddings, tie_word_embeddings: Seqloom knows "
            f"{' or '.join(family.ties)} of a {settings.family}'s tables tied (given: {tie})"
        )
    return tie


def family_of(recipe: TransformerRecipe) -> str:
    """The ``model_type`` that a Transformer of ours is with them.

    Raises:
        ExportError: none; says for each which switches of ours stand in the way.
    """
    obstacles = {name: _obstacles(recipe, family) for name, family in FAMILIES.items()}
    return first_without(obstacles)


def _obstacles(recipe: TransformerRecipe, family: Family) -> list[str]:
    found = [
        f"model.{name}={str(wanted).lower()} (here: {str(given).lower()})"
        for name, given, wanted in (
            ("norm", recipe.norm, family.norm),
            ("positions", recipe.positions, family.positions),
            ("normalize_embedding", recipe.normalize_embedding, family.normalize_embedding),
        )
        if given != wanted
    ]
    if recipe.heads_left is not None:
        found.append("heads that were not pruned")
    if recipe.norm_epsilon != _EPSILON:
        found.append(f"model.norm_epsilon={_EPSILON} (here: {recipe.norm_epsilon})")
    if recipe.activation not in _ACTIVATIONS:
        found.append(f"model.activation={'|'.join(_ACTIVATIONS)} (here: {recipe.activation})")
    if recipe.tie not in family.ties:
        found.append(f"model.tie={'|'.join(family.ties)} (here: {recipe.tie})")
    return found


def config_of(recipe: TransformerRecipe, name: str, sizes: tuple[int, int]) -> dict[str, Any]:
    """Their config of a Transformer of ours, but for the ids of special tokens.

    Args:
        recipe: the model.
        name: the ``model_type``.
        sizes: source and target vocabulary.
    """
    config: dict[str, Any] = {
        "architectures": [FAMILIES[name].architecture],
        "model_type": name,
        "is_encoder_decoder": True,
        "vocab_size": sizes[0],
        "d_model": recipe.width,
        "max_position_embeddings": recipe.max_positions,
        "activation_function": their_activation(recipe.activation),
        "scale_embedding": recipe.scale_embedding,
        "tie_word_embeddings": recipe.tie != "none",
        "dropout": recipe.dropout,
        "attention_dropout": recipe.attention_dropout,
        "activation_dropout": recipe.activation_dropout,
        "encoder_layerdrop": 0.0,
        "decoder_layerdrop": 0.0,
        "dtype": "float32",
    }
    for side, depth in (("encoder", recipe.encoder_layers), ("decoder", recipe.decoder_layers)):
        config[f"{side}_layers"] = depth
        config[f"{side}_attention_heads"] = recipe.heads
        config[f"{side}_ffn_dim"] = recipe.feedforward
    if name == "marian":
        config["share_encoder_decoder_embeddings"] = recipe.tie == "all"
        config["decoder_vocab_size"] = sizes[1]
    return config
