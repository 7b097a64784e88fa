"""What a run will cost, measured on a few steps before it starts."""

from __future__ import annotations

import sys
import time
from itertools import cycle, islice

import numpy as np
import torch

from seqloom.corpus.store import TokenStore
from seqloom.models.base import EncoderDecoder
from seqloom.recipe import TrainingRecipe
from seqloom.training.batches import batches, plan
from seqloom.training.tasks import Task, autocast

_STEPS = 3


def measure(
    model: EncoderDecoder,
    task: Task,
    store: TokenStore,
    recipe: TrainingRecipe,
    device: torch.device,
) -> dict[str, object]:
    """Parameters, memory, time and padding of the run to come, as names and values for a person.

    A few batches go forward and backward; their gradients are thrown away.
    """
    parameters = sum(p.numel() for p in model.parameters())
    model.train()
    # A consistency loss that sets in later makes the rest of the run slower than its beginning.
    late = 1 - recipe.consistency_from
    phases = {0.0: 1 - late, 1.0: late}
    a_token = sum(
        share * _seconds_a_token(model, task, store, recipe, device, done)
        for done, share in phases.items()
        if share
    )
    assert recipe.updates is not None, "sizes are chosen before training"
    fill, batches_per_epoch, epoch_tokens = _epoch(store, recipe.batch_tokens)
    epochs = recipe.updates * recipe.accumulation / max(1, batches_per_epoch)
    epoch_seconds = epoch_tokens * a_token
    return {
        "parameters": parameters,
        "training pairs": len(store),
        "device": f"{device}, {recipe.precision}, {torch.get_num_threads()} threads",
        "memory": f"about {_memory(parameters, device) / 2**30:.1f} GiB",
        "speed": f"{1 / a_token:,.0f} target tokens/s measured on {_STEPS} steps",
        "batches": f"{batches_per_epoch:,} an epoch, {fill:.0%} full",
        "expected": f"{recipe.updates:,} updates = {epochs:.1f} epochs of {epoch_seconds:.0f} s, "
        f"about {epochs * epoch_seconds / 60:.0f} min without validation",
    }


def _seconds_a_token(
    model: EncoderDecoder,
    task: Task,
    store: TokenStore,
    recipe: TrainingRecipe,
    device: torch.device,
    done: float,
) -> float:
    """Of a few steps such as there are when the share ``done`` of the run lies behind."""
    tokens, seconds = 0, 0.0
    first = list(islice(batches(store, recipe.batch_tokens, epoch=0), _STEPS))
    for index, batch in enumerate(islice(cycle(first), _STEPS)):  # a tiny corpus has fewer
        began = time.perf_counter()
        with autocast(device, recipe.precision):
            loss = task(model, batch.to(device), done)
        torch.autograd.backward(loss.total)
        float(loss.plain)
        if index:  # the first step sets libraries up
            tokens += loss.tokens
            seconds += time.perf_counter() - began
        model.zero_grad(set_to_none=True)
    return seconds / tokens if tokens else float("nan")


def _epoch(store: TokenStore, batch_tokens: int) -> tuple[float, int, float]:
    """Share of real positions, batches and target tokens of an epoch, from its first batches."""
    real = padded = target_tokens = rows_seen = count = 0
    for rows in islice(plan(store, batch_tokens, epoch=0), 200):
        source, target = (np.array([len(ids) + 1 for ids in side]) for side in store.rows(rows))
        real += int(source.sum() + target.sum())
        padded += len(rows) * int(source.max() + target.max())
        target_tokens += int(target.sum())
        rows_seen += len(rows)
        count += 1
    if not rows_seen:
        return 1.0, 0, 0.0
    scale = len(store) / rows_seen
    return real / padded, round(count * scale), target_tokens * scale


def _memory(parameters: int, device: torch.device) -> float:
    """Bytes: the peak so far, and optimizer, average and gradients yet to come (float32)."""
    to_come = 4 * 4 * parameters
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device) + to_come
    if sys.platform == "win32":  # no resource module there
        return float(to_come)
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak * (1 if sys.platform == "darwin" else 1024) + to_come
