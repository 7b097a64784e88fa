"""Forced scores: how probable the models find a given target, in one parallel pass.

Axes: B sentences, S source and T target positions, V vocabulary.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import torch
from torch import Tensor

from seqloom.decoding.ensemble import Ensemble, average_log_probabilities, evaluating
from seqloom.decoding.stream import pad
from seqloom.errors import DecodingError
from seqloom.models.base import EncoderDecoder
from seqloom.symbols import BOS

_CHUNK = 1024
"""Target positions whose logits over the vocabulary are held at the same time."""
_BATCH = 4096
"""Positions of both sides, padding counted, that are scored together."""


def score(
    models: Sequence[EncoderDecoder],
    source: Tensor,
    mask: Tensor,
    target: Tensor,
    target_mask: Tensor,
) -> Tensor:
    """Log-probability [B T] of each target token, given the source and the tokens before it.

    ``source`` [B S] with ``mask`` [B S]; ``target`` [B T] without BOS, with EOS, padded on the
    right, with ``target_mask`` [B T], True at real tokens. Zero at padding. Several models vote
    by their averaged probabilities, as in :func:`seqloom.decoding.search.search`.

    Raises:
        DecodingError: no model, vocabularies of different sizes, or a source or target longer
            than a model's limit.
    """
    ensemble = Ensemble(models)
    limit = ensemble.max_positions
    if limit is not None and target.shape[1] > limit:
        raise DecodingError(
            f"a target of {target.shape[1]} tokens (end of sentence counted) is longer than the "
            f"model's limit of {limit}; split it into sentences or truncate it."
        )
    inputs = torch.cat([torch.full_like(target[:, :1], BOS), target[:, :-1]], dim=1)
    result = torch.zeros(target.shape, device=target.device)
    with evaluating(models):
        memories = ensemble.encode(source, mask)
        hidden = [
            model.decode(memory, inputs)[target_mask]  # [tokens D]
            for model, memory in zip(models, memories, strict=True)
        ]
        tokens = target[target_mask]
        gains = result[target_mask]
        for start in range(0, len(tokens), _CHUNK):
            part = slice(start, start + _CHUNK)
            gains[part] = _gained(models, [states[part] for states in hidden], tokens[part])
        result[target_mask] = gains
    return result


def _gained(models: Sequence[EncoderDecoder], hidden: Sequence[Tensor], tokens: Tensor) -> Tensor:
    """Log-probabilities [n] of ``tokens`` [n] after hidden states [n D], one a model."""
    logits = [model.project(states) for model, states in zip(models, hidden, strict=True)]
    return average_log_probabilities(logits).gather(1, tokens[:, None]).squeeze(1)


def score_pairs(
    models: Sequence[EncoderDecoder],
    sources: Sequence[Sequence[int]],
    targets: Sequence[Sequence[int]],
    device: torch.device,
) -> list[list[float]]:
    """Log-probability of every target token and of EOS, for pairs of ids without EOS, in order.

    Raises:
        DecodingError: as :func:`score`.
    """
    lengths = [len(source) + len(target) for source, target in zip(sources, targets, strict=True)]
    result: list[list[float]] = [[] for _ in lengths]
    for group in _groups(lengths):
        source, source_mask = pad([sources[i] for i in group], device)
        target, target_mask = pad([targets[i] for i in group], device)
        scores = score(models, source, source_mask, target, target_mask).tolist()
        for row, i in zip(scores, group, strict=True):
            result[i] = row[: len(targets[i]) + 1]
    return result


def _groups(lengths: Sequence[int]) -> Iterator[list[int]]:
    """Pairs of similar length together, shortest first, up to :data:`_BATCH` positions."""
    group: list[int] = []
    for index in sorted(range(len(lengths)), key=lengths.__getitem__):
        if group and (len(group) + 1) * (lengths[index] + 2) > _BATCH:
            yield group
            group = []
        group.append(index)
    if group:
        yield group
