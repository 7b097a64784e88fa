"""What a run will cost, measured on a few steps before it starts."""

from __future__ import annotations

import sys
import time
from itertools import cycle, islice
from typing import NamedTuple

import numpy as np
import torch
from torch import nn

from seqloom.corpus.store import TokenStore
from seqloom.recipe import Optimization
from seqloom.training.batches import plan
from seqloom.training.tasks import Feed, Task, autocast

_STEPS = 3


class Epoch(NamedTuple):
    """What one pass over the corpus is made of."""

    batches: int
    tokens: float
    """Tokens with a loss."""
    fill: float
    """Share of positions that are real."""


def measure(
    model: nn.Module,
    task: Task,
    feed: Feed,
    epoch: Epoch,
    recipe: Optimization,
    device: torch.device,
    *,
    late_from: float = 0.0,
) -> dict[str, object]:
    """Parameters, memory, time and padding of the run to come, as names and values for a person.

    A few batches go forward and backward; their gradients are thrown away. ``late_from``: the
    share of the run after which an update costs something else, as with a consistency loss that
    sets in later.
    """
    assert recipe.updates is not None, "sizes are chosen before training"
    parameters = sum(p.numel() for p in model.parameters())
    model.train()
    phases = {0.0: late_from, 1.0: 1 - late_from}
    a_token = sum(
        share * _seconds_a_token(model, task, feed, recipe, device, done)
        for done, share in phases.items()
        if share
    )
    epochs = recipe.updates * recipe.accumulation / max(1, epoch.batches)
    epoch_seconds = epoch.tokens * a_token
    return {
        "parameters": parameters,
        "device": f"{device}, {recipe.precision}, {torch.get_num_threads()} threads",
        "memory": f"about {_memory(parameters, device) / 2**30:.1f} GiB",
        "speed": f"{1 / a_token:,.0f} {task.unit}/s measured on {_STEPS} steps",
        "batches": f"{epoch.batches:,} an epoch, {epoch.fill:.0%} full",
        "expected": f"{recipe.updates:,} updates = {epochs:.1f} epochs of {epoch_seconds:.0f} s, "
        f"about {epochs * epoch_seconds / 60:.0f} min without validation",
    }


def _seconds_a_token(
    model: nn.Module,
    task: Task,
    feed: Feed,
    recipe: Optimization,
    device: torch.device,
    done: float,
) -> float:
    """Of a few steps such as there are when the share ``done`` of the run lies behind."""
    tokens, seconds = 0, 0.0
    first = list(islice(feed(0, 0), _STEPS))
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


def epoch_of_pairs(store: TokenStore, batch_tokens: int) -> Epoch:
    """An epoch of translation, estimated from its first batches."""
    real = padded = target_tokens = rows_seen = count = 0
    for rows in islice(plan(store, batch_tokens, epoch=0), 200):
        source, target = (np.array([len(ids) + 1 for ids in side]) for side in store.rows(rows))
        real += int(source.sum() + target.sum())
        padded += len(rows) * int(source.max() + target.max())
        target_tokens += int(target.sum())
        rows_seen += len(rows)
        count += 1
    if not rows_seen:
        return Epoch(0, 0.0, 1.0)
    scale = len(store) / rows_seen
    return Epoch(round(count * scale), target_tokens * scale, real / padded)


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
