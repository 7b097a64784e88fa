"""Examples packed into rows for masked language models, with some of their tokens hidden.

A row holds as many examples as fit; the model keeps them apart. Which tokens are hidden is drawn
anew each epoch, from (seed, epoch, number of the batch): of the chosen ones 80 % become ``<mask>``,
10 % another token, and 10 % stay as they are (Devlin et al. 2019).

Axes: B rows of a batch, T positions of a row (the context), E examples of a batch, n chosen
positions, V pieces.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import islice

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from seqloom.corpus.document_store import DocumentStore
from seqloom.errors import TrainingError
from seqloom.symbols import Symbols
from seqloom.training.sentence_pairs import Example, ExampleMaker, best_fit

_POOL = 1 << 15  # examples that are packed together
_HIDDEN, _REPLACED = 0.8, 0.1  # shares of the chosen tokens
_LEAST_CONTEXT = 5

Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class MaskedBatch:
    """Tensors of B rows of T positions, with E examples: begin A end, or begin A end B end."""

    inputs: Tensor
    """Ids with holes [B T]."""
    documents: Tensor
    """Which example of the row a position belongs to, from 1; 0 is padding [B T]."""
    segments: Tensor
    """0 in the first text of an example, 1 in the second [B T]."""
    chosen: Tensor
    """Positions whose token is to be found [B T]."""
    labels: Tensor
    """Their tokens, row by row [n]."""
    starts: Tensor
    """Row and column of each example's begin [E 2]."""
    follows: Tensor
    """Whether the second text follows the first (0) or not (1) [E]; empty without pairs."""
    rows: tuple[int, ...]
    """Rows of the store whose documents are here, for messages."""

    @property
    def tokens(self) -> int:
        """Tokens to be found."""
        return len(self.labels)

    def to(self, device: torch.device) -> MaskedBatch:
        """The same batch on a device."""
        return MaskedBatch(
            self.inputs.to(device, non_blocking=True),
            self.documents.to(device, non_blocking=True),
            self.segments.to(device, non_blocking=True),
            self.chosen.to(device, non_blocking=True),
            self.labels.to(device, non_blocking=True),
            self.starts.to(device, non_blocking=True),
            self.follows.to(device, non_blocking=True),
            self.rows,
        )


@dataclass(frozen=True)
class Masking:
    """How tokens are chosen and hidden."""

    symbols: Symbols
    """Of the vocabulary; it must have a mask."""
    size: int
    """Pieces V of the vocabulary."""
    rate: float = 0.15
    """Share of the tokens that are chosen."""
    begins_word: Flags | None = None
    """Which pieces begin a word [V]: whole words are chosen then, all pieces of one together."""

    @cached_property
    def _others(self) -> NDArray[np.int64]:
        """Ids that may stand in for a token: all but the special ones."""
        return np.setdiff1d(np.arange(self.size), [i for i in self.symbols if i is not None])

    def hide(
        self, ids: NDArray[np.int64], free: Flags, opens: Flags, rng: np.random.Generator
    ) -> tuple[Flags, NDArray[np.int64]]:
        """Hide some tokens in their place.

        Args:
            ids: of a batch [B T]; changed.
            free: which of them may be chosen [B T].
            opens: where a text begins [B T], and with it a word.
            rng: decides.

        Returns:
            Which were chosen [B T], and what they were [n].
        """
        tokens = ids[free]
        picked = self._pick(tokens, opens[free], rng)
        labels = tokens[picked]
        kinds = rng.random(len(labels))
        assert self.symbols.mask is not None, "a vocabulary without a mask"
        hidden = kinds < _HIDDEN
        replaced = ~hidden & (kinds < _HIDDEN + _REPLACED)
        seen = labels.copy()
        seen[hidden] = self.symbols.mask
        others = self._others
        seen[replaced] = others[rng.integers(len(others), size=int(replaced.sum()))]
        tokens[picked] = seen
        ids[free] = tokens
        chosen = free.copy()
        chosen[free] = picked
        return chosen, labels

    def _pick(self, tokens: NDArray[np.int64], opens: Flags, rng: np.random.Generator) -> Flags:
        """Which tokens are chosen, one at least [tokens]."""
        words = np.arange(len(tokens))
        if self.begins_word is not None:
            words = np.cumsum(self.begins_word[tokens] | opens) - 1
        draws = rng.random(int(words[-1]) + 1)
        return draws[words] < max(self.rate, np.nextafter(draws.min(), 1))


def masked_rows(
    store: DocumentStore,
    context: int,
    batch_tokens: int,
    masking: Masking,
    *,
    next_sentence: bool = True,
    seed: int = 0,
    epoch: int | None = None,
    skip: int = 0,
) -> Iterator[MaskedBatch]:
    """The batches of one epoch, from number ``skip`` on.

    Args:
        store: the documents with their sentences.
        context: positions T of a row, and of an example at most.
        batch_tokens: positions of a batch, at most, but one row at least.
        masking: how tokens are chosen.
        next_sentence: pairs of texts, of which half follow each other.
        seed: decides, with the epoch.
        epoch: number of the epoch, or None for the same holes each time (validation).
        skip: batches already seen; they are not built.

    Raises:
        TrainingError: a vocabulary without a mask, a context that holds no pair, or one document
            alone where the next sentence is to be predicted.
    """
    _check(store, context, masking, next_sentence)
    batch_rows = max(1, batch_tokens // context)
    seeds = (seed, 0 if epoch is None else epoch + 1)
    rng = np.random.default_rng(seeds)
    examples = ExampleMaker(store, context, next_sentence, rng).examples(epoch is not None)
    planned = _plan(examples, context, batch_rows, rng)
    for number, rows in islice(enumerate(planned), skip, None):
        chance = np.random.default_rng((*seeds, number + 1))
        yield _build(store, rows, context, masking, chance)


def _check(store: DocumentStore, context: int, masking: Masking, pairs: bool) -> None:
    if masking.symbols.mask is None:
        raise TrainingError(
            "the vocabulary has no <mask>, which a masked model needs; prepare the texts again "
            "with data.mask=true."
        )
    if context < _LEAST_CONTEXT:
        raise TrainingError(
            f"a context of {context} positions holds no text; use {_LEAST_CONTEXT} or more."
        )
    if pairs and len(store) < 2:
        raise TrainingError(
            f"{store.path}: one document alone, so no sentence of another can be taken for the "
            "next. Switch next-sentence prediction off, or prepare the texts with "
            "data.documents=paragraphs."
        )


def _plan(
    examples: Iterator[Example], context: int, batch_rows: int, rng: np.random.Generator
) -> Iterator[list[list[Example]]]:
    """Rows of examples for each batch; those that fill no batch go on to the next pool."""
    rest: list[Example] = []
    while pool := [*rest, *islice(examples, max(_POOL - len(rest), 0))]:
        last = len(pool) < _POOL
        order = rng.permutation(len(pool))
        sizes = np.array([pool[index].size for index in order])
        rows = [[pool[order[index]] for index in row] for row in best_fit(sizes, context)]
        rng.shuffle(rows)  # the fullest came first
        full = len(rows) if last else max(len(rows) // batch_rows, 1) * batch_rows
        for start in range(0, full, batch_rows):
            yield rows[start : start + batch_rows]
        rest = [example for row in rows[full:] for example in row]


def _build(
    store: DocumentStore,
    rows: list[list[Example]],
    context: int,
    masking: Masking,
    rng: np.random.Generator,
) -> MaskedBatch:
    """The batch of some rows of examples."""
    shape = (len(rows), context)
    ids = np.full(shape, masking.symbols.pad, np.int64)
    documents, segments = np.zeros(shape, np.int64), np.zeros(shape, np.int64)
    free, opens = np.zeros(shape, np.bool_), np.zeros(shape, np.bool_)
    starts: list[tuple[int, int]] = []
    for place, row in enumerate(rows):
        at = 0
        for number, example in enumerate(row, 1):
            starts.append((place, at))
            documents[place, at : at + example.size] = number
            ids[place, at] = masking.symbols.begin
            at += 1
            for segment, span in enumerate(example[:2]):
                if span is None:
                    continue
                stop = at + span.size
                ids[place, at:stop] = store.ids(span.row)[span.start : span.stop]
                free[place, at:stop] = opens[place, at] = True
                ids[place, stop] = masking.symbols.end
                segments[place, at : stop + 1] = segment
                at = stop + 1
    chosen, labels = masking.hide(ids, free, opens, rng)
    every = [example for row in rows for example in row]
    follows = [int(not example.follows) for example in every if example.second]
    used = [span.row for example in every for span in example[:2] if span]
    return MaskedBatch(
        torch.from_numpy(ids),
        torch.from_numpy(documents),
        torch.from_numpy(segments),
        torch.from_numpy(chosen),
        torch.from_numpy(labels),
        torch.tensor(starts),
        torch.tensor(follows, dtype=torch.int64),
        tuple(dict.fromkeys(used)),
    )
