"""``seqloom vectors evaluate``: how good word vectors are, on questions that people answered."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from seqloom.cli.console import Watch
from seqloom.cli.files import results
from seqloom.cli.options import Json, Output
from seqloom.errors import SeqloomError, VectorsError
from seqloom.evaluation.words import Case

if TYPE_CHECKING:
    from seqloom.evaluation.vectors import Evaluation, Evaluations, Figure, Spread
    from seqloom.text.vectors import WordVectors

Vectors = Annotated[
    list[Path],
    typer.Argument(
        metavar="VECTORS...",
        help="A folder of `seqloom vectors train`, or a file (.txt .vec .w2v .bin). Of several, "
        "such as one a seed, mean and deviation are shown.",
    ),
]
Sets = Annotated[
    list[Path] | None,
    typer.Option(
        metavar="FILE|FOLDER",
        help="Analogies (': SECTION', then four words a line) or similarities (two words and a "
        "number a line), or a folder of such files; may be repeated.",
    ),
]
Restrict = Annotated[
    int | None,
    typer.Option(
        min=1,
        metavar="N",
        help="Only the N most frequent words answer analogies and are known there; 300,000 when "
        "left out.",
    ),
]


def evaluate(
    vectors: Vectors,
    sets: Sets = None,
    restrict: Restrict = None,
    case: Annotated[
        Case,
        typer.Option(
            help="Put the words of the sets into lower case: if the vocabulary is, always, never."
        ),
    ] = "auto",
    unknown: Annotated[
        bool, typer.Option("--unknown", help="Name the words of the sets that have no vector.")
    ] = False,
    as_json: Json = False,
    output: Output = None,
) -> None:
    """Measure word vectors: analogies by section, rank correlation with people, coverage."""
    from seqloom.evaluation.analogies import RESTRICT
    from seqloom.evaluation.vectors import evaluate_vectors
    from seqloom.evaluation.wordsets import read_sets

    asked = read_sets(sets or [])
    limit = restrict or RESTRICT
    with Watch() as watch:
        found = evaluate_vectors(
            _opened(vectors, watch), asked, restrict=limit, case=case, progress=watch.stage
        )
    record = json.dumps(found.as_dict(unknown), indent=2, ensure_ascii=False) if as_json else None
    with results(output) as file:
        file.write(f"{record or _as_text(found, unknown)}\n")


def _opened(places: Sequence[Path], watch: Watch) -> Iterator[tuple[str, WordVectors]]:
    """Each is opened when the one before has been measured: one at a time lies in memory."""
    from seqloom.text.vector_files import open_vectors

    for place in places:
        try:
            vectors = open_vectors(place, progress=watch.stage, tell=watch.message)
        except VectorsError:
            if _is_set(place):
                raise VectorsError(
                    f"{place}: a set, where vectors are expected; each set takes a flag of its "
                    "own: --sets ONE --sets OTHER."
                ) from None
            raise
        yield str(place), vectors


def _is_set(place: Path) -> bool:
    from seqloom.evaluation.wordsets import read_set

    try:
        return bool(read_set(place))
    except SeqloomError:
        return False


def _as_text(found: Evaluations, unknown: bool) -> str:
    several = len(found.each) > 1
    spread = found.spread()
    rows = [("", "covered", "mean ± deviation" if several else "percent and 95 % interval")]
    headed = ""
    for row in zip(*(one.figures() for one in found.each), strict=True):
        set_name, part = row[0].set, row[0].part
        if part != "spearman" and set_name != headed:
            rows.append((f"{set_name}: analogies by 3CosAdd", "", ""))
            headed = set_name
        label = f"{set_name}: Spearman x 100" if part == "spearman" else f"  {part}"
        shown = _spread(spread.get(f"{set_name}/{part}")) if several else _value(row[0])
        rows.append((label, _covered(row), shown))
    rows.append(("score", "", _score(found)))
    width = max(len(label) for label, _, _ in rows)
    lines = [f"{label:{width}} {covered:>15}  {shown}".rstrip() for label, covered, shown in rows]
    titles = [_title(one) for one in found.each]
    return "\n".join([*titles, "", *lines, "", *(_unknown(one, unknown) for one in found.each)])


def _title(one: Evaluation) -> str:
    spelling = "put into lower case" if one.lower else "looked up as they are"
    return f"{one.name}: {one.words:,} words; those of the sets were {spelling}"


def _covered(row: Sequence[Figure]) -> str:
    counts = sorted({figure.covered for figure in row})
    shown = f"{counts[0]:,}" if len(counts) == 1 else f"{counts[0]:,}–{counts[-1]:,}"
    return f"{shown}/{row[0].asked:,}"


def _value(figure: Figure) -> str:
    if figure.value is None:
        return f"{'–':>6}"
    ends = "" if figure.low is None else f"  [{figure.low:.2f}, {figure.high:.2f}]"
    return f"{figure.value:6.2f}{ends}"


def _spread(spread: Spread | None) -> str:
    return f"{'–':>6}" if spread is None else f"{spread.mean:6.2f} ± {spread.deviation:.2f}"


def _score(found: Evaluations) -> str:
    from seqloom.evaluation.vectors import SCORE

    rule = "sets of which a tenth is covered"
    values = [one.score() for one in found.each]
    if None in values:
        shown, why = f"{'–':>6}", f"there are no {rule}; are they in its language?"
    else:
        shown = f"{values[0]:6.2f}" if len(values) == 1 else _spread(found.spread()[SCORE])
        why = f"mean of totals and Spearmans, over {rule}"
    return f"{shown}  ({why})"


def _unknown(one: Evaluation, named: bool) -> str:
    words = one.unknown()
    if not words:
        return f"{one.name}: all words of the sets are known"
    names = f": {' '.join(words)}" if named else ", which --unknown names"
    return f"{one.name}: {len(words):,} words of the sets are unknown{names}"
