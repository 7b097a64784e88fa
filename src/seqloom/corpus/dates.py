"""The demo's corpus: dates as people write them in six languages, and the same dates in ISO 8601.

Nothing is downloaded: months, weekdays and the usual patterns come from the Unicode CLDR by way of
Babel. Only forms that mean one day are written, so 03/05/1999, which is a day in March or in May
depending on the reader, never occurs. Days are shared out between training, validation and test by
their own hash: no day of the test is ever seen in training, in any language or form.
"""

from __future__ import annotations

import hashlib
import random
from collections.abc import Callable, Iterator
from datetime import date

from seqloom.corpus.pairs import Corpus, Pair
from seqloom.errors import CorpusError, MissingExtraError

LANGUAGES = ("en", "ru", "de", "fr", "es", "zh")
"""Languages of the corpus, each with the same number of pairs."""

FIRST_DAY, LAST_DAY = date(1900, 1, 1), date(2049, 12, 31)

HELD_OUT_SHARE = 0.05
"""Share of the days, and of the pairs, in each of validation and test."""

MOST_PAIRS = 500_000
"""Beyond this the held-out days would have too few different forms."""

# CLDR patterns; the names full, long and medium stand for the language's own (UTS 35). In curly
# brackets: forms that the CLDR does not have, see _FORMS.
_PATTERNS: dict[str, tuple[str, ...]] = {
    "en": (
        "full", "long", "medium", "d MMMM y", "EEE, d MMM y", "EEEE d MMMM y",
        "MMMM {ordinal}, y", "EEEE, MMMM {ordinal}, y", "'the' {ordinal} 'of' MMMM y",
    ),
    "ru": (
        "full", "long", "medium", "dd.MM.y", "d MMMM y", "d MMMM y 'года'", "EEE, d MMM y",
        "d MMMM y 'г'., EEEE",
    ),
    "de": (
        "full", "long", "medium", "d.M.y", "d. MMM y", "EEE d. MMM y", "EEEE, 'den' d. MMMM y",
        "'der' d. MMMM y",
    ),
    "fr": (
        "full", "long", "medium", "'le' {first} MMMM y", "EEEE {first} MMMM y", "{first} MMMM y",
        "'le' EEEE {first} MMMM y", "EEE d MMM y",
    ),
    "es": (
        "full", "long", "medium", "'el' d 'de' MMMM 'de' y", "EEEE d 'de' MMMM 'de' y",
        "d MMMM y", "'el' EEEE d 'de' MMMM 'de' y", "EEE, d MMM y",
    ),
    "zh": (
        "full", "long", "short", "y年M月d日 EEE", "y年MM月dd日", "y-M-d",
        "{year}年{month}月{day}日", "{year}年{month}月{day}日EEEE",
    ),
}  # fmt: skip

_CHINESE_DIGITS = "〇一二三四五六七八九"


def dates_corpus(pairs: int, seed: int) -> tuple[Corpus, Corpus, Corpus]:
    """Training, validation and test corpus of dates, ``pairs`` pairs altogether.

    Sources are dates of the years 1900 to 2049 in the forms of :data:`LANGUAGES`; targets are
    ``YYYY-MM-DD``. Validation and test get 5 % of the pairs each. The metadata of a pair names its
    language. No source occurs twice, and the same arguments always give the same corpus.

    Raises:
        MissingExtraError: Babel is not installed.
        CorpusError: fewer than 120 or more than 500,000 pairs.
    """
    if not 120 <= pairs <= MOST_PAIRS:
        raise CorpusError(
            f"a corpus of {pairs} dates: expected between 120 and {MOST_PAIRS:,} pairs; the demo "
            "uses 60,000."
        )
    write = _writer()
    held_out = int(pairs * HELD_OUT_SHARE)
    sizes = {"training": pairs - 2 * held_out, "validation": held_out, "test": held_out}
    days = _shared_out()
    corpora = []
    for part, size in sizes.items():
        chance = random.Random(f"{seed} {part}")
        drawn = list(_draw(days[part], size, chance, write))
        corpora.append(Corpus.of(drawn, name=f"dates ({part})"))
    training, validation, test = corpora
    return training, validation, test


def part_of(day: date) -> str:
    """Whether ``day`` belongs to ``training``, ``validation`` or ``test``: decided by its hash."""
    digest = hashlib.sha256(day.isoformat().encode()).digest()
    share = int.from_bytes(digest[:8], "big") / 2**64
    if share < HELD_OUT_SHARE:
        return "test"
    return "validation" if share < 2 * HELD_OUT_SHARE else "training"


def _shared_out() -> dict[str, list[date]]:
    days: dict[str, list[date]] = {"training": [], "validation": [], "test": []}
    for ordinal in range(FIRST_DAY.toordinal(), LAST_DAY.toordinal() + 1):
        day = date.fromordinal(ordinal)
        days[part_of(day)].append(day)
    return days


def _draw(
    days: list[date], size: int, chance: random.Random, write: Callable[[date, str, str], str]
) -> Iterator[Pair]:
    """``size`` different pairs, the languages in turn, forms and days by chance."""
    seen: set[str] = set()
    while len(seen) < size:
        language = LANGUAGES[len(seen) % len(LANGUAGES)]
        day = chance.choice(days)
        text = write(day, chance.choice(_PATTERNS[language]), language)
        # A quarter in small letters throughout, as in a hurry; Chinese has none to make small.
        if chance.random() < 0.25:
            text = text.lower()
        if text not in seen:
            seen.add(text)
            yield Pair(text, day.isoformat(), {"language": language})


def _writer() -> Callable[[date, str, str], str]:
    """The function that writes a day by a pattern in a language.

    Raises:
        MissingExtraError: Babel is not installed.
    """
    try:
        from babel.dates import format_date
    except ImportError:
        raise MissingExtraError("the demo", "demo") from None

    def write(day: date, pattern: str, language: str) -> str:
        for name, form in _FORMS.items():
            pattern = pattern.replace(f"{{{name}}}", f"'{form(day)}'")
        text = format_date(day, pattern, locale=language)
        # The CLDR sets no-break spaces where a keyboard has none.
        return text.replace("\u202f", " ").replace("\u00a0", " ")

    return write


def english_ordinal(number: int) -> str:
    """1st, 2nd, 3rd, 4th, 11th, 21st ..."""
    tens, ones = divmod(number, 10)
    suffix = "th" if tens % 10 == 1 else {1: "st", 2: "nd", 3: "rd"}.get(ones, "th")
    return f"{number}{suffix}"


def chinese_number(number: int) -> str:
    """A number of 1 to 99 as it is counted: 九, 十, 十二, 二十, 三十一."""
    tens, ones = divmod(number, 10)
    head = "" if tens == 0 else "十" if tens == 1 else f"{_CHINESE_DIGITS[tens]}十"
    return head + (_CHINESE_DIGITS[ones] if ones else "")


_FORMS: dict[str, Callable[[date], str]] = {
    "ordinal": lambda day: english_ordinal(day.day),
    "first": lambda day: "1er" if day.day == 1 else str(day.day),
    "year": lambda day: "".join(_CHINESE_DIGITS[int(digit)] for digit in str(day.year)),
    "month": lambda day: chinese_number(day.month),
    "day": lambda day: chinese_number(day.day),
}
"""Forms that the CLDR lacks, by their name in a pattern."""
