import errno

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqloom.corpus import SCHEMA, Corpus, Pair, pairs, read_corpus
from seqloom.errors import CorpusError, FolderError

TEXT = st.text(st.characters(exclude_categories=("Cs",)))
METADATA = st.none() | st.dictionaries(TEXT, TEXT, max_size=3)


def failing():
    yield from Corpus.of([("a", "b")]).batches()
    raise CorpusError("damaged in the middle")


def test_batches_end_at_their_number_of_pairs_and_of_characters(monkeypatch):
    monkeypatch.setattr(pairs, "BATCH_PAIRS", 3)
    monkeypatch.setattr(pairs, "BATCH_CHARACTERS", 100)
    texts = ["x"] * 7 + ["y" * 60] * 3
    corpus = Corpus.of((text, text) for text in texts)
    assert [batch.num_rows for batch in corpus.batches()] == [3, 3, 2, 1, 1]
    assert [pair.source for pair in corpus.pairs()] == texts


def test_map_is_lazy_and_keeps_the_languages():
    seen = []
    corpus = Corpus.of([("a", "b")], "name", "en", "de").map(lambda b: seen.append(b) or b)
    assert not seen
    assert corpus.count() == 1 == len(seen)
    assert repr(corpus) == "Corpus('name', en -> de)"


def test_repr_without_languages():
    assert repr(Corpus.of([])) == "Corpus('pairs in memory', ? -> ?)"


@given(st.lists(st.builds(Pair, TEXT, TEXT, METADATA), min_size=1, max_size=20))
def test_parquet_round_trip(tmp_path_factory, rows):
    path = tmp_path_factory.mktemp("round") / "new" / "x.parquet"
    assert Corpus.of(rows, target_language="ru").write(path) == len(rows)
    again = read_corpus(path)
    assert list(again.pairs()) == rows
    assert again.target_language == "ru"
    assert pq.read_schema(path).equals(SCHEMA)


def test_many_batches_become_few_row_groups(tmp_path, monkeypatch):
    monkeypatch.setattr(pairs, "BATCH_PAIRS", 10)
    Corpus.of([(str(i), str(i)) for i in range(200)]).write(tmp_path / "x.parquet")
    assert pq.ParquetFile(tmp_path / "x.parquet").num_row_groups == 3
    assert [p.source for p in read_corpus(tmp_path / "x.parquet").pairs()] == list(
        map(str, range(200))
    )


def test_failure_leaves_the_old_file_and_no_other(tmp_path):
    path = tmp_path / "x.parquet"
    Corpus.of([("old", "alt")]).write(path)
    with pytest.raises(CorpusError, match="damaged in the middle"):
        Corpus(failing, name="broken").write(path)
    assert [entry.name for entry in tmp_path.iterdir()] == ["x.parquet"]
    assert list(read_corpus(path).pairs()) == [Pair("old", "alt")]


def test_a_file_where_a_folder_is_needed(tmp_path):
    (tmp_path / "file").write_text("x")
    with pytest.raises(FolderError, match=r"cannot write .*(something else is there|is a file)"):
        Corpus.of([("a", "b")]).write(tmp_path / "file" / "x.parquet")


def test_full_disk(tmp_path, monkeypatch):
    def full(*arguments, **options):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(pq.ParquetWriter, "write_table", full)
    with pytest.raises(FolderError, match="the disk is full"):
        Corpus.of([("a", "b")]).write(tmp_path / "x.parquet")
    assert list(tmp_path.iterdir()) == []


def test_make_batch_takes_sequences_and_arrays():
    batch = pairs.make_batch(pa.array(["a"]), ["b"], [{"k": "v"}])
    assert batch.to_pylist() == [{"source": "a", "target": "b", "metadata": [("k", "v")]}]
