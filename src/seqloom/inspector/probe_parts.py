"""Which sentences a probe learns from, which decide when to stop, and which it is measured on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

from seqloom.corpus.tagged import TaggedSentence
from seqloom.errors import CorpusError

Item = TypeVar("Item")


def check_apart(treebank: Path, test: Path | None) -> None:
    """Refuse to measure on what is learned from.

    Raises:
        CorpusError: ``test`` is ``treebank``, by whatever name.
    """
    if test is not None and test.resolve() == treebank.resolve():
        raise CorpusError(
            f"--test {test} is the file of --treebank, and what was learned is no measure. Name "
            "another file, or leave --test out: a fifth of the sentences is kept to measure on."
        )


def parted(
    read: Callable[[Path], list[Item]],
    sentence_of: Callable[[Item], TaggedSentence],
    treebank: Path,
    test: Path | None,
) -> tuple[list[list[Item]], list[str]]:
    """What is learned from, what decides when to stop, what is measured on; and what is said of it.

    A tenth decides; a fifth is measured on where ``test`` is left out.
    """
    learned, notes = read(treebank), list[str]()
    if test is None:
        cut = len(learned) // 5
        measured, learned = learned[:cut], learned[cut:]
    else:
        measured = read(test)
        known, asked = (list(map(sentence_of, part)) for part in (learned, measured))
        notes = _shared(known, asked, treebank, test)
    cut = len(learned) // 10
    return [learned[cut:], learned[:cut], measured], notes


def _shared(
    learned: Sequence[TaggedSentence],
    measured: Sequence[TaggedSentence],
    treebank: Path,
    test: Path,
) -> list[str]:
    """What is to be said of sentences that stand in both files; mostly nothing."""
    known = {sentence.words for sentence in learned}
    both = sum(sentence.words in known for sentence in measured)
    if not both:
        return []
    return [
        f"{both:,} of {len(measured):,} sentences of {test} stand in {treebank}, too: what is "
        "measured on them may have been learned by heart"
    ]
