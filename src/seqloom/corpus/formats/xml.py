"""XML as a stream of elements: safe, in constant memory, with the places of all in the file.

The standard library's expat reads it. Nothing is ever fetched or expanded: entity declarations and
parameter entities are refused before they can do harm, a DTD that a file names is not opened, and a
reference to an entity that nobody declared is an error. The bytes of an element can be had while it
is handed out, so that its inner XML is kept as it stands, and a file can be filled without writing
the rest of it anew.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from xml.parsers import expat

from seqloom.corpus.formats.xml_refusals import UNDECLARED, Refusals
from seqloom.corpus.streams import chunks
from seqloom.errors import CorpusError

XML_LANG = "http://www.w3.org/XML/1998/namespace lang"
"""Name of the attribute ``xml:lang``, as an element holds it."""

MAX_UNIT_BYTES = 2**26
"""A longer unit is refused, so that memory stays bounded."""

MAX_DEPTH = 256
"""Elements that may be open at once."""

_TAG = re.compile(r"""<(?:"[^"]*"|'[^']*'|[^<>"']+)*>""")
_INDENT = re.compile(r"(?:\r\n?|\n)?[ \t]*\Z")
_CALLED_UTF8 = re.compile(rb"(?:\xef\xbb\xbf)?<\?xml[^>]*\sencoding\s*=\s*[\"']utf_?8[\"']", re.I)

_UTF16 = {
    codecs.BOM_UTF16_LE: "utf-16-le",
    codecs.BOM_UTF16_BE: "utf-16-be",
    b"<\0": "utf-16-le",  # without a mark, as expat finds it
    b"\0<": "utf-16-be",
}

_OWN_TO_EXPAT = {"utf-8", "utf-16", "utf-16le", "utf-16be", "iso-8859-1", "us-ascii"}


@dataclass(slots=True)
class Element:
    """An element and its place in the file."""

    name: str
    """Without a prefix if it is in the namespace of the root, else ``namespace name``."""
    attributes: dict[str, str]
    line: int
    depth: int
    """1 is the root."""
    start: int
    """Offset in bytes of its start tag."""
    close: int = -1
    """Offset of its end tag, or of what follows if it is an empty-element tag."""
    children: list[Element] = field(default_factory=list)

    def child(self, name: str) -> Element | None:
        """The first child of that name."""
        return next((child for child in self.children if child.name == name), None)


class XmlFile:
    """A file of XML that is read once, from its beginning.

    Args:
        path: the file; it may be compressed.
        root: name that its root element must have.
        units: names of elements that are handed out whole, with their children.
        leaves: names of elements whose inner elements are of no interest.
    """

    def __init__(
        self, path: Path, root: str, units: Collection[str], leaves: Collection[str]
    ) -> None:
        self.path = path
        self.namespace = ""
        self.codec = "utf-8"
        self.line_end = "\n"
        self._root = root
        self._units = frozenset(units)
        self._leaves = frozenset(leaves)
        self._names: dict[str, str] = {}  # as expat gives them -> as elements hold them
        self._open: list[Element] = []
        self._first: Element | None = None
        self._unit: Element | None = None
        self._inside = 0  # elements open from a leaf on
        self._found: list[Element] = []
        self._head = b""  # the first bytes of the file, which tell UTF-16
        self._window = bytearray()  # bytes that may still be asked for
        self._base = 0  # offset of the first of them
        self._external = False  # whether a DTD is named, which expat thinks may declare entities
        self._declared: str | None = None
        self._refuse = Refusals(path, root)

    def elements(self) -> Iterator[Element]:
        """Units when they end, with all their children; every element outside units when it begins.

        Bytes and text of a unit can be asked for until the next element is taken.

        Raises:
            CorpusError: not well-formed, cut off, another root, an encoding that is unknown or
                wrong, an entity declared or not known. What stands before is yielded first.
        """
        for chunk in chunks(self.path):
            if not self._head:
                self._parser = self._new_parser("UTF-8" if _CALLED_UTF8.match(chunk) else None)
            if len(self._head) < 4:
                self._head += chunk[:4]
            yield from self._feed(chunk)
            self._forget()
        if not self._head:
            raise self._refuse.nothing()
        yield from self._feed(b"", last=True)

    def inner(self, element: Element) -> str:
        """What stands between the tags of an element, as it stands in the file."""
        text = self.raw(element.start, element.close)
        tag = _TAG.match(text)
        assert tag is not None
        return text[tag.end() :]

    def tag(self, start: int) -> str:
        """The start tag at an offset, as it stands in the file."""
        end = start
        while True:
            end = self._behind_bracket(end)
            text = self.raw(start, end)
            if _TAG.fullmatch(text):  # not in an attribute, nor between two letters of UTF-16
                return text

    def end(self, element: Element) -> int:
        """Offset of the first byte behind an element."""
        text = self.raw(element.start, element.close)
        if text.endswith("/>") and _TAG.fullmatch(text):
            return element.close
        return self._behind_bracket(element.close)

    def indent(self, element: Element) -> str:
        """The white space before an element, from the last line end on."""
        return _INDENT.findall(self.raw(max(self._base, element.start - 400), element.start))[0]

    def raw(self, start: int, end: int) -> str:
        """The text between two offsets."""
        # A slice may begin inside a character when it is cut by length.
        return self._window[start - self._base : end - self._base].decode(self.codec, "replace")

    def _new_parser(self, encoding: str | None) -> expat.XMLParserType:
        parser = expat.ParserCreate(encoding, " ")
        parser.XmlDeclHandler = self._on_declaration
        parser.StartDoctypeDeclHandler = self._on_doctype
        parser.EndDoctypeDeclHandler = self._on_doctype_end
        parser.EntityDeclHandler = self._on_entity
        parser.SkippedEntityHandler = self._on_skipped
        parser.StartElementHandler = self._on_start
        parser.EndElementHandler = self._on_end
        return parser

    def _feed(self, chunk: bytes, last: bool = False) -> Iterator[Element]:
        self._window += chunk
        problem = None
        try:
            self._parser.Parse(chunk, last)
        except expat.ExpatError as error:
            problem = self._broken(error)
        except CorpusError as error:
            problem = error
        found, self._found = self._found, []
        yield from found
        if problem is not None:
            raise problem

    def _forget(self) -> None:
        """Let go of bytes that nobody can ask for any more."""
        keep = max(self._base, self._parser.CurrentByteIndex)
        if self._unit is not None:
            keep = self._unit.start
        if self._base + len(self._window) - keep > MAX_UNIT_BYTES:
            raise self._refuse.at(
                self._unit.line if self._unit else self._line(),
                f"what begins here is longer than {MAX_UNIT_BYTES >> 20} MiB. A file of "
                "translations has small units; is this one damaged?",
            )
        del self._window[: keep - self._base]
        self._base = keep

    def _on_start(self, name: str, attributes: dict[str, str]) -> None:
        at = self._parser.CurrentByteIndex
        if len(self._open) + self._inside >= MAX_DEPTH:
            raise self._refuse.at(
                self._line(), f"elements stand in each other more than {MAX_DEPTH} deep."
            )
        if not self._open:
            self._begin(name)
        if self._external and attributes:
            self._check_references(self.tag(at))
        if self._inside:
            self._inside += 1
            return
        depth = len(self._open) + 1
        own = self._names.get(name) or self._own(name)
        element = Element(own, attributes, self._parser.CurrentLineNumber, depth, at)
        if self._unit is not None:
            self._open[-1].children.append(element)
        elif element.name in self._units:
            self._unit = element
        else:
            self._found.append(element)
        self._open.append(element)
        self._first = self._first or element
        if element.name in self._leaves:
            self._inside = 1

    def _on_end(self, name: str) -> None:
        if self._inside > 1:
            self._inside -= 1
            return
        self._inside = 0
        element = self._open.pop()
        element.close = self._parser.CurrentByteIndex
        if element is self._unit:
            self._unit = None
            self._found.append(element)

    def _begin(self, name: str) -> None:
        """The root is there: what the whole file is like is known now."""
        self.namespace, _, root = name.rpartition(" ")
        if root != self._root:
            raise self._refuse.other_root(self._line(), root)
        self.codec = _UTF16.get(self._head[:2], self.codec)
        self.line_end = "\r\n" if "\r\n".encode(self.codec) in self._window else "\n"

    def _own(self, name: str) -> str:
        namespace, _, local = name.rpartition(" ")
        own = self._names[name] = local if namespace == self.namespace else name
        return own

    def _on_declaration(self, version: str, encoding: str | None, standalone: int) -> None:
        self._declared = encoding
        if encoding is None:
            return
        try:
            codec = codecs.lookup(encoding).name
            letters = bytes(range(256)).decode(codec, "replace")
        except (LookupError, UnicodeError):
            raise self._refuse.encoding(self._line(), encoding, "which is not known") from None
        if encoding.lower() not in _OWN_TO_EXPAT and codec != "utf-8" and len(letters) != 256:
            raise self._refuse.encoding(self._line(), encoding, "which cannot be read")
        if self._head.startswith(codecs.BOM_UTF8) and codec != "utf-8":
            raise self._refuse.encoding(self._line(), encoding, "but begins with the mark of UTF-8")
        self.codec = codec

    def _on_doctype(
        self, name: str, system: str | None, public: str | None, has_subset: bool
    ) -> None:
        self._external = system is not None or public is not None
        if has_subset:
            self._parser.DefaultHandler = self._on_subset

    def _on_doctype_end(self) -> None:
        self._parser.DefaultHandler = None

    def _on_subset(self, token: str) -> None:
        if token.startswith("%"):
            raise self._refuse.entity(self._line(), token)

    def _on_entity(self, name: str, is_parameter: bool, *definition: str | None) -> None:
        reference = f"%{name};" if is_parameter else f"&{name};"
        raise self._refuse.entity(self._line(), reference)

    def _on_skipped(self, name: str, is_parameter: bool) -> None:
        raise self._refuse.undeclared(self._line(), name)

    def _check_references(self, tag: str) -> None:
        """Refuse what expat passes over silently in attributes once a DTD is named."""
        if "&" in tag and (found := UNDECLARED.search(tag)):
            raise self._refuse.undeclared(self._line(), found[1])

    def _behind_bracket(self, offset: int) -> int:
        bracket = ">".encode(self.codec)
        return self._window.index(bracket, offset - self._base) + self._base + len(bracket)

    def _line(self) -> int:
        return self._parser.CurrentLineNumber

    def _broken(self, error: expat.ExpatError) -> CorpusError:
        rest = bytes(self._window[max(0, self._parser.ErrorByteIndex - self._base) :][:1000])
        last = self._open[-1] if self._open else self._first
        where = (last.name, last.line) if last else None
        return self._refuse.broken(error, rest, self.codec, self._declared, where)
