"""Bytes of a file that give way to others, while all else is copied as it is."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass


@dataclass(frozen=True)
class Edit:
    """Bytes ``begin`` to ``end`` of a file give way to ``new``."""

    begin: int
    end: int
    new: bytes


def spliced(content: Iterable[bytes], edits: Iterable[Edit]) -> Iterator[bytes]:
    """The content with the edits made.

    Args:
        content: the bytes of a file, in pieces.
        edits: in the order of the content, without overlap; taken as the content goes.
    """
    waiting = iter(edits)
    edit = next(waiting, None)
    start = done = 0  # bytes before the chunk, and bytes copied or replaced
    for chunk in content:
        end = start + len(chunk)
        while edit is not None and edit.begin < end:
            yield chunk[done - start : edit.begin - start]
            yield edit.new
            done = edit.end
            edit = next(waiting, None)
        if done < end:
            yield chunk[done - start :]
            done = end
        start = end
    while edit is not None:  # behind the last byte
        yield edit.new
        edit = next(waiting, None)
