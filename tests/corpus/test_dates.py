from __future__ import annotations

import re
import sys
from datetime import date

import pytest
from babel.dates import get_day_names

from seqloom.corpus.dates import (
    LANGUAGES,
    chinese_number,
    dates_corpus,
    english_ordinal,
    part_of,
)
from seqloom.corpus.toy import reverse_corpus
from seqloom.errors import CorpusError, MissingExtraError


@pytest.fixture(scope="module")
def parts():
    corpora = dates_corpus(6000, seed=3)
    return [list(corpus.pairs()) for corpus in corpora]


@pytest.fixture(scope="module")
def pairs(parts):
    return [pair for part in parts for pair in part]


def test_sizes_and_languages(parts, pairs):
    assert [len(part) for part in parts] == [5400, 300, 300]
    for part in parts:
        counts = [sum(p.metadata == {"language": code} for p in part) for code in LANGUAGES]
        assert counts == [len(part) // 6] * 6
    assert len({p.source for part in parts for p in part}) == len(pairs)


def test_no_day_is_in_two_parts(parts):
    training, validation, test = ({pair.target for pair in part} for part in parts)
    assert not training & test
    assert not training & validation
    assert not validation & test
    assert all(part_of(date.fromisoformat(day)) == "test" for day in test)


def test_another_seed_never_moves_a_day(parts):
    _, _, other = dates_corpus(1200, seed=99)
    assert not {pair.target for pair in other.pairs()} & {pair.target for pair in parts[0]}


def test_same_seed_same_corpus():
    first, again = (dates_corpus(600, seed=5) for _ in range(2))
    for one, other in zip(first, again, strict=True):
        assert list(one.pairs()) == list(other.pairs())
    assert list(dates_corpus(600, seed=6)[0].pairs()) != list(first[0].pairs())


def test_targets_are_days_of_the_years_1900_to_2049(pairs):
    years = [date.fromisoformat(pair.target).year for pair in pairs]
    assert min(years) == 1900
    assert max(years) == 2049


def test_weekdays_are_right(pairs):
    """The names come from Babel, but the day they are put on must be the calendar's."""
    checked = 0
    for pair in pairs:
        names = get_day_names("wide", locale=pair.metadata["language"])
        words = pair.source.lower()
        found = {number for number, name in names.items() if name.lower() in words}
        if found:
            assert found == {date.fromisoformat(pair.target).weekday()}, pair
            checked += 1
    assert checked > 1000


def test_digits_of_the_source_say_the_day_and_the_year_once(pairs):
    """An independent reading: numbers left to right are day and year, or year, month and day."""
    for pair in pairs:
        day = date.fromisoformat(pair.target)
        numbers = [int(number) for number in re.findall(r"\d+", pair.source)]
        if not numbers:  # 一九九九年五月三日
            assert pair.metadata["language"] == "zh"
            continue
        if pair.metadata["language"] == "zh":
            assert numbers == [day.year, day.month, day.day], pair
        elif len(numbers) == 3:
            assert pair.metadata["language"] in ("de", "ru")
            assert numbers == [day.day, day.month, day.year], pair
        else:
            assert numbers == [day.day, day.year], pair


def test_one_text_means_one_day():
    days: dict[str, str] = {}
    for corpus in dates_corpus(3000, seed=1):
        for pair in corpus.pairs():
            assert days.setdefault(pair.source, pair.target) == pair.target


def test_forms_that_people_write(pairs):
    sources = {
        code: [p.source for p in pairs if p.metadata["language"] == code] for code in LANGUAGES
    }
    forms = {
        "en": [
            r"[A-Z][a-z]+day, [A-Z][a-z]+ \d+(st|nd|rd|th), \d{4}", r"[A-Z][a-z]{2} \d+, \d{4}",
            r"[a-z]+ \d+, \d{4}", r"the \d+(st|nd|rd|th) of [A-Z][a-z]+ \d{4}",
        ],
        "ru": [r"[а-я]+, \d+ [а-я]+ \d{4} г\.", r"\d\d\.\d\d\.\d{4}", r"\d+ [а-я]+ \d{4} года"],
        "de": [r"[A-Z][a-z]+, den \d+\. [A-Zä-ü]\w+ \d{4}", r"\d+\.\d+\.\d{4}"],
        "fr": [r"le \d+ \w+ \d{4}", r"(le )?(\w+ )?1er \w+ \d{4}"],
        "es": [r"\w+, \d+ de \w+ de \d{4}", r"el \d+ de \w+ de \d{4}"],
        "zh": [r"\d{4}年\d+月\d+日", r"[〇一二三四五六七八九]{4}年[一二三四五六七八九十]+月\w+日"],
    }  # fmt: skip
    for code, patterns in forms.items():
        for pattern in patterns:
            assert any(re.fullmatch(pattern, source) for source in sources[code]), (code, pattern)
    assert not any("\u202f" in s or "\u00a0" in s for group in sources.values() for s in group)


@pytest.mark.parametrize(
    ("number", "text"),
    [(1, "1st"), (2, "2nd"), (3, "3rd"), (4, "4th"), (11, "11th"), (12, "12th"), (13, "13th"),
     (21, "21st"), (22, "22nd"), (23, "23rd"), (30, "30th"), (31, "31st")],
)  # fmt: skip
def test_english_ordinals(number, text):
    assert english_ordinal(number) == text


@pytest.mark.parametrize(
    ("number", "text"),
    [(1, "一"), (9, "九"), (10, "十"), (12, "十二"), (20, "二十"), (31, "三十一")],
)
def test_chinese_numbers(number, text):
    assert chinese_number(number) == text


def test_babel_is_an_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "babel.dates", None)
    with pytest.raises(MissingExtraError, match=r"the demo needs.*pip install 'seqloom\[demo\]'"):
        dates_corpus(600, seed=1)


@pytest.mark.parametrize("pairs", [0, 119, 500_001])
def test_size_out_of_range(pairs):
    with pytest.raises(CorpusError, match=f"a corpus of {pairs} dates: expected between 120 and"):
        dates_corpus(pairs, seed=1)


def test_reverse_corpus():
    pairs = list(reverse_corpus(200, seed=1).pairs())
    assert len({pair.source for pair in pairs}) == 200
    for pair in pairs:
        assert pair.target.split() == list(reversed(pair.source.split()))
        assert 3 <= len(pair.source.split()) <= 8
    assert pairs == list(reverse_corpus(200, seed=1).pairs())
    assert pairs != list(reverse_corpus(200, seed=2).pairs())


def test_reverse_corpus_refuses_nothing():
    with pytest.raises(CorpusError, match="a toy corpus of 0 pairs: expected between 1 and"):
        reverse_corpus(0, seed=1)
