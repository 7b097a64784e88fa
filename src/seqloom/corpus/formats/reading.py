"""What a user may say about a file of pairs, handed to every reader."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

Columns = Sequence[str | int]
"""Names or numbers (from 0) of the source and the target column."""


@dataclass(frozen=True)
class Reading:
    """How a file is to be read; a reader looks at what concerns its format."""

    columns: Columns | None = None
    """Source and target, for formats with columns."""
    source_language: str | None = None
    """Which language is the source, for formats that hold several."""
    target_language: str | None = None
    """Which language is the target."""
