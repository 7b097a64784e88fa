"""Files on disk: checked before they are read, and written whole or not at all."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from seqloom.errors import CorpusError, writing


def check_readable(path: Path) -> None:
    """Refuse what cannot be read twice as a corpus.

    Raises:
        CorpusError: missing, a directory, not a regular file, no permission, or empty.
    """
    try:
        if not path.exists():
            raise CorpusError(f"{path}: no such file. Check the name and the folder.")
        if path.is_dir():
            raise CorpusError(f"{path}: is a directory; name a file in it.")
        if not path.is_file():
            raise CorpusError(
                f"{path}: is not a regular file. A corpus is read more than once; "
                "save it to a file first."
            )
        if not os.access(path, os.R_OK):
            raise CorpusError(f"{path}: no permission to read it.")
        if path.stat().st_size == 0:
            raise CorpusError(f"{path}: the file is empty.")
    except OSError as error:
        raise CorpusError(f"{path}: cannot be read: {error.strerror}.") from error


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A temporary name beside ``path``: renamed to ``path`` at the end, removed on failure.

    Missing folders are made. Whoever looks at ``path`` sees the old file or the whole new one.

    Raises:
        FolderError: disk full, no permission, or something else that is in the way.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}.part")
    with writing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            yield temporary
            temporary.replace(path)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise


@contextmanager
def whole_new_folder(path: Path) -> Iterator[Path]:
    """A temporary folder of the same name: moved to ``path`` at the end, removed on failure.

    ``path`` is free, or an empty folder. The temporary one is within one beside it, whose name
    begins with a dot, and which a program that is killed leaves behind.

    Raises:
        FolderError: disk full, no permission, or something else that is in the way.
    """
    path = path.absolute()
    around = path.with_name(f".{path.name}.{os.getpid()}.part")
    temporary = around / path.name
    with writing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            around.mkdir()
            temporary.mkdir()
            yield temporary
            if path.exists():
                path.rmdir()
            temporary.rename(path)
        finally:
            shutil.rmtree(around, ignore_errors=True)
