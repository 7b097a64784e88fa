"""A small corpus for the tests of this room, and tokenizers learned from it."""

from __future__ import annotations

import random

import pytest

from seqloom.text.tokenizer import Tokenizer

KINDS = ("bpe", "byte_bpe", "unigram", "word", "character")

_STEMS = ["Hund", "Katze", "Haus", "lauf", "spiel", "klein", "groß", "unbelievable", "house", "dog"]
_ENDINGS = ["", "", "e", "en", "er", "s", "ing"]


def make_sentences(count: int, seed: int = 1) -> list[str]:
    chance = random.Random(seed)
    lines = []
    for _ in range(count):
        words = [
            chance.choice(_STEMS) + chance.choice(_ENDINGS) for _ in range(chance.randint(3, 8))
        ]
        words.insert(2, str(chance.randint(1, 2030)))
        lines.append(" ".join(words) + chance.choice([".", "!", ", don't.", " (x)."]))
    return lines


@pytest.fixture(scope="session")
def sentences() -> list[str]:
    return make_sentences(400)


@pytest.fixture(scope="session")
def tokenizers(sentences) -> dict[str, Tokenizer]:
    return {
        kind: Tokenizer.train(sentences, kind, 340, tags=["de", "ru"], exact=False)
        for kind in KINDS
    }


@pytest.fixture(params=KINDS)
def tokenizer(request, tokenizers) -> Tokenizer:
    return tokenizers[request.param]


@pytest.fixture(scope="session")
def bpe(tokenizers) -> Tokenizer:
    return tokenizers["bpe"]
