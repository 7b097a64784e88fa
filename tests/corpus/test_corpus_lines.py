import codecs
import gzip

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqloom.corpus import lines, streams
from seqloom.corpus.lines import read_lines
from seqloom.errors import CorpusError

# Any Unicode text in one line; \r is kept apart, since \r\n is a line end.
LINES = st.lists(
    st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\n\r\0")), min_size=1
)


def lines_of(tmp_path, content, name="text.en"):
    path = tmp_path / name
    path.write_bytes(content)
    return list(read_lines(path))


def test_only_line_feeds_end_lines(tmp_path):
    text = "a\u2028b\x0bc\x85d\re\x1cf\x0cg"
    assert lines_of(tmp_path, f"{text}\nnext\n".encode()) == [text, "next"]


def test_carriage_returns_before_line_feeds_are_stripped(tmp_path):
    assert lines_of(tmp_path, b"one\r\ntwo\r\n\r\nthree") == ["one", "two", "", "three"]


def test_byte_order_mark_is_skipped_at_the_start_only(tmp_path):
    content = codecs.BOM_UTF8 + "one\n\ufefftwo\n".encode()
    assert lines_of(tmp_path, content) == ["one", "\ufefftwo"]


@pytest.mark.parametrize("end", ["\n", ""])
def test_last_line_with_and_without_its_end(tmp_path, end):
    assert lines_of(tmp_path, f"one\ntwo{end}".encode()) == ["one", "two"]


def test_single_line_feed_is_one_empty_line(tmp_path):
    assert lines_of(tmp_path, b"\n") == [""]


@given(texts=LINES, chunk=st.integers(1, 20), compressed=st.booleans())
def test_round_trip_with_any_chunk_size(texts, chunk, compressed, tmp_path_factory):
    path = tmp_path_factory.mktemp("lines") / ("text.gz" if compressed else "text")
    content = codecs.BOM_UTF8 + "".join(f"{text}\n" for text in texts).encode()
    path.write_bytes(gzip.compress(content) if compressed else content)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(streams, "CHUNK_BYTES", chunk)
        assert list(read_lines(path)) == texts


def test_not_utf8_names_line_and_both_bytes(tmp_path):
    content = codecs.BOM_UTF8 + b"good\ncaf\xe9 noir\n"
    message = (
        r"text.en, line 2: not UTF-8: byte 4 of the line \(byte 12 of the file\) is 0xe9.*iconv"
    )
    with pytest.raises(CorpusError, match=message):
        lines_of(tmp_path, content)


def test_not_utf8_counts_across_chunks(tmp_path, monkeypatch):
    monkeypatch.setattr(streams, "CHUNK_BYTES", 7)
    message = r"text.gz, line 101: .* byte 3 of the line \(byte 803 of the unpacked file\) is 0xff"
    with pytest.raises(CorpusError, match=message):
        lines_of(tmp_path, gzip.compress(b"1234567\n" * 100 + b"ab\xff\n"), "text.gz")


@pytest.mark.parametrize(
    ("encoding", "message"),
    [
        ("utf-16", "is UTF-16, not UTF-8. Convert it: iconv -f UTF-16 -t UTF-8"),
        ("utf-32", "is UTF-32, not UTF-8"),
        ("utf-16-le", "looks like UTF-16LE, not UTF-8"),
        ("utf-16-be", "looks like UTF-16BE, not UTF-8"),
    ],
)
@pytest.mark.parametrize("text", ["A dog runs.\n", "Собака бежит домой.\n", "一只狗在跑。\n"])
def test_utf16_is_named(tmp_path, encoding, message, text):
    with pytest.raises(CorpusError, match=message):
        lines_of(tmp_path, (text * 500).encode(encoding))


def test_nul_byte_names_the_line(tmp_path):
    content = b"a longer line of text\n" * 4 + b"x\0y\n"
    with pytest.raises(CorpusError, match=r"text.en, line 5: holds a NUL byte.*tr -d"):
        lines_of(tmp_path, content)


def test_nul_byte_far_into_the_file(tmp_path, monkeypatch):
    monkeypatch.setattr(streams, "CHUNK_BYTES", 10)
    with pytest.raises(CorpusError, match="line 51: holds a NUL byte"):
        lines_of(tmp_path, b"text\n" * 50 + b"\0\n")


@pytest.mark.parametrize("content", [codecs.BOM_UTF8, gzip.compress(b"", mtime=0)])
def test_nothing_inside(tmp_path, content):
    name = "text" if content == codecs.BOM_UTF8 else "text.gz"
    with pytest.raises(CorpusError, match="the file is empty"):
        lines_of(tmp_path, content, name)


def test_truncated_gzip(tmp_path):
    content = gzip.compress("".join(f"{i * i}\n" for i in range(1000)).encode())
    with pytest.raises(CorpusError, match=r"text.gz: the gzip file is truncated"):
        lines_of(tmp_path, content[:-300], "text.gz")


def test_damaged_gzip(tmp_path):
    content = bytearray(gzip.compress("".join(f"{i * i}\n" for i in range(1000)).encode()))
    content[40:60] = b"\xff" * 20
    with pytest.raises(CorpusError, match=r"text.gz: .*damaged"):
        lines_of(tmp_path, bytes(content), "text.gz")


def test_gzip_by_name_only(tmp_path):
    with pytest.raises(CorpusError, match=r"text.gz: is not a gzip file.*Take .gz off its name"):
        lines_of(tmp_path, b"plain\n", "text.gz")


def test_gzip_without_the_name(tmp_path):
    with pytest.raises(CorpusError, match=r"is a gzip file; give it a name that ends in \.gz"):
        lines_of(tmp_path, gzip.compress(b"plain\n"))


def test_line_of_ten_megabytes(tmp_path):
    content = b"x" * 10_000_000
    assert [len(line) for line in lines_of(tmp_path, b"a\n" + content + b"\nb")] == [
        1,
        10_000_000,
        1,
    ]


def test_a_file_without_any_line_end_is_refused_before_it_fills_the_memory(tmp_path, monkeypatch):
    monkeypatch.setattr(lines, "MAX_LINE_BYTES", 2_000_000)
    with pytest.raises(CorpusError, match="a line is longer than 2000000 bytes; is this a text"):
        lines_of(tmp_path, b"x" * 4_000_000)


def test_file_that_vanishes_between_two_passes(tmp_path):
    with pytest.raises(CorpusError, match="gone: cannot be read: No such file"):
        list(read_lines(tmp_path / "gone"))
