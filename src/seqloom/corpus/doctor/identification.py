"""Which language texts are in: by py3langid, whose model comes in its package (139 languages).

Short texts are hard: one in fifteen of Tatoeba's Russian sentences is named wrongly. So a text is
called foreign only where one other language has a fair share of the probability, and much more than
the language that the text should be in. Both limits were set on clean sentences: of ten corpora of
prose they accuse fewer than one in a thousand, of technical texts fewer than two.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from seqloom.corpus.languages import normal

SURE = 0.3
"""Probability from which a language counts as named."""
MARGIN = 2.0
"""How much likelier another language has to be than the expected one, as a natural logarithm."""

NO_LANGUAGE = "zxx"
"""What numbers, markup and the like are named."""
UNCLEAR = "unclear"
"""What texts without a sure language are counted as."""

_LONGEST = 1000  # characters of a text that are looked at
_MAJORITY = 0.5  # share of the clear texts that makes a language the expected one
_KIN = {"zh": ("zh", "yue", "wuu"), "no": ("no", "nn")}  # written alike, so taken for one
_CODES = {  # of languages that people give other codes than the identifier
    "nb": "no", "nob": "no", "nor": "no", "cmn": "zh", "zho": "zh", "chi": "zh", "iw": "he",
    "in": "id", "eng": "en", "deu": "de", "ger": "de", "fra": "fr", "fre": "fr", "rus": "ru",
    "spa": "es", "ita": "it", "por": "pt", "nld": "nl", "dut": "nl", "pol": "pl", "ces": "cs",
    "cze": "cs", "slk": "sk", "slo": "sk", "ukr": "uk", "bel": "be", "bul": "bg", "srp": "sr",
    "hrv": "hr", "ron": "ro", "rum": "ro", "hun": "hu", "fin": "fi", "est": "et", "swe": "sv",
    "dan": "da", "ell": "el", "gre": "el", "tur": "tr", "ara": "ar", "fas": "fa", "per": "fa",
    "heb": "he", "hin": "hi", "ben": "bn", "tam": "ta", "jpn": "ja", "kor": "ko", "vie": "vi",
    "tha": "th", "ind": "id", "msa": "ms", "may": "ms", "kat": "ka", "geo": "ka", "hye": "hy",
}  # fmt: skip


@dataclass(frozen=True)
class Side:
    """The languages of one side of a corpus."""

    expected: str | None
    """The language that its texts should be in; None if nobody can tell."""
    declared: bool
    """True: the corpus names it; False: most texts of the sample are in it."""
    shares: dict[str, float]
    """Shares of the sample, the most frequent first."""


def known(code: str | None) -> str | None:
    """What the identifier calls a language such as ``de-AT`` or ``zho``; None if unknown."""
    if code is None:
        return None
    primary = normal(code).partition("-")[0]
    name = _CODES.get(primary, primary)
    return name if name in _identifier().labels else None


def languages_of(texts: Sequence[str], code: str | None) -> Side:
    """The languages of a sample of texts that should be in the language ``code``."""
    counts = Counter(_named(text) for text in texts if text.strip())
    total = max(counts.total(), 1)
    shares = {name: count / total for name, count in counts.most_common()}
    if code is not None:
        return Side(known(code), True, shares)
    clear = {name: n for name, n in counts.items() if name not in (UNCLEAR, NO_LANGUAGE)}
    first = max(clear, key=lambda name: clear[name], default=None)
    if first is None or clear[first] <= _MAJORITY * sum(clear.values()):
        return Side(None, False, shares)
    return Side(first, False, shares)


def foreign(text: str, expected: str) -> str | None:
    """The other language that a text is in beyond doubt; None if it may well be the expected."""
    own = _KIN.get(expected, (expected,))
    name, probability = _identifier().classify(text[:_LONGEST])
    if name in own or name == NO_LANGUAGE or probability < SURE:
        return None
    chances = dict(_identifier().rank(text[:_LONGEST]))
    expected_chance = sum(chances[code] for code in own)
    if probability < math.exp(MARGIN) * expected_chance:
        return None
    return str(name)


def _named(text: str) -> str:
    name, probability = _identifier().classify(text[:_LONGEST])
    if probability < SURE:
        return UNCLEAR
    return next((code for code, kin in _KIN.items() if name in kin), str(name))


@lru_cache(maxsize=1)
def _identifier() -> Any:
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    return LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
