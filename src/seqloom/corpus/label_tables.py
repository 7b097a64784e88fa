"""Tables of labelled texts: which columns hold the texts, and which their labels."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from seqloom.corpus.formats.jsonl import record_pair
from seqloom.corpus.formats.reading import Reading
from seqloom.corpus.formats.tables import named_columns, no_column
from seqloom.corpus.lines import read_lines
from seqloom.corpus.pairs import BATCH_PAIRS
from seqloom.corpus.readers import read_corpus
from seqloom.corpus.report import shorten
from seqloom.errors import CorpusError

Columns = tuple[str | int, str | int]
"""Names or numbers (from 0) of the columns of texts and of labels."""

PLACE = "place"
"""Key of the metadata that names the file of a text and its line there."""
SECOND = "second text"
"""Key of the metadata that holds the second of two texts."""

Strings = Any
"""An Arrow array of strings."""

_TEXTS = ("text", "sentence", "question", "document", "content", "source")
_LABELS = ("label", "labels", "class", "category", "sentiment", "intent", "target")


class LabelledPart(NamedTuple):
    """Some texts, their labels and their places."""

    texts: Strings
    labels: Strings
    places: Strings


def blank(texts: Strings) -> Any:
    """Which texts are empty, or white space alone."""
    nothing: Any = ""
    return pc.equal(pc.utf8_trim_whitespace(texts), nothing)


def part_of(rows: Sequence[tuple[str, str, str]]) -> LabelledPart:
    """Rows of text, label and place as columns."""
    return LabelledPart(*(pa.array(each, pa.string()) for each in zip(*rows, strict=True)))


def places_in(path: Path, unit: str, first: int, number: int) -> Strings:
    """``FILE, line 7``, ``FILE, line 8`` and so on, for messages."""
    before: Any = f"{path}, {unit} "
    numbers: Any = pa.array(range(first, first + number)).cast(pa.string())
    return pc.binary_join_element_wise(before, numbers, "")


def read_rows(path: Path, columns: Columns | None, label_first: bool) -> Iterator[LabelledPart]:
    """Rows of a .tsv or .csv; a first row that says text and label, or the like, is a header."""
    if columns is None:
        columns = (1, 0) if label_first else (0, 1)
        first = next(read_corpus(path, columns=columns).pairs(), None)
        if first and first[0].strip().lower() in _TEXTS and first[1].strip().lower() in _LABELS:
            columns = (first[0], first[1])
    row = 1
    for batch in read_corpus(path, columns=columns).batches():
        places = places_in(path, "row", row, batch.num_rows)
        yield LabelledPart(batch.column(0), batch.column(1), places)
        row += batch.num_rows


def read_objects(path: Path, columns: Columns | None) -> Iterator[LabelledPart]:
    """Objects of a .jsonl; a label may be a number, which a side of a translation never is."""
    rows: list[tuple[str, str, str]] = []
    for number, line in enumerate(read_lines(path), start=1):
        if line.strip():
            place = f"{path}, line {number}"
            rows.append((*_text_and_label(line, place, columns), place))
        if len(rows) == BATCH_PAIRS:
            yield part_of(rows)
            rows = []
    if rows:
        yield part_of(rows)


def _text_and_label(line: str, place: str, columns: Columns | None) -> tuple[str, str]:
    try:
        record = json.loads(line)
    except ValueError as error:
        raise CorpusError(f"{place}: not JSON ({error}). Expected one object a line.") from None
    if not isinstance(record, dict):
        raise CorpusError(f"{place}: expected a JSON object, found {shorten(line)!r}.")
    names = columns or _known(list(record)) or ("text", "label")
    label = record.get(str(names[1]))
    if isinstance(label, int | float):
        record[str(names[1])] = json.dumps(label)
    pair = record_pair(record, place, Reading(names))
    return pair.source, pair.target


def read_typed(path: Path, columns: Columns | None, label_first: bool) -> Iterator[LabelledPart]:
    """Rows of a .parquet; a label may be a number, which a side of a translation never is."""
    row = 1
    try:
        with pq.ParquetFile(path) as file:
            names = file.schema_arrow.names
            wanted = columns or _known(names) or ((1, 0) if label_first else (0, 1))
            numbers = [each for each in wanted if isinstance(each, int) and each < len(names)]
            asked = (names[numbers[0]], names[numbers[1]]) if len(numbers) == 2 else wanted
            chosen = named_columns(Reading(asked), names)
            if chosen is None:
                raise no_column(path, Reading(asked), names)
            for batch in file.iter_batches(BATCH_PAIRS, columns=list(chosen)):
                texts, labels = (
                    batch.column(name).cast(pa.string()).fill_null("") for name in chosen
                )
                places = places_in(path, "row", row, batch.num_rows)
                yield LabelledPart(texts, labels, places)
                row += batch.num_rows
    except (pa.ArrowException, OSError) as error:
        reason = str(error).splitlines()[0]
        raise CorpusError(f"{path}: cannot be read as texts and labels ({reason}).") from error


def _known(names: Sequence[str]) -> tuple[str, str] | None:
    """The columns that by their names hold texts and labels."""
    text = next((name for name in _TEXTS if name in names), None)
    label = next((name for name in _LABELS if name in names), None)
    return (text, label) if text and label else None
