"""How a text was cut into tokens, merge by merge, as a record."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Any, Self

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from seqloom.inspection.fields import members
from seqloom.inspection.fonts import families_for, spell_out
from seqloom.inspection.page import page
from seqloom.inspection.palette import COLOURS
from seqloom.inspection.picture import rendered, visible
from seqloom.inspection.record import Record
from seqloom.text.explain import Explanation, WordExplanation

if TYPE_CHECKING:
    from seqloom.corpus.pairs import Progress

_ROW = 0.26  # inches
_LETTER = 0.09  # inches of a letter, about

Rows = list[tuple[str, tuple[str, ...]]]
"""What was done, and the pieces after it."""


@dataclass(frozen=True, eq=False)
class TokensRecord(Record):
    """The way of a text from its characters to its tokens."""

    kind = "tokens"
    noun = "token record"

    explanation: Explanation

    def values(self) -> dict[str, Any]:
        """See :meth:`Record.values`."""
        own = ("kind", "version")
        return {k: v for k, v in self.explanation.as_dict().items() if k not in own}

    @classmethod
    def of(cls, values: Mapping[str, Any], version: int) -> Self:
        """See :meth:`Record.of`."""
        kinds = {"sentence": str, "tokenizer": str, "words": tuple[WordExplanation, ...]}
        return cls(Explanation(*members(kinds, values).values()))

    def page(self) -> str:
        """See :meth:`Record.page`."""
        explained = self.explanation
        tokens = sum(len(word.pieces) for word in explained.words)
        body = (
            f"<h1>{len(explained.words)} words, {tokens} tokens ({escape(explained.kind)})</h1>\n"
            f"<p dir='auto'>{escape(explained.sentence)}</p>\n"
            + "\n".join(_section(word) for word in explained.words)
        )
        return page("Tokens", body, {}, styles=["page.css", "tokens.css"], scripts=[])

    def picture(self, suffix: str, progress: Progress | None = None) -> bytes:
        """See :meth:`Record.picture`."""
        return rendered(_draw(self.explanation), suffix)


def _rows(word: WordExplanation) -> Rows:
    rows: Rows = [("start" if word.steps else "pieces", word.start)]
    rows += [
        (f"merge {step.rank}: {visible(step.left)} + {visible(step.right)}", step.pieces)
        for step in word.steps
    ]
    if word.scores is not None:
        shown = " ".join(f"{score:.2f}" for score in word.scores)
        rows.append((f"log-probabilities {shown}", word.pieces))
    return rows


def _section(word: WordExplanation) -> str:
    rows = "\n".join(
        f'<tr><th scope="row"><bdi>{escape(done)}</bdi></th><td>{_chips(pieces)}</td></tr>'
        for done, pieces in _rows(word)
    )
    ids = ", ".join(map(str, word.ids))
    return (
        f"<details open><summary><bdi>{escape(word.word)}</bdi> {_chips(word.pieces)} "
        f"<small>ids {ids}</small></summary><table>{rows}</table></details>"
    )


def _chips(pieces: tuple[str, ...]) -> str:
    return "".join(f"<span><bdi>{escape(visible(piece))}</bdi></span>" for piece in pieces)


def _draw(explained: Explanation) -> Figure:
    """Every word with its steps below each other; a piece is a box."""
    lines: Rows = []
    for word in explained.words:
        lines.append((visible(word.word), ()))
        lines += _rows(word)
    texts = [text for done, pieces in lines for text in (done, *map(visible, pieces))]
    families, missing = families_for(texts)
    left = max((len(done) for done, _ in lines), default=1) * _LETTER + 0.3
    longest = max((sum(len(visible(p)) + 2 for p in pieces) for _, pieces in lines), default=1)
    width, height = left + longest * _LETTER * 1.2 + 0.3, _ROW * (len(lines) + 1)
    figure = Figure(figsize=(max(width, 3), max(height, 1)))
    FigureCanvasAgg(figure)
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set_xlim(0, max(width, 3))
    axes.set_ylim(max(height, 1), 0)
    axes.set_axis_off()
    style: dict[str, Any] = {"fontfamily": families, "fontsize": 9, "va": "center"}
    for number, (done, pieces) in enumerate(lines, start=1):
        weight = "normal" if pieces else "bold"
        shown = spell_out(done, missing)
        axes.text(0.15, number * _ROW, shown, weight=weight, parse_math=False, **style)
        at = left
        for piece in map(visible, pieces):
            box = {"boxstyle": "round,pad=0.15", "facecolor": "none", "edgecolor": COLOURS[0]}
            text = spell_out(piece, missing)
            axes.text(at, number * _ROW, text, bbox=box, parse_math=False, **style)
            at += (len(text) + 2) * _LETTER * 1.2
    return figure
