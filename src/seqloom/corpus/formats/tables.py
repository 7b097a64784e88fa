"""Which columns of a table are the source and the target: by name, number, language or custom."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from seqloom.corpus.formats.reading import Reading
from seqloom.corpus.languages import find_language
from seqloom.errors import CorpusError


@dataclass(frozen=True)
class Choice:
    """Which cells of a row are the source and the target."""

    source: int
    target: int
    width: int
    """Cells of every row."""
    header: bool
    """Whether the first row holds names and no pair."""


def named_columns(reading: Reading, names: Sequence[str]) -> tuple[str, str] | None:
    """Source and target among the columns of a table with these names; None if they do not tell.

    The columns asked for go first, then columns named after the languages asked for, then
    ``source`` and ``target``.
    """
    if reading.columns is not None:
        asked = [column for column in reading.columns if column in names]
        return (str(asked[0]), str(asked[1])) if len(asked) == 2 else None
    if reading.source_language and reading.target_language:
        source = find_language(reading.source_language, names)
        target = find_language(reading.target_language, names)
        if source and target and source != target:
            return source, target
    lowered = {name.strip().lower(): name for name in names}
    if {"source", "target"} <= set(lowered):
        return lowered["source"], lowered["target"]
    return None


def no_column(path: Path, reading: Reading, names: Sequence[str]) -> CorpusError:
    """The message when the columns asked for, or any that tell their side, are not there."""
    wanted = " and ".join(repr(column) for column in reading.columns or ("source", "target"))
    return CorpusError(
        f"{path}: no columns {wanted}; it has {', '.join(names) or 'none'}. Name or number "
        "(from 0) the two with --columns."
    )


def choose(path: Path, kind: str, cells: Sequence[str], reading: Reading) -> Choice:
    """Choose two columns by the first row of a file that may or may not have a header.

    With columns by number there is no header; with columns by name, or named after the languages
    asked for, the first row is one, as it is if it says ``source`` and ``target``. Otherwise the
    first two columns are taken and every row is a pair.

    Raises:
        CorpusError: fewer than two cells, or columns that are not there.
    """
    if len(cells) < 2:
        raise CorpusError(
            f"{path}, line 1: {count(len(cells))}; a {kind} file needs at least two "
            "(source, target)."
        )
    asked = reading.columns or (0, 1)
    names = named_columns(reading, cells)
    if names is not None:
        places = [list(cells).index(name) for name in names]
    elif all(isinstance(column, int) and 0 <= column < len(cells) for column in asked):
        places = [int(column) for column in asked]
    else:
        raise no_column(path, reading, cells)
    return Choice(places[0], places[1], len(cells), names is not None)


def wrong_width(path: Path, kind: str, line: int, cells: int, choice: Choice) -> CorpusError:
    """The message for a row of another width than the first."""
    return CorpusError(
        f"{path}, line {line}: {count(cells)}, but line 1 has {choice.width}. Each line of a "
        f"{kind} file needs the same columns."
    )


def count(cells: int) -> str:
    """``1 column``, ``2 columns``."""
    return f"{cells} column{'s' if cells != 1 else ''}"
