"""Words that are given, such as those of a treebank, as pieces of a tokenizer.

A sentence is encoded as people write it, so its pieces are those that the model met when it was
trained. The first piece of a word is the one that its first character lies in. Where a piece would
cross the edge of two words (``cannot`` as ``can`` and ``not``), a space is put between them. This
asks nothing of a tokenizer but to tell where its pieces stand.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from seqloom.corpus.tagged import TaggedSentence
from seqloom.errors import TokenizerError
from seqloom.symbols import Symbols
from seqloom.text.tokenizer import Tokenizer

_TOGETHER = 2**12  # sentences that are encoded at once

Span = tuple[int, int]
"""First character, and the one behind the last."""
Written = tuple[str, list[Span]]
"""A text, and where its words stand."""
Located = tuple[list[int], list[Span]]
"""Ids, and where their pieces stand."""


class Pieces(NamedTuple):
    """The pieces of a sentence and where its words begin."""

    ids: list[int]
    firsts: list[int]
    """Place in ``ids`` of the first piece of each word, rising."""


def pieces_of(tokenizer: Tokenizer, sentences: Sequence[TaggedSentence]) -> Iterator[Pieces]:
    """The pieces of sentences without symbols around them.

    A word that the tokenizer passes over, such as one of control characters, becomes the symbol of
    the unknown.

    Raises:
        TokenizerError: there is such a word and no such symbol, or a word is not Unicode.
    """
    for start in range(0, len(sentences), _TOGETHER):
        part = sentences[start : start + _TOGETHER]
        written, located = _parted(tokenizer, part)
        for each, (ids, spans), (_, words) in zip(part, located, written, strict=True):
            yield _pieces(ids, _firsts(spans, words), each, tokenizer.symbols)


def _parted(
    tokenizer: Tokenizer, part: Sequence[TaggedSentence]
) -> tuple[list[Written], list[Located]]:
    """Sentences as text, with as few spaces more as keep pieces inside of words; their pieces."""
    joined = [list(each.joined) for each in part]
    written = [_written(each.words, each.joined) for each in part]
    located = tokenizer.locate_batch([text for text, _ in written])
    again = list(range(len(part)))
    while again:  # a space may leave a piece that crosses the next edge
        before, again = again, []
        for number in before:
            words = _crossed(located[number][1], written[number][1])
            together = [word for word in words if joined[number][word]]
            if together:
                again.append(number)
            for word in together:
                joined[number][word] = False
            written[number] = _written(part[number].words, joined[number])
        found = tokenizer.locate_batch([written[number][0] for number in again])
        for number, each in zip(again, found, strict=True):
            located[number] = each
    return written, located


def words_of(tokenizer: Tokenizer, text: str) -> Pieces:
    """The pieces of a text and where its words begin: what stands between white space.

    A text of several pieces without white space, as Chinese is written, has a word a piece; a word
    that has no piece of its own, and what stands before the first, belongs to its neighbour.
    """
    [(ids, spans)] = tokenizer.locate_batch([text])
    words = [found.span() for found in re.finditer(r"\S+", text)]
    if len(words) < 2:
        return Pieces(ids, list(range(len(ids))))
    firsts = {piece for piece, own in _firsts(spans, words) if own}
    return Pieces(ids, sorted(firsts | {0} if ids else firsts))


def ids_in_words(
    tokenizer: Tokenizer, text: str, ids: Sequence[int]
) -> tuple[list[str], list[int]]:
    """The pieces of a text's ids and where words begin; tags in front are words of their own."""
    found = words_of(tokenizer, text)
    front = len(ids) - len(found.ids)
    return tokenizer.pieces(ids), [*range(front), *(front + first for first in found.firsts)]


def _written(words: Sequence[str], joined: Sequence[bool]) -> tuple[str, list[Span]]:
    """A sentence as text, and where its words stand in it."""
    parts, spans = list[str](), list[Span]()
    end = 0
    for word, no_space in zip(words, joined, strict=True):
        space = "" if no_space or not parts else " "
        parts.append(space + word)
        begin, end = end + len(space), end + len(space) + len(word)
        spans.append((begin, end))
    return "".join(parts), spans


def _firsts(pieces: Sequence[Span], words: Sequence[Span]) -> list[tuple[int, bool]]:
    """For each word the piece that its first character lies in, or that comes next; is it its own?

    A word that the tokenizer passes over has no piece of its own.
    """
    found, piece = list[tuple[int, bool]](), 0
    for begin, end in words:
        while piece < len(pieces) and pieces[piece][1] <= begin:
            piece += 1
        found.append((piece, piece < len(pieces) and pieces[piece][0] < end))
    return found


def _crossed(pieces: Sequence[Span], words: Sequence[Span]) -> list[int]:
    """The words whose first piece begins in the word before."""
    firsts = _firsts(pieces, words)
    return [
        word
        for word, (piece, own) in enumerate(firsts)
        if word and own and pieces[piece][0] < words[word - 1][1]
    ]


def _pieces(
    ids: list[int], firsts: list[tuple[int, bool]], sentence: TaggedSentence, symbols: Symbols
) -> Pieces:
    """Put the symbol of the unknown where words have no piece."""
    if all(own for _, own in firsts):
        return Pieces(ids, [piece for piece, _ in firsts])
    if symbols.unknown is None:
        word = next(w for w, (_, own) in zip(sentence.words, firsts, strict=True) if not own)
        raise TokenizerError(
            f"{sentence.place}: the tokenizer has no piece for the word {word!r} and no symbol of "
            "the unknown. Take the word out, or choose another model."
        )
    filled, places, taken = list[int](), list[int](), 0
    for piece, own in firsts:
        filled += ids[taken:piece]
        taken = piece
        places.append(len(filled))
        if not own:
            filled.append(symbols.unknown)
    return Pieces(filled + ids[taken:], places)
