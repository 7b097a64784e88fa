"""The sections of a recipe: every field with its meaning, its limits and its default.

Checking never edits: sizes that are left open (``None``) are chosen later, in
:mod:`seqloom.training.sizes`, and saved with the run.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal, NamedTuple, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Discriminator,
    Field,
    Tag,
    ValidationInfo,
    model_validator,
)

FIELDS_ONLY = {"fields_only": True}
"""Context of a validation that leaves conflicts between fields for later."""


class Conflict(NamedTuple):
    """Fields that are right by themselves and wrong together."""

    fields: tuple[str, ...]
    """Their names, such as ``model.heads``."""
    message: str


class _Section(BaseModel):
    model_config = ConfigDict(
        extra="forbid", frozen=True, use_attribute_docstrings=True, allow_inf_nan=False
    )

    def conflicts(self) -> list[Conflict]:
        """What is wrong between fields; empty if all is well."""
        return []

    @model_validator(mode="after")
    def _check(self, info: ValidationInfo) -> Self:
        if info.context != FIELDS_ONLY and (found := self.conflicts()):
            raise ValueError("\n".join(conflict.message for conflict in found))
        return self


class DataRecipe(_Section):
    """Where the pairs come from and how they become token ids."""

    source: str | None = None
    """File with the source sentences, or one file with both sides (.tsv, .parquet)."""
    target: str | None = None
    """File with the target sentences, aligned line by line with `source`."""
    validation_source: str | None = None
    """Held-out source sentences; without them a share of the corpus is held out."""
    validation_target: str | None = None
    """Held-out target sentences."""
    source_language: str | None = None
    """Language code of the source, such as en; guessed from the file suffix."""
    target_language: str | None = None
    """Language code of the target, such as de; guessed from the file suffix."""
    tag: bool = False
    """Put the target language (<2de>) before each source, so that one model serves several."""
    validation_share: float = Field(0.02, gt=0, lt=0.5)
    """Share of pairs held out, by content hash, when no validation files are given."""
    tokenizer: Literal["bpe", "byte_bpe", "unigram", "word", "character"] = "bpe"
    """How text is cut into tokens."""
    vocabulary: int | None = Field(None, ge=1)
    """Number of tokens; chosen from the size of the corpus when left out."""
    joint: bool = True
    """One vocabulary for both languages; needed for three-way tied embeddings."""
    bpe_dropout: float = Field(0.0, ge=0, lt=1)
    """Chance to skip each merge in training (Provilkov et al. 2020); for bpe only."""
    max_length: int = Field(256, ge=2)
    """Pairs with a side of more tokens are left out of training."""
    max_ratio: float = Field(9.0, gt=1)
    """Pairs whose sides differ more than this in length (characters) are left out."""
    deduplicate: bool = True
    """Keep one of several equal pairs."""


class TransformerRecipe(_Section):
    """Transformer (Vaswani et al. 2017)."""

    family: Literal["transformer"] = "transformer"
    width: int = Field(256, ge=2)
    """Model width D."""
    feedforward: int = Field(1024, ge=1)
    """Inner width F of the feed-forward layers."""
    heads: int = Field(4, ge=1)
    """Attention heads H; must divide the width."""
    encoder_layers: int = Field(3, ge=1)
    """Encoder depth."""
    decoder_layers: int = Field(3, ge=1)
    """Decoder depth."""
    norm: Literal["pre", "post"] = "pre"
    """Layer normalisation before (Xiong et al. 2020) or after (Vaswani et al. 2017) each block."""
    activation: Literal["relu", "gelu", "silu", "swiglu"] = "relu"
    """Feed-forward activation."""
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
                f"try heads={_divisor_near(self.width, self.heads)}"
            )
            return [Conflict(("model.heads", "model.width"), message)]
        head_width = self.width // self.heads
        if self.positions == "rotary" and head_width % 2:
            message = (
                "model.positions: rotary needs an even head width, and "
                f"{self.width} / {self.heads} is {head_width}; use fewer heads or other positions"
            )
            return [Conflict(("model.positions", "model.heads", "model.width"), message)]
        return []


class RecurrentRecipe(_Section):
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


class TrainingRecipe(_Section):
    """How the weights are found."""

    updates: int | None = Field(None, ge=1)
    """Stop after this many optimizer updates; chosen from the size of the corpus when left out."""
    batch_tokens: int = Field(4096, ge=1)
    """Target positions (padding counted) in one batch."""
    accumulation: int = Field(1, ge=1)
    """Batches whose gradients are added up for one update."""
    optimizer: Literal["adam", "adamw"] = "adam"
    """Adam (Kingma and Ba 2015), or with decoupled weight decay (Loshchilov and Hutter 2019)."""
    learning_rate: float = Field(2e-3, gt=0)
    """Highest learning rate."""
    beta1: float = Field(0.9, ge=0, lt=1)
    """Adam: decay of the mean gradient."""
    beta2: float = Field(0.98, ge=0, lt=1)
    """Adam: decay of the mean squared gradient."""
    weight_decay: float = Field(0.0, ge=0)
    """Weight decay of matrices; biases and norms are left alone."""
    schedule: Literal["inverse_sqrt", "cosine", "linear", "constant"] = "inverse_sqrt"
    """Course of the learning rate after the warm-up."""
    warmup: int = Field(500, ge=0)
    """Updates of linear warm-up."""
    clip: float = Field(1.0, ge=0)
    """Largest norm of the gradient; 0 switches clipping off."""
    label_smoothing: float = Field(0.1, ge=0, lt=1)
    """Share of probability spread evenly over the vocabulary (Szegedy et al. 2016)."""
    consistency: Literal["none", "rdrop", "simcut"] = "none"
    """R-Drop (Wu et al. 2021) or SimCut (Gao et al. 2022): agree with oneself under noise."""
    consistency_weight: float = Field(3.0, ge=0)
    """Weight of the consistency loss."""
    cutoff: float = Field(0.05, ge=0, lt=1)
    """SimCut: share of tokens whose embedding is cut off."""
    precision: Literal["auto", "float32", "bfloat16"] = "auto"
    """Number type of the matrix products; auto measures which is faster here."""
    ema: float = Field(0.0, ge=0, lt=1)
    """Decay of the exponential moving average of the weights; 0 switches it off."""
    average: int = Field(1, ge=1)
    """At the end, average this many of the last checkpoints if that scores better."""
    validate_every: int | None = Field(None, ge=1)
    """Updates between validations; chosen from the size of the corpus when left out."""
    validate_pairs: int = Field(1000, ge=1)
    """At most this many validation pairs are translated for BLEU and chrF while training."""
    patience: int | None = Field(None, ge=1)
    """Stop after this many validations without a better score."""
    metric: Literal["bleu", "chrf", "exact", "loss"] = "bleu"
    """Validation figure that decides which weights are kept."""
    checkpoint_every: int = Field(500, ge=1)
    """Updates between checkpoints to resume from."""
    keep: int = Field(5, ge=1)
    """Validated checkpoints kept for averaging."""
    seed: int = Field(1, ge=0)
    """Seed of everything random."""


class DecodingRecipe(_Section):
    """How hypotheses are searched for."""

    beam: int = Field(5, ge=1)
    """Beam size; 1 is greedy."""
    nbest: int = Field(1, ge=1)
    """Hypotheses returned a sentence."""
    length_penalty: Literal["wu", "average"] = "wu"
    """Length normalisation: Wu et al. 2016 (eq. 14), or division by length to the power alpha."""
    alpha: float = Field(0.6, ge=0)
    """Strength of the length normalisation; 0 is the plain log-probability. The stronger, the
    later a search can safely stop."""
    sample: bool = False
    """Draw from the model instead of searching."""
    temperature: float = Field(1.0, gt=0)
    """Sampling: below 1 sharper, above 1 flatter."""
    top_k: int | None = Field(None, ge=1)
    """Sampling: only the k most probable tokens."""
    top_p: float | None = Field(None, gt=0, le=1)
    """Sampling: the smallest set of tokens with this much probability (Holtzman et al. 2020)."""
    seed: int = Field(1, ge=0)
    """Sampling: seed."""
    no_repeat_ngram: int = Field(0, ge=0)
    """Forbid repeating an n-gram of this many tokens; 0 allows all."""
    max_length_factor: float = Field(2.0, gt=0)
    """Longest output in tokens: this times the source length ..."""
    max_length_extra: int = Field(10, ge=1)
    """... plus this."""
    batch_tokens: int = Field(4096, ge=1)
    """Source positions (padding counted) decoded together."""

    def conflicts(self) -> list[Conflict]:
        """More hypotheses than the beam holds."""
        if not self.sample and self.nbest > self.beam:
            message = (
                f"decoding.nbest: {self.nbest} hypotheses need a beam of at least {self.nbest}, "
                f"not {self.beam}; raise --beam or lower --nbest"
            )
            return [Conflict(("decoding.nbest", "decoding.beam", "decoding.sample"), message)]
        return []


class Recipe(_Section):
    """A whole run."""

    data: DataRecipe = DataRecipe()
    model: ModelRecipe = TransformerRecipe()
    training: TrainingRecipe = TrainingRecipe()
    decoding: DecodingRecipe = DecodingRecipe()

    def conflicts(self) -> list[Conflict]:
        """What is wrong between sections."""
        found = []
        if self.model.tie == "all" and not self.data.joint:
            message = (
                "model.tie: 'all' shares one embedding between source and target, which needs "
                "data.joint=true; use model.tie=target with separate vocabularies"
            )
            found.append(Conflict(("model.tie", "data.joint"), message))
        if self.data.bpe_dropout and self.data.tokenizer != "bpe":
            message = (
                "data.bpe_dropout: works with data.tokenizer=bpe only, "
                f"not {self.data.tokenizer}; set it to 0"
            )
            found.append(Conflict(("data.bpe_dropout", "data.tokenizer"), message))
        return found


def _divisor_near(number: int, wanted: int) -> int:
    divisors = (d for d in range(1, number + 1) if number % d == 0)
    return min(divisors, key=lambda d: abs(d - wanted))
