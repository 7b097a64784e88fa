"""``seqloom vectors convert`` and ``seqloom neighbours``, as users call them."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from command_line import Result, seqloom

from seqloom.text.ngrams import Ngrams
from seqloom.text.vector_files import open_vectors, save_vectors
from seqloom.text.vectors import WordVectors

WORDS = {
    "king": (5, 0, 9),
    "queen": (0, 5, 9),
    "man": (1, 0, 1),
    "woman": (0, 1, 1),
    "国王": (5, 1, 9),
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    vectors = WordVectors(list(WORDS), np.array(list(WORDS.values())), np.array([9, 8, 7, 6, 5]))
    vectors.save(tmp_path / "v")
    return tmp_path


def refused(done: Result) -> str:
    assert done.code == 2, done
    assert "Traceback" not in done.err
    assert done.err.startswith("seqloom: ")
    return done.err


def test_vectors_go_through_all_forms(folder: Path) -> None:
    before = "v"
    for name in ("a.txt", "b.bin", "c.vec.gz", "d.bin.zst", "e.w2v.xz", "again"):
        done = seqloom("vectors", "convert", before, name, cwd=folder)
        assert (done.code, done.out) == (0, ""), done.err
        assert done.err == f"5 words of width 3 written to {name}\n"
        before = name
    first, last = open_vectors(folder / "v"), open_vectors(folder / "again")
    assert (folder / "again" / "vectors.json").is_file()
    assert last.words == first.words and (last.matrix == first.matrix).all()


def test_convert_keeps_the_most_frequent(folder: Path) -> None:
    save_vectors(open_vectors(folder / "v"), folder / "v.bin")
    for source in ("v", "v.bin"):
        done = seqloom("vectors", "convert", source, "few.txt", "--first", 2, cwd=folder)
        assert done.code == 0, done.err
        assert (folder / "few.txt").read_text("utf-8") == "2 3\nking 5 0 9\nqueen 0 5 9\n"


def test_convert_into_itself_and_what_is_lost(folder: Path) -> None:
    vectors = open_vectors(folder / "v")
    WordVectors(vectors.words, vectors.matrix, None, Ngrams(np.ones((4, 3), np.float32))).save(
        folder / "n"
    )
    assert seqloom("vectors", "convert", "n", "n", "--first", 3, cwd=folder).code == 0
    assert open_vectors(folder / "n").words == vectors.words[:3]
    done = seqloom("vectors", "convert", "n", "n.vec", cwd=folder)
    assert done.code == 0
    assert "n-grams" in done.err.splitlines()[0] and done.err.count("\n") == 2


@pytest.mark.parametrize(
    ("source", "target", "content", "message"),
    [
        (
            "bad.txt",
            "out.bin",
            b"3 2\na 1 2\nb 1\nc 1 2\n",
            "bad.txt, line 3: expected a word and 2",
        ),
        (
            "bad.txt",
            "out.bin",
            b"3 2\na 1 2\nb 1 2\n",
            "bad.txt, line 3: the file ends after 2 words",
        ),
        ("bad.bin", "out.txt", b"1 2\na 123", "bad.bin, byte 9: the file ends in word 1 of the 1"),
        ("bad.txt", "out", b"vectors\n", "bad.txt, line 1: expected two numbers"),
        ("bad.txt", "out", b"", "bad.txt: the file is empty"),
        ("bad.kv", "out", b"\x80", "bad.kv: files of that kind are pickles"),
        ("v", "out.model", b"", "out.model: files of that kind are pickles"),
        ("nowhere", "out", b"", "nowhere: no such folder or file"),
        (".", "out", b"", "no vectors.json"),
    ],
)
def test_bad_input_is_one_message(
    folder: Path, source: str, target: str, content: bytes, message: str
) -> None:
    if source.startswith("bad"):
        (folder / source).write_bytes(content)
    done = seqloom("vectors", "convert", source, target, cwd=folder)
    assert message in refused(done)
    assert done.out == "" and done.err.count("\n") == 1
    assert not list(folder.glob("*out*"))


def test_neighbours_as_a_table(folder: Path) -> None:
    done = seqloom("neighbours", "v", "king", "king - man + woman", "--number", 2, cwd=folder)
    assert (done.code, done.err) == (0, "")
    blocks = done.out.split("\n\n")[:2]
    assert [block.splitlines()[0] for block in blocks] == ["king", "king - man + woman"]
    rows = [line.split() for line in blocks[0].splitlines()[1:]]
    assert rows == [["国王", "0.9953"], ["man", "0.9615"]]
    # The two letters of 国王 are four columns wide, so man has one space more.
    assert blocks[0].splitlines()[1:] == ["  国王   0.9953", "  man    0.9615"]
    assert blocks[1].splitlines()[1].split()[0] == "queen"


def test_neighbours_as_json_of_every_form(folder: Path) -> None:
    save_vectors(open_vectors(folder / "v"), folder / "v.txt")
    answers = []
    for place in ("v", "v.txt"):
        done = seqloom("neighbours", place, "queen", "man", "--json", "--number", 3, cwd=folder)
        assert done.code == 0, done.err
        answers.append([json.loads(line) for line in done.out.splitlines()])
    assert answers[0] == answers[1]
    assert [answer["question"] for answer in answers[0]] == ["queen", "man"]
    vectors = open_vectors(folder / "v")
    for answer in answers[0]:
        assert [(each["word"], each["cosine"]) for each in answer["neighbours"]] == [
            (word, pytest.approx(cosine))
            for word, cosine in vectors.neighbours(answer["question"], 3)
        ]


@pytest.mark.parametrize("words", [[], ["-"]])
def test_words_from_standard_input_and_a_file(folder: Path, words: list[str]) -> None:
    given = "king\n\n queen + 国王 \n"
    done = seqloom("neighbours", "v", *words, "--json", cwd=folder, stdin=given)
    assert done.code == 0, done.err
    questions = [json.loads(line)["question"] for line in done.out.splitlines()]
    assert questions == ["king", "queen + 国王"]
    (folder / "words").write_text(given, encoding="utf-8")
    again = seqloom("neighbours", "v", "--file", "words", "--json", cwd=folder)
    assert again.out == done.out
    message = refused(seqloom("neighbours", "v", "king", "--file", "words", cwd=folder))
    assert "give one or the other" in message


def test_unknown_words_are_named_and_the_others_answered(folder: Path) -> None:
    done = seqloom("neighbours", "v", "kign", "woman", "Queen", cwd=folder)
    message = refused(done)
    assert message.splitlines() == [
        "seqloom: 'kign' is not among the 5 words. Spelt much like it: king.",
        "seqloom: 'Queen' is not among the 5 words. Spelt much like it: queen.",
    ]
    assert done.out.splitlines()[0] == "woman" and len(done.out.splitlines()) == 6
    done = seqloom("neighbours", "v", "New York", cwd=folder)
    assert "'New York' is neither a word nor" in refused(done) and done.out == ""


def test_documents_like_a_text(tmp_path: Path) -> None:
    (tmp_path / "docs.txt").write_text(
        "the cat sat on the mat\nthe dog ran home\nthe cat and the dog slept\n", encoding="utf-8"
    )
    done = seqloom("vectors", "bag", "docs.txt", "--out", "b", cwd=tmp_path)
    assert done.code == 0, done.err
    done = seqloom("neighbours", "b", "a cat sat", "--json", cwd=tmp_path)
    assert done.code == 0, done.err
    found = json.loads(done.out)["neighbours"]
    assert [each["line"] for each in found] == [1, 3] and found[0]["file"] == "docs.txt"
    assert found[0]["cosine"] > found[1]["cosine"] > 0
    done = seqloom("neighbours", "b", "a cat sat", cwd=tmp_path)
    assert [line.split()[0] for line in done.out.splitlines()[1:-1]] == ["docs.txt:1", "docs.txt:3"]
    message = refused(seqloom("neighbours", "b", "zebra", cwd=tmp_path))
    assert "no word of the text has a weight" in message and "zebra" in message
