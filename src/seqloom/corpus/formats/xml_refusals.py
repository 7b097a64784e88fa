"""What is said when a file of XML is refused: one message, with file, line, cause and remedy."""

from __future__ import annotations

import re
from pathlib import Path
from xml.parsers import expat

from seqloom.errors import CorpusError

UNDECLARED = re.compile(r"&(?!#|(?:amp|lt|gt|quot|apos);)([^;\s&<>\"']+);")
"""A reference to an entity that XML itself does not know."""

_ERRORS = expat.errors
_CUT_OFF = (
    _ERRORS.XML_ERROR_NO_ELEMENTS,
    _ERRORS.XML_ERROR_UNCLOSED_TOKEN,
    _ERRORS.XML_ERROR_UNCLOSED_CDATA_SECTION,
    _ERRORS.XML_ERROR_PARTIAL_CHAR,
)
_CONTROL = {bytes([code]) for code in range(32)}
_ENCODING = (_ERRORS.XML_ERROR_UNKNOWN_ENCODING, _ERRORS.XML_ERROR_INCORRECT_ENCODING)


class Refusals:
    """Builds the errors of one file, whose root element ought to be ``root``."""

    def __init__(self, path: Path, root: str) -> None:
        self._path = path
        self._root = root

    def at(self, line: int, what: str) -> CorpusError:
        """The error of a place."""
        return CorpusError(f"{self._path}, line {line}: {what}")

    def nothing(self) -> CorpusError:
        """There is not a byte in the file."""
        return CorpusError(f"{self._path}: the file is empty; expected <{self._root}>.")

    def other_root(self, line: int, name: str) -> CorpusError:
        """The file is XML, but of another kind."""
        return self.at(line, f"the file holds <{name}>; expected <{self._root}>.")

    def encoding(self, line: int, declared: str | None, what: str) -> CorpusError:
        """The first line names an encoding that cannot be the right one."""
        return self.at(
            line,
            f"the file says that its encoding is {declared}, {what}. Mend that line, or save the "
            "file as UTF-8.",
        )

    def entity(self, line: int, reference: str) -> CorpusError:
        """An entity is declared."""
        return self.at(
            line,
            f"the DOCTYPE declares or uses the entity {reference}. Entities can expand without end "
            "or fetch other files, so they are refused; write their text instead.",
        )

    def undeclared(self, line: int, name: str) -> CorpusError:
        """An entity is used that is not declared in the file."""
        return self.at(
            line,
            f"the entity &{name}; is not declared. Write the character itself, or its number, "
            "such as &#160;.",
        )

    def broken(
        self,
        error: expat.ExpatError,
        rest: bytes,
        codec: str,
        declared: str | None,
        last: tuple[str, int] | None,
    ) -> CorpusError:
        """What expat could not read.

        Args:
            error: what it says.
            rest: some bytes from the place on.
            codec: how they are encoded.
            declared: the encoding as the file names it.
            last: name and line of the innermost element that is open; None before the root.
        """
        line = error.lineno
        reason = expat.ErrorString(error.code) or "not well-formed"
        if reason in _CUT_OFF:
            return self._cut_off(line, last)
        if reason in _ENCODING:
            return self.encoding(line, declared, "which is unknown or not the one it is in")
        if reason == _ERRORS.XML_ERROR_MISPLACED_XML_PI:
            what = "something stands before <?xml ...?>, which must be the very first. Remove it."
            return self.at(line, what)
        if reason == _ERRORS.XML_ERROR_UNDEFINED_ENTITY:
            name = UNDECLARED.search(rest.decode(codec, "replace"))
            return self.undeclared(line, name[1] if name else "...")
        if last is None:
            return self.at(line, f"is not XML ({reason}); expected <{self._root}>.")
        strange = rest[:1] in _CONTROL or rest[:1] > b"\x7f"
        if reason == _ERRORS.XML_ERROR_INVALID_TOKEN and strange:
            return self._strange_byte(line, rest[:1], declared or codec)
        return self.at(
            line,
            f"is not well-formed XML: {reason}, column {error.offset + 1}. Mend that place, or "
            "export the file again.",
        )

    def _strange_byte(self, line: int, byte: bytes, codec: str) -> CorpusError:
        if byte in _CONTROL:
            what = f"holds the control character 0x{byte[0]:02x}, which XML forbids. Remove it."
            return self.at(line, what)
        return self.at(
            line,
            f"byte 0x{byte[0]:02x} does not fit the encoding {codec}. Name the "
            'true one in the first line: <?xml version="1.0" encoding="..."?>',
        )

    def _cut_off(self, line: int, last: tuple[str, int] | None) -> CorpusError:
        if last is None:
            return self.at(line, f"the file ends before any element; expected <{self._root}>.")
        return self.at(
            line,
            f"the file ends inside <{last[0]}>, which begins in line {last[1]}: it is cut off. "
            "Copy or export it again.",
        )
