"""What a run is: one validated, nested description of model, data, training and decoding.

Values come from the defaults below, then a recipe file (YAML), then ``--set key=value`` flags.
Every field carries its meaning; the command line prints them. Checking never edits: sizes that are
left open (``None``) are chosen later, in :mod:`seqloom.training.sizes`, and saved with the run.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple, Self

import yaml
from pydantic import (
    BaseModel,
    ConfigDict,
    Discriminator,
    Field,
    Tag,
    ValidationError,
    ValidationInfo,
    model_validator,
)

from seqloom.errors import RecipeError

_FIELDS_ONLY = {"fields_only": True}
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
        if info.context != _FIELDS_ONLY and (found := self.conflicts()):
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
    alpha: float = Field(1.0, ge=0)
    """Strength of the length normalisation; 0 is the plain log-probability."""
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


def load_recipe(path: str | Path | None = None, settings: Sequence[str] = ()) -> Recipe:
    """Read a recipe file, apply ``key=value`` settings on top, and validate the whole.

    Raises:
        RecipeError: the file is missing or not YAML, or any field is unknown or wrong; all
            problems are reported at once.
    """
    values = _read_yaml(Path(path)) if path is not None else {}
    applied = [_apply_setting(values, setting) for setting in settings]
    problems = [problem for problem in applied if problem]
    return _validate(values, str(path) if path is not None else "settings", problems)


def recipe_from(values: Mapping[str, Any], where: str) -> Recipe:
    """Validate a nested mapping, as found in a model folder.

    Raises:
        RecipeError: any field is unknown or wrong; all problems are reported at once.
    """
    return _validate(values, where, [])


def _validate(values: Any, where: str, problems: list[str]) -> Recipe:
    """Check each field by itself, then the fields that are right against each other."""
    if not isinstance(values, Mapping):
        raise RecipeError(where, [_NO_SECTIONS])
    broken: set[str] = set()
    try:
        recipe = Recipe.model_validate(values, context=_FIELDS_ONLY)
    except ValidationError as error:
        items = error.errors()
        problems = problems + [_explain(item, values) for item in items]
        broken = {".".join(_path(item)) for item in items}
        recipe = Recipe.model_validate(_without(values, broken), context=_FIELDS_ONLY)
    for part in (recipe.data, recipe.model, recipe.training, recipe.decoding, recipe):
        problems = problems + [
            conflict.message
            for conflict in part.conflicts()
            if not any({name, name.partition(".")[0]} & broken for name in conflict.fields)
        ]
    if problems:
        raise RecipeError(where, problems)
    return recipe


def _without(values: Mapping[str, Any], broken: set[str]) -> dict[str, Any]:
    """The sections and fields that are not ``broken``."""
    return {
        name: {key: value for key, value in section.items() if f"{name}.{key}" not in broken}
        if isinstance(section, Mapping)
        else section
        for name, section in values.items()
        if str(name) not in broken
    }


def _divisor_near(number: int, wanted: int) -> int:
    divisors = (d for d in range(1, number + 1) if number % d == 0)
    return min(divisors, key=lambda d: abs(d - wanted))


_NO_SECTIONS = "expected sections such as `model:` and `training:`"


class _Loader(yaml.SafeLoader):
    """Only true and false are booleans, as in YAML 1.2: ``no`` is Norwegian, ``on`` a word."""

    yaml_implicit_resolvers = {  # noqa: RUF012  (PyYAML's way to hold them)
        first: [(tag, pattern) for tag, pattern in resolvers if not tag.endswith(":bool")]
        for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }


_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:bool", re.compile("true|True|TRUE|false|False|FALSE"), list("tTfF")
)


def _read_yaml(path: Path) -> dict[str, Any]:
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise RecipeError(str(path), ["the file does not exist"]) from None
    except IsADirectoryError:
        raise RecipeError(str(path), ["this is a folder; a recipe is a .yaml file"]) from None
    except UnicodeDecodeError as error:
        raise RecipeError(str(path), [f"not UTF-8 text (byte {error.start})"]) from None
    except OSError as error:
        raise RecipeError(str(path), [f"cannot be read: {error.strerror}"]) from None
    try:
        values = yaml.load(text, Loader=_Loader)  # a SafeLoader
    except yaml.YAMLError as error:
        raise RecipeError(str(path), [f"not valid YAML: {' '.join(str(error).split())}"]) from None
    if values is None:
        return {}
    if not isinstance(values, dict):
        raise RecipeError(str(path), [_NO_SECTIONS])
    # A section whose lines are all commented out is empty, not wrong.
    return {name: {} if section is None else section for name, section in values.items()}


def _apply_setting(values: dict[str, Any], setting: str) -> str | None:
    """Put one ``a.b=value`` into the nested mapping; return a problem in words, or None."""
    key, equals, text = setting.partition("=")
    parts = key.strip().split(".")
    if not equals or len(parts) != 2 or not all(parts):
        return f"--set {setting}: expected section.field=value, such as training.warmup=2000"
    section = values.setdefault(parts[0], {})
    if not isinstance(section, dict):
        return f"--set {setting}: {parts[0]} is not a section"
    try:
        section[parts[1]] = yaml.load(text, Loader=_Loader)
    except yaml.YAMLError:
        section[parts[1]] = text
    return None


def _path(item: Any) -> list[str]:
    """Section and field of one pydantic error; the family is no part of a field's name."""
    path = [str(part) for part in item["loc"]]
    return path[:1] + path[2:] if path[0] == "model" and len(path) > 1 else path


def _explain(item: Any, values: Mapping[str, Any]) -> str:
    """One pydantic error as a line that names the field, the value and what to write instead."""
    path = _path(item)
    name = ".".join(path)
    if item["type"] == "extra_forbidden":
        near = _nearest(path, values)
        return f"{name}: unknown key" + (f"; did you mean {near}?" if near else "")
    if len(path) == 1 and path[0] in Recipe.model_fields:
        given = values[path[0]]
        if isinstance(given, Mapping):
            return f"model.family: expected transformer or rnn (given: {given.get('family')!r})"
        example = next(iter(_fields(values)[name]))
        return f"{name}: expected a section with fields such as {name}.{example} (given: {given!r})"
    message = str(item["msg"])
    given = item["input"]
    shown = f" (given: {given!r})" if not isinstance(given, dict | list) else ""
    return f"{name}: {message[:1].lower()}{message[1:]}{shown}"


def _nearest(path: Sequence[str], values: Mapping[str, Any]) -> str:
    """What an unknown key was meant to be: the same name elsewhere, or one spelled alike."""
    *parents, key = path
    fields = _fields(values)
    same = [f"{section}.{key}" for section, names in fields.items() if key in names]
    if same:
        return " or ".join(same)
    names = fields[parents[0]] if parents else list(fields)
    near = difflib.get_close_matches(key, names, n=1, cutoff=0.5)
    return ".".join([*parents, *near]) if near else ""


def _fields(values: Mapping[str, Any]) -> dict[str, list[str]]:
    """Section -> its field names; those of the model belong to the family in ``values``."""
    model = values.get("model")
    recurrent = isinstance(model, Mapping) and model.get("family") == "rnn"
    sections: dict[str, type[BaseModel]] = {
        "data": DataRecipe,
        "model": RecurrentRecipe if recurrent else TransformerRecipe,
        "training": TrainingRecipe,
        "decoding": DecodingRecipe,
    }
    return {name: list(section.model_fields) for name, section in sections.items()}
