"""Find the vocabulary of a tokenizer in text: BPE, byte-level BPE, unigram, words, characters.

The counting is done by the ``tokenizers`` library; this file decides what belongs to a vocabulary
besides the learned pieces (special tokens, language tags, 256 bytes, the alphabet), keeps it within
its size and puts it in one fixed order, so that the same text always gives the same file.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from typing import Any

from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, trainers

from seqloom.errors import TokenizerError
from seqloom.symbols import SPECIALS
from seqloom.text import pipeline
from seqloom.text.pipeline import BYTES, KINDS, SEPARATOR, SPACE

_MIN_FREQUENCY = 2
"""A merge seen once teaches a model nothing."""


def learn(
    texts: Iterable[str],
    kind: str,
    size: int,
    *,
    tags: Sequence[str] = (),
    exact: bool = True,
    lowercase: bool = False,
) -> Tokenizer:
    """Learn a vocabulary of ``size`` tokens; see :meth:`seqloom.text.tokenizer.Tokenizer.train`.

    Raises:
        TokenizerError: unknown kind, no text, a size below the minimum or above what the text
            gives.
    """
    if kind not in KINDS:
        raise TokenizerError(
            f"unknown kind of tokenizer {kind!r}; set data.tokenizer to one of {', '.join(KINDS)}."
        )
    control = [*SPECIALS, *tags]
    minimum = len(control) + len(BYTES) + (kind != "byte_bpe")
    if size < minimum:
        raise TokenizerError(
            f"a {kind} vocabulary of {size} tokens is too small: {len(control)} special tokens "
            f"and tags and 256 bytes need at least {minimum}. Set data.vocabulary={minimum} or "
            "higher, or leave it out."
        )
    if lowercase:
        texts = map(normalizers.Lowercase().normalize_str, texts)
    texts = texts if isinstance(texts, list) else list(texts)
    counts = _characters(texts)
    if not counts:
        raise TokenizerError("no text to learn a vocabulary from: every line is empty.")
    if kind == "byte_bpe":
        budget = size - len(control)
        pieces, merges = _byte_bpe(texts, budget)
    else:
        budget = size - len(control) - len(BYTES)
        pieces, merges = _with_alphabet(texts, kind, budget, counts)
    if exact and len(pieces) < budget:
        most = size - budget + len(pieces)
        raise TokenizerError(
            f"a {kind} vocabulary of {size} tokens was asked for, but this text gives only {most}. "
            f"Set data.vocabulary={most} or lower, leave it out, or add text."
        )
    return pipeline.assemble(kind, control, pieces, merges, lowercase=lowercase)


def _characters(texts: Sequence[str]) -> Counter[str]:
    """Occurrences of each character as it stands in the pieces (``▁`` for a space)."""
    raw: Counter[str] = Counter()
    for text in texts:
        raw.update(text)
    counts: Counter[str] = Counter()
    for character, count in raw.items():
        for escaped in pipeline.escape(character):
            counts[escaped] += count
    if counts:
        counts[SPACE] += sum(1 for text in texts if text)
    return counts


def _with_alphabet(
    texts: Sequence[str], kind: str, budget: int, counts: Counter[str]
) -> tuple[dict[str, float], list[tuple[str, str]]]:
    """Pieces with their scores, and merges, for all kinds that fall back to bytes.

    At most half of the budget goes to single characters: beyond it the rare ones, spelled in bytes,
    leave room for longer pieces, as a Chinese vocabulary needs. Room that the text does not fill
    goes to them in the end.
    """
    ranked = sorted(counts, key=lambda c: (c != SPACE, -counts[c], c))
    limit = budget if kind == "character" else max(1, budget // 2)
    alphabet, rest = ranked[:limit], ranked[limit:]
    merges: list[tuple[str, str]] = []
    if kind == "bpe":
        learned, merges = _bpe(_without(texts, rest), budget, alphabet)
    elif kind == "unigram":
        learned = _unigram(_without(texts, rest), budget, alphabet)
    elif kind == "word":
        learned = dict.fromkeys(_words(texts), 0.0)
    else:
        learned = {}
    lowest = min(learned.values(), default=0.0)
    pieces = {character: learned.get(character, lowest) for character in alphabet}
    for piece, score in learned.items():
        if len(pieces) == budget:
            break
        pieces.setdefault(piece, score)
    for character in rest[: budget - len(pieces)]:
        pieces.setdefault(character, lowest)
    return pieces, merges


def _without(texts: Sequence[str], characters: Sequence[str]) -> Iterable[str]:
    """The texts with a separator in place of characters that get no piece of their own."""
    if not characters:
        return texts
    # Characters that travel as a pair of noncharacters are too rare to be worth learning.
    table = {ord(_plain(character)): SEPARATOR for character in characters}
    table |= dict.fromkeys((0xFDD0, 0xFDD1), SEPARATOR)

    def translated() -> Iterator[str]:
        for text in texts:
            yield text.translate(table)

    return translated()


def _plain(character: str) -> str:
    """The character of the text behind one of the alphabet."""
    return " " if character == SPACE else pipeline.unescape(character)


def _learner(kind: str, model: models.Model) -> Tokenizer:
    tokenizer = Tokenizer(model)
    tokenizer.normalizer = pipeline.normalizer(kind)
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Split(SEPARATOR, "removed"), pipeline.pre_tokenizer(kind)]
    )
    return tokenizer


def _run(kind: str, model: models.Model, trainer: Any, texts: Iterable[str]) -> dict[str, Any]:
    """Train, and return the ``model`` section of the result."""
    tokenizer = _learner(kind, model)
    tokenizer.train_from_iterator(texts, trainer)
    section: dict[str, Any] = json.loads(tokenizer.to_str())["model"]
    return section


def _bpe(
    texts: Iterable[str], budget: int, alphabet: Sequence[str], kind: str = "bpe"
) -> tuple[dict[str, float], list[tuple[str, str]]]:
    """Byte-pair encoding (Sennrich et al. 2016): merge the most frequent pair, again and again."""
    trainer = trainers.BpeTrainer(
        vocab_size=budget,
        min_frequency=_MIN_FREQUENCY,
        initial_alphabet=list(alphabet),
        show_progress=False,
    )
    model = _run(kind, models.BPE(), trainer, texts)
    ordered = sorted(model["vocab"], key=model["vocab"].__getitem__)
    return dict.fromkeys(ordered, 0.0), [(left, right) for left, right in model["merges"]]


def _byte_bpe(texts: Iterable[str], budget: int) -> tuple[dict[str, float], list[tuple[str, str]]]:
    """BPE over UTF-8 bytes (Radford et al. 2019)."""
    return _bpe(texts, budget, sorted(pre_tokenizers.ByteLevel.alphabet()), "byte_bpe")


def _unigram(texts: Iterable[str], budget: int, alphabet: Sequence[str]) -> dict[str, float]:
    """Unigram language model (Kudo 2018): pieces with their log-probabilities, likeliest first."""
    if budget <= len(alphabet):
        return {}
    # Each character once by itself, so that none loses all its probability to longer pieces: the
    # trainer keeps every piece that cannot be cut, and would prune for ever if these were many.
    alone = (SEPARATOR + _plain(character) for character in alphabet)
    trainer = trainers.UnigramTrainer(
        vocab_size=budget, special_tokens=[], unk_token=None, show_progress=False
    )
    model = _run("unigram", models.Unigram(), trainer, chain(texts, alone))
    # Sums over threads differ in the last bits from run to run; six digits do not.
    scored = [(piece, round(score, 6)) for piece, score in model["vocab"]]
    return dict(sorted(scored, key=lambda item: (-item[1], item[0])))


def _words(texts: Iterable[str]) -> list[str]:
    """All words, the most frequent first."""
    trainer = trainers.WordLevelTrainer(
        vocab_size=2**31, min_frequency=1, special_tokens=[], show_progress=False
    )
    vocabulary = _run("word", models.WordLevel(), trainer, texts)["vocab"]
    return sorted(vocabulary, key=vocabulary.__getitem__)
