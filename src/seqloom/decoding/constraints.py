"""What a search may not write: special tokens, repeated n-grams, anything but a forced prefix.

Forbidden tokens get log-probability minus infinity; the others keep the model's value and are not
renormalised, so that the score of a search equals the forced score of its result. EOS is only ever
forbidden inside a forced prefix, hence a search never runs out of tokens.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from seqloom.errors import DecodingError
from seqloom.recipe import DecodingRecipe
from seqloom.symbols import BOS, EOS, PAD, UNK

_FORBIDDEN = -torch.inf


class Constraints:
    """The rules for the sentences that are still in a batch.

    Axes: B sentences, R = B*N rows, V target vocabulary.
    """

    def __init__(self, limits: Tensor, prefixes: Tensor, no_repeat_ngram: int) -> None:
        self.limits = limits
        """Longest output [B], in tokens; EOS counts."""
        self.prefixes = prefixes
        """Forced first tokens [B P], padded with PAD; P may be 0."""
        self.no_repeat_ngram = no_repeat_ngram
        """Length of the n-grams that may not occur twice; 0 allows all."""

    @classmethod
    def of(
        cls,
        options: DecodingRecipe,
        mask: Tensor,
        prefixes: Sequence[Sequence[int]],
        numbers: Sequence[int],
        max_positions: int | None,
    ) -> Constraints:
        """Rules for sources with mask ``mask`` [B S]; EOS counts in a source's length.

        ``prefixes``: one a sentence, empty where nothing is forced. ``numbers``: what messages
        call the sentences, counted from 0. No output is longer than ``max_positions``.

        Raises:
            DecodingError: a prefix is too long, or holds PAD, BOS or EOS, or their number is wrong.
        """
        limits = [
            int(options.max_length_factor * length + options.max_length_extra)
            for length in mask.sum(dim=1).tolist()
        ]
        if max_positions is not None:
            limits = [min(limit, max_positions) for limit in limits]
        _check_prefixes(prefixes, limits, numbers)
        table = torch.full((len(limits), max(map(len, prefixes), default=0)), PAD)
        for row, prefix in enumerate(prefixes):
            table[row, : len(prefix)] = torch.tensor(prefix, dtype=torch.long)
        device = mask.device
        return cls(torch.tensor(limits, device=device), table.to(device), options.no_repeat_ngram)

    def select(self, sentences: Tensor) -> Constraints:
        """The rules for sentences ``sentences`` [B'] in that order."""
        return Constraints(
            self.limits.index_select(0, sentences),
            self.prefixes.index_select(0, sentences),
            self.no_repeat_ngram,
        )

    def apply(self, log_probabilities: Tensor, step: int, written: Tensor) -> None:
        """Forbid tokens in ``log_probabilities`` [R V], in place, at step ``step`` (from 0).

        ``written`` [R step]: the tokens so far; looked at only where n-grams may not repeat.

        Raises:
            DecodingError: a prefix holds an id that is not in the target vocabulary.
        """
        forced = step < self.prefixes.shape[1]
        if forced:
            rows, tokens = self._forced(log_probabilities, step)
            kept = log_probabilities[rows, tokens]
        log_probabilities[:, :EOS] = _FORBIDDEN  # PAD and BOS
        log_probabilities[:, UNK] = _FORBIDDEN
        if self.no_repeat_ngram:
            forbid_repeated(log_probabilities, written, self.no_repeat_ngram)
        if forced:
            log_probabilities[rows] = _FORBIDDEN
            log_probabilities[rows, tokens] = kept

    def _forced(self, log_probabilities: Tensor, step: int) -> tuple[Tensor, Tensor]:
        """The rows [R'] that must write a given token at ``step``, and these tokens [R']."""
        size = log_probabilities.shape[1]
        if step == 0 and int(self.prefixes.max()) >= size:
            raise DecodingError(
                f"a forced prefix holds the id {int(self.prefixes.max())}, but the target "
                f"vocabulary ends at {size - 1}; encode the prefix with the model's own tokenizer."
            )
        tokens = self.prefixes[:, step]
        tokens = tokens.repeat_interleave(log_probabilities.shape[0] // tokens.shape[0])
        rows = tokens.ne(PAD).nonzero().squeeze(1)
        return rows, tokens[rows]


assert (PAD, BOS) == (0, 1) and EOS == 2, "Constraints.apply forbids the ids below EOS as a slice"


def forbid_repeated(log_probabilities: Tensor, written: Tensor, size: int) -> None:
    """Forbid, in place, each token that would end an n-gram of ``size`` tokens for a second time.

    ``log_probabilities`` [R V], ``written`` [R T]: the tokens so far, without BOS.
    """
    if written.shape[1] < size:
        return
    grams = written.unfold(1, size, 1)  # [R T-size+1 size]
    last = written[:, written.shape[1] - size + 1 :]
    repeats = (grams[:, :, :-1] == last[:, None, :]).all(dim=2)
    rows, places = repeats.nonzero(as_tuple=True)
    log_probabilities[rows, grams[rows, places, -1]] = _FORBIDDEN


def _check_prefixes(
    prefixes: Sequence[Sequence[int]], limits: Sequence[int], numbers: Sequence[int]
) -> None:
    if len(prefixes) != len(limits):
        raise DecodingError(
            f"{len(prefixes)} forced prefixes for {len(limits)} sentences; give one each, "
            "an empty one where nothing is forced."
        )
    for number, prefix, limit in zip(numbers, prefixes, limits, strict=True):
        wrong = {PAD, BOS, EOS}.intersection(prefix)
        if wrong or any(token < 0 for token in prefix):
            raise DecodingError(
                f"the forced prefix of sentence {number + 1} holds the id "
                f"{min(wrong, default=min(prefix))}; expected ordinary tokens, without padding, "
                "begin and end of sentence."
            )
        if len(prefix) >= limit:
            raise DecodingError(
                f"the forced prefix of sentence {number + 1} has {len(prefix)} tokens, but the "
                f"longest output allowed is {limit}; shorten it or raise decoding.max_length_extra."
            )
