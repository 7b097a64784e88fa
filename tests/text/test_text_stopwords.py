"""Lists of stop words: by language, of one's own, and what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from seqloom.errors import CorpusError, VectorsError
from seqloom.text.stopwords import stop_words


@pytest.mark.parametrize(
    ("language", "common", "telling"),
    [
        ("en", {"the", "and", "of", "not"}, {"whale", "good", "world"}),
        ("ru", {"и", "не", "что"}, {"кит", "замок"}),
        ("de", {"und", "der", "nicht"}, {"wal", "schloss"}),
        ("fr", {"et", "le", "dans"}, {"baleine", "château"}),
        ("zh", {"的", "和", "是", "我们", "可以"}, {"鲸", "城堡"}),
    ],
)
def test_languages(language: str, common: set[str], telling: set[str]) -> None:
    words = stop_words(language)
    assert common <= words
    assert not telling & words


def test_a_list_of_ones_own(tmp_path: Path) -> None:
    own = tmp_path / "own.txt"
    own.write_text("Wal\n\n  MOBY \nain’t\n", encoding="utf-8")
    assert stop_words(str(own)) == {"wal", "moby", "ain't", "ain’t"}


def test_two_words_in_a_line(tmp_path: Path) -> None:
    own = tmp_path / "own.txt"
    own.write_text("wal\nof the\n")
    with pytest.raises(VectorsError, match=r"own.txt, line 2: 2 words, 'of the'; .* one word a"):
        stop_words(str(own))


def test_neither_language_nor_file() -> None:
    with pytest.raises(VectorsError, match=r"'klingon': neither a file nor a language .*en.*zh"):
        stop_words("klingon")


def test_an_empty_file_and_a_folder(tmp_path: Path) -> None:
    (tmp_path / "own.txt").write_bytes(b"")
    with pytest.raises(CorpusError, match="empty"):
        stop_words(str(tmp_path / "own.txt"))
    with pytest.raises(CorpusError, match="directory"):
        stop_words(str(tmp_path))
