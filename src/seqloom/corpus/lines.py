r"""Lines of UTF-8 text, streamed, plain or compressed, each checked before it is handed on.

Only ``\n`` ends a line (``\r\n`` counts as one end). The other characters at which
``str.splitlines`` cuts (U+2028, U+0085, a lone ``\r`` ...) stay inside the text: two aligned files
stay aligned. A byte-order mark at the start of a file is skipped.
"""

from __future__ import annotations

import codecs
import unicodedata
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
import pyarrow as pa

from seqloom.corpus.streams import chunks, plain_name
from seqloom.errors import CorpusError

MAX_LINE_BYTES = 2**28
"""A longer line is taken for a file that is no text."""

_MARKS = {
    codecs.BOM_UTF32_LE: "UTF-32",  # begins like the mark of UTF-16, so it is looked for first
    codecs.BOM_UTF32_BE: "UTF-32",
    codecs.BOM_UTF16_LE: "UTF-16",
    codecs.BOM_UTF16_BE: "UTF-16",
}

_LINE_END = ord("\n")
_UNLIKELY = {"Cc", "Cn", "Co"}  # control, unassigned and private characters


def read_lines(path: Path) -> Iterator[str]:
    """Yield the lines of a text file without their ends, unpacked on the way if it is compressed.

    Raises:
        CorpusError: not UTF-8 (line and byte), UTF-16, NUL bytes, a damaged or an empty file.
    """
    for lines in line_arrays(path):
        texts: list[Any] = lines.to_pylist()
        yield from texts


def line_arrays(path: Path) -> Iterator[pa.StringArray]:
    """The lines of :func:`read_lines` in Arrow arrays, some thousands each: no work a line."""
    for block in blocks(path):
        plain = block.replace(b"\r\n", b"\n")
        if not plain.endswith(b"\n"):
            plain += b"\n"
        ends = np.flatnonzero(np.frombuffer(plain, np.uint8) == _LINE_END)
        # Without the line ends themselves, the end of each line is where the next one begins.
        offsets = np.concatenate(([0], ends - np.arange(len(ends)))).astype(np.int32)
        data = pa.py_buffer(plain.replace(b"\n", b""))
        yield pa.StringArray.from_buffers(len(ends), pa.py_buffer(offsets.tobytes()), data)


def blocks(path: Path) -> Iterator[bytes]:
    """Blocks of whole lines of UTF-8 with their ends, checked; a byte-order mark is left out.

    Raises:
        CorpusError: as :func:`read_lines`.
    """
    number, offset = 0, 0  # lines and bytes handed on so far
    for block in _whole_lines(path):
        skip = 0
        if offset == 0:
            _refuse_other_encodings(path, block)
            skip = len(codecs.BOM_UTF8) if block.startswith(codecs.BOM_UTF8) else 0
        try:
            str(memoryview(block)[skip:], "utf-8")
        except UnicodeDecodeError as error:
            _raise_not_utf8(path, block, error.start + skip, number, offset)
        if b"\0" in block:
            _raise_nul(path, block, number)
        if len(block) > skip:
            yield block[skip:] if skip else block
            number += block.count(b"\n") + (not block.endswith(b"\n"))
        offset += len(block)
    if number == 0:
        raise CorpusError(f"{path}: the file is empty; expected one sentence a line.")


def _whole_lines(path: Path) -> Iterator[bytes]:
    refusal = CorpusError(
        f"{path}: a line is longer than {MAX_LINE_BYTES} bytes; is this a text file with one "
        "sentence a line?"
    )
    return whole_lines(chunks(path), MAX_LINE_BYTES, refusal)


def whole_lines(stream: Iterable[bytes], longest: int, refusal: Exception) -> Iterator[bytes]:
    """Blocks of whole lines; only the last may lack its line end.

    Args:
        stream: the bytes in pieces of any size.
        longest: bytes of a line; ``refusal`` is raised for a longer one.
        refusal: says what is wrong with it.
    """
    pending: list[bytes] = []
    for chunk in stream:
        cut = chunk.rfind(b"\n") + 1
        if cut:
            yield b"".join((*pending, chunk[:cut]))
            pending = []
        pending.append(chunk[cut:])
        if sum(map(len, pending)) > longest:
            raise refusal
    if any(pending):
        yield b"".join(pending)


def _refuse_other_encodings(path: Path, head: bytes) -> None:
    for mark, name in _MARKS.items():
        if head.startswith(mark):
            _raise_utf16(path, f"is {name}, not UTF-8", name)


def _raise_utf16(path: Path, what: str, name: str) -> NoReturn:
    raise CorpusError(
        f"{path}: {what}. Convert it: iconv -f {name} -t UTF-8 {path} > "
        f"{path.stem}.utf8{path.suffix}"
    )


def _refuse_unmarked_utf16(path: Path, block: bytes) -> None:
    """UTF-16 without a mark decodes to assigned characters, and its line ends to line ends."""
    head = block[:4096]
    for name in ("UTF-16LE", "UTF-16BE"):
        try:
            text = codecs.getincrementaldecoder(name)().decode(head)
        except UnicodeDecodeError:
            continue
        strange = any(unicodedata.category(c) in _UNLIKELY for c in text if not c.isspace())
        if not strange and 2 * text.count("\n") > head.count(b"\n"):
            _raise_utf16(path, f"looks like {name}, not UTF-8", name)


def _raise_not_utf8(path: Path, block: bytes, at: int, number: int, offset: int) -> NoReturn:
    if offset == 0:
        _refuse_unmarked_utf16(path, block)
    line = number + block.count(b"\n", 0, at) + 1
    column = at - (block.rfind(b"\n", 0, at) + 1) + 1
    unpacked = "" if plain_name(path) == path else " unpacked"
    raise CorpusError(
        f"{path}, line {line}: not UTF-8: byte {column} of the line (byte {offset + at + 1} of the"
        f"{unpacked} file) is 0x{block[at]:02x}. If it is Latin-1: iconv -f ISO-8859-1 -t UTF-8"
    )


def _raise_nul(path: Path, block: bytes, number: int) -> NoReturn:
    if number == 0:
        _refuse_unmarked_utf16(path, block)
    at = block.index(b"\0")
    line = number + block.count(b"\n", 0, at) + 1
    raise CorpusError(
        f"{path}, line {line}: holds a NUL byte, so this is not plain text. Remove it: "
        f"tr -d '\\000' < {path}"
    )
