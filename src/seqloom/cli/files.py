"""Lines in, lines out: files, ``-`` for standard input, results that are never half-written."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from seqloom.errors import CorpusError


def lines(name: str) -> Iterator[str]:
    """Lines of a file, or of standard input (``-``) as they arrive; an empty input has none.

    Raises:
        CorpusError: the input is missing, or not UTF-8 (line and byte).
    """
    if name == "-":
        return _standard_input()
    from seqloom.corpus.files import check_readable
    from seqloom.corpus.lines import read_lines

    path = Path(name)
    if path.is_file() and path.stat().st_size == 0:
        return iter(())
    if not path.is_fifo():
        check_readable(path)
    return read_lines(path)


def _standard_input() -> Iterator[str]:
    for number, line in enumerate(sys.stdin.buffer, start=1):
        try:
            text = line.decode("utf-8-sig" if number == 1 else "utf-8")
        except UnicodeDecodeError as error:
            raise CorpusError(
                f"standard input, line {number}: not UTF-8: byte {error.start + 1} of the line is "
                f"0x{line[error.start]:02x}. If it is Latin-1: iconv -f ISO-8859-1 -t UTF-8"
            ) from None
        yield text.removesuffix("\n").removesuffix("\r")


def all_lines(path: Path) -> list[str]:
    """All lines of a file.

    Raises:
        CorpusError: missing, empty, or not UTF-8.
    """
    from seqloom.corpus.files import check_readable
    from seqloom.corpus.lines import read_lines

    check_readable(path)
    return list(read_lines(path))


def check_aligned(files: Iterable[tuple[Path, list[str]]]) -> None:
    """Refuse files of different numbers of lines.

    Raises:
        CorpusError: names both files and both counts.
    """
    (first, lines_of_first), *others = files
    for other, lines_of_other in others:
        if len(lines_of_other) != len(lines_of_first):
            raise CorpusError(
                f"{first} has {len(lines_of_first)} lines and {other} has {len(lines_of_other)}; "
                "line n of one must belong to line n of the other."
            )


def one_line(text: str) -> str:
    """A text as one line of output: a model may well write a line end."""
    return " ".join(text.replace("\r", "\n").split("\n"))


@contextmanager
def results(path: Path | None) -> Iterator[TextIO]:
    """Standard output, or ``path``, which appears only when everything has been written.

    Raises:
        FolderError: the file cannot be written.
    """
    if path is None:
        yield sys.stdout
        return
    from seqloom.corpus.files import replacing

    with replacing(path) as temporary, temporary.open("w", encoding="utf-8", newline="\n") as file:
        yield file
