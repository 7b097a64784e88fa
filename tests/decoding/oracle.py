"""Search as slow and as plain as it can be written: the reference for the fast paths.

Python lists, one sentence at a time, every probability computed anew from the whole prefix through
``decode`` (or the ``forward`` of a causal model), without caches, and never stopping before the
maximum length.
"""

from __future__ import annotations

import math

import torch

from seqloom.decoding.hypothesis import Hypothesis
from seqloom.models.base import CausalModel

Path = tuple[list[int], list[float]]
"""Tokens written so far, and their log-probabilities."""


def oracle_beam(models, ids, options, prefix=()) -> list[Hypothesis]:
    """Beam search for ``ids``, framed: the 2N best, N of them open, to the end."""
    limit, end = longest(models, ids, options), models[0].symbols.end
    open_paths: list[Path] = [([], [])]
    finished: list[Hypothesis] = []
    for _step in range(limit):
        candidates = []
        for tokens, gains in open_paths:
            values = next_log_probabilities(models, ids, tokens, options.repetition_penalty)
            for token in allowed(models, ids, tokens, options, prefix, len(values)):
                candidates.append(([*tokens, token], [*gains, values[token]]))
        candidates.sort(key=lambda path: math.fsum(path[1]), reverse=True)
        best = candidates[: 2 * options.beam]
        finished += [hypothesis(path, options, end) for path in best if path[0][-1] == end]
        open_paths = [path for path in best if path[0][-1] != end][: options.beam]
    finished.sort(key=lambda h: h.score, reverse=True)
    cut_off = [hypothesis(path, options, end) for path in open_paths]
    return (finished + cut_off)[: options.nbest]


def oracle_greedy(models, ids, options, prefix=()) -> Hypothesis:
    """The most probable allowed token at every step until the end or the maximum length."""
    end = models[0].symbols.end
    tokens: list[int] = []
    gains: list[float] = []
    while len(tokens) < longest(models, ids, options) and end not in tokens:
        values = next_log_probabilities(models, ids, tokens, options.repetition_penalty)
        best = max(
            allowed(models, ids, tokens, options, prefix, len(values)), key=values.__getitem__
        )
        tokens, gains = [*tokens, best], [*gains, values[best]]
    return hypothesis((tokens, gains), options, end)


def longest(models, ids, options) -> int:
    limit = options.max_tokens
    if limit is None:
        limit = math.floor(options.max_length_factor * len(ids) + options.max_length_extra)
    taken = len(ids) if isinstance(models[0], CausalModel) else 0
    return min([limit, *(m.max_positions - taken for m in models if m.max_positions is not None)])


def allowed(models, ids, tokens, options, prefix, size) -> list[int]:
    if len(tokens) < len(prefix):
        return [prefix[len(tokens)]]
    pad, begin, end, unknown, mask = models[0].symbols
    forbidden = {pad, begin, unknown, mask} - {end}
    ordinary = [token for token in range(size) if token not in forbidden]
    width = options.no_repeat_ngram
    if not width:
        return ordinary
    if isinstance(models[0], CausalModel):
        tokens = [*ids, *tokens]
    seen = {tuple(tokens[i : i + width]) for i in range(len(tokens) - width + 1)}
    start = len(tokens) - width + 1
    if start < 0:
        return ordinary
    return [token for token in ordinary if token == end or (*tokens[start:], token) not in seen]


@torch.no_grad()
def next_log_probabilities(models, ids, tokens, repetition_penalty=1.0) -> list[float]:
    source = torch.tensor([ids])
    mask = torch.ones_like(source, dtype=torch.bool)
    probabilities = []
    for model in models:
        causal = isinstance(model, CausalModel)
        if causal:
            hidden = model(torch.tensor([[*ids, *tokens]]))[:, -1]
        else:
            target = torch.tensor([[model.symbols.begin, *tokens]])
            hidden = model.decode(model.encode(source, mask), target)[:, -1]
        logits = model.project(hidden)[0].double()
        for token in {*(ids if causal else ()), *tokens}:
            logits[token] *= repetition_penalty ** (-1 if logits[token] > 0 else 1)
        probabilities.append(logits.softmax(0))
    return torch.stack(probabilities).mean(0).log().tolist()


def hypothesis(path: Path, options, end: int) -> Hypothesis:
    tokens, gains = path
    length = len(tokens)
    if options.length_penalty == "wu":
        penalty = ((5 + length) / 6) ** options.alpha
    else:
        penalty = length**options.alpha
    finished = tokens[-1] == end
    total = math.fsum(gains)
    return Hypothesis(
        tuple(tokens[:-1] if finished else tokens), total, total / penalty, tuple(gains), finished
    )


def assert_same(found: list[Hypothesis], expected: list[Hypothesis], tolerance=1e-4) -> None:
    """The same hypotheses in the same order, with the same figures."""
    assert [h.ids for h in found] == [h.ids for h in expected]
    for ours, theirs in zip(found, expected, strict=True):
        assert ours.finished == theirs.finished
        assert math.isclose(ours.score, theirs.score, abs_tol=tolerance, rel_tol=1e-4)
        assert math.isclose(
            ours.log_probability, theirs.log_probability, abs_tol=tolerance, rel_tol=1e-4
        )
        assert len(ours.token_log_probabilities) == len(theirs.token_log_probabilities)
        for a, b in zip(ours.token_log_probabilities, theirs.token_log_probabilities, strict=True):
            assert math.isclose(a, b, abs_tol=tolerance, rel_tol=1e-4)
