"""Word vectors: what can be asked of them, and their folder."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from seqloom.errors import FolderError, VectorsError
from seqloom.text.gensim_vectors import to_gensim
from seqloom.text.ngrams import Ngrams
from seqloom.text.vectors import WordVectors

ROYAL = {
    "man": (1, 0, 1),
    "woman": (0, 1, 1),
    "king": (5, 0, 9),
    "queen": (0, 5, 9),
    "of": (0, 0, 0),
}
TINY = st.floats(-100, 100, width=32)


def royal(**more) -> WordVectors:
    return WordVectors(list(ROYAL), np.array(list(ROYAL.values())), **more)


def random_vectors(count: int = 60, width: int = 8) -> WordVectors:
    chance = np.random.default_rng(5)
    return WordVectors([f"w{n}" for n in range(count)], chance.normal(size=(count, width)))


def with_ngrams() -> WordVectors:
    chance = np.random.default_rng(3)
    return royal(ngrams=Ngrams(chance.normal(size=(50, 3)).astype(np.float32), 3, 4))


def test_the_textbook_analogy_by_hand():
    # king - man + woman at length 1 each: (5,0,9)/√106 - (1,0,1)/√2 + (0,1,1)/√2
    query, used = royal().combine("king - man + woman")
    expected = np.array([5 / 106**0.5 - 0.5**0.5, 0.5**0.5, 9 / 106**0.5])
    np.testing.assert_allclose(query, expected, atol=1e-7)
    assert used == ["king", "man", "woman"]
    cosine = expected @ (0, 5, 9) / 106**0.5 / np.linalg.norm(expected)
    ((word, found),) = royal().analogy("man", "king", "woman")
    assert (word, found) == ("queen", pytest.approx(cosine, abs=1e-6))
    assert royal().nearest(query, 1, used)[0] == ("queen", pytest.approx(cosine, abs=1e-6))


def test_rows_of_zeros_are_like_nothing():
    vectors = royal()
    assert vectors.unit[4].tolist() == [0, 0, 0]
    assert np.linalg.norm(vectors.unit[:4], axis=1) == pytest.approx(1, abs=1e-6)
    assert dict(vectors.neighbours("king"))["of"] == 0
    assert [cosine for _, cosine in vectors.neighbours("of", 9)] == [0] * 4
    assert [word for word, _ in vectors.neighbours("of", 9)] == ["man", "woman", "king", "queen"]


def test_lengths_beyond_single_precision():
    vectors = WordVectors(
        ["large", "small", "other"], np.array([[3e38] * 4, [1e-44] * 4, [0, 1, 0, 0]])
    )
    assert vectors.neighbours("large", 1) == [("small", pytest.approx(1, abs=1e-6))]
    assert vectors.neighbours("other", 1) == [("large", pytest.approx(0.5, abs=1e-6))]


@given(
    matrix=arrays.arrays(
        np.float32, st.tuples(st.integers(1, 12), st.integers(1, 3)), elements=TINY
    ),
    number=st.integers(0, 15),
    data=st.data(),
)
def test_nearest_is_a_sorted_list_of_cosines(matrix, number, data):
    words = [f"w{n}" for n in range(len(matrix))]
    vectors = WordVectors(words, matrix)
    hidden = data.draw(st.lists(st.sampled_from([*words, "elsewhere"])))
    query = data.draw(arrays.arrays(np.float32, matrix.shape[1], elements=TINY))
    found = vectors.nearest(query, number, hidden)
    direction = query / np.float64(np.linalg.norm(query.astype(np.float64)) or 1)
    cosines = vectors.unit @ direction.astype(np.float32)
    rest = [row for row in range(len(words)) if words[row] not in hidden]
    expected = sorted(rest, key=lambda row: (-cosines[row], row))[:number]
    assert [word for word, _ in found] == [words[row] for row in expected]
    np.testing.assert_allclose([c for _, c in found], [cosines[r] for r in expected], atol=1e-6)
    assert all(-1.000001 <= cosine <= 1.000001 for _, cosine in found)


def test_gensim_finds_the_same():
    vectors = random_vectors()
    other = to_gensim(vectors)
    for word in vectors.words[:20]:
        theirs = other.most_similar(word, topn=7)
        ours = vectors.neighbours(word, 7)
        assert [name for name, _ in ours] == [name for name, _ in theirs]
        np.testing.assert_allclose([c for _, c in ours], [c for _, c in theirs], atol=1e-6)
    for place in range(20):
        a, b, c = vectors.words[place : place + 3]
        theirs = other.most_similar(positive=[b, c], negative=[a], topn=5)
        ours = vectors.analogy(a, b, c, 5)
        assert [name for name, _ in ours] == [name for name, _ in theirs]
        np.testing.assert_allclose([c for _, c in ours], [c for _, c in theirs], atol=1e-6)


SIGNED = WordVectors(
    ["a", "b", "-", "+", "well-known", "a - b", "New_York"], np.eye(7, dtype=np.float32)
)


@pytest.mark.parametrize(
    ("expression", "expected", "used"),
    [
        ("a", [1, 0, 0, 0, 0, 0, 0], ["a"]),
        (" a  +   b ", [1, 1, 0, 0, 0, 0, 0], ["a", "b"]),
        ("- a + b", [-1, 1, 0, 0, 0, 0, 0], ["a", "b"]),
        ("a + a - b", [2, -1, 0, 0, 0, 0, 0], ["a", "a", "b"]),
        ("-", [0, 0, 1, 0, 0, 0, 0], ["-"]),
        ("a - - + +", [1, 0, -1, 1, 0, 0, 0], ["a", "-", "+"]),
        ("well-known - b", [0, -1, 0, 0, 1, 0, 0], ["well-known", "b"]),
        ("a - b", [0, 0, 0, 0, 0, 1, 0], ["a - b"]),
    ],
)
def test_expressions(expression, expected, used):
    query, found = SIGNED.combine(expression)
    assert (query.tolist(), found) == (expected, used)


@pytest.mark.parametrize("expression", ["", "  ", "a b", "a +", "a + b b", "New York", "+ a b"])
def test_expressions_that_are_none(expression):
    with pytest.raises(VectorsError, match=r"neither a word nor words with .* between them"):
        SIGNED.combine(expression)


def test_all_unknown_words_are_named_with_what_is_spelt_like_them():
    vectors = WordVectors(["king", "Paris", "NATO", "queen"], np.ones((4, 2)))
    with pytest.raises(VectorsError) as error:
        vectors.combine("kign - paris + queen - xylophone + kign")
    assert str(error.value).splitlines() == [
        "'kign' is not among the 4 words. Spelt much like it: king.",
        "'paris' is not among the 4 words. Spelt much like it: Paris.",
        "'xylophone' is not among the 4 words. Spelt much like it: none of the frequent ones.",
    ]
    with pytest.raises(VectorsError, match=r"'nato' is not among .* like it: NATO"):
        vectors.vector("nato")
    with pytest.raises(VectorsError, match="'kings' is not among"):
        vectors.analogy("king", "queen", "kings")
    assert vectors.close("king") == []
    assert vectors.close("PARIS", 1) == ["Paris"]


def test_words_that_are_not_there_are_composed_of_ngrams():
    vectors = with_ngrams()
    assert "kingly" not in vectors and vectors.row("kingly") is None
    np.testing.assert_array_equal(vectors.vector("kingly"), vectors.ngrams.vector("kingly"))
    np.testing.assert_array_equal(vectors.vector("king"), ROYAL["king"])
    query, used = vectors.combine("kingly + king")
    composed = vectors.ngrams.vector("kingly")
    expected = composed / np.linalg.norm(composed) + np.array(ROYAL["king"]) / 106**0.5
    np.testing.assert_allclose(query, expected, atol=1e-6)
    assert used == ["kingly", "king"]
    assert len(vectors.neighbours("kingly", 2)) == 2
    for nothing in ("", "\udce4"):  # too short for an n-gram; no Unicode
        with pytest.raises(VectorsError, match="is not among the 5 words"):
            vectors.vector(nothing)


def test_the_most_frequent_words():
    counts = np.array([5, 9, 7, 9, 1])
    vectors = royal(counts=counts, origin={"corpus": "c"})
    few = vectors.first(3)
    assert few.words == ["woman", "king", "queen"]
    assert few.counts.tolist() == [9, 7, 9]
    assert few.matrix.tolist() == [list(ROYAL[word]) for word in few.words]
    assert few.origin == {"corpus": "c"}
    assert royal().first(2).words == ["man", "woman"]
    assert royal().first(99).words == list(ROYAL)


def test_what_is_no_word_vectors():
    with pytest.raises(VectorsError, match=r"2 words and a matrix of \(3, 2\); expected one row"):
        WordVectors(["a", "b"], np.ones((3, 2)))
    with pytest.raises(VectorsError, match="the word 'b' stands twice"):
        WordVectors(["a", "b", "c", "b"], np.ones((4, 2)))
    with pytest.raises(VectorsError, match=r"the word 'x\\ud800' is not Unicode"):
        WordVectors(["a", "x\ud800"], np.ones((2, 2)))


@pytest.mark.parametrize("counts", [None, np.array([3, 2**40, 0, 1])])
@pytest.mark.parametrize("ngrams", [None, Ngrams(np.ones((7, 2), np.float32), 2, 5)])
def test_the_folder_gives_everything_back(tmp_path, counts, ngrams):
    words = ["", "two words", "non\u00a0breaking\u2028\n", "🐈и"]
    matrix = np.array([[1, 2], [-0.0, 1e-45], [3e38, 0], [0.1, 7]], np.float32)
    vectors = WordVectors(words, matrix, counts, ngrams, {"seed": 7, "files": ["a"]})
    vectors.save(tmp_path / "new" / "v")
    found = WordVectors.load(tmp_path / "new" / "v")
    assert found.words == words
    assert found.matrix.tobytes() == matrix.tobytes() and found.matrix.dtype == np.float32
    assert found.origin == {"seed": 7, "files": ["a"]}
    assert (found.counts is None) == (counts is None)
    if counts is not None:
        assert found.counts.tolist() == counts.tolist()
    assert (found.ngrams is None) == (ngrams is None)
    if ngrams is not None:
        np.testing.assert_array_equal(found.ngrams.matrix, ngrams.matrix)
        assert (found.ngrams.shortest, found.ngrams.longest) == (2, 5)
    assert {path.name for path in (tmp_path / "new" / "v").iterdir()} == {
        "vectors.json",
        "vectors.safetensors",
    }


def test_a_folder_is_replaced_by_another(tmp_path):
    royal().save(tmp_path)
    random_vectors().save(tmp_path)
    assert WordVectors.load(tmp_path).words == random_vectors().words


def altered(path: Path, **values: object) -> None:
    description = json.loads(path.read_text(encoding="utf-8"))
    path.write_text(json.dumps({**description, **values}), encoding="utf-8")


def test_folders_that_are_something_else_or_damaged(tmp_path):
    with pytest.raises(VectorsError, match=r"no vectors\.json .*seqloom vectors train --help"):
        WordVectors.load(tmp_path)
    description, tensors = tmp_path / "vectors.json", tmp_path / "vectors.safetensors"
    royal().save(tmp_path)
    for change, message in (
        ({"words": ["man"]}, r"vectors\.json is damaged \(1 words and a matrix of \(5, 3\)"),
        ({"words": [1, 2, 3, 4, 5]}, r"vectors\.json is damaged"),
        ({"words": ["man"] * 5}, r"vectors\.json is damaged \(the word 'man' stands twice"),
        ({"ngrams": {"shortest": 3, "longest": 6}}, r"vectors\.json is damaged"),
        ({"format": 99}, "format 99; this Seqloom reads up to"),
    ):
        royal().save(tmp_path)
        altered(description, **change)
        with pytest.raises(VectorsError, match=message):
            WordVectors.load(tmp_path)
    royal().save(tmp_path)
    description.write_text("{half", encoding="utf-8")
    with pytest.raises(VectorsError, match=r"vectors\.json"):
        WordVectors.load(tmp_path)
    royal().save(tmp_path)
    whole = tensors.read_bytes()
    for damaged in (whole[:-1], whole[:-1] + b"\x01", b""):
        tensors.write_bytes(damaged)
        with pytest.raises(VectorsError, match=r"vectors\.safetensors"):
            WordVectors.load(tmp_path)
    tensors.unlink()
    with pytest.raises(VectorsError, match=r"vectors\.safetensors is missing"):
        WordVectors.load(tmp_path)


def test_a_file_where_the_folder_is_to_be(tmp_path):
    (tmp_path / "v").write_text("text", encoding="utf-8")
    with pytest.raises(FolderError, match="cannot write"):
        royal().save(tmp_path / "v")
