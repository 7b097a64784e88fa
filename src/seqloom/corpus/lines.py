r"""Lines of UTF-8 text, streamed, plain or gzip, each checked before it is handed on.

Only ``\n`` ends a line (``\r\n`` counts as one end). The other characters at which
``str.splitlines`` cuts (U+2028, U+0085, a lone ``\r`` ...) stay inside the text: two aligned files
stay aligned. A byte-order mark at the start of a file is skipped.
"""

from __future__ import annotations

import codecs
import gzip
import unicodedata
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, NoReturn, cast

from seqloom.errors import CorpusError

CHUNK_BYTES = 2**20
"""Bytes read at a time."""

MAX_LINE_BYTES = 2**28
"""A longer line is taken for a file that is no text."""

_MARKS = {
    codecs.BOM_UTF32_LE: "UTF-32",  # begins like the mark of UTF-16, so it is looked for first
    codecs.BOM_UTF32_BE: "UTF-32",
    codecs.BOM_UTF16_LE: "UTF-16",
    codecs.BOM_UTF16_BE: "UTF-16",
}

_UNLIKELY = {"Cc", "Cn", "Co"}  # control, unassigned and private characters


def read_lines(path: Path) -> Iterator[str]:
    """Yield the lines of a text file without their ends; ``.gz`` files are unpacked on the way.

    Raises:
        CorpusError: not UTF-8 (line and byte), UTF-16, NUL bytes, damaged gzip, or an empty file.
    """
    number, offset = 0, 0  # lines and bytes handed on so far
    for block in _blocks(path):
        skip = 0
        if offset == 0:
            _refuse_other_encodings(path, block)
            skip = len(codecs.BOM_UTF8) if block.startswith(codecs.BOM_UTF8) else 0
        try:
            text = str(memoryview(block)[skip:], "utf-8")
        except UnicodeDecodeError as error:
            _raise_not_utf8(path, block, error.start + skip, number, offset)
        if b"\0" in block:
            _raise_nul(path, block, number)
        found = text.replace("\r\n", "\n").split("\n")
        if block.endswith(b"\n") or not text:
            found.pop()
        yield from found
        number += len(found)
        offset += len(block)
    if number == 0:
        raise CorpusError(f"{path}: the file is empty; expected one sentence a line.")


def _blocks(path: Path) -> Iterator[bytes]:
    """Blocks of whole lines; only the last may lack its line end."""
    pending: list[bytes] = []
    for chunk in _chunks(path):
        cut = chunk.rfind(b"\n") + 1
        if cut:
            yield b"".join((*pending, chunk[:cut]))
            pending = []
        pending.append(chunk[cut:])
        if sum(map(len, pending)) > MAX_LINE_BYTES:
            raise CorpusError(
                f"{path}: a line is longer than {MAX_LINE_BYTES} bytes; is this a text file with "
                "one sentence a line?"
            )
    if any(pending):
        yield b"".join(pending)


def _chunks(path: Path) -> Iterator[bytes]:
    try:
        with _open(path) as file:
            while chunk := file.read(CHUNK_BYTES):
                yield chunk
    except EOFError as error:
        raise CorpusError(
            f"{path}: the gzip file is truncated; copy or download it again."
        ) from error
    except gzip.BadGzipFile as error:
        raise CorpusError(
            f"{path}: is not a gzip file, or is damaged ({error}). Take .gz off its name if it is "
            "plain text, or copy it again."
        ) from error
    except zlib.error as error:
        raise CorpusError(
            f"{path}: the gzip file is damaged ({error}); copy or download it again."
        ) from error
    except OSError as error:
        raise CorpusError(f"{path}: cannot be read: {error.strerror or error}.") from error


def _open(path: Path) -> BinaryIO:
    if path.suffix.lower() == ".gz":
        return cast(BinaryIO, gzip.open(path, "rb"))
    return path.open("rb")


def _refuse_other_encodings(path: Path, head: bytes) -> None:
    for mark, name in _MARKS.items():
        if head.startswith(mark):
            _raise_utf16(path, f"is {name}, not UTF-8", name)
    if head.startswith(b"\x1f\x8b"):
        raise CorpusError(f"{path}: is a gzip file; give it a name that ends in .gz.")


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
    unpacked = " unpacked" if path.suffix.lower() == ".gz" else ""
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
