"""The model section of a recipe, one class a family: sizes and switches with their meaning."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import Discriminator, Field, Tag

from seqloom.recipe.section import Conflict, Section


class HeadsLeft(Section):
    """How many heads each layer has kept after pruning, the lowest layer first."""

    encoder: tuple[int, ...]
    """Of the encoder over the source."""
    decoder: tuple[int, ...]
    """Of the decoder over itself."""
    cross: tuple[int, ...]
    """Of the decoder over the source."""


class TransformerRecipe(Section):
    """Transformer (Vaswani et al. 2017)."""

    family: Literal["transformer"] = "transformer"
    width: int = Field(256, ge=2)
    """Model width D."""
    feedforward: int = Field(1024, ge=1)
    """Inner width F of the feed-forward layers."""
    heads: int = Field(4, ge=1)
    """Attention heads H; must divide the width."""
    heads_left: HeadsLeft | None = None
    """Where some were taken out (`seqloom prune`): heads of each layer; a head stays as wide as
    width / heads."""
    encoder_layers: int = Field(3, ge=1)
    """Encoder depth."""
    decoder_layers: int = Field(3, ge=1)
    """Decoder depth."""
    norm: Literal["pre", "post"] = "pre"
    """Layer normalisation before (Xiong et al. 2020) or after (Vaswani et al. 2017) each block."""
    activation: Literal["relu", "gelu", "gelu_tanh", "silu", "swiglu"] = "relu"
    """Feed-forward activation; gelu_tanh is the approximation by a hyperbolic tangent."""
    positions: Literal["sinusoidal", "fairseq", "learned", "rotary"] = "sinusoidal"
    """Position encoding; fairseq is the sinusoidal variant of fairseq, M2M100 and NLLB."""
    max_positions: int = Field(1024, ge=2)
    """Longest sequence in tokens, for learned positions a hard limit."""
    tie: Literal["none", "target", "all"] = "all"
    """Share the output projection with the target embedding (target), also the source's (all)."""
    scale_embedding: bool = True
    """Multiply embeddings by the square root of the width."""
    normalize_embedding: bool = False
    """Layer normalisation on the summed embeddings."""
    norm_epsilon: float = Field(1e-5, gt=0)
    """Added to variances."""
    output_bias: bool = False
    """Add a learned bias to the output projection, as Marian does."""
    dropout: float = Field(0.1, ge=0, lt=1)
    """Dropout on embeddings and on the output of each block."""
    attention_dropout: float = Field(0.0, ge=0, lt=1)
    """Dropout on attention weights."""
    activation_dropout: float = Field(0.0, ge=0, lt=1)
    """Dropout inside the feed-forward layers."""

    def conflicts(self) -> list[Conflict]:
        """Heads that do not fit the width."""
        if self.width % self.heads:
            message = (
                f"model.heads: {self.heads} does not divide model.width {self.width}; "
                f"try heads={divisor_near(self.width, self.heads)}"
            )
            return [Conflict(("model.heads", "model.width"), message)]
        head_width = self.width // self.heads
        if self.positions == "rotary" and head_width % 2:
            message = (
                "model.positions: rotary needs an even head width, and "
                f"{self.width} / {self.heads} is {head_width}; use fewer heads or other positions"
            )
            return [Conflict(("model.positions", "model.heads", "model.width"), message)]
        return [] if self.heads_left is None else self._left(self.heads_left)

    def _left(self, left: HeadsLeft) -> list[Conflict]:
        """Layers without heads, or more heads or layers than there were."""
        depths = {
            "encoder": self.encoder_layers,
            "decoder": self.decoder_layers,
            "cross": self.decoder_layers,
        }
        found = []
        for part, depth in depths.items():
            heads = getattr(left, part)
            if len(heads) != depth or not all(1 <= each <= self.heads for each in heads):
                message = (
                    f"model.heads_left.{part}: {list(heads)} is not the number of heads, from 1 to "
                    f"model.heads {self.heads}, of each of {depth} layers"
                )
                found.append(Conflict((f"model.heads_left.{part}", "model.heads"), message))
        return found

    def heads_of(self, part: Literal["encoder", "decoder", "cross"], layer: int) -> int:
        """Heads of a layer."""
        return self.heads if self.heads_left is None else getattr(self.heads_left, part)[layer]


class RecurrentRecipe(Section):
    """Recurrent encoder-decoder (Sutskever et al. 2014, Cho et al. 2014); attention or none."""

    family: Literal["rnn"] = "rnn"
    cell: Literal["rnn", "lstm", "gru"] = "gru"
    """Recurrent cell: simple (tanh), LSTM or GRU."""
    embedding: int = Field(256, ge=1)
    """Width of the embeddings."""
    width: int = Field(512, ge=2)
    """Width D of the hidden states; a bidirectional encoder gives each direction half of it."""
    encoder_layers: int = Field(1, ge=1)
    """Encoder depth."""
    decoder_layers: int = Field(1, ge=1)
    """Decoder depth."""
    bidirectional: bool = True
    """Read the source in both directions."""
    attention: Literal["none", "dot", "bilinear", "additive", "scaled_dot"] = "additive"
    """Score function; none gives the plain encoder-decoder with one fixed context."""
    wiring: Literal["before", "after"] = "before"
    """Attention before the state update (Bahdanau et al. 2015) or after it (Luong et al. 2015)."""
    input_feeding: bool = True
    """Luong wiring only: feed the attentional state back into the next step."""
    context: Literal["initial", "input", "input_and_output"] = "initial"
    """Without attention: the context is the decoder's initial state, its only input at every step,
    or an input together with the previous output (Cho et al. 2014)."""
    bridge: Literal["last", "learned"] = "learned"
    """Context from the encoder's last state as it is, or through a learned transformation."""
    tie: Literal["none", "target", "all"] = "target"
    """Share the output projection with the target embedding (target), also the source's (all)."""
    dropout: float = Field(0.2, ge=0, lt=1)
    """Dropout on embeddings, between layers and before the output."""

    def conflicts(self) -> list[Conflict]:
        """A width that two directions cannot share."""
        if self.bidirectional and self.width % 2:
            message = f"model.width: a bidirectional encoder needs an even width, not {self.width}"
            return [Conflict(("model.width", "model.bidirectional"), message)]
        return []


def _family(value: Any) -> str:
    """The family of a model section; a section that names none is a Transformer."""
    if isinstance(value, Mapping):
        return str(value.get("family", "transformer"))
    return str(getattr(value, "family", value))


ModelRecipe = Annotated[
    Annotated[TransformerRecipe, Tag("transformer")] | Annotated[RecurrentRecipe, Tag("rnn")],
    Discriminator(_family),
]


def divisor_near(number: int, wanted: int) -> int:
    """The divisor of ``number`` that comes closest to ``wanted``."""
    divisors = (d for d in range(1, number + 1) if number % d == 0)
    return min(divisors, key=lambda d: abs(d - wanted))
