from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seqloom.text.word2vec import encoded
from seqloom.text.word2vec.encoded import LINE_END, EncodedText, encode
from seqloom.text.word2vec.phrases import join_phrases
from seqloom.text.words import WordRule

LINES = st.lists(st.lists(st.sampled_from("abcd"), max_size=6), min_size=1, max_size=12)


def quiet(*told: object) -> None:
    pass


def encoded_of(lines: list[list[str]], folder: Path) -> EncodedText:
    (folder / "text.txt").write_text("".join(" ".join(x) + "\n" for x in lines), encoding="utf-8")
    return encode([folder / "text.txt"], WordRule("spaces"), folder / "numbers", quiet)


def lines_of(text: EncodedText, size: int) -> list[list[str]]:
    names = {number: word for word, number in text.words.items()}
    found: list[list[str]] = [[]]
    for chunk in text.chunks(size):
        assert chunk[-1] == LINE_END
        for number in chunk.tolist():
            if number == LINE_END:
                found.append([])
            else:
                found[-1].append(names[number])
    return found[:-1]


@settings(deadline=None)
@given(LINES, st.integers(1, 20))
def test_the_copy_in_numbers_is_the_text(
    tmp_path_factory: pytest.TempPathFactory, lines: list[list[str]], size: int
) -> None:
    text = encoded_of(lines, tmp_path_factory.mktemp("text"))
    assert lines_of(text, size) == lines
    counts = {word: int(text.counts[number]) for word, number in text.words.items()}
    flat = [word for line in lines for word in line]
    assert counts == {word: flat.count(word) for word in set(flat)}
    assert text.length == len(flat)


@settings(deadline=None)
@given(LINES, st.integers(1, 8), st.integers(0, 3))
def test_a_seed_puts_the_pieces_into_another_order(
    tmp_path_factory: pytest.TempPathFactory, lines: list[list[str]], size: int, seed: int
) -> None:
    text = encoded_of(lines, tmp_path_factory.mktemp("text"))
    in_order, shuffled = ([c.tobytes() for c in text.chunks(size, seed=s)] for s in (None, seed))
    assert sorted(in_order) == sorted(shuffled)
    assert shuffled == [chunk.tobytes() for chunk in text.chunks(size, seed=seed)]


def test_most_seeds_give_an_order_of_their_own(tmp_path: Path) -> None:
    text = encoded_of([[word] for word in "abcdefgh"], tmp_path)
    orders = {tuple(c.tobytes() for c in text.chunks(2, seed=seed)) for seed in range(20)}
    assert len(orders) > 15


def test_a_line_longer_than_a_piece_is_one_piece(tmp_path: Path) -> None:
    text = encoded_of([["a"] * 3, ["b"] * 50, ["c"] * 20], tmp_path)
    assert [len(chunk) for chunk in text.chunks(10)] == [4, 51, 21]


def test_several_files_are_one_text(tmp_path: Path) -> None:
    for name, words in (("a", "x y"), ("b", "y z")):
        (tmp_path / name).write_text(words + "\n", encoding="utf-8")
    text = encode([tmp_path / "a", tmp_path / "b"], WordRule(), tmp_path / "numbers", quiet)
    assert lines_of(text, 2) == [["x", "y"], ["y", "z"]]


def test_the_rarest_words_are_forgotten_when_there_are_too_many(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(encoded, "MOST_WORDS", 4)
    text = encoded_of([["a"] * 3, ["b"] * 2, *[[w] for w in "cdefg"]], tmp_path)
    assert set(text.words) == {"a", "b"}


def slow_phrases(
    lines: list[list[str]], threshold: float, min_count: int
) -> tuple[set[tuple[str, str]], list[list[str]]]:
    """Equation 6 and joining from the left, word by word."""
    flat = [word for line in lines for word in line]
    pairs = [pair for line in lines for pair in itertools.pairwise(line)]
    joined = set()
    for a, b in set(pairs):
        score = (pairs.count((a, b)) - min_count) / (flat.count(a) * flat.count(b)) * len(flat)
        often = min(pairs.count((a, b)), flat.count(a), flat.count(b)) >= min_count
        if often and score > threshold:
            joined.add((a, b))
    found = []
    for line in lines:
        out, place = [], 0
        while place < len(line):
            if place + 1 < len(line) and (line[place], line[place + 1]) in joined:
                out.append(f"{line[place]}_{line[place + 1]}")
                place += 2
            else:
                out.append(line[place])
                place += 1
        found.append(out)
    return joined, found


@settings(deadline=None)
@given(LINES, st.sampled_from([0.01, 0.3, 1.0]), st.integers(1, 2))
def test_phrases_are_those_of_the_equation(
    tmp_path_factory: pytest.TempPathFactory,
    lines: list[list[str]],
    threshold: float,
    min_count: int,
) -> None:
    folder = tmp_path_factory.mktemp("text")
    text = encoded_of(lines, folder)
    joined = join_phrases(text, threshold, min_count, folder / "joined", quiet)
    pairs, expected = slow_phrases(lines, threshold, min_count)
    # Where a phrase ends and the next begins in one place depends on the first one found.
    assert lines_of(joined, 5) == expected
    assert {word for word in joined.words if "_" in word} <= {f"{a}_{b}" for a, b in pairs}
    assert joined.length == sum(map(len, expected))


def test_a_second_pass_makes_phrases_of_three(tmp_path: Path) -> None:
    lines = [["new", "york", "times", x] for x in "pqrstuvw"] * 2
    text = encoded_of(lines, tmp_path)
    once = join_phrases(text, 2.0, 2, tmp_path / "once", quiet)
    assert "new_york" in once.words
    twice = join_phrases(once, 1.0, 2, tmp_path / "twice", quiet)
    assert "new_york_times" in twice.words


def test_a_phrase_that_the_text_has_as_a_word_is_that_word(tmp_path: Path) -> None:
    lines = [["a_b"], ["a", "b"]] * 4
    text = encoded_of(lines, tmp_path)
    joined = join_phrases(text, 0.1, 1, tmp_path / "joined", quiet)
    assert joined.words.keys() == {"a_b"}
    assert joined.counts[joined.words["a_b"]] == 8


def test_counts_of_a_joined_text_are_those_of_its_file(tmp_path: Path) -> None:
    text = encoded_of([["a", "b", "c"]] * 5 + [["b"]], tmp_path)
    joined = join_phrases(text, 0.1, 1, tmp_path / "joined", quiet)
    found = np.concatenate(list(joined.chunks(100)))
    again = np.bincount(found[found >= 0], minlength=len(joined.counts))
    assert joined.counts.tolist() == again.tolist()
