import os
import random
from pathlib import Path

import pytest

from seqloom.corpus import read_corpus, shift
from seqloom.corpus.shift import find_shift
from seqloom.errors import CorpusError


def made_up(lines, seed=3):
    """Pairs whose lengths go together roughly, as those of translations do."""
    rng = random.Random(seed)
    pairs = []
    for _ in range(lines):
        words = rng.randint(2, 30)
        source = " ".join("x" * rng.randint(1, 9) for _ in range(words))
        target = "y" * max(1, round(len(source) * rng.gauss(1.1, 0.12)))
        end, number = rng.choice("...?!"), rng.choice(["", "", "", f" {rng.randint(1, 99)}"])
        pairs.append((source + number + end, number + target + end))
    return [list(side) for side in zip(*pairs, strict=True)]


def read(tmp_path, source, target):
    for name, lines in (("a.en", source), ("a.de", target)):
        (tmp_path / name).write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return read_corpus(tmp_path / "a.en", tmp_path / "a.de")


@pytest.mark.parametrize("place", [0, 1, 700, 1400, 1495])
@pytest.mark.parametrize("side", [0, 1])
@pytest.mark.parametrize("count", [1, 2, 40])
@pytest.mark.parametrize("extra", [False, True])
def test_the_place_is_found_within_two_lines(place, side, count, extra):
    sides = made_up(1500)
    if place > 1400:
        count = 1
    if extra:
        sides[side][place:place] = made_up(count, seed=9)[side]
    else:
        del sides[side][place : place + count]
    found = find_shift(*sides)
    assert (found.source_lines, found.target_lines) == (len(sides[0]), len(sides[1]))
    assert found.line == pytest.approx(place + 1, abs=2)


def test_the_first_of_several_places_is_found():
    source, target = made_up(1500)
    del target[1200]
    del source[800]
    del target[300]
    del target[500]
    assert find_shift(source, target).line == pytest.approx(301, abs=2)


def test_a_file_that_is_cut_off_is_not_shifted():
    source, target = made_up(1500)
    for kept in (1499, 1400, 700, 3):
        assert find_shift(source, target[:kept]).line is None


def test_search_is_bounded_and_counts_are_not(monkeypatch):
    monkeypatch.setattr(shift, "MAX_LINES", 100)
    source, target = made_up(300)
    del target[200]
    found = find_shift(source, target)
    assert (found.source_lines, found.target_lines, found.searched) == (300, 299, 100)
    assert found.line is None


def test_the_message_names_files_counts_and_line(tmp_path):
    source, target = made_up(1500)
    del target[1000]
    with pytest.raises(CorpusError) as caught:
        read(tmp_path, source, target).count()
    message = str(caught.value)
    assert f"{tmp_path / 'a.en'} has 1500 lines, but {tmp_path / 'a.de'} has 1499" in message
    assert "They look shifted from about line 1001 on" in message
    assert f"stands beside '{target[1000][:20]}" in message


@pytest.mark.parametrize("longer", [0, 1])
def test_the_message_for_a_file_that_is_cut_off(tmp_path, longer):
    sides = made_up(500)
    del sides[1 - longer][400:]
    names = [str(tmp_path / "a.en"), str(tmp_path / "a.de")]
    with pytest.raises(CorpusError) as caught:
        read(tmp_path, *sides).count()
    message = str(caught.value)
    assert "Lines 1 to 400 look aligned" in message
    assert f"{names[1 - longer]} seems cut off, and line 401 of {names[longer]}" in message


@pytest.mark.skipif("SEQLOOM_DATA" not in os.environ, reason="SEQLOOM_DATA names no corpora")
@pytest.mark.parametrize(
    "name", ["multi30k/val.en multi30k/val.de", "l10n-en-ru/dev.en l10n-en-ru/dev.ru"]
)
def test_real_corpora(name):
    folder = Path(os.environ["SEQLOOM_DATA"])
    sides = [(folder / part).read_text(encoding="utf-8").split("\n")[:-1] for part in name.split()]
    place = len(sides[0]) // 3
    missing = sides[1].pop(place)
    assert find_shift(*sides).line == pytest.approx(place + 1, abs=10)
    sides[1].insert(place, missing)
    assert find_shift(sides[0], sides[1][:-20]).line is None
