"""Texts into sentences, by rules that need no language: end marks and line breaks.

A sentence ends after ``. ! ? …`` with the quotes and brackets that close behind them, if white
space follows and then no small letter; after ``。！？`` in any case; and after line breaks. White
space inside a line begins the next sentence, as the space mark begins its first token. Nothing is
lost: the sentences of a text, joined, are the text.
"""

from __future__ import annotations

import re

_CLOSING = r"[\"'”’»›)\]}」』）】》〉]*"
_BREAKS = r"\n(?:[^\S\n]*\n)*"
_ENDS = re.compile(
    rf"(?P<spaced>[.!?…]+{_CLOSING}(?=\s))(?P<break>[^\S\n]*{_BREAKS})?"
    rf"|[。！？｡．]+{_CLOSING}(?:[^\S\n]*{_BREAKS})?"
    rf"|{_BREAKS}"
)
_NEXT = re.compile(r"\S")


def sentence_ends(text: str) -> list[int]:
    """Where each sentence ends, in characters; the last is the length of the text."""
    ends: list[int] = []
    for match in _ENDS.finditer(text):
        if match["spaced"] and match["break"] is None:
            following = _NEXT.search(text, match.end())
            if following and following[0].islower():
                continue
        ends.append(match.end())
    if text and (not ends or ends[-1] < len(text)):
        ends.append(len(text))
    return ends


def sentences(text: str) -> list[str]:
    """The sentences of a text; joined, they are the text."""
    ends = sentence_ends(text)
    return [text[start:end] for start, end in zip([0, *ends], ends, strict=False)]
