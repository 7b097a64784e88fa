"""Treebanks with their heads: what is read, and what is refused with file and line."""

from __future__ import annotations

from pathlib import Path

import pytest

from seqloom.corpus.trees import read_treebank
from seqloom.errors import CorpusError

ROWS = [
    "1-2\tim\t_\t_\t_\t_\t_\t_\t_\t_",
    "1\tin\tin\tADP\t_\t_\t3\tcase\t_\t_",
    "2\tdem\tder\tDET\t_\t_\t3\tdet\t_\t_",
    "3\tHaus\tHaus\tNOUN\t_\t_\t0\troot\t_\tSpaceAfter=No",
    "3.1\tist\t_\t_\t_\t_\t_\t_\t_\t_",
    "4\t.\t.\tPUNCT\t_\t_\t3\tpunct\t_\t_",
]


def write(path: Path, rows: list[str], times: int = 1) -> Path:
    path.write_text("".join("# text\n" + "\n".join(rows) + "\n\n" for _ in range(times)))
    return path


def test_words_relations_and_heads(tmp_path: Path) -> None:
    [tree] = read_treebank(write(tmp_path / "a.conllu", ROWS)).trees
    assert tree.sentence.words == ("in", "dem", "Haus", ".")
    assert tree.sentence.tags == ("case", "det", "root", "punct")
    assert tree.heads == (2, 2, -1, 2)
    assert tree.sentence.text == "in dem Haus."


def test_the_first_sentences(tmp_path: Path) -> None:
    bank = read_treebank(write(tmp_path / "a.conllu", ROWS, 5), 3)
    assert len(bank) == 3


@pytest.mark.parametrize(
    ("row", "by", "message"),
    [
        (3, "3\tHaus\t_\t_\t_\t_\t9\troot\t_\t_", "a.conllu, line 5: '9' is no head"),
        (3, "3\tHaus\t_\t_\t_\t_\t3\troot\t_\t_", "line 5: '3' is no head"),
        (3, "3\tHaus\t_\t_\t_\t_\t_\troot\t_\t_", "line 5: '_' is no head"),
        (3, "3\tHaus\t_\t_\t_\t_\t0\t_\t_\t_", "line 5: word 3 has no relation to its head"),
        (3, "3 Haus NOUN", "line 5: 1 column in '3 Haus NOUN'; a word of CoNLL-U has 10"),
    ],
)
def test_mistakes(tmp_path: Path, row: int, by: str, message: str) -> None:
    rows = [*ROWS[:row], by, *ROWS[row + 1 :]]
    with pytest.raises(CorpusError, match=message):
        read_treebank(write(tmp_path / "a.conllu", rows))


def test_nothing_in_it(tmp_path: Path) -> None:
    (tmp_path / "a.conllu").write_text("# newdoc\n\n")
    with pytest.raises(CorpusError, match="no sentence in it; expected CoNLL-U"):
        read_treebank(tmp_path / "a.conllu")


def test_a_real_treebank(real_data: Path) -> None:
    path = real_data / "ud" / "UD_German-GSD"
    [file] = path.glob("*dev.conllu")
    bank = read_treebank(file, 300)
    assert len(bank) == 300
    for tree in bank.trees:
        assert tree.heads.count(-1) == 1
        assert tree.sentence.tags[tree.heads.index(-1)] == "root"
