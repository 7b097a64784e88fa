"""Which of many pairs came before: found by DuckDB on disk, so memory does not grow with them.

Pairs are known by digests of 64 bits: two of ten million different pairs share one with a chance of
three in a million.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import pyarrow as pa

MEMORY = "512MB"
"""What DuckDB may use before it goes to disk."""

Numbered = tuple[int, str, str]
"""Number of a pair, its source and its target."""

NUMBER, EXACT, NEAR = "number", "exact", "near"
"""Columns of the files: number of the pair in the corpus, digest of its texts, and of its texts
normalised."""

_SINCE = f"""
    CREATE OR REPLACE TABLE {{name}} AS
    SELECT min({NUMBER}) AS {NUMBER}, min_by({NEAR}, {NUMBER}) AS {NEAR}
    FROM {{rows}} GROUP BY {{key}}
"""


class Duplicates:
    """Finds the first of each group of equal pairs, and the first of each group of alike ones.

    Args:
        files: Parquet files with the columns ``source``, ``target``, :data:`NUMBER`,
            :data:`EXACT` and :data:`NEAR`.
        folder: where to put what does not fit into memory.
        threads: of DuckDB; the result does not depend on them.
    """

    def __init__(self, files: Sequence[Path], folder: Path, threads: int) -> None:
        import duckdb

        folder.mkdir(parents=True, exist_ok=True)
        self._base = duckdb.connect(
            str(folder / "duplicates.duckdb"),
            config={
                "memory_limit": MEMORY,
                "temp_directory": str(folder / "spill"),
                "threads": threads,
            },
        )
        quoted = ", ".join("'" + str(file).replace("'", "''") + "'" for file in files)
        self._all = f"read_parquet([{quoted}])"
        self._base.execute(_SINCE.format(name="first_equal", rows=self._all, key=EXACT))
        self._base.execute(_SINCE.format(name="first_alike", rows="first_equal", key=NEAR))

    def counts(self) -> tuple[int, int]:
        """Pairs that are equal to an earlier one, and others that are merely alike."""
        everything, equal, alike = (
            self._one(f"SELECT count(*) FROM {rows}")
            for rows in (self._all, "first_equal", "first_alike")
        )
        return everything - equal, equal - alike

    def kept(self, alike: bool) -> Iterator[pa.RecordBatch]:
        """Numbers of the pairs to keep, in order; ``alike``: one of several alike pairs only."""
        table = "first_alike" if alike else "first_equal"
        found = self._base.sql(f"SELECT {NUMBER} FROM {table} ORDER BY {NUMBER}")
        yield from found.to_arrow_reader(2**16)

    def examples(self, count: int) -> tuple[list[Numbered], list[Numbered]]:
        """The first pairs that are equal to an earlier one, and the first of the alike ones."""
        return (
            self._missing(self._all, "first_equal", count),
            self._missing("first_equal", "first_alike", count),
        )

    def close(self) -> None:
        """Let go of the files on disk."""
        self._base.close()

    def _missing(self, rows: str, kept: str, count: int) -> list[Numbered]:
        missing = f"SELECT {NUMBER} FROM {rows} ANTI JOIN {kept} USING ({NUMBER})"
        first = f"{missing} ORDER BY {NUMBER} LIMIT {count}"
        return self._base.sql(
            f"SELECT {NUMBER}, source, target FROM {self._all} WHERE {NUMBER} IN ({first}) "
            f"ORDER BY {NUMBER}"
        ).fetchall()

    def _one(self, question: str) -> int:
        (found,) = self._base.sql(question).fetchall()
        return int(found[0])
