"""word2vec's text form of word vectors, in and out; fastText's ``.vec`` is the same.

::

    V D                 how many words, how wide
    the 0.1 -0.2 ...    a word and D numbers a line, with single spaces between

Only spaces and line ends divide: a word may hold any other character. Files are streamed, packed
(.gz, .xz, .zst) or not; beside the result itself memory holds a block of about a megabyte.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import IO, Any, NoReturn

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from seqloom.corpus.lines import whole_lines
from seqloom.corpus.pairs import Progress
from seqloom.errors import VectorsError
from seqloom.text.vector_gathering import (
    AGAIN,
    Gathered,
    Opened,
    Tell,
    is_number,
    open_file,
    raise_surplus,
)
from seqloom.text.vectors import WordVectors

_SPACE, _LINE_END = ord(" "), ord("\n")
_LONGEST_LINE = 2**28  # bytes
_BLOCK_NUMBERS = 2**19  # written at a time


def read_text(
    path: str | Path,
    *,
    first: int | None = None,
    progress: Progress | None = None,
    tell: Tell | None = None,
) -> WordVectors:
    """Read a file of this form.

    Args:
        path: the file.
        first: read so many words only; as a rule these are the most frequent.
        progress: told how many words are read.
        tell: told of words that repeat (the first is kept) or are not UTF-8 (wrong bytes become
            U+FFFD), and of a last line without its end.

    Raises:
        VectorsError: the file is not of this form, is cut off, or a number is none or not finite;
            names the line.
        CorpusError: the file is missing, empty, or its packing is damaged.
    """
    file = open_file(path)
    gathered = Gathered(file, first, 2 * file.width, lambda word: f"line {word + 1}", progress)
    for block in _whole_lines(file):
        taken, surplus = _first_lines(block, gathered.missing)
        if taken:
            gathered.add(*_fields(file, taken, gathered.read + 2))
        if not gathered.missing and gathered.wanted < file.count:
            break
        if surplus.strip():
            raise_surplus(file, f"line {file.count + 2}")
        if taken and not gathered.missing and not taken.endswith(b"\n") and tell is not None:
            tell(f"{path}: the last line has no end; if it was cut off, its last number is wrong.")
    if gathered.missing:
        raise VectorsError(
            f"{path}, line {gathered.read + 1}: the file ends after {gathered.read:,} words, and "
            f"its first line promises {file.count:,}; {AGAIN}, or mend that line."
        )
    return gathered.vectors(tell)


def write_text(file: IO[bytes], vectors: WordVectors, progress: Progress) -> None:
    """Write this form; the shortest digits that give back the same float32."""
    count, width = vectors.matrix.shape
    file.write(f"{count} {width}\n".encode())
    step = max(1, _BLOCK_NUMBERS // width)
    for start in range(0, count, step):
        part = slice(start, start + step)
        rows = np.ascontiguousarray(vectors.matrix[part])
        offsets = pa.array(np.arange(len(rows) + 1, dtype=np.int32) * np.int32(width))
        digits = pa.array(rows.reshape(-1)).cast(pa.string())
        joined: Any = pc.binary_join(pa.ListArray.from_arrays(offsets, digits), " ")
        words = pa.array(vectors.words[part], pa.string())
        lines: Any = pc.binary_join_element_wise(words, joined, " ")
        file.write(pc.binary_join_element_wise(lines, "", "\n").buffers()[2])
        progress("writing vectors", start + len(rows), count)


def _whole_lines(file: Opened) -> Iterator[bytes]:
    """Blocks of whole lines behind the first; only the last may lack its line end."""
    refusal = VectorsError(
        f"{file.path}: a line is longer than {_LONGEST_LINE:,} bytes; is this word2vec's text form?"
    )
    return whole_lines(chain((file.rest,), file.stream), _LONGEST_LINE, refusal)


def _first_lines(block: bytes, number: int) -> tuple[bytes, bytes]:
    """The first lines of a block, and what is behind them."""
    if block.count(b"\n") + (not block.endswith(b"\n")) <= number:
        return block, b""
    ends = np.flatnonzero(np.frombuffer(block, np.uint8) == _LINE_END)
    cut = int(ends[number - 1]) + 1 if number else 0
    return block[:cut], block[cut:]


def _fields(file: Opened, block: bytes, line: int) -> tuple[list[bytes], np.ndarray]:
    """Words and numbers [lines D] of a block of lines, of which the first has number ``line``."""
    whole = block if block.endswith(b"\n") else block + b"\n"
    # Some programs write a space behind the last number.
    plain = whole.replace(b"\r\n", b"\n").replace(b" \n", b"\n")
    codes = np.frombuffer(plain, np.uint8)
    stops = np.flatnonzero((codes == _SPACE) | (codes == _LINE_END))
    found = np.diff(np.flatnonzero(codes[stops] == _LINE_END), prepend=-1) - 1
    if (found != file.width).any():
        bad = int(np.argmax(found != file.width))
        is_cut = bad == len(found) - 1 and whole is not block
        _raise_wrong_width(file, line + bad, int(found[bad]), is_cut, b"\0" in block)
    # Without spaces and line ends, each field ends where the next begins.
    offsets = np.concatenate(([0], stops - np.arange(len(stops)))).astype(np.int32)
    data = plain.translate(None, b" \n")
    numbers = _parsed(data, offsets, file.width)
    if numbers is None:
        numbers = _parsed_one_by_one(file, plain, line)
    starts, ends = (offsets[at :: file.width + 1].tolist() for at in (0, 1))
    return [data[start:end] for start, end in zip(starts, ends, strict=False)], numbers


def _raise_wrong_width(file: Opened, line: int, found: int, is_cut: bool, binary: bool) -> NoReturn:
    advice = f"the file is cut off there, so {AGAIN}" if is_cut else "mend the line or take it out"
    if line == 2 and found > 1:
        advice = f"line 1 promises a width of {file.width}; mend whichever of the two is wrong"
    if binary:
        advice = "if this is word2vec's binary form, let the name of the file end in .bin"
    raise VectorsError(
        f"{file.path}, line {line}: expected a word and {file.width} numbers, found {found} "
        f"numbers; {advice}."
    )


def _parsed(data: bytes, offsets: np.ndarray, width: int) -> np.ndarray | None:
    """Numbers [lines D] out of fields of which every (D+1)-th is a word; None if some are none."""
    total = len(offsets) - 1
    numeric = np.arange(total) % (width + 1) != 0
    present = np.packbits(numeric, bitorder="little").tobytes()  # Arrow passes over the words
    fields = pa.StringArray.from_buffers(
        total, pa.py_buffer(offsets.tobytes()), pa.py_buffer(data), pa.py_buffer(present)
    )
    try:
        values: Any = fields.cast(pa.float32())
    except pa.ArrowInvalid:
        return None
    numbers = np.frombuffer(values.buffers()[1], np.float32)[:total]
    return numbers.reshape(-1, width + 1)[:, 1:]


def _parsed_one_by_one(file: Opened, block: bytes, line: int) -> np.ndarray:
    """Numbers [lines D], also such as are too small or large for float32 or begin with a plus."""
    rows = []
    for number, text in enumerate(block.split(b"\n")[:-1], start=line):
        word, *fields = text.split(b" ")
        wrong = next((field for field in fields if not is_number(field)), None)
        if wrong is not None:
            raise VectorsError(
                f"{file.path}, line {number}: {wrong.decode('utf-8', 'replace')!r} is not a "
                f"number, in the vector of {word.decode('utf-8', 'replace')!r}; mend the line or "
                "take it out."
            )
        rows.append([float(field) for field in fields])
    with np.errstate(over="ignore"):  # infinity is told of where all numbers are looked at
        return np.array(rows, np.float64).astype(np.float32)
