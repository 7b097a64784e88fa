"""Texts for property tests: characters that every table of Unicode agrees on, and tricky ones."""

from __future__ import annotations

import unicodedata
from functools import lru_cache

from hypothesis import strategies as st


@lru_cache(maxsize=1)
def settled_characters() -> list[str]:
    """Characters of Unicode 3.2: Python and Arrow may know different later versions."""
    known = unicodedata.ucd_3_2_0
    return [
        character
        for character in map(chr, range(0x110000))
        if known.category(character) not in ("Cn", "Cs")
    ]


TRICKY = (
    "aA bB1２٣.,!?-—…'’`\t\n\r\u00a0\u3000\u200b\ufe0f\u0301ßẞİıſΣςﬁ㎏ǅéÉe\u0301"
    "中文ひカー한жЖक्षิ😀²½Ⅷ〇"
)

SETTLED = st.deferred(
    lambda: st.text(st.sampled_from(TRICKY) | st.sampled_from(settled_characters()), max_size=30)
)
"""Texts of tricky and of any settled characters."""
