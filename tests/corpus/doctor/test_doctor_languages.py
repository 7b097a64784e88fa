"""Which language texts are in."""

import pytest
from doctor_corpora import sentences

from seqloom.corpus.doctor.identification import UNCLEAR, foreign, known, languages_of

RUSSIAN = ["Он не знал, что ему делать.", "Погода сегодня хорошая.", "Где находится вокзал?"]


@pytest.mark.parametrize(
    ("code", "name"),
    [
        *(("de", "de"), ("de-AT", "de"), ("DE_at", "de"), ("deu", "de"), ("zh-Hant-TW", "zh")),
        *(("cmn", "zh"), ("nb", "no"), ("xx", None), ("tlh", None), (None, None)),
    ],
)
def test_codes_as_people_write_them(code, name):
    assert known(code) == name


def test_shares_of_a_mixed_side():
    german = [text for (text,) in sentences(90, "de")]
    found = languages_of([*german, *RUSSIAN * 3, "", "   "], "de")
    assert (found.expected, found.declared) == ("de", True)
    assert found.shares["de"] == pytest.approx(90 / 99, abs=0.02)
    assert found.shares["ru"] == pytest.approx(9 / 99, abs=0.02)
    assert next(iter(found.shares)) == "de"


def test_the_language_of_most_texts_is_expected_where_none_is_named():
    german = [text for (text,) in sentences(30, "de")]
    found = languages_of([*german, *RUSSIAN], None)
    assert (found.expected, found.declared) == ("de", False)
    assert languages_of([*german[:3], *RUSSIAN], None).expected is None
    assert languages_of(["", "12 345", "..."], None).expected is None


def test_a_language_that_is_unknown_is_not_judged():
    found = languages_of(RUSSIAN, "tlh")
    assert (found.expected, found.declared) == (None, True)


def test_numbers_are_in_no_language():
    assert set(languages_of(["12", "3.50", "99 %"], "de").shares) <= {"zxx", UNCLEAR}
    assert foreign("12 345,67", "ru") is None


@pytest.mark.parametrize("here", ["en", "de", "fr"])
def test_foreign_sentences_are_found_and_own_ones_are_not_accused(here):
    codes = ["en", "de", "fr"]
    for texts in sentences(150, *codes, seed=2):
        for code, text in zip(codes, texts, strict=True):
            expected = None if code == here else code
            assert foreign(text, here) == expected, text


@pytest.mark.parametrize("text", ["Tom.", "OK", "", "Hallo", "Нет.", "是。", "e-mail", "New York"])
def test_a_few_letters_prove_nothing(text):
    accused = [code for code in ("en", "de", "fr", "ru", "zh") if foreign(text, code)]
    alphabet = {"Нет.": {"ru"}, "是。": {"zh"}}.get(text)
    if alphabet is None:
        assert not {"en", "de", "fr"} & set(accused)
    else:
        assert not alphabet & set(accused)


def test_kin_of_chinese_count_as_chinese():
    assert foreign("你哋今日去邊度食飯呀？我唔知喎。", "zh") is None


@pytest.mark.parametrize(
    ("name", "code"),
    [
        *(("tatoeba-en-ru", "en"), ("tatoeba-en-ru", "ru"), ("tatoeba-en-zh", "zh")),
        *(("tatoeba-en-de", "de"), ("tatoeba-en-fr", "fr"), ("wmtnews-en-de", "de")),
    ],
)
def test_clean_real_sentences_are_rarely_accused(real_data, name, code):
    texts = (real_data / name / f"dev.{code}").read_text(encoding="utf-8").splitlines()[:2000]
    accused = [text for text in texts if foreign(text, code)]
    assert len(accused) <= 0.003 * len(texts), accused


@pytest.mark.parametrize(
    ("here", "there"), [("de", "fr"), ("fr", "cs"), ("cs", "de"), ("en", "cs")]
)
def test_real_foreign_sentences_are_found(real_data, here, there):
    texts = (real_data / "multi30k" / f"val.{there}").read_text(encoding="utf-8").splitlines()
    found = sum(foreign(text, here) is not None for text in texts)
    assert found >= 0.98 * len(texts)
