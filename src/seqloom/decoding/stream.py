"""Any number of sentences, read lazily and decoded in batches of similar length, in input order."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice

import torch
from torch import Tensor

from seqloom.decoding.hypothesis import EMPTY, Hypothesis
from seqloom.decoding.search import search
from seqloom.models.base import EncoderDecoder
from seqloom.recipe import DecodingRecipe
from seqloom.symbols import EOS, PAD

Numbered = tuple[int, Sequence[int]]
"""A source's number in the whole input, and its ids."""


def decode_stream(
    models: Sequence[EncoderDecoder],
    sources: Iterable[Sequence[int]],
    options: DecodingRecipe,
    *,
    device: torch.device | str,
    window: int = 2048,
) -> Iterator[list[Hypothesis]]:
    """Hypotheses for each source (ids without EOS), in input order.

    ``window`` sources are read ahead and sorted by length, so that a batch of
    ``options.batch_tokens`` source positions holds little padding. An empty source gives one
    empty, finished hypothesis.

    Raises:
        DecodingError: as :func:`seqloom.decoding.search.search`.
    """
    numbered = enumerate(sources)
    while chunk := list(islice(numbered, window)):
        results = {number: [EMPTY] for number, ids in chunk if not len(ids)}
        for batch in batches_by_length(chunk, options.batch_tokens):
            numbers = [number for number, _ in batch]
            source, mask = pad([ids for _, ids in batch], device)
            found = search(models, source, mask, options, numbers=numbers)
            results.update(zip(numbers, found, strict=True))
        for number, _ in chunk:
            yield results.pop(number)


def batches_by_length(sources: Iterable[Numbered], tokens: int) -> Iterator[list[Numbered]]:
    """Non-empty sources, longest first, in batches of at most ``tokens`` positions.

    Padding and EOS are counted; a source longer than that stands alone. Longest first, so that a
    lack of memory shows at once.
    """
    batch: list[Numbered] = []
    for item in sorted((s for s in sources if len(s[1])), key=lambda s: -len(s[1])):
        if batch and (len(batch) + 1) * (len(batch[0][1]) + 1) > tokens:
            yield batch
            batch = []
        batch.append(item)
    if batch:
        yield batch


def pad(sources: Sequence[Sequence[int]], device: torch.device | str) -> tuple[Tensor, Tensor]:
    """Source ids [B S], each with EOS and padded on the right, and their mask [B S]."""
    width = max(map(len, sources)) + 1
    rows = [[*ids, EOS, *[PAD] * (width - len(ids) - 1)] for ids in sources]
    source = torch.tensor(rows, dtype=torch.long, device=device)
    return source, source.ne(PAD)
