"""Dialogues: JSON lines of messages with roles, the form in which models learn to answer.

``{"messages": [{"role": "user", "content": "Hello"}, {"role": "assistant", "content": "Hi!"}]}``
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from seqloom.corpus.files import check_readable
from seqloom.corpus.lines import read_lines
from seqloom.corpus.report import shorten
from seqloom.errors import CorpusError

ROLES = ("system", "user", "assistant")
"""Who may speak."""

_FORM = (
    '{"messages": [{"role": "user", "content": "..."}, {"role": "assistant", "content": "..."}]}'
)


class Message(NamedTuple):
    """What one of the two, or the system, says."""

    role: str
    content: str


class Dialogue(NamedTuple):
    """Messages in their order; the assistant has at least one."""

    messages: tuple[Message, ...]
    place: str
    """File and line."""


def read_dialogues(paths: Sequence[str | Path]) -> Iterator[Dialogue]:
    """Stream the dialogues of .jsonl files, which may be compressed; blank lines are skipped.

    Raises:
        CorpusError: a file is missing or without dialogues, or a line is none: file, line, and what
            was expected.
    """
    for path in map(Path, paths):
        check_readable(path)
        empty = True
        for number, line in enumerate(read_lines(path), start=1):
            if line.strip():
                empty = False
                yield _dialogue(line, f"{path}, line {number}")
        if empty:
            raise CorpusError(f"{path}: no dialogue in it; expected one a line, as {_FORM}.")


def _dialogue(line: str, place: str) -> Dialogue:
    try:
        record = json.loads(line)
    except ValueError as error:
        raise CorpusError(f"{place}: not JSON ({error}). Expected one {_FORM} a line.") from None
    found = record.get("messages") if isinstance(record, dict) else None
    if not isinstance(found, list) or not found:
        raise CorpusError(f"{place}: no list of messages in {shorten(line)!r}. Expected {_FORM}.")
    messages = tuple(_message(each, number, place) for number, each in enumerate(found, start=1))
    if any(message.role == "system" for message in messages[1:]):
        raise CorpusError(
            f"{place}: a message of the system behind others; expected it first, or none."
        )
    if all(message.role != "assistant" for message in messages):
        raise CorpusError(
            f"{place}: no message of the assistant, so there is nothing to learn. Expected {_FORM}."
        )
    return Dialogue(messages, place)


def _message(found: Any, number: int, place: str) -> Message:
    here = f"{place}, message {number}"
    if not isinstance(found, dict):
        raise CorpusError(f"{here}: {shorten(json.dumps(found))} is no object. Expected {_FORM}.")
    role, content = found.get("role"), found.get("content")
    if role not in ROLES:
        said = f"role {shorten(json.dumps(role))}" if "role" in found else "no role"
        raise CorpusError(f"{here}: {said}; expected one of {', '.join(ROLES)}.")
    if not isinstance(content, str) or not content.strip():
        said = shorten(json.dumps(content)) if "content" in found else "nothing"
        raise CorpusError(f"{here}: its content is {said}; expected a text.")
    return Message(role, content)
