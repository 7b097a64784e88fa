import json
import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seqloom.corpus import (
    Corpus,
    EmptyFilter,
    LengthFilter,
    NumbersFilter,
    RatioFilter,
    Report,
    clean,
    picture,
)
from seqloom.corpus.filters import apply
from seqloom.corpus.report import Dropped, Example, Histogram
from seqloom.errors import CorpusError, FolderError

RULES = [EmptyFilter(), LengthFilter(3), RatioFilter(2), NumbersFilter()]
TEXT = st.text("a1 ", max_size=5)


@settings(deadline=None)
@given(st.lists(st.lists(st.tuples(TEXT, TEXT), min_size=1, max_size=6)), st.randoms())
def test_reports_of_batches_add_up_in_any_order(groups, random):
    cleaned, whole = clean(Corpus.of([row for rows in groups for row in rows]), RULES)
    expected = list(cleaned.pairs())
    first, parts, kept = 1, [Report()], {}
    for rows in groups:
        batch, numbers, part = apply(next(Corpus.of(rows).batches()), RULES, first)
        kept |= dict(zip(numbers.tolist(), Corpus.of(zip_sides(batch)).pairs(), strict=True))
        parts.append(part)
        first += len(rows)
    random.shuffle(parts)
    added = parts[0]
    for part in parts[1:]:
        added.add(part)
    assert [kept[number][:2] for number in sorted(kept)] == [pair[:2] for pair in expected]
    assert added.read == whole.read
    if groups:
        assert added.as_dict() == whole.as_dict()


def zip_sides(batch):
    return list(zip(*(batch.column(side).to_pylist() for side in (0, 1)), strict=True))


def test_a_part_that_was_added_stays_as_it_was():
    _, _, part = apply(next(Corpus.of([("", "x")]).batches()), RULES, 7)
    before = part.as_dict()
    total = Report()
    total.add(part)
    total.add(part)
    assert part.as_dict() == before
    assert total.dropped["empty"].count == 2
    assert [example.pair for example in part.dropped["empty"].examples] == [7]


@settings(deadline=None)
@given(st.lists(st.floats(-2, 12) | st.sampled_from([0, 1, 2.5, 5, math.inf, -math.inf, math.nan])))
def test_scores_fall_into_bins_and_none_is_lost(scores):
    edges = (0.0, 1.0, 2.5, 5.0)
    histogram = Histogram(edges, 1)
    for part in (scores[:3], scores[3:]):
        histogram.count(np.array(part, np.float64))
    expected = [
        sum(score < 1 for score in scores),
        sum(1 <= score < 2.5 for score in scores),
        sum(not score < 2.5 for score in scores),
    ]
    assert histogram.counts.tolist() == expected
    assert histogram.counts.sum() == len(scores)


def test_histograms_of_different_bins_are_not_added():
    with pytest.raises(AssertionError, match="bins differ"):
        Histogram((0.0, 1.0), 1).add(Histogram((0.0, 2.0), 1))


def filled():
    rows = [("", ""), ("good", "gut"), ("a", "b"), ("abc", "x"), ("", "x"), ("1", "2")]
    cleaned, report = clean(Corpus.of(rows), [RatioFilter(2), *RULES[:2], NumbersFilter()])
    cleaned.count()
    report.add(Report(2, 1, {"from elsewhere": Dropped("a reason", 1)}))
    return report


def test_a_report_goes_through_json_and_back():
    report = filled()
    text = json.dumps(report.as_dict(), allow_nan=False)
    again = Report.from_dict(json.loads(text))
    assert json.dumps(again.as_dict(), allow_nan=False) == text
    assert again.text() == report.text()
    again.add(report)
    assert (again.read, again.dropped["ratio"].count) == (16, 2 * report.dropped["ratio"].count)


def test_infinite_scores_are_left_out_of_json():
    example = Example(1, "", "x", math.inf)
    assert example.as_dict() == {"pair": 1, "source": "", "target": "x", "score": None}
    assert math.isnan(Example.from_dict(example.as_dict()).score)


def test_summary_is_one_line():
    assert Report().summary() == "0 dropped"
    report = Report(
        2000, 100, {"empty": Dropped("", 1000), "x": Dropped("", 0), "y": Dropped("", 900)}
    )
    assert report.summary() == "1,900 dropped: 1,000 empty, 900 y"


def test_picture_shows_counts_and_thresholds():
    report = filled()
    figure = picture.draw_report(report)
    bars, *histograms = figure.axes
    assert [bar.get_width() for bar in bars.patches] == [d.count for d in report.dropped.values()]
    assert bars.texts[0].get_text() == "3 (37.50%)"
    assert bars.get_title() == "8 pairs read, 2 kept, 6 dropped"
    scored = [dropped.scores for dropped in report.dropped.values() if dropped.scores]
    assert len(histograms) == len(scored) == 4
    for axes, scores in zip(histograms, scored, strict=True):
        assert [bar.get_height() for bar in axes.patches] == scores.counts.tolist()
    (line,) = histograms[0].lines  # 2 is the fifth edge of the ratios
    assert line.get_xdata()[0] == 4


@pytest.mark.parametrize(
    ("name", "start"), [("r.png", b"\x89PNG"), ("r.pdf", b"%PDF"), ("deep/r.SVG", b"<?xml")]
)
def test_picture_is_written(tmp_path, name, start):
    picture.save_report(filled(), tmp_path / name)
    assert (tmp_path / name).read_bytes().startswith(start)
    assert [path.name for path in (tmp_path / name).parent.iterdir()] == [Path(name).name]


def test_picture_of_nothing_is_written(tmp_path):
    picture.save_report(Report(), tmp_path / "nothing.png")
    cleaned, report = clean(Corpus.of([]), RULES)
    cleaned.count()
    picture.save_report(report, tmp_path / "empty.png")
    assert len(list(tmp_path.iterdir())) == 2


def test_picture_that_cannot_be_written_leaves_nothing(tmp_path):
    with pytest.raises(CorpusError, match=r"r\.gif: a picture's name ends in \.png, \.pdf, \.svg"):
        picture.save_report(filled(), tmp_path / "r.gif")
    (tmp_path / "file").write_text("")
    with pytest.raises(FolderError, match=r"cannot write .*r\.png"):
        picture.save_report(filled(), tmp_path / "file" / "r.png")
    assert [path.name for path in tmp_path.iterdir()] == ["file"]
