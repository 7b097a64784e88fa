"""What users get wrong: one clear message on standard error, exit 2, nothing half-written."""

from __future__ import annotations

import errno
import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from command_line import Result, seqloom, small


def refused(done: Result) -> str:
    """The message of a command that was refused as it should be."""
    assert done.code == 2, done
    assert done.out == ""
    assert "Traceback" not in done.err
    assert done.err.startswith("seqloom: ")
    return done.err


def train_on_words(work: Path, out: Path, *flags: str) -> Result:
    """``seqloom train`` on the files of the fixture."""
    files = ("--source", "train.en", "--target", "train.de")
    return seqloom("train", *files, "--out", out, *flags, cwd=work)


def pair_of_files(folder: Path, source: bytes, target: bytes) -> list[object]:
    (folder / "a.en").write_bytes(source)
    (folder / "a.de").write_bytes(target)
    return ["--source", folder / "a.en", "--target", folder / "a.de"]


FINE = b"".join(b"line %d\n" % number for number in range(300))
CORPORA = {
    "unequal": (FINE + b"more\n", FINE, ["a.en", "a.de", "301", "300"]),
    "not UTF-8": (FINE + b"M\xfcnchen\n", FINE + b"da\n", ["a.en", "line 301", "byte 2", "0xfc"]),
    "empty file": (FINE, b"", ["a.de", "the file is empty"]),
    "NUL": (FINE + b"tw\0o\n", FINE + b"zwei\n", ["a.en", "line 301", "NUL"]),
    "one side only": (b"\n" * 300, FINE, ["a.en", "no training pair is left"]),
    "hardly any text": (b"one\ntwo\n", b"eins\nzwei\n", ["a.en", "no validation pair"]),
}


@pytest.mark.parametrize("case", CORPORA)
@pytest.mark.parametrize("verb", ["train", "prepare"])
def test_corpora_that_cannot_be_used(case: str, verb: str, tmp_path: Path) -> None:
    source, target, expected = CORPORA[case]
    flags = pair_of_files(tmp_path, source, target)
    given = flags if verb == "train" else [flags[1], flags[3]]
    message = refused(seqloom(verb, *given, "--out", tmp_path / "out"))
    assert [part for part in expected if part not in message] == []
    assert not (tmp_path / "out" / "config.json").exists()
    assert not (tmp_path / "out" / "train.arrow").exists()
    left = {path.name for path in tmp_path.iterdir()} - {"a.en", "a.de", "out"}
    assert left == set(), "half-written files"


def test_marks_line_ends_and_giant_lines_are_no_mistakes(tmp_path: Path) -> None:
    source = "\ufeff" + "".join(f"line {n} of text\r\n" for n in range(300)) + "x" * 10_000_000
    target = "".join(f"Zeile {n}\r\n" for n in range(300)) + "y\n"
    flags = pair_of_files(tmp_path, source.encode(), target.encode())
    done = seqloom("prepare", flags[1], flags[3], "--out", tmp_path / "out")
    assert done.code == 0, done.err
    assert "301 pairs read, 300 kept" in done.out
    assert "\ufeff" not in (tmp_path / "out" / "tokenizer.json").read_text(encoding="utf-8")


def test_files_that_are_not_there(tmp_path: Path, work: Path) -> None:
    nowhere = tmp_path / "nowhere"
    for arguments in (
        ["train", "--source", nowhere, "--target", nowhere, "--out", tmp_path / "out"],
        ["prepare", nowhere, nowhere, "--out", tmp_path / "out"],
        ["translate", nowhere],
        ["translate", work / "model", nowhere],
        ["score", work / "model", "--source", nowhere, "--target", nowhere],
        ["evaluate", "--hypotheses", nowhere, "--references", nowhere],
        ["average", nowhere, "--out", tmp_path / "out"],
        ["train", nowhere, "--out", tmp_path / "out"],
    ):
        assert str(nowhere) in refused(seqloom(*arguments))
    assert list(tmp_path.iterdir()) == []


def test_unknown_recipe_keys_are_told_all_at_once(work: Path, tmp_path: Path) -> None:
    wrong = ["model.widht=32", "training.warmup=-1", "data.tokenizer=bep", "nonsense"]
    settings = [word for setting in wrong for word in ("--set", setting)]
    message = refused(train_on_words(work, tmp_path / "out", *settings))
    assert "4 problems" in message
    assert "did you mean model.width?" in message
    for key in ("training.warmup", "data.tokenizer", "--set nonsense"):
        assert key in message
    assert not (tmp_path / "out").exists()


def test_a_vocabulary_larger_than_the_text_can_give(work: Path, tmp_path: Path) -> None:
    message = refused(train_on_words(work, tmp_path / "out", "--set", "data.vocabulary=30000"))
    assert "30000" in message or "30,000" in message


def test_a_folder_that_holds_another_run(work: Path) -> None:
    before = (work / "model" / "model.safetensors").read_bytes()
    files = {"source": "train.en", "target": "train.de"}
    files |= {"validation-source": "valid.en", "validation-target": "valid.de"}
    flags = [word for name, file in files.items() for word in (f"--{name}", file)]
    settings = small("model.width=64")
    message = refused(seqloom("train", *flags, "--out", "model", *settings, cwd=work))
    assert "model holds another run:\n  - model.width: 32 there, 64 asked for" in message
    assert "--out" in message
    assert (work / "model" / "model.safetensors").read_bytes() == before


def test_a_folder_that_holds_other_files(work: Path, tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").touch()
    assert "thesis.tex" in refused(train_on_words(work, tmp_path))
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.tex"]


def test_average_does_not_overwrite(work: Path) -> None:
    assert "exists already" in refused(seqloom("average", "model", "--out", "model", cwd=work))


def truncate(folder: Path) -> None:
    file = folder / "model.safetensors"
    file.write_bytes(file.read_bytes()[:-100])


def alter(folder: Path) -> None:
    file = folder / "model.safetensors"
    content = bytearray(file.read_bytes())
    content[-5] ^= 0xFF
    file.write_bytes(content)


def swap_tokenizer(folder: Path) -> None:
    file = folder / "tokenizer.json"
    file.write_text(file.read_text(encoding="utf-8").replace('"a"', '"ä"'), encoding="utf-8")


def break_json(folder: Path) -> None:
    (folder / "config.json").write_text("{", encoding="utf-8")


DAMAGES: dict[str, tuple[Callable[[Path], None], str]] = {
    "no config": (lambda folder: (folder / "config.json").unlink(), "config.json"),
    "no weights": (lambda folder: (folder / "model.safetensors").unlink(), "is missing"),
    "no tokenizer": (lambda folder: (folder / "tokenizer.json").unlink(), "tokenizer"),
    "truncated": (truncate, "truncated"),
    "altered": (alter, "was altered"),
    "another tokenizer": (swap_tokenizer, "not the one that the model was trained with"),
    "broken config": (break_json, "not valid JSON"),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_damaged_folders(damage: str, work: Path, tmp_path: Path) -> None:
    folder = tmp_path / "model"
    shutil.copytree(work / "model", folder, ignore=shutil.ignore_patterns("data", "training"))
    harm, expected = DAMAGES[damage]
    harm(folder)
    message = refused(seqloom("translate", folder, stdin="a b\n"))
    assert expected in message
    assert str(folder) in message


def test_too_long_a_line_is_translated_in_pieces_or_cut_off(work: Path, tmp_path: Path) -> None:
    folder = tmp_path / "model"
    shutil.copytree(work / "model", folder, ignore=shutil.ignore_patterns("data", "training"))
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    config["recipe"]["data"]["max_length"] = 6
    (folder / "config.json").write_text(json.dumps(config), encoding="utf-8")
    text = "a b\n" + "c d e f " * 3 + "\ng h\n"
    whole = seqloom("translate", folder, stdin=text)
    cut = seqloom("translate", folder, "--truncate", stdin=text)
    for done in (whole, cut):
        assert done.code == 0, done.err
        assert len(done.out.splitlines()) == 3
        assert done.out.startswith("A B\n")
        assert done.out.endswith("\nG H\n")
        assert "line 2" in done.err
    assert len(whole.out.split()) > len(cut.out.split())
    assert "translated in" in whole.err
    assert "cut off" in cut.err


def test_a_byte_of_the_input_that_is_no_text(work: Path) -> None:
    done = seqloom("translate", "model", cwd=work, stdin=b"a b\n\xff\n")
    assert done.code == 2
    assert "standard input, line 2: not UTF-8" in done.err


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["translate", "model", "--nbest", "9"], "beam of at least 9"),
        (["translate", "model", "--temperature", "2"], "add --sample"),
        (["translate", "model", "--top-p", "1.5", "--sample"], "top_p"),
        (["translate", "model", "--device", "gpu"], "unknown device 'gpu'"),
        (["translate", "model", "--precision", "int4"], "decoding.precision: input should be"),
        (["translate", "model", "--with", "nowhere"], "nowhere"),
        (["translate", "model", "--set", "decoding.beem=3"], "did you mean decoding.beam?"),
        (["evaluate", "--references", "test.de"], "nothing to evaluate"),
        (["evaluate", "model", "--references", "test.de"], "--source is missing"),
        (["evaluate", "--hypotheses", "test.de"], "--references is missing"),
        (["evaluate", "--hypotheses", "test.de", "--references", "valid.de"], "test.de has 20"),
        (["score", "model", "--source", "test.en", "--target", "valid.de"], "test.en has 20 lines"),
        (["average", "model", "nowhere", "--out", "new"], "nowhere"),
        (["train", "--source", "train.en", "--target", "train.de"], "add --out DIR"),
        (["train", "--out", "new"], "no corpus given; add --source FILE --target FILE"),
        (["train", "nonesuch", "--out", "new"], "no recipe of that name"),
        (["train", "model.width=8", "--out", "new"], "each has its own --set: --set model.width=8"),
        (["prepare", "train.en", "train.de"], "add --out DIR"),
        (["prepare", "train.en", "--out", "new"], "1 file of lines given"),
        (["prepare", "train.en", "train.de", "valid.en", "--out", "new"], "3 files of lines given"),
        (["get", "nonesuch"], "no data set is called 'nonesuch'"),
    ],
    ids=lambda value: " ".join(map(str, value)) if isinstance(value, list) else None,
)
def test_flags_that_do_not_fit(arguments: list[str], expected: str, work: Path) -> None:
    before = {path.name for path in work.iterdir()}
    assert expected in refused(seqloom(*arguments, cwd=work))
    assert {path.name for path in work.iterdir()} == before


@pytest.mark.parametrize(
    "arguments",
    [["translat"], ["translate"], ["translate", "x", "--bean", "4"], ["train", "--beam", "x"]],
)
def test_commands_that_do_not_parse(arguments: list[str]) -> None:
    done = seqloom(*arguments)
    assert done.code == 2
    assert done.out == ""
    assert "Traceback" not in done.err
    assert done.err


def test_a_full_disk(work: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever is renamed into place at the end fails as it would on a full disk."""

    def full(self: Path, target: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(Path, "replace", full)
    done = seqloom("translate", work / "model", "--output", tmp_path / "out", stdin="a b\n")
    assert "the disk is full" in refused(done)
    assert list(tmp_path.iterdir()) == []


def test_a_place_where_nothing_can_be_written(work: Path, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    out = tmp_path / "file" / "out"
    for arguments in (
        ["translate", "model", "test.en", "--output", out],
        ["prepare", "train.en", "train.de", "--out", out],
        ["train", "--source", "train.en", "--target", "train.de", "--out", out],
        ["average", "model", "--out", out],
    ):
        assert f"cannot write {out}" in refused(seqloom(*arguments, cwd=work))
    assert (tmp_path / "file").read_bytes() == b""
