"""Published corpora by name, ``hub:owner/name``, streamed through the ``datasets`` library."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pyarrow as pa

from seqloom.corpus.formats.jsonl import record_pair
from seqloom.corpus.formats.reading import Reading
from seqloom.corpus.pairs import batches_of
from seqloom.errors import CorpusError, MissingExtraError

PREFIX = "hub:"


def read_hub(name: str, reading: Reading) -> Iterator[pa.RecordBatch]:
    """Stream a data set: ``hub:owner/name``, ``hub:owner/name:config``, ``...:config:split``.

    The split is ``train`` unless another is named. Columns are found as in JSON lines: by name, by
    language, ``source`` and ``target``, or inside a column ``translation``.

    Raises:
        MissingExtraError: ``datasets`` is not installed.
        CorpusError: no such data set, configuration or split, no network, or no such columns.
    """
    rows = hub_records(name)
    return batches_of(record_pair(record, where, reading) for where, record in rows)


def hub_records(name: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """The rows of a data set by the names of their columns, and where they stand, for messages.

    Raises:
        MissingExtraError: ``datasets`` is not installed.
        CorpusError: no such data set, configuration or split, or no network.
    """
    try:
        from datasets import load_dataset
    except ImportError:
        raise MissingExtraError("reading from the hub", "hub") from None
    owner_name, config, split = _parts(name)
    try:
        found = load_dataset(owner_name, config, split=split, streaming=True)
    except Exception as error:  # the library raises whatever its many back ends raise
        raise _unreachable(name, error) from error
    return _numbered(name, found)


def _parts(name: str) -> tuple[str, str | None, str]:
    parts = name.removeprefix(PREFIX).split(":")
    if not parts[0] or len(parts) > 3:
        raise CorpusError(
            f"{name}: expected hub:owner/name, hub:owner/name:config or "
            "hub:owner/name:config:split."
        )
    config, split = (*parts[1:], "", "")[:2]
    return parts[0], config or None, split or "train"


def _numbered(name: str, found: Any) -> Iterator[tuple[str, dict[str, Any]]]:
    rows = enumerate(found, 1)
    while True:
        try:
            number, record = next(rows)
        except StopIteration:
            return
        except Exception as error:
            raise _unreachable(name, error) from error
        yield f"{name}, row {number}", record


def _unreachable(name: str, error: Exception) -> CorpusError:
    reason = (str(error).splitlines() or [type(error).__name__])[0]
    return CorpusError(
        f"{name}: cannot be read from the hub ({reason}). Check the name, the configuration and "
        "the split, and that this machine is online; or download the files and give them."
    )
