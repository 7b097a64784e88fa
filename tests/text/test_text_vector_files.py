"""Word vectors in word2vec's forms: round trips, gensim as the oracle, broken files."""

from __future__ import annotations

import gzip
import string
from pathlib import Path

import numpy as np
import pytest
from gensim.models import FastText, KeyedVectors
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from seqloom.corpus import streams
from seqloom.errors import CorpusError, FolderError, SeqloomError, VectorsError
from seqloom.text.gensim_vectors import from_gensim, to_gensim
from seqloom.text.ngrams import Ngrams
from seqloom.text.vector_files import open_vectors, save_vectors
from seqloom.text.vectors import WordVectors

FORMS = ("v.txt", "v.vec", "v.w2v", "v.bin", "v.txt.gz", "v.vec.zst", "v.w2v.xz", "v.bin.gz", "v")
STRANGE = [
    "the",
    "non\u00a0breaking",
    "tab\tbed",
    "\u2028",
    "\x85",
    "\u3000",
    "кот",
    "中文",
    "🐈",
    "a\rb",
]
LETTERS = st.characters(exclude_characters=" \n", exclude_categories=["Cs"])
FLOATS = st.floats(width=32, allow_nan=False, allow_infinity=False)


def strange_vectors(width: int = 5, **more) -> WordVectors:
    chance = np.random.default_rng(1)
    return WordVectors(STRANGE, chance.normal(size=(len(STRANGE), width)), **more)


def written(path: Path, content: bytes | str) -> Path:
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def assert_same(found: WordVectors, expected: WordVectors) -> None:
    assert found.words == expected.words
    assert found.matrix.dtype == np.float32
    assert found.matrix.tobytes() == expected.matrix.tobytes()


@pytest.mark.parametrize("name", FORMS)
@settings(deadline=None)
@given(
    words=st.lists(st.text(LETTERS, max_size=5), min_size=1, max_size=6, unique=True),
    width=st.integers(1, 4),
    data=st.data(),
)
def test_what_was_written_comes_back_bit_by_bit(name, words, width, data, tmp_path_factory):
    shape = (len(words), width)
    vectors = WordVectors(words, data.draw(arrays.arrays(np.float32, shape, elements=FLOATS)))
    path = tmp_path_factory.mktemp("x") / name
    save_vectors(vectors, path)
    told = []
    assert_same(open_vectors(path, tell=told.append), vectors)
    assert told == []
    assert [entry.name for entry in path.parent.iterdir()] == [name]


@pytest.mark.parametrize("name", ["v.txt", "v.bin"])
@pytest.mark.parametrize("size", [1, 7, 64, 1000])
def test_however_a_file_falls_into_chunks(tmp_path, monkeypatch, name, size):
    save_vectors(strange_vectors(), tmp_path / name)
    monkeypatch.setattr(streams, "CHUNK_BYTES", size)
    assert_same(open_vectors(tmp_path / name), strange_vectors())
    few = open_vectors(tmp_path / name, first=3)
    assert_same(few, strange_vectors().first(3))


@pytest.mark.parametrize("binary", [False, True])
def test_gensim_reads_what_we_write_and_we_what_gensim_writes(tmp_path, binary):
    vectors = strange_vectors(width=30)
    ours, theirs = tmp_path / f"ours.{'bin' if binary else 'txt'}", tmp_path / "theirs.bin"
    theirs = theirs if binary else theirs.with_suffix(".txt")
    save_vectors(vectors, ours)
    read = KeyedVectors.load_word2vec_format(ours, binary=binary)
    assert read.index_to_key == vectors.words
    np.testing.assert_array_equal(read.vectors, vectors.matrix)
    read.save_word2vec_format(theirs, binary=binary)
    assert_same(open_vectors(theirs), vectors)
    if binary:
        assert ours.read_bytes() == theirs.read_bytes()


def test_in_memory_to_gensim_and_back():
    counts = np.arange(len(STRANGE), 0, -1) * 10
    other = to_gensim(strange_vectors(counts=counts))
    assert isinstance(other, KeyedVectors)
    assert other.get_vecattr("кот", "count") == counts[STRANGE.index("кот")]
    found = from_gensim(other)
    assert_same(found, strange_vectors())
    assert found.counts.tolist() == counts.tolist()
    assert found.ngrams is None
    assert from_gensim(to_gensim(strange_vectors())).counts is None
    other.vectors[:] = 0
    assert found.matrix.any(), "the vectors are gensim's own and not a copy"


def test_ngrams_of_gensims_fasttext_give_the_same_vectors(tmp_path):
    texts = [["der", "große", "Hund"], ["кошка", "и", "пёс"], ["中文", "и"]] * 10
    model = FastText(texts, vector_size=6, min_count=1, bucket=100, min_n=2, max_n=4, workers=1)
    vectors = from_gensim(model.wv)
    assert_same(vectors, WordVectors(model.wv.index_to_key, model.wv.vectors))
    for word in ("Hunde", "größer", "кошками", "文", "пё"):
        assert word not in vectors
        np.testing.assert_allclose(vectors.vector(word), model.wv[word], atol=1e-6)
    vectors.save(tmp_path)
    again = WordVectors.load(tmp_path)
    np.testing.assert_array_equal(again.vector("Hunde"), vectors.vector("Hunde"))


def test_ngrams_are_left_behind_and_that_is_told(tmp_path):
    vectors = strange_vectors(ngrams=Ngrams(np.ones((9, 5), np.float32)))
    for name in ("v.txt", "v.bin"):
        told = []
        save_vectors(vectors, tmp_path / name, tell=told.append)
        (line,) = told
        assert "no place for vectors of n-grams" in line and name in line
        assert open_vectors(tmp_path / name).ngrams is None
    told = []
    assert len(to_gensim(vectors, told.append)) == len(vectors)
    assert len(told) == 1 and "n-grams" in told[0]
    told = []
    save_vectors(vectors, tmp_path / "folder", tell=told.append)
    assert told == [] and open_vectors(tmp_path / "folder").ngrams is not None


def test_files_of_the_c_programs(tmp_path):
    # word2vec.c and fastText write a space behind the last number, word2vec.c a line end behind
    # each binary vector.
    text = "2 3\n</s> 0.002001 -0.000000 1.500000 \nthe 1 .5 -2. \n"
    expected = WordVectors(["</s>", "the"], np.array([[0.002001, -0.0, 1.5], [1, 0.5, -2]]))
    assert_same(open_vectors(written(tmp_path / "a.txt", text)), expected)
    windows = text.replace("\n", "\r\n").encode("utf-8-sig")
    assert_same(open_vectors(written(tmp_path / "b.txt", windows)), expected)
    rows = expected.matrix.astype("<f4")
    binary = b"2 3\n</s> " + rows[0].tobytes() + b"\nthe " + rows[1].tobytes() + b"\n"
    assert_same(open_vectors(written(tmp_path / "a.bin", binary)), expected)


def test_numbers_that_single_precision_cannot_tell_or_programs_write_otherwise(tmp_path):
    path = written(
        tmp_path / "v.txt", "2 4\na 1e-60 +1 -1E+2 1e-320\nb 0.1 0.30000001192092896 5 7\n"
    )
    expected = np.array([[0, 1, -100, 0], [0.1, 0.3, 5, 7]], np.float32)
    np.testing.assert_array_equal(open_vectors(path).matrix, expected)


def test_blank_lines_behind_the_last_word(tmp_path):
    path = written(tmp_path / "v.txt", "1 2\na 1 2\n\n \n")
    assert open_vectors(path).words == ["a"]


@pytest.mark.parametrize("name", ["v.txt", "v.bin", "v.vec.gz", "v"])
@pytest.mark.parametrize(
    "vectors",
    [
        WordVectors(["one"], np.array([[0.5]])),
        WordVectors(["one"], np.zeros((1, 3))),
        WordVectors(["a", "b"], np.zeros((2, 1))),
        WordVectors(["", "b"], np.ones((2, 1))),
    ],
    ids=["one number", "zeros", "width 1", "empty word"],
)
def test_the_smallest_there_are(tmp_path, name, vectors):
    save_vectors(vectors, tmp_path / name)
    assert_same(open_vectors(tmp_path / name), vectors)


@pytest.mark.parametrize("name", ["v.txt", "v.bin", "v"])
def test_the_first_words(tmp_path, name):
    save_vectors(strange_vectors(), tmp_path / name)
    assert_same(open_vectors(tmp_path / name, first=4), strange_vectors().first(4))
    assert_same(open_vectors(tmp_path / name, first=10**6), strange_vectors())


def records(rows: list[tuple[bytes, list[float]]], binary: bool) -> bytes:
    head = b"%d %d\n" % (len(rows), len(rows[0][1]))
    if binary:
        return head + b"".join(w + b" " + np.array(n, "<f4").tobytes() for w, n in rows)
    return head + b"".join(w + b" " + b" ".join(b"%g" % x for x in n) + b"\n" for w, n in rows)


@pytest.mark.parametrize("binary", [False, True])
def test_repeated_words_and_such_as_are_not_utf8(tmp_path, binary):
    rows = [(b"a", [1, 2]), (b"M\xfcnchen", [3, 4]), (b"a", [5, 6]), (b"a", [7, 8]), (b"b", [9, 0])]
    path = written(tmp_path / f"v.{'bin' if binary else 'txt'}", records(rows, binary))
    told = []
    found = open_vectors(path, tell=told.append)
    assert found.words == ["a", "M\ufffdnchen", "b"]
    assert found.matrix.tolist() == [[1, 2], [3, 4], [9, 0]]
    wrong, repeated = told
    assert f"{path}: 1 words are not UTF-8" in wrong
    assert f"{path}: 2 words stand there again, such as 'a'; the first vector" in repeated


def test_a_last_line_without_its_end_is_told(tmp_path):
    told = []
    path = written(tmp_path / "v.txt", "1 2\na 1 2.25")
    assert open_vectors(path, tell=told.append).matrix.tolist() == [[1, 2.25]]
    assert len(told) == 1 and "the last line has no end" in told[0]


def test_progress_is_told(tmp_path):
    seen = []
    count = 3000
    vectors = WordVectors([f"w{n}" for n in range(count)], np.ones((count, 300)))
    for name in ("v.txt", "v.bin"):
        for stage, run in (
            (
                "writing vectors",
                lambda p, name=name: save_vectors(vectors, tmp_path / name, progress=p),
            ),
            ("reading vectors", lambda p, name=name: open_vectors(tmp_path / name, progress=p)),
        ):
            seen.clear()
            run(lambda *told: seen.append(told))
            assert seen[-1] == (stage, count, count)
            assert [done for _, done, _ in seen] == sorted(done for _, done, _ in seen)
        assert len(seen) > 1


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("a 1 2\n", r"v.txt, line 1: expected two numbers.* found 'a 1 2'\. Files of GloVe .*1i"),
        ("hello\n", r"line 1: expected two numbers, .* such as '400000 300'; found 'hello'\.$"),
        ("2 -3\n", "line 1: expected two numbers"),
        ("2 3.0\n", "line 1: expected two numbers"),
        ("9" * 5000 + " 3\n", "line 1: expected two numbers"),
        ("x" * 200_000, "line 1: expected two numbers"),
        ("\na 1\n", "line 1: expected two numbers"),
        ("0 3\n", "line 1: 0 words of width 3"),
        ("3 0\na\nb\nc\n", "line 1: 3 words of width 0"),
        (
            "3 2\na 1 2\nb 1 2\n",
            r"line 3: the file ends after 2 words, and its first line promises 3",
        ),
        ("3 2\n", "line 1: the file ends after 0 words"),
        (f"{10**14} 300\na 1 2\n", "line 2: expected a word and 300 numbers, found 2"),
        (f"{10**14} 2\na 1 2\n", "line 2: the file ends after 1 words"),
        ("1 2\na 1 2 3\n", "line 2: expected .* found 3 numbers; line 1 promises a width of 2;"),
        ("1 2\na 1 2\nb 1 2\n", "line 3: more than the 1 words that the first line promises"),
        ("3 2\na 1 2\nb 1\nc 1 2\n", r"line 3: expected a word and 2 numbers, found 1 .*; mend"),
        ("3 2\na 1 2\nb c 1 2\nc 1 2\n", "line 3: expected a word and 2 numbers, found 3"),
        ("3 2\na 1 2\n\nc 1 2\n", "line 3: expected a word and 2 numbers, found 0"),
        ("3 2\na 1 2\nb 1 2\nc 1", "line 4: expected .* found 1 numbers; the file is cut off"),
        ("2 2\na 1 2\nb 1 x\n", "line 3: 'x' is not a number, in the vector of 'b'"),
        ("2 2\na 1 1_0\nb 1 2\n", "line 2: '1_0' is not a number"),
        ("2 2\na 1  2\nb 1 2\n", "line 2: expected a word and 2 numbers, found 3"),
        ("2 2\na 1 0x1\nb 1 2\n", "line 2: '0x1' is not a number"),
        ("2 2\na 1 1,5\nb 1 2\n", "line 2: '1,5' is not a number"),
        ("2 2\na 1 2\nb 1 nan\n", "line 3: the vector of 'b' holds nan, inf or"),
        ("2 2\na 1 2\nb -inf 2\n", "line 3: the vector of 'b' holds nan, inf or"),
        ("2 2\na 1 1e39\nb 1 2\n", "line 2: the vector of 'a' holds .*a number beyond 32 bits"),
    ],
)
def test_broken_text(tmp_path, content, message):
    path = written(tmp_path / "v.txt", content)
    with pytest.raises(VectorsError, match=message) as error:
        open_vectors(path)
    assert str(path) in str(error.value)
    assert "\n" not in str(error.value) and len(str(error.value)) < 500


def test_a_packed_file_that_promises_more_than_memory_holds(tmp_path):
    packed = gzip.compress(f"{10**14} 3\na 1 2 3\n".encode())
    path = written(tmp_path / "v.txt.gz", packed)
    with pytest.raises(VectorsError, match=r"line 1: .* words of width 3 do not fit into memory"):
        open_vectors(path)
    assert open_vectors(path, first=1).words == ["a"]


def test_the_line_is_counted_over_all_blocks(tmp_path):
    count = 20_000
    lines = [f"w{n} " + " ".join(["0.25"] * 30) for n in range(count)]
    lines[count - 2] += " 7"
    path = written(
        tmp_path / "v.txt.gz", gzip.compress("\n".join([f"{count} 30", *lines, ""]).encode())
    )
    assert sum(map(len, lines)) > 2 * streams.CHUNK_BYTES
    with pytest.raises(VectorsError, match=f"line {count}: expected a word and 30 .* found 31"):
        open_vectors(path)


ROW = np.ones(2, "<f4").tobytes()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"hello\n", "line 1: expected two numbers"),
        (b"2 2\na " + ROW + b"b " + ROW[:-1], "byte 23: the file ends in word 2 of the 2"),
        (b"2 2\na " + ROW, "byte 14: the file ends in word 2 of the 2"),
        (b"2 2\na " + ROW + b"long", "byte 18: the file ends in word 2 of the 2"),
        (b"1 2\na " + ROW + b"b " + ROW, "byte 15: more than the 1 words"),
        (
            b"2 2\na " + ROW + b"b " + np.array([1, np.nan], "<f4").tobytes(),
            "word 2: the vector of 'b'",
        ),
        (b"1 2\na " + np.array([np.inf, 1], "<f4").tobytes(), "word 1: the vector of 'a'"),
        (b"9 2\n" + b"x" * 200_000, "byte 5: expected word 1 and a space behind it"),
        (b"2 2\na 1 2\nb 1 2\n", r"line 2: text, and .* binary form was expected; .*\.txt"),
        (b"\xba\x16\x4f\x2f\x0c\0\0\0", r"is a model of fastText.*\.vec"),
        (b"%d 300\na " % 10**14 + ROW, "the file ends in word 1"),
    ],
)
def test_broken_binary(tmp_path, content, message):
    path = written(tmp_path / "v.bin", content)
    with pytest.raises(VectorsError, match=message) as error:
        open_vectors(path)
    assert str(path) in str(error.value)
    assert "\n" not in str(error.value)


def test_binary_in_a_text_files_name(tmp_path):
    save_vectors(WordVectors(["a", "b"], np.zeros((2, 9))), tmp_path / "v.bin")
    path = (tmp_path / "v.bin").rename(tmp_path / "v.txt")
    with pytest.raises(VectorsError, match=r"line 2: .* binary form, let the name .* end in \.bin"):
        open_vectors(path)


@pytest.mark.parametrize("name", ["v.txt", "v.bin"])
def test_a_file_cut_off_anywhere_is_refused_or_told(tmp_path, name):
    save_vectors(strange_vectors(width=2), tmp_path / name)
    whole = (tmp_path / name).read_bytes()
    last = whole.rindex(b" ") + 2 if name == "v.txt" else len(whole)
    for end in range(len(whole)):
        told = []
        path = written(tmp_path / name, whole[:end])
        if end < last:
            with pytest.raises((VectorsError, CorpusError)):
                open_vectors(path)
        else:  # in the last number: it may be whole
            try:
                open_vectors(path, tell=told.append)
                assert "the last line has no end" in told[0]
            except VectorsError as error:
                assert "is not a number" in str(error)


@pytest.mark.parametrize("name", ["v.txt", "v.bin"])
@settings(deadline=None)
@given(
    count=st.integers(0, 3),
    width=st.integers(0, 3),
    rest=st.one_of(
        st.binary(max_size=60), st.text(string.digits + " \n.e-ab", max_size=60).map(str.encode)
    ),
)
def test_nonsense_gives_one_message_or_vectors(name, count, width, rest, tmp_path_factory):
    path = tmp_path_factory.mktemp("x") / name
    path.write_bytes(b"%d %d\n" % (count, width) + rest)
    try:
        vectors = open_vectors(path)
    except SeqloomError as error:
        assert str(path) in str(error)
    else:
        assert np.isfinite(vectors.matrix).all() and vectors.matrix.shape == (len(vectors), width)


@pytest.mark.parametrize("name", ["v.txt", "v.bin", "v.txt.gz"])
@pytest.mark.parametrize("word", ["two words", "line\nend", "\n", " "])
def test_words_that_a_form_cannot_hold(tmp_path, name, word):
    vectors = WordVectors(["fine", word], np.ones((2, 2)))
    with pytest.raises(
        VectorsError, match=r"word 2, .* cannot be held by .* write a folder"
    ) as error:
        save_vectors(vectors, tmp_path / name)
    assert repr(word) in str(error.value)
    assert list(tmp_path.iterdir()) == []
    save_vectors(vectors, tmp_path / "folder")
    assert_same(open_vectors(tmp_path / "folder"), vectors)


@pytest.mark.parametrize("name", ["w.kv", "w.model", "w.kv.vectors.npy", "w.pkl", "w.pickle.gz"])
def test_pickles_are_refused_with_the_way_to_convert_them(tmp_path, name):
    path = written(tmp_path / name, b"\x80\x04")
    for run in (open_vectors, lambda path: save_vectors(strange_vectors(), path)):
        with pytest.raises(VectorsError, match=r"are pickles, .* kv\.save_word2vec_format"):
            run(path)
    assert path.read_bytes() == b"\x80\x04"


def test_names_that_stand_for_nothing(tmp_path):
    with pytest.raises(VectorsError, match="nowhere: no such folder or file"):
        open_vectors(tmp_path / "nowhere")
    with pytest.raises(CorpusError, match=r"nowhere\.txt: no such file"):
        open_vectors(tmp_path / "nowhere.txt")
    with pytest.raises(VectorsError, match=r"a\.csv: expected a folder .* ends in \.txt, \.vec"):
        open_vectors(written(tmp_path / "a.csv", "1 2"))
    for run in (open_vectors, lambda path: save_vectors(strange_vectors(), path)):
        with pytest.raises(VectorsError, match=r"expected a name such as vectors\.txt\.gz"):
            run(tmp_path / "a.gz")
    with pytest.raises(VectorsError, match=r"no vectors\.json"):
        open_vectors(tmp_path)
    with pytest.raises(CorpusError, match="is empty"):
        open_vectors(written(tmp_path / "e.txt", b""))
    with pytest.raises(VectorsError, match="is empty"):
        open_vectors(written(tmp_path / "e.bin.gz", gzip.compress(b"")))
    packed = gzip.compress(b"1 2\na 1 2\n")
    with pytest.raises(CorpusError, match="truncated"):
        open_vectors(written(tmp_path / "t.txt.gz", packed[:-9]))


def test_nothing_half_written(tmp_path, monkeypatch):
    from seqloom.text import vector_text

    def broken(*values):
        raise OSError(28, "no space")

    save_vectors(strange_vectors(), tmp_path / "v.txt")
    before = (tmp_path / "v.txt").read_bytes()
    monkeypatch.setattr(vector_text.pc, "binary_join", broken)
    with pytest.raises(FolderError, match=r"cannot write .*v\.txt: the disk is full"):
        save_vectors(strange_vectors(width=9), tmp_path / "v.txt")
    assert [path.name for path in tmp_path.iterdir()] == ["v.txt"]
    assert (tmp_path / "v.txt").read_bytes() == before
