import gzip
import os
import tracemalloc
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqloom.corpus import SCHEMA, Corpus, Pair, read_corpus
from seqloom.corpus.languages import guess_language
from seqloom.errors import CorpusError

CELL = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\n\r\t\0\ufeff"))


def put(path, text):
    data = text.encode()
    path.write_bytes(gzip.compress(data) if path.suffix == ".gz" else data)
    return path


def texts(corpus):
    return [(pair.source, pair.target) for pair in corpus.pairs()]


@pytest.mark.parametrize("ending", ["", ".gz"])
def test_two_aligned_files(tmp_path, ending):
    source = put(tmp_path / f"train.en{ending}", "one\ntwo\n\n")
    target = put(tmp_path / f"train.de{ending}", "\ufeffeins\r\nzwei\r\n\r\n")
    corpus = read_corpus(source, str(target))
    expected = [("one", "eins"), ("two", "zwei"), ("", "")]
    assert texts(corpus) == expected
    assert texts(corpus) == expected, "a corpus can be read again"
    assert (corpus.source_language, corpus.target_language) == ("en", "de")
    assert corpus.name == f"train.en{ending}, train.de{ending}"
    assert all(batch.schema == SCHEMA for batch in corpus.batches())


@pytest.mark.parametrize("ending", ["", ".gz"])
def test_tsv_takes_the_first_two_columns(tmp_path, ending):
    path = put(tmp_path / f"pairs.tsv{ending}", 'one\teins\tx\n"two\t\ty\n')
    assert texts(read_corpus(path)) == [("one", "eins"), ('"two', "")]


def test_tsv_columns_by_number_and_by_name(tmp_path):
    path = put(tmp_path / "pairs.tsv", "id\tde\ten\n1\teins\tone\n")
    named = read_corpus(path, columns=("en", "de"))
    assert texts(named) == [("one", "eins")]
    assert (named.source_language, named.target_language) == ("en", "de")
    assert texts(read_corpus(path, columns=(2, 1))) == [("en", "de"), ("one", "eins")]


@pytest.mark.parametrize(
    ("content", "columns", "message"),
    [
        ("a\tb\na\tb\na\tb\tc\n", None, "pairs.tsv, line 3: 3 columns, but line 1 has 2"),
        ("a\tb\na\n", None, "pairs.tsv, line 2: 1 column, but line 1 has 2"),
        ("a\nb\n", None, "pairs.tsv, line 1: 1 column; a TSV file needs at least two"),
        ("en\tde\na\tb\n", ("en", "fr"), "no columns 'en' and 'fr'; it has en, de"),
        ("en\tde\na\tb\n", (0, 2), "no columns 0 and 2; it has en, de"),
    ],
)
def test_tsv_with_wrong_columns(tmp_path, content, columns, message):
    corpus = read_corpus(put(tmp_path / "pairs.tsv", content), columns=columns)
    with pytest.raises(CorpusError, match=message):
        corpus.count()


@given(pairs=st.lists(st.tuples(CELL, CELL), min_size=1), compressed=st.booleans())
def test_tsv_round_trip(pairs, compressed, tmp_path_factory):
    path = tmp_path_factory.mktemp("tsv") / f"pairs.tsv{'.gz' if compressed else ''}"
    put(path, "".join(f"{source}\t{target}\n" for source, target in pairs))
    assert texts(read_corpus(path)) == pairs


def test_parquet_by_default_names_numbers_and_other_types(tmp_path):
    table = pa.table(
        {
            "target": pa.array(["eins", None]),
            "source": pa.array(["one", "two"]).dictionary_encode(),
            "en": pa.array(["uno", "due"], pa.large_string()),
        }
    )
    pq.write_table(table, tmp_path / "pairs.parquet")
    path = tmp_path / "pairs.parquet"
    assert texts(read_corpus(path)) == [("one", "eins"), ("two", "")]
    assert texts(read_corpus(path, columns=(2, 0))) == [("uno", "eins"), ("due", "")]
    assert texts(read_corpus(path, columns=("en", "source"))) == [("uno", "one"), ("due", "two")]


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        (None, r"pairs.parquet: no columns 'source' and 'target'; it has en, de, n. Name"),
        (("en", "fr"), r"no columns 'en' and 'fr'; it has en, de, n"),
        ((0, 7), r"no columns 0 and 7; it has en, de, n"),
        (("en", "n"), r"column 'n' holds int64, not text"),
    ],
)
def test_parquet_with_wrong_columns(tmp_path, columns, message):
    path = tmp_path / "pairs.parquet"
    pq.write_table(pa.table({"en": ["one"], "de": ["eins"], "n": [1]}), path)
    with pytest.raises(CorpusError, match=message):
        read_corpus(path, columns=columns).count()


def test_parquet_that_is_none(tmp_path):
    path = put(tmp_path / "pairs.parquet", "just text\n")
    with pytest.raises(CorpusError, match=r"pairs\.parquet: is not a Parquet file, or is damaged"):
        read_corpus(path)


def test_parquet_without_rows(tmp_path):
    path = tmp_path / "pairs.parquet"
    Corpus.of([]).write(path)
    with pytest.raises(CorpusError, match="the file has no rows"):
        read_corpus(path).count()


def test_parquet_with_text_that_is_not_utf8(tmp_path):
    broken = pa.array([b"caf\xe9"]).view(pa.string())
    path = tmp_path / "pairs.parquet"
    pq.write_table(pa.table({"source": broken, "target": ["x"]}), path)
    with pytest.raises(CorpusError, match=r"pairs.parquet: .*damaged .*UTF8"):
        read_corpus(path).count()


def test_truncated_parquet(tmp_path):
    path = tmp_path / "pairs.parquet"
    Corpus.of([("one", "eins")] * 1000).write(path)
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(CorpusError, match="is not a Parquet file, or is damaged"):
        read_corpus(path)


def test_missing_file_directory_and_empty_file(tmp_path):
    good = put(tmp_path / "good.en", "x\n")
    with pytest.raises(CorpusError, match=r"missing\.de: no such file"):
        read_corpus(good, tmp_path / "missing.de")
    with pytest.raises(CorpusError, match="is a directory"):
        read_corpus(tmp_path, good)
    with pytest.raises(CorpusError, match=r"empty\.de: the file is empty"):
        read_corpus(good, put(tmp_path / "empty.de", ""))
    with pytest.raises(CorpusError, match="cannot be read: File name too long"):
        read_corpus(good, tmp_path / ("x" * 300))


def test_pipe_is_refused_instead_of_waiting(tmp_path):
    os.mkfifo(tmp_path / "pipe.en")
    with pytest.raises(CorpusError, match=r"pipe\.en: is not a regular file"):
        read_corpus(tmp_path / "pipe.en", tmp_path / "pipe.en")


def test_arguments_that_do_not_fit(tmp_path):
    text = put(tmp_path / "train.en", "x\n")
    table = put(tmp_path / "train.tsv", "x\ty\n")
    with pytest.raises(CorpusError, match=r"one side only.*\.tsv, \.csv"):
        read_corpus(text)
    with pytest.raises(CorpusError, match=r"train\.tsv: a \.tsv file holds both sides"):
        read_corpus(text, table)
    with pytest.raises(CorpusError, match=r"columns \(0, 1\) were given"):
        read_corpus(text, text, columns=(0, 1))


def test_languages_given_win_over_guesses(tmp_path):
    path = put(tmp_path / "train.en", "x\n")
    corpus = read_corpus(path, path, source_language="sv", target_language="nb")
    assert (corpus.source_language, corpus.target_language) == ("sv", "nb")


@pytest.mark.parametrize(
    ("name", "language"),
    [
        ("train.en", "en"),
        ("train.de.gz", "de"),
        ("train.en-de.de", "de"),
        ("train.zh.txt.gz", "zh"),
        ("train.pt_BR", "pt_BR"),
        ("train.zh-Hans", "zh-Hans"),
        ("train.es-419", "es-419"),
        ("train.deu", "deu"),
        ("train.txt", None),
        ("train.src", None),
        ("train.gz", None),
        ("train", None),
        ("train.english", None),
        ("train.EN", None),
        ("train.1", None),
    ],
)
def test_language_from_the_suffix(name, language):
    assert guess_language(Path(name)) == language


def test_memory_does_not_grow_with_the_file(tmp_path):
    def peak(lines):
        source = put(tmp_path / f"{lines}.en", "a line of some forty characters, or so.\n" * lines)
        corpus = read_corpus(source, source)
        tracemalloc.start()
        before = pa.total_allocated_bytes()
        assert corpus.count() == lines
        peak = tracemalloc.get_traced_memory()[1] + pa.total_allocated_bytes() - before
        tracemalloc.stop()
        return peak

    small, large = peak(40_000), peak(160_000)
    assert large < 1.3 * small


def test_metadata_and_languages_come_back(tmp_path):
    corpus = Corpus.of([Pair("a", "b", {"id": "7"}), Pair("c", "d")], source_language="en")
    corpus.write(tmp_path / "x.parquet")
    again = read_corpus(tmp_path / "x.parquet")
    assert list(again.pairs()) == [Pair("a", "b", {"id": "7"}), Pair("c", "d")]
    assert (again.source_language, again.target_language) == ("en", None)
