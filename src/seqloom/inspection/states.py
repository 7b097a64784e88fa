"""Hidden states of texts, layer by layer: a vector for each word, or for each text.

Any model of the contracts, no family is named here. Of an encoder-decoder the encoder is read.
Axes: n spans of all texts, D width of a layer.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from seqloom.decoding.stream import pad
from seqloom.inspection.recording import ReadableModel, evaluated, let_read
from seqloom.layers.recorder import record

_HIDDEN = ".hidden"
_BATCH_TOKENS = 4096
EMBEDDINGS = "embeddings"
"""What stands below the first layer."""


@dataclass(frozen=True)
class Reading:
    """A text as a model reads it, and the parts of it whose vectors are wanted."""

    ids: list[int]
    """With the symbols around it."""
    spans: list[tuple[int, int]]
    """First place in ``ids`` of each part, and the one behind its last; none is empty."""


def hidden_states(
    model: ReadableModel,
    readings: Sequence[Reading],
    progress: Callable[[int], None] | None = None,
) -> dict[str, np.ndarray]:
    """The mean state of each span in each layer.

    Args:
        model: reads texts of like length together.
        readings: none longer than the model's limit.
        progress: told how many texts are read.

    Returns:
        :data:`EMBEDDINGS`, ``layer 0`` and so on -> vectors [n D], spans in their order.
    """
    counts = [len(each.spans) for each in readings]
    begins = np.concatenate([[0], np.cumsum(counts)]).astype(int)
    found = dict[str, np.ndarray]()
    done = 0
    for rows in _batches(readings):
        batch = [readings[row] for row in rows]
        places = np.concatenate([np.arange(begins[row], begins[row + 1]) for row in rows])
        for name, vectors in _read(model, batch).items():
            if name not in found:
                found[name] = np.empty((begins[-1], vectors.shape[1]), np.float32)
            found[name][places] = vectors
        done += len(rows)
        if progress is not None:
            progress(done)
    return found


def _batches(readings: Sequence[Reading]) -> Iterator[list[int]]:
    """Rows of like length, so that little is padding."""
    batch = list[int]()
    for row in sorted(range(len(readings)), key=lambda each: len(readings[each].ids)):
        if batch and (len(batch) + 1) * len(readings[row].ids) > _BATCH_TOKENS:
            yield batch
            batch = []
        batch.append(row)
    if batch:
        yield batch


def _read(model: ReadableModel, batch: Sequence[Reading]) -> dict[str, np.ndarray]:
    """The vectors of one batch, by layer."""
    device = next(model.parameters()).device
    ids, real = pad([each.ids for each in batch], model.symbols.pad, device)
    with evaluated(model), record(model) as seen:
        let_read(model, ids, real)
    names = [path for path in seen.paths() if f".{path}".endswith(_HIDDEN)]
    tokens, spans, sizes = _places(batch, ids.shape[1], device)
    found = dict[str, np.ndarray]()
    for number, path in enumerate(names):
        states = seen[path][-1].flatten(0, 1).float()
        sums = states.new_zeros(len(sizes), states.shape[1])
        sums.index_add_(0, spans, states[tokens])
        name = EMBEDDINGS if number == 0 else f"layer {number - 1}"
        found[name] = (sums / sizes[:, None]).cpu().numpy()
    return found


def _places(
    batch: Sequence[Reading], longest: int, device: torch.device
) -> tuple[Tensor, Tensor, Tensor]:
    """Places of tokens in a batch laid flat, the span each belongs to, and tokens of each span."""
    tokens, owners, sizes = list[int](), list[int](), list[int]()
    for row, each in enumerate(batch):
        for start, end in each.spans:
            tokens += range(row * longest + start, row * longest + end)
            owners += [len(sizes)] * (end - start)
            sizes.append(end - start)
    made = (torch.tensor(values, device=device) for values in (tokens, owners, sizes))
    first, second, third = made
    return first, second, third
