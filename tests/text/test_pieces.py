from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as some

from seqloom.text.pieces import split_to_fit


class Characters:
    """One token a character."""

    def encode(self, text: str) -> list[int]:
        return [ord(character) for character in text]


def test_a_text_that_fits_is_left_alone() -> None:
    assert split_to_fit("It fits.", Characters(), 8) == ["It fits."]


def test_sentences_are_kept_whole() -> None:
    text = "One two three. Four, five, six. Seven eight nine. Ten."
    assert split_to_fit(text, Characters(), 35) == [
        "One two three. Four, five, six. ",
        "Seven eight nine. Ten.",
    ]


def test_without_sentences_clauses_and_then_words_are_kept_whole() -> None:
    assert split_to_fit("alpha beta, gamma delta", Characters(), 15) == [
        "alpha beta, ",
        "gamma delta",
    ]
    assert split_to_fit("alpha betas gamma", Characters(), 12) == ["alpha ", "betas gamma"]


def test_chinese_is_cut_after_its_full_stop() -> None:
    assert split_to_fit("他走了。我没有走。", Characters(), 6) == ["他走了。", "我没有走。"]


@given(some.text(max_size=80), some.integers(1, 20))
def test_pieces_fit_and_join_to_the_text(text: str, limit: int) -> None:
    pieces = split_to_fit(text, Characters(), limit)
    assert "".join(pieces) == text
    assert all(len(piece) <= limit for piece in pieces)
