"""What a pre-training is: texts, a language model, how its weights are found, how it writes."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, PositiveInt

from seqloom.recipe.language import GptRecipe, LanguageModelRecipe
from seqloom.recipe.optimization import Optimization
from seqloom.recipe.section import Conflict, Section
from seqloom.recipe.sections import DecodingRecipe
from seqloom.recipe.texts import TextRecipe


class PretrainingRecipe(Optimization):
    """How the weights of a language model are found."""

    optimizer: Literal["adam", "adamw", "muon"] = "muon"
    """Muon for hidden matrices and AdamW for the rest (Jordan et al. 2024), AdamW (Loshchilov and
    Hutter 2019) or Adam (Kingma and Ba 2015)."""
    batch_tokens: int = Field(8192, ge=1)
    """Positions of one batch; rows are as long as the model's context, and full."""
    first_contexts: dict[PositiveInt, PositiveInt] | None = None
    """Contexts to begin with that are shorter than the model's, and the updates that are made in
    each, such as {16: 1000, 32: 500}: a small BERT learns to use its neighbours there (short rows
    first: Li et al. 2022). If left out, half of the updates of a new BERT, in 16 positions, 32 and
    so on; {} for none."""
    schedule: Literal["inverse_sqrt", "cosine", "linear", "constant", "wsd"] = "wsd"
    """Course of the learning rate after the warm-up; wsd stays at the highest, then falls in a
    straight line to 0 over the last `decay` of the updates (Hu et al. 2024)."""
    learning_rate: float = Field(3e-3, gt=0)
    """Highest learning rate."""
    muon_learning_rate: float = Field(2e-2, gt=0)
    """Highest learning rate of the matrices that Muon updates."""
    weight_decay: float = Field(0.01, ge=0)
    """Weight decay of matrices; biases and norms are left alone."""
    warmup: int = Field(100, ge=0)
    """Updates of linear warm-up."""
    metric: Literal["loss"] = "loss"
    """Validation figure that decides which weights are kept."""
    validate_tokens: int = Field(200_000, ge=1)
    """At most this many held-out positions are read at a validation."""
    masked: float = Field(0.15, gt=0, lt=1)
    """BERT: share of the tokens that are to be found."""
    whole_words: bool = False
    """BERT: hide all pieces of a word together."""
    next_sentence: bool = True
    """BERT: also learn whether one text follows another."""
    vectors: str | None = None
    """Word vectors that the embeddings begin with: a folder of `seqloom vectors train`, or a file
    (.vec, .txt, .bin); random values when left out."""
    samples: tuple[str, ...] = ("",)
    """GPT: beginnings that are continued after each validation; none for an empty list."""
    sample_tokens: int = Field(60, ge=1)
    """GPT: tokens of such a continuation."""
    model_from: str | None = None
    """Folder of a language model to go on from: its weights, architecture and vocabulary. Updates
    and learning rates that are left out are then smaller."""
    old_texts: tuple[str, ...] = ()
    """Texts of the old task, or a folder of them that is prepared, such as FOLDER/data: their loss
    is told before and after, so that forgetting shows."""
    old_share: float = Field(0.0, ge=0, lt=1)
    """Share of the batches that are of the old texts, against forgetting."""


class PretrainRecipe(Section):
    """A whole pre-training."""

    data: TextRecipe = TextRecipe()
    model: LanguageModelRecipe = GptRecipe()
    training: PretrainingRecipe = PretrainingRecipe()
    decoding: DecodingRecipe = DecodingRecipe(sample=True, top_p=0.95, max_tokens=200)

    def conflicts(self) -> list[Conflict]:
        """A masked model without a mask; old texts that are missing."""
        found, training = [], self.training
        learned = training.model_from is None  # the vocabulary is not another model's
        if self.model.family == "bert" and learned and not self.data.mask:
            message = (
                "data.mask: BERT fills holes, so its vocabulary needs a token <mask>; set "
                "data.mask=true"
            )
            found.append(Conflict(("data.mask", "model.family"), message))
        if self.data.dialogues and (learned or self.model.family != "gpt"):
            message = (
                "data.dialogues: a model learns to converse when it can write already; go on from "
                "a GPT with --from FOLDER"
            )
            names = ("data.dialogues", "training.model_from", "model.family")
            found.append(Conflict(names, message))
        first = training.first_contexts or {}
        too_long = [size for size in first if size >= self.model.context]
        if too_long:
            message = (
                f"training.first_contexts: {too_long[0]} positions are not fewer than the "
                f"{self.model.context} of model.context; name smaller ones, or leave them out"
            )
            found.append(Conflict(("training.first_contexts", "model.context"), message))
        if training.old_share and not training.old_texts:
            message = (
                f"training.old_share: {training.old_share:g} of the batches are to be of old "
                "texts, and none are named; add --old FILE, or leave it out"
            )
            found.append(Conflict(("training.old_share", "training.old_texts"), message))
        return found
