"""Filters that look at the characters: of a wrong script, or such as no text should hold."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from seqloom.corpus.filters.base import FEW, SHARES, Filter, at_least, at_most, sides
from seqloom.corpus.scripts import script_counts, scripts_of

_CONTROL = "".join(
    (
        r"\x00-\x08\x0B\x0C\x0E-\x1F\x7F-\x{9F}",  # C0 and C1, but for tab, LF and CR
        r"\x{202D}\x{202E}",  # overrides of the direction: text is read otherwise than it stands
        r"\x{FEFF}",  # a byte-order mark inside a text is left over from joined files
        r"\x{FFF9}-\x{FFFD}",  # what stands for something that was lost, such as U+FFFD
        r"\x{FDD0}-\x{FDEF}",  # noncharacters, also the last two of every plane
        *(rf"\x{{{plane:X}FFFE}}\x{{{plane:X}FFFF}}" for plane in range(17)),
        r"\x{E000}-\x{F8FF}\x{F0000}-\x{FFFFD}\x{100000}-\x{10FFFD}",  # private use
    )
)


class ScriptFilter(Filter):
    """Drops pairs with a side in the wrong script.

    Score: the share of the letters of a side that are in a script of its language; the smaller one
    of both sides. A side without letters, or of an unknown language, has 1. Translations of
    technical texts are full of Latin names and code, so the usual share is low: it finds sides that
    are in a wrong script as a whole. For prose, 0.5 is a good choice.
    """

    name = "script"
    edges = SHARES

    def __init__(
        self, source_language: str | None, target_language: str | None, min_share: float = 0.05
    ) -> None:
        self.languages = (source_language, target_language)
        self.min_share = self.threshold = min_share
        self.reason = (
            f"less than {min_share:.0%} of a side's letters are in a script of its language"
        )

    def score(self, batch: pa.RecordBatch) -> pa.Array[Any]:
        """See :class:`Filter`."""
        return pa.array(np.minimum(*map(_share, sides(batch), self.languages)))

    def accept(self, scores: pa.Array[Any]) -> pa.Array[Any]:
        """See :class:`Filter`."""
        return at_least(scores, self.min_share)


class ControlFilter(Filter):
    """Drops pairs with characters that no text should hold. Score: how many both sides hold.

    These are control characters other than tab and line ends (C1 ones are mostly wrong encodings),
    directional overrides, byte-order marks, replacement characters, noncharacters, and private use
    characters, which mean something in one font only. Directional marks, embeddings and isolates
    are usual in Arabic and Hebrew and do not count.
    """

    name = "control"
    reason = "characters that belong in no text"
    edges = FEW
    threshold = 1

    def score(self, batch: pa.RecordBatch) -> pa.Array[Any]:
        """See :class:`Filter`."""
        return pc.add(*(pc.count_substring_regex(s, f"[{_CONTROL}]") for s in sides(batch)))

    def accept(self, scores: pa.Array[Any]) -> pa.Array[Any]:
        """See :class:`Filter`."""
        return at_most(scores, 0)


def _share(texts: pa.Array[Any], language: str | None) -> NDArray[np.float64]:
    own = scripts_of(language) if language else ()
    share = np.ones(len(texts))
    if own:
        counts = script_counts(texts)
        letters = sum(counts.values(), np.zeros(len(texts), np.int64))
        fitting = sum((counts[script] for script in own if script in counts), 0 * letters)
        np.divide(fitting, letters, out=share, where=letters > 0)
    return share
