"""What inspection leaves: versioned JSON, from which pictures, pages and notebooks are drawn.

A record holds numbers and pieces of text and nothing of the model, so a page, a notebook or a later
version can draw it without one.
"""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Self

from seqloom.corpus.streams import writing_bytes
from seqloom.errors import SeqloomError
from seqloom.inspection.page import framed

if TYPE_CHECKING:
    from seqloom.corpus.pairs import Progress

SUFFIXES = (".html", ".json", ".png", ".svg", ".pdf")
"""Of the files that a record becomes: a page, the record itself, pictures."""


class Record(ABC):
    """Base of all records; draws itself in a notebook."""

    kind: ClassVar[str]
    """What the record says it is."""
    version: ClassVar[int] = 1
    noun: ClassVar[str]
    """What messages call it, such as ``word map``."""
    height: ClassVar[int] = 720
    """Of its page in a notebook, in pixels."""

    @abstractmethod
    def values(self) -> dict[str, Any]:
        """Its fields as plain lists, strings and numbers; nothing is rounded."""

    @classmethod
    @abstractmethod
    def of(cls, values: Mapping[str, Any], version: int) -> Self:
        """The record with these fields, as this or an earlier ``version`` wrote them.

        Raises:
            ValueError: something is wrong with them; :mod:`seqloom.inspection.fields` says what.
                KeyError, TypeError, AttributeError and OverflowError are told as well.
        """

    @abstractmethod
    def page(self) -> str:
        """The record as one HTML page that needs nothing else."""

    @abstractmethod
    def picture(self, suffix: str, progress: Progress | None = None) -> bytes:
        """The record as a picture of the kind that ``.png``, ``.svg`` or ``.pdf`` says."""

    def as_dict(self) -> dict[str, Any]:
        """The whole record, ready for JSON."""
        return {"kind": self.kind, "version": self.version, **self.values()}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """The record that :meth:`as_dict` wrote.

        Raises:
            SeqloomError: this is another record, one of a later version, or damaged.
        """
        article = "an" if cls.noun[0] in "aeiou" else "a"
        if values.get("kind") != cls.kind:
            raise SeqloomError(f"not {article} {cls.noun}: its kind is {values.get('kind')!r}.")
        version = values.get("version")
        if type(version) is not int or not 1 <= version <= cls.version:
            raise SeqloomError(
                f"{article} {cls.noun} of version {version!r}; this Seqloom reads version "
                f"{cls.version}. Update Seqloom, or make it again."
            )
        fields = {name: value for name, value in values.items() if name not in ("kind", "version")}
        try:
            return cls.of(fields, version)
        except (ValueError, KeyError, TypeError, AttributeError, OverflowError) as error:
            raise SeqloomError(f"a damaged {cls.noun}: {error}.") from None

    @classmethod
    def load(cls, path: str | Path) -> Self:
        """Read a record of this kind from a ``.json`` file.

        :func:`seqloom.load_record` reads one of any kind.

        Raises:
            SeqloomError: the file cannot be read, or is no such record.
        """
        values = read_values(path)
        try:
            return cls.from_dict(values)
        except SeqloomError as error:
            raise SeqloomError(f"{path}: {error}") from None

    @classmethod
    def check_suffix(cls, path: str | Path) -> str:
        """What a file of that name is to hold, as one of :data:`SUFFIXES`.

        Raises:
            SeqloomError: another suffix.
        """
        suffix = Path(path).suffix.lower()
        if suffix not in SUFFIXES:
            article = "an" if cls.noun[0] in "aeiou" else "a"
            raise SeqloomError(
                f"{path}: the name of {article} {cls.noun} ends in {', '.join(SUFFIXES)}."
            )
        return suffix

    def save(self, path: str | Path, progress: Progress | None = None) -> None:
        """Write the record, whole or not at all; the suffix says as what.

        ``.html`` is a page that needs nothing else, ``.json`` the record, ``.png``, ``.svg`` and
        ``.pdf`` are pictures. ``progress`` is told how far a picture is.

        Raises:
            SeqloomError: another suffix.
            FolderError: the file cannot be written.
        """
        suffix = self.check_suffix(path)
        if suffix == ".json":
            content = _utf8(json.dumps(self.as_dict(), ensure_ascii=False) + "\n")
        elif suffix == ".html":
            content = _utf8(self.page())
        else:
            content = self.picture(suffix, progress)
        with writing_bytes(Path(path)) as file:
            file.write(content)

    def _repr_html_(self) -> str:
        """The page in a frame of its own."""
        return framed(self.page(), self.noun, self.height)


def read_values(path: str | Path) -> dict[str, Any]:
    """What a ``.json`` file of a record holds, of whatever kind.

    Raises:
        SeqloomError: the file cannot be read, or holds no object in JSON.
    """
    try:
        values = json.loads(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise SeqloomError(f"{path}: cannot be read: {error.strerror or error}.") from error
    except ValueError:
        values = None
    if not isinstance(values, dict):
        raise SeqloomError(f"{path}: expected a record in JSON.")
    return values


def _utf8(text: str) -> bytes:
    """Half a character, which a terminal may have given, becomes its number."""
    return text.encode("utf-8", "backslashreplace")
