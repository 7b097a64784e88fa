"""Drawing from the model: temperature, top-k, top-p (Holtzman et al. 2020), min-p (Nguyen 2024).

Results do not depend on how sentences are batched. Each draw has its own generator, seeded from
(seed, number of the sentence in the whole input, number of the draw), which gives one uniform
number a step; the token is where the cumulative distribution passes that number. Numbers are drawn
on the CPU, so that every device sees the same ones.

Axes: R rows, V vocabulary.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from seqloom.decoding.trace import note_pool
from seqloom.decoding.walk import Choose
from seqloom.recipe import DecodingRecipe


def drawing(
    options: DecodingRecipe, numbers: Sequence[int], steps: int, device: torch.device
) -> Choose:
    """The choice of ``options.nbest`` independent draws for each of the sentences ``numbers``.

    ``numbers``: the sentences' positions in the whole input. ``steps``: the longest output.
    """
    uniforms = uniform_numbers(options.seed, numbers, options.nbest, steps).to(device)

    def choose(log_probabilities: Tensor, rows: Tensor, step: int) -> Tensor:
        return pick(
            log_probabilities,
            uniforms[rows, step],
            options.temperature,
            options.top_k,
            options.top_p,
            options.min_p,
        )

    return choose


def uniform_numbers(seed: int, numbers: Sequence[int], draws: int, steps: int) -> Tensor:
    """Uniform numbers in [0, 1), float64 [len(numbers)*draws, steps]; draws side by side.

    A row depends on nothing but ``seed``, its sentence's number and its draw's number, and is a
    prefix of the same row with more steps.
    """
    table = torch.empty(len(numbers) * draws, steps, dtype=torch.float64)
    generator = torch.Generator()
    for row in range(len(table)):
        key = np.random.SeedSequence((seed, numbers[row // draws], row % draws))
        generator.manual_seed(int(key.generate_state(1, np.uint64)[0] >> np.uint64(1)))
        table[row] = torch.rand(steps, generator=generator, dtype=torch.float64)
    return table


def pick(
    log_probabilities: Tensor,
    uniforms: Tensor,
    temperature: float = 1.0,
    top_k: int | None = None,
    top_p: float | None = None,
    min_p: float | None = None,
) -> Tensor:
    """Ids [R] drawn from ``log_probabilities`` [R V] with uniform numbers ``uniforms`` [R].

    Temperature first, then the ``top_k`` most probable tokens, then the smallest set of these
    with at least the share ``top_p`` of their probability (the token that reaches it included),
    then those of these with at least ``min_p`` times the probability of the most probable one.
    """
    values, ids = log_probabilities, None
    if top_k is not None:
        values, ids = values.topk(min(top_k, values.shape[1]), dim=1)
    elif top_p is not None:
        values, ids = values.sort(dim=1, descending=True)
    probabilities = (values.double() / temperature).softmax(dim=1)
    if top_p is not None:
        before = probabilities.cumsum(dim=1) - probabilities
        probabilities = probabilities.masked_fill(before >= top_p, 0.0)
    if min_p is not None:
        least = min_p * probabilities.amax(dim=1, keepdim=True)
        probabilities = probabilities.masked_fill(probabilities < least, 0.0)
    note_pool(probabilities, ids)
    cumulative = probabilities.cumsum(dim=1)
    total = cumulative[:, -1:]
    # Strictly below the total, so that the first entry above it has a probability above zero.
    wanted = torch.minimum(uniforms[:, None] * total, total.nextafter(torch.zeros_like(total)))
    places = torch.searchsorted(cumulative, wanted, right=True)
    return (places if ids is None else ids.gather(1, places)).squeeze(1)
