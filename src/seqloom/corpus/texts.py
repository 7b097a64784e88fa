"""Files of running text become documents: whole files, paragraphs, lines, or rows of a table.

A document is a pair without a target, so that cleaning, splits and Parquet files are those of
pairs; its metadata tells its place. At most one file of text, or one batch, is in memory.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from seqloom.corpus.files import check_readable
from seqloom.corpus.formats import format_of
from seqloom.corpus.formats.hub import PREFIX, hub_records
from seqloom.corpus.formats.jsonl import objects, text_in
from seqloom.corpus.formats.parquet import check_text, clear_errors
from seqloom.corpus.label_tables import PLACE
from seqloom.corpus.lines import blocks
from seqloom.corpus.pairs import Corpus, Pair, batches_of
from seqloom.corpus.streams import plain_name
from seqloom.errors import CorpusError

WHOLE_BYTES = 2**24
"""By themselves, larger files of text are no document but cut into paragraphs or lines."""

MAX_DOCUMENT_BYTES = 2**28
"""A longer document is refused, since it is held in memory."""

_SUFFIXES = (".txt", ".jsonl", ".parquet")
_TABLE_ROWS = 256  # read from a Parquet file at a time: documents may be long
_GAP = re.compile(r"\n(?:[^\S\n]*\n)+")

Placed = tuple[str, str]
"""A document and its place, such as ``FILE, line 7``."""


def read_texts(
    sources: Sequence[str | Path], *, documents: str = "auto", column: str = "text"
) -> Corpus:
    """Open texts as a corpus whose sources are documents and whose targets are empty.

    Args:
        sources: files (.txt or any other name: UTF-8 text; .jsonl; .parquet; text and .jsonl also
            .gz .xz .zst), folders of .txt, .jsonl and .parquet files, or ``hub:owner/name``.
        documents: what one document of a text file is: ``files``, ``paragraphs`` (between blank
            lines), ``lines``, or ``auto``: whole files up to :data:`WHOLE_BYTES`, and paragraphs
            of larger ones, or lines where there is no blank line.
        column: which column of a table, or of the hub, holds the texts.

    Raises:
        CorpusError: a file is missing, empty or of another format, or a folder without files. While
            the corpus is iterated: a file is damaged (file and line) or lacks the column.
    """
    files = text_files(sources)

    def placed() -> Iterator[Pair]:
        for file in files:
            for text, place in _read(file, documents, column):
                yield Pair(text, "", {PLACE: place})

    return Corpus(lambda: batches_of(placed()), name=_name(files))


def text_files(sources: Sequence[str | Path]) -> list[str]:
    """The files behind files and folders, in their order; names of the hub as they are.

    Raises:
        CorpusError: a file is missing, empty or of another format, or a folder without files.
    """
    found: list[str] = []
    for source in sources:
        path = Path(source)
        if str(source).startswith(PREFIX):
            found.append(str(source))
        elif path.is_dir():
            found += _inside(path)
        else:
            _check(path)
            found.append(str(path))
    return found


def _inside(folder: Path) -> list[str]:
    paths = sorted(
        path
        for path in folder.rglob("*")
        if plain_name(path).suffix.lower() in _SUFFIXES
        and not any(part.startswith(".") for part in path.relative_to(folder).parts)
    )
    if not paths:
        raise CorpusError(
            f"{folder}: no {', '.join(_SUFFIXES)} files in this folder. Name the files themselves."
        )
    for path in paths:
        _check(path)
    return [str(path) for path in paths]


def _check(path: Path) -> None:
    check_readable(path)
    suffix = plain_name(path).suffix.lower()
    if format_of(path) is not None and suffix not in _SUFFIXES:
        raise CorpusError(
            f"{path}: a {suffix} file holds pairs, no running text. Expected text, "
            f"{', '.join(_SUFFIXES[1:])}; make one of them: seqloom convert."
        )


def _name(files: Sequence[str]) -> str:
    if len(files) <= 3:
        return ", ".join(file if file.startswith(PREFIX) else Path(file).name for file in files)
    return f"{Path(files[0]).name} and {len(files) - 1} more files"


def _read(file: str, documents: str, column: str) -> Iterator[Placed]:
    path = Path(file)
    if file.startswith(PREFIX):
        return _column(hub_records(file), column)
    suffix = plain_name(path).suffix.lower()
    if suffix == ".jsonl":
        return _column(objects(path), column)
    if suffix == ".parquet":
        return _parquet(path, column)
    cut = {"files": _whole, "paragraphs": _paragraphs, "lines": _lines, "auto": _by_size}
    return cut[documents](path, map(partial(str, encoding="utf-8"), blocks(path)))


def _column(records: Iterable[tuple[str, dict[str, Any]]], column: str) -> Iterator[Placed]:
    for where, record in records:
        if column not in record:
            raise _no_column(where, column, record)
        yield text_in(record, column, where), where


def _parquet(path: Path, column: str) -> Iterator[Placed]:
    with clear_errors(path), pq.ParquetFile(path) as file:
        if column not in file.schema_arrow.names:
            raise _no_column(str(path), column, file.schema_arrow.names)
        check_text(path, file.schema_arrow, column)
        row = 0
        for batch in file.iter_batches(_TABLE_ROWS, columns=[column]):
            batch.validate(full=True)  # text that is not UTF-8 would fail much later
            for row, text in enumerate(batch.column(0).to_pylist(), row + 1):  # noqa: B020
                yield text or "", f"{path}, row {row}"


def _no_column(where: str, column: str, names: Iterable[str]) -> CorpusError:
    return CorpusError(
        f"{where}: no column {column!r}; it has {', '.join(names) or 'none'}. Name the one that "
        "holds the texts with data.column."
    )


def _by_size(path: Path, texts: Iterator[str]) -> Iterator[Placed]:
    """A document of a file that is not too large; otherwise its paragraphs, or lines."""
    head: list[str] = []
    size = 0
    for text in texts:
        head.append(text)
        size += len(text.encode())
        if size > WHOLE_BYTES:
            cut = _paragraphs if any(map(_GAP.search, head)) else _lines
            return cut(path, chain(head, texts))
    return _whole(path, iter(head))


def _whole(path: Path, texts: Iterator[str]) -> Iterator[Placed]:
    parts: list[str] = []
    size = 0
    for text in texts:
        parts.append(text.replace("\r\n", "\n"))
        size += len(text)
        _check_length(size, str(path))
    yield "".join(parts).strip("\n"), str(path)


def _paragraphs(path: Path, texts: Iterator[str]) -> Iterator[Placed]:
    line = 1
    rest = ""
    for text in texts:
        rest += text.replace("\r\n", "\n")
        begin = 0
        for gap in _GAP.finditer(rest):
            if gap.end() == len(rest):
                break  # the next block may go on with it
            paragraph = rest[begin : gap.start()]
            if paragraph.strip():
                yield paragraph.strip("\n"), f"{path}, line {line}"
            line += rest.count("\n", begin, gap.end())
            begin = gap.end()
        rest = rest[begin:]
        _check_length(len(rest), f"{path}, line {line}")
    if rest.strip():
        yield rest.strip("\n"), f"{path}, line {line}"


def _lines(path: Path, texts: Iterator[str]) -> Iterator[Placed]:
    number = 0
    for text in texts:
        for number, line in enumerate(text.removesuffix("\n").split("\n"), number + 1):  # noqa: B020
            if line.strip():
                yield line.removesuffix("\r"), f"{path}, line {number}"


def _check_length(length: int, where: str) -> None:
    if length > MAX_DOCUMENT_BYTES:
        raise CorpusError(
            f"{where}: a document of more than {MAX_DOCUMENT_BYTES:,} characters. Cut the file "
            "with data.documents=paragraphs or data.documents=lines."
        )
