"""What a fine-tuning is: the request that its folder remembers, and the sizes left open in it."""

from __future__ import annotations

import hashlib
import json
import math
from pathlib import Path
from typing import Any

import torch

from seqloom.encoders import encoder_of
from seqloom.finetuning.jobs import Job
from seqloom.language_folder import LanguageFolder
from seqloom.models.base import MaskedModel
from seqloom.recipe.finetuning import FinetuneRecipe
from seqloom.runtime import faster_precision
from seqloom.text.examples import Examples
from seqloom.training.request import Request

_VALIDATIONS = 20  # of a run, where their distance is left open


def request_of(
    source: LanguageFolder[Any], job: Job, recipe: FinetuneRecipe, out: Path, old: list[str]
) -> Request:
    """What makes it the same run: recipe, task, weights of the encoder, and all examples."""
    data = {
        "task": job.kind,
        "encoder": _weights_digest(encoder_of(source)),
        "train": _examples_digest(job.train),
        "validation": _examples_digest(job.held),
        "old": old,
        "head": recipe.head.model_dump(mode="json"),
    }
    return Request.of(recipe, out, source.tokenizer.fingerprint, data=data)


def choose_sizes(recipe: FinetuneRecipe, job: Job, device: torch.device) -> FinetuneRecipe:
    """The recipe with its open fields filled."""
    training = recipe.training
    chosen: dict[str, Any] = {"metric": job.metric(training.metric)}
    examples = len(job.train.items) / job.train.group
    if training.updates is None:
        # Old texts that are mixed in come on top of the passes over the new ones.
        per_update = training.batch_size * training.accumulation * (1 - training.old_share)
        chosen["updates"] = max(1, math.ceil(training.epochs * examples / per_update))
    updates = training.updates or chosen["updates"]
    if training.validate_every is None:
        chosen["validate_every"] = max(10, updates // _VALIDATIONS)
    if "warmup" not in training.model_fields_set:
        chosen["warmup"] = min(training.warmup, updates // 10)
    if training.precision == "auto":
        chosen["precision"] = faster_precision(device)
    return recipe.model_copy(update={"training": training.model_copy(update=chosen)})


def _weights_digest(model: MaskedModel) -> str:
    found = hashlib.sha256()
    for name, tensor in model.state_dict().items():
        found.update(name.encode())
        found.update(tensor.detach().cpu().contiguous().numpy().tobytes())
    return found.hexdigest()[:16]


def _examples_digest(examples: Examples) -> str:
    return hashlib.sha256(json.dumps(examples.items).encode()).hexdigest()[:16]
