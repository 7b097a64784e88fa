"""A text that is too long for a model, cut where a reader would pause."""

from __future__ import annotations

import re
from typing import Protocol

# Where to cut, best first: after a sentence, after a clause, after a word, after any character.
_PAUSES = (
    re.compile(r"[.!?…]+[\"')\]»”]*\s+|[。！？]+[」』”]*\s*"),
    re.compile(r"[,;:–—]\s+|[，；：、]\s*"),
    re.compile(r"\s+"),
)


class Encoder(Protocol):
    """Whatever turns text into ids; a tokenizer."""

    def encode(self, text: str) -> list[int]:
        """Ids of a text."""
        ...


def split_to_fit(text: str, tokenizer: Encoder, limit: int) -> list[str]:
    """``text`` in pieces of at most ``limit`` tokens each; one piece when it fits.

    Halves are cut again until they fit, at the best pause near their middle, so the pieces are of
    similar length and ``"".join`` gives the text back. A single character stays whole even if it
    takes more than ``limit`` tokens.
    """
    if len(text) <= 1 or len(tokenizer.encode(text)) <= limit:
        return [text]
    cut = _pause_near_the_middle(text)
    return [
        *split_to_fit(text[:cut], tokenizer, limit),
        *split_to_fit(text[cut:], tokenizer, limit),
    ]


def _pause_near_the_middle(text: str) -> int:
    """Where to cut: the best kind of pause in the middle half of the text, there the most central."""
    middle = len(text) / 2
    low, high = int(middle / 2), int(middle * 1.5)
    for pause in _PAUSES:
        ends = [found.end() for found in pause.finditer(text, low, high)]
        inner = [end for end in ends if 0 < end < len(text)]
        if inner:
            return min(inner, key=lambda end: abs(end - middle))
    return max(1, int(middle))
