import unicodedata

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from unicode_texts import SETTLED, settled_characters

from seqloom.corpus import Corpus, ScriptFilter
from seqloom.corpus.codepoints import every_character, select
from seqloom.corpus.scripts import _TABLE, OTHER, script_counts, scripts_of

# How the names of letters begin, and the script that such letters are in.
NAMES = {
    "LATIN ": "Latin",
    "CYRILLIC ": "Cyrillic",
    "GREEK SMALL LETTER ": "Greek",
    "GREEK CAPITAL LETTER ": "Greek",
    "ARABIC LETTER ": "Arabic",
    "HEBREW LETTER ": "Hebrew",
    "DEVANAGARI LETTER ": "Devanagari",
    "THAI CHARACTER ": "Thai",
    "GEORGIAN LETTER ": "Georgian",
    "CJK ": "Han",
    "HIRAGANA LETTER ": "Hiragana",
    "KATAKANA LETTER ": "Katakana",
    "HANGUL ": "Hangul",
    "RUNIC LETTER ": OTHER,
    "GOTHIC LETTER ": OTHER,
}


def script_by_name(character):
    """The script of a letter, told from its name; None where the name does not tell."""
    if unicodedata.category(character)[0] != "L":
        return None
    name = unicodedata.name(character, "")
    return next((script for start, script in NAMES.items() if name.startswith(start)), None)


def counts(*texts):
    found = script_counts(pa.array(texts, pa.string()))
    return {script: numbers.tolist() for script, numbers in found.items()}


def test_letters_by_script():
    assert counts("Hello, мир 42!", "", "東京タワーは高い", "!?") == {
        "Latin": [5, 0, 0, 0],
        "Cyrillic": [3, 0, 0, 0],
        "Han": [0, 0, 3, 0],
        "Hiragana": [0, 0, 2, 0],
        "Katakana": [0, 0, 2, 0],
    }
    assert counts() == {}
    assert counts("ᚠᚢᚦ") == {OTHER: [3]}


def test_every_letter_is_in_the_script_of_its_name():
    named = [(c, script_by_name(c)) for c in settled_characters()]
    named = [(character, script) for character, script in named if script]
    assert len(named) > 80_000
    found = counts(*(character for character, _ in named))
    wrong = [
        character
        for row, (character, script) in enumerate(named)
        if found[script][row] != 1 or sum(numbers[row] for numbers in found.values()) != 1
    ]
    assert wrong == []


@settings(deadline=None)
@given(st.lists(SETTLED, max_size=6))
def test_counts_equal_a_loop_over_the_characters(texts):
    found = counts(*texts)
    for row, text in enumerate(texts):
        for script in set(NAMES.values()) - {OTHER}:
            named = sum(script_by_name(character) == script for character in text)
            # Names do not tell the script of some letters, so there may be more.
            assert found.get(script, [0] * len(texts))[row] >= named
        letters = sum(unicodedata.category(character)[0] == "L" for character in text)
        assert sum(numbers[row] for numbers in found.values()) <= letters


@pytest.mark.parametrize(
    ("language", "scripts"),
    [
        ("en", ("Latin",)),
        ("EN_us", ("Latin",)),
        ("deu", ("Latin",)),
        ("ru", ("Cyrillic",)),
        ("zh", ("Han",)),
        ("zh-Hant", ("Han",)),
        ("zh_Hans_CN", ("Han",)),
        ("ja", ("Han", "Hiragana", "Katakana")),
        ("ko", ("Hangul", "Han")),
        ("sr", ("Latin", "Cyrillic")),
        ("sr-Latn", ("Latin",)),
        ("sr-Cyrl-RS", ("Cyrillic",)),
        ("pt_BR", ("Latin",)),
        ("eng_Latn", ("Latin",)),
        ("xx", ()),
        ("xx-Deva", ("Devanagari",)),
        ("", ()),
    ],
)
def test_scripts_of_languages(language, scripts):
    assert scripts_of(language) == scripts


def test_the_table_holds_the_larger_languages_once_a_script():
    rows = [languages.split() for *_, languages in _TABLE]
    assert len({language for row in rows for language in row}) > 250
    for row in rows:
        assert len(row) == len(set(row)), "a language stands twice in a row"
    assert len({code for code, *_ in _TABLE}) == len(_TABLE)


@pytest.mark.parametrize("script", sorted({s for _, row, _ in _TABLE for s in row.split()}))
def test_every_script_of_the_table_has_letters(script):
    assert len(select(every_character(), rf"\p{{{script}}}")) > 20


def shares(rows, source, target):
    rule = ScriptFilter(source, target)
    return rule.score(next(Corpus.of(rows).batches())).to_pylist()


def test_share_of_letters_in_a_script_of_the_language():
    rows = [
        ("Hello", "Привет"),
        ("Hello", "Hello"),
        ("Git 2", "Git 2"),
        ("Tom", "Том Tom"),
        ("123", "1.2"),
        ("Здравствуйте", "Привет"),
        ("", ""),
    ]
    assert shares(rows, "en", "ru") == [1, 0, 0, 0.5, 1, 0, 1]
    assert shares(rows, "xx", None) == [1] * 7
    assert shares(rows, None, "sr") == [1] * 7
    assert shares([("x", "이것은 漢字 abc")], "en", "ko") == [5 / 8]


def test_threshold_of_the_share():
    batch = next(Corpus.of([("a", "Том Tom"), ("a", "Tom")]).batches())
    scores = ScriptFilter("en", "ru").score(batch)
    assert ScriptFilter("en", "ru").accept(scores).to_pylist() == [True, False]
    assert ScriptFilter("en", "ru", 0.5).accept(scores).to_pylist() == [True, False]
    assert ScriptFilter("en", "ru", 0.6).accept(scores).to_pylist() == [False, False]
