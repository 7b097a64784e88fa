import random
import subprocess
import sys
import tracemalloc

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqloom.corpus import StoreWriter, TokenStore, store
from seqloom.errors import CorpusError, FolderError

IDS = st.lists(st.integers(0, 99), max_size=5)


def save(path, rows, size=100, **options):
    with StoreWriter(path, size, size, **options) as writer:
        for start in range(0, len(rows), 3):
            part = rows[start : start + 3]
            writer.write([source for source, _ in part], [target for _, target in part])
    return TokenStore.open(path)


def as_lists(pair):
    return [ids.tolist() for ids in pair]


@given(rows=st.lists(st.tuples(IDS, IDS), max_size=30), batch=st.integers(1, 40))
def test_round_trip_with_any_batch_size(rows, batch, tmp_path_factory):
    path = tmp_path_factory.mktemp("store") / "x.arrow"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(store, "BATCH_ROWS", batch)
        opened = save(path, rows, metadata={"tokenizer": "abc"})
    assert len(opened) == len(rows)
    assert opened.metadata == {"tokenizer": "abc"}
    assert [as_lists(opened.pair(row)) for row in range(len(rows))] == [list(r) for r in rows]
    for start in range(len(rows) + 1):
        for stop in (start, (start + len(rows)) // 2 + 1, len(rows)):
            if start <= stop <= len(rows):
                source, target = opened.lengths(start, stop)
                assert source.dtype == target.dtype == np.int32
                assert source.tolist() == [len(s) for s, _ in rows[start:stop]]
                assert target.tolist() == [len(t) for _, t in rows[start:stop]]


def test_rows_in_any_order(tmp_path, monkeypatch):
    monkeypatch.setattr(store, "BATCH_ROWS", 4)
    rows = [([i], [i, i + 1]) for i in range(10)]
    opened = save(tmp_path / "x", rows)
    source, target = opened.rows(np.array([9, 0, 4, 4]))
    assert [ids.tolist() for ids in source] == [[9], [0], [4], [4]]
    assert [ids.tolist() for ids in target] == [[9, 10], [0, 1], [4, 5], [4, 5]]


@pytest.mark.parametrize(("size", "kind"), [(1, np.uint16), (65536, np.uint16), (65537, np.uint32)])
def test_smallest_type_that_holds_the_vocabulary(tmp_path, size, kind):
    opened = save(tmp_path / "x", [([size - 1], [0])], size)
    assert opened.pair(0)[0].dtype == kind
    assert as_lists(opened.pair(0)) == [[size - 1], [0]]


def test_sides_may_differ_in_type(tmp_path):
    with StoreWriter(tmp_path / "x", 10, 70000) as writer:
        writer.write([[1]], [[69999]])
    source, target = TokenStore.open(tmp_path / "x").pair(0)
    assert (source.dtype, target.dtype) == (np.uint16, np.uint32)


def test_flat_arrays_equal_lists(tmp_path):
    rows = [([1, 2], [3]), ([], [4, 5, 6])]
    save(tmp_path / "lists", rows)
    with StoreWriter(tmp_path / "flat", 100, 100) as writer:
        writer.write_flat(*map(np.array, ([1, 2], [2, 0], [3, 4, 5, 6], [1, 3])))
    assert (tmp_path / "flat").read_bytes() == (tmp_path / "lists").read_bytes()


@pytest.mark.parametrize("ids", [[70000], [-1]])
def test_ids_outside_the_vocabulary(tmp_path, ids):
    with (
        pytest.raises(AssertionError, match="outside the vocabulary size"),
        StoreWriter(tmp_path / "x", 100, 100) as writer,
    ):
        writer.write([ids], [[1]])
    assert list(tmp_path.iterdir()) == []


def test_rows_that_are_not_there(tmp_path):
    opened = save(tmp_path / "x", [([1], [2])])
    for row in (-1, 1):
        with pytest.raises(IndexError, match=f"row {row} of a store of 1 rows"):
            opened.pair(row)
    with pytest.raises(IndexError, match="rows 0 to 2 of a store of 1 rows"):
        opened.lengths(0, 2)


def test_views_are_read_only_and_describe_themselves(tmp_path):
    opened = save(tmp_path / "x", [([1], [2])])
    with pytest.raises(ValueError, match="read-only"):
        opened.pair(0)[0][0] = 5
    assert repr(opened).endswith("x', 1 pairs)")


def test_failure_leaves_nothing(tmp_path):
    with pytest.raises(RuntimeError, match="stopped"), StoreWriter(tmp_path / "x", 9, 9) as writer:
        writer.write([[1]], [[2]])
        raise RuntimeError("stopped")
    assert list(tmp_path.iterdir()) == []


def test_failure_in_the_last_rows_leaves_nothing(tmp_path, monkeypatch):
    def full(*arguments):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(store.StoreWriter, "_flush", full)
    with pytest.raises(FolderError, match="disk is full"), StoreWriter(tmp_path / "x", 9, 9):
        pass
    assert list(tmp_path.iterdir()) == []


def test_nothing_is_seen_before_the_end(tmp_path):
    with StoreWriter(tmp_path / "x", 9, 9) as writer:
        writer.write([[1]], [[2]])
        assert not (tmp_path / "x").exists()
    assert [entry.name for entry in tmp_path.iterdir()] == ["x"]


def test_truncated_anywhere(tmp_path):
    path = tmp_path / "x.arrow"
    save(path, [([i], [i]) for i in range(50)])
    content = path.read_bytes()
    for size in random.Random(1).sample(range(1, len(content)), 20):
        path.write_bytes(content[:size])
        with pytest.raises(CorpusError, match=r"x\.arrow: is truncated or not a token store"):
            TokenStore.open(path)


def test_what_is_no_store(tmp_path):
    with pytest.raises(CorpusError, match="no such file"):
        TokenStore.open(tmp_path / "missing")
    (tmp_path / "empty").touch()
    with pytest.raises(CorpusError, match="the file is empty"):
        TokenStore.open(tmp_path / "empty")
    (tmp_path / "text").write_text("text\n" * 100)
    with pytest.raises(CorpusError, match="is truncated or not a token store"):
        TokenStore.open(tmp_path / "text")
    table = pa.table({"a": [1]})
    with pa.ipc.new_file(str(tmp_path / "arrow"), table.schema) as file:
        file.write_table(table)
    with pytest.raises(CorpusError, match="is an Arrow file, but not a token store"):
        TokenStore.open(tmp_path / "arrow")


def test_later_version(tmp_path, monkeypatch):
    monkeypatch.setattr(store, "_VERSION", "2")
    save(tmp_path / "x", [([1], [2])])
    monkeypatch.undo()
    with pytest.raises(CorpusError, match="version 2; this Seqloom reads version 1"):
        TokenStore.open(tmp_path / "x")


def test_opening_and_reading_need_no_memory(tmp_path):
    rows = 300_000
    lengths = np.full(rows, 20)
    with StoreWriter(tmp_path / "x", 100, 100) as writer:
        writer.write_flat(*[np.ones(20 * rows, np.uint16), lengths] * 2)
    tracemalloc.start()
    before = pa.total_allocated_bytes()
    opened = TokenStore.open(tmp_path / "x")
    opened.rows(np.arange(0, rows, 1000))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert pa.total_allocated_bytes() - before < 100_000
    assert peak < 500_000 < (tmp_path / "x").stat().st_size / 40


def test_benchmark_runs(tmp_path):
    root = store.__file__.split("src")[0]
    ran = subprocess.run(
        [sys.executable, "benchmarks/store_open.py", "20000"],
        cwd=root,
        capture_output=True,
        text=True,
        check=True,
    )
    assert "open 20,000 pairs" in ran.stdout
    assert "first shuffled batch" in ran.stdout
