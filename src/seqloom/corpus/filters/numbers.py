"""Numbers that differ between source and target.

A number is a run of decimal digits of any script, without its leading zeros. A mark between groups
of three digits belongs to it (``1,000``, ``1.000``, ``1 000``, ``1'000``; in India ``1,00,000``).
Any other mark parts two numbers, on both sides alike: ``0.5`` and ``0,5`` are equal, and so are
``12.05.2020`` and ``12/5/2020``. A number word is no number.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from seqloom.corpus.filters.base import SHARES, Filter, at_most, sides
from seqloom.corpus.filters.placeholders import POSITION

_NUMBER = re.compile(
    r"\d{1,2}(?:,\d{2})+,\d{3}(?!\d)"
    r"|\d{1,3}([,.'’\u066c \u00a0\u2009\u202f])\d{3}(?!\d)(?:\1\d{3}(?!\d))*"
    r"|\d+"
)
_NO_DIGITS = re.compile(r"\D+")


def numbers(text: str) -> list[str]:
    """The numbers in a text, in its order, as ASCII digits; not those in ``%1$s``."""
    if "%" in text:
        text = POSITION.sub("", text)
    return [_plain(found.group()) for found in _NUMBER.finditer(text)]


def difference(source: list[str], target: list[str]) -> float:
    """The share of the numbers of both sides that have no equal number on the other side.

    0: all are equal, or there are none. 1: nothing in common.
    """
    if sorted(source) == sorted(target):
        return 0.0
    paired = (Counter(source) & Counter(target)).total()
    return 1 - 2 * paired / (len(source) + len(target))


class NumbersFilter(Filter):
    """Drops pairs whose numbers differ. Score: the share of numbers without a partner.

    A digit on one side and a word on the other differ, hence a share as threshold; see
    :func:`difference`.
    """

    name = "numbers"
    edges = SHARES

    def __init__(self, max_difference: float = 0.5) -> None:
        self.max_difference = self.threshold = max_difference
        self.reason = f"more than {max_difference:.0%} of the numbers are on one side only"

    def score(self, batch: pa.RecordBatch) -> pa.Array[Any]:
        """See :class:`Filter`."""
        mask = pc.or_(*(pc.match_substring_regex(side, r"\p{Nd}") for side in sides(batch)))
        scores = np.zeros(batch.num_rows)
        texts = (side.filter(mask).to_pylist() for side in sides(batch))
        rows = np.flatnonzero(mask.to_numpy(zero_copy_only=False))
        for row, source, target in zip(rows, *texts, strict=True):
            scores[row] = difference(numbers(source), numbers(target))
        return pa.array(scores)

    def accept(self, scores: pa.Array[Any]) -> pa.Array[Any]:
        """See :class:`Filter`."""
        return at_most(scores, self.max_difference)


def _plain(number: str) -> str:
    digits = number if number.isdecimal() else _NO_DIGITS.sub("", number)
    if not digits.isascii():
        digits = "".join(str(unicodedata.decimal(digit)) for digit in digits)
    return digits.lstrip("0") or "0"
