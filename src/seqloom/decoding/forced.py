"""Forced scores: how probable the models find a given target, in one parallel pass.

Axes: B sentences, S source and T target positions, V vocabulary.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from seqloom.decoding.ensemble import Ensemble, average_log_probabilities, evaluating
from seqloom.errors import DecodingError
from seqloom.models.base import EncoderDecoder
from seqloom.symbols import BOS

_CHUNK = 1024
"""Target positions whose logits over the vocabulary are held at the same time."""


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
