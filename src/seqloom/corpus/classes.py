"""Labelled texts in memory: how many a class has, what is wrong with them, a part held out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from seqloom.corpus.label_tables import PLACE, SECOND, blank
from seqloom.corpus.pairs import Corpus
from seqloom.corpus.report import shorten
from seqloom.errors import CorpusError

_NAMED = 5  # labels that a message names


@dataclass(frozen=True)
class Labelled:
    """Texts that are not blank, with their labels."""

    texts: list[str]
    labels: list[str]
    places: pa.Array[Any]
    """File and line of each text."""
    name: str
    """What messages call them."""
    empty: int = 0
    """Blank texts that were left out."""
    seconds: list[str] | None = None
    """Where texts come in pairs: the second of each."""

    def __len__(self) -> int:
        return len(self.texts)

    @property
    def counts(self) -> dict[str, int]:
        """Texts of each label, the most frequent first; equals by the alphabet."""
        found = Counter(self.labels)
        return dict(sorted(found.items(), key=lambda item: (-item[1], item[0])))

    def choose(self, rows: Iterable[int], name: str) -> Labelled:
        """Some of the texts, under another name."""
        chosen = list(rows)
        return Labelled(
            [self.texts[row] for row in chosen],
            [self.labels[row] for row in chosen],
            self.places.take(pa.array(chosen, pa.int64())),
            name,
            seconds=None if self.seconds is None else [self.seconds[row] for row in chosen],
        )

    def quote(self, label: str) -> str:
        """The first text of a label and its place, for messages."""
        row = self.labels.index(label)
        return f"{self.places[row]}: {shorten(self.texts[row])!r}"


def gather(corpus: Corpus) -> Labelled:
    """Read a corpus of :func:`seqloom.corpus.labels.read_labelled` into memory.

    Raises:
        CorpusError: a file is damaged, a text lacks its label, or there is no text at all.
    """
    texts, labels, seconds = list[str](), list[str](), list[str]()
    places: list[pa.Array[Any]] = []
    place, second = (pa.scalar(key) for key in (PLACE, SECOND))
    read = 0
    for batch in corpus.batches():
        read += batch.num_rows
        columns: list[Any] = batch.columns
        filled = pc.invert(blank(columns[0]))
        keys = columns[2].keys
        if len(keys) > batch.num_rows:
            other = columns[2].items.filter(pc.equal(keys, second))
            filled = pc.and_not(filled, blank(other))
            seconds += other.filter(filled).to_pylist()
        texts += columns[0].filter(filled).to_pylist()
        labels += columns[1].filter(filled).to_pylist()
        places.append(columns[2].items.filter(pc.equal(keys, place)).filter(filled))
    if not texts:
        raise CorpusError(f"{corpus.name}: no text in it; expected texts with labels.")
    empty = read - len(texts)
    both = seconds or None
    return Labelled(texts, labels, pa.concat_arrays(places), corpus.name, empty, both)


def check_classes(found: Labelled) -> None:
    """Refuse labels that a classifier cannot learn.

    Raises:
        CorpusError: there is only one, or more than half of the texts have one of their own.
    """
    counts = found.counts
    if len(counts) == 1:
        (label,) = counts
        raise CorpusError(
            f"{found.name}: all {len(found):,} texts have the label {label!r}; a classifier needs "
            "at least two classes. Check the labels, or --until if you gave it."
        )
    single = [label for label, number in counts.items() if number == 1]
    if 2 * len(single) > len(found):
        raise CorpusError(
            f"{found.name}: {len(single):,} of {len(found):,} texts have a label of their own, as "
            f"in {found.quote(single[0])} with {shorten(single[0])!r}. These are numbers or texts, "
            "no classes: choose the columns with --columns TEXT LABEL, or cut labels with --until."
        )


def hold_out(found: Labelled, share: float, seed: int) -> tuple[Labelled, Labelled]:
    """Part texts in (training, held out): of each label the same share, drawn with a seed.

    Of each label at least one text is held out and one kept. Equal texts of a label stay together,
    so that nothing held out is trained on.

    Raises:
        CorpusError: a label has only one text.
    """
    generator = np.random.default_rng(seed)
    rows_of: dict[str, dict[tuple[str, str], list[int]]] = {
        label: {} for label in sorted(found.counts)
    }
    seconds = found.seconds or [""] * len(found)
    for row, label in enumerate(found.labels):
        rows_of[label].setdefault((found.texts[row], seconds[row]), []).append(row)
    held: list[int] = []
    for label, by_text in rows_of.items():
        if len(by_text) == 1:
            raise _only_text(found, label)
        number = min(max(1, round(share * len(by_text))), len(by_text) - 1)
        texts = list(by_text.values())
        for at in generator.permutation(len(texts))[:number].tolist():
            held += texts[at]
    away = set(held)
    kept = [row for row in range(len(found)) if row not in away]
    return found.choose(kept, found.name), found.choose(sorted(held), f"{found.name} (held out)")


def _only_text(found: Labelled, label: str) -> CorpusError:
    row = found.labels.index(label)
    times = "once" if found.labels.count(label) == 1 else "with one text"
    header = " If that is a header, name the columns: --columns TEXT LABEL."
    return CorpusError(
        f"{found.quote(label)} has the label {label!r}, which occurs {times} only: it cannot be "
        "both trained on and held out. Add texts of that label or take it out, or give held-out "
        "texts of your own: --validation FILE."
        + (header if str(found.places[row]).endswith((", row 1", ", line 1")) else "")
    )


def single_labels(found: Labelled) -> str | None:
    """What is to be said of labels that only one text has; None if there are none."""
    single = {label: number for label, number in found.counts.items() if number == 1}
    if not single:
        return None
    return (
        f"{found.name}: {len(single):,} of {len(found.counts):,} labels occur once: "
        f"{list_labels(single)}, as in {found.quote(next(iter(single)))}; they are hardly learned"
    )


def list_labels(counts: Mapping[str, int | None]) -> str:
    """The first labels and, where they were counted, how often they occur, for messages."""
    named = [
        f"{shorten(label)!r}" + ("" if number is None else f" ({number:,})")
        for label, number in counts.items()
    ]
    more = f" and {len(named) - _NAMED:,} more" if len(named) > _NAMED else ""
    return f"{', '.join(named[:_NAMED])}{more}"


def unknown_labels(found: Labelled, known: Collection[str]) -> str | None:
    """What is to be said of labels that no training text has; None if there are none.

    Raises:
        CorpusError: none of the labels is known.
    """
    strange = {label: number for label, number in found.counts.items() if label not in known}
    if not strange:
        return None
    listed = list_labels(strange)
    first = found.quote(next(iter(strange)))
    if len(strange) == len(found.counts):
        trained = ", ".join(sorted(known)[:_NAMED])
        raise CorpusError(
            f"{found.name}: no training text has any of its labels: {listed}, as in {first}. "
            f"Training knows {trained}{' ...' if len(known) > _NAMED else ''}: check the columns."
        )
    return (
        f"{found.name}: {sum(strange.values()):,} of {len(found):,} texts have labels that no "
        f"training text has: {listed}, as in {first}; they count as wrong"
    )


def folds(labels: Sequence[str], number: int, seed: int) -> NDArray[np.int64]:
    """Deal texts into folds, of each label as many into one as into another: [texts]."""
    generator = np.random.default_rng(seed)
    dealt = np.empty(len(labels), np.int64)
    names = np.asarray(labels, dtype=object)
    start = 0
    for label in sorted(set(labels)):
        rows = generator.permutation(np.flatnonzero(names == label))
        dealt[rows] = (start + np.arange(len(rows))) % number
        start += len(rows)
    return dealt
