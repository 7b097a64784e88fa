"""Conversations as token ids: who speaks, and which tokens a model learns to say.

``tokens``: a mark of the vocabulary stands before each message, ``<user>`` and its like; ``text``:
for vocabularies of others, words do, ``User:`` and its like. In both, the assistant's messages end
with the symbol of an end, and a conversation begins with that of a beginning, as documents do.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from seqloom.corpus.dialogues import ROLES, Message
from seqloom.errors import DecodingError
from seqloom.text.tokenizer import Tokenizer

Form = Literal["tokens", "text"]
MARKS = tuple(f"<{role}>" for role in ROLES)
"""Tokens that say who speaks."""
_ANSWERS = 4
"""At least this part of the context is left for an answer."""


def form_for(tokenizer: Tokenizer) -> Form:
    """What a vocabulary has room for."""
    return "text" if tokenizer.foreign else "tokens"


def dialogue_ids(
    tokenizer: Tokenizer, form: Form, messages: Sequence[Message]
) -> tuple[list[int], list[int]]:
    """Token ids of a conversation, and the lengths of its stretches.

    The stretches are read and said in turn: the second, fourth ... are the assistant's. What stands
    behind its last message is left out, and the end of that is left to who frames the document.
    """
    last = max(place for place, each in enumerate(messages) if each.role == "assistant")
    ids: list[int] = []
    lengths = [0]
    for place, message in enumerate(messages[: last + 1]):
        opening = _opening(tokenizer, form, message.role)
        content = _content(tokenizer, form, message)
        said = message.role == "assistant"
        if len(lengths) % 2 == 0:  # the assistant spoke before
            lengths.append(0)
        lengths[-1] += len(opening)
        if said:
            content = [*content, tokenizer.symbols.end] if place < last else content
            lengths.append(0)
        lengths[-1] += len(content)
        ids += [*opening, *content]
    return ids, lengths


def prompt_ids(
    tokenizer: Tokenizer, form: Form, messages: Sequence[Message], context: int | None
) -> list[int]:
    """Token ids of a conversation up to where the assistant is to speak.

    The oldest messages are left out where the context, in tokens, leaves no room for an answer; a
    message of the system stays.

    Raises:
        DecodingError: no message to answer.
    """
    if not messages or messages[-1].role != "user":
        raise DecodingError("the last message is not the user's, so there is nothing to answer.")
    first = 1 if messages[0].role == "system" else 0
    front, rest = list(messages[:first]), list(messages[first:])
    while True:
        ids = [token for each in (*front, *rest) for token in _message(tokenizer, form, each)]
        ids += _opening(tokenizer, form, "assistant")
        if context is None or len(ids) + context // _ANSWERS <= context or len(rest) == 1:
            return ids
        rest = rest[1:]


def _message(tokenizer: Tokenizer, form: Form, message: Message) -> list[int]:
    end = [tokenizer.symbols.end] if message.role == "assistant" else []
    return [
        *_opening(tokenizer, form, message.role), *_content(tokenizer, form, message), *end
    ]  # fmt: skip


def _opening(tokenizer: Tokenizer, form: Form, role: str) -> list[int]:
    """What stands before a message."""
    if form == "tokens":
        return tokenizer.encode("", tags=[f"<{role}>"])[:1]
    return tokenizer.encode(f"{role.capitalize()}:")


def _content(tokenizer: Tokenizer, form: Form, message: Message) -> list[int]:
    if form == "tokens":
        return tokenizer.encode(message.content)
    after = "" if message.role == "assistant" else "\n"
    return tokenizer.encode(f" {message.content}{after}")
