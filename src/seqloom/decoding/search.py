"""The one entrance to every search: greedy, beam or sampling, whichever the options ask for."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor

from seqloom.decoding.beam import beam_search
from seqloom.decoding.constraints import Constraints
from seqloom.decoding.ensemble import Ensemble, evaluating
from seqloom.decoding.greedy import greedy_search
from seqloom.decoding.hypothesis import Hypothesis
from seqloom.decoding.penalties import penalty_of
from seqloom.decoding.sampling import sample
from seqloom.models.base import EncoderDecoder
from seqloom.recipe import DecodingRecipe


def search(
    models: Sequence[EncoderDecoder],
    source: Tensor,
    mask: Tensor,
    options: DecodingRecipe,
    *,
    prefixes: Sequence[Sequence[int]] | None = None,
    numbers: Sequence[int] | None = None,
) -> list[list[Hypothesis]]:
    """Translate source ids [B S], EOS included, with mask [B S]: ``nbest`` hypotheses each.

    Several models vote by their averaged probabilities. An output has at most
    ``max_length_factor`` times the source length plus ``max_length_extra`` tokens (EOS counts on
    both sides), and never more than a model can handle. A beam of 1 takes the most probable token
    until EOS. Samples are drawn without a beam.

    Args:
        models: one or several models with the same vocabularies.
        source: padded on the right; every row has at least one real token.
        mask: True where ``source`` is real.
        options: how to search.
        prefixes: the forced beginning of each output, in token ids; empty where none is forced.
        numbers: each sentence's number in the whole input, from 0, which is the default. Samples
            depend on it, and so not on the batch that the sentence happens to be in; messages
            name it.

    Returns:
        One list a sentence, best first: finished hypotheses before those that were cut off at
        the maximum length, then by score. Shorter than ``nbest`` only where the constraints
        leave fewer than that.

    Raises:
        DecodingError: no model, vocabularies of different sizes, a source longer than a model's
            limit, or a prefix that cannot be forced.
    """
    ensemble = Ensemble(models)
    numbers = range(len(source)) if numbers is None else numbers
    prefixes = [()] * len(source) if prefixes is None else prefixes
    constraints = Constraints.of(options, mask, prefixes, numbers, ensemble.max_positions)
    penalty = penalty_of(options)
    with evaluating(models):
        if options.sample:
            return sample(ensemble, source, mask, constraints, penalty, options, numbers)
        if options.beam == 1:
            return greedy_search(ensemble, source, mask, constraints, penalty)
        return beam_search(
            ensemble, source, mask, constraints, penalty, options.beam, options.nbest
        )
