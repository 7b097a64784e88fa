"""Names of tokens that say something about a text: its target language, or where it is from."""

from __future__ import annotations

import re

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
