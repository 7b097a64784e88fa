"""What models are fine-tuned on: texts, pairs of texts and tagged sentences as ids and labels.

A text stands between the symbols of beginning and end, ``<s> text </s>``; the second of two texts
follows as segment 1, ``<s> text </s> other </s>`` (Devlin et al. 2019). What is longer than the
context is cut, of two texts the longer one; a tagged sentence is split, so that no word is lost.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from seqloom.corpus.tagged import TaggedSentences
from seqloom.symbols import PAD, Symbols
from seqloom.text.pieces import Pieces, pieces_of
from seqloom.text.tokenizer import Tokenizer

UNKNOWN = -1
"""The number of a label that training does not know; no loss counts it."""


class Example(NamedTuple):
    """Ids of T tokens with what is to be said of some of them."""

    ids: list[int]
    segments: list[int]
    """Which of two texts each token belongs to."""
    places: list[int]
    """Tokens that have a label: the first of a text, or the first piece of each word."""
    labels: list[int]
    """Their labels, as numbers."""
    number: int
    """Which text or sentence this is, or is a part of."""


@dataclass(frozen=True)
class Examples:
    """Examples in memory."""

    items: list[Example]
    said: str | None = None
    """What was too long, and what became of it."""
    group: int = 1
    """So many neighbours belong together: 2 where texts come in pairs."""
    pad: int = PAD
    """Fills rows up."""


def text_examples(
    tokenizer: Tokenizer,
    texts: Sequence[str],
    context: int,
    *,
    seconds: Sequence[str] | None = None,
    labels: Sequence[int] | None = None,
    name: str = "texts",
) -> Examples:
    """Texts, or pairs of texts, with a label each.

    Args:
        tokenizer: cuts texts into pieces.
        texts: the only, or the first texts.
        context: longest example, in tokens.
        seconds: the second texts.
        labels: numbers of classes; :data:`UNKNOWN` when left out.
        name: what the message of what was cut calls the texts.
    """
    sides = [tokenizer.encode_batch(texts)]
    if seconds is not None:
        sides.append(tokenizer.encode_batch(seconds))
    items, longest, cut = list[Example](), 0, 0
    symbols = tokenizer.symbols
    for number, parts in enumerate(zip(*sides, strict=True)):
        length = sum(map(len, parts)) + len(parts) + 1
        longest, cut = max(longest, length), cut + (length > context)
        label = UNKNOWN if labels is None else labels[number]
        items.append(_framed(_shortened(parts, context - len(parts) - 1), symbols, label, number))
    said = (
        f"{name}: {cut:,} of {len(items):,} {'texts' if seconds is None else 'pairs'} are longer "
        f"than the context of {context:,} tokens and are cut to it; the longest has {longest:,}"
    )
    return Examples(items, said if cut else None, pad=symbols.pad)


def tag_examples(
    tokenizer: Tokenizer,
    found: TaggedSentences,
    tags: Mapping[str, int],
    context: int,
) -> Examples:
    """Tagged sentences, a label for each word; a tag that is not in ``tags`` is UNKNOWN."""
    items, longest, split = list[Example](), 0, 0
    symbols = tokenizer.symbols
    pieces = pieces_of(tokenizer, found.sentences)
    for number, (each, whole) in enumerate(zip(found.sentences, pieces, strict=True)):
        labels = [tags.get(tag, UNKNOWN) for tag in each.tags]
        longest = max(longest, len(whole.ids) + 2)
        split += len(whole.ids) + 2 > context
        for part in split_pieces(whole, context - 2):
            ids = [symbols.begin, *part.ids, symbols.end]
            places = [first + 1 for first in part.firsts]
            of_part, labels = labels[: len(places)], labels[len(places) :]
            items.append(Example(ids, [0] * len(ids), places, of_part, number))
    said = (
        f"{found.name}: {split:,} of {len(found):,} sentences are longer than the context of "
        f"{context:,} tokens and are split between words; the longest has {longest:,}"
    )
    return Examples(items, said if split else None, pad=symbols.pad)


def pair_examples(
    tokenizer: Tokenizer,
    pairs: Iterable[tuple[str, str]],
    context: int,
    name: str = "pairs",
) -> Examples:
    """Pairs of texts that mean alike, each text an example; equal texts have equal labels."""
    texts = [text for pair in pairs for text in pair]
    numbers = dict[str, int]()
    labels = [numbers.setdefault(text, len(numbers)) for text in texts]
    found = text_examples(tokenizer, texts, context, labels=labels, name=name)
    return replace(found, group=2)


def split_pieces(whole: Pieces, limit: int) -> Iterator[Pieces]:
    """Parts of at most ``limit`` tokens, cut before words; a longer word loses its last pieces."""
    edges = [0, *whole.firsts[1:], len(whole.ids)]  # what stands before the first word is its own
    start = 0
    for word in range(1, len(edges)):
        last = word == len(edges) - 1
        if last or edges[word + 1] - edges[start] > limit:
            begin, end = edges[start], min(edges[word], edges[start] + limit)
            firsts = [min(first - begin, limit - 1) for first in whole.firsts[start:word]]
            yield Pieces(whole.ids[begin:end], firsts)
            start = word


def _shortened(parts: Sequence[list[int]], limit: int) -> list[list[int]]:
    """Ids of one or two texts, the longer one cut until both fit."""
    *before, last = parts
    if not before:
        return [last[:limit]]
    half = limit // 2
    first = before[0][: max(half, limit - len(last))]
    return [first, last[: limit - len(first)]]


def _framed(parts: Sequence[list[int]], symbols: Symbols, label: int, number: int) -> Example:
    ids, segments = [symbols.begin], [0]
    for segment, part in enumerate(parts):
        ids += [*part, symbols.end]
        segments += [segment] * (len(part) + 1)
    return Example(ids, segments, [0], [label], number)
