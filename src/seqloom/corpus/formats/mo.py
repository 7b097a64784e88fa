"""Pairs of compiled gettext files (MO), by the rules of PO files.

A compiled file holds no comments and no obsolete entries. Texts that depend on the machine (minor
version 1, ``PRId64`` and the like) stand in tables of their own, and are not read.

The file is read here and not with a library, because files that are cut off must be refused: the
lengths of the texts are checked against the file, of which nothing but one entry is held.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from contextlib import contextmanager
from mmap import ACCESS_READ, mmap
from pathlib import Path
from tempfile import TemporaryFile

import pyarrow as pa

from seqloom.corpus.formats.po import directed, pairs_of
from seqloom.corpus.formats.po_entries import Entry
from seqloom.corpus.formats.po_header import Header, find_codec, not_in_charset, parse_header
from seqloom.corpus.formats.reading import Reading
from seqloom.corpus.languages import Languages
from seqloom.corpus.pairs import batches_of
from seqloom.corpus.streams import chunks
from seqloom.errors import CorpusError

_BYTE_ORDERS = {b"\xde\x12\x04\x95": "<", b"\x95\x04\x12\xde": ">"}
_HEAD_BYTES = 28
_CONTEXT_END = b"\x04"


def read_mo(path: Path, reading: Reading) -> Iterator[pa.RecordBatch]:
    """Stream the pairs of an MO file.

    Raises:
        CorpusError: not an MO file, of a later version, cut off, or with texts that do not fit the
            charset; or it is in another language than was asked for.
    """
    with _open(path) as file:
        pairs = pairs_of(file.entries())
        yield from batches_of(directed(pairs, path, file.header.language, reading))


def mo_languages(path: Path) -> Languages:
    """The target language that the header names; gettext never names the source."""
    with _open(path) as file:
        return None, file.header.language


@contextmanager
def _open(path: Path) -> Iterator[_MoFile]:
    """The file, unpacked and mapped: its tables point to and fro."""
    with TemporaryFile() as unpacked:
        for chunk in chunks(path):
            unpacked.write(chunk)
        unpacked.flush()
        if unpacked.tell() < _HEAD_BYTES:
            raise _damaged(
                path, f"it is shorter than the {_HEAD_BYTES} bytes that each begins with"
            )
        with mmap(unpacked.fileno(), 0, access=ACCESS_READ) as data:
            yield _MoFile(path, data)


class _MoFile:
    """The texts of an MO file, each checked when it is read."""

    def __init__(self, path: Path, data: mmap) -> None:
        order = _BYTE_ORDERS.get(data[:4])
        if order is None:
            raise _damaged(path, f"it begins with {data[:4]!r}")
        version, self._count, *self._tables = struct.unpack_from(f"{order}4I", data, 4)
        if version >> 16 > 1:
            raise CorpusError(
                f"{path}: MO files of version {version >> 16} are not known, only 0 and 1. Compile "
                "the PO file again with msgfmt."
            )
        if max(self._tables) + 8 * self._count > len(data):
            raise _damaged(path, f"its tables of {self._count} texts reach beyond its end")
        self._path, self._data, self._cell = path, data, f"{order}2I"
        self.header = self._header()
        self._codec = find_codec(str(path), self.header, self._texts())

    def entries(self) -> Iterator[Entry]:
        """All entries, also the header.

        Raises:
            CorpusError: a text reaches beyond the file, or does not fit its charset.
        """
        for number in range(self._count):
            source, target = self._raw(0, number), self._raw(1, number)
            *context, message = source.split(_CONTEXT_END, 1)
            singular, *plural = message.split(b"\0", 1)
            if b"\0" in target and not plural:
                raise _damaged(
                    self._path, f"text {number + 1} has plural forms in one language only"
                )
            yield Entry(
                number + 1,
                self._decode(context[0], number) if context else None,
                self._decode(singular, number),
                self._decode(plural[0], number) if plural else None,
                [self._decode(form, number) for form in target.split(b"\0")],
            )

    def _header(self) -> Header:
        if self._count and not self._raw(0, 0):  # texts are sorted, so the empty one is the first
            return parse_header(self._raw(1, 0).decode("latin-1"))
        return Header()

    def _texts(self) -> Iterator[bytes]:
        for number in range(self._count):
            for table in (0, 1):
                yield self._raw(table, number) + b"\n"

    def _raw(self, table: int, number: int) -> bytes:
        place = self._tables[table] + 8 * number
        length, begin = struct.unpack_from(self._cell, self._data, place)
        if begin + length > len(self._data):
            raise _damaged(self._path, f"text {number + 1} reaches beyond its end")
        return self._data[begin : begin + length]

    def _decode(self, text: bytes, number: int) -> str:
        try:
            return text.decode(self._codec)
        except UnicodeDecodeError as error:
            where = f"{self._path}, text {number + 1}"
            raise not_in_charset(where, self.header, error) from None


def _damaged(path: Path, why: str) -> CorpusError:
    return CorpusError(
        f"{path}: is not an MO file, or is damaged: {why}. Copy it again, or compile the PO file "
        "again with msgfmt."
    )
