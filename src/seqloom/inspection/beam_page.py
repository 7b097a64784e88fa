"""Trees of searches as a page: the tree, the outputs beside each other, and the verdict."""

from __future__ import annotations

from html import escape
from typing import Any

from seqloom.corpus.report import shorten
from seqloom.inspection.beam_tree import WAYS, BeamTree, Output
from seqloom.inspection.beam_words import ending, heading, named, verdict, why
from seqloom.inspection.page import page
from seqloom.inspection.picture import visible

_BODY = """<h1>{title}</h1>
<p>{heading}. {ending}</p>
<table id="outputs"><thead><tr><th scope="col"></th><th scope="col">score</th>
<th scope="col">log-probability</th><th scope="col">tokens</th><th scope="col">text</th></tr>
</thead><tbody>{outputs}</tbody></table>
{verdict}
<noscript><p>The tree needs JavaScript.</p></noscript>
<div class="tools">
<label for="level">Show</label>
<select id="level">
<option value="paths">the outputs</option>
<option value="kept">all that was kept</option>
<option value="all">what was pruned, too</option>
</select>
{ways}
<button type="button" id="closer" aria-label="larger">+</button>
<button type="button" id="farther" aria-label="smaller">−</button>
</div>
<div class="board">
<div id="frame" tabindex="0" role="application" aria-label="tree of the search"
 aria-describedby="keys"><svg id="tree" aria-hidden="true"></svg></div>
<div id="card" role="region" aria-label="chosen hypothesis" aria-live="polite"></div>
</div>
<p><small>{legend}</small></p>
<p><small id="keys">Point at a token, click to keep it. Keys on the tree: → and ← go along a
hypothesis, ↑ and ↓ to others of the same step, Home to the beginning, End to the end of the
hypothesis, Enter (or a double click) opens and closes what was pruned, + and − change the size,
Escape lets go.</small></p>"""

_LEGEND = (
    "● kept, ■ finished, □ open when the search ended, × pruned, ⊘ forbidden, ◇ not looked at by "
    "the search. A figure +3 stands for continuations that are not shown. Below a token: its "
    "log-probability and the score of the hypothesis so far."
)
_LINES = {"greedy": "dashed, G", "sample": "dotted, S", "forced": "dashes and dots, F"}
_DIGITS = 5


def page_of(tree: BeamTree) -> str:
    """The page as HTML."""
    body = _BODY.format(
        title=escape(tree.title) or "∅",
        heading=escape(heading(tree)),
        ending=escape(ending(tree)),
        outputs="\n".join(_output(tree, output) for output in tree.outputs),
        verdict=_verdict(tree),
        ways="\n".join(_toggle(way) for way in WAYS if way in _LINES and tree.of_way(way)),
        legend=_LEGEND,
    )
    return page(
        f"Search: {tree.title}",
        body,
        {"data": _data(tree)},
        styles=["page.css", "beam.css"],
        scripts=["beam_layout.js", "beam_drawing.js", "beam.js"],
    )


def _data(tree: BeamTree) -> dict[str, Any]:
    nodes = tree.nodes
    return {
        "parent": [node.parent for node in nodes],
        "token": [visible(node.token) if number else "" for number, node in enumerate(nodes)],
        "piece": [node.token for node in nodes],
        "gain": [round(node.log_probability, _DIGITS) for node in nodes],
        "total": [round(total, _DIGITS) for total in tree.totals],
        "score": [round(tree.score(number), _DIGITS) for number in range(len(nodes))],
        "fate": [node.fate for node in nodes],
        "rank": [node.rank for node in nodes],
        "why": [why(tree, number) if number else "" for number in range(len(nodes))],
        "outputs": [
            {"way": output.way, "node": output.node, "name": named(tree, output)}
            for output in tree.outputs
        ],
    }


def _output(tree: BeamTree, output: Output) -> str:
    text = escape(output.text) or "∅"
    cut = "" if output.finished else " <small>cut off</small>"
    cells = (
        f"{tree.score(output.node):.3f}",
        f"{tree.totals[output.node]:.3f}",
        f"{tree.depths[output.node]}",
        f'<button type="button" data-node="{output.node}"><bdi>{text}</bdi></button>{cut}',
    )
    values = "".join(f"<td>{cell}</td>" for cell in cells)
    return f'<tr><th scope="row">{escape(named(tree, output))}</th>{values}</tr>'


def _verdict(tree: BeamTree) -> str:
    forced = tree.forced
    if forced is None:
        return ""
    names = ("step", "chosen", "log-probability", "forced", "log-probability", "difference so far")
    head = "".join(f'<th scope="col">{name}</th>' for name in names)
    rows = []
    for step, pair in enumerate(tree.pairs(forced), start=1):
        cells = "".join(_token(tree, number) for number in (pair.winner, pair.forced))
        apart = ' class="apart"' if pair.winner != pair.forced else ""
        rows.append(f"<tr{apart}><td>{step}</td>{cells}<td>{pair.difference:+.3f}</td></tr>")
    told = "".join(f"<p>{escape(sentence)}</p>" for sentence in verdict(tree, forced))
    text = escape(shorten(forced.text)) or "∅"
    return f"""<h2>Why not <bdi>{text}</bdi>?</h2>
<div id="verdict">{told}</div>
<details><summary>Token by token</summary>
<table id="pairs"><thead><tr>{head}</tr></thead><tbody>{"".join(rows)}</tbody></table></details>"""


def _token(tree: BeamTree, number: int) -> str:
    if not number:
        return "<td></td><td></td>"
    node = tree.nodes[number]
    token = escape(visible(node.token))
    return f"<td><bdi>{token}</bdi></td><td>{node.log_probability:.3f}</td>"


def _toggle(way: str) -> str:
    return (
        f'<label><input type="checkbox" class="way" value="{way}" checked> {WAYS[way]} '
        f"<small>({_LINES[way]})</small></label>"
    )
