"""JSON lines: one object a line, as most corpora on the web are published."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any

import pyarrow as pa

from seqloom.corpus.formats.reading import Reading
from seqloom.corpus.formats.tables import named_columns
from seqloom.corpus.lines import blocks
from seqloom.corpus.pairs import Corpus, Pair, batches_of
from seqloom.corpus.report import shorten
from seqloom.corpus.streams import writing_bytes
from seqloom.errors import CorpusError


def read_jsonl(path: Path, reading: Reading) -> Iterator[pa.RecordBatch]:
    """Stream pairs out of objects with ``source`` and ``target``, or the keys asked for.

    Keys that are named after the languages asked for serve too, also inside an object
    ``translation``, as in ``{"translation": {"en": "Hello", "de": "Hallo"}}``. An object
    ``metadata`` of texts comes along. Blank lines are skipped.

    Raises:
        CorpusError: a line that is no JSON object, or lacks a key, or holds no text there.
    """
    return batches_of(record_pair(record, where, reading) for where, record in objects(path))


def objects(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """The object of each line that is not blank, and where it stands, for messages.

    Raises:
        CorpusError: a line that is no JSON object.
    """
    numbers = count(1)
    for block in blocks(path):
        for line in block.removesuffix(b"\n").split(b"\n"):
            number = next(numbers)
            if line.strip():
                yield f"{path}, line {number}", _object(path, number, line)


def _object(path: Path, number: int, line: bytes) -> dict[str, Any]:
    try:
        record = json.loads(line)
    except ValueError as error:
        raise CorpusError(
            f"{path}, line {number}: not JSON ({error}): {shorten(line.decode())!r}. Expected one "
            "object a line."
        ) from None
    if not isinstance(record, dict):
        raise CorpusError(
            f"{path}, line {number}: expected a JSON object, found {shorten(line.decode())!r}."
        )
    return record


def record_pair(record: dict[str, Any], where: str, reading: Reading) -> Pair:
    """The pair of a record with named texts; ``where`` begins the message if it has none.

    Raises:
        CorpusError: the texts are not there, or are no texts.
    """
    texts = record
    names = named_columns(reading, list(record))
    if names is None and isinstance(record.get("translation"), dict):
        texts = record["translation"]
        names = named_columns(reading, list(texts))
        if names is None and reading.columns is None and len(texts) == 2:
            first, second = texts
            names = (first, second)
    if names is None:
        wanted = " and ".join(repr(column) for column in reading.columns or ("source", "target"))
        raise CorpusError(
            f"{where}: no keys {wanted}; it has {', '.join(texts) or 'none'}. Name the two with "
            "--columns."
        )
    source, target = (text_in(texts, name, where) for name in names)
    return Pair(source, target, _metadata(record))


def text_in(record: dict[str, Any], name: str, where: str) -> str:
    """The text of a record under a name; ``where`` begins the message if it is none.

    Raises:
        CorpusError: no text, or half of a surrogate pair in it.
    """
    text = record[name]
    if not isinstance(text, str):
        raise CorpusError(f"{where}: {name!r} holds {shorten(repr(text))}, not text.")
    if not text.isascii():
        _refuse_surrogates(where, name, text)
    return text


def _refuse_surrogates(where: str, name: str, text: str) -> None:
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise CorpusError(
            f"{where}: {name!r} holds half of a surrogate pair "
            f"(\\u{ord(text[error.start]):04x}), which is no character."
        ) from None


def _metadata(record: dict[str, Any]) -> dict[str, str] | None:
    found = record.get("metadata")
    if not isinstance(found, dict):
        return None
    return {str(key): value for key, value in found.items() if isinstance(value, str)} or None


def write_jsonl(path: Path, corpus: Corpus) -> int:
    """Write an object with ``source``, ``target`` and, if there is any, ``metadata`` a line.

    Returns the number of pairs.

    Raises:
        FolderError: the file cannot be written.
    """
    written = 0
    with writing_bytes(path) as file:
        for pair in corpus.pairs():
            record: dict[str, Any] = {"source": pair.source, "target": pair.target}
            if pair.metadata:
                record["metadata"] = pair.metadata
            file.write(json.dumps(record, ensure_ascii=False).encode() + b"\n")
            written += 1
    return written
