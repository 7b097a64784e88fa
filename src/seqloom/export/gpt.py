"""GPT-2, Llama, Mistral and Qwen2 as Hugging Face has them, and as one GPT with us.

::

    model_type   norm    positions   activation   biases                window   tables
    gpt2         layer   learned     any          all                   no       any
    llama        rms     rotary      swiglu       none, or all          no       any
    mistral      rms     rotary      swiglu       none                  any      any
    qwen2        rms     rotary      swiglu       query, key, value     any      any
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

from seqloom.export.links import Link, linear
from seqloom.export.settings import Settings, first_without, their_activation
from seqloom.recipe.language import GptRecipe
from seqloom.symbols import Symbols

ARCHITECTURES = {
    "gpt2": "GPT2LMHeadModel",
    "llama": "LlamaForCausalLM",
    "mistral": "MistralForCausalLM",
    "qwen2": "Qwen2ForCausalLM",
}
"""By their ``model_type``."""
PREFIXES = {"gpt2": "transformer."}
"""Of the names of all but the output; ``model.`` with the others."""
SURPLUS = re.compile(
    r"transformer\.h\.\d+\.attn\.(masked_)?bias|.*rotary_emb\.inv_freq|lm_head\.weight"
)
"""What checkpoints may hold besides: masks and angles that are computed, the tied output again."""

_ACTIVATIONS = ("relu", "gelu", "gelu_tanh", "silu")
_ATTENTION = ("query", "key", "value")


def links(recipe: GptRecipe, family: str) -> list[Link]:
    """Every parameter of ours, and what it is with them."""
    found = list(_gpt2(recipe) if family == "gpt2" else _llama(recipe))
    output = Link("lm_head.weight", ("output.weight",))
    return found if recipe.tie else [*found, output]


def _gpt2(recipe: GptRecipe) -> Iterator[Link]:
    yield Link("transformer.wte.weight", ("tokens.weight",), aliases=_tied(recipe))
    yield Link("transformer.wpe.weight", ("positions.table",))
    for layer in range(recipe.layers):
        ours, theirs = f"layers.{layer}", f"transformer.h.{layer}"
        parts = [f"{ours}.self_attention.{part}" for part in _ATTENTION]
        yield from linear(f"{theirs}.ln_1", f"{ours}.self_attention_norm")
        yield from linear(f"{theirs}.attn.c_attn", *parts, transposed=True)
        yield from linear(f"{theirs}.attn.c_proj", f"{ours}.self_attention.output", transposed=True)
        yield from linear(f"{theirs}.ln_2", f"{ours}.feedforward_norm")
        yield from linear(f"{theirs}.mlp.c_fc", f"{ours}.feedforward.inner", transposed=True)
        yield from linear(f"{theirs}.mlp.c_proj", f"{ours}.feedforward.outer", transposed=True)
    yield from linear("transformer.ln_f", "norm")


def _llama(recipe: GptRecipe) -> Iterator[Link]:
    yield Link("model.embed_tokens.weight", ("tokens.weight",), aliases=_tied(recipe))
    every = recipe.bias == "all"
    for layer in range(recipe.layers):
        ours, theirs = f"layers.{layer}", f"model.layers.{layer}"
        for part in _ATTENTION:
            yield from linear(
                f"{theirs}.self_attn.{part[0]}_proj",
                f"{ours}.self_attention.{part}",
                bias=recipe.bias != "none",
            )
        for name, part in (
            ("self_attn.o_proj", "self_attention.output"),
            ("mlp.gate_proj", "feedforward.gate"),
            ("mlp.up_proj", "feedforward.inner"),
            ("mlp.down_proj", "feedforward.outer"),
        ):
            yield from linear(f"{theirs}.{name}", f"{ours}.{part}", bias=every)
        for name, part in (
            ("input_layernorm", "self_attention_norm"),
            ("post_attention_layernorm", "feedforward_norm"),
        ):
            yield from linear(f"{theirs}.{name}", f"{ours}.{part}", bias=False)
    yield from linear("model.norm", "norm", bias=False)


def _tied(recipe: GptRecipe) -> tuple[str, ...]:
    return ("lm_head.weight",) if recipe.tie else ()


def recipe_of(settings: Settings) -> GptRecipe:
    """The recipe of one of their configs.

    Raises:
        ExportError: settings that our GPT does not have; all of them are listed.
    """
    return _recipe_of_gpt2(settings) if settings.family == "gpt2" else _recipe_of_llama(settings)


def _recipe_of_gpt2(settings: Settings) -> GptRecipe:
    settings.only("scale_attn_weights", True, default=True)
    settings.only("scale_attn_by_inverse_layer_idx", False, default=False)
    settings.only("add_cross_attention", False, default=False)
    width = settings.whole("n_embd")
    return settings.build(
        GptRecipe,
        width=width,
        feedforward=settings.get("n_inner", 4 * width),
        heads=settings.whole("n_head"),
        layers=settings.whole("n_layer"),
        norm="layer",
        norm_epsilon=settings.get("layer_norm_epsilon", 1e-5),
        positions="learned",
        context=settings.whole("n_positions"),
        activation=settings.activation("activation_function", "gelu_new", _ACTIVATIONS),
        bias="all",
        tie=settings.get("tie_word_embeddings", True),
        dropout=settings.get("resid_pdrop", 0.1),
        attention_dropout=settings.get("attn_pdrop", 0.1),
    )


def _recipe_of_llama(settings: Settings) -> GptRecipe:
    settings.only("hidden_act", "silu", "swish", default="silu")
    heads = settings.whole("num_attention_heads")
    return settings.build(
        GptRecipe,
        width=settings.whole("hidden_size"),
        feedforward=settings.whole("intermediate_size"),
        heads=heads,
        key_value_heads=settings.get("num_key_value_heads", heads),
        head_width=settings.get("head_dim"),
        layers=settings.whole("num_hidden_layers"),
        norm="rms",
        norm_epsilon=settings.get("rms_norm_eps", 1e-6),
        positions="rotary",
        rotary_base=_rotary_base(settings),
        context=settings.whole("max_position_embeddings"),
        window=_window(settings),
        activation="swiglu",
        bias=_bias(settings),
        tie=settings.get("tie_word_embeddings", False),
        dropout=0.0,
        attention_dropout=settings.get("attention_dropout", 0.0),
    )


def _rotary_base(settings: Settings) -> float:
    """The base of rotary positions; from transformers 5 on it is in ``rope_parameters``."""
    for name in ("rope_parameters", "rope_scaling"):
        rope = settings.get(name, {})
        kind = rope.get("rope_type", rope.get("type", "default"))
        if kind != "default":
            settings.problems.append(f"{name}: Seqloom does not scale positions (given: {kind!r})")
        if rope.get("partial_rotary_factor", 1.0) != 1.0:
            settings.problems.append(f"{name}: Seqloom turns whole heads, not a part of them")
    parameters = settings.get("rope_parameters", {})
    return parameters.get("rope_theta", settings.get("rope_theta", 10000.0))


def _bias(settings: Settings) -> str:
    if settings.family == "qwen2":
        return "query_key_value"
    given = settings.get("attention_bias", False), settings.get("mlp_bias", False)
    if given[0] != given[1]:
        settings.problems.append(
            "attention_bias, mlp_bias: Seqloom knows both or none of them "
            f"(given: {given[0]!r}, {given[1]!r})"
        )
    return "all" if given[0] else "none"


def _window(settings: Settings) -> int | None:
    """How far back each token sees, the same in all layers."""
    window: int | None = settings.get("sliding_window")
    if settings.family == "llama" or window is None:
        return None
    if settings.family == "mistral":
        return window
    layers = settings.whole("num_hidden_layers")
    full = (
        settings.get("max_window_layers", layers) if settings.get("use_sliding_window") else layers
    )
    kinds = settings.get("layer_types") or [
        "full_attention" if layer < full else "sliding_attention" for layer in range(layers)
    ]
    if len(set(kinds)) > 1:
        settings.problems.append(
            "layer_types: Seqloom has one window for all layers, here they differ"
        )
    return window if kinds[0] == "sliding_attention" else None


def family_of(recipe: GptRecipe) -> str:
    """The ``model_type`` that a GPT of ours is with them.

    Raises:
        ExportError: none; says for each which switches of ours stand in the way.
    """
    obstacles = {name: list(_obstacles(recipe, name)) for name in ARCHITECTURES}
    return first_without(obstacles)


def _obstacles(recipe: GptRecipe, family: str) -> Iterator[str]:
    first = family == "gpt2"
    wanted: dict[str, tuple[Any, ...]] = {
        "norm": ("layer",) if first else ("rms",),
        "positions": ("learned",) if first else ("rotary",),
        "activation": _ACTIVATIONS if first else ("swiglu",),
        "bias": {"gpt2": ("all",), "llama": ("none", "all"), "qwen2": ("query_key_value",)}.get(
            family, ("none",)
        ),
    }
    if family in ("gpt2", "llama"):
        wanted["window"] = (None,)
    if first:
        wanted["key_value_heads"] = (None, recipe.heads)
        wanted["head_width"] = (None, recipe.width // recipe.heads)
    for name, values in wanted.items():
        given = getattr(recipe, name)
        if given not in values:
            can = "|".join("null" if value is None else str(value) for value in values)
            yield f"model.{name}={can} (here: {given})"


def config_of(recipe: GptRecipe, family: str, size: int, symbols: Symbols) -> dict[str, Any]:
    """Their config of a GPT of ours."""
    write: Callable[[GptRecipe], dict[str, Any]] = _gpt2_config if family == "gpt2" else _config
    config = {
        "architectures": [ARCHITECTURES[family]],
        "model_type": family,
        "vocab_size": size,
        **write(recipe),
        "tie_word_embeddings": recipe.tie,
        "bos_token_id": symbols.begin,
        "eos_token_id": symbols.end,
        "pad_token_id": symbols.pad,
        "dtype": "float32",
    }
    windowed = recipe.window is not None
    if family == "llama":
        config |= dict.fromkeys(("attention_bias", "mlp_bias"), recipe.bias == "all")
    elif family == "mistral":
        config["sliding_window"] = recipe.window
    elif family == "qwen2":
        config |= {
            "use_sliding_window": windowed,
            "sliding_window": recipe.window,
            "max_window_layers": 0 if windowed else recipe.layers,
        }
    return config


def _gpt2_config(recipe: GptRecipe) -> dict[str, Any]:
    return {
        "n_embd": recipe.width,
        "n_inner": recipe.feedforward,
        "n_head": recipe.heads,
        "n_layer": recipe.layers,
        "n_positions": recipe.context,
        "activation_function": their_activation(recipe.activation),
        "layer_norm_epsilon": recipe.norm_epsilon,
        "embd_pdrop": recipe.dropout,
        "resid_pdrop": recipe.dropout,
        "attn_pdrop": recipe.attention_dropout,
    }


def _config(recipe: GptRecipe) -> dict[str, Any]:
    return {
        "hidden_size": recipe.width,
        "intermediate_size": recipe.feedforward,
        "num_attention_heads": recipe.heads,
        "num_key_value_heads": recipe.key_value_heads or recipe.heads,
        "head_dim": recipe.head_width or recipe.width // recipe.heads,
        "num_hidden_layers": recipe.layers,
        "max_position_embeddings": recipe.context,
        "hidden_act": "silu",
        "rms_norm_eps": recipe.norm_epsilon,
        "rope_theta": recipe.rotary_base,
        "rope_parameters": {"rope_type": "default", "rope_theta": recipe.rotary_base},
        "attention_dropout": recipe.attention_dropout,
    }
