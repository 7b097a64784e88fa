import math
import pickle
import unicodedata

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seqloom.corpus import (
    ControlFilter,
    Corpus,
    DuplicateFilter,
    EmptyFilter,
    IdenticalFilter,
    LengthFilter,
    NearDuplicateFilter,
    NumbersFilter,
    OverlapFilter,
    PlaceholderFilter,
    RatioFilter,
    RepetitionFilter,
    ScriptFilter,
    clean,
    read_corpus,
)
from seqloom.corpus import pairs as pairs_module
from seqloom.corpus.codepoints import every_character
from seqloom.corpus.pairs import make_batch

HELD_OUT = Corpus.of([("seen", "gesehen"), ("other", "andere")], "validation")
TEXT = st.text("ab\u3000 \u00e9", max_size=4)


def every_filter():
    return [
        EmptyFilter(),
        LengthFilter(20),
        RatioFilter(3),
        IdenticalFilter(),
        RepetitionFilter(),
        ScriptFilter("en", "de"),
        ControlFilter(),
        NumbersFilter(),
        PlaceholderFilter(),
        DuplicateFilter(),
        NearDuplicateFilter(),
        OverlapFilter(HELD_OUT),
    ]


def batch(*rows):
    return next(Corpus.of(rows).batches())


@pytest.mark.parametrize(
    ("rule", "rows", "scores", "kept"),
    [
        (
            EmptyFilter(),
            [("ab", "abc"), ("", "x"), ("x", " \t\u3000"), ("", "")],
            [2, 0, 0, 0],
            [True, False, False, False],
        ),
        (LengthFilter(2), [("é", "中文"), ("abc", "a"), ("", "")], [2, 3, 0], [True, False, True]),
        (
            RatioFilter(3),
            [("abc", "a"), ("a", "abcd"), ("", "a"), ("ab", "cd")],
            [3.0, 4.0, math.inf, 1.0],
            [True, False, False, True],
        ),
        (
            DuplicateFilter(),
            [("a", "b"), ("a", "c"), ("a", "b"), ("ab", ""), ("", "ab")],
            [0, 0, 1, 0, 0],
            [True, True, False, True, True],
        ),
        (OverlapFilter(HELD_OUT), [("seen", "x"), ("gesehen", "seen")], [1, 0], [False, True]),
        (
            IdenticalFilter(),
            [("Straße ", "\u3000STRASSE"), ("ﬁ", "fi"), ("a", "b"), ("", " "), ("a.", "a")],
            [1, 1, 0, 1, 0],
            [False, False, True, False, True],
        ),
        (
            ControlFilter(),
            [("a\tb\r\n", "c"), ("\x00\x9f", "\ufffd"), ("\u202e", ""), ("\u200f", "\u2067")],
            [0, 3, 1, 0],
            [True, False, False, True],
        ),
    ],
    ids=["empty", "length", "ratio", "duplicate", "overlap", "identical", "control"],
)
def test_scores_and_acceptance(rule, rows, scores, kept):
    found = rule.score(batch(*rows))
    assert found.to_pylist() == scores
    assert rule.accept(found).to_pylist() == kept


@pytest.mark.parametrize("rule", every_filter(), ids=lambda rule: rule.name)
def test_every_filter_keeps_the_contract(rule):
    rule.reset()
    rows = batch(("a fine line", "eine Zeile"), ("", ""), ("x" * 30, "y" * 30))
    scores = rule.score(rows)
    mask = rule.accept(scores)
    assert len(scores) == len(mask) == 3
    assert mask.type == pa.bool_()
    assert mask.null_count == 0
    assert mask[0].as_py()
    assert rule.reason
    assert list(rule.edges) == sorted(set(rule.edges))
    assert rule.edges[0] <= rule.threshold


@pytest.mark.parametrize("rule", every_filter(), ids=lambda rule: rule.name)
def test_a_filter_without_memory_does_the_same_in_another_process(rule):
    rows = batch(*ROWS, ("Page 12, ha ha ha ha ha ha", "%s\x00"), ("only", "только"))
    if rule.remembers:
        first, second = (rule.score(rows) for _ in range(2))
        assert first != second
        return
    sent = pickle.loads(pickle.dumps(rule))
    scores = [str(score) for score in rule.score(rows)]  # as text, since NaN equals nothing
    assert [str(score) for score in sent.score(rows)] == scores
    assert sent.accept(sent.score(rows)) == rule.accept(rule.score(rows))
    for row in range(rows.num_rows):  # nor does a score depend on the other pairs of the batch
        assert str(rule.score(rows.slice(row, 1))[0]) == scores[row]


def test_thresholds_can_be_moved_without_scoring_again():
    scores = LengthFilter(1).score(batch(("a", "ab"), ("abcd", "")))
    assert LengthFilter(2).accept(scores).to_pylist() == [True, False]
    assert LengthFilter(4).accept(scores).to_pylist() == [True, True]


ROWS = [
    ("good", "gut"),
    ("", "nur Ziel"),
    ("good", "gut"),
    ("seen", "anders"),
    ("x" * 21, "y" * 21),
    ("only source", " "),
    ("ab", "abcdefghi"),
    ("good", "gut"),
    ("", ""),
    ("good", "prima"),
    ("a", " "),
]


@pytest.mark.parametrize("size", [1, 3, 100])
def test_report_counts_with_any_batch_size(monkeypatch, size):
    monkeypatch.setattr(pairs_module, "BATCH_PAIRS", size)
    cleaned, report = clean(Corpus.of(ROWS), every_filter())
    assert report.read == 0, "nothing is read before the corpus is"
    for _ in range(2):  # a second pass starts afresh
        assert [(p.source, p.target) for p in cleaned.pairs()] == [ROWS[0], ROWS[9]]
        counts = {name: dropped.count for name, dropped in report.dropped.items()}
        expected = {"empty": 4, "length": 1, "ratio": 1, "duplicate": 2, "overlap": 1}
        assert counts == dict.fromkeys(counts, 0) | expected
        assert (report.read, report.kept) == (11, 2)
        examples = report.dropped["empty"].examples
        assert [example.pair for example in examples] == [2, 6, 9]
        assert [example.pair for example in report.dropped["duplicate"].examples] == [3, 8]


def test_report_as_text_and_dictionary():
    cleaned, report = clean(Corpus.of(ROWS[:3]), [EmptyFilter(), DuplicateFilter()])
    cleaned.count()
    assert report.text() == (
        "3 pairs read, 1 kept, 2 dropped\n"
        "  empty: 1 (a side is empty)\n"
        "    pair 2: '' | 'nur Ziel'\n"
        "  duplicate: 1 (the same pair came before)\n"
        "    pair 3: 'good' | 'gut'"
    )
    assert report.as_dict() == {
        "read": 3,
        "kept": 1,
        "dropped": {
            "empty": {
                "count": 1,
                "reason": "a side is empty",
                "examples": [{"pair": 2, "source": "", "target": "nur Ziel", "score": 0.0}],
                "scores": {
                    "edges": [0, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1e3, 2e3, 5e3, 1e4, 1e5],
                    "threshold": 1,
                    "counts": [1, 0, 2, *[0] * 11],
                },
            },
            "duplicate": {
                "count": 1,
                "reason": "the same pair came before",
                "examples": [{"pair": 3, "source": "good", "target": "gut", "score": 1.0}],
                "scores": {"edges": [0, 1, 2], "threshold": 1, "counts": [1, 1]},
            },
        },
    }


def test_line_of_ten_megabytes_is_dropped_and_its_example_short(tmp_path):
    (tmp_path / "a.en").write_text("one\n" + "x" * 10_000_000 + "\nthree\n")
    (tmp_path / "a.de").write_text("eins\nzwei\ndrei\n")
    corpus = read_corpus(tmp_path / "a.en", tmp_path / "a.de")
    cleaned, report = clean(corpus, [LengthFilter(1000)])
    assert [pair.target for pair in cleaned.pairs()] == ["eins", "drei"]
    (example,) = report.dropped["length"].examples
    assert (example.pair, example.score) == (2, 10_000_000)
    assert example.source == "x" * 80 + "… (10000000 characters)"


@settings(deadline=None)
@given(st.lists(st.tuples(TEXT, TEXT)))
def test_duplicates_equal_a_plain_dictionary(rows):
    cleaned, _ = clean(Corpus.of(rows), [DuplicateFilter()])
    assert [(p.source, p.target) for p in cleaned.pairs()] == list(dict.fromkeys(rows))


@settings(deadline=None)
@given(st.lists(st.tuples(TEXT, TEXT)))
def test_cleaning_twice_changes_nothing_and_counts_add_up(rows):
    once, report = clean(Corpus.of(rows), every_filter())
    kept = list(once.pairs())
    assert report.read == len(rows) == report.kept + sum(d.count for d in report.dropped.values())
    twice, _ = clean(once, every_filter())
    assert list(twice.pairs()) == kept


def folded(text):
    normal = unicodedata.normalize("NFKC", text).casefold()
    return unicodedata.normalize("NFKC", normal).strip()


def is_out_of_place(character):
    point = ord(character)
    return (
        (unicodedata.category(character) == "Cc" and character not in "\t\n\r")
        or unicodedata.category(character) == "Co"
        or character in "\u202d\u202e\ufeff\ufff9\ufffa\ufffb\ufffc\ufffd"
        or 0xFDD0 <= point <= 0xFDEF
        or point & 0xFFFE == 0xFFFE
    )


def test_every_character_that_belongs_in_no_text_is_counted():
    characters = list(every_character())
    scores = ControlFilter().score(make_batch(characters, [""] * len(characters))).to_numpy()
    wrong = [
        character
        for character, score in zip(characters, scores, strict=True)
        if score != is_out_of_place(character)
    ]
    assert wrong == []


ODD = st.text(
    st.sampled_from("a\t\n\x00\x80\u202d\ufeff\ufffdßẞﬁ") | st.characters(codec="utf-8"), max_size=8
)


@settings(deadline=None)
@given(st.lists(st.tuples(TEXT | ODD, TEXT | ODD)))
def test_vectorised_scores_equal_plain_python(rows):
    for rule, plain in [
        (LengthFilter(9), lambda s, t: max(len(s), len(t))),
        (IdenticalFilter(), lambda s, t: int(folded(s) == folded(t))),
        (ControlFilter(), lambda s, t: sum(map(is_out_of_place, s + t))),
    ]:
        for part in Corpus.of(rows).batches():
            assert rule.score(part).to_pylist() == [plain(*row) for row in rows]


@settings(deadline=None)
@given(st.lists(st.tuples(TEXT, TEXT), min_size=1))
def test_emptiness_equals_plain_python(rows):
    scores = EmptyFilter().score(batch(*rows)).to_pylist()
    assert scores == [min(len(source.strip()), len(target.strip())) for source, target in rows]
