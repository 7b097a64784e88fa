"""The one entrance to every search: greedy, beam or sampling, whichever the options ask for."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor

from seqloom.decoding.beam import beam_search
from seqloom.decoding.constraints import Constraints
from seqloom.decoding.ensemble import Ensemble, evaluating
from seqloom.decoding.hypothesis import Hypothesis, best_first
from seqloom.decoding.penalties import penalty_of
from seqloom.decoding.sampling import drawing
from seqloom.decoding.stopping import Decode, Stops
from seqloom.decoding.walk import Choose, Walk, most_probable
from seqloom.models.base import Writer
from seqloom.recipe import DecodingRecipe


def search(
    models: Sequence[Writer],
    source: Tensor,
    mask: Tensor,
    options: DecodingRecipe,
    *,
    prefixes: Sequence[Sequence[int]] | None = None,
    numbers: Sequence[int] | None = None,
    decode: Decode | None = None,
) -> list[list[Hypothesis]]:
    """Write after sources or prompts [B S] with mask [B S]: ``nbest`` hypotheses each.

    Several models vote by their averaged probabilities. An output has at most ``max_tokens``, or
    ``max_length_factor`` times the source length plus ``max_length_extra`` tokens (the end counts
    on both sides), and never more than a model can handle: for a causal model together with the
    prompt. A beam of 1 takes the most probable token until the end. Samples are drawn without a
    beam; their log-probabilities are the model's own, before temperature, top-k, top-p and min-p,
    so that they can be compared with others.

    Args:
        models: one or several models with the same vocabularies.
        source: framed as the models' ``framed`` does, padded on the right; every row has at least
            one real token.
        mask: True where ``source`` is real.
        options: how to search.
        prefixes: the forced beginning of each output, in token ids; empty where none is forced.
        numbers: each sentence's number in the whole input, from 0, which is the default. Samples
            depend on it, and so not on the batch that the sentence happens to be in; messages
            name it.
        decode: from the ids of an output to its text; needed for stop strings only. The ids of a
            stopped hypothesis hold the string:
            :func:`seqloom.decoding.stopping.before_stop` cuts the text.

    Returns:
        One list a sentence, best first: finished hypotheses before those that were cut off at
        the maximum length, then by score. Shorter than ``nbest`` only where the constraints
        leave fewer than that.

    Raises:
        DecodingError: no model, models that do not belong together, a source longer than a model's
            limit, a prompt that leaves no room, a prefix that cannot be forced, or stop strings
            without ``decode``.
    """
    ensemble, penalty = Ensemble(models), penalty_of(options)
    numbers = range(len(source)) if numbers is None else numbers
    prefixes = [()] * len(source) if prefixes is None else prefixes
    constraints = Constraints.of(options, ensemble, source, mask, prefixes, numbers)
    with evaluating(models):
        if options.beam > 1 and not options.sample:
            return beam_search(
                ensemble, source, mask, constraints, penalty, options.beam, options.nbest
            )
        walk = walk_of(ensemble, source, mask, constraints, options, numbers, decode)
        for _step in walk.steps():
            pass
        return [best_first(rows) for rows in walk.finish(penalty)]


def walk_of(
    ensemble: Ensemble,
    source: Tensor,
    mask: Tensor,
    constraints: Constraints,
    options: DecodingRecipe,
    numbers: Sequence[int],
    decode: Decode | None,
) -> Walk:
    """The walk, before its first step, of greedy search or sampling; see :func:`search`."""
    choose: Choose = most_probable
    count = options.nbest if options.sample else 1
    if options.sample:
        longest = int(constraints.limits.max())
        choose = drawing(options, numbers, longest, source.device)
    stops = Stops.of(options, decode)
    return Walk(ensemble, source, mask, constraints, count=count, choose=choose, stops=stops)
