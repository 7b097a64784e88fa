"""Language codes as files and people write them: en, en-US, EN_us, zh-Hans."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from seqloom.corpus.streams import plain_name

Languages = tuple[str | None, str | None]
"""Language codes of source and target, where known."""

_LANGUAGE = re.compile(r"[a-z]{2,3}([-_]([A-Za-z]{2}|[A-Z][a-z]{3}|[0-9]{3}))?")

_NO_LANGUAGES = frozenset(
    # Usual ends of file names that would pass for the code of a language.
    (
        *("bak", "bpe", "bz", "csv", "dat", "doc", "gz", "htm", "hyp", "ids", "in", "log", "lst"),
        *("md", "mo", "new", "old", "org", "out", "pdf", "po", "pot", "py", "raw", "ref", "sh"),
        *("spm", "src", "tar", "tgt", "tmp", "tmx", "tok", "trg", "tsv", "txt", "xlf", "xml"),
        *("xz", "zip", "zst"),
    )
)


def language_code(text: str) -> str | None:
    """The text, if it looks like the code of a language (``de``, ``pt_BR``, ``zh-Hans``)."""
    return text if _LANGUAGE.fullmatch(text) and text not in _NO_LANGUAGES else None


def guess_language(path: Path) -> str | None:
    """``train.en`` -> en, ``train.pt_BR.gz`` -> pt_BR, ``train.txt`` -> None."""
    suffixes = plain_name(path).suffixes[-2:]
    if suffixes and suffixes[-1].lower() == ".txt":
        suffixes.pop()
    return language_code(suffixes[-1][1:]) if suffixes else None


def normal(code: str) -> str:
    """``EN_us`` -> en-us: codes are compared without regard to case and separator."""
    return code.strip().replace("_", "-").lower()


def find_language(wanted: str, codes: Iterable[str]) -> str | None:
    """The code among ``codes`` that is meant by ``wanted``, or None.

    An equal code goes first. ``en`` also means en-US, and ``en-US`` also means plain en, since
    files rarely agree on regions; but en-US never means en-GB.
    """
    given = {normal(code): code for code in reversed(list(codes))}
    asked = normal(wanted)
    if asked in given:
        return given[asked]
    primary = asked.partition("-")[0]
    if asked != primary:
        return given.get(primary)
    for code, written in reversed(given.items()):
        if code.partition("-")[0] == primary:
            return written
    return None
