"""Sizes that a recipe leaves open, chosen from the corpus, and what they will cost.

The chosen values are saved with the run. Sources: the small Transformer is the best on some
30,000 pairs (Wu et al. 2021, Good for Misconceived Reasons), the middle one on some 160,000
(IWSLT), the base size on millions (Vaswani et al. 2017).
"""

from __future__ import annotations

from typing import Any

import torch

from seqloom.recipe import Recipe, TransformerRecipe
from seqloom.runtime import faster_precision

_SMALL: dict[str, Any] = {
    "width": 128, "feedforward": 256, "heads": 4, "encoder_layers": 4, "decoder_layers": 4,
    "dropout": 0.3,
}  # fmt: skip
_MIDDLE: dict[str, Any] = {
    "width": 256, "feedforward": 1024, "heads": 4, "encoder_layers": 4, "decoder_layers": 4,
    "dropout": 0.2,
}  # fmt: skip
_BASE: dict[str, Any] = {
    "width": 512, "feedforward": 2048, "heads": 8, "encoder_layers": 6, "decoder_layers": 6,
    "dropout": 0.1,
}  # fmt: skip
_PACE: dict[int, dict[str, Any]] = {
    128: {"learning_rate": 2e-3, "warmup": 500},
    256: {"learning_rate": 1e-3, "warmup": 2000},
    512: {"learning_rate": 7e-4, "warmup": 4000},
}
"""Transformer width up to this -> highest learning rate and warm-up: wide models need care."""
_GENTLE: dict[str, Any] = {"learning_rate": 3e-4, "muon_learning_rate": 1e-3, "warmup": 100}
"""For a model that has learned before, which large steps would unlearn."""
_UPDATES_LEAST, _UPDATES_MOST = 300, 100_000


def choose_sizes(recipe: Recipe, pairs: int, tokens: int, device: torch.device) -> Recipe:
    """The recipe with its open fields filled.

    Args:
        recipe: what the user asked for; fields that were set are left alone.
        pairs: training pairs.
        tokens: target tokens of one epoch, about.
        device: where it will run.
    """
    training, new = recipe.training, recipe.training.model_from is None
    if new and isinstance(recipe.model, TransformerRecipe):
        recipe = recipe.model_copy(update={"model": _choose_model(recipe.model, pairs)})
    chosen: dict[str, Any] = {}
    asked = training.model_fields_set
    if isinstance(recipe.model, TransformerRecipe):
        pace = _PACE[min(width for width in _PACE if width >= min(recipe.model.width, 512))]
        chosen |= {name: value for name, value in pace.items() if name not in asked}
    if not new:
        chosen |= {name: rate for name, rate in _GENTLE.items() if name not in asked}
    per_epoch = max(1, round(tokens / (training.batch_tokens * training.accumulation)))
    if training.updates is None:
        # Small corpora take many passes, large ones few.
        epochs = 60 if pairs < 100_000 else 30 if pairs < 1_000_000 else 10
        epochs = epochs if new else min(epochs, 10)
        chosen["updates"] = min(max(epochs * per_epoch, _UPDATES_LEAST), _UPDATES_MOST)
    updates = training.updates or chosen["updates"]
    if training.validate_every is None:
        chosen["validate_every"] = min(max(updates // 20, 10), 2000)
    if training.precision == "auto":
        chosen["precision"] = faster_precision(device)
    return recipe.model_copy(update={"training": training.model_copy(update=chosen)})


def _choose_model(model: TransformerRecipe, pairs: int) -> TransformerRecipe:
    """Sizes and dropout for a corpus; sizes only together, so that no odd mixture comes about."""
    chosen = dict(_SMALL if pairs < 100_000 else _MIDDLE if pairs < 1_000_000 else _BASE)
    asked = model.model_fields_set
    if "dropout" in asked:
        del chosen["dropout"]
    if asked & chosen.keys() - {"dropout"}:
        return model
    return model.model_copy(update=chosen)
