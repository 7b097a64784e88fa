"""Text with inline tags: the inside of a segment of TMX or XLIFF, taken apart and put together.

The text of a segment is what a reader of the document sees. Elements that stand for native code
(``bpt ept it ph ut``; ``x bx ex``; ``sc ec sm em``) are one tag each, with all that they hold: what
they hold, ``sub`` too, is not text. Elements around text (``g mrk hi pc``, and any that is not
known) are an opening and a closing tag, and what is between them is text. ``cp`` of XLIFF 2 is the
character that it names. Comments and processing instructions are left out. White space stays as it
is, but that XML takes every line end for one line feed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from seqloom.corpus.pairs import Pair

Kind = Literal["open", "close", "alone"]


@dataclass(frozen=True)
class Tag:
    """An inline tag and its place in a text."""

    position: int
    """Characters of the text before it."""
    xml: str
    """The tag as it stands: ``<g id="1">``, ``<x id="2"/>``, a whole ``<bpt ...>...</bpt>``."""
    kind: Kind
    pair: int | None
    """Number that joins an opening tag with its closing tag."""


@dataclass(frozen=True)
class Marked:
    """A text and its inline tags, in the order in which they stand."""

    text: str
    tags: tuple[Tag, ...] = ()


@dataclass(frozen=True)
class Blank:
    """A unit of a document that has no translation yet."""

    source: Marked
    line: int
    """Where the unit begins in the file."""
    id: str | None


INVALID = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that XML 1.0 cannot hold in any form."""

WHITE = " \t\r\n"
"""What XML calls white space."""

_PIECE = re.compile(
    r"<!--.*?-->|<\?.*?\?>|<!\[CDATA\[(?P<cdata>.*?)\]\]>"
    r"|<(?P<end>/)?(?P<name>[^\s/>]+)(?P<attributes>(?:\"[^\"]*\"|'[^']*'|[^\"'>])*?)(?P<empty>/)?>",
    re.DOTALL,
)
_ATTRIBUTE = re.compile(r"([^\s=\"'/]+)\s*=\s*(?:\"([^\"]*)\"|'([^']*)')")
_REFERENCE = re.compile(r"&(#x[0-9a-fA-F]+|#[0-9]+|amp|lt|gt|quot|apos);")
_NAMED = {"amp": "&", "lt": "<", "gt": ">", "quot": '"', "apos": "'"}
_HEX = re.compile(r"[0-9a-fA-F]{1,6}")

_ALONE = {"it", "ph", "ut", "x", "cp"}
# Name -> (family, attributes of which the first that is there joins it with its partner).
_OPENING = {
    "bpt": ("pt", ("i", "rid", "id")),
    "bx": ("x", ("rid", "id")),
    "sc": ("c", ("id",)),
    "sm": ("m", ("id",)),
}
_CLOSING = {
    "ept": ("pt", ("i", "rid", "id")),
    "ex": ("x", ("rid", "id")),
    "ec": ("c", ("startRef",)),
    "em": ("m", ("startRef",)),
}


def marked(xml: str) -> Marked:
    """Take the inner XML of a segment apart; it must be well-formed."""
    if "<" not in xml:
        return Marked(plain(xml))
    pieces = _Pieces(xml)
    at = 0
    for piece in _PIECE.finditer(xml):
        pieces.text(xml[at : piece.start()])
        pieces.take(piece)
        at = piece.end()
    pieces.text(xml[at:])
    return pieces.marked()


def inner_xml(marked: Marked) -> str:
    """The inner XML of a segment: the text, escaped, with its tags as they are."""
    parts: list[str] = []
    at = 0
    for tag in sorted(marked.tags, key=lambda tag: tag.position):
        parts += (escape(marked.text[at : tag.position]), tag.xml)
        at = tag.position
    return "".join((*parts, escape(marked.text[at:])))


def plain(xml: str) -> str:
    """The characters that text of XML without tags stands for."""
    if "\r" in xml:
        xml = xml.replace("\r\n", "\n").replace("\r", "\n")
    return _REFERENCE.sub(_character, xml) if "&" in xml else xml


def escape(text: str) -> str:
    """Text for the content of an element."""
    text = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return text.replace("\r", "&#13;")


def quote(text: str) -> str:
    """Text for an attribute, with its quotation marks."""
    text = escape(text).replace('"', "&quot;").replace("\n", "&#10;").replace("\t", "&#9;")
    return f'"{text}"'


def start_tags(xml: str) -> Iterator[tuple[str, dict[str, str]]]:
    """Name and attributes of each element in inner XML, inside native code too."""
    for piece in _PIECE.finditer(xml):
        if piece["name"] and not piece["end"]:
            yield piece["name"], _attributes(piece)


def pair_of(source: str, target: str, known: Mapping[str, str | None]) -> Pair:
    """The pair of two segments, given as inner XML, and of what else is known about them.

    The inner XML goes along as ``source_markup`` and ``target_markup`` where it has inline tags.
    """
    source_side, target_side = marked(source), marked(target)
    metadata = {key: value for key, value in known.items() if value}
    if source_side.tags:
        metadata["source_markup"] = source
    if target_side.tags:
        metadata["target_markup"] = target
    return Pair(source_side.text, target_side.text, metadata or None)


class _Pieces:
    """Collects text and tags of one segment."""

    def __init__(self, xml: str) -> None:
        self._xml = xml
        self._parts: list[str] = []
        self._position = 0
        self._tags: list[tuple[int, str, Kind, int | None]] = []
        self._around: list[int] = []  # numbers of the open elements around text
        self._waiting: dict[tuple[str, str], int] = {}  # numbers of opening codes, by their key
        self._joined: set[int] = set()
        self._code: re.Match[str] | None = None  # the start tag of the native code that is open
        self._depth = 0  # elements open inside it

    def text(self, xml: str) -> None:
        if self._code is None and xml:
            self._add(plain(xml))

    def take(self, piece: re.Match[str]) -> None:
        """A tag, a comment or CDATA."""
        if self._code is not None:
            self._inside_code(piece)
        elif piece["cdata"]:
            self._add(piece["cdata"].replace("\r\n", "\n").replace("\r", "\n"))
        elif piece["name"]:
            name = _local(piece)
            if name in _ALONE or name in _OPENING or name in _CLOSING:
                self._code = piece
                self._depth = 1
                if piece["empty"]:
                    self._end_code(piece.end())
            elif piece["empty"]:
                self._tag(piece.group(), "alone", None)
            elif piece["end"]:
                self._joined.add(self._around[-1])
                self._tag(piece.group(), "close", self._around.pop())
            else:
                self._around.append(len(self._tags))
                self._tag(piece.group(), "open", self._around[-1])

    def marked(self) -> Marked:
        tags = (
            Tag(position, xml, kind, pair if pair in self._joined else None)
            for position, xml, kind, pair in self._tags
        )
        return Marked("".join(self._parts), tuple(tags))

    def _inside_code(self, piece: re.Match[str]) -> None:
        if piece["name"] and not piece["empty"]:
            self._depth += -1 if piece["end"] else 1
            if self._depth == 0:
                self._end_code(piece.end())

    def _end_code(self, end: int) -> None:
        assert self._code is not None
        start, self._code = self._code, None
        xml = self._xml[start.start() : end]
        name, attributes = _local(start), _attributes(start)
        if name == "cp" and (character := _code_point(attributes.get("hex", ""))):
            self._add(character)
        elif key := _key(_OPENING, name, attributes):
            self._waiting[key] = len(self._tags)
            self._tag(xml, "open", len(self._tags))
        elif key := _key(_CLOSING, name, attributes):
            number = self._waiting.pop(key, None)
            if number is not None:
                self._joined.add(number)
            self._tag(xml, "close", number)
        else:
            self._tag(xml, "alone", None)

    def _add(self, text: str) -> None:
        self._parts.append(text)
        self._position += len(text)

    def _tag(self, xml: str, kind: Kind, pair: int | None) -> None:
        self._tags.append((self._position, xml, kind, pair))


def _local(piece: re.Match[str]) -> str:
    return piece["name"].rpartition(":")[2]


def _attributes(piece: re.Match[str]) -> dict[str, str]:
    found = _ATTRIBUTE.findall(piece["attributes"])
    return {name: plain(double or single) for name, double, single in found}


def _key(
    codes: Mapping[str, tuple[str, tuple[str, ...]]], name: str, attributes: Mapping[str, str]
) -> tuple[str, str] | None:
    if name not in codes:
        return None
    family, names = codes[name]
    return family, next((attributes[name] for name in names if name in attributes), "")


def _character(reference: re.Match[str]) -> str:
    name = reference[1]
    if name[0] != "#":
        return _NAMED[name]
    return chr(int(name[2:], 16) if name[1] == "x" else int(name[1:]))


def _code_point(digits: str) -> str | None:
    """The character of a code point, unless it is none or half of one."""
    number = int(digits, 16) if _HEX.fullmatch(digits) else -1
    if 0 <= number <= 0x10FFFF and not 0xD800 <= number <= 0xDFFF:
        return chr(number)
    return None
