"""What a fine-tuning is: which task, which weights may move, and how."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from seqloom.recipe.language import BertRecipe, LanguageModelRecipe
from seqloom.recipe.optimization import Optimization
from seqloom.recipe.section import Conflict, Section


class HeadRecipe(Section):
    """What is learned on top of an encoder."""

    dropout: float = Field(0.1, ge=0, lt=1)
    """Dropout before the new layer."""
    pooling: Literal["mean", "first"] = "mean"
    """Classes and sentence vectors: the mean of all hidden states of a text, or that of its first
    token, through BERT's pooling layer for classes (for a BERT of others, which has learned to)."""
    pair: bool = False
    """Classification: texts come in pairs."""


class FinetuningRecipe(Optimization):
    """How much of an encoder is tuned, and how."""

    epochs: float = Field(4.0, gt=0)
    """Passes over the examples, where `updates` is left out."""
    batch_size: int = Field(32, ge=2)
    """Examples (or pairs) of one batch."""
    batch_tokens: int = Field(4096, ge=1)
    """Positions of a batch of old texts, where they are mixed in."""
    optimizer: Literal["adam", "adamw", "muon"] = "adamw"
    """AdamW (Loshchilov and Hutter 2019), Adam (Kingma and Ba 2015), or Muon for hidden matrices
    (Jordan et al. 2024)."""
    learning_rate: float = Field(5e-4, gt=0)
    """Highest learning rate: that of the new layer, and of the encoder's last layer."""
    weight_decay: float = Field(0.01, ge=0)
    """Weight decay of matrices; biases and norms are left alone."""
    schedule: Literal["inverse_sqrt", "cosine", "linear", "constant", "wsd"] = "linear"
    """Course of the learning rate after the warm-up."""
    warmup: int = Field(20, ge=0)
    """Updates of linear warm-up."""
    metric: Literal["auto", "accuracy", "f1", "spearman", "recall", "loss"] = "auto"
    """Validation figure that decides which weights are kept. auto: accuracy of classes and tags; of
    sentence vectors the rank correlation with grades, else recall of partners, else loss."""
    held_out: float = Field(0.1, gt=0, lt=1)
    """Share of the examples that is held out where no validation files are given."""
    tune: Literal["all", "last", "head", "lora"] = "all"
    """All weights; those of the last `last_layers` layers and the new one; the new one alone; or
    products of low rank beside the matrices (Hu et al. 2022) and the new layer."""
    last_layers: int = Field(1, ge=1)
    """tune=last: how many layers."""
    layer_decay: float = Field(1.0, gt=0, le=1)
    """Each layer's learning rate is this times that of the layer above it (Howard and Ruder
    2018)."""
    lora_rank: int = Field(8, ge=1)
    """tune=lora: rank of the products."""
    lora_alpha: int = Field(16, ge=1)
    """tune=lora: the products are multiplied by alpha / rank."""
    adapter: bool = False
    """tune=lora: keep the products beside the encoder's folder, instead of adding them to its
    matrices: a small folder that needs the other one."""
    dropout: float | None = Field(None, ge=0, lt=1)
    """Dropout within the encoder, on attention weights too; as it was pre-trained with when left
    out. One that has read each text once or twice has had none, and few examples want some."""
    scale: float = Field(20.0, gt=0)
    """Sentence vectors: cosines are multiplied by this."""
    old_share: float = Field(0.0, ge=0, lt=1)
    """Share of the batches that are old texts with holes, so that less is forgotten."""


class FinetuneRecipe(Section):
    """A whole fine-tuning of an encoder."""

    model: LanguageModelRecipe = BertRecipe()
    head: HeadRecipe = HeadRecipe()
    training: FinetuningRecipe = FinetuningRecipe()

    def conflicts(self) -> list[Conflict]:
        """More layers than the encoder, once it is known, has; old texts for one that stays; an
        adapter without products."""
        training = self.training
        if training.tune == "head" and training.old_share:
            message = (
                "training.old_share: with training.tune=head the encoder forgets nothing; leave "
                "one of the two out"
            )
            return [Conflict(("training.old_share", "training.tune"), message)]
        if training.adapter and training.tune != "lora":
            message = "training.adapter: only training.tune=lora leaves products to keep apart"
            return [Conflict(("training.adapter", "training.tune"), message)]
        known = "model" in self.model_fields_set
        if known and training.tune == "last" and training.last_layers > self.model.layers:
            message = (
                f"training.last_layers: the encoder has {self.model.layers} layers, not "
                f"{training.last_layers}; lower it, or set training.tune=all"
            )
            return [Conflict(("training.last_layers", "training.tune", "model.layers"), message)]
        return []
