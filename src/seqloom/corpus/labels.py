"""Labelled texts: files of every usual form become pairs of a text and its label.

Tables (.tsv .csv .jsonl .parquet) have a column of texts and one of labels. Lines of text begin
with their label: ``__label__X text``, as fastText writes them, or just ``X text``. Or a file holds
the texts of one class (``X=FILE``), and a folder one such file, or one folder of documents, a
class. All of them may be compressed. Each pair's metadata says where its text stands.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from seqloom.corpus.files import check_readable
from seqloom.corpus.formats import format_of
from seqloom.corpus.label_tables import (
    PLACE,
    Columns,
    LabelledPart,
    Strings,
    blank,
    part_of,
    places_in,
    read_objects,
    read_rows,
    read_typed,
)
from seqloom.corpus.lines import blocks, line_arrays
from seqloom.corpus.pairs import BATCH_CHARACTERS, BATCH_PAIRS, Corpus, Progress, make_batch
from seqloom.corpus.report import shorten
from seqloom.corpus.streams import plain_name
from seqloom.errors import CorpusError

_MARK = "__label__"
_MARKED = rf"^\s*{_MARK}(?P<label>\S+)\s*(?P<text>.*)$"
_FIRST_WORD = r"^\s*(?P<label>\S+)\s*(?P<text>.*)$"
_Open = Callable[[], Iterator[LabelledPart]]


def read_labelled(
    paths: Sequence[str | Path],
    *,
    columns: Columns | None = None,
    label_first: bool = False,
    until: str | None = None,
    progress: Progress | None = None,
) -> Corpus:
    """Open labelled files: a corpus whose sources are texts and whose targets are their labels.

    Args:
        paths: files and folders; ``X=FILE`` for a file whose every line is a text of the class X.
        columns: of texts and labels. Left out, columns named such as text and label are taken, or
            else the first and the second.
        label_first: the first word of a line is its label; in a .tsv, .csv or .parquet, the first
            column.
        until: keep what stands before this sign in a label: with ``:`` DESC:manner becomes DESC.
        progress: called while the files are read.

    Raises:
        CorpusError: a file is missing or of none of these forms. While the corpus is iterated: a
            file is damaged, a text lacks its label, or a class is empty.
    """
    parts = [part for path in paths for part in _parts(str(path), columns, label_first)]

    def open_batches() -> Iterator[pa.RecordBatch]:
        for part in parts:
            for found in part():
                yield _batch(found, until)

    corpus = Corpus(open_batches, name=", ".join(map(str, paths)))
    return corpus if progress is None else corpus.watched(progress, "reading")


def _batch(found: LabelledPart, until: str | None) -> pa.RecordBatch:
    labels = found.labels
    if until:
        labels = pc.list_element(pc.split_pattern(labels, until, max_splits=1), 0)
    labels = pc.utf8_trim_whitespace(labels)
    at = pc.index(pc.and_not(blank(labels), blank(found.texts)), True).as_py()
    if at >= 0:
        raise CorpusError(
            f"{found.places[at]}: the text {shorten(found.texts[at].as_py())!r} has no label."
        )
    keys = pa.repeat(PLACE, len(labels))
    offsets: Any = pa.array(range(len(labels) + 1), pa.int32())
    return make_batch(found.texts, labels, pa.MapArray.from_arrays(offsets, keys, found.places))


def _parts(given: str, columns: Columns | None, label_first: bool) -> Iterator[_Open]:
    """How to read each file behind one argument."""
    path = Path(given)
    label, sign, file = given.partition("=")
    if sign and not path.exists():
        yield _class_file(given, label.strip(), Path(file))
    elif path.is_dir():
        yield from _folder(path)
    else:
        check_readable(path)
        yield _labelled_file(path, columns, label_first)


def _labelled_file(path: Path, columns: Columns | None, label_first: bool) -> _Open:
    suffix = plain_name(path).suffix.lower()
    tables: dict[str, _Open] = {
        ".tsv": partial(read_rows, path, columns, label_first),
        ".csv": partial(read_rows, path, columns, label_first),
        ".jsonl": partial(read_objects, path, columns),
        ".parquet": partial(read_typed, path, columns, label_first),
    }
    if suffix in tables:
        return tables[suffix]
    if format_of(path) is not None:
        raise CorpusError(
            f"{path}: a {suffix} file has no labels. Expected {', '.join(tables)}, lines of text "
            "with their label in front, or LABEL=FILE."
        )
    return partial(_lines, path, label_first)


def _class_file(given: str, label: str, path: Path) -> _Open:
    if not label:
        raise CorpusError(f"{given}: no label before the =; write it as in pos={path}.")
    check_readable(path)
    if format_of(path) is not None:
        raise CorpusError(
            f"{given}: a {plain_name(path).suffix} file has labels of its own; give it alone, "
            f"without {label}=."
        )
    return partial(_of_one_class, path, label)


def _folder(path: Path) -> Iterator[_Open]:
    """One folder of documents a class; or one file of lines a class."""
    inside = sorted(entry for entry in path.iterdir() if not entry.name.startswith("."))
    folders = [entry for entry in inside if entry.is_dir()]
    files = [entry for entry in inside if plain_name(entry).suffix.lower() == ".txt"]
    if not folders and not files:
        raise CorpusError(
            f"{path}: holds neither folders nor .txt files. Expected one a class, named after it."
        )
    for folder in folders:
        yield partial(_documents, folder)
    if not folders:
        for file in files:
            check_readable(file)
            yield partial(_of_one_class, file, plain_name(file).stem)


def _documents(folder: Path) -> Iterator[LabelledPart]:
    """Each file of the folder is one text of the class that the folder is named after."""
    files = [entry for entry in sorted(folder.iterdir()) if not entry.name.startswith(".")]
    rows: list[tuple[str, str, str]] = []
    characters, seen = 0, False
    for file in filter(Path.is_file, files):
        text = b"".join(blocks(file)).decode() if file.stat().st_size else ""
        seen = seen or bool(text.strip())
        characters += len(text)
        rows.append((text, folder.name, str(file)))
        if len(rows) == BATCH_PAIRS or characters >= BATCH_CHARACTERS:
            yield part_of(rows)
            rows, characters = [], 0
    if rows:
        yield part_of(rows)
    if not seen:
        raise _empty_class(folder, folder.name)


def _of_one_class(path: Path, label: str) -> Iterator[LabelledPart]:
    """Each line is a text of the same class."""
    seen = False
    for lines, places in _numbered(path):
        seen = seen or not pc.all(blank(lines)).as_py()
        yield LabelledPart(lines, pa.repeat(label, len(lines)), places)
    if not seen:
        raise _empty_class(path, label)


def _empty_class(path: Path, label: str) -> CorpusError:
    return CorpusError(f"{path}: the class {label!r} is empty; expected at least one text.")


def _lines(path: Path, label_first: bool) -> Iterator[LabelledPart]:
    """Each line begins with its label; how it is written shows in the first one."""
    pattern: str | None = None
    for lines, places in _numbered(path):
        filled = pc.invert(blank(lines))
        if pattern is None:
            pattern = _style(lines.filter(filled), label_first)
        if pattern is None:
            continue
        found = pc.extract_regex(lines, pattern)
        labels, texts = (pc.struct_field(found, name) for name in ("label", "text"))
        two = pc.fill_null(pc.starts_with(texts, _MARK), False)
        at = pc.index(pc.or_(pc.and_(pc.is_null(labels), filled), two), True).as_py()
        if at >= 0:
            raise CorpusError(
                f"{places[at]}: {shorten(lines[at].as_py())!r} does not begin with one label; "
                f"expected {_MARK}LABEL and the text. If the first word of each line is its "
                "label, add --label-first."
            )
        yield LabelledPart(pc.fill_null(texts, ""), pc.fill_null(labels, ""), places)


def _style(lines: Strings, label_first: bool) -> str | None:
    """The pattern of lines, by the first of them; None if there is none yet."""
    if not len(lines):
        return None
    marked = lines[0].as_py().lstrip().startswith(_MARK)
    return _FIRST_WORD if label_first and not marked else _MARKED


def _numbered(path: Path) -> Iterator[tuple[Strings, Strings]]:
    """Lines and their places, some thousands at a time."""
    line = 1
    for lines in line_arrays(path):
        for start in range(0, len(lines), BATCH_PAIRS):
            part = lines[start : start + BATCH_PAIRS]
            yield part, places_in(path, "line", line, len(part))
            line += len(part)
