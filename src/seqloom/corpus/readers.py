"""Files on disk, or on the hub, become a corpus."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pyarrow as pa

from seqloom.corpus.files import check_readable
from seqloom.corpus.formats import FORMATS, Format, Reading, by_bytes, format_of, named_format
from seqloom.corpus.formats.aligned import read_aligned
from seqloom.corpus.formats.hub import PREFIX, read_hub
from seqloom.corpus.languages import Languages, guess_language, language_code
from seqloom.corpus.pairs import Corpus
from seqloom.corpus.streams import plain_name
from seqloom.errors import CorpusError


def read_corpus(
    source: str | Path,
    target: str | Path | None = None,
    *,
    source_language: str | None = None,
    target_language: str | None = None,
    columns: tuple[str | int, str | int] | None = None,
    format: str | None = None,
    on_error: Callable[[CorpusError], None] | None = None,
) -> Corpus:
    """Open a corpus: two aligned text files, one file with both sides, or one of the hub.

    The suffix tells the format: .tsv, .csv, .jsonl, .parquet, .tmx, .xlf, .xliff, .po, .mo; each,
    like lines of text, may be compressed (.gz, .xz, .zst). ``hub:owner/name`` streams a published
    data set. Nothing is read before the corpus is iterated, except to see that files are there and
    which languages they name; all is streamed, so memory does not grow with them.

    Args:
        source: source sentences, one a line; or the file, or the name, with both sides.
        target: target sentences, aligned with the source line by line.
        source_language: code such as ``en``, which also chooses among the languages of a TMX file;
            otherwise taken from the file, its suffix (``train.en``), or the columns' names.
        target_language: code such as ``de``.
        columns: the names or the numbers (from 0) of source and target, for formats with columns.
        format: such as ``tsv``, for a file with both sides whose name does not tell.
        on_error: called when a file turns out to be broken at some place; what was read before is
            kept then, and the corpus ends there. Without it the error is raised.

    Raises:
        CorpusError: a file is missing, no regular file or empty, or the arguments do not fit. While
            the corpus is iterated: a file is damaged or its sides do not match.
    """
    reading = Reading(columns, source_language, target_language)
    if target is not None:
        return _aligned(Path(source), Path(target), reading, on_error)
    if str(source).startswith(PREFIX):
        return _corpus(lambda: read_hub(str(source), reading), str(source), reading, on_error)
    path = Path(source)
    check_readable(path)
    form = _both_sides(path) if format is None else named_format(format)
    return _corpus(
        lambda: form.read(path, reading),
        path.name,
        reading,
        on_error,
        form.languages(path),
        form.estimate(path),
    )


def telling_once(tell: Callable[[str], None]) -> Callable[[CorpusError], None]:
    """For ``on_error``: each broken place is told of once, however often the corpus is read."""
    told: set[str] = set()

    def on_error(error: CorpusError) -> None:
        if str(error) not in told:
            told.add(str(error))
            tell(f"kept what was read before this: {error}")

    return on_error


def join_corpora(corpora: Sequence[Corpus]) -> Corpus:
    """One corpus after the other; languages are known where all agree.

    Raises:
        ValueError: there are none.
    """
    if not corpora:
        raise ValueError("no corpora to join")
    if len(corpora) == 1:
        return corpora[0]

    def open_batches() -> Iterator[pa.RecordBatch]:
        for corpus in corpora:
            yield from corpus.batches()

    codes = [{(c.source_language, c.target_language)[side] for c in corpora} for side in (0, 1)]
    source, target = (code.pop() if len(code) == 1 else None for code in codes)
    return Corpus(
        open_batches,
        name=", ".join(corpus.name for corpus in corpora),
        source_language=source,
        target_language=target,
    )


def holds_both_sides(name: str | Path) -> bool:
    """Whether a name is that of a corpus by itself, and not of one side of it."""
    return str(name).startswith(PREFIX) or format_of(Path(name)) is not None


def _corpus(
    open_batches: Callable[[], Iterator[pa.RecordBatch]],
    name: str,
    reading: Reading,
    on_error: Callable[[CorpusError], None] | None,
    known: Languages = (None, None),
    estimate: Callable[[int], int | None] = lambda done: None,
) -> Corpus:
    def until_error() -> Iterator[pa.RecordBatch]:
        try:
            yield from open_batches()
        except CorpusError as error:
            if on_error is None:
                raise
            on_error(error)

    by_name = [
        language_code(column) if isinstance(column, str) else None
        for column in reading.columns or (None, None)
    ]
    return Corpus(
        until_error,
        name=name,
        source_language=reading.source_language or known[0] or by_name[0],
        target_language=reading.target_language or known[1] or by_name[1],
        estimate=estimate,
    )


def _aligned(
    source: Path,
    target: Path,
    reading: Reading,
    on_error: Callable[[CorpusError], None] | None,
) -> Corpus:
    for path in (source, target):
        check_readable(path)
        if format_of(path) is not None:
            raise CorpusError(
                f"{path}: a {plain_name(path).suffix} file holds both sides; give it alone, "
                "without a second file."
            )
    if reading.columns is not None:
        raise CorpusError(
            f"columns {tuple(reading.columns)} were given, but {source} and {target} are read as "
            f"lines of text; columns belong to one file with both sides ({', '.join(FORMATS)})."
        )
    return _corpus(
        lambda: read_aligned(source, target),
        f"{source.name}, {target.name}",
        reading,
        on_error,
        (guess_language(source), guess_language(target)),
        by_bytes(source, target),
    )


def _both_sides(path: Path) -> Format:
    form = format_of(path)
    if form is None:
        raise CorpusError(
            f"{path}: one file of text is one side only. Give the file with the targets too, or "
            f"one file that holds both sides ({', '.join(FORMATS)})."
        )
    return form
