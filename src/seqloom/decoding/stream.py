"""Any number of sentences, read lazily and decoded in batches of similar length, in input order."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice, zip_longest
from typing import NamedTuple

import torch
from torch import Tensor

from seqloom.decoding.ensemble import Ensemble
from seqloom.decoding.hypothesis import EMPTY, Hypothesis
from seqloom.decoding.search import search
from seqloom.decoding.stopping import Decode
from seqloom.errors import DecodingError
from seqloom.models.base import Writer
from seqloom.recipe import DecodingRecipe

_SCORES = 6_000_000
"""Probabilities that one step computes at most, rows times vocabulary: 24 MB in float32. Blocks
over 32 MiB glibc hands back at once, and every step would touch fresh memory."""


class Sentence(NamedTuple):
    """One source or prompt to decode."""

    number: int
    """Its place in the whole input, from 0."""
    ids: Sequence[int]
    """Token ids, without symbols of beginning and end."""
    prefix: Sequence[int] = ()
    """The forced beginning of its output."""


def decode_stream(
    models: Sequence[Writer],
    sources: Iterable[Sequence[int]],
    options: DecodingRecipe,
    *,
    device: torch.device | str,
    prefixes: Iterable[Sequence[int]] | None = None,
    first: int = 0,
    window: int = 2048,
    decode: Decode | None = None,
) -> Iterator[list[Hypothesis]]:
    """Hypotheses for each source or prompt, in input order.

    An empty source gives an empty, finished one; an empty prompt is one like others.

    ``window`` sources are read ahead and sorted by length, so that a batch of
    ``options.batch_tokens`` source positions holds little padding.

    Args:
        models: one or several models with the same vocabularies.
        sources: token ids, without symbols of beginning and end.
        options: how to search.
        device: where the models are.
        prefixes: the forced beginning of each output, empty where none is forced; ignored for
            an empty source.
        first: the number of the first source, where an input is decoded in several calls;
            samples depend on a sentence's number.
        window: sources read ahead.
        decode: from the ids of an output to its text; needed for stop strings only.

    Raises:
        DecodingError: fewer or more prefixes than sources; and as
            :func:`seqloom.decoding.search.search`.
    """
    ensemble = Ensemble(models)
    sentences = _sentences(sources, prefixes, first)
    rows = options.nbest if options.sample else options.beam
    most = max(1, _SCORES // (rows * max(model.head.out_features for model in models)))
    while chunk := list(islice(sentences, window)):
        filled = [sentence for sentence in chunk if ensemble.causal or len(sentence.ids)]
        results = {sentence.number: [EMPTY] for sentence in chunk}
        for batch in batches_by_length(filled, options.batch_tokens, most):
            numbers = [sentence.number for sentence in batch]
            framed = [models[0].framed(sentence.ids) for sentence in batch]
            source, mask = pad(framed, ensemble.symbols.pad, device)
            starts = [sentence.prefix for sentence in batch]
            found = search(
                models, source, mask, options, prefixes=starts, numbers=numbers, decode=decode
            )
            results.update(zip(numbers, found, strict=True))
        for sentence in chunk:
            yield results.pop(sentence.number)


def batches_by_length(
    sentences: Iterable[Sentence], tokens: int, most: int
) -> Iterator[list[Sentence]]:
    """The sentences, longest first, in batches of at most ``tokens`` source positions.

    No more than ``most`` sentences in one. Padding and the symbol that frames a source are counted;
    a source longer than that stands alone. Longest first, so that a lack of memory shows at once.
    """
    batch: list[Sentence] = []
    for sentence in sorted(sentences, key=lambda s: len(s.ids), reverse=True):
        full = batch and (len(batch) + 1) * (len(batch[0].ids) + 1) > tokens
        if full or len(batch) == most:
            yield batch
            batch = []
        batch.append(sentence)
    if batch:
        yield batch


def _sentences(
    sources: Iterable[Sequence[int]], prefixes: Iterable[Sequence[int]] | None, first: int
) -> Iterator[Sentence]:
    if prefixes is None:
        for number, ids in enumerate(sources, first):
            yield Sentence(number, ids)
        return
    for number, (ids, prefix) in enumerate(zip_longest(sources, prefixes), first):
        if ids is None or prefix is None:
            given, missing = ("prefix", "sentence") if ids is None else ("sentence", "prefix")
            raise DecodingError(
                f"there is no {missing} for {given} {number + 1}; give one forced prefix for each "
                "sentence, an empty one where nothing is forced."
            )
        yield Sentence(number, ids, prefix)


def pad(
    rows: Sequence[Sequence[int]], filler: int, device: torch.device | str
) -> tuple[Tensor, Tensor]:
    """Ids [B S] of ``rows``, padded on the right with ``filler``, and their mask [B S]."""
    lengths = torch.tensor([len(row) for row in rows])
    width = int(lengths.max())
    ids = torch.tensor([[*row, *[filler] * (width - len(row))] for row in rows], dtype=torch.long)
    mask = torch.arange(width) < lengths[:, None]
    return ids.to(device), mask.to(device)
