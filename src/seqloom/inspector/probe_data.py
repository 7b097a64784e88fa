"""What a probe is asked: properties of words, or of whole texts, out of a treebank.

Each example has a key, too: the word that it is, or the first word of its text. The control task
gives every key a label by lot, as often as the labels are, so that only a probe that learns keys by
heart can be right (Hewitt and Liang 2019, section 2).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from seqloom.corpus.formats.word_columns import last_column
from seqloom.corpus.tagged import TaggedSentence, TaggedSentences, is_treebank, read_tagged
from seqloom.errors import ColumnError, CorpusError
from seqloom.inspector.probe_parts import check_apart, parted
from seqloom.inspector.subject import Readable

LENGTH, WORD = "length", "word"
TEXT_PROPERTIES = (LENGTH, WORD)
"""Of whole texts; all other properties are columns of the treebank."""

_BINS = 6  # of lengths (Conneau et al. 2018, section 3.1)
_COMMON, _ASKED = 100, 100  # ranks of words that are passed over, and then asked for
_LEAST = 20  # examples of each part

Integers = NDArray[np.int64]


@dataclass(frozen=True)
class Asked:
    """Sentences, and what is asked of them: e examples."""

    sentences: list[TaggedSentence]
    whole: bool
    """Whether an example is a sentence, and not a word."""
    labels: list[str]
    """[e]."""
    keys: list[str]
    """[e]."""
    capped: bool = False
    """Whether there were more sentences than so many examples need."""

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def groups(self) -> Integers:
        """The number of each example's sentence [e]."""
        counts = [1 if self.whole else len(each.words) for each in self.sentences]
        return np.repeat(np.arange(len(counts)), counts)


@dataclass(frozen=True)
class Question:
    """A property, and the three parts that a probe needs."""

    name: str
    train: Asked
    validation: Asked
    test: Asked
    notes: Sequence[str] = ()
    """What is to be said of the files: sentences that the model cannot read, and so on."""

    @property
    def classes(self) -> list[str]:
        """The labels of the training part."""
        return sorted(set(self.train.labels))

    def numbers(self, part: Asked) -> Integers:
        """Labels as numbers [e]; -1 for a class that was not learned."""
        known = {label: number for number, label in enumerate(self.classes)}
        return np.array([known.get(label, -1) for label in part.labels])

    def control(self, seed: int) -> tuple[Integers, Integers, Integers]:
        """Labels by lot of training, validation and test part: one for each key [e]."""
        counts = Counter(self.numbers(self.train).tolist())
        numbers, often = map(np.array, zip(*sorted(counts.items()), strict=True))
        parts = (self.train, self.validation, self.test)
        keys = sorted({key for part in parts for key in part.keys})
        drawn = np.random.default_rng(seed).choice(numbers, len(keys), p=often / often.sum())
        label = dict(zip(keys, drawn.tolist(), strict=True))
        train, validation, test = (np.array([label[key] for key in part.keys]) for part in parts)
        return train, validation, test

    @property
    def baselines(self) -> dict[str, float]:
        """Right test labels, in a hundred, without any vectors."""
        common = Counter(self.train.labels).most_common(1)[0][0]
        by_key: dict[str, Counter[str]] = {}
        for key, label in zip(self.train.keys, self.train.labels, strict=True):
            by_key.setdefault(key, Counter())[label] += 1
        said = [
            by_key[key].most_common(1)[0][0] if key in by_key else common for key in self.test.keys
        ]
        first = "the first word's" if self.train.whole else "the word's"
        return {
            "most frequent label": _share(self.test.labels, [common] * len(self.test)),
            f"{first} most frequent label": _share(self.test.labels, said),
        }


def _share(labels: Sequence[str], said: Sequence[str]) -> float:
    return 100 * float(np.mean([one == other for one, other in zip(labels, said, strict=True)]))


def ask(
    name: str | None,
    treebank: Path,
    test: Path | None = None,
    *,
    examples: int,
    readable: Callable[[TaggedSentences], Readable] = Readable.all_of,
    seed: int = 0,
) -> Question:
    """Read a treebank and ask a property of it.

    Args:
        name: a column as :func:`seqloom.corpus.tagged.read_tagged` takes it, ``length`` or
            ``word``; ``upos`` of a treebank or the last column of another file when left out.
        treebank: what is learned from; a tenth of it decides when to stop.
        test: what is measured on; a fifth of ``treebank`` when left out.
        examples: at most so many are learned from, and half as many measured on.
        readable: chooses the sentences that the model can read.
        seed: which sentences these are.

    Raises:
        CorpusError: no such column, one class only, fewer examples than classes, or ``test`` is
            ``treebank``.
    """
    check_apart(treebank, test)
    column = None if name in TEXT_PROPERTIES else name
    order = np.random.default_rng(seed)
    notes = list[str]()

    def read(path: Path) -> list[TaggedSentence]:
        try:
            found = readable(read_tagged([path], column=column))
        except ColumnError as error:
            raise ColumnError(f"{error} Or ask for length, word or tree.") from None
        notes.extend(found.notes)
        return [found.sentences[row] for row in order.permutation(len(found.sentences))]

    parts, said = parted(read, lambda sentence: sentence, treebank, test)
    notes += said
    limits = [examples, max(1, examples // 5), max(1, examples // 2)]
    if name == LENGTH:
        asked = _lengths(parts, limits)
    elif name == WORD:
        asked = _words(parts, limits)
    else:
        asked = [_tags(part, limit) for part, limit in zip(parts, limits, strict=True)]
    train, stop, measure = asked
    question = Question(_called(name, treebank), train, stop, measure, notes)
    _check(question, treebank)
    return question


def _called(name: str | None, path: Path) -> str:
    """What is asked for, as titles and messages say it."""
    if name in TEXT_PROPERTIES or is_treebank(path):
        return name or "upos"
    return f"column {last_column(path) if name is None else name}"


def _tags(sentences: Sequence[TaggedSentence], limit: int) -> Asked:
    kept, words = list[TaggedSentence](), 0
    for sentence in sentences:
        if words and words + len(sentence.words) > limit:
            break
        kept.append(sentence)
        words += len(sentence.words)
    labels = [tag for sentence in kept for tag in sentence.tags]
    keys = [word.lower() for each in kept for word in each.words]
    return Asked(kept, False, labels, keys, len(kept) < len(sentences))


def _texts(sentences: list[TaggedSentence], labels: list[str], capped: bool) -> Asked:
    return Asked(sentences, True, labels, [each.words[0].lower() for each in sentences], capped)


def _lengths(parts: Sequence[list[TaggedSentence]], limits: Sequence[int]) -> list[Asked]:
    """Lengths in six ranges that hold as many training sentences each."""
    kept = [part[:limit] for part, limit in zip(parts, limits, strict=True)]
    capped = [len(part) > limit for part, limit in zip(parts, limits, strict=True)]
    lengths = [len(sentence.words) for sentence in kept[0]]
    shares = np.arange(1, _BINS) / _BINS
    edges = np.unique(np.quantile(lengths, shares)) if lengths else np.zeros(0)
    names = [f"to {edge:g} words" for edge in edges] + ["longer"]
    width = len(str(len(names)))
    return [
        _texts(part, [
            f"{place + 1:0{width}} {names[place]}"
            for place in np.searchsorted(edges, [len(each.words) for each in part])
        ], more)
        for part, more in zip(kept, capped, strict=True)
    ]  # fmt: skip


def _words(parts: Sequence[list[TaggedSentence]], limits: Sequence[int]) -> list[Asked]:
    """Which of a hundred words of middling frequency a sentence holds: those with one of them."""
    counts = Counter(
        word for sentence in parts[0] for word in {word.lower() for word in sentence.words}
    )
    ranked = [word for word, _ in counts.most_common() if word.isalpha()]
    asked = set(ranked[_COMMON : _COMMON + _ASKED])
    found = list[Asked]()
    for part, limit in zip(parts, limits, strict=True):
        held = [(each, asked & {word.lower() for word in each.words}) for each in part]
        one = [(sentence, words.pop()) for sentence, words in held if len(words) == 1]
        sentences, labels = [sentence for sentence, _ in one], [word for _, word in one]
        found.append(_texts(sentences[:limit], labels[:limit], len(one) > limit))
    return found


def more_of(capped: bool) -> str:
    """What to do where there is too little of a part."""
    return "Raise --examples, which leaves the others out" if capped else "Give more sentences"


def _check(question: Question, treebank: Path) -> None:
    classes, number = question.classes, len(question.train)
    more = more_of(question.train.capped)
    if len(classes) < 2:
        found = f"all have the {question.name} {classes[0]!r}" if classes else "no class"
        raise CorpusError(
            f"{treebank}: {number:,} examples to learn from, {found}; a probe needs two classes or "
            f"more. {more}, or ask for another property.{_beside(question)}"
        )
    if number < len(classes) * 2:
        raise CorpusError(
            f"{treebank}: {number:,} examples of {len(classes):,} classes of {question.name}; a "
            f"probe needs at least two a class. {more}, or ask for another property."
            f"{_beside(question)}"
        )
    for what, part in {"to stop by": question.validation, "to measure on": question.test}.items():
        if len(part) < _LEAST:
            raise CorpusError(
                f"{treebank}: {len(part):,} examples are left {what}; expected {_LEAST} or more. "
                f"{more_of(part.capped)}.{_beside(question)}"
            )


def _beside(question: Question) -> str:
    """What may be the cause, behind the message."""
    return "".join(f" ({note})" for note in question.notes)
