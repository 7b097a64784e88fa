"""Analogies: worked by hand, against a plain loop, and against gensim's own evaluation."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seqloom.errors import EvaluationError
from seqloom.evaluation import analogies as module
from seqloom.evaluation.analogies import Analogies, Tally, analogies, answers
from seqloom.evaluation.wordsets import Questions, Section, read_questions
from seqloom.text.vectors import WordVectors

NOUNS = [
    "book", "tree", "house", "river", "stone", "cloud", "table", "chair", "window", "garden",
    "street", "letter", "teacher", "doctor", "farmer", "sailor", "soldier", "painter", "island",
    "forest", "bridge", "castle", "candle", "mirror", "basket", "hammer", "ladder", "needle",
    "pillow", "ribbon", "saddle", "ticket", "tunnel", "violin", "wagon",
]  # fmt: skip


def words_in_relations(seed: int, noise: float, width: int = 12) -> WordVectors:
    """Nouns and their plurals and capitals: random vectors, and two offsets with noise on them."""
    chance = np.random.default_rng(seed)
    stems = chance.normal(size=(len(NOUNS), width))
    offsets = chance.normal(size=(2, width)) * 2
    forms = [stems, *(stems + each + noise * chance.normal(size=stems.shape) for each in offsets)]
    names = [*NOUNS, *(f"{n}s" for n in NOUNS), *(f"{n}dom" for n in NOUNS)]
    order = chance.permutation(len(names))
    matrix = np.concatenate(forms).astype(np.float32)
    return WordVectors([names[i] for i in order], matrix[order])


def plurals_and_realms(seed: int, number: int = 200) -> str:
    """Questions over the words above; some words are unknown."""
    chance = random.Random(seed)
    lines = []
    for head, ending in (("realms", "dom"), ("gram1-plural", "s")):
        lines.append(f": {head}")
        for _ in range(number):
            one, two = chance.sample([*NOUNS, "zebra", "planet"], 2)
            lines.append(f"{one} {one}{ending} {two} {two}{ending}")
    return "\n".join(lines) + "\n"


def written(folder: Path, text: str) -> Path:
    path = folder / "questions.txt"
    path.write_text(text, encoding="utf-8")
    return path


def plain_answers(unit: np.ndarray, asked: np.ndarray) -> list[int]:
    """3CosAdd, one question and one word after the other."""
    found = []
    for a, b, c in asked.tolist():
        best, which = -np.inf, -1
        for d, vector in enumerate(unit):
            near = float(vector @ (unit[b] - unit[a] + unit[c]))
            if d not in (a, b, c) and near > best:
                best, which = near, d
        found.append(which)
    return found


def gensim_counts(
    vectors: WordVectors, path: Path, restrict: int, ignore_case: bool
) -> dict[str, tuple[int, int]]:
    """Section -> questions covered and right, by gensim on the same numbers."""
    from gensim.models import KeyedVectors

    theirs = KeyedVectors(vectors.width, dtype=np.float64)
    theirs.add_vectors(vectors.words, vectors.matrix.astype(np.float64))
    _, sections = theirs.evaluate_word_analogies(
        str(path), restrict_vocab=restrict, case_insensitive=ignore_case
    )
    return {
        one["section"]: (len(one["correct"]) + len(one["incorrect"]), len(one["correct"]))
        for one in sections
    }


def our_counts(found: Analogies) -> dict[str, tuple[int, int]]:
    tallies = {tally.name: tally for tally in (*found.semantic, *found.syntactic)}
    counts = {name: (tally.covered, tally.right) for name, tally in tallies.items()}
    return {**counts, "Total accuracy": (found.total.covered, found.total.right)}


def test_an_analogy_worked_by_hand():
    # b - a + c = (0, 1) - (1, 0) + (0.6, 0.8) = (-0.4, 1.8); with the cosines of x (0.96, 0.28)
    # 0.12, of y (-0.6, 0.8) 1.68 and of z (0.28, 0.96) 1.616. Nearest of all is b itself, 1.8.
    vectors = WordVectors(
        ["a", "b", "c", "x", "y", "z"],
        np.array([[2, 0], [0, 3], [3, 4], [24, 7], [-3, 4], [7, 24]]),
    )
    asked = Questions("hand", (Section("s", (("a", "b", "c", "y"), ("a", "b", "c", "z"))),))
    found = analogies(vectors, asked)
    assert found.total == Tally("total", 2, 2, 1)
    assert found.total.accuracy == 50


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10_000), st.integers(4, 40), st.integers(1, 5), st.integers(1, 64))
def test_agrees_with_a_plain_loop(seed, size, width, cells):
    chance = np.random.default_rng(seed)
    vectors = WordVectors([f"w{i}" for i in range(size)], chance.normal(size=(size, width)))
    asked = chance.integers(0, size, (30, 3))
    unit = vectors.unit.astype(np.float64)  # so that both round alike
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "_CELLS", cells)
        found = answers(unit, asked, lambda done: None)
    for d, expected, (a, b, c) in zip(found, plain_answers(unit, asked), asked, strict=True):
        query = unit[b] - unit[a] + unit[c]
        assert d not in (a, b, c)
        assert unit[d] @ query == pytest.approx(unit[expected] @ query, abs=1e-6)


def test_of_equally_near_words_the_more_frequent_answers():
    unit = np.array([[1, 0], [0, 1], [1, 0], [0, 1], [0, 1]], dtype=np.float32)
    asked = np.array([[0, 1, 2]])
    assert answers(unit, asked, lambda done: None).tolist() == [3]


def test_no_word_is_left_to_answer():
    unit = np.eye(3, dtype=np.float32)
    assert answers(unit, np.array([[0, 1, 2]]), lambda done: None).tolist() == [-1]


@pytest.mark.parametrize("noise", [0.1, 0.8, 1.5])
@pytest.mark.parametrize("restrict", [300_000, 70])
def test_counts_are_gensims(tmp_path, noise, restrict):
    path = written(tmp_path, plurals_and_realms(3))
    vectors = words_in_relations(4, noise)
    found = analogies(vectors, read_questions(path), restrict=restrict)
    assert our_counts(found) == gensim_counts(vectors, path, restrict, ignore_case=True)
    assert 0 < found.total.covered < found.total.asked
    assert found.total.right > 0


def test_some_answers_are_right_and_some_wrong(tmp_path):
    path = written(tmp_path, plurals_and_realms(3))
    accuracy = analogies(words_in_relations(4, 0.8), read_questions(path)).total.accuracy
    assert 10 < accuracy < 90


@pytest.mark.parametrize("seed", range(3))
def test_counts_with_capitals_are_gensims(tmp_path, seed):
    chance = random.Random(seed)
    text = plurals_and_realms(seed)
    named = set(chance.sample(NOUNS, 15))
    lines = [" ".join(_capital(w, named) for w in line.split()) for line in text.splitlines()]
    path = written(tmp_path, "\n".join(lines))
    vectors = words_in_relations(seed, 0.8)
    mixed = WordVectors([_capital(word, named) for word in vectors.words], vectors.matrix)
    found = analogies(mixed, read_questions(path))
    assert not found.lower
    assert our_counts(found) == gensim_counts(mixed, path, 300_000, ignore_case=False)


def _capital(word: str, named: set[str]) -> str:
    return word.capitalize() if any(word.startswith(name) for name in named) else word


def test_capitals_find_a_vocabulary_in_lower_case(tmp_path):
    upper = written(tmp_path, plurals_and_realms(3).upper().replace("GRAM1-PLURAL", "gram1-plural"))
    vectors = words_in_relations(4, 0.8)
    found = analogies(vectors, read_questions(upper))
    assert found.lower
    lower = analogies(vectors, read_questions(written(tmp_path, plurals_and_realms(3))))
    assert (found.total, found.syntactic) == (lower.total, lower.syntactic)


@pytest.mark.parametrize(
    ("words", "case", "lower"),
    [
        (["paris", "rome"], "auto", True),
        (["paris", "Rome"], "auto", False),
        ([*(f"w{i}" for i in range(200)), "UNK"], "auto", True),
        ([*(f"w{i}" for i in range(98)), "Rome", "Bern"], "auto", False),
        (["paris", "rome"], "keep", False),
        (["paris", "Rome"], "lower", True),
    ],
)
def test_when_words_are_put_into_lower_case(words, case, lower):
    vectors = WordVectors(words, np.eye(len(words)))
    asked = Questions("q", (Section("s", (("PARIS", "paris", "Rome", "rome"),)),))
    found = analogies(vectors, asked, case=case)
    assert found.lower is lower
    assert ("PARIS" in found.unknown) is (not lower or "paris" not in words)


def test_another_case_is_refused():
    vectors = words_in_relations(1, 0.1)
    asked = Questions("q", (Section("s", (("a", "b", "c", "d"),)),))
    with pytest.raises(EvaluationError, match="unknown case 'upper'; expected auto, lower, keep"):
        analogies(vectors, asked, case="upper")


def test_coverage_and_unknown_words():
    vectors = WordVectors(["a", "b", "c", "d"], np.eye(4))
    rows = (("a", "b", "c", "d"), ("a", "b", "c", "e"), ("f", "b", "e", "d"))
    found = analogies(vectors, Questions("q", (Section("s", rows), Section("t", rows[1:]))))
    assert [(t.asked, t.covered) for t in found.semantic] == [(3, 1), (2, 0)]
    assert found.unknown == ("e", "f")
    assert found.semantic[1].accuracy is None
    assert found.total == Tally("total", 5, 1, 1)


def test_restricted_words_neither_answer_nor_are_known():
    rows = np.array([[1, 0, 0], [0, 1, 0], [0, 0, 1], [-1, 1, 1], [-1, 1, 0.9]])
    asked = Questions("q", (Section("s", (("a", "b", "c", "exact"), ("a", "b", "c", "almost"))),))
    one = WordVectors(["a", "b", "c", "exact", "almost"], rows)
    other = WordVectors(["a", "b", "c", "almost", "exact"], rows[[0, 1, 2, 4, 3]])
    for vectors, unknown in ((one, "almost"), (other, "exact")):
        assert analogies(vectors, asked).total == Tally("total", 2, 2, 1)
        found = analogies(vectors, asked, restrict=4)
        assert found.total == Tally("total", 2, 1, 1)
        assert (found.unknown, found.answering) == ((unknown,), 4)


def test_the_most_frequent_are_known_by_their_counts():
    vectors = WordVectors(["rare", "a", "b", "c", "d"], np.eye(5), counts=np.array([1, 9, 8, 7, 6]))
    asked = Questions("q", (Section("s", (("a", "b", "c", "d"), ("a", "b", "c", "rare"))),))
    found = analogies(vectors, asked, restrict=4)
    assert found.unknown == ("rare",)
    assert found.total.covered == 1


def test_sums_are_of_meanings_of_forms_and_of_all():
    vectors = WordVectors(["a", "b", "c", "d"], np.eye(4))
    one = ("a", "b", "c", "d")
    sections = (
        Section("gram1-x", (one, one)),
        Section("family", (one, one, one)),
        Section("gram2-y", (one, ("a", "b", "c", "z"))),
        Section("grandparents", (one,)),
    )
    found = analogies(vectors, Questions("q", sections))
    assert [tally.name for tally in found.semantic] == ["family", "grandparents"]
    assert [tally.name for tally in found.syntactic] == ["gram1-x", "gram2-y"]
    assert found.sums() == (
        Tally("semantic", 4, 4, 4),
        Tally("syntactic", 4, 3, 3),
        Tally("total", 8, 7, 7),
    )


def test_progress_reaches_its_end(monkeypatch, tmp_path):
    monkeypatch.setattr(module, "_CELLS", 1000)
    told = []
    asked = read_questions(written(tmp_path, plurals_and_realms(3)))
    vectors = words_in_relations(4, 0.8)
    analogies(vectors, asked, progress=lambda *told_now: told.append(told_now))
    assert len(told) > 3
    assert told[-1] == ("answering questions", len(vectors), len(vectors))
    assert [done for _, done, _ in told] == sorted({done for _, done, _ in told})


def test_googles_questions_as_gensim_counts_them(real_data):
    path = real_data / "wordsim" / "questions-words.txt"
    questions = read_questions(path)
    words = list(dict.fromkeys(w.lower() for q in questions.asked[::40] for w in q))
    chance = np.random.default_rng(5)
    random.Random(5).shuffle(words)
    vectors = WordVectors(words, _clustered(words, questions, chance))
    found = analogies(vectors, questions)
    assert our_counts(found) == gensim_counts(vectors, path, 300_000, ignore_case=True)
    assert found.total.asked == 19_544
    assert 0.1 < found.total.right / found.total.covered < 0.9


def _clustered(words: list[str], questions: Questions, chance: np.random.Generator) -> np.ndarray:
    """Random vectors in which the second word of a question is an offset from the first."""
    width = 30
    found = {word: chance.normal(size=width) for word in words}
    for section in questions.sections:
        offset = 1.5 * chance.normal(size=width)
        for a, b in dict.fromkeys(
            (q[i].lower(), q[i + 1].lower()) for q in section.questions for i in (0, 2)
        ):
            if a in found and b in found:
                found[b] = found[a] + offset + 0.7 * chance.normal(size=width)
    return np.array([found[word] for word in words])
