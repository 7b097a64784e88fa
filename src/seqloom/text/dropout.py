"""BPE-dropout: cut words differently every time, as a regulariser (Provilkov et al. 2020).

Works on the token ids of the store, so that training reads ids only. Algorithm 1 of the paper:
while a word is put together from characters, each possible merge is skipped with probability p,
anew at each step.

Most words come out as ever: the usual merges, m of them, all survive with probability (1 - p)^m.
One random number a word settles that, and only when a merge is skipped is the word put together
anew. Such outcomes are drawn from a pool for each word, whose members depend on the word alone:
what comes out is a function of the ids and the generator, also after a restart, and the pool can be
dropped at any time.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Sequence
from itertools import pairwise
from random import Random
from typing import Any

import numpy as np

from seqloom.errors import TokenizerError
from seqloom.text.merges import MergeTable
from seqloom.text.tokenizer import Tokenizer

_POOL = 32
"""Different outcomes of a word in which a merge was skipped."""
_NONE = 2**62  # a rank above all others
_CACHED = 200_000  # words and runs of pieces kept, at most


class BpeDropout:
    """Cuts token ids of a ``bpe`` tokenizer anew with merges skipped at random.

    Args:
        tokenizer: the tokenizer that made the ids.
        rate: probability p to skip each merge; 0 leaves ids as they are.

    Raises:
        TokenizerError: the tokenizer has no merges.
    """

    def __init__(self, tokenizer: Tokenizer, rate: float) -> None:
        if tokenizer.kind != "bpe":
            raise TokenizerError(
                f"BPE-dropout skips merges, and a {tokenizer.kind} tokenizer has none to skip; "
                "set data.bpe_dropout=0 or data.tokenizer=bpe."
            )
        assert 0 <= rate < 1, rate
        self.rate = rate
        self._tokenizer = tokenizer
        description = tokenizer.description
        self._table = MergeTable(description)
        self._texts = _texts(description)
        self._fixed = _fixed(tokenizer, description)
        self._begins = [text.startswith("▁") for text in self._texts]
        self._words: dict[str, _Word] = {}
        self._runs: dict[tuple[int, ...], list[_Word]] = {}

    def __call__(self, ids: Sequence[int] | np.ndarray, rng: np.random.Generator) -> list[int]:
        """Other ids of the same text: ``decode`` gives the same for both.

        Special tokens, tags and bytes stay as they are.
        """
        given: list[int] = ids.tolist() if isinstance(ids, np.ndarray) else list(ids)
        if not self.rate or not given:
            return given
        words: list[_Word] = []
        start = 0
        for end in self._ends(given):
            run = tuple(given[start:end])
            found = self._runs.get(run)
            words += self._add(run) if found is None else found
            start = end
        result: list[int] = []
        for word, chance in zip(words, rng.random(len(words)).tolist(), strict=True):
            result += word.ids if chance < word.keep else self._other(word, chance)
        return result

    def _ends(self, ids: list[int]) -> list[int]:
        """Ends of runs of pieces: no word reaches over the beginning of the next ``▁``."""
        begins = self._begins
        return [i for i, index in enumerate(ids) if i and begins[index]] + [len(ids)]

    def _add(self, run: tuple[int, ...]) -> list[_Word]:
        """The words of a run of pieces; pieces that stay as they are split it."""
        if len(self._runs) + len(self._words) > _CACHED:
            self._runs.clear()
            self._words.clear()
        words: list[_Word] = []
        text = ""
        for index in run:
            if self._fixed[index]:
                words += [*self._cut(text), _Word([index], [], 1.0, 0)]
                text = ""
            else:
                text += self._texts[index]
        self._runs[run] = words + self._cut(text)
        return self._runs[run]

    def _cut(self, text: str) -> list[_Word]:
        spaces = not text.strip("▁")  # a run of spaces is one word, wherever it stands
        return [
            self._word(word) for word in ([text] if spaces else self._tokenizer.cut(text)) if word
        ]

    def _word(self, text: str) -> _Word:
        word = self._words.get(text)
        if word is None:
            symbols = self._table.symbols(text)
            usual: list[tuple[list[int], int]] = []
            while found := self._table.best(symbols):
                _, position, merged = found
                usual.append((symbols.copy(), position))
                symbols[position : position + 2] = [merged]
            word = _Word(symbols, usual, (1 - self.rate) ** len(usual), zlib.crc32(text.encode()))
            self._words[text] = word
        return word

    def _other(self, word: _Word, chance: float) -> list[int]:
        """The outcome of the pool that ``chance``, above ``word.keep``, points at."""
        member = int((chance - word.keep) / (1 - word.keep) * _POOL)
        found = word.pool.get(member)
        if found is None:
            random = Random(word.seed * _POOL + member).random
            found = word.pool[member] = self._draw(word, random)
        return found

    def _draw(self, word: _Word, random: Callable[[], float]) -> list[int]:
        """Put a word together with at least one of its usual merges skipped."""
        # Which one is the first to be skipped: geometric, given that one is.
        survives, first, bound = word.keep + random() * (1 - word.keep), 0, 1 - self.rate
        while first < len(word.usual) - 1 and survives < bound:
            first += 1
            bound *= 1 - self.rate
        start, skipped = word.usual[first]
        symbols = start.copy()
        rule_of, rate = self._table.rules.get, self.rate
        rules = [rule_of(pair) for pair in pairwise(symbols)]
        while True:
            lowest, best = _NONE, -1
            for position, rule in enumerate(rules):
                # One random number for each possible merge that could win this step.
                if rule and rule[0] < lowest and position != skipped and random() >= rate:
                    lowest, best = rule[0], position
            if best < 0:
                return symbols
            chosen = rules[best]
            assert chosen is not None
            symbols[best : best + 2] = [chosen[1]]
            del rules[best]
            if best:
                rules[best - 1] = rule_of((symbols[best - 1], symbols[best]))
            if best < len(rules):
                rules[best] = rule_of((symbols[best], symbols[best + 1]))
            skipped = -1


class _Word:
    """A word: its usual ids and merges, and outcomes with merges skipped."""

    __slots__ = ("ids", "keep", "pool", "seed", "usual")

    def __init__(
        self, ids: list[int], usual: list[tuple[list[int], int]], keep: float, seed: int
    ) -> None:
        self.ids = ids
        self.usual = usual  # symbols before each usual merge, and where it happens
        self.keep = keep  # probability that none of them is skipped
        self.seed = seed
        self.pool: dict[int, list[int]] = {}


def _texts(description: dict[str, Any]) -> list[str]:
    """Token of each id."""
    vocabulary: dict[str, int] = description["model"]["vocab"]
    return sorted(vocabulary, key=vocabulary.__getitem__)


def _fixed(tokenizer: Tokenizer, description: dict[str, Any]) -> list[bool]:
    """Whether each id is a special token, a tag or a byte, which no merge touches."""
    vocabulary: dict[str, int] = description["model"]["vocab"]
    last = vocabulary["<0xFF>"]
    return [index <= last for index in range(tokenizer.size)]
