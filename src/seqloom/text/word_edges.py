"""Where words begin and end, found for all characters of many lines at once.

Axes: C characters of all lines one after the other, N lines.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from seqloom.corpus.codepoints import Points, Starts, members
from seqloom.errors import MissingExtraError

_OTHER, _SPACED, _UNSPACED, _MARK, _JOINER = range(5)
_UNSPACED_SCRIPTS = r"\p{Han}\p{Hiragana}\p{Katakana}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}"
_OF_NO_SCRIPT = "ー〆〱-〵ｰﾞﾟ"  # which Unicode leaves to all scripts of Japan and China
_WHITE = r"\p{Z}\x{9}-\x{D}\x{1C}-\x{1F}\x{85}"  # where str.split cuts
_LINE_END = ord("\n")

Kinds = NDArray[np.uint8]
Flags = NDArray[np.bool_]


def find_words(points: Points, starts: Starts, split: str) -> tuple[Flags, Flags]:
    """Find the words of lines.

    Args:
        points: code points of all lines [C].
        starts: where each line begins, and the last ends [N + 1].
        split: ``words`` or ``spaces``, as :class:`~seqloom.text.words.WordRule` explains.

    Returns:
        For each character whether a word begins there [C], and whether it is in a word [C].

    Raises:
        MissingExtraError: an unspaced script, and ICU is not installed.
    """
    kinds = _kinds(split)[points]
    first = np.zeros(len(points), np.bool_)
    first[starts[starts < len(points)]] = True
    unspaced = bool((kinds == _UNSPACED).any())
    _settle_marks(kinds, first, unspaced)
    _settle_joiners(kinds, first)
    inside = kinds != _OTHER
    begins = inside.copy()
    begins[1:] &= (kinds[1:] != kinds[:-1]) | first[1:]
    if unspaced:
        _cut_unspaced(points, kinds, begins)
    return begins, inside


def _settle_marks(kinds: Kinds, first: Flags, unspaced: bool) -> None:
    """Marks that scripts share (accents, the voicing of kana) are of the script before them."""
    marks = np.flatnonzero(kinds == _MARK)
    kinds[marks] = _SPACED
    if unspaced:
        # One after the other, since a mark may follow a mark.
        for mark in marks[(marks > 0) & ~first[marks]].tolist():
            if kinds[mark - 1] == _UNSPACED:
                kinds[mark] = _UNSPACED


def _settle_joiners(kinds: Kinds, first: Flags) -> None:
    """Apostrophes and underscores belong to a word if one has a letter on both of its sides."""
    joiners = np.flatnonzero(kinds == _JOINER)
    kinds[joiners] = _OTHER
    inner = joiners[(joiners > 0) & (joiners < len(kinds) - 1)]
    joins = (kinds[inner - 1] == _SPACED) & (kinds[inner + 1] == _SPACED)
    kinds[inner[joins & ~first[inner] & ~first[inner + 1]]] = _SPACED


def _cut_unspaced(points: Points, kinds: Kinds, begins: Flags) -> None:
    """Add to ``begins`` where the dictionaries of ICU begin a word."""
    try:
        from icu4py.breakers import WordBreaker
    except ImportError:
        raise MissingExtraError(
            "Finding words in Chinese, Japanese, Thai, Lao, Khmer or Burmese (ICU)", "vectors"
        ) from None
    places = np.flatnonzero(kinds == _UNSPACED)
    # All runs at once: to start ICU costs more than to cut a run, and no word spans a line end.
    runs = np.insert(points[places], np.flatnonzero(begins[places]), _LINE_END)
    text = runs.astype("<u4").tobytes().decode("utf-32-le")
    lengths = np.fromiter(map(len, WordBreaker(text, "zh")), np.int64)
    cuts = np.zeros(len(runs), np.bool_)
    cuts[np.cumsum(lengths) - lengths] = True
    begins[places] = cuts[runs != _LINE_END]


@lru_cache(maxsize=2)
def _kinds(split: str) -> Kinds:
    """What each code point is to a rule."""
    if split == "spaces":
        return (~members(_WHITE)).astype(np.uint8)
    letters = members(r"\p{L}\p{M}\p{N}")
    table = letters.astype(np.uint8)
    table[letters & members(_UNSPACED_SCRIPTS + _OF_NO_SCRIPT)] = _UNSPACED
    table[letters & members(r"\p{Inherited}")] = _MARK
    table[[ord(character) for character in "'_"]] = _JOINER
    return table
