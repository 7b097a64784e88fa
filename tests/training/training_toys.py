"""Tiny stores, models, recipes and observers for the tests of training."""

from __future__ import annotations

import os
import signal
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from seqloom.corpus.store import StoreWriter, TokenStore
from seqloom.models import EncoderDecoder, build_model
from seqloom.recipe import Recipe, RecurrentRecipe, TransformerRecipe
from seqloom.tensors import load_tensors
from seqloom.training.batches import Batch, collate
from seqloom.training.progress import Progress

VOCABULARY = 20
TRANSFORMER: dict[str, Any] = {
    "family": "transformer", "width": 16, "feedforward": 24, "heads": 2, "encoder_layers": 1,
    "decoder_layers": 1, "dropout": 0.1,
}  # fmt: skip
RNN: dict[str, Any] = {"family": "rnn", "width": 16, "embedding": 12, "dropout": 0.1}


def write_store(
    path: Path, sources: Sequence[Sequence[int]], targets: Sequence[Sequence[int]]
) -> TokenStore:
    with StoreWriter(path, 1000, 1000) as writer:
        writer.write(sources, targets)
    return TokenStore.open(path)


def random_ids(
    lengths: Sequence[int], seed: int = 0, vocabulary: int = VOCABULARY
) -> list[list[int]]:
    rng = np.random.default_rng(seed)
    return [rng.integers(4, vocabulary, length).tolist() for length in lengths]


def caption_lengths(pairs: int, seed: int = 0) -> tuple[list[int], list[int]]:
    """Lengths like those of captions: log-normal around 13 tokens, the sides much alike."""
    rng = np.random.default_rng(seed)
    source = np.clip(rng.lognormal(2.6, 0.35, pairs).round(), 1, 80)
    target = np.clip((source * rng.normal(1.05, 0.15, pairs)).round(), 1, 80)
    return source.astype(int).tolist(), target.astype(int).tolist()


def tiny_model(*, dropout: float = 0.0, family: str = "transformer") -> EncoderDecoder:
    torch.manual_seed(3)
    values = {**(TRANSFORMER if family == "transformer" else RNN), "dropout": dropout}
    kind = TransformerRecipe if family == "transformer" else RecurrentRecipe
    return build_model(kind(**values), VOCABULARY, VOCABULARY)


def tiny_batch(pairs: int = 6, seed: int = 0) -> Batch:
    rng = np.random.default_rng(seed)
    lengths = rng.integers(1, 9, (2, pairs))
    return collate(random_ids(lengths[0], seed), random_ids(lengths[1], seed + 1))


def recipe_of(
    *,
    source: Path | None = None,
    model: Mapping[str, Any] = TRANSFORMER,
    data: Mapping[str, Any] | None = None,
    **training: Any,
) -> Recipe:
    """A run of a few seconds; ``training`` overrides its fields."""
    settings = {
        "updates": 12, "batch_tokens": 200, "warmup": 5, "precision": "float32",
        "validate_every": 6, "validate_pairs": 4, "checkpoint_every": 4, "learning_rate": 5e-3,
    }  # fmt: skip
    where = {} if source is None else {"source": str(source)}
    return Recipe.model_validate(
        {
            "data": {**where, **(data or {})},
            "model": dict(model),
            "training": {**settings, **training},
        }
    )


class Watcher(Progress):
    """Remembers what it is told, and sends this process a signal after given updates."""

    def __init__(self, stops: Collection[int] = (), number: int = signal.SIGINT) -> None:
        self.stops, self.number = stops, number
        self.updates: list[int] = []
        self.losses: list[float] = []
        self.figures: list[dict[str, float]] = []
        self.messages: list[str] = []
        self.summaries: list[dict[str, object]] = []

    def started(self, summary: Mapping[str, object]) -> None:
        self.summaries.append(dict(summary))

    def update(self, update: int, total: int, loss: float, *rest: object) -> None:
        self.updates.append(update)
        self.losses.append(loss)
        if update in self.stops:
            os.kill(os.getpid(), self.number)

    def validated(self, figures: Mapping[str, float]) -> None:
        self.figures.append(dict(figures))

    def message(self, text: str) -> None:
        self.messages.append(text)


def everything(folder: Path) -> dict[str, Tensor]:
    """Published weights, and weights, average and optimizer of the last checkpoint."""
    published, _ = load_tensors(folder / "model.safetensors")
    saved, _ = load_tensors(folder / "training" / "checkpoint.safetensors")
    return {**{f"published.{name}": tensor for name, tensor in published.items()}, **saved}


def assert_same(left: Mapping[str, Tensor], right: Mapping[str, Tensor]) -> None:
    assert left.keys() == right.keys()
    assert [name for name in left if not torch.equal(left[name], right[name])] == []


def contents(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }
