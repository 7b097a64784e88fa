"""The text of one output piece by piece, while the model is still writing it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import torch

from seqloom.decoding.constraints import Constraints
from seqloom.decoding.ensemble import Ensemble, evaluating
from seqloom.decoding.search import walk_of
from seqloom.decoding.stopping import Decode, before_stop, certain
from seqloom.decoding.stream import pad
from seqloom.decoding.walk import Walk
from seqloom.errors import DecodingError
from seqloom.models.base import Writer
from seqloom.recipe import DecodingRecipe


def write_stream(
    models: Sequence[Writer],
    prompt: Sequence[int],
    options: DecodingRecipe,
    *,
    device: torch.device | str,
    decode: Decode,
    number: int = 0,
) -> Iterator[str]:
    """Pieces of the text that follows ``prompt``, each as soon as no further token can change it.

    Joined, they are the text of the hypothesis that
    :func:`seqloom.decoding.search.search` finds, cut before a stop string. No piece is empty.

    Args:
        models: one or several models with the same vocabularies.
        prompt: token ids, without symbols of beginning and end; for an encoder-decoder the source.
        options: greedy (``beam=1``) or a single sample.
        device: where the models are.
        decode: from the ids of an output to its text; it must only append (see
            :mod:`seqloom.decoding.stopping`).
        number: the prompt's number in a whole input, on which samples depend.

    Raises:
        DecodingError: a beam or several samples; an empty source; and as
            :func:`seqloom.decoding.search.search`. All before the first piece is asked for.
    """
    if (options.beam > 1 and not options.sample) or options.nbest > 1:
        wanted = f"{options.nbest} samples" if options.sample else f"a beam of {options.beam}"
        raise DecodingError(
            f"{wanted} cannot be written piece by piece, only one output that is never taken back; "
            "use decoding.beam=1 or decoding.sample=true, with decoding.nbest=1."
        )
    ensemble = Ensemble(models)
    if not (ensemble.causal or len(prompt)):
        raise DecodingError("an empty source has no translation; give at least one token.")
    ids, mask = pad([models[0].framed(prompt)], ensemble.symbols.pad, device)
    constraints = Constraints.of(options, ensemble, ids, mask, [()], [number])
    with evaluating(models):
        walk = walk_of(ensemble, ids, mask, constraints, options, [number], decode)
    return _pieces(models, walk, ensemble.symbols.end, options.stop, decode)


def _pieces(
    models: Sequence[Writer], walk: Walk, end: int, stop: Sequence[str], decode: Decode
) -> Iterator[str]:
    """See :func:`write_stream`. Decoding the whole text costs less than a step of the models."""
    written: list[int] = []
    text, shown = "", 0
    steps = walk.steps()
    while True:
        with evaluating(models):  # not while the caller has the piece
            step = next(steps, None)
        token = end if step is None else int(walk.written[0, step])
        if token == end:
            break
        written.append(token)
        text = decode(written)
        if (cut := before_stop(text, stop)) != text:
            text = cut
            break
        ready = len(certain(text, stop))
        if ready > shown:
            yield text[shown:ready]
            shown = ready
    if len(text) > shown:
        yield text[shown:]
