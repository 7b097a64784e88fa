"""The header of gettext files: the text that stands for the empty msgid, and the charset it names.

It is a list of fields such as ``Content-Type: text/plain; charset=KOI8-R``, ``Language: ru`` and
``Plural-Forms: nplurals=3; plural=...``. A header without a charset, or with the word CHARSET of a
template, means UTF-8. A charset follows its equals sign at once, as gettext demands.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from seqloom.corpus.formats.po_lines import lines_of
from seqloom.errors import CorpusError

_CHARSET = re.compile(r"charset=([^\s;\"]*)")
_LANGUAGE = re.compile(r"^Language:[ \t]*(\S*)", re.IGNORECASE | re.MULTILINE)
_FORMS = re.compile(r"^Plural-Forms:[ \t]*nplurals[ \t]*=[ \t]*([1-9])\b", re.I | re.M)

_ASCII = rb"\u0041" + bytes(range(32, 92)) + bytes(range(93, 127))
"""What a charset of gettext files must read as ASCII does."""


@dataclass(frozen=True)
class Header:
    """What a header says; None where it does not."""

    charset: str | None = None
    language: str | None = None
    forms: int | None = None
    """Plural forms of the target language."""


def parse_header(text: str) -> Header:
    """The fields of a header that matter for pairs of texts."""
    charset, language, forms = (field.search(text) for field in (_CHARSET, _LANGUAGE, _FORMS))
    named = charset[1] if charset and charset[1] != "CHARSET" else ""
    return Header(
        named or None, (language and language[1]) or None, int(forms[1]) if forms else None
    )


def find_header(path: Path) -> tuple[int, Header]:
    """The line of the charset and the header, wherever the file has it; line 1 if it has none.

    The charset is not known yet, so bytes are looked at, not texts.
    """
    line, empty, keyword = 1, False, b""
    texts: list[bytes] = []
    for number, _, content, _ in lines_of(path):
        before, quote, text = content.strip().partition(b'"')
        if before:
            if texts:
                break
            previous, keyword = keyword, before.strip()
            empty = (keyword == b"msgstr" and empty) or (
                keyword == b"msgid" and previous != b"msgctxt"
            )
        if quote and keyword == b"msgid":
            empty = empty and text == b'"'
        elif quote and empty:
            texts.append(text.rpartition(b'"')[0])
            line = number if line == 1 or b"charset=" in text else line
    return line, parse_header(b"".join(texts).replace(rb"\n", b"\n").decode("latin-1"))


def find_codec(where: str, header: Header, content: Iterable[bytes]) -> str:
    """The codec of a file, from the charset that its header names.

    Args:
        where: file and line of the header, as the message begins.
        header: of the file.
        content: the bytes of the file, read only if the charset is not UTF-8.

    Raises:
        CorpusError: the charset is unknown or not based on ASCII, or the content is UTF-8 though
            the header says otherwise. Text of another charset does not pass for UTF-8 by chance.
    """
    charset = header.charset or "UTF-8"
    try:
        fits = _ASCII.decode(charset) == _ASCII.decode("ascii")
    except (LookupError, ValueError):
        fits = False
    if not fits:
        raise CorpusError(
            f"{where}: the header names the charset {charset}, which is unknown or not based on "
            "ASCII. Convert the file to UTF-8 (iconv) and write charset=UTF-8 in its header."
        )
    name = codecs.lookup(charset).name
    if name in ("utf-8", "utf-8-sig"):
        return "utf-8"
    if _is_utf8(content):
        raise CorpusError(
            f"{where}: the header names the charset {charset}, but the content is UTF-8. Write "
            "charset=UTF-8 in the header."
        )
    return name


def not_in_charset(where: str, header: Header, error: UnicodeDecodeError) -> CorpusError:
    """The message for bytes that are no text in the charset of the file."""
    byte = error.object[error.start]
    if header.charset is None:
        return CorpusError(
            f"{where}: byte 0x{byte:02x} is not UTF-8, and the header names no other charset. "
            "Name it right behind 'charset=' in the field Content-Type, or convert the file: "
            "iconv -f CHARSET -t UTF-8"
        )
    return CorpusError(
        f"{where}: byte 0x{byte:02x} does not fit the charset {header.charset} that the header "
        "names. Write the charset that the file really has into its header, or convert the file "
        "to UTF-8 (iconv) and write charset=UTF-8."
    )


def _is_utf8(content: Iterable[bytes]) -> bool:
    """Whether there are bytes beyond ASCII, and all of them make up UTF-8."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    beyond = False
    try:
        for block in content:
            beyond = beyond or not block.isascii()
            decoder.decode(block)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return beyond
