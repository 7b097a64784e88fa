"""The hub's own library on a data set of this disk."""

from __future__ import annotations

import json
import sys

import pytest

from seqloom.corpus import read_corpus
from seqloom.errors import CorpusError, MissingExtraError


@pytest.fixture
def dataset(tmp_path, monkeypatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setenv("HF_HOME", str(tmp_path / "cache"))
    folder = tmp_path / "corpus"
    folder.mkdir()
    rows = ({"translation": {"en": f"one {n}", "de": f"eins {n}"}} for n in range(9))
    (folder / "train.jsonl").write_text("\n".join(map(json.dumps, rows)))
    return f"hub:{folder}"


def test_columns_as_in_json_lines(dataset):
    corpus = read_corpus(dataset, source_language="de", target_language="en")
    found = [(pair.source, pair.target) for pair in corpus.pairs()]
    assert found == [(f"eins {n}", f"one {n}") for n in range(9)]
    assert (corpus.name, corpus.source_language) == (dataset, "de")


def test_what_is_not_there(dataset):
    with pytest.raises(CorpusError, match=r"cannot be read from the hub .*Bad split: test"):
        read_corpus(f"{dataset}::test").count()
    with pytest.raises(CorpusError, match=r"row 1: no keys 'en' and 'fr'; it has en, de"):
        read_corpus(dataset, columns=("en", "fr")).count()
    with pytest.raises(CorpusError, match="expected hub:owner/name"):
        read_corpus("hub:").count()


def test_without_the_library(dataset, monkeypatch):
    monkeypatch.setitem(sys.modules, "datasets", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'seqloom\[hub\]'"):
        read_corpus(dataset).count()
