"""Strings at which an output ends: found as soon as its text holds one, and cut off with the rest.

Search knows tokens and no text, so callers hand it a function from ids to text. That function must
only append: the text of some tokens begins with the text of fewer of them, but for a character
whose bytes are incomplete (U+FFFD).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from torch import Tensor

from seqloom.errors import DecodingError
from seqloom.recipe import DecodingRecipe

Decode = Callable[[Sequence[int]], str]
"""From the ids of an output to its text."""

_INCOMPLETE = "\N{REPLACEMENT CHARACTER}"
_BYTES = 4
"""Tokens that one character takes at most, in UTF-8 bytes."""
_SLACK = 8
"""Tokens more than a string can take: the text of a part may begin otherwise than in the whole."""


class Stops:
    """Finds the rows whose text holds one of some strings.

    Only the end of a text is looked at, since its beginning was before; what is found there is
    looked for in the whole text once more.
    """

    def __init__(self, strings: Sequence[str], decode: Decode) -> None:
        self._strings = strings
        self._decode = decode
        self._window = _BYTES * max(map(len, strings)) + _SLACK

    @classmethod
    def of(cls, options: DecodingRecipe, decode: Decode | None) -> Stops | None:
        """The strings that ``options`` asks for, if any.

        Raises:
            DecodingError: there are some, and no ``decode``.
        """
        if not options.stop:
            return None
        if decode is None:
            raise DecodingError(
                f"decoding.stop: {', '.join(map(repr, options.stop))} cannot be found in ids; give "
                "the search a function from ids to text (decode=...), or leave it out."
            )
        return cls(options.stop, decode)

    def found(self, written: Tensor, rows: Sequence[int]) -> list[int]:
        """Those of ``rows`` whose tokens ``written`` [R T], the newest last, hold a string."""
        tails = written[:, -self._window :].tolist()
        hits = [row for row in rows if self._holds(tails[row])]
        return [row for row in hits if self._holds(written[row].tolist())]

    def _holds(self, ids: Sequence[int]) -> bool:
        text = self._decode(ids)
        return any(string in text for string in self._strings)


def before_stop(text: str, strings: Sequence[str]) -> str:
    """``text`` up to the first of ``strings`` in it; all of it where there is none."""
    places = [place for string in strings if (place := text.find(string)) >= 0]
    return text[: min(places)] if places else text


def certain(text: str, strings: Sequence[str]) -> str:
    """What more tokens cannot change: no half of a character, no beginning of a string to stop at.

    ``text`` holds none of ``strings``.
    """
    text = text.rstrip(_INCOMPLETE)
    held = 0
    for string in strings:
        sizes = range(min(len(string) - 1, len(text)), held, -1)
        held = next((size for size in sizes if text.endswith(string[:size])), held)
    return text[: len(text) - held]
