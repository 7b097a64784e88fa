"""Records of attention as a page: a map that is drawn where one looks, and lists beside it.

Rows are tokens that look, columns those that are looked at. Arrays travel as 16-bit shares, which a
picture cannot tell from the record's numbers.
"""

from __future__ import annotations

import base64
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

import numpy as np

from seqloom.inspection.attention_map import PARTS, AttentionMap
from seqloom.inspection.cell_canvas import BUTTONS, KEYS, SCRIPT, STYLE, board
from seqloom.inspection.page import page

_BODY = """<h1>{title}</h1>
<p>{description}</p>
<noscript><p>The picture needs JavaScript.</p></noscript>
<div class="tools">
{texts}
<label for="part">Part</label><select id="part"></select>
<label for="view">Show</label><select id="view"></select>
<label for="unit">of</label><select id="unit"></select>
{buttons}
</div>
<div id="heads" role="listbox" aria-label="layers and heads" tabindex="0"></div>
{board}
<h2>The text, coloured by the chosen row</h2>
<p id="text" dir="auto"></p>
<p><small id="keys">{keys} Keys on the layers and heads: arrows go from one to the next.</small></p>
"""

BY_VALUE = "by value"
_MEANINGS = {
    "weights": "weights: a row adds up to 1",
    BY_VALUE: "weights times the length of what is taken (Kobayashi et al. 2020)",
    "roll-out": "roll-out: tokens that a state is made of (Abnar and Zuidema 2020)",
}
_DETAILED = 64
"""Tokens of a text up to which its page holds queries, keys and values."""


@dataclass(frozen=True)
class Shown:
    """What a page shows of one text."""

    title: str
    tokens: Mapping[str, Sequence[str]]
    """Names of rows and columns -> pieces."""
    words: Mapping[str, Sequence[int]]
    """The first pieces of words, where they are known."""
    views: Mapping[str, Sequence[AttentionMap]]
    """``weights`` and what else is made of them, layer by layer; those by value are made of the
    lengths where they are looked at."""


def page_of(records: Sequence[Shown], title: str = "") -> str:
    """The page of one text or several as HTML."""
    title = title or records[0].title or "Attention"
    names = [each.title or f"text {number}" for number, each in enumerate(records, start=1)]
    texts = ""
    if len(records) > 1:
        options = "".join(
            f'<option value="{number}">{escape(name)}</option>' for number, name in enumerate(names)
        )
        texts = f'<label for="which">Text</label><select id="which">{options}</select>'
    body = _BODY.format(
        title=escape(title),
        description=escape(_description(records)),
        texts=texts,
        buttons=BUTTONS,
        board=board("map of weights"),
        keys=KEYS,
    )
    data = {"parts": PARTS, "meanings": _MEANINGS, "records": [_data(each) for each in records]}
    return page(
        title,
        body,
        {"data": data},
        styles=["page.css", STYLE, "attention.css"],
        scripts=["attention_numbers.js", "attention_pictures.js", SCRIPT, "attention.js"],
    )


def _description(records: Sequence[Shown]) -> str:
    counts = Counter(each.part for each in records[0].views["weights"])
    layers = ", ".join(f"{told}: {counts[part]}" for part, told in PARTS.items() if part in counts)
    return (
        f"Each row is a token that looks, each column one that is looked at. Layers: {layers}. "
        "What is looked at most is not always what matters most: compare the three views."
    )


def _data(record: Shown) -> dict[str, Any]:
    return {
        "tokens": record.tokens,
        "words": record.words,
        "maps": [
            {
                "path": each.path,
                "part": each.part,
                "rows": each.rows,
                "columns": each.columns,
                "views": {name: _view(name, maps[number]) for name, maps in record.views.items()},
                "details": _details(each),
                "detailed": _DETAILED if each.details and _long(each) else None,
            }
            for number, each in enumerate(record.views["weights"])
        ],
    }


def _view(name: str, each: AttentionMap) -> dict[str, Any]:
    if name != BY_VALUE:
        return _shares(each.weights)
    assert each.lengths is not None, "lengths are recorded"
    return {"lengths": np.round(each.lengths, 5).tolist()}


def _details(each: AttentionMap) -> dict[str, Any]:
    if _long(each):
        return {}
    return {
        name: {"shape": list(array.shape), "values": np.round(array, 4).ravel().tolist()}
        for name, array in each.details.items()
    }


def _long(each: AttentionMap) -> bool:
    """Whether a page with the details of each cell would be too large."""
    return max(each.weights.shape[1:]) > _DETAILED


def _shares(weights: np.ndarray) -> dict[str, Any]:
    """Numbers from 0 to 1 in 16 bits, little-endian."""
    whole = np.round(np.clip(weights, 0, 1) * 65535).astype("<u2")
    return {"shape": list(weights.shape), "uint16": base64.b64encode(whole.tobytes()).decode()}
