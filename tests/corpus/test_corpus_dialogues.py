"""Dialogues: what is read, and what is refused with file, line and what was expected."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from seqloom.corpus.dialogues import Message, read_dialogues
from seqloom.errors import CorpusError

ASK, ANSWER = {"role": "user", "content": "Hello"}, {"role": "assistant", "content": "Hi!"}


def put(path: Path, *records: object) -> Path:
    path.write_text("".join(json.dumps(record) + "\n" for record in records), encoding="utf-8")
    return path


def test_messages_are_read_in_their_order(tmp_path: Path) -> None:
    system = {"role": "system", "content": "Be kind."}
    path = put(tmp_path / "a.jsonl", {"messages": [system, ASK, ANSWER], "id": 7})
    path.write_text(f"\n{path.read_text()}\n", encoding="utf-8")
    (dialogue,) = read_dialogues([path])
    assert dialogue.messages == (
        Message("system", "Be kind."), Message("user", "Hello"), Message("assistant", "Hi!"),
    )  # fmt: skip
    assert dialogue.place == f"{path}, line 2"


@pytest.mark.parametrize(
    ("record", "message"),
    [
        ({"text": "x"}, r'a\.jsonl, line 2: no list of messages in .* Expected \{"messages"'),
        ([], "line 2: no list of messages"),
        ({"messages": []}, "line 2: no list of messages"),
        ({"messages": ["x"]}, 'line 2, message 1: "x" is no object'),
        ({"messages": [{"content": "x"}]}, "message 1: no role; expected one of system, user"),
        ({"messages": [{"role": "bot", "content": "x"}]}, 'message 1: role "bot"; expected one of'),
        ({"messages": [ASK, {"role": "user"}]}, "message 2: its content is nothing; expected a te"),
        ({"messages": [{"role": "user", "content": 3}]}, "its content is 3; expected a text"),
        ({"messages": [{"role": "user", "content": " "}]}, 'its content is " "; expected a text'),
        ({"messages": [ASK]}, "line 2: no message of the assistant, so there is nothing to learn"),
        (
            {"messages": [ASK, ANSWER, {"role": "system", "content": "x"}]},
            "line 2: a message of the system behind others",
        ),
    ],
)
def test_what_is_no_dialogue_is_refused(record: object, message: str, tmp_path: Path) -> None:
    path = put(tmp_path / "a.jsonl", {"messages": [ASK, ANSWER]}, record)
    with pytest.raises(CorpusError, match=message):
        list(read_dialogues([path]))


def test_a_file_without_dialogues_and_one_that_is_no_json(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text("\n\n")
    with pytest.raises(CorpusError, match=r"a\.jsonl: no dialogue in it; expected one a line"):
        list(read_dialogues([tmp_path / "a.jsonl"]))
    (tmp_path / "a.jsonl").write_text("Hello\n")
    with pytest.raises(CorpusError, match=r"line 1: not JSON \(.*Expected one \{"):
        list(read_dialogues([tmp_path / "a.jsonl"]))
