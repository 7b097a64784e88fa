"""Fonts that show what occurs: installed families that together cover a picture's characters.

Matplotlib takes, for each character, the first family of a list that has it. Families are chosen by
the characters that they really contain, since names promise nothing. What no font can show is
written as its code point, such as U+5E74, which can at least be looked up.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path

from matplotlib.font_manager import FontEntry, findfont, fontManager, get_font

DEFAULT = "DejaVu Sans"
"""Comes with matplotlib; has Latin, Greek, Cyrillic, Arabic, Hebrew and many symbols."""

_FONT_PACKAGE = "notojp_matplotlib"
"""A package of the extra ``demo`` that carries Noto Sans CJK under the Open Font License."""

# Parts of names of fonts with many scripts: tried first, because trying all fonts takes time.
_LIKELY = (
    "Noto Sans CJK", "Source Han Sans", "WenQuanYi", "Microsoft YaHei", "SimHei", "PingFang",
    "Hiragino", "Heiti", "Droid Sans Fallback", "Arial Unicode", "Noto Sans",
)  # fmt: skip


def families_for(texts: Iterable[str]) -> tuple[list[str], set[str]]:
    """Font families that together show ``texts``, first choice first; and what none can show."""
    wanted = {character for text in texts for character in text if not character.isspace()}
    families, missing = [DEFAULT], wanted - _characters(findfont(DEFAULT))
    if missing:
        _register_fonts_of(_FONT_PACKAGE)
        for entry in _candidates():
            found = missing & _characters(entry.fname)
            if found:
                families.append(entry.name)
                missing -= found
            if not missing:
                break
    return families, missing


def spell_out(text: str, missing: set[str]) -> str:
    """``text`` with each character of ``missing`` written as its code point."""
    return "".join(f"U+{ord(c):04X}" if c in missing else c for c in text)


def _candidates() -> list[FontEntry]:
    """The most regular font of each installed family, the likely families first."""
    regular: dict[str, FontEntry] = {}
    for entry in sorted(fontManager.ttflist, key=_oddness):
        if _shows_itself(entry.name):
            regular.setdefault(entry.name, entry)

    def rank(entry: FontEntry) -> tuple[int, bool, str]:
        likely = (place for place, part in enumerate(_LIKELY) if part in entry.name)
        return next(likely, len(_LIKELY)), _oddness(entry) > 0, entry.name

    return sorted(regular.values(), key=rank)


def _oddness(entry: FontEntry) -> int:
    """In how many ways a font differs from an upright, regular, normally wide one."""
    is_regular = entry.weight in (400, "normal", "regular", "book")
    return (entry.style != "normal") + (not is_regular) + (entry.stretch != "normal")


def _shows_itself(name: str) -> bool:
    """False for fonts that claim every character and draw a box or nothing for it."""
    return not any(part in name.replace(" ", "") for part in ("LastResort", "Blank", "NotDef"))


@lru_cache(maxsize=4096)
def _characters(path: str) -> frozenset[str]:
    """Every character that matplotlib can draw from a font file; none if it is unusable."""
    try:
        font = get_font(path)
    except (ValueError, OSError, RuntimeError):  # removed since the list was made, or damaged
        return frozenset()
    if not font.scalable:  # bitmap fonts, such as coloured emoji, cannot be drawn at our sizes
        return frozenset()
    return frozenset(map(chr, font.get_charmap()))


@lru_cache(maxsize=1)
def _register_fonts_of(name: str) -> None:
    """Make the fonts of a package known to matplotlib, if it is there, without importing it.

    Importing it would change the default font of the whole process.
    """
    package = importlib.util.find_spec(name)
    for folder in (package.submodule_search_locations or []) if package else []:
        for path in sorted(Path(folder).glob("fonts/*.[ot]tf")):
            fontManager.addfont(path)
