"""Gold alignments, and training text written as the words of their gold are.

The Hansards' gold parts words by spaces, writes elided and contracted words out ("ne est", "de
les", "do not") and hyphens apart. Training pairs are brought to the same form and put into lower
case, for the models and for the statistical aligner alike.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

from seqloom.corpus.alignments import AlignedPairs, read_aligned, tell_outside
from seqloom.text.tokenizer import Tokenizer

SIDES = ("source", "target")
HELD_OUT = 1000
"""Validation pairs, spread over all there are."""
TOGETHER = {1: 0.4, 2: 0.35, 3: 0.25}
"""Pairs that stand in a line for the models, and how often: gold sentences are twice as long."""
GOLD_LINES = 30
"""Lines in which each pair of the gold stands, beside another pair each time."""

Pair = tuple[str, ...]


@dataclass(frozen=True)
class GoldSet:
    """Pairs whose words people have linked."""

    name: str
    """Of its files, less suffixes."""
    source: str
    """Language."""
    target: str
    first: int
    """The number of a sentence's first word."""
    corpus: str | None = None
    """Pairs of the same languages to train on; None: only models that are given are measured."""

    def files(self) -> list[str]:
        """Below the folder of corpora."""
        suffixes = (self.source, self.target, "gold")
        needed = [f"align/{self.name}.{suffix}" for suffix in suffixes]
        return needed + ([f"{self.corpus}/train.{self.source}"] if self.corpus else [])

    def read(self, data: Path) -> AlignedPairs:
        """The pairs; links to words that do not exist are told and left out."""
        sources, targets, gold = (
            data / "align" / f"{self.name}.{end}" for end in (self.source, self.target, "gold")
        )
        pairs = read_aligned(sources, targets, gold, first=self.first)
        if told := tell_outside(pairs):
            print(told)
        return pairs


GOLD_SETS = {
    "enfr": GoldSet("enfr", "en", "fr", first=1, corpus="tatoeba-en-fr"),
    "enru": GoldSet("xlwa-enru.dev", "en", "ru", first=0),
    "zhen": GoldSet("zhen", "zh", "en", first=1),
}

_SPELLED: dict[str, list[tuple[str, str]]] = {
    "en": [
        (r"\bcan't\b", "can not"), (r"\bcannot\b", "can not"), (r"\bwon't\b", "will not"),
        (r"n't\b", " not"), (r"'m\b", " am"), (r"'re\b", " are"), (r"'ll\b", " will"),
        (r"'ve\b", " have"),
    ],
    "fr": [
        (r"\b(l|d|j|m|t|s|c|n|qu|jusqu|lorsqu|puisqu)'", r"\1e "), (r"\bdu\b", "de le"),
        (r"\bdes\b", "de les"), (r"\bau\b", "à le"), (r"\baux\b", "à les"),
    ],
}  # fmt: skip
"""What the gold writes out."""
_HYPHEN = (r"(?<=\w)-(?=\w)", " - ")


def tokenised(lines: Iterable[str], language: str) -> Iterator[str]:
    """Each line in lower case, its words parted by spaces as the Hansards' gold parts them."""
    from sacremoses import MosesPunctNormalizer, MosesTokenizer

    normalizer, tokenizer = MosesPunctNormalizer(language), MosesTokenizer(language)
    rules = [(re.compile(found), plain) for found, plain in [*_SPELLED[language], _HYPHEN]]
    for line in lines:
        text = normalizer.normalize(line).lower()
        for pattern, plain in rules:
            text = pattern.sub(plain, text)
        yield " ".join(tokenizer.tokenize(text, escape=False))


def spread(lines: Sequence[str], count: int | None) -> list[str]:
    """``count`` lines at even distances; corpora are sorted by length."""
    if count is None or count >= len(lines):
        return list(lines)
    return [lines[number * len(lines) // count] for number in range(count)]


@dataclass(frozen=True)
class Texts:
    """Tokenised pairs on disk, a file a side of each part."""

    folder: Path
    languages: tuple[str, str]
    pairs: int
    """For training."""

    def file(self, part: str, side: int) -> Path:
        """Of ``train``, ``joined`` or ``dev``; side 0 is that of the gold's sources."""
        return self.folder / f"{part}.{self.languages[side]}"


def write_texts(
    gold_set: GoldSet, data: Path, folder: Path, pairs: int | None, gold: AlignedPairs
) -> Texts:
    """Tokenise the training and validation pairs, once; those with an empty side are left out.

    ``train`` has a pair a line; ``joined``, for the models, one to three, and those of the gold
    without their links.
    """
    assert gold_set.corpus is not None
    texts = Texts(folder, (gold_set.source, gold_set.target), 0)
    folder.mkdir(parents=True, exist_ok=True)
    for part, count in (("dev", HELD_OUT), ("train", pairs)):
        if not _written(texts, part):
            print(f"Tokenising {gold_set.corpus}/{part} ...", flush=True)
            columns = []
            for language in texts.languages:
                text = (data / gold_set.corpus / f"{part}.{language}").read_text(encoding="utf-8")
                lines = spread(text.split("\n")[:-1], count)
                columns.append(list(tokenised(lines, language)))
            _write(texts, part, [pair for pair in zip(*columns, strict=True) if all(pair)])
    sides = [texts.file("train", side).read_text(encoding="utf-8").splitlines() for side in (0, 1)]
    learned = list(zip(*sides, strict=True))
    if not _written(texts, "joined"):
        own = lowered(gold)
        words = zip(own.sources, own.targets, strict=True)
        _write(texts, "joined", joined(learned, [tuple(map(" ".join, pair)) for pair in words]))
    return replace(texts, pairs=len(learned))


def joined(pairs: Sequence[Pair], gold: Sequence[Pair], seed: int = 1) -> list[Pair]:
    """Lines of one pair or several, in an order by lot; each pair of the gold in some."""
    chance, lines = random.Random(seed), list[Pair]()
    waiting = iter(chance.sample(pairs, len(pairs)))
    while part := list(islice(waiting, *chance.choices(list(TOGETHER), list(TOGETHER.values())))):
        lines.append(_line(part))
    for pair in gold:
        for _ in range(GOLD_LINES):
            beside = [pair, chance.choice(pairs)]
            lines.append(_line(chance.sample(beside, 2)))
    return lines


def _line(pairs: Sequence[Pair]) -> Pair:
    return tuple(map(" ".join, zip(*pairs, strict=True)))


def _written(texts: Texts, part: str) -> bool:
    return all(texts.file(part, side).exists() for side in (0, 1))


def _write(texts: Texts, part: str, pairs: Sequence[Pair]) -> None:
    for side in (0, 1):
        file = texts.file(part, side)
        whole = file.with_suffix(f"{file.suffix}.part")
        whole.write_text("".join(f"{pair[side]}\n" for pair in pairs), encoding="utf-8")
        whole.rename(file)


def lowered(pairs: AlignedPairs) -> AlignedPairs:
    """The same pairs in lower case."""
    sources, targets = (
        [[word.lower() for word in words] for words in side]
        for side in (pairs.sources, pairs.targets)
    )
    return replace(pairs, sources=sources, targets=targets)


def knows_capitals(tokenizer: Tokenizer) -> bool:
    """Whether a vocabulary holds capital letters, but for its symbols such as <S>."""
    return any(piece != piece.lower() for piece in tokenizer.tokens if piece[:1] != "<")
