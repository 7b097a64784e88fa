"""What a model of labels is trained on and what it is measured on, and what is to be said of both.

Without validation files a share is held out: of each label the same share, of tagged sentences and
of pairs a share of all.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import NamedTuple

import numpy as np

from seqloom.corpus.classes import (
    Labelled,
    check_classes,
    hold_out,
    single_labels,
    unknown_labels,
)
from seqloom.corpus.tagged import TaggedSentences, check_tags, unknown_tags
from seqloom.errors import CorpusError

TextPair = tuple[str, str]


class Parted(NamedTuple):
    """Labelled texts in two parts."""

    train: Labelled
    held: Labelled
    notes: list[str]
    """What is to be said of them."""


class PartedTags(NamedTuple):
    """Tagged sentences in two parts."""

    train: TaggedSentences
    held: TaggedSentences
    notes: list[str]


class PartedPairs(NamedTuple):
    """Pairs of texts in two parts."""

    train: list[TextPair]
    held: list[TextPair]
    notes: list[str]


def part_texts(texts: Labelled, given: Labelled | None, share: float, seed: int) -> Parted:
    """Labelled texts to train on and to measure on.

    Args:
        texts: to train on, if others are ``given`` to measure on.
        given: to measure on.
        share: held out where none are given.
        seed: draws them.

    Raises:
        CorpusError: labels that cannot be learned or measured.
    """
    check_classes(texts)
    if given is None:
        kept, held = hold_out(texts, share, seed)
        note = (
            f"no --validation: {len(held):,} of {len(texts):,} texts are held out to measure on, "
            f"{share:.0%} of each label and at least one (seed {seed})"
        )
        return Parted(kept, held, [*notes_on(texts, texts.counts), note])
    notes = [*notes_on(texts, texts.counts), *notes_on(given, texts.counts)]
    if single := single_labels(texts):
        notes.append(single)
    trained = set(_keys(texts))
    if shared := sum(key in trained for key in _keys(given)):
        notes.append(
            f"{shared:,} of {len(given):,} validation texts are training texts too, which flatters "
            "the figures"
        )
    return Parted(texts, given, notes)


def part_tags(
    found: TaggedSentences, given: TaggedSentences | None, share: float, seed: int
) -> PartedTags:
    """Tagged sentences to train on and to measure on; arguments as for :func:`part_texts`.

    Raises:
        CorpusError: tags that cannot be learned or measured, or a single sentence.
    """
    notes = [note for note in [check_tags(found)] if note]
    if given is not None:
        strange = unknown_tags(given, found.counts)
        return PartedTags(found, given, [*notes, strange] if strange else notes)
    kept, held = _drawn(len(found), share, seed, found.name, "sentence")
    notes.append(_note(len(held), len(found), "sentences", seed))
    train = found.choose(kept, found.name)
    measured = found.choose(held, f"{found.name} (held out)")
    strange = unknown_tags(measured, train.counts)
    return PartedTags(train, measured, [*notes, strange] if strange else notes)


def part_pairs(
    pairs: Sequence[TextPair],
    given: Sequence[TextPair] | None,
    share: float,
    seed: int,
    name: str,
) -> PartedPairs:
    """Pairs to train on and to measure on; arguments as for :func:`part_texts`.

    Raises:
        CorpusError: too few pairs.
    """
    if given is not None:
        return PartedPairs(list(pairs), list(given), [])
    kept, held = _drawn(len(pairs), share, seed, name, "text")
    return PartedPairs(
        [pairs[row] for row in kept],
        [pairs[row] for row in held],
        [_note(len(held), len(pairs), "texts or pairs", seed)],
    )


def notes_on(texts: Labelled, known: Collection[str]) -> list[str]:
    """What is to be said of texts to measure on or to train on.

    Args:
        texts: as they were read.
        known: the labels of the training texts.

    Raises:
        CorpusError: none of their labels is known.
    """
    blank = [f"{texts.name}: {texts.empty:,} blank texts are left out"] if texts.empty else []
    strange = unknown_labels(texts, known)
    return [*blank, strange] if strange else blank


def _keys(texts: Labelled) -> list[TextPair]:
    return list(zip(texts.texts, texts.seconds or [""] * len(texts), strict=True))


def _drawn(
    number: int, share: float, seed: int, name: str, what: str
) -> tuple[list[int], list[int]]:
    """Rows that are kept and rows that are held out, both in their order."""
    if number < 2:
        raise CorpusError(
            f"{name}: one {what} only, which cannot be both trained on and held out; add more, or "
            "give --validation FILE."
        )
    wanted = min(max(1, round(share * number)), number - 1)
    order = np.random.default_rng(seed).permutation(number)
    return sorted(order[wanted:].tolist()), sorted(order[:wanted].tolist())


def _note(held: int, number: int, what: str, seed: int) -> str:
    return (
        f"no --validation: {held:,} of {number:,} {what} are held out to measure on (seed {seed})"
    )
