"""Documents translated in place: XLIFF and PO keep everything but the targets they lacked."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise
from pathlib import Path
from typing import Any

from seqloom.corpus.formats.markup import INVALID, Blank, Marked, Tag
from seqloom.corpus.formats.po_fill import blanks_po, fill_po
from seqloom.corpus.formats.xliff_fill import blanks_xliff, fill_xliff
from seqloom.corpus.pairs import Progress
from seqloom.corpus.streams import plain_name
from seqloom.errors import SeqloomError
from seqloom.recipe import DecodingRecipe
from seqloom.tags import Link, place_tags
from seqloom.text.tags import Languages
from seqloom.text.tokenizer import Tokenizer
from seqloom.translator import Translator


@dataclass(frozen=True)
class Document:
    """How one format of documents is filled."""

    blanks: Callable[[Path], list[Blank]]
    """The units without a translation."""
    fill: Callable[[Path, Path, Mapping[int, Marked]], None]
    """Copies a file byte for byte, with translations put in by number of the blank."""


DOCUMENTS: dict[str, Document] = {
    ".xlf": Document(blanks_xliff, fill_xliff),
    ".xliff": Document(blanks_xliff, fill_xliff),
    ".po": Document(blanks_po, fill_po),
    ".pot": Document(blanks_po, fill_po),
}
"""By suffix, without that of a compression."""


def is_document(name: str) -> bool:
    """Whether a file of that name is translated in place and not line by line."""
    return plain_name(Path(name)).suffix.lower() in DOCUMENTS


def translate_document(
    translator: Translator,
    path: str | Path,
    out: str | Path,
    decoding: DecodingRecipe | None = None,
    *,
    target_language: str | None = None,
    source_language: str | None = None,
    warn: Callable[[str], None] | None = None,
    progress: Progress | None = None,
) -> int:
    """Fill the targets that an XLIFF or PO file lacks, and leave all else as it is.

    Lines of a text are translated one by one; white space around them, and the inline tags, come
    back in their places (:mod:`seqloom.tags`). Units that have a target already are left alone.

    Args:
        translator: the model.
        path: the document.
        out: the file to write; may be the document itself.
        decoding: options; the model's own when left out.
        target_language: into which, for a model of several languages.
        source_language: from which, for a model that is told that too.
        warn: told of each text that is too long for the model.
        progress: told how many units are done.

    Returns:
        The number of units that were filled.

    Raises:
        CorpusError: the document cannot be read.
        FolderError: ``out`` cannot be written.
    """
    path = Path(path)
    document = DOCUMENTS[plain_name(path).suffix.lower()]
    blanks = document.blanks(path)
    lines = [line for blank in blanks for line in blank.source.text.split("\n")]
    languages: Languages = {"target_language": target_language, "source_language": source_language}
    found = translator.stream([line.strip() for line in lines], decoding, warn=warn, **languages)
    filled: dict[int, Marked] = {}
    for number, blank in enumerate(blanks):
        filled[number] = _translated(translator, blank.source, found, languages)
        if progress is not None:
            progress("translating", number + 1, len(blanks))
    document.fill(path, Path(out), filled)
    return len(filled)


def _translated(translator: Translator, source: Marked, found: Any, languages: Languages) -> Marked:
    """The translation of one unit from those of its lines, which come next in ``found``."""
    texts: list[str] = []
    tags: list[Tag] = []
    begin = length = 0
    lines = source.text.split("\n")
    for number, line in enumerate(lines):
        core, text = line.strip(), next(found).text.strip()
        before, _, after = line.partition(core) if core else (line, "", "")
        # A model of bytes may write what no document can hold.
        text = INVALID.sub("\ufffd", before + text + after)
        end = begin + len(line) + (number == len(lines) - 1)
        mine = [tag for tag in source.tags if begin <= tag.position < end]
        if mine:
            moved = tuple(_moved(tag, -begin) for tag in mine)
            links = _links(translator, line, text, languages)
            placed = place_tags(Marked(line, moved), text, links)
            tags += [_moved(tag, length) for tag in placed.tags]
        texts.append(text)
        begin += len(line) + 1
        length += len(text) + 1
    return Marked("\n".join(texts), tuple(tags))


def _moved(tag: Tag, by: int) -> Tag:
    return Tag(tag.position + by, tag.xml, tag.kind, tag.pair)


def _links(translator: Translator, source: str, target: str, languages: Languages) -> list[Link]:
    """Which stretches of two texts the attention of the model links; none if it has none."""
    try:
        record = translator.attention(source, target, **languages)
    except SeqloomError:
        return []
    # The last layer but one aligns best (Garg et al. 2019, section 4.2).
    weights = record.weights(max(len(record.of_part("cross")) - 2, 0), part="cross")
    both = translator.tokenizers
    framing = translator.framing(**languages)
    sources = _spans(both.source, framing.sources([source])[0])
    targets = _spans(both.target, framing.targets([target])[0])
    return [
        Link(span, sources[int(weights[row, : len(sources)].argmax())])
        for row, span in enumerate(targets)
        if sources
    ]


def _spans(tokenizer: Tokenizer, ids: Sequence[int]) -> list[tuple[int, int]]:
    """First character of each piece, and the one behind its last."""
    lengths = [len(text) for text in tokenizer.decode_batch([ids[:n] for n in range(len(ids) + 1)])]
    # A character whose bytes are several pieces is as good as there with the first of them.
    ends = list(accumulate((min(length, lengths[-1]) for length in lengths), max))
    text = tokenizer.decode(ids)
    # The white space that a piece may begin with is not what is linked.
    return [
        (end - len(text[begin:end].lstrip()), end) if text[begin:end].strip() else (begin, end)
        for begin, end in pairwise(ends)
    ]
