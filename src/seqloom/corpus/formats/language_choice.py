"""Which two languages are read of a file that names its languages.

If two are asked for, units that lack one of them are passed over. If none are, the first unit with
two languages decides: its source is the language that the file declares, or the first, and its
target is the other one. From there on a unit with a third language is an error, since it cannot be
known which of them is wanted; a regional variety of the two (en-US beside en) is no third language.
"""

from __future__ import annotations

from pathlib import Path

from seqloom.corpus.languages import find_language, normal
from seqloom.errors import CorpusError

Sides = tuple[int, int]
"""Places of source and target among the languages of a unit."""


class LanguageChoice:
    """The languages of one file, as its units come.

    Args:
        path: the file.
        source: the language asked for, if any.
        target: the other one, if any.
    """

    def __init__(self, path: Path, source: str | None, target: str | None) -> None:
        self.source = source
        self.target = target
        self._path = path
        self._asked = source is not None and target is not None
        self._met = False
        self._found: dict[str, str] = {}
        self._known: dict[tuple[str, ...], Sides | None] = {}

    def sides(self, codes: tuple[str, ...], line: int, declared: str | None = None) -> Sides | None:
        """Where source and target are among the languages of a unit; None if one is not there.

        Args:
            codes: languages of the unit, in its order.
            line: where it begins.
            declared: the source language, as the file says.

        Raises:
            CorpusError: none are asked for, and it is not clear which are wanted.
        """
        if codes not in self._known:
            self._known[codes] = self._find(codes, line, declared)
        return self._known[codes]

    def check(self) -> None:
        """Refuse a file that has units, but not the languages asked for.

        Raises:
            CorpusError: lists the languages that the file has.
        """
        if self._met or not self._found:
            return
        wanted = f"{self.source} and {self.target}" if self._asked else "two languages"
        raise CorpusError(f"{self._path}: no unit has {wanted}. {self._advice()}")

    def _find(self, codes: tuple[str, ...], line: int, declared: str | None) -> Sides | None:
        for code in codes:
            self._found.setdefault(normal(code), code)
        if len(codes) < 2:
            return None
        if self.source is None or self.target is None:
            self._decide(codes, line, declared)
        assert self.source is not None
        assert self.target is not None
        sides = _match(self.source, self.target, codes)
        if not self._asked and not self._are_ours(codes, sides):
            raise self._unclear(line)
        self._met = self._met or sides is not None
        return sides

    def _decide(self, codes: tuple[str, ...], line: int, declared: str | None) -> None:
        if declared is not None and self.target is not None and _means(self.target, declared):
            declared = None  # what the file calls its source is asked for as the target
        first = (code for code in codes if self.target is None or not _means(self.target, code))
        source = self.source or declared or next(first, None)
        at = None if source is None else _place(source, codes)
        if source is None or at is None:
            raise self._unclear(line)
        if self.target is None:
            others = [code for place, code in enumerate(codes) if place != at]
            if len(others) > 1:
                others = [code for code in others if not _means(source, code)]
            if not others or not all(_means(others[0], code) for code in others):
                raise self._unclear(line)
            self.target = others[0]
        self.source = source

    def _are_ours(self, codes: tuple[str, ...], sides: Sides | None) -> bool:
        """Whether all languages of a unit are those chosen, or varieties of them."""
        wanted = (self.source or "", self.target or "")
        return all(
            place in (sides or ()) or any(_means(language, code) for language in wanted)
            for place, code in enumerate(codes)
        )

    def _unclear(self, line: int) -> CorpusError:
        return CorpusError(
            f"{self._path}, line {line}: it is not clear which two languages are wanted. "
            f"{self._advice('so far ')}"
        )

    def _advice(self, until: str = "") -> str:
        codes = list(self._found.values())
        listed = f"Languages found {until}in the file: {', '.join(codes)}."
        if len(codes) < 2:
            return listed
        return f"{listed} Name source and target, for example --languages {codes[0]} {codes[1]}"


def _means(wanted: str, code: str) -> bool:
    return find_language(wanted, [code]) is not None


def _place(wanted: str, codes: tuple[str, ...], taken: int | None = None) -> int | None:
    """Place of the language that is meant, among those not taken yet."""
    free = [place for place in range(len(codes)) if place != taken]
    found = find_language(wanted, [codes[place] for place in free])
    return next((place for place in free if codes[place] == found), None)


def _match(source: str, target: str, codes: tuple[str, ...]) -> Sides | None:
    first = _place(source, codes)
    second = None if first is None else _place(target, codes, first)
    if first is not None and second is not None:
        return first, second
    # en may have taken the only en-GB that was asked for as the other side.
    second = _place(target, codes)
    first = None if second is None else _place(source, codes, second)
    return None if first is None or second is None else (first, second)
