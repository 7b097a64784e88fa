r"""Entries of PO and POT files, one by one, each with its lines and bytes in the file.

A line holds a comment, or one text in quotes, alone or behind its keyword. Texts may hold the
escapes of C: ``\a \b \f \n \r \t \v \\ \"``, octal (``\303``) and hexadecimal (``\xc3``) ones,
the last two being bytes in the charset of the file. Comments for translators, obsolete entries
(``#~``) and previous texts (``#|``) are not looked into. Only one entry is held at a time.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import NoReturn

from seqloom.corpus.formats.po_header import find_codec, find_header, not_in_charset
from seqloom.corpus.formats.po_lines import BLANKS, MAX_BYTES, Line, lines_of
from seqloom.corpus.report import shorten
from seqloom.corpus.streams import chunks
from seqloom.errors import CorpusError

_TEXT = re.compile(
    r"[ \t\f\v]*(?:(msg[a-z_]+)[ \t]*(?:\[[ \t]*([0-9]{1,4})[ \t]*\])?[ \t]*)?"
    r'"([^"\\]*(?:\\.[^"\\]*)*)"[ \t\f\v]*'
)
_UNCLOSED = re.compile(r'[^"]*"[^"\\]*(?:\\.[^"\\]*)*\\?')

_ESCAPES = re.compile(r"((?:\\(?:[0-7]{1,3}|x[0-9A-Fa-f]+))+)|\\(.)")
_LETTERS = dict(zip('abfnrtv\\"', '\a\b\f\n\r\t\v\\"', strict=True))

_FOLLOWING = {
    "": ("msgctxt", "msgid"),
    "msgctxt": ("msgid",),
    "msgid": ("msgid_plural", "msgstr"),
    "msgid_plural": ("msgstr",),
    "msgstr": ("msgstr", "msgctxt", "msgid"),
}
"""Keywords that may come after a keyword, or at the start of an entry."""


@dataclass
class Entry:
    """One message: its texts, what is said about it, and where its translations stand."""

    line: int = 0
    context: str | None = None
    source: str = ""
    plural: str | None = None
    targets: list[str] = field(default_factory=list)
    flags: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    references: list[str] = field(default_factory=list)
    spans: list[tuple[int, int]] = field(default_factory=list)
    """Of each target: the bytes from its first quote to its last."""

    @property
    def is_header(self) -> bool:
        """Whether this is the header of the file and no message."""
        return self.source == "" and self.context is None

    @property
    def is_fuzzy(self) -> bool:
        """Whether the translation is only a guess."""
        return "fuzzy" in self.flags

    def source_of(self, form: int, forms: int) -> str:
        """The text that plural form number ``form`` out of ``forms`` translates."""
        if self.plural is None or (form == 0 and forms > 1):
            return self.source
        return self.plural


class PoFile:
    """A PO or POT file, opened: its header is known, its entries are read on demand.

    Raises:
        CorpusError: the charset is unknown or obviously wrong, or the file cannot be unpacked.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        line, self.header = find_header(path)
        self.codec = find_codec(f"{path}, line {line}", self.header, chunks(path))

    def entries(self) -> Iterator[Entry]:
        """All entries but obsolete ones, also the header, in the order of the file.

        Raises:
            CorpusError: a line that gettext does not know, or an entry that is not whole.
        """
        builder = _Builder(self)
        begin = 0
        for line in lines_of(self.path):
            try:
                done = builder.add(line)
            except CorpusError:
                yield from filter(None, (builder.whole(),))
                raise
            if done is not None:
                begin = line.offset
                yield done
            elif line.offset - begin > MAX_BYTES:
                builder.refuse(f"an entry is larger than {MAX_BYTES} bytes")
        last = builder.finish("the end of the file")
        if last is not None:
            yield last


class _Builder:
    """Puts lines together to entries."""

    def __init__(self, file: PoFile) -> None:
        self._file = file
        self._line = Line(1, 0, b"", b"")
        self._entry = Entry()
        self._keyword = ""  # the last one of the entry
        self._parts: list[str] = []  # its text up to now

    def add(self, line: Line) -> Entry | None:
        """Take the next line; returns the entry that ended before it, if one did."""
        self._line = line
        bare = line.content.strip()
        if not bare:
            return None
        if bare.startswith(b"#"):
            done = self.finish("a comment")
            self._comment(bare)
            return done
        text = self._decode(line.content)
        match = _TEXT.fullmatch(text)
        if match is None:
            self._refuse_line(text)
        keyword, index, quoted = match.groups()
        piece = self._unescape(quoted) if "\\" in quoted else quoted
        done = None
        if keyword is not None:
            if keyword in ("msgctxt", "msgid") and self._keyword in ("", "msgstr"):
                done = self.finish(keyword)
            self._start(keyword, index)
        elif not self._keyword:
            self.refuse("a text without a keyword before it; expected msgctxt or msgid")
        self._parts.append(piece)
        if self._keyword == "msgstr":
            begin = self._entry.spans[-1][0]
            self._entry.spans[-1] = (begin, line.offset + len(line.content.rstrip(BLANKS)))
        return done

    def finish(self, at: str) -> Entry | None:
        """Close the entry, if one has begun; ``at`` is what comes next.

        Raises:
            CorpusError: it has no translation, not even an empty one.
        """
        if self._keyword == "":
            return None
        if self._keyword != "msgstr":
            self.refuse(f"the entry of line {self._entry.line} has no msgstr; found {at}")
        self._close()
        done, self._entry, self._keyword = self._entry, Entry(), ""
        return done

    def whole(self) -> Entry | None:
        """The entry before a broken line, if that line does not belong to it."""
        belongs = self._line.content.lstrip().startswith((b'"', b"msgstr"))
        return self.finish("") if self._keyword == "msgstr" and not belongs else None

    def refuse(self, problem: str) -> NoReturn:
        """Tell what is wrong with the line, or before it."""
        raise CorpusError(f"{self._file.path}, line {self._line.number}: {problem}.")

    def _start(self, keyword: str, index: str | None) -> None:
        expected = _FOLLOWING[self._keyword]
        if keyword not in expected:
            before = f"after {self._keyword}" if self._keyword else "at the start of an entry"
            self.refuse(f"{keyword} stands {before}; expected {' or '.join(expected)}")
        self._close()
        entry, line = self._entry, self._line
        self._keyword = keyword
        entry.line = entry.line or line.number
        if keyword == "msgstr":
            plain = None if entry.plural is None else str(len(entry.targets))
            if index != plain or (plain is None and entry.targets):
                self.refuse(_wrong_index(entry, index))
            begin = line.offset + line.content.index(b'"')
            entry.spans.append((begin, begin))
        elif index is not None:
            self.refuse(f"only msgstr has plural forms, not {keyword}")

    def _close(self) -> None:
        """Put the text that has come to its end into the entry."""
        text = "".join(self._parts)
        self._parts = []
        if self._keyword == "msgctxt":
            self._entry.context = text
        elif self._keyword == "msgid":
            self._entry.source = text
        elif self._keyword == "msgid_plural":
            self._entry.plural = text
        elif self._keyword == "msgstr":
            self._entry.targets.append(text)

    def _comment(self, bare: bytes) -> None:
        kind = bare[1:2]
        if kind == b"~":
            self._entry = Entry()  # the comments before it are those of an obsolete entry
        elif kind and kind in b".:,=":
            words = self._decode(bare)[2:].strip()
            if kind == b".":
                self._entry.notes.append(words)
            elif kind == b":":
                self._entry.references.append(words)
            else:
                flags = (flag.strip() for flag in words.split(","))
                self._entry.flags.extend(flag for flag in flags if flag)

    def _decode(self, content: bytes) -> str:
        if b"\0" in content:
            self.refuse(
                "holds a NUL byte, as UTF-16 does. PO files are in UTF-8 or another charset based "
                f"on ASCII; convert it: iconv -f UTF-16 -t UTF-8 {self._file.path}"
            )
        try:
            return content.decode(self._file.codec)
        except UnicodeDecodeError as error:
            where = f"{self._file.path}, line {self._line.number}"
            raise not_in_charset(where, self._file.header, error) from None

    def _unescape(self, text: str) -> str:
        return _ESCAPES.sub(self._escaped, text)

    def _escaped(self, escape: re.Match[str]) -> str:
        codes, letter = escape.groups()
        characters = self._coded(codes) if codes else _LETTERS.get(letter, "")
        if not characters:
            self.refuse(
                f"{escape[0]} is no escape for a character; a backslash itself is written \\\\"
            )
        return characters

    def _coded(self, codes: str) -> str:
        numbers = (int(c[1:], 16) if c[0] == "x" else int(c, 8) for c in codes[1:].split("\\"))
        try:
            characters = bytes(numbers).decode(self._file.codec)
        except ValueError:  # more than a byte, or bytes that are no character
            return ""
        return "" if "\0" in characters else characters  # gettext ends a text at a NUL

    def _refuse_line(self, text: str) -> NoReturn:
        found = shorten(text.strip())
        if not text.lstrip().startswith(('"', "msg")):
            self.refuse(f"expected a comment, a keyword or a text in quotes, found {found}")
        if _UNCLOSED.fullmatch(text):
            self.refuse(f"the quote is not closed: {found}")
        self.refuse(
            f"expected one text in quotes and nothing else, found {found} (a quote inside a text "
            'is written \\")'
        )


def _wrong_index(entry: Entry, index: str | None) -> str:
    found = "msgstr" if index is None else f"msgstr[{index}]"
    if entry.plural is not None:
        return f"{found} where msgstr[{len(entry.targets)}] is expected, as after msgid_plural"
    if index is None:
        return "a second msgstr in one entry"
    return f"{found} in an entry without msgid_plural"
