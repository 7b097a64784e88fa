"""``convert``, ``doctor``, ``prepare`` and ``translate`` on files of every kind, as users do."""

from __future__ import annotations

import gzip
import json
import re
import signal
import time
from pathlib import Path

import pytest
from command_line import Result, seqloom, start

from seqloom.corpus import Corpus, read_corpus
from seqloom.corpus.writers import write_corpus

PAIRS = [(f"Line number {n} & so on.", f"Zeile Nummer {n} & so weiter.") for n in range(40)]


def texts(*files: Path) -> list[tuple[str, str]]:
    return [(pair.source, pair.target) for pair in read_corpus(*files).pairs()]


def refused(done: Result) -> str:
    assert done.code == 2, done
    assert done.out == "" and "Traceback" not in done.err
    assert done.err.startswith("seqloom: ") and done.err.count("\n") <= 3
    return done.err


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    write_corpus(Corpus.of(PAIRS), tmp_path / "a.en", tmp_path / "a.de")
    return tmp_path


def test_a_corpus_goes_through_all_formats(corpus: Path) -> None:
    chain = [
        "a.tsv.gz",
        "b.csv",
        "c.jsonl.zst",
        "d.parquet",
        "e.tmx.xz",
        "f.xlf",
        "g.po",
        "h.xliff",
    ]
    before = ["a.en", "a.de"]
    for name in chain:
        done = seqloom("convert", *before, "--languages", "en", "de", "--out", name, cwd=corpus)
        assert (done.code, done.out) == (0, ""), done.err
        assert f"40 pairs written to {name}" in done.err
        before = [name]
    done = seqloom("convert", *before, "--out", "z.en", "--out", "z.de", cwd=corpus)
    assert done.code == 0, done.err
    for side in ("en", "de"):
        assert (corpus / f"z.{side}").read_bytes() == (corpus / f"a.{side}").read_bytes()


def test_convert_selects_reverses_and_joins(corpus: Path) -> None:
    (corpus / "t.csv").write_text("id,english,german\n1,one,eins\n")
    done = seqloom(
        "convert", "t.csv", "--columns", "english", "german", "--out", "t.tsv", cwd=corpus
    )
    assert done.code == 0 and texts(corpus / "t.tsv") == [("one", "eins")]
    done = seqloom("convert", "t.csv", "--columns", "2", "1", "--out", "u.tsv", cwd=corpus)
    assert done.code == 0 and texts(corpus / "u.tsv") == [("german", "english"), ("eins", "one")]
    seqloom("convert", "t.tsv", "--languages", "en", "de", "--out", "t.tmx", cwd=corpus)
    done = seqloom("convert", "t.tmx", "--languages", "de", "en", "--out", "v.tsv", cwd=corpus)
    assert done.code == 0 and texts(corpus / "v.tsv") == [("eins", "one")]
    done = seqloom("convert", "a.en", "a.de", "t.tsv", "--out", "all.jsonl", cwd=corpus)
    assert done.code == 0 and texts(corpus / "all.jsonl") == [*PAIRS, ("one", "eins")]


def test_a_format_that_the_name_does_not_tell(corpus: Path) -> None:
    (corpus / "export.txt").write_text("one;eins\n")
    for options in (["--out", "x.tsv"], ["--languages", "en", "de", "--out", "x.jsonl"]):
        done = seqloom("convert", "export.txt", "--format", "csv", *options, cwd=corpus)
        assert done.code == 0 and texts(corpus / options[-1]) == [("one", "eins")]
    message = refused(
        seqloom("convert", "export.txt", "--format", "xls", "--out", "y.tsv", cwd=corpus)
    )
    assert "no format is called 'xls'; there are tsv, csv, jsonl" in message


def test_until_error(corpus: Path) -> None:
    (corpus / "x.tsv").write_text("a\tb\n" * 5 + "broken\n")
    refused(seqloom("convert", "x.tsv", "--out", "y.csv", cwd=corpus))
    assert not (corpus / "y.csv").exists()
    done = seqloom("convert", "x.tsv", "--until-error", "--out", "y.csv", cwd=corpus)
    assert done.code == 0 and "kept what was read before this: x.tsv, line 6" in done.err
    assert texts(corpus / "y.csv") == [("a", "b")] * 5


BOMB = b"""<?xml version="1.0"?><!DOCTYPE tmx [<!ENTITY a "aaaaaaaaa">
<!ENTITY b "&a;&a;&a;&a;&a;">]>
<tmx version="1.4"><header srclang="en"/><body><tu><tuv xml:lang="en"><seg>&b;</seg></tuv>
<tuv xml:lang="de"><seg>x</seg></tuv></tu></body></tmx>"""
OUTSIDE = b"""<?xml version="1.0"?><!DOCTYPE tmx [<!ENTITY x SYSTEM "file:///etc/passwd">]>
<tmx version="1.4"><header srclang="en"/><body/></tmx>"""
WRONG_CHARSET = (
    'msgid ""\nmsgstr "Content-Type: text/plain; charset=ascii\\n"\n\nmsgid "a"\nmsgstr "ä"\n'
)


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("x.tmx", BOMB, ["x.tmx", "line ", "entit"]),
        ("x.tmx", OUTSIDE, ["x.tmx", "line 1", "entit"]),
        ("x.tmx", b"<tmx version='1.4'><header srclang='en'/><body><tu>", ["x.tmx, line 1"]),
        ("x.xlf", b"<html></html>", ["x.xlf"]),
        ("x.po", WRONG_CHARSET.encode(), ["x.po", "charset", "UTF-8"]),
        ("x.mo", b"\xde\x12\x04\x95", ["x.mo"]),
        ("x.tsv", b"a\tb\na\n", ["x.tsv, line 2: 1 column, but line 1 has 2"]),
        ("x.csv", b'a,b\n"c,d\n', ["x.csv, line 2", "quotation mark"]),
        ("x.jsonl", b'{"a": 1}\n', ["x.jsonl, line 1: no keys", "--columns"]),
        ("x.parquet", b"PAR1", ["x.parquet", "Parquet"]),
        ("x.tsv.gz", gzip.compress(b"a\tb\n" * 999, mtime=0)[:-9], ["x.tsv.gz", "truncated"]),
        ("x.tsv.zst", b"plain", ["x.tsv.zst", "Take .zst off"]),
    ],
)
def test_one_message_and_nothing_written(
    name: str, content: bytes, expected: list[str], tmp_path: Path
) -> None:
    (tmp_path / name).write_bytes(content)
    before = sorted(tmp_path.iterdir())
    for command in (["convert", name, "--out", "y.jsonl"], ["prepare", name, "--out", "y"]):
        message = refused(seqloom(*command, cwd=tmp_path))
        assert all(part in message for part in expected), message
        assert sorted(tmp_path.iterdir()) == before


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["convert", "a.en", "--out", "x.csv"], "1 file of lines given"),
        (["convert", "a.en", "a.de", "--out", "x.docx"], "cannot hold both sides"),
        (["convert", "a.en", "a.de", "--out", "x.mo"], "cannot hold both sides"),
        (["convert", "a.en", "a.de", "--out", "x", "--out", "y", "--out", "z"], "3 files to write"),
        (["convert", "nowhere.tmx", "--out", "x.csv"], "nowhere.tmx: no such file"),
        (["convert", "folder", "--out", "x.csv"], "folder: is a directory"),
        (["convert", "a.txt", "a.txt", "--out", "x.tmx"], "--languages"),
        (["prepare", "a.en", "a.de", "--filters", "foo", "--out", "x"], "data.filters.0"),
        (["prepare", "--out", "x"], "data.source: no corpus"),
        (["doctor", "a.en", "a.de", "--validation", "nowhere.tsv"], "nowhere.tsv: no such file"),
        (["doctor", "a.en", "a.de", "--drop", "numbers"], "--drop SIGNS and --cleaned FILE go"),
        (
            ["doctor", "a.en", "a.de", "--drop", "x", "--cleaned", "c.tsv", "--limit", "5"],
            "leave --limit out",
        ),
        (["doctor", "a.en", "a.de", "--drop", "x", "--cleaned", "c.tsv"], "no sign is called 'x'"),
        (["translate", "model", "x.xliff"], "add --output FILE"),
        (
            ["translate", "model", "x.po", "--nbest", "3", "--output", "y.po"],
            "--nbest: not for doc",
        ),
        (["translate", "model", "x.po", "--output", "y.po"], "x.po: no such file"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else None,
)
def test_mistakes(arguments: list[str], expected: str, corpus: Path) -> None:
    (corpus / "folder").mkdir()
    (corpus / "a.txt").write_bytes((corpus / "a.de").read_bytes())
    before = sorted(corpus.iterdir())
    assert expected in refused(seqloom(*arguments, cwd=corpus))
    assert sorted(corpus.iterdir()) == before


def test_prepare_several_files_with_filters_and_pictures(corpus: Path) -> None:
    (corpus / "b.tsv").write_text("".join(f"a {n}\tb {n}\n" for n in range(99)) + "Same.\tsame.\n")
    done = seqloom(
        "prepare", "a.en", "a.de", "b.tsv", "--languages", "en", "de", "--filters", "all",
        "--out", "p", "--set", "data.validation_share=0.1", cwd=corpus,
    )  # fmt: skip
    assert done.code == 0, done.err
    assert "b.tsv: train: 100 pairs read, 99 kept\n  identical: 1 dropped" in done.out
    names = {path.name for path in (corpus / "p").glob("*.png")}
    assert names == {"cleaning-a.en, a.de-train.png", "cleaning-b.tsv-train.png"}
    report = json.loads((corpus / "p" / "report.json").read_text())
    assert report["cleaning"]["b.tsv: train"]["dropped"]["identical"]["examples"][0]["pair"] == 100


def test_doctor_prints_writes_and_finds(corpus: Path) -> None:
    pairs = [*PAIRS, PAIRS[3], ("Costs 5 dollars.", "Kostet 7 Dollar."), ("same", "same")]
    write_corpus(Corpus.of(pairs), corpus / "b.tsv")
    done = seqloom(
        "doctor", "b.tsv", "--languages", "en", "de", "--out", "d",
        "--validation", "a.en", "--validation", "a.de", cwd=corpus,
    )  # fmt: skip
    assert done.code == 0, done.err
    assert "43 pairs, en -> de" in done.out and "Duplicates: 1 pair" in done.out
    record = json.loads((corpus / "d" / "doctor.json").read_text())
    assert record["pairs"] == 43
    page = (corpus / "d" / "doctor.html").read_text()
    assert "Kostet 7 Dollar." in page and ("<svg" in page or "data:image" in page)
    done = seqloom(
        "doctor", "b.tsv", "--languages", "en", "de", "--drop", "identical,numbers",
        "--cleaned", "c.tsv", cwd=corpus,
    )  # fmt: skip
    assert done.code == 0 and "41 pairs without identical, numbers written" in done.err
    assert texts(corpus / "c.tsv") == pairs[:41]
    as_json = seqloom("doctor", "b.tsv", "--json", cwd=corpus)
    assert json.loads(as_json.out)["pairs"] == 43


def test_translate_fills_a_document(work: Path, tmp_path: Path) -> None:
    write_corpus(
        Corpus.of([("a b", "x"), ("c d", "y")], source_language="en", target_language="de"),
        tmp_path / "x.xlf",
    )
    path = tmp_path / "x.xlf"
    path.write_text(re.sub(r"<target[^>]*>y</target>", "", path.read_text()))
    done = seqloom("translate", work / "model", "x.xlf", "--output", "y.xlf", cwd=tmp_path)
    assert (done.code, done.out) == (0, ""), done.err
    assert "1 target filled in y.xlf" in done.err
    assert texts(tmp_path / "y.xlf") == [("a b", "x"), ("c d", "C D")]


def test_an_interrupted_preparation_goes_on(tmp_path: Path) -> None:
    with (tmp_path / "x.tsv").open("w") as file:
        file.writelines(f"Sentence number {n}.\tSatz Nummer {n}.\n" for n in range(150_000))
    arguments = ("prepare", "x.tsv", "--out", "p", "--workers", "2")
    begun = start(*arguments, cwd=tmp_path)
    part = tmp_path / ".p.part"
    deadline = time.monotonic() + 120
    while not list(part.glob("work/0/parts/*")) and time.monotonic() < deadline:
        time.sleep(0.02)
    begun.send_signal(signal.SIGINT)
    _, errors = begun.communicate(timeout=120)
    assert begun.returncode == 130, errors.decode()
    assert b"goes on from here" in errors and b"Traceback" not in errors
    assert part.exists() and not (tmp_path / "p").exists()
    done = seqloom(*arguments, cwd=tmp_path)
    assert done.code == 0, done.err
    assert "150,000 pairs read" in done.out and not part.exists()
