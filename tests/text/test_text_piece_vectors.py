"""Which piece of a vocabulary gets which vector: every rule by hand, and all of them together."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from seqloom.errors import VectorsError
from seqloom.symbols import SPECIALS
from seqloom.text.ngrams import Ngrams
from seqloom.text.piece_vectors import WAYS, PieceVectors, piece_vectors
from seqloom.text.pipeline import KINDS, assemble
from seqloom.text.tokenizer import Tokenizer
from seqloom.text.vectors import WordVectors

CONTROL = [*SPECIALS, "<2de>"]


def silent(stage: str, done: int, total: int | None, note: str = "") -> None:
    """Nobody watches."""


def tokenizer_of(pieces: Sequence[str], merges: Sequence[tuple[str, str]]) -> Tokenizer:
    return Tokenizer(assemble("bpe", CONTROL, dict.fromkeys(pieces, 0.0), merges))


LOWS = tokenizer_of(
    [*"▁lowerstnL", "▁l", "▁lo", "▁low", "▁L", "▁Lo", "▁Low", "es", "est"],
    [("▁", "l"), ("▁l", "o"), ("▁lo", "w"), ("▁", "L"), ("▁L", "o"), ("▁Lo", "w"), ("e", "s"),
     ("es", "t")],
)  # fmt: skip
BEIJING = tokenizer_of(
    ["▁", *"北京我人", "▁北", "北京", "▁我"], [("▁", "北"), ("北", "京"), ("▁", "我")]
)


def vectors_of(rows: dict[str, list[float]], **more: object) -> WordVectors:
    return WordVectors(list(rows), np.array(list(rows.values()), np.float32), **more)


def told(vectors: WordVectors, tokenizer: Tokenizer = LOWS) -> dict[str, tuple[str, list[float]]]:
    """Piece -> how it came by a vector, and the vector; pieces without one are left out."""
    found = piece_vectors(vectors, tokenizer, "here", silent)
    assert found.matrix.dtype == np.float32
    assert not found.matrix[found.ways == 0].any()
    pieces = tokenizer.pieces(range(tokenizer.size))
    return {
        pieces[piece]: (WAYS[found.ways[piece]], pytest.approx(found.matrix[piece].tolist()))
        for piece in np.flatnonzero(found.ways).tolist()
    }


def test_the_cuts_that_the_tests_below_rely_on() -> None:
    def cut(tokenizer: Tokenizer, text: str) -> list[str]:
        return tokenizer.pieces(tokenizer.encode(text))

    assert cut(LOWS, "low Low lowest") == ["▁low", "▁Low", "▁low", "est"]
    assert cut(LOWS, "newest nn") == ["▁", "n", "e", "w", "est", "▁", "n", "n"]
    assert cut(BEIJING, "北京人") == ["▁北", "京", "人"]
    assert cut(BEIJING, "我北京") == ["▁我", "北京"]


def test_by_word_and_through_words() -> None:
    rows = {"low": [1.0, 0.0], "newest": [1.0, 1.0], "lowest": [0.0, 1.0]}
    found = told(vectors_of(rows, counts=np.array([10, 6, 2])))
    by_word, newest = ("by word", [1.0, 0.0]), ("through words", [1.0, 1.0])
    assert found == {
        "▁low": by_word,
        "▁Low": by_word,  # in lower case
        **dict.fromkeys(["▁", "n", "e", "w"], newest),
        "est": ("through words", [0.75, 1.0]),  # (6 [1 1] + 2 [0 1]) / 8
        # Behind a hyphen: l o w and l o w est, L o w and L o w est; 10 [1 0] + 2 [0 1].
        **dict.fromkeys(["l", "o", "L"], ("through words", [10 / 12, 2 / 12])),
    }


def test_without_counts_words_count_by_their_rank() -> None:
    found = told(vectors_of({"low": [1.0, 0.0], "newest": [1.0, 1.0], "lowest": [0.0, 1.0]}))
    assert found["est"] == ("through words", [0.6, 1.0])  # (1/2 [1 1] + 1/3 [0 1]) / (5/6)


def test_a_word_as_it_is_written_goes_before_its_lower_case() -> None:
    found = told(vectors_of({"low": [1.0, 0.0], "Low": [0.0, 1.0]}))
    assert found["▁low"] == ("by word", [1.0, 0.0])
    assert found["▁Low"] == ("by word", [0.0, 1.0])


def test_a_piece_inside_a_word_is_no_word() -> None:
    """French has a word `est`, which the English ending is not."""
    found = told(vectors_of({"est": [1.0, 0.0], "newest": [0.0, 1.0]}, counts=np.array([1, 1])))
    assert found["est"] == ("through words", [0.5, 0.5])


def test_a_word_counts_once_for_a_piece_that_it_holds_twice() -> None:
    found = told(vectors_of({"nn": [1.0, 0.0], "sn": [0.0, 1.0]}, counts=np.array([1, 1])))
    assert found["n"] == ("through words", [0.5, 0.5])


def test_vectors_of_pieces() -> None:
    rows = {"▁low": [1.0, 0.0], "est": [0.0, 1.0], "▁": [1.0, 1.0], "newest": [5.0, 5.0]}
    found = told(vectors_of(rows))
    assert found == {
        "▁low": ("by piece", [1.0, 0.0]),
        "▁Low": ("by piece", [1.0, 0.0]),
        "est": ("by piece", [0.0, 1.0]),
        "▁": ("by piece", [1.0, 1.0]),
    }


def test_one_stray_mark_does_not_make_vectors_of_pieces() -> None:
    found = told(vectors_of({"▁Low": [9.0, 9.0], "low": [1.0, 0.0]}))
    assert found["▁low"] == ("by word", [1.0, 0.0])
    assert found["▁Low"] == ("by word", [1.0, 0.0])


def test_ngrams_reach_what_no_word_reaches() -> None:
    ngrams = Ngrams(np.random.default_rng(1).normal(size=(50, 2)).astype(np.float32))
    found = told(vectors_of({"low": [1.0, 0.0]}, ngrams=ngrams))
    for piece in ("▁low", "▁Low"):
        assert found.pop(piece) == ("by word", [1.0, 0.0])
    for piece in "lowL":
        assert found.pop(piece) == ("through words", [1.0, 0.0])
    words = {"▁l": "l", "▁lo": "lo", "▁L": "L", "▁Lo": "Lo", "es": "es", "est": "est"}
    words |= {letter: letter for letter in "erstn"}
    assert found == {
        piece: ("by n-grams", ngrams.vector(word).tolist()) for piece, word in words.items()
    }


def test_ngrams_of_pieces_have_the_mark() -> None:
    ngrams = Ngrams(np.random.default_rng(1).normal(size=(50, 2)).astype(np.float32))
    found = told(vectors_of({"▁low": [1.0, 0.0]}, ngrams=ngrams))
    assert found["▁lo"] == ("by n-grams", ngrams.vector("▁lo").tolist())


def test_special_tokens_tags_and_bytes_get_none() -> None:
    ngrams = Ngrams(np.ones((50, 2), np.float32))
    words = ["low", "<2de>", "</s>", "<0x41>", "A"]
    found = told(vectors_of({word: [1.0, 2.0] for word in words}, ngrams=ngrams))
    assert [piece for piece in found if piece.startswith("<")] == []


def test_a_word_spelt_in_bytes_tells_nothing_of_its_other_pieces() -> None:
    found = told(vectors_of({"lowé": [1.0, 0.0], "nn": [0.0, 1.0]}))
    assert found.keys() == {"▁", "n"}


def test_zeros_are_no_vector() -> None:
    found = told(vectors_of({"low": [0.0, 0.0], "nn": [0.0, 1.0]}))
    assert found.keys() == {"▁", "n"}


def test_scripts_without_spaces_have_words_anywhere() -> None:
    found = told(vectors_of({"北京": [1.0, 0.0], "我": [0.0, 1.0]}), BEIJING)
    assert found == {
        "北京": ("by word", [1.0, 0.0]),
        "我": ("by word", [0.0, 1.0]),
        "▁我": ("by word", [0.0, 1.0]),
        "▁北": ("through words", [1.0, 0.0]),  # at the beginning of a text
        "京": ("through words", [1.0, 0.0]),
    }


def test_words_with_a_capital_or_without_a_space_are_a_second_try() -> None:
    tokenizer = tokenizer_of(
        [*"▁lowerL", "▁l", "▁L", "▁Lo", "lo", "low"],
        [("▁", "l"), ("▁", "L"), ("▁L", "o"), ("l", "o"), ("lo", "w")],
    )
    cut = tokenizer.pieces(tokenizer.encode("lower Lower"))
    assert cut == ["▁l", "o", "w", "e", "r", "▁Lo", "w", "e", "r"]
    rows = {"lower": [1.0, 0.0], "er": [0.0, 1.0]}
    found = told(vectors_of(rows, counts=np.array([1, 3])), tokenizer)
    lower = ("through words", [1.0, 0.0])
    assert found == {
        **dict.fromkeys(["▁l", "o", "w"], lower),
        **dict.fromkeys("er", ("through words", [0.25, 0.75])),
        "▁": ("through words", [0.0, 1.0]),
        **dict.fromkeys(["▁Lo", "low", "L"], lower),  # Lower, -lower, -Lower
    }


def test_words_of_such_scripts_are_cut_as_inside_a_text_too() -> None:
    found = told(vectors_of({"北京人": [1.0, 0.0]}), BEIJING)
    through = ("through words", [1.0, 0.0])
    assert found == dict.fromkeys(["▁北", "京", "北京", "人"], through)


TEXTS = [
    "The lowest of the newest towers fell slowly, slower and slowest of all.",
    "Новейшая башня была самой низкой, а низшая и новая стояли.",
    "我们住在北京，北京人说北京话。我们是人。",
    "the low tower was lower than the new towers",
]
WORDS = [
    "the", "lowest", "low", "towers", "slow", "slower", "of", "new", "башня", "новая", "низкой",
    "стояли", "北京", "北京人", "我们", "人", "说", "naïve", "The", "日本",
]  # fmt: skip


def inside(tokenizer: Tokenizer, word: str) -> list[int]:
    """The ids of a word without its mark, by the vocabulary itself."""
    first, *rest = tokenizer.words(word)
    return [index for part in (first[1:], *rest) if part for index in tokenizer.encode_word(part)]


def slow(vectors: WordVectors, tokenizer: Tokenizer) -> np.ndarray:
    """The rules of words once more, one piece and one word at a time."""
    pieces = tokenizer.pieces(range(tokenizer.size))
    tries: list[list[tuple[str, list[int]]]] = [[], []]
    for word in vectors.words:
        tries[0].append((word, tokenizer.encode(word)))
        capital = word[0].upper() + word[1:]
        tries[1] += [(word, tokenizer.encode(capital))]
        tries[1] += [(word, inside(tokenizer, form)) for form in (word, capital)]
        if "\u4e00" <= word[0] <= "\u9fff":
            tries[0].append((word, inside(tokenizer, word)))
    matrix = np.zeros((tokenizer.size, vectors.width))
    for index, piece in enumerate(pieces):
        if index < len(SPECIALS) or piece.startswith("<0x"):
            continue
        own = piece[1:] if piece[0] == "▁" else piece if "\u4e00" <= piece[0] <= "\u9fff" else ""
        if own in vectors or own.lower() in vectors:
            matrix[index] = vectors.vector(own if own in vectors else own.lower())
            continue
        for cuts in tries:
            holding = {
                word: vectors.counts[vectors.row(word)]
                for word, ids in cuts
                if index in ids and not any(pieces[other].startswith("<0x") for other in ids)
            }
            if holding:
                weighted = [count * vectors.vector(word) for word, count in holding.items()]
                matrix[index] = np.sum(weighted, axis=0) / sum(holding.values())
                break
    return matrix


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("batch", [3, 10_000])
def test_every_kind_of_tokenizer(kind: str, batch: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("seqloom.text.piece_vectors._BATCH", batch)
    tokenizer = Tokenizer.train(TEXTS, kind, 420, exact=False)
    random = np.random.default_rng(2)
    matrix, counts = random.normal(size=(len(WORDS), 4)), random.integers(1, 99, len(WORDS))
    vectors = WordVectors(WORDS, matrix, counts=counts)
    expected = slow(vectors, tokenizer)
    found = piece_vectors(vectors, tokenizer, "here", silent)
    assert np.allclose(found.matrix, expected, atol=1e-6)
    assert (found.ways > 0).tolist() == expected.any(axis=1).tolist()
    assert (found.ways > 0).sum() > 10


def test_progress_is_told() -> None:
    seen: list[tuple[int, int | None]] = []

    def watch(stage: str, done: int, total: int | None, note: str = "") -> None:
        seen.append((done, total))

    piece_vectors(vectors_of({"low": [1.0], "nn": [2.0]}), LOWS, "here", watch)
    assert seen == [(2, 2), (2, 2)]


def test_the_summary_counts_every_way() -> None:
    ways = np.array([0, 0, 1, 2, 2, 2, 3, 3, 4])
    found = PieceVectors("en.vec", np.zeros((9, 2), np.float32), ways)
    assert found.summary() == (
        "7 of 9 pieces have a vector of en.vec (1 by piece, 3 by word, 2 through words, "
        "1 by n-grams)"
    )


def test_vectors_of_another_language_are_refused() -> None:
    with pytest.raises(VectorsError) as caught:
        piece_vectors(vectors_of({"дом": [1.0], "мир": [2.0]}), LOWS, "ru.vec", silent)
    assert str(caught.value) == (
        f"ru.vec: none of the vocabulary's {LOWS.size} pieces is one of its 2 words, or part of "
        "one. It has vectors of дом, мир ...; the vocabulary has ▁lo, ▁low, ▁Lo, ▁Low, est .... "
        "Take vectors of the language of that side."
    )


@pytest.mark.parametrize("number", [np.nan, np.inf])
def test_numbers_that_are_none_are_refused(number: float) -> None:
    with pytest.raises(VectorsError, match=r"here: .* the piece 'l' holds NaN or infinity \(6"):
        piece_vectors(vectors_of({"low": [1.0, number]}), LOWS, "here", silent)
