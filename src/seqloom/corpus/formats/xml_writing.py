"""What the writers of TMX and XLIFF share: languages, characters, inline tags of their own."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from xml.parsers import expat

from seqloom.corpus.formats.markup import INVALID, escape, marked, start_tags
from seqloom.corpus.pairs import Corpus, Pair
from seqloom.corpus.report import shorten
from seqloom.corpus.streams import plain_name
from seqloom.errors import CorpusError

Tags = Mapping[str, str]
"""Inline elements of a format, each with the attributes it may have; ``!`` must be there."""

TMX_TAGS: Tags = {
    "bpt": "i! x type",
    "ept": "i!",
    "it": "pos! x type",
    "ph": "x assoc type",
    "ut": "x",
    "hi": "x type",
    "sub": "datatype type",
}

XLIFF_TAGS: Tags = {
    "g": "id! ctype clone ts xid equiv-text",
    "x": "id! ctype clone ts xid equiv-text",
    "bx": "id! rid ctype clone ts xid equiv-text",
    "ex": "id! rid ts xid equiv-text",
    "bpt": "id! rid ctype crc ts xid equiv-text",
    "ept": "id! rid crc ts xid equiv-text",
    "it": "id! pos! rid ctype crc ts xid equiv-text",
    "ph": "id! ctype crc assoc ts xid equiv-text",
    "mrk": "mtype! mid comment ts",
    "sub": "datatype ctype xid",
}


def both_languages(path: Path, corpus: Corpus) -> tuple[str, str]:
    """Source and target language of a corpus that goes into a file which must name them.

    Raises:
        CorpusError: one of them is not known.
    """
    source, target = corpus.source_language, corpus.target_language
    if source is None or target is None:
        raise CorpusError(
            f"{path}: a {plain_name(path).suffix} file names its languages, but those of "
            f"{corpus.name} are not known. Name source and target, for example --languages en fr"
        )
    return source, target


def refuse_invalid(path: Path, number: int, pair: Pair) -> None:
    """Refuse a pair with a character that XML 1.0 cannot hold.

    Raises:
        CorpusError: names the number of the pair.
    """
    for text in (pair.source, pair.target, *(pair.metadata or {}).values()):
        if found := INVALID.search(text):
            raise CorpusError(
                f"{path}: pair {number} has U+{ord(found.group()):04X} in a text, which XML cannot "
                f"hold: {shorten(text)!r}. Write .jsonl or .parquet, or clean the corpus first."
            )


def segment_xml(text: str, markup: str | None, tags: Tags) -> str:
    """The inner XML of a segment.

    The markup is taken if it is well-formed, has only tags of the format, and still has this very
    text; otherwise, as after cleaning or from another format, the text alone.
    """
    if markup and well_formed(markup) and _are_own(markup, tags) and marked(markup).text == text:
        return markup
    return escape(text)


def well_formed(xml: str) -> bool:
    """Whether text with tags could stand inside an element."""
    try:
        expat.ParserCreate().Parse(f"<x>{xml}</x>", True)
    except (expat.ExpatError, UnicodeEncodeError):
        return False
    return True


def _are_own(markup: str, tags: Tags) -> bool:
    for name, attributes in start_tags(markup):
        if name not in tags:
            return False
        listed = tags[name].split()
        allowed = {attribute.rstrip("!") for attribute in listed}
        needed = {attribute[:-1] for attribute in listed if attribute.endswith("!")}
        if not needed <= attributes.keys() <= allowed:
            return False
    return True
