"""Sentences whose words are given, as a translator reads and writes them."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Unpack

from seqloom.corpus.tagged import TaggedSentence
from seqloom.corpus.trees import Treebank
from seqloom.errors import TokenizerError
from seqloom.inspection.attention import AttentionRecord
from seqloom.inspection.recording import record_pair
from seqloom.text.pieces import Pieces, pieces_of
from seqloom.text.tags import Languages
from seqloom.text.tokenizer import Tokenizer
from seqloom.translator import Translator

_MANY = 4
"""Pieces of a word from which on a text looks foreign to a vocabulary."""


def record_words(
    translator: Translator,
    source: Sequence[str],
    target: Sequence[str],
    place: str,
    **languages: Unpack[Languages],
) -> tuple[AttentionRecord, tuple[int, int]]:
    """Where a translator looks while it reads and writes given words.

    Args:
        translator: any.
        source: words, written with spaces between them.
        target: likewise.
        place: file and line, for messages.
        languages: as for :meth:`Translator.translate`.

    Returns:
        The record, and how many tokens stand in front of the words of either side.

    Raises:
        DecodingError: a side is longer than the model's limit.
        TokenizerError: a word that the tokenizer has no piece for.
        SeqloomError: the model has no attention.
    """
    framing = translator.framing(**languages)
    fronts = framing.sources([""])[0], framing.targets([""])[0]
    tokenizers = translator.tokenizers.source, translator.tokenizers.target
    sides = [
        _behind(front, _pieces(tokenizer, words, place))
        for front, tokenizer, words in zip(fronts, tokenizers, (source, target), strict=True)
    ]
    (read, written), names = sides, ("source", "target")
    record = record_pair(
        translator.model,
        read.ids,
        written.ids,
        {n: t.pieces(s.ids) for n, t, s in zip(names, tokenizers, sides, strict=True)},
        words={"source": read.firsts, "target": written.firsts},
        title=f"{place}: {' '.join(source)}",
    )
    return record, (len(fronts[0]), len(fronts[1]))


def pieces_of_trees(tokenizer: Tokenizer, treebank: Treebank) -> tuple[list[Pieces], list[str]]:
    """The pieces of the sentences of a treebank, whose words each have pieces of their own.

    Returns:
        Pieces, and the notes of :func:`check_words`.

    Raises:
        TokenizerError: a word has no piece of its own, or as :func:`check_words`.
    """
    sentences = [tree.sentence for tree in treebank.trees]
    found = list(pieces_of(tokenizer, sentences))
    for sentence, pieces in zip(sentences, found, strict=True):
        for word, (one, after) in enumerate(pairwise(pieces.firsts)):
            if one == after:
                raise TokenizerError(
                    f"{sentence.place}: {sentence.words[word]!r} and {sentence.words[word + 1]!r} "
                    "share a token of this model, so no weight belongs to one of them alone. Take "
                    "the sentence out, or choose another model."
                )
    return found, check_words(tokenizer, found, treebank.name)


def check_words(tokenizer: Tokenizer, found: Sequence[Pieces], name: str) -> list[str]:
    """What is to be said of words that are no words of the model's language; mostly nothing.

    Args:
        tokenizer: of the model.
        found: the pieces of all sentences.
        name: of the file, for messages.

    Raises:
        TokenizerError: most words have no piece that the model knows.
    """
    words = sum(len(pieces.firsts) for pieces in found)
    unknown = sum(each == tokenizer.symbols.unknown for pieces in found for each in pieces.ids)
    if 2 * unknown > words:
        raise TokenizerError(
            f"{name}: {unknown:,} tokens of its {words:,} words are unknown to this model; is it "
            "in the language that the model reads?"
        )
    each = sum(len(pieces.ids) for pieces in found) / max(words, 1)
    if each <= _MANY or tokenizer.kind == "character":
        return []
    return [
        f"the words of {name} are cut into {each:.1f} pieces each; is it written in the language "
        "of the model?"
    ]


def _pieces(tokenizer: Tokenizer, words: Sequence[str], place: str) -> Pieces:
    none = [""] * len(words)
    [found] = pieces_of(
        tokenizer, [TaggedSentence(tuple(words), tuple(none), (False,) * len(words), place)]
    )
    return found


def _behind(front: list[int], found: Pieces) -> Pieces:
    """Each token in front is a word of its own, and no piece stands before the first word."""
    starts = [*range(len(front)), *(len(front) + first for first in found.firsts)]
    if found.firsts:
        starts[len(front)] = len(front)
    return Pieces([*front, *found.ids], starts)
