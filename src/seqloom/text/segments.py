"""A text that is too long for a model, cut where it hurts least."""

from __future__ import annotations

import re
from collections.abc import Callable


def split_text(text: str, limit: int, length: Callable[[str], int]) -> list[str]:
    """Parts of at most ``limit``: whole sentences, else cut at spaces, else anywhere.

    Neighbouring sentences stay together up to half of the limit. Parts without text are left out;
    otherwise joining the parts gives the text back.

    Args:
        text: any text.
        limit: longest part, in the units of ``length``.
        length: such as the number of tokens; a single character may be longer than the limit.
    """
    parts: list[str] = []
    for sentence in _sentences(text):
        joined = parts[-1] + sentence if parts else ""
        if joined and length(joined) <= limit // 2:
            parts[-1] = joined
        elif len(sentence) == 1 or length(sentence) <= limit:
            parts.append(sentence)
        else:
            middle = _middle(sentence)
            parts += split_text(sentence[:middle], limit, length)
            parts += split_text(sentence[middle:], limit, length)
    return [part for part in parts if part.strip()]


def _sentences(text: str) -> list[str]:
    """The text cut behind the marks that end a sentence, nothing lost."""
    return [part for part in re.split(r"(?<=[.!?…])(?=\s)|(?<=[。！？])", text) if part]


def _middle(text: str) -> int:
    """Where to cut a sentence that is too long: the space nearest to its middle, or the middle."""
    middle = len(text) // 2
    spaces = [match.start() for match in re.finditer(r"\s", text.rstrip())]
    inside = [space for space in spaces if space > 0]
    return min(inside, key=lambda space: abs(space - middle), default=max(1, middle))
