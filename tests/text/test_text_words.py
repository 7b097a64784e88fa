"""What a word is: the fast rule against a slow one written with unicodedata, and files of lines."""

from __future__ import annotations

import gzip
import lzma
import sys
import unicodedata
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seqloom.errors import CorpusError, MissingExtraError, VectorsError
from seqloom.text.words import LONGEST_LINE, WordRule, read_lines

UNSPACED = (
    "CJK UNIFIED", "CJK COMPATIBILITY IDEOGRAPH", "HIRAGANA", "KATAKANA", "HALFWIDTH KATAKANA",
    "IDEOGRAPHIC", "HENTAIGANA", "VERTICAL KANA", "VERTICAL IDEOGRAPHIC", "HANGZHOU", "KANGXI",
    "CJK RADICAL", "THAI ", "LAO ", "KHMER ", "MYANMAR ",
)  # fmt: skip
MIXED = (
    "abcßÄÉİΣжЖ北京大学生中文日本語のカタカナー々〇ภาษาไทยລາວភាសាမြန်मानक" + "12²Ⅳ٣५๕"
    "'’''__--.,!  \n\t\r\u00a0\u3000\u2028\u0301\u0308\u3099\u200d\ufe0f😀𝒜𠀀か\u3099ﾞｶ"
)
texts = st.one_of(
    st.text(st.sampled_from(MIXED), max_size=30),
    st.text(st.sampled_from("aB'’_ -中國語カ1\u0301"), max_size=12),
)
spaced_texts = st.text(
    st.characters(exclude_categories=["Cs", "Cn"]).filter(
        lambda c: not unicodedata.name(c, "").startswith((*UNSPACED, "COMBINING KATAKANA"))
    ),
    max_size=12,
)
rules = st.builds(WordRule, st.sampled_from(["words", "spaces"]), st.booleans())


def lower(text: str) -> str:
    return "".join("i" if c == "İ" else c.lower() for c in text)


def kind(text: str, place: int) -> str:
    """ "spaced", "unspaced" or "" for what is no letter, mark or digit."""
    character = text[place]
    if unicodedata.category(character)[0] not in "LMN":
        return ""
    name = unicodedata.name(character, "")
    shared = unicodedata.category(character)[0] == "M" and (
        name.startswith(("COMBINING", "VARIATION SELECTOR"))
    )
    if shared:
        return "unspaced" if place and kind(text, place - 1) == "unspaced" else "spaced"
    return "unspaced" if name.startswith(UNSPACED) else "spaced"


def oracle(rule: WordRule, text: str) -> list[str]:
    """The rule, character by character."""
    from icu4py.breakers import WordBreaker

    text = lower(text) if rule.lowercase else text
    if rule.split == "spaces":
        return text.split()
    text = text.replace("’", "'")
    found: list[tuple[str, str]] = []  # words and their kinds
    ended = True
    for place, character in enumerate(text):
        here = kind(text, place)
        joins = (
            character in "'_"
            and 0 < place < len(text) - 1
            and kind(text, place - 1) == kind(text, place + 1) == "spaced"
        )
        here = "spaced" if joins else here
        if here and not ended and found[-1][1] == here:
            found[-1] = (found[-1][0] + character, here)
        elif here:
            found.append((character, here))
        ended = not here
    return [
        piece
        for word, of in found
        for piece in (WordBreaker(word, "zh") if of == "unspaced" else [word])
    ]


@settings(deadline=None)  # the first example waits for the tables of characters
@given(st.lists(st.one_of(texts, spaced_texts), max_size=6), rules)
def test_many_lines_give_what_the_slow_rule_gives(lines: list[str], rule: WordRule) -> None:
    expected = [oracle(rule, line) for line in lines]
    assert rule.of_lines(pa.array(lines, pa.string())).to_pylist() == expected
    assert list(rule.lists(lines)) == expected
    assert [rule.words(line) for line in lines] == expected


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Don't stop: it’s a well-known rock'n'roll.",
         ["don't", "stop", "it's", "a", "well", "known", "rock'n'roll"]),
        ("Between _them_ it was 'so', __init__ and snake_case",
         ["between", "them", "it", "was", "so", "init", "and", "snake_case"]),
        ("a''b a'_b _ ' x' 'y", ["a", "b", "a", "b", "x", "y"]),
        ("3.14 und ½ Ⅳ, H₂O", ["3", "14", "und", "½", "ⅳ", "h₂o"]),
        ("Ёлка – это cafe\u0301!", ["ёлка", "это", "cafe\u0301"]),
        ("हिन्दी भाषा", ["हिन्दी", "भाषा"]),
        ("한국어 문장", ["한국어", "문장"]),
        ("Python的语言是专业的", ["python", "的", "语言", "是", "专业", "的"]),
        ("日本語のカタカナへ行く", ["日本語", "の", "カタカナ", "へ", "行く"]),
        ("ภาษาไทยง่าย", ["ภาษา", "ไทย", "ง่าย"]),
        ("中国's", ["中国", "s"]),
        ("", []),
        (" .,!\n", []),
    ],
)  # fmt: skip
def test_words_of_languages(text: str, words: list[str]) -> None:
    assert WordRule().words(text) == words


def test_spaces_take_everything_as_it_stands() -> None:
    rule = WordRule("spaces", lowercase=False)
    assert rule.words(" Don't,  <b>STOP</b>\u3000中文。 ") == ["Don't,", "<b>STOP</b>", "中文。"]


def test_chunks_and_slices_of_lines() -> None:
    lines = pa.chunked_array([["One two", "three"], [], ["四 five"]])
    assert WordRule().of_lines(lines).to_pylist() == [["one", "two"], ["three"], ["四", "five"]]
    assert WordRule().of_lines(pa.array(["a b", "c d", "e"])[1:]).to_pylist() == [["c", "d"], ["e"]]
    empty = WordRule().of_lines(pa.chunked_array([], pa.string()))
    assert empty.to_pylist() == [] and empty.type == pa.list_(pa.string())


def test_lines_do_not_touch() -> None:
    lines = ["か", "\u3099x", "don", "'t", "a'", "b", "中", "国"]
    assert list(WordRule().lists(lines)) == [
        ["か"], ["\u3099x"], ["don"], ["t"], ["a"], ["b"], ["中"], ["国"]
    ]  # fmt: skip


def test_texts_are_taken_in_batches_that_do_not_show() -> None:
    huge = "It's 中文的 " * 150_000
    texts = ["one", "", huge, "x" * 2**21, *["y"] * 600_000, huge]
    found = list(WordRule().lists(texts))
    assert found[:2] == [["one"], []] and found[3:-1] == [[texts[3]], *[["y"]] * 600_000]
    assert found[2] == found[-1] == ["it's", "中文", "的"] * 150_000


def test_one_text_in_the_place_of_many_is_told() -> None:
    with pytest.raises(TypeError, match="not one text"):
        next(WordRule().lists("a text"))


def test_text_that_is_not_unicode() -> None:
    with pytest.raises(VectorsError, match=r"lone surrogate \(U\+D800\)"):
        WordRule().words("a\ud800")


def test_without_icu_spaced_scripts_work_and_others_say_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "icu4py.breakers", None)
    assert WordRule().words("no need") == ["no", "need"]
    assert WordRule("spaces").words("中文 字") == ["中文", "字"]
    with pytest.raises(MissingExtraError, match=r"ICU.*seqloom\[vectors\]"):
        WordRule().words("中文")


@given(rules)
def test_a_rule_goes_through_json(rule: WordRule) -> None:
    assert WordRule.from_dict(rule.as_dict()) == rule


@pytest.mark.parametrize(
    "values", [None, {}, {"split": "words"}, {"split": "x", "lowercase": True}]
)
def test_what_is_no_rule_is_refused(values: object) -> None:
    with pytest.raises(VectorsError, match="expected split"):
        WordRule.from_dict(values)


def test_the_saved_rule_says_who_cuts_chinese() -> None:
    assert "ICU" in str(WordRule().as_dict())
    assert "ICU" not in str(WordRule("spaces").as_dict())


def all_lines(*paths: Path) -> list[str]:
    return [line for lines in read_lines(paths) for line in lines.to_pylist()]


def test_lines_of_plain_and_compressed_files(tmp_path: Path) -> None:
    content = "\ufeffeins\r\nzwei\n\nдрай".encode()
    (tmp_path / "a.txt").write_bytes(content)
    (tmp_path / "b.gz").write_bytes(gzip.compress(content))
    (tmp_path / "c.xz").write_bytes(lzma.compress(content))
    with pa.CompressedOutputStream(str(tmp_path / "d.zst"), "zstd") as file:
        file.write(content)
    files = [tmp_path / name for name in ("a.txt", "b.gz", "c.xz", "d.zst")]
    assert all_lines(*files) == ["eins", "zwei", "", "драй"] * 4


def test_lines_are_streamed_in_arrays_and_told_of(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).write_bytes(b"0123456789 1234567\n" * 200_000)
    told: list[tuple[str, int, int | None]] = []
    files = [tmp_path / "a", tmp_path / "b"]
    arrays = list(read_lines(files, lambda *stage: told.append(stage)))
    assert sum(map(len, arrays)) == 400_000 and max(array.nbytes for array in arrays) < 4_000_000
    assert told[-1] == ("reading", 400_000, 400_000)
    assert [done for _, done, _ in told] == sorted(done for _, done, _ in told)
    assert all(abs((total or 0) - 400_000) < 40_000 for _, _, total in told)


@pytest.mark.parametrize("space", [" ", "\t", "\u3000"])
def test_a_huge_line_is_cut_at_white_space(tmp_path: Path, space: str) -> None:
    words = [f"wört{number}" for number in range(700_000)]
    (tmp_path / "one.txt").write_text(space.join(words) + "\nlast\n", encoding="utf-8")
    lines = all_lines(tmp_path / "one.txt")
    assert lines.pop() == "last"
    assert max(len(line.encode()) for line in lines) <= 2 * LONGEST_LINE
    assert len(lines) > 3 and " ".join(lines).split() == words


def test_a_huge_line_without_white_space_keeps_its_characters(tmp_path: Path) -> None:
    text = "中文a" * 900_000
    (tmp_path / "one.txt").write_text(text, encoding="utf-8")
    lines = all_lines(tmp_path / "one.txt")
    assert len(lines) > 3 and "".join(lines) == text


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "the file is empty"),
        (b"\xef\xbb\xbf", "the file is empty"),
        (b"one\ntw\xff\n", "line 2: not UTF-8: byte 3 of the line"),
        (b"one\ntwo\0\n", "line 2: holds a NUL byte"),
        ("eins\nzwei\n".encode("utf-16"), "is UTF-16"),
    ],
)
def test_files_that_are_no_text(tmp_path: Path, content: bytes, told: str) -> None:
    (tmp_path / "x.txt").write_bytes(content)
    with pytest.raises(CorpusError, match=told):
        all_lines(tmp_path / "x.txt")


def test_a_missing_file_is_told_before_the_first_is_read(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("a\n")
    with pytest.raises(CorpusError, match="no such file"):
        next(read_lines([tmp_path / "a", tmp_path / "b"]))


def test_chinese_documentation(real_data: Path) -> None:
    """Words of two and three characters are found, and nothing of the text is lost."""
    lines = [
        str(line) for lines in read_lines([real_data / "pydocs-en-zh/dev.zh"]) for line in lines
    ]
    rule = WordRule()
    found = list(rule.lists(lines))
    words = {word for line in found for word in line}
    assert {"语言", "函数", "返回", "列表", "字符", "python"} <= words
    assert found == [oracle(rule, line) for line in lines]
