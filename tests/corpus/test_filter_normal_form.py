import unicodedata

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from unicode_texts import SETTLED

from seqloom.corpus import Corpus, NearDuplicateFilter, OverlapFilter, clean
from seqloom.corpus.normal_form import folded, normalised


def forms(*texts):
    return normalised(pa.array(texts, pa.string())).to_pylist()


def naive(text):
    """Character by character."""
    plain = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold()).strip()
    unseen = "\u034f\u180b\u180c\u180d"
    kept = [
        "0" if character.isdecimal() else character
        for character in plain
        if unicodedata.category(character)[0] in "LMN"
        and character not in unseen
        and not 0xFE00 <= ord(character) <= 0xFE0F
    ]
    return "".join(kept) or plain


@settings(deadline=None)
@given(st.lists(SETTLED, max_size=6))
def test_equals_a_loop_over_the_characters(texts):
    assert forms(*texts) == [naive(text) for text in texts]


@pytest.mark.parametrize(
    ("text", "form"),
    [
        ("Page 12.", "page00"),
        ("  PAGE   13!", "page00"),
        ("Straße", "strasse"),
        ("ＡＢＣ １２３", "abc000"),
        ("e\u0301te\u0301", "été"),
        ("don’t", "dont"),
        ("कि", "कि"),
        ("٣ кг", "0кг"),
        ("❤\ufe0f ok", "ok"),
        ("?!", "?!"),
        (" — ", "—"),
        ("", ""),
        ("x²", "x0"),
    ],
)
def test_normal_forms(text, form):
    assert forms(text) == [form]


WORDS = st.lists(st.text("abcäжक中", min_size=1, max_size=4), min_size=1, max_size=4)


@settings(deadline=None)
@given(
    WORDS,
    st.sampled_from([" ", ", ", " - ", "\u00a0", "…"]),
    st.sampled_from([str.upper, str.title]),
)
def test_case_spaces_and_punctuation_do_not_count(words, between, case):
    assert forms(case(between.join(words)) + "!") == forms(" ".join(words))


def test_folded_texts_keep_their_punctuation():
    texts = pa.array([" Straße! ", "Ⅳ. ﬁn", "\u3000"], pa.string())
    assert folded(texts).to_pylist() == ["strasse!", "iv. fin", ""]


def kept(rows, *rules):
    cleaned, report = clean(Corpus.of(rows), rules)
    return [(pair.source, pair.target) for pair in cleaned.pairs()], report


def test_near_duplicates_keep_the_first():
    rows = [
        ("Page 12.", "Seite 12."),
        ("page 13", "Seite  13"),
        ("Page 12.", "Blatt 12."),
        ("ab", "c"),
        ("a", "bc"),
        ("!", "?"),
        ("?", "!"),
        ("PAGE 99", "SEITE 99"),
    ]
    left, report = kept(rows, NearDuplicateFilter())
    assert left == [rows[0], *rows[2:7]]
    assert [example.pair for example in report.dropped["near_duplicate"].examples] == [2, 8]


@settings(deadline=None)
@given(st.lists(st.tuples(st.text("aAb1 !", max_size=3), st.text("aAb2 ?", max_size=3))))
def test_near_duplicates_equal_a_plain_dictionary(rows):
    first = {}
    for row in rows:
        first.setdefault(tuple(map(naive, row)), row)
    assert kept(rows, NearDuplicateFilter())[0] == list(first.values())


HELD_OUT = Corpus.of([("A dog.", "Ein Hund."), ("Two cats", "Zwei Katzen")], "test.en")
ROWS = [
    ("A dog.", "Irgendein Hund"),
    ("a DOG", "Irgendein Hund"),
    ("The dog", "Ein Hund."),
    ("Ein Hund.", "A dog."),
    ("A dog.", "Ein Hund."),
]


@pytest.mark.parametrize(
    ("options", "scores"),
    [
        ({}, [1, 0, 0, 0, 1]),
        ({"compared": ("target",)}, [0, 0, 1, 0, 1]),
        ({"compared": ("source", "target")}, [1, 0, 1, 0, 2]),
        ({"normal": True}, [1, 1, 0, 0, 1]),
        ({"compared": ("source", "target"), "normal": True}, [1, 1, 1, 0, 2]),
    ],
)
def test_overlap_by_sides_and_normal_form(options, scores):
    rule = OverlapFilter(HELD_OUT, **options)
    found = rule.score(next(Corpus.of(ROWS).batches()))
    assert found.to_pylist() == scores
    assert rule.accept(found).to_pylist() == [not score for score in scores]


def test_overlap_says_what_was_compared():
    assert OverlapFilter(HELD_OUT).reason == "the source text is also in test.en"
    rule = OverlapFilter(HELD_OUT, compared=("source", "target"), normal=True)
    assert rule.reason == "the source or target text is nearly also in test.en"


def test_overlap_with_nothing_drops_nothing():
    assert kept(ROWS, OverlapFilter(Corpus.of([])))[0] == ROWS
