"""Placeholders: parts of a text that programs fill in or read, and that survive translation.

======== ===========================================================================================
printf   ``%s``, ``%-5.2f``, ``%1$s``, ``%(name)s``, ``%@``, ``%%``. Prose is left alone: no blank
         inside (``100 % sure``), no digit directly before (``100%ig``).
brace    ``{}``, ``{0:.2f}``, ``{name}``, ``{{name}}``, ``%{name}``. Of an ICU message only the
         heads count (``{count, plural,``), since its branches hold text.
variable ``$name``, ``${name}``, ``%NAME%``
tag      ``<b>``, ``</b>``, ``<br/>``; the name alone, since attributes can be translated. A tag
         that HTML does not know counts if it has attributes or its other half is there: elsewhere
         ``<file>`` is prose.
entity   ``&amp;``, ``&lt;``, ``&gt;``, and names that HTML does not know (``&brandName;``). The
         others are characters, which languages may write otherwise (``&eacute;``).
code     literals and roles of reStructuredText: two backticks, ``:ref:`text <place>``` (its place
         alone, since the text is translated). One backtick is a quotation mark to many.
url      ``https://example.org``, ``www.example.org``
mail     ``me@example.org``
======== ===========================================================================================
"""

from __future__ import annotations

import re
from collections import Counter
from html.entities import html5
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from seqloom.corpus.filters.base import FEW, Filter, at_most, sides

_URL = r"[\w\-.~:/?#@!$&'()*+,;=%\[\]]*[\w/#=&]"  # marks at its end belong to the sentence

_KINDS = rf"""
    (?=[%{{<&$:`hfw]) (?:
      (?P<url> (?:https?|ftp)://{_URL} | \bwww\.{_URL} )
    | (?P<code> ``[^`]+``
        | :(?!dfn:|guilabel:|menuselection:)(?:[a-z][\w+.-]{{0,30}}:){{1,3}}`[^`]+` )
    | (?P<tag> </?[A-Za-z][\w:.-]*
        (?: \s+[\w:.-]+\s*=\s*(?: "[^"]*" | '[^']*' ) )* \s*/?> )
    | (?P<entity> &(?:lt|gt|[A-Za-z]\w{{2,}}); )
    | (?P<variable> \$\{{[^{{}}\s]+\}} | (?<!\w)\$(?![A-Z]{{2,3}}\d)[A-Za-z_]\w*
        | %[A-Z_][A-Z0-9_]+% )
    | (?P<brace> \{{\s*\w+\s*,\s*(?:plural|select|selectordinal)\s*,
        | \{{\{{\s*[\w.-]+\s*\}}\}} | %\{{\w+\}}
        | \{{(?:\w[\w.\[\]]*)?(?:![rsa])?(?::[^{{}}\s]*)?\}} )
    | (?P<printf> %% | (?<!\d)(?!(?<=\d\s)%[a-z][a-z])%(?:\d+\$|\(\w+\))? (?: <PRI\w+>
        | [+\#0']*(?:-?\d+|-?\*(?:\d+\$)?)?(?:\.\d+|\.\*(?:\d+\$)?)?
          (?:hh?|ll?|[Lqjzt])?[diouxXeEfFgGaAcCsSrpn@] ) )
    )"""
_MAIL = r"(?P<mail> (?<![\w.+-]) [\w.+-]+@[\w-]+(?:\.[\w-]+)*\.[A-Za-z]{2,} )"

# An address can begin with any letter, which is slow to look for; so there are two patterns.
_PLACEHOLDER = re.compile(_KINDS, re.VERBOSE | re.ASCII)
_PLACEHOLDER_OR_MAIL = re.compile(f"{_KINDS} | {_MAIL}", re.VERBOSE | re.ASCII)

_HINT = r"[%{<&$@]|``|:`|://|www\."  # what no placeholder is without

POSITION = re.compile(r"(?<=[%*])\d+\$")
"""The number of an argument in a printf placeholder: ``1$`` in ``%1$s``."""

_ICU = re.compile(r"\{\s*\w+\s*,\s*(?:plural|select|selectordinal)\s*,")
_ROLE = re.compile(r"(:[\w:+.-]+:)`[^`]*<([^<>`]+)>`")
_TAG = re.compile(r"<(/?)([\w:.-]+)(.*)>", re.DOTALL)

# Tags that are often there without their other half.
_HTML_TAGS = frozenset(
    (
        *("a", "abbr", "b", "big", "br", "code", "dd", "div", "dt", "em", "font", "h1", "h2"),
        *("h3", "h4", "h5", "h6", "hr", "i", "img", "li", "p", "small", "span", "strong"),
        *("sub", "sup", "td", "tr", "tt", "u", "wbr"),
    )
)
_MARKUP_ENTITIES = frozenset(("&amp;", "&lt;", "&gt;"))


def placeholders(text: str) -> Counter[str]:
    """The placeholders of a text, in the form in which they are compared, and how often each."""
    found = list((_PLACEHOLDER_OR_MAIL if "@" in text else _PLACEHOLDER).finditer(text))
    has_branches = _ICU.search(text) is not None
    closed = {match.group()[2:-1].rstrip() for match in found if match.group().startswith("</")}
    forms = Counter[str]()
    for match in found:
        form = _form(match.lastgroup, match.group(), closed, has_branches)
        if form is not None:
            forms[form] += 1
    return forms


def kind_of(placeholder: str) -> str:
    """The kind of a placeholder that :func:`placeholders` found: ``printf``, ``tag`` ..."""
    match = _PLACEHOLDER_OR_MAIL.fullmatch(placeholder)
    assert match is not None and match.lastgroup is not None, f"no placeholder: {placeholder}"
    return match.lastgroup


def difference(source: Counter[str], target: Counter[str]) -> Counter[str]:
    """The placeholders that are on one side only.

    ``%1$s`` equals ``%s`` where only one side has positions: a translation that needs another order
    must write them.
    """
    if source == target:
        return Counter()
    positions = [any(POSITION.search(form) for form in side) for side in (source, target)]
    if positions[0] != positions[1]:
        source, target = _without_positions(source), _without_positions(target)
    return (source - target) + (target - source)


class PlaceholderFilter(Filter):
    """Drops pairs whose placeholders differ. Score: how many are on one side only."""

    name = "placeholders"
    edges = FEW

    def __init__(self, max_difference: int = 0) -> None:
        self.max_difference = max_difference
        self.threshold = max_difference + 1
        allowed = f"more than {max_difference} " if max_difference else ""
        self.reason = f"{allowed}placeholders are on one side only"

    def score(self, batch: pa.RecordBatch) -> pa.Array[Any]:
        """See :class:`Filter`."""
        mask = pc.or_(*(pc.match_substring_regex(side, _HINT) for side in sides(batch)))
        scores = np.zeros(batch.num_rows, np.int64)
        texts = (side.filter(mask).to_pylist() for side in sides(batch))
        rows = np.flatnonzero(mask.to_numpy(zero_copy_only=False))
        for row, source, target in zip(rows, *texts, strict=True):
            scores[row] = difference(placeholders(source), placeholders(target)).total()
        return pa.array(scores)

    def accept(self, scores: pa.Array[Any]) -> pa.Array[Any]:
        """See :class:`Filter`."""
        return at_most(scores, self.max_difference)


def _form(kind: str | None, text: str, closed: set[str], has_branches: bool) -> str | None:
    """What of a match is compared; None: it is prose."""
    if kind == "tag":
        return _tag(text, closed)
    if kind == "entity":
        return text if text in _MARKUP_ENTITIES or text[1:] not in html5 else None
    if kind == "code":
        return _ROLE.sub(r"\1`\2`", text)
    if kind == "brace":
        return None if has_branches and not _ICU.match(text) else "".join(text.split())
    return text


def _tag(text: str, closed: set[str]) -> str | None:
    match = _TAG.fullmatch(text)
    assert match is not None, text
    slash, name, rest = match.groups()
    if not slash and name.lower() not in _HTML_TAGS and name not in closed and not rest.strip():
        return None
    return f"<{slash}{name.rstrip('/')}>"


def _without_positions(forms: Counter[str]) -> Counter[str]:
    plain = Counter[str]()
    for form, count in forms.items():
        plain[POSITION.sub("", form)] += count
    return plain
