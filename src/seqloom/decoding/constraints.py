"""What a search may not write: special tokens, repeated n-grams, anything but a forced prefix.

Forbidden tokens get log-probability minus infinity; the others keep the model's value and are not
renormalised, so that the score of a search equals the forced score of its result. The end is only
ever forbidden inside a forced prefix, hence a search never runs out of tokens. Some vocabularies
have one token for padding, beginning and end: it stays allowed, as the end.

A repetition penalty (Keskar et al. 2019) is no prohibition: it changes the logits of each model
before its softmax, so a search sees and reports the probabilities of the changed model. On
log-probabilities it could not break a loop, whose tokens have log-probability 0.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import torch
from torch import Tensor

from seqloom.decoding.ensemble import Adjust, Ensemble
from seqloom.errors import DecodingError
from seqloom.recipe import DecodingRecipe
from seqloom.symbols import Symbols

Rule = Literal["prefix", "special", "repeated"]
"""Why a token is forbidden: another one is forced, it belongs to no text, or an n-gram repeats."""

_FORBIDDEN = -torch.inf
_NOTHING = -1
"""Fills tables of ids up, where any token may be a real one."""


@dataclass(frozen=True)
class Constraints:
    """The rules for the sentences that are still in a batch.

    Axes: B sentences, R = B*N rows, V target vocabulary.
    """

    limits: Tensor
    """Longest output [B], in tokens; the end counts."""
    prefixes: Tensor
    """Forced first tokens [B P], -1 after them; P may be 0."""
    prompts: Tensor
    """What counts as written before the first step [B Q], -1 before it; Q is 0 without a prompt, or
    where nothing looks back."""
    symbols: Symbols
    forbidden: tuple[slice, ...]
    """The special tokens that may not be written, as runs of ids."""
    no_repeat_ngram: int
    """Length of the n-grams that may not occur twice; 0 allows all."""
    repetition_penalty: float
    """Divisor of the logits of tokens that were there; 1 leaves them."""

    @classmethod
    def of(
        cls,
        options: DecodingRecipe,
        ensemble: Ensemble,
        source: Tensor,
        mask: Tensor,
        prefixes: Sequence[Sequence[int]],
        numbers: Sequence[int],
    ) -> Constraints:
        """Rules for sources or prompts [B S] with mask [B S], as the models read them.

        ``prefixes``: one a sentence, empty where nothing is forced. ``numbers``: what messages
        call the sentences, counted from 0.

        Raises:
            DecodingError: a prompt leaves no room for an output; a prefix is too long, or holds
                padding, beginning or end, or their number is wrong.
        """
        limits = _limits(options, ensemble, mask, numbers)
        symbols, device = ensemble.symbols, mask.device
        _check_prefixes(options, prefixes, limits, numbers, symbols)
        table = torch.full((len(limits), max(map(len, prefixes), default=0)), _NOTHING)
        for row, prefix in enumerate(prefixes):
            table[row, : len(prefix)] = torch.tensor(prefix, dtype=torch.long)
        found = cls(
            torch.tensor(limits, device=device),
            table.to(device),
            source[:, :0],
            symbols,
            tuple(_runs({token for token in symbols if token is not None} - {symbols.end})),
            options.no_repeat_ngram,
            options.repetition_penalty,
        )
        if ensemble.causal and found.looks_back:
            return replace(found, prompts=_to_the_right(source, mask))
        return found

    @property
    def looks_back(self) -> bool:
        """True where rules depend on what was written."""
        return self.no_repeat_ngram > 0 or self.repetition_penalty != 1

    def select(self, sentences: Tensor) -> Constraints:
        """The rules for sentences ``sentences`` [B'] in that order."""
        return replace(
            self,
            limits=self.limits.index_select(0, sentences),
            prefixes=self.prefixes.index_select(0, sentences),
            prompts=self.prompts.index_select(0, sentences),
        )

    def adjustment(self, written: Tensor) -> Adjust | None:
        """What changes logits after the tokens ``written`` [R T], if anything does."""
        if self.repetition_penalty == 1:
            return None
        past = self._past(written)
        # Where nothing stands, a token that is there anyway.
        known = torch.where(past.eq(_NOTHING), past[:, -1:], past)
        return lambda logits: discourage(logits, known, self.repetition_penalty)

    def apply(self, log_probabilities: Tensor, step: int, written: Tensor) -> None:
        """Forbid tokens in ``log_probabilities`` [R V], in place, at step ``step`` (from 0).

        ``written`` [R step]: the tokens so far; looked at only where rules look back.

        Raises:
            DecodingError: a prefix holds an id that is not in the target vocabulary.
        """
        forced = step < self.prefixes.shape[1]
        if forced:
            rows, tokens = self._forced(log_probabilities, step)
            kept = log_probabilities[rows, tokens]
        for run in self.forbidden:
            log_probabilities[:, run] = _FORBIDDEN
        if self.no_repeat_ngram:
            end = log_probabilities[:, self.symbols.end].clone()
            forbid_repeated(log_probabilities, self._past(written), self.no_repeat_ngram)
            log_probabilities[:, self.symbols.end] = end
        if forced:
            log_probabilities[rows] = _FORBIDDEN
            log_probabilities[rows, tokens] = kept

    def rule(self, token: int, step: int) -> Rule:
        """Which rule it is that forbids ``token`` to the first sentence at ``step`` (from 0)."""
        if step < self.prefixes.shape[1] and int(self.prefixes[0, step]) != _NOTHING:
            return "prefix"
        if any(run.start <= token < run.stop for run in self.forbidden):
            return "special"
        return "repeated"

    def _past(self, written: Tensor) -> Tensor:
        """Prompts and what was written after them [R Q+T]."""
        if not self.prompts.shape[1]:
            return written
        count = len(written) // len(self.prompts)
        return torch.cat([self.prompts.repeat_interleave(count, dim=0), written], dim=1)

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
        rows = tokens.ne(_NOTHING).nonzero().squeeze(1)
        return rows, tokens[rows]


def forbid_repeated(log_probabilities: Tensor, written: Tensor, size: int) -> None:
    """Forbid, in place, each token that would end an n-gram of ``size`` tokens for a second time.

    ``log_probabilities`` [R V], ``written`` [R T]: the tokens so far, -1 where there are none.
    """
    if written.shape[1] < size:
        return
    grams = written.unfold(1, size, 1)  # [R T-size+1 size]
    last = written[:, written.shape[1] - size + 1 :]
    repeats = (grams[:, :, :-1] == last[:, None, :]).all(dim=2) & grams[:, :, -1].ne(_NOTHING)
    rows, places = repeats.nonzero(as_tuple=True)
    log_probabilities[rows, grams[rows, places, -1]] = _FORBIDDEN


def discourage(logits: Tensor, known: Tensor, penalty: float) -> None:
    """Divide, in place, logits [R V] of tokens ``known`` [R T]; multiply those below zero."""
    if not known.shape[1]:
        return
    values = logits.gather(1, known)
    logits.scatter_(1, known, torch.where(values < 0, values * penalty, values / penalty))


def _runs(ids: set[int]) -> Iterator[slice]:
    """Neighbouring ids together: each slice costs an operation a step."""
    ordered = sorted(ids)
    starts = [token for token in ordered if token - 1 not in ids]
    ends = [token + 1 for token in ordered if token + 1 not in ids]
    yield from map(slice, starts, ends)


def _to_the_right(ids: Tensor, mask: Tensor) -> Tensor:
    """Ids [B S], padded on the right, with as many -1 on the left instead."""
    size = ids.shape[1]
    places = torch.arange(size, device=ids.device) - (size - mask.sum(dim=1, keepdim=True))
    return ids.gather(1, places.clamp(min=0)).masked_fill(places < 0, _NOTHING)


def _limits(
    options: DecodingRecipe, ensemble: Ensemble, mask: Tensor, numbers: Sequence[int]
) -> list[int]:
    """Longest output of each source or prompt, in tokens."""
    lengths = mask.sum(dim=1).tolist()
    if options.max_tokens is not None:
        wanted = [options.max_tokens] * len(lengths)
    else:
        factor, extra = options.max_length_factor, options.max_length_extra
        wanted = [int(factor * length + extra) for length in lengths]
    most = ensemble.max_positions
    if most is None:
        return wanted
    if not ensemble.causal:
        return [min(limit, most) for limit in wanted]
    for number, length in zip(numbers, lengths, strict=True):
        if length >= most:
            raise DecodingError(
                f"prompt {number + 1} has {length} tokens (beginning counted), and the model holds "
                f"{most} together with what it writes; shorten it to at most {most - 1}."
            )
    return [min(limit, most - length) for limit, length in zip(wanted, lengths, strict=True)]


def _check_prefixes(
    options: DecodingRecipe,
    prefixes: Sequence[Sequence[int]],
    limits: Sequence[int],
    numbers: Sequence[int],
    symbols: Symbols,
) -> None:
    if len(prefixes) != len(limits):
        raise DecodingError(
            f"{len(prefixes)} forced prefixes for {len(limits)} sentences; give one each, "
            "an empty one where nothing is forced."
        )
    field = "max_length_extra" if options.max_tokens is None else "max_tokens"
    for number, prefix, limit in zip(numbers, prefixes, limits, strict=True):
        wrong = {symbols.pad, symbols.begin, symbols.end}.intersection(prefix)
        if wrong or any(token < 0 for token in prefix):
            raise DecodingError(
                f"the forced prefix of sentence {number + 1} holds the id "
                f"{min(wrong, default=min(prefix))}; expected ordinary tokens, without padding, "
                "begin and end of sentence."
            )
        if len(prefix) >= limit:
            raise DecodingError(
                f"the forced prefix of sentence {number + 1} has {len(prefix)} tokens, but the "
                f"longest output allowed is {limit}; shorten it or raise decoding.{field}."
            )
