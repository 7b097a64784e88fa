"""How weights are found, whatever the task: the part of a recipe that the training loop reads."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from seqloom.recipe.section import Section


class Optimization(Section):
    """Length, optimizer, learning rate, checkpoints. Tasks add what is theirs."""

    updates: int | None = Field(None, ge=1)
    """Stop after this many optimizer updates; chosen from the size of the corpus when left out."""
    batch_tokens: int = Field(4096, ge=1)
    """Positions (padding counted) in one batch."""
    accumulation: int = Field(1, ge=1)
    """Batches whose gradients are added up for one update."""
    optimizer: Literal["adam", "adamw", "muon"] = "adam"
    """Adam (Kingma and Ba 2015), where weight decay is part of the gradient; AdamW, where it is not
    (Loshchilov and Hutter 2019); or Muon for hidden matrices and AdamW for the rest (Jordan et al.
    2024)."""
    learning_rate: float = Field(2e-3, gt=0)
    """Highest learning rate."""
    muon_learning_rate: float = Field(1e-2, gt=0)
    """Highest learning rate of the matrices that Muon updates."""
    beta1: float = Field(0.9, ge=0, lt=1)
    """Adam: decay of the mean gradient."""
    beta2: float = Field(0.98, ge=0, lt=1)
    """Adam: decay of the mean squared gradient."""
    weight_decay: float = Field(0.0, ge=0)
    """Weight decay of matrices; biases and norms are left alone."""
    schedule: Literal["inverse_sqrt", "cosine", "linear", "constant", "wsd"] = "inverse_sqrt"
    """Course of the learning rate after the warm-up; wsd stays at the highest, then falls in a
    straight line to 0 over the last `decay` of the updates (Hu et al. 2024)."""
    warmup: int = Field(500, ge=0)
    """Updates of linear warm-up."""
    decay: float = Field(0.2, gt=0, le=1)
    """Share of the updates in which the rate of schedule=wsd falls."""
    clip: float = Field(1.0, ge=0)
    """Largest norm of the gradient; 0 switches clipping off."""
    precision: Literal["auto", "float32", "bfloat16"] = "auto"
    """Number type of the matrix products; auto measures which is faster here."""
    ema: float = Field(0.0, ge=0, lt=1)
    """Decay of the exponential moving average of the weights; 0 switches it off."""
    average: int = Field(1, ge=1)
    """At the end, average this many of the last checkpoints if that scores better."""
    validate_every: int | None = Field(None, ge=1)
    """Updates between validations; chosen from the size of the corpus when left out."""
    patience: int | None = Field(None, ge=1)
    """Stop after this many validations without a better score."""
    metric: str = "loss"
    """Validation figure that decides which weights are kept."""
    checkpoint_every: int = Field(500, ge=1)
    """Updates between checkpoints to resume from."""
    keep: int = Field(5, ge=1)
    """Validated checkpoints kept for averaging."""
    seed: int = Field(1, ge=0)
    """Seed of everything random."""
