r"""Lines of PO files, each with the bytes before it, so that a text can be changed in its place.

A line ends with ``\n``, ``\r\n``, a lone ``\r``, or ``\r\r\n`` as doubly converted files have it.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import NamedTuple

from seqloom.corpus.streams import chunks
from seqloom.errors import CorpusError

MAX_BYTES = 2**26
"""A longer line, or entry, is taken for a file that is no PO file."""

BLANKS = b" \t\f\v"
"""What may stand around the parts of a line."""

_LINE_END = re.compile(rb"\r?\r?\n|\r")


class Line(NamedTuple):
    """A line of a file."""

    number: int
    """Counted from 1."""
    offset: int
    """Bytes of the unpacked file before it."""
    content: bytes
    end: bytes
    """Empty if the file ends without one."""


def lines_of(path: Path) -> Iterator[Line]:
    """The lines of a file, unpacked, without a byte-order mark at its start.

    Raises:
        CorpusError: a line longer than :data:`MAX_BYTES`, or the file cannot be unpacked.
    """
    number = offset = 0
    rest = b""
    for chunk in chain(chunks(path), (b"",)):
        block = rest + chunk
        begin = 0
        if offset == 0 and block.startswith(codecs.BOM_UTF8):
            begin = len(codecs.BOM_UTF8)
        # A carriage return where a chunk ends may be the first half of a line end.
        known = len(block.rstrip(b"\r")) if chunk else len(block)
        for end in _LINE_END.finditer(block, begin, known):
            number += 1
            yield Line(number, offset + begin, block[begin : end.start()], end[0])
            begin = end.end()
        rest = block[begin:]
        offset += begin
        if len(rest) > MAX_BYTES:
            raise CorpusError(
                f"{path}, line {number + 1}: longer than {MAX_BYTES} bytes; is this a PO file?"
            )
    if rest:
        yield Line(number + 1, offset, rest, b"")


def line_end(path: Path) -> str:
    """How the first line of the file ends."""
    first = next(lines_of(path), None)
    return (first and first.end.decode()) or "\n"
