"""The smallest task that needs attention: write the sequence backwards."""

from __future__ import annotations

import random

from seqloom.corpus.pairs import Corpus
from seqloom.errors import CorpusError

LETTERS = "abcdefghijklmnopqrstuvwxyz"
SHORTEST, LONGEST = 3, 8
"""Lengths of the sequences, in letters."""


def reverse_corpus(pairs: int, seed: int) -> Corpus:
    """``pairs`` different pairs such as ``("q a z", "z a q")``; the same arguments, the same pairs.

    Letters are separated by spaces, so they are words to a word tokenizer.

    Raises:
        CorpusError: no pairs, or more than a million, are asked for.
    """
    if not 1 <= pairs <= 1_000_000:
        raise CorpusError(f"a toy corpus of {pairs} pairs: expected between 1 and 1,000,000.")
    chance = random.Random(seed)
    seen: dict[str, None] = {}
    while len(seen) < pairs:
        length = chance.randint(SHORTEST, LONGEST)
        seen[" ".join(chance.choices(LETTERS, k=length))] = None
    return Corpus.of(((text, text[::-1]) for text in seen), name="reverse")
