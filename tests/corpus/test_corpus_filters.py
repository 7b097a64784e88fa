import math

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqloom.corpus import (
    Corpus,
    DuplicateFilter,
    EmptyFilter,
    LengthFilter,
    OverlapFilter,
    RatioFilter,
    clean,
    read_corpus,
)
from seqloom.corpus import pairs as pairs_module

HELD_OUT = Corpus.of([("seen", "gesehen"), ("other", "andere")], "validation")
TEXT = st.text("ab\u3000 \u00e9", max_size=4)


def every_filter():
    return [
        EmptyFilter(),
        LengthFilter(20),
        RatioFilter(3),
        DuplicateFilter(),
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
    ],
    ids=["empty", "length", "ratio", "duplicate", "overlap"],
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
        assert counts == {"empty": 4, "length": 1, "ratio": 1, "duplicate": 2, "overlap": 1}
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
            },
            "duplicate": {
                "count": 1,
                "reason": "the same pair came before",
                "examples": [{"pair": 3, "source": "good", "target": "gut", "score": 1.0}],
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


@given(st.lists(st.tuples(TEXT, TEXT)))
def test_duplicates_equal_a_plain_dictionary(rows):
    cleaned, _ = clean(Corpus.of(rows), [DuplicateFilter()])
    assert [(p.source, p.target) for p in cleaned.pairs()] == list(dict.fromkeys(rows))


@given(st.lists(st.tuples(TEXT, TEXT)))
def test_cleaning_twice_changes_nothing_and_counts_add_up(rows):
    once, report = clean(Corpus.of(rows), every_filter())
    kept = list(once.pairs())
    assert report.read == len(rows) == report.kept + sum(d.count for d in report.dropped.values())
    twice, _ = clean(once, every_filter())
    assert list(twice.pairs()) == kept


@given(st.lists(st.tuples(TEXT, TEXT)))
def test_vectorised_scores_equal_plain_python(rows):
    for rule, plain in [
        (EmptyFilter(), lambda s, t: min(len(s.strip()), len(t.strip()))),
        (LengthFilter(9), lambda s, t: max(len(s), len(t))),
    ]:
        for part in Corpus.of(rows).batches():
            assert rule.score(part).to_pylist() == [plain(*row) for row in rows]
