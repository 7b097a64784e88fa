"""Files on disk become a corpus: a registry of readers by suffix, and two aligned text files.

A new format is one function (path, columns) -> record batches, entered in :data:`READERS`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from seqloom.corpus.aligned import read_aligned
from seqloom.corpus.files import check_readable
from seqloom.corpus.pairs import Corpus
from seqloom.corpus.parquet import parquet_languages, read_parquet
from seqloom.corpus.tsv import read_tsv
from seqloom.errors import CorpusError

Columns = Sequence[str | int]
"""Names or numbers (from 0) of the source and the target column."""

Languages = tuple[str | None, str | None]
"""Language codes of source and target, where known."""


@dataclass(frozen=True)
class Reader:
    """How one format of files with both sides is read."""

    read: Callable[[Path, Columns | None], Iterator[pa.RecordBatch]]
    """Streams batches of :data:`seqloom.corpus.pairs.SCHEMA`."""
    languages: Callable[[Path], Languages] = lambda path: (None, None)
    """The languages that the file itself names."""


READERS: dict[str, Reader] = {
    ".tsv": Reader(read_tsv),
    ".parquet": Reader(read_parquet, parquet_languages),
}
"""By suffix (without ``.gz``); two files with any other suffix are aligned lines of text."""

_LANGUAGE = re.compile(r"[a-z]{2,3}([-_]([A-Za-z]{2}|[A-Z][a-z]{3}|[0-9]{3}))?")

_NO_LANGUAGES = frozenset(
    # Usual ends of file names that would pass for the code of a language.
    (
        *("bak", "bpe", "bz", "csv", "dat", "doc", "gz", "htm", "hyp", "ids", "in", "log", "lst"),
        *("md", "new", "old", "org", "out", "pdf", "po", "py", "raw", "ref", "sh", "spm", "src"),
        *("tar", "tgt", "tmp", "tmx", "tok", "trg", "tsv", "txt", "xml", "xz", "zip"),
    )
)


def read_corpus(
    source: str | Path,
    target: str | Path | None = None,
    *,
    source_language: str | None = None,
    target_language: str | None = None,
    columns: tuple[str, str] | tuple[int, int] | None = None,
) -> Corpus:
    """Open a corpus: two aligned text files, or one file with both sides (.tsv, .parquet).

    Text files and TSV may also be gzip (.gz). Nothing is read before the corpus is iterated,
    except to see that the files are there; all is streamed, so memory does not grow with them.

    Args:
        source: source sentences, one a line; or the file with both sides.
        target: target sentences, aligned with the source line by line.
        source_language: code such as ``en``; otherwise guessed from the suffix (``train.en``), the
            columns' names, or taken from the Parquet file.
        target_language: code such as ``de``.
        columns: for TSV and Parquet, the names or the numbers (from 0) of source and target.

    Raises:
        CorpusError: a file is missing, no regular file or empty, or the arguments do not fit. While
            the corpus is iterated: a file is damaged or its sides do not match.
    """
    paths = [Path(source)] if target is None else [Path(source), Path(target)]
    for path in paths:
        check_readable(path)
    if len(paths) == 1:
        reader = _reader(paths[0])
        name, guessed = paths[0].name, _languages_of_one(paths[0], reader, columns)

        def open_batches() -> Iterator[pa.RecordBatch]:
            return reader.read(paths[0], columns)
    else:
        _check_two(paths, columns)
        name = f"{paths[0].name}, {paths[1].name}"
        guessed = (guess_language(paths[0]), guess_language(paths[1]))

        def open_batches() -> Iterator[pa.RecordBatch]:
            return read_aligned(paths[0], paths[1])

    return Corpus(
        open_batches,
        name=name,
        source_language=source_language or guessed[0],
        target_language=target_language or guessed[1],
    )


def guess_language(path: Path) -> str | None:
    """``train.en`` -> en, ``train.pt_BR.gz`` -> pt_BR, ``train.txt`` -> None."""
    suffixes = path.suffixes[-3:]
    for ending in (".gz", ".txt"):
        if suffixes and suffixes[-1].lower() == ending:
            suffixes.pop()
    return _language(suffixes[-1][1:]) if suffixes else None


def _language(text: str) -> str | None:
    return text if _LANGUAGE.fullmatch(text) and text not in _NO_LANGUAGES else None


def _suffix(path: Path) -> str:
    plain = path.with_suffix("") if path.suffix.lower() == ".gz" else path
    return plain.suffix.lower()


def _reader(path: Path) -> Reader:
    reader = READERS.get(_suffix(path))
    if reader is None:
        raise CorpusError(
            f"{path}: one file of text is one side only. Give the file with the targets too, or "
            f"one file that holds both sides ({', '.join(READERS)})."
        )
    return reader


def _check_two(paths: Sequence[Path], columns: Columns | None) -> None:
    for path in paths:
        if _suffix(path) in READERS:
            raise CorpusError(
                f"{path}: a {_suffix(path)} file holds both sides; give it alone, without a "
                "second file."
            )
    if columns is not None:
        raise CorpusError(
            f"columns {tuple(columns)} were given, but {paths[0]} and {paths[1]} are read as lines "
            f"of text; columns belong to one file with both sides ({', '.join(READERS)})."
        )


def _languages_of_one(path: Path, reader: Reader, columns: Columns | None) -> Languages:
    named = reader.languages(path)
    codes = [_language(column) if isinstance(column, str) else None for column in columns or (0, 1)]
    return (named[0] or codes[0], named[1] or codes[1])
