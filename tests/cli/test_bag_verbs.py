"""``seqloom vectors bag`` and ``seqloom vectors keywords``, as users run them."""

from __future__ import annotations

import json
from math import log
from pathlib import Path

import pytest
from command_line import Result, seqloom

from seqloom.text.collection import Collection

LINES = "Ein weißer Wal\n\nDas Meer und der Wal\n海洋里的鲸鱼\n"


@pytest.fixture
def work(tmp_path: Path) -> Path:
    (tmp_path / "a.txt").write_text(LINES, encoding="utf-8")
    (tmp_path / "b.txt").write_text("das Schloss am Meer\n", encoding="utf-8")
    return tmp_path


def bag(work: Path, *options: object) -> Result:
    return seqloom("vectors", "bag", "a.txt", "b.txt", "--out", "bag", *options, cwd=work)


def refused(done: Result) -> str:
    assert done.code == 2, done
    assert done.out == "" and "Traceback" not in done.err
    assert done.err.startswith("seqloom: ") and done.err.count("\n") == 1
    return done.err


def test_from_files_to_keywords(work: Path) -> None:
    done = bag(work)
    assert (done.code, done.out) == (0, "")
    assert "5 documents, 13 words in the vocabulary: bag" in done.err
    done = seqloom("vectors", "keywords", "bag", "--number", 2, cwd=work)
    assert done.code == 0, done.err
    rows = [line.split("\t") for line in done.out.splitlines()]
    ein, das = f"{log(5) / 3:.4g}", f"{log(5) / 5:.4g}"
    assert rows[:3] == [["a.txt:1", f"ein {ein}", f"weißer {ein}"], ["a.txt:2"],
                        ["a.txt:3", f"der {das}", f"und {das}"]]  # fmt: skip
    assert rows[3][0] == "a.txt:4" and rows[4][0] == "b.txt:1"


def test_keywords_of_other_texts(work: Path) -> None:
    bag(work)
    (work / "new.txt").write_text("Wal\nnichts davon\n")
    done = seqloom("vectors", "keywords", "bag", "new.txt", "--json", cwd=work)
    found = [json.loads(line) for line in done.out.splitlines()]
    weight = pytest.approx(log(5 / 2))
    assert found == [
        {"file": "new.txt", "line": 1, "keywords": [{"word": "wal", "weight": weight}]},
        {"file": "new.txt", "line": 2, "keywords": []},
    ]
    done = seqloom("vectors", "keywords", "bag", "-", cwd=work, stdin="Schloss Wal\nWal\n")
    assert [line.split("\t")[:2] for line in done.out.splitlines()] == [
        ["-:1", f"schloss {log(5) / 2:.4g}"], ["-:2", f"wal {log(5 / 2):.4g}"]
    ]  # fmt: skip
    done = seqloom(
        "vectors", "keywords", "bag", "-", "--whole-files", cwd=work, stdin="Schloss\nWal\n"
    )
    assert done.out == f"-\tschloss {log(5) / 2:.4g}\twal {log(5 / 2) / 2:.4g}\n"


def test_options_reach_the_bag(work: Path) -> None:
    (work / "own.txt").write_text("das\n")
    done = bag(
        work, "--whole-files", "--stop-words", "own.txt", "--ngrams", 1, 2, "--min-documents", 1,
        "--max-documents", 0.9, "--tf", "log", "--idf", "smooth", "--norm", "l2",
        "--max-features", 100, "--spaces", "--keep-case",
    )  # fmt: skip
    assert done.code == 0, done.err
    made = Collection.load(work / "bag")
    options = made.bag.options
    assert made.whole_files and len(made) == 2
    assert (options.stop_words, options.ngrams, options.max_features) == ("own.txt", (1, 2), 100)
    assert (options.min_documents, options.max_documents) == (1, 0.9)
    assert isinstance(options.min_documents, int)
    assert (options.tf, options.idf, options.norm) == ("log", "smooth", "l2")
    assert (options.rule.split, options.rule.lowercase) == ("spaces", False)
    assert {"海洋里的鲸鱼", "weißer Wal", "Schloss am"} <= set(made.bag.words)
    assert not {"Das", "das", "Meer"} & set(made.bag.words)


def test_a_bag_that_tells_nothing_apart_says_so(work: Path) -> None:
    (work / "c.txt").write_text("one\n")
    done = seqloom("vectors", "bag", "c.txt", "--out", "c", cwd=work)
    assert done.code == 0 and "every weight is 0" in done.err and "--idf none" in done.err
    assert "every weight" not in bag(work).err


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--stop-words", "klingon"], "'klingon': neither a file nor a language"),
        (["--min-documents", 4], "no word is in at least 4 and at most 5 of the 5 documents"),
        (["--min-documents", "few"], "--min-documents 'few': expected a number of documents"),
        (["--max-documents", "1.5"], "max_documents 1.5: expected"),
        (["--ngrams", 3, 2], "ngrams 3 2: expected"),
        (["--tf", "tf"], "tf 'tf': expected one of share, count, log, binary"),
        (["--max-features", 0], "max_features 0: expected 1 or more"),
    ],
)
def test_wrong_options(work: Path, options: list[object], told: str) -> None:
    assert told in refused(bag(work, *options))
    assert not (work / "bag").exists()


def test_wrong_files_and_folders(work: Path) -> None:
    (work / "bad.txt").write_bytes(b"b\xe4d\n")
    done = seqloom("vectors", "bag", "a.txt", "bad.txt", "--out", "bag", cwd=work)
    assert "bad.txt, line 1: not UTF-8" in refused(done)
    assert "no such file" in refused(seqloom("vectors", "bag", "x.txt", "--out", "bag", cwd=work))
    assert "no bag.json" in refused(seqloom("vectors", "keywords", ".", cwd=work))
    bag(work)
    done = seqloom("vectors", "keywords", "bag", "x.txt", cwd=work)
    assert "x.txt: no such file" in refused(done)
    done = seqloom("vectors", "keywords", "bag", "--whole-files", cwd=work)
    assert "none is given" in refused(done)
    done = seqloom("vectors", "bag", "a.txt", "--out", "a.txt", cwd=work)
    assert "a.txt" in refused(done)


def test_a_folder_with_files_is_not_written_over(work: Path) -> None:
    assert seqloom("vectors", "bag", "a.txt", "--out", "mine", cwd=work).code == 0
    before = (work / "mine" / "bag.json").read_bytes()
    done = seqloom("vectors", "bag", "b.txt", "--out", "mine", cwd=work)
    assert "holds files; choose another --out" in refused(done)
    assert (work / "mine" / "bag.json").read_bytes() == before


def test_help_says_who_cuts_chinese() -> None:
    assert "ICU" in seqloom("vectors", "bag", "--help").out
