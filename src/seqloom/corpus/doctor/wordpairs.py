"""Words that the corpus itself teaches to be translations of each other, as a test of alignment.

Frequent words that occur in the same pairs (*dog* and *Hund*, names, numbers, placeholders) tell in
every language whether two lines belong together. The strongest pairs by mutual information are
taken, each word once (competitive linking, Melamed 2000). Scripts without spaces count by
character.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

COUNT = 128
"""Pairs of words that are learned; each takes one bit a line and side."""

_FREQUENT = 1000  # words a side that are looked at
_LEAST = 5  # lines that both words of a pair occur in
_CHUNK = 2048  # lines whose words are counted at a time

_WITHOUT_SPACES = r"\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff"
_WORD = re.compile(rf"[{_WITHOUT_SPACES}]|[^\W_{_WITHOUT_SPACES}]+|[?!:%]")

Runs = Iterable[tuple[Sequence[str], Sequence[str]]]
"""Source and target texts of neighbouring pairs."""
Bits = NDArray[np.uint64]
"""One bit a pair of words for each text [N, COUNT / 64]."""


@dataclass(frozen=True)
class WordPairs:
    """Words and their translations, the most telling first."""

    pairs: tuple[tuple[str, str], ...]

    def source_bits(self, texts: Sequence[str]) -> Bits:
        """Which of the source words each text has."""
        return _bits(texts, {source: 1 << bit for bit, (source, _) in enumerate(self.pairs)})

    def target_bits(self, texts: Sequence[str]) -> Bits:
        """Which of the target words each text has."""
        return _bits(texts, {target: 1 << bit for bit, (_, target) in enumerate(self.pairs)})


def learn(runs: Runs, offset: int = 0) -> WordPairs:
    """Learn the pairs of words from a sample.

    Args:
        runs: source and target texts of neighbouring pairs.
        offset: line i of the source belongs to line i + ``offset`` of the target.
    """
    skip_source, skip_target = max(-offset, 0), max(offset, 0)
    lines = [
        (_words(source), _words(target))
        for sources, targets in runs
        for source, target in zip(sources[skip_source:], targets[skip_target:], strict=False)
    ]
    sources = _frequent(source for source, _ in lines)
    targets = _frequent(target for _, target in lines)
    if not sources or not targets:
        return WordPairs(())
    together = np.zeros((len(sources), len(targets)), np.float32)
    alone = np.zeros(len(sources)), np.zeros(len(targets))
    for start in range(0, len(lines), _CHUNK):
        chunk = lines[start : start + _CHUNK]
        has_source = _table([source for source, _ in chunk], sources)
        has_target = _table([target for _, target in chunk], targets)
        together += has_source.T @ has_target
        alone[0][:] += has_source.sum(0)
        alone[1][:] += has_target.sum(0)
    return _link(_information(together, *alone, len(lines)), list(sources), list(targets))


def _words(text: str) -> set[str]:
    return set(_WORD.findall(text.lower()))


def _frequent(lines: Iterable[set[str]]) -> dict[str, int]:
    counts = Counter(word for words in lines for word in sorted(words))
    common = [word for word, count in counts.most_common(_FREQUENT) if count >= _LEAST]
    return {word: number for number, word in enumerate(common)}


def _table(lines: Sequence[set[str]], numbers: dict[str, int]) -> NDArray[np.float32]:
    table = np.zeros((len(lines), len(numbers)), np.float32)
    for row, words in enumerate(lines):
        table[row, [numbers[word] for word in words if word in numbers]] = 1
    return table


def _information(
    together: NDArray[np.float32],
    sources: NDArray[np.float64],
    targets: NDArray[np.float64],
    lines: int,
) -> NDArray[np.float64]:
    """Mutual information of source and target words in nats; 0 for those that avoid each other."""
    a, b = sources[:, None], targets[None, :]
    both = together.astype(np.float64)
    cells = (
        (both, a * b),
        (a - both, a * (lines - b)),
        (b - both, (lines - a) * b),
        (lines - a - b + both, (lines - a) * (lines - b)),
    )
    total = np.zeros_like(both)
    for seen, expected in cells:
        with np.errstate(divide="ignore", invalid="ignore"):
            total += np.where(seen > 0, seen / lines * np.log(seen * lines / expected), 0)
    return np.where((both >= _LEAST) & (both * lines > a * b), total, 0)


def _link(
    information: NDArray[np.float64], sources: Sequence[str], targets: Sequence[str]
) -> WordPairs:
    pairs: list[tuple[str, str]] = []
    left = information.copy()
    while len(pairs) < COUNT:
        source, target = divmod(int(left.argmax()), len(targets))
        if left[source, target] <= 0:
            break
        pairs.append((sources[source], targets[target]))
        left[source, :] = 0
        left[:, target] = 0
    return WordPairs(tuple(pairs))


def _bits(texts: Sequence[str], table: dict[str, int]) -> Bits:
    bits = np.zeros((len(texts), COUNT // 64), np.uint64)
    for row, text in enumerate(texts):
        found = 0
        for word in _WORD.findall(text.lower()):
            found |= table.get(word, 0)
        for column in range(COUNT // 64):
            bits[row, column] = (found >> 64 * column) & 0xFFFF_FFFF_FFFF_FFFF
    return bits
