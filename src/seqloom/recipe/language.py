"""The model section of a language model: sizes and switches of BERT's and GPT's kind."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import Discriminator, Field, Tag

from seqloom.recipe.models import divisor_near
from seqloom.recipe.section import Conflict, Section


class BertRecipe(Section):
    """BERT (Devlin et al. 2019): a Transformer encoder with norms after the blocks."""

    family: Literal["bert"] = "bert"
    width: int = Field(256, ge=2)
    """Model width D."""
    feedforward: int = Field(1024, ge=1)
    """Inner width F of the feed-forward layers."""
    heads: int = Field(4, ge=1)
    """Attention heads H; must divide the width."""
    layers: int = Field(4, ge=1)
    """Depth L."""
    activation: Literal["relu", "gelu", "gelu_tanh", "silu"] = "gelu"
    """Feed-forward activation; gelu_tanh is the approximation by a hyperbolic tangent."""
    context: int = Field(128, ge=4)
    """Longest sequence in tokens."""
    positions: Literal["learned", "rotary"] = "learned"
    """Position encoding. With rotary ones (RoFormer, Su et al. 2021) attention can look at
    neighbours from the start: a BERT of a few hours or less learns far sooner."""
    segments: int = Field(2, ge=1)
    """Kinds of segments: the first and the second text of a pair."""
    norm_epsilon: float = Field(1e-12, gt=0)
    """Added to variances."""
    dropout: float = Field(0.1, ge=0, lt=1)
    """Dropout on embeddings and on the output of each block."""
    attention_dropout: float = Field(0.1, ge=0, lt=1)
    """Dropout on attention weights."""

    def conflicts(self) -> list[Conflict]:
        """Heads that do not fit the width, or the positions."""
        return _heads(self.width, self.heads) or _turns(self)


class GptRecipe(Section):
    """GPT-2 (Radford et al. 2019), and with its switches Llama, Mistral and Qwen2."""

    family: Literal["gpt"] = "gpt"
    width: int = Field(256, ge=2)
    """Model width D."""
    feedforward: int = Field(1024, ge=1)
    """Inner width F of the feed-forward layers."""
    heads: int = Field(4, ge=1)
    """Attention heads H."""
    key_value_heads: int | None = Field(None, ge=1)
    """Heads of keys and values, each shared by a group of query heads (Ainslie et al. 2023); as
    many as `heads` when left out."""
    head_width: int | None = Field(None, ge=2)
    """Width K of a head; width / heads when left out."""
    layers: int = Field(4, ge=1)
    """Depth L."""
    norm: Literal["layer", "rms"] = "layer"
    """Layer norm, or root mean square norm (Zhang and Sennrich 2019); always before the blocks."""
    norm_epsilon: float = Field(1e-5, gt=0)
    """Added to variances."""
    positions: Literal["learned", "rotary"] = "learned"
    """Position encoding."""
    rotary_base: float = Field(10000.0, gt=0)
    """Rotary positions: the longest wavelength is 2 pi times this."""
    context: int = Field(256, ge=2)
    """Longest sequence in tokens."""
    window: int | None = Field(None, ge=1)
    """Each token sees this many positions, itself included (Mistral); all when left out."""
    activation: Literal["relu", "gelu", "gelu_tanh", "silu", "swiglu"] = "gelu_tanh"
    """Feed-forward activation; gelu_tanh is the approximation by a hyperbolic tangent."""
    bias: Literal["all", "query_key_value", "none"] = "all"
    """Which linear layers add a bias: all (GPT-2), those of queries, keys and values (Qwen2), none
    (Llama)."""
    tie: bool = True
    """Share the output projection with the embedding."""
    dropout: float = Field(0.1, ge=0, lt=1)
    """Dropout on embeddings and on the output of each block."""
    attention_dropout: float = Field(0.0, ge=0, lt=1)
    """Dropout on attention weights."""

    def conflicts(self) -> list[Conflict]:
        """Heads that do not fit the width, or each other."""
        found = [] if self.head_width else _heads(self.width, self.heads)
        groups = self.key_value_heads
        if groups is not None and self.heads % groups:
            message = (
                f"model.key_value_heads: {groups} does not divide model.heads {self.heads}; "
                f"try key_value_heads={divisor_near(self.heads, groups)}"
            )
            found.append(Conflict(("model.key_value_heads", "model.heads"), message))
        return found or _turns(self)


def _heads(width: int, heads: int) -> list[Conflict]:
    if width % heads == 0:
        return []
    message = (
        f"model.heads: {heads} does not divide model.width {width}; "
        f"try heads={divisor_near(width, heads)}"
    )
    return [Conflict(("model.heads", "model.width"), message)]


def _turns(recipe: BertRecipe | GptRecipe) -> list[Conflict]:
    """Rotary positions turn pairs of features."""
    width = getattr(recipe, "head_width", None) or recipe.width // recipe.heads
    if recipe.positions == "learned" or width % 2 == 0:
        return []
    message = (
        f"model.positions: rotary needs an even head width, not {width}; use other heads "
        "or model.positions=learned"
    )
    names = ("model.positions", "model.heads", "model.width", "model.head_width")
    return [Conflict(names, message)]


def _family(value: Any) -> str:
    if isinstance(value, Mapping):
        return str(value.get("family", "gpt"))
    return str(getattr(value, "family", value))


LanguageModelRecipe = Annotated[
    Annotated[GptRecipe, Tag("gpt")] | Annotated[BertRecipe, Tag("bert")],
    Discriminator(_family),
]
