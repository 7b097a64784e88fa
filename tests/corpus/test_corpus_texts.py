"""Files of running text become documents, sentences, and what is held out."""

from __future__ import annotations

import gzip

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqloom.corpus import texts as module
from seqloom.corpus.document_store import DocumentStore, DocumentWriter
from seqloom.corpus.pairs import Corpus
from seqloom.corpus.sentences import sentence_ends, sentences
from seqloom.corpus.store import StoreWriter
from seqloom.corpus.text_split import characters, hold_out_documents, hold_out_tail
from seqloom.corpus.texts import read_texts
from seqloom.errors import CorpusError

TEXT = "One.\nTwo.\n\n \nThree\r\nfour.\n\n\nFive.\n"


def read(*sources, **kw):
    pairs = list(read_texts(sources, **kw).pairs())
    assert all(pair.target == "" for pair in pairs)
    return [(pair.source, pair.metadata["place"]) for pair in pairs]


@pytest.fixture
def text(tmp_path):
    path = tmp_path / "a.txt"
    path.write_bytes(TEXT.encode())
    return path


def test_documents_of_a_text_file(text):
    assert read(text) == [("One.\nTwo.\n\n \nThree\nfour.\n\n\nFive.", str(text))]
    assert read(text, documents="files") == read(text)
    assert read(text, documents="paragraphs") == [
        ("One.\nTwo.", f"{text}, line 1"),
        ("Three\nfour.", f"{text}, line 5"),
        ("Five.", f"{text}, line 9"),
    ]
    assert read(text, documents="lines") == [
        ("One.", f"{text}, line 1"), ("Two.", f"{text}, line 2"), ("Three", f"{text}, line 5"),
        ("four.", f"{text}, line 6"), ("Five.", f"{text}, line 9"),
    ]  # fmt: skip


def test_large_files_are_cut_by_themselves(text, monkeypatch):
    monkeypatch.setattr(module, "WHOLE_BYTES", 10)
    assert read(text) == read(text, documents="paragraphs")
    text.write_text("one line\nanother line\n")
    assert [document for document, _ in read(text)] == ["one line", "another line"]


@pytest.mark.parametrize("size", [1, 3, 7])
def test_blocks_of_any_size_give_the_same(text, monkeypatch, size):
    wanted = {kind: read(text, documents=kind) for kind in ("files", "paragraphs", "lines")}
    monkeypatch.setattr("seqloom.corpus.streams.CHUNK_BYTES", size)
    assert {kind: read(text, documents=kind) for kind in wanted} == wanted


def test_folders_compression_and_tables(tmp_path):
    folder = tmp_path / "all"
    (folder / "inner").mkdir(parents=True)
    (folder / "inner" / "b.txt.gz").write_bytes(gzip.compress(b"packed\n"))
    (folder / "c.jsonl").write_text('{"text": "first", "id": 1}\n\n{"text": "second"}\n')
    pq.write_table(pa.table({"text": ["row", None]}), folder / "d.parquet")
    (folder / "notes.md").write_text("not read")
    (folder / ".hidden.txt").write_text("not read")
    assert [document for document, _ in read(folder)] == ["first", "second", "row", "", "packed"]
    assert [place.split("/")[-1] for _, place in read(folder)] == [
        "c.jsonl, line 1", "c.jsonl, line 3", "d.parquet, row 1", "d.parquet, row 2", "b.txt.gz",
    ]  # fmt: skip
    assert [document for document, _ in read(folder / "notes.md")] == ["not read"]


def test_what_is_wrong_is_told_with_file_and_line(tmp_path):
    def told(name, content, match, **kw):
        path = tmp_path / name
        path.write_bytes(content)
        with pytest.raises(CorpusError, match=match):
            read(path, **kw)

    told("a.jsonl", b'{"text": "x"}\n{"body": "y"}\n', r"a\.jsonl, line 2: no column 'text'.*body")
    told("b.jsonl", b'{"text": 3}\n', r"b\.jsonl, line 1: 'text' holds 3, not text")
    told("c.jsonl", b'{"text": "x"}\n{"te', r"c\.jsonl, line 2: not JSON")
    told("d.txt", b"fine\nbad \xff\n", r"d\.txt, line 2: not UTF-8: byte 5")
    told("e.txt", b"", r"e\.txt: the file is empty")
    told("f.tsv", b"a\tb\n", r"f\.tsv: a \.tsv file holds pairs, no running text")
    told("g.parquet", b"PAR1 nonsense", r"g\.parquet: is not a Parquet file")
    pq.write_table(pa.table({"text": [1]}), tmp_path / "h.parquet")
    with pytest.raises(CorpusError, match=r"h\.parquet: column 'text' holds int64, not text"):
        read(tmp_path / "h.parquet")
    with pytest.raises(CorpusError, match=r"h\.parquet: no column 'body'; it has text"):
        read(tmp_path / "h.parquet", column="body")
    (tmp_path / "empty").mkdir()
    with pytest.raises(CorpusError, match=r"empty: no \.txt, \.jsonl, \.parquet files"):
        read(tmp_path / "empty")
    with pytest.raises(CorpusError, match="no such file"):
        read(tmp_path / "missing.txt")


def test_a_document_that_is_too_long_is_refused(text, monkeypatch):
    monkeypatch.setattr(module, "MAX_DOCUMENT_BYTES", 10)
    with pytest.raises(CorpusError, match=r"a\.txt: a document of more than 10 characters\. Cut"):
        read(text)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("One. Two! Three?", ["One.", " Two!", " Three?"]),
        ('He said "No." Then left.', ['He said "No."', " Then left."]),
        ("e.g. this one... goes on. End", ["e.g. this one... goes on.", " End"]),
        ("3.14 is pi.", ["3.14 is pi."]),
        ("A\nB\n\n C.\n\nD", ["A\n", "B\n\n", " C.\n\n", "D"]),
        ("End. \n \nNext", ["End. \n \n", "Next"]),
        ("他来了。“好！”她说？是", ["他来了。", "“好！”", "她说？", "是"]),
        ("Что?.. Да! Нет", ["Что?..", " Да!", " Нет"]),
        ("", []),
    ],
)
def test_sentences(text, wanted):
    assert sentences(text) == wanted


@given(st.text(alphabet=st.sampled_from('aB .!?…。”"\n\t )é'), max_size=40) | st.text())
def test_sentences_lose_nothing(text):
    assert "".join(sentences(text)) == text
    ends = sentence_ends(text)
    assert ends == sorted(set(ends)) and ends[-1:] == [len(text)][: len(text)]


def test_documents_are_held_out_by_their_content():
    texts = [f"document {number}" for number in range(500)]
    corpus = Corpus.of([(text, "") for text in texts])
    train, held_out = (
        {pair.source for pair in part.pairs()} for part in hold_out_documents(corpus, 0.1)
    )
    assert train | held_out == set(texts) and not train & held_out
    assert 25 < len(held_out) < 80
    fewer = Corpus.of([(text, "") for text in texts[:200]])
    assert {p.source for p in hold_out_documents(fewer, 0.1)[1].pairs()} <= held_out
    three = Corpus.of([(text, "") for text in texts[:3]])
    assert [part.count() for part in hold_out_documents(three, 1e-9)] == [2, 1]


def test_the_tail_is_held_out_behind_a_line_end():
    text = "".join(f"line {number}\n" for number in range(100))
    corpus = Corpus.of([("first\n", ""), (text, ""), ("last", "")])
    train, held_out = (
        [pair.source for pair in part.pairs()] for part in hold_out_tail(corpus, 0.1)
    )
    assert train == ["first\n", text[: len(train[1])]] and train[1].endswith("\n")
    assert "".join([*train, *held_out]) == "first\n" + text + "last"
    total = characters(corpus)
    assert sum(map(len, held_out)) == pytest.approx(0.1 * total, abs=10)
    alone = Corpus.of([("abcdefghij", "")])
    assert [next(p.pairs()).source for p in hold_out_tail(alone, 0.2)] == ["abcdefgh", "ij"]


def test_a_store_of_documents(tmp_path):
    with DocumentWriter(tmp_path / "a.arrow", 100, {"x": "y"}, mean_tokens=2**23) as writer:
        writer.write([[1, 2, 3], [4], [5, 6]], [[2, 1], [1], [2]])
    store = DocumentStore.open(tmp_path / "a.arrow")
    assert (len(store), store.batch_rows, store.metadata["x"]) == (3, 2, "y")
    assert store.ids(0).tolist() == [1, 2, 3] and store.sentences(0).tolist() == [2, 1]
    assert store.sizes(np.array([2, 0, 1, 2])).tolist() == [2, 3, 1, 2]
    assert store.sizes(np.zeros(0, np.int64)).tolist() == []
    with StoreWriter(tmp_path / "b.arrow", 10, 10) as pairs:
        pairs.write([[1]], [[1]])
    with pytest.raises(CorpusError, match=r"b\.arrow: is a store of pairs, not of running text"):
        DocumentStore.open(tmp_path / "b.arrow")


def test_the_hub_is_read_by_column(monkeypatch):
    rows = [("hub:a/b, row 1", {"text": "x", "label": 1}), ("hub:a/b, row 2", {"label": 2})]
    monkeypatch.setattr(module, "hub_records", lambda name: iter(rows))
    with pytest.raises(CorpusError, match="hub:a/b, row 2: no column 'text'; it has label"):
        read("hub:a/b")
    rows.pop()
    assert read("hub:a/b") == [("x", "hub:a/b, row 1")]
    assert read_texts(["hub:a/b"]).name == "hub:a/b"
