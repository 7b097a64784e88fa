"""Forced scores: how probable the models find a given target, in one parallel pass.

Axes: B sentences, S source and T target positions, V vocabulary.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import torch
from torch import Tensor

from seqloom.decoding.constraints import Constraints
from seqloom.decoding.ensemble import Ensemble, average_log_probabilities, evaluating
from seqloom.decoding.stream import pad
from seqloom.decoding.walk import Walk
from seqloom.errors import DecodingError
from seqloom.models.base import Writer
from seqloom.recipe import DecodingRecipe

_CHUNK = 1024
"""Target positions whose logits over the vocabulary are held at the same time."""
_BATCH = 4096
"""Positions of both sides, padding counted, that are scored together."""


def score(
    models: Sequence[Writer],
    source: Tensor,
    mask: Tensor,
    target: Tensor,
    target_mask: Tensor,
) -> Tensor:
    """Log-probability [B T] of each target token, given source or prompt and the tokens before it.

    ``source`` [B S] with ``mask`` [B S], framed as the models' ``framed`` does; ``target`` [B T]
    without a beginning, with an end (or not, for a text that goes on), padded on the right, with
    ``target_mask`` [B T], True at real tokens. Zero at padding. Several models vote by their
    averaged probabilities, as in :func:`seqloom.decoding.search.search`.

    Raises:
        DecodingError: no model, models that do not belong together, or a source or target (or
            prompt and target together) longer than a model's limit.
    """
    ensemble = Ensemble(models)
    _check_lengths(ensemble, mask, target_mask)
    result = torch.zeros(target.shape, device=target.device)
    with evaluating(models):
        memories = ensemble.encode(source, mask)
        inputs = torch.cat([ensemble.opening(memories)[:, None], target[:, :-1]], dim=1)
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


def _check_lengths(ensemble: Ensemble, mask: Tensor, target_mask: Tensor) -> None:
    limit = ensemble.max_positions
    if limit is None:
        return
    lengths = target_mask.sum(dim=1)
    if not ensemble.causal:
        if target_mask.shape[1] > limit:
            raise DecodingError(
                f"a target of {target_mask.shape[1]} tokens (end of sentence counted) is longer "
                f"than the model's limit of {limit}; split it into sentences or truncate it."
            )
        return
    prompts = mask.sum(dim=1)
    row = int((prompts + lengths).argmax())
    if prompts[row] + lengths[row] > limit:
        raise DecodingError(
            f"a prompt of {int(prompts[row])} tokens (beginning counted) and its target of "
            f"{int(lengths[row])} (end counted) are longer than the model's limit of {limit} "
            "together; shorten one."
        )


def _gained(models: Sequence[Writer], hidden: Sequence[Tensor], tokens: Tensor) -> Tensor:
    """Log-probabilities [n] of ``tokens`` [n] after hidden states [n D], one a model."""
    logits = [model.project(states) for model, states in zip(models, hidden, strict=True)]
    return average_log_probabilities(logits).gather(1, tokens[:, None]).squeeze(1)


def walk_along(
    models: Sequence[Writer],
    source: Tensor,
    mask: Tensor,
    target: Sequence[int],
    options: DecodingRecipe,
    prefix: Sequence[int] = (),
) -> None:
    """Let a walk write ``target``, end included, after one source or prompt [1 S], to be traced.

    Scores are those of a search with these ``options``, so a repetition penalty counts, which
    :func:`score` does not know.

    Raises:
        DecodingError: the target is longer than the longest output.
    """
    ensemble = Ensemble(models)
    constraints = Constraints.of(options, ensemble, source, mask, [prefix], [0])
    limit = int(constraints.limits[0])
    if len(target) > limit:
        raise DecodingError(
            f"a forced text of {len(target)} tokens (end counted), but the longest output allowed "
            f"is {limit}; shorten it, or allow more with --max-tokens (decoding.max_tokens)."
        )
    ids = source.new_tensor(target)

    def choose(log_probabilities: Tensor, rows: Tensor, step: int) -> Tensor:
        return ids[step : step + 1]

    with evaluating(models):
        for _step in Walk(ensemble, source, mask, constraints, choose=choose).steps():
            pass


def score_pairs(
    models: Sequence[Writer],
    sources: Sequence[Sequence[int]],
    targets: Sequence[Sequence[int]],
    device: torch.device,
) -> list[list[float]]:
    """Log-probability of every target token and of the end, for pairs of ids without it, in order.

    Raises:
        DecodingError: as :func:`score`.
    """
    lengths = [len(source) + len(target) for source, target in zip(sources, targets, strict=True)]
    result: list[list[float]] = [[] for _ in lengths]
    symbols = Ensemble(models).symbols
    for group in _groups(lengths):
        framed = [models[0].framed(sources[i]) for i in group]
        ended = [[*targets[i], symbols.end] for i in group]
        source, source_mask = pad(framed, symbols.pad, device)
        target, target_mask = pad(ended, symbols.pad, device)
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
