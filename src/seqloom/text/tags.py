"""Names of tokens that say something about a text: its target language, or where it is from."""

from __future__ import annotations

import re
from typing import NamedTuple, TypedDict

from seqloom.errors import TokenizerError
from seqloom.symbols import MASK

_CODE = re.compile(r"[A-Za-z0-9]+([-_][A-Za-z0-9]+)*")
TAG = re.compile(r"<2[A-Za-z0-9]+([-_][A-Za-z0-9]+)*>")
"""The form of a language tag."""
_MARK = re.compile(r"<[A-Za-z][A-Za-z0-9-]*>")


def tag_token(tag: str) -> str:
    """The language tag for ``de`` or ``<2de>``: always ``<2de>``; a mark such as ``<bt>`` as it is.

    Raises:
        TokenizerError: neither a language code nor a mark, or the mark <mask>, which hides tokens.
    """
    if tag == MASK:
        raise TokenizerError(
            f"{MASK} hides tokens from masked models and cannot mark texts; use another word."
        )
    if _MARK.fullmatch(tag):
        return tag
    code = tag.removeprefix("<2").removesuffix(">")
    if not _CODE.fullmatch(code):
        raise TokenizerError(
            f"{tag!r} is not a language code; write the target language as in de, zh or pt-BR."
        )
    return f"<2{code}>"


class Languages(TypedDict, total=False):
    """Into and from which language to translate, for models of several; else the folder's own."""

    target_language: str | None
    source_language: str | None


class Fronts(NamedTuple):
    """Languages and marks whose tokens stand before the two sides of a pair."""

    source: tuple[str, ...] = ()
    target: tuple[str, ...] = ()


def fronts(
    tag: bool | str, source_language: str | None, target_language: str | None, *marks: str
) -> Fronts:
    """What stands before a pair of these languages.

    Args:
        tag: the field of the recipe: nothing, the target language before the source, or with
            ``"both"`` before each side its own language.
        source_language: of the pair.
        target_language: of the pair.
        marks: stand before the source in any case.
    """
    before, behind = (source_language, target_language) if tag == "both" else (target_language, "")
    return Fronts(
        (*marks, *([before] if tag and before else [])), (behind,) if tag and behind else ()
    )
