"""Bytes of files, plain or compressed (.gz, .xz, .zst), streamed in and out.

Reading goes by chunks, so memory does not grow with the file, and every damage is told with the
name of the file and what to do. Writing goes to a temporary name first: a file is there when it is
whole.
"""

from __future__ import annotations

import gzip
import lzma
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, cast

import pyarrow as pa

from seqloom.corpus.files import replacing
from seqloom.errors import CorpusError

CHUNK_BYTES = 2**20
"""Bytes read at a time."""

COMPRESSIONS = {".gz": "gzip", ".xz": "xz", ".zst": "Zstandard"}
"""Suffixes of compressed files, and how messages call them."""

_READ: dict[Path, int] = {}  # bytes of each file that were read in the latest pass over it
_MAGIC = {b"\x1f\x8b": ".gz", b"\xfd7zXZ\0": ".xz", b"\x28\xb5\x2f\xfd": ".zst"}


def plain_name(path: Path) -> Path:
    """The path without the suffix of its compression: ``a/b.tmx.gz`` -> ``a/b.tmx``."""
    return path.with_suffix("") if path.suffix.lower() in COMPRESSIONS else path


def chunks(path: Path) -> Iterator[bytes]:
    """The content of a file, unpacked, some :data:`CHUNK_BYTES` at a time; none if it is empty.

    Raises:
        CorpusError: damaged, truncated, or compressed and not named so.
    """
    suffix = path.suffix.lower()
    kind = COMPRESSIONS.get(suffix)
    try:
        with path.open("rb") as raw, _unpacked(raw, suffix) as file:
            _READ[path] = 0
            while chunk := file.read(CHUNK_BYTES):
                if _READ[path] == 0 and kind is None:
                    _refuse_hidden_compression(path, chunk)
                _READ[path] = raw.tell()
                yield chunk
    except EOFError as error:
        raise CorpusError(
            f"{path}: the {kind} file is truncated; copy or download it again."
        ) from error
    except gzip.BadGzipFile as error:
        raise _damaged(path, kind, error) from error
    except (zlib.error, lzma.LZMAError) as error:
        raise _damaged(path, kind, error) from error
    except OSError as error:
        if kind is not None and error.errno is None:  # Arrow tells of a damaged file like this
            raise _damaged(path, kind, error) from error
        raise CorpusError(f"{path}: cannot be read: {error.strerror or error}.") from error


def share_read(paths: Sequence[Path]) -> float:
    """Share of the bytes of some files that the latest pass over each has read so far."""
    sizes = sum(path.stat().st_size for path in paths)
    return sum(_READ.get(path, 0) for path in paths) / sizes if sizes else 1.0


@contextmanager
def writing_bytes(path: Path) -> Iterator[IO[bytes]]:
    """A file to write to, compressed by its suffix, that takes its name when the block ends well.

    Raises:
        FolderError: the file cannot be written.
    """
    suffix = path.suffix.lower()
    with replacing(path) as temporary:
        if suffix == ".gz":
            # Neither name nor time in the header: the same pairs give the same bytes.
            with (
                temporary.open("wb") as plain,
                gzip.GzipFile("", "wb", fileobj=plain, mtime=0, compresslevel=6) as file,
            ):
                yield cast(IO[bytes], file)
        elif suffix == ".xz":
            with lzma.open(temporary, "wb") as file:
                yield cast(IO[bytes], file)
        elif suffix == ".zst":
            with pa.CompressedOutputStream(str(temporary), "zstd") as file:
                yield cast(IO[bytes], file)
        else:
            with temporary.open("wb") as file:
                yield file


def _unpacked(raw: Any, suffix: str) -> Any:
    if suffix == ".gz":
        return gzip.GzipFile(fileobj=raw)
    if suffix == ".xz":
        return lzma.LZMAFile(raw)
    if suffix == ".zst":
        return pa.CompressedInputStream(pa.PythonFile(raw, "r"), "zstd")
    return raw


def _refuse_hidden_compression(path: Path, head: bytes) -> None:
    for magic, suffix in _MAGIC.items():
        if head.startswith(magic):
            raise CorpusError(
                f"{path}: is a {COMPRESSIONS[suffix]} file; give it a name that ends in {suffix}."
            )


def _damaged(path: Path, kind: str | None, error: Exception) -> CorpusError:
    return CorpusError(
        f"{path}: is not a {kind} file, or is damaged ({error}). Take {path.suffix} off its name "
        "if it is not compressed, or copy it again."
    )
