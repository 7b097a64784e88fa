"""Lines to ids and hypotheses to lines."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from seqloom.decoding.hypothesis import Hypothesis
from seqloom.errors import DecodingError
from seqloom.lines import Line, LineReader, join
from tiny import tokenizers_of

LONG = "a b c d. e f g h. a c e g. b d f h. a a"


def letters(text: str) -> list[int]:
    return [ord(letter) for letter in text]


def test_a_line_within_the_limit_is_one_piece() -> None:
    read = LineReader(letters, letters, limit=3, warn=pytest.fail)
    assert read(1, "abc", "x") == Line("abc", [letters("abc")], letters("x"))
    assert read(2, " ", "") == Line(" ", [[]], [])
    with pytest.raises(DecodingError, match="no prefix for line 3"):
        read(3, "abc", None)


@pytest.mark.parametrize(
    ("truncate", "pieces", "what"),
    [(True, ["ab. "], "cut off"), (False, ["ab.", " cd."], "translated in 2 pieces")],
)
def test_a_line_beyond_the_limit(truncate: bool, pieces: list[str], what: str) -> None:
    told: list[str] = []
    read = LineReader(letters, letters, limit=4, truncate=truncate, warn=told.append)
    assert read(7, "ab. cd.", "").pieces == [letters(piece) for piece in pieces]
    assert told == [f"line 7: 7 tokens, more than the 4 that the model was trained on; {what}."]


def test_pieces_keep_their_language_tag() -> None:
    source = tokenizers_of(tags=["de"]).source
    read = LineReader(lambda text: source.encode(text, tags=["de"]), source.encode, limit=6)
    pieces = read(1, LONG, "").pieces
    tag = source.encode("a", tags=["de"])[0]
    assert len(pieces) > 2
    assert all(piece[0] == tag and len(piece) <= 6 for piece in pieces)


def found(*texts: str) -> list[Hypothesis]:
    return [
        Hypothesis(tuple(letters(text)), -2.0 * rank, -1.0 * rank, (), finished=True)
        for rank, text in enumerate(texts, start=1)
    ]


def decode(many: Sequence[Sequence[int]]) -> list[str]:
    return ["".join(map(chr, ids)) for ids in many]


@pytest.mark.parametrize(
    ("pieces", "whole"),
    [
        (["One.", "Two.", "Three."], "One. Two. Three."),
        (["Один.", "", "Два."], "Один. Два."),
        (["你好。", "再见。"], "你好。再见。"),
        (["他说：“好。”", "我走了。"], "他说：“好。”我走了。"),
        (["これは OK", "です。"], "これは OKです。"),
        (["안녕하세요.", "반갑습니다."], "안녕하세요. 반갑습니다."),
        (["ไปไหนมา", "กินข้าว"], "ไปไหนมา กินข้าว"),
    ],
)
def test_pieces_stand_together_as_their_script_has_it(pieces: list[str], whole: str) -> None:
    line = Line("source", [[]] * len(pieces), [])
    assert join(line, [found(piece) for piece in pieces], decode).text == whole


def test_pieces_are_joined_rank_by_rank() -> None:
    line = Line("source", [[], []], [])
    joined = join(line, [found(" A", "B "), found("C", "D", "E")], decode)
    assert [output.text for output in joined.outputs] == ["A C", "B D"]
    assert [output.score for output in joined.outputs] == [-2.0, -4.0]
    assert [output.log_probability for output in joined.outputs] == [-4.0, -8.0]
    alone = join(line, [found(" A ")], decode)
    assert (alone.source, alone.text) == ("source", " A ")  # nothing stripped, nothing lost
