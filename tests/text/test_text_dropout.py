"""BPE-dropout: never another text, the same with the same seed, distributed as in the paper."""

from __future__ import annotations

import math
import random
import time
from collections import Counter
from itertools import pairwise

import numpy as np
import pytest

from seqloom.errors import TokenizerError
from seqloom.text import dropout
from seqloom.text.dropout import BpeDropout
from seqloom.text.tokenizer import Tokenizer

TEXTS = [
    "unbelievable Hunde spielen.",
    "  two  spaces  ",
    "▁ literal",
    "naïve ✓ €5 (x).",
    "don't 'stop' dogs'",
    "第二の犬。",
    "",
]


def naive(tokenizer: Tokenizer, word: str, rate: float, chance: random.Random) -> tuple[str, ...]:
    """Algorithm 1 of Provilkov et al. 2020, word by word as it is printed there."""
    ranks = {tuple(m): r for r, m in enumerate(tokenizer.description["model"]["merges"])}
    pieces = list(word)
    while True:
        possible = [
            (ranks[pair], i)
            for i, pair in enumerate(pairwise(pieces))
            if pair in ranks and chance.random() >= rate
        ]
        if not possible:
            return tuple(pieces)
        _, i = min(possible)
        pieces[i : i + 2] = [pieces[i] + pieces[i + 1]]


@pytest.mark.parametrize("rate", [0.1, 0.5, 0.9])
def test_the_text_stays_the_same(bpe, sentences, rate):
    drop, rng = BpeDropout(bpe, rate), np.random.default_rng(1)
    texts = TEXTS + sentences[:100]
    dropped = [drop(ids, rng) for ids in bpe.encode_batch(texts)]
    assert bpe.decode_batch(dropped) == texts
    assert dropped != bpe.encode_batch(texts)


def test_rate_zero_changes_nothing(bpe, sentences):
    drop, rng = BpeDropout(bpe, 0.0), np.random.default_rng(1)
    for ids in bpe.encode_batch(TEXTS + sentences):
        assert drop(ids, rng) == ids


def test_words_without_a_skipped_merge_are_as_usual(bpe, sentences):
    drop, rng = BpeDropout(bpe, 1e-12), np.random.default_rng(1)
    for ids in bpe.encode_batch(TEXTS + sentences):
        assert drop(np.array(ids, dtype=np.uint16), rng) == ids


def test_tags_and_specials_stay_in_place(bpe):
    drop, rng = BpeDropout(bpe, 0.9), np.random.default_rng(1)
    dropped = drop([*bpe.encode("Hund", tags=["ru"]), 2], rng)
    assert (dropped[0], dropped[-1]) == (5, 2)
    assert drop([4], rng) == [4]
    assert drop([], rng) == []


def test_same_seed_same_outcome_whatever_was_seen_before(bpe, sentences):
    batch = bpe.encode_batch(sentences[:50])
    fresh, used = BpeDropout(bpe, 0.2), BpeDropout(bpe, 0.2)
    warm_up = np.random.default_rng(9)
    for ids in bpe.encode_batch(sentences):
        used(ids, warm_up)
    rngs = [np.random.default_rng(5), np.random.default_rng(5)]
    assert [fresh(ids, rngs[0]) for ids in batch] == [used(ids, rngs[1]) for ids in batch]
    other = np.random.default_rng(6)
    assert [fresh(ids, other) for ids in batch] != [
        fresh(ids, np.random.default_rng(5)) for ids in batch
    ]


def test_a_full_cache_changes_nothing(bpe, sentences, monkeypatch):
    batch = bpe.encode_batch(sentences[:50])
    large, small = BpeDropout(bpe, 0.2), BpeDropout(bpe, 0.2)
    expected = [large(ids, np.random.default_rng(5)) for ids in batch]
    monkeypatch.setattr(dropout, "_CACHED", 3)
    assert [small(ids, np.random.default_rng(5)) for ids in batch] == expected


@pytest.mark.parametrize("rate", [0.1, 0.4])
def test_distributed_as_in_the_paper(bpe, rate, monkeypatch):
    # A large pool, so that what is compared is the drawing and not the choice of pool members.
    monkeypatch.setattr(dropout, "_POOL", 2**20)
    draws = 4000
    ids, drop, rng = bpe.encode("Hunden"), BpeDropout(bpe, rate), np.random.default_rng(1)
    ours = Counter(tuple(bpe.pieces(drop(ids, rng))) for _ in range(draws))
    chance = random.Random(2)
    paper = Counter(naive(bpe, "▁Hunden", rate, chance) for _ in range(draws))
    for pieces in {*ours, *paper}:
        share = (ours[pieces] + paper[pieces]) / (2 * draws)
        margin = 5 * math.sqrt(2 * share * (1 - share) / draws) + 1e-3
        assert abs(ours[pieces] - paper[pieces]) / draws < margin, pieces


def test_the_higher_the_rate_the_more_pieces(bpe, sentences):
    rng = np.random.default_rng(1)
    batch = bpe.encode_batch(sentences)
    counts = [
        sum(len(drop(ids, rng)) for ids in batch)
        for drop in (BpeDropout(bpe, rate) for rate in (0.0, 0.1, 0.3, 0.6))
    ]
    assert counts == sorted(counts) and len(set(counts)) == 4


def test_other_kinds_are_refused(tokenizers):
    for kind in ("byte_bpe", "unigram", "word", "character"):
        with pytest.raises(TokenizerError, match=rf"a {kind} tokenizer.*data\.bpe_dropout=0"):
            BpeDropout(tokenizers[kind], 0.1)


def test_fast_enough_for_every_epoch(bpe, sentences):
    # 29 000 pairs of 14 tokens in a few seconds are about 50 microseconds a sentence.
    batch = bpe.encode_batch(sentences)
    drop, rng = BpeDropout(bpe, 0.1), np.random.default_rng(1)
    for ids in batch:
        drop(ids, rng)
    start = time.process_time()
    for _ in range(5):
        for ids in batch:
            drop(ids, rng)
    assert (time.process_time() - start) / (5 * len(batch)) < 200e-6
