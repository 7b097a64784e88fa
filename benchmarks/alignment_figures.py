"""What the alignment benchmark takes down of a model: all places to read at, and ways to choose."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import count, product, takewhile
from typing import Any

from alignment_models import Model
from alignment_text import knows_capitals, lowered

from seqloom.corpus.alignments import AlignedPairs, Gold, diagonal, transposed
from seqloom.evaluation.alignment import Alignment, alignment, symmetrize
from seqloom.inspection.alignment import Links, Way
from seqloom.inspection.alignment_record import FOUND
from seqloom.inspector.align import align

DEFAULT, CROSS_FITTED = "default, without gold", "layer of the other half of the gold"
AGREEMENT, JOINED = "layers that agree, both directions", "defaults of both directions"
Figures = dict[str, Any]


def figures(found: Alignment) -> Figures:
    """Rounded, for tables and files."""
    names = ("aer", "low", "high", "precision", "recall")
    return {name: round(getattr(found, name), 2) for name in names}


def baseline(pairs: AlignedPairs) -> Figures:
    """The diagonal's."""
    sides = zip(pairs.sources, pairs.targets, strict=True)
    links = [diagonal(len(source), len(target)) for source, target in sides]
    return figures(alignment(links, pairs.gold))


def turned(pairs: AlignedPairs) -> AlignedPairs:
    """The pairs of the other direction."""
    gold = [Gold(transposed(each.sure), transposed(each.possible)) for each in pairs.gold]
    return AlignedPairs(pairs.targets, pairs.sources, gold, [], pairs.name)


def as_read_by(model: Model, pairs: AlignedPairs) -> AlignedPairs:
    """In lower case if the model has seen no other."""
    tokenizers = model.translator.tokenizers
    return pairs if any(map(knows_capitals, tokenizers.sides)) else lowered(pairs)


def default_links(model: Model, pairs: AlignedPairs) -> tuple[list[Links], str]:
    """What the model says to somebody without gold and without the other direction."""
    record = align(model.translator, replace(as_read_by(model, pairs), gold=[]))
    return record.links, record.how


def measured(model: Model, pairs: AlignedPairs, reverse: Model | None) -> Figures:
    """A model's figures.

    Args:
        model: from the sources to the targets of the pairs.
        pairs: with gold.
        reverse: a model of the other direction.
    """
    own = as_read_by(model, pairs)
    record = align(model.translator, own)
    links, how = default_links(model, pairs)
    readings = {
        CROSS_FITTED: {"how": record.how, **figures(record.figures[FOUND])},
        DEFAULT: {"how": how, **figures(alignment(links, pairs.gold))},
    }
    if reverse is not None:
        both = align(model.translator, own, reverse=reverse.translator)
        readings[AGREEMENT] = {"how": both.how, **figures(both.figures[FOUND])}
        others, other = default_links(reverse, turned(pairs))
        joined = [
            symmetrize(one, transposed(back), "grow-diag-final-and")
            for one, back in zip(links, others, strict=True)
        ]
        told = f"{how} and, in the other direction, {other}"
        readings[JOINED] = {"how": told, **figures(alignment(joined, pairs.gold))}
    return {**model.facts, "readings": readings, "ways": _ways(record.figures)}


def _ways(found: Mapping[str, Alignment]) -> list[Figures]:
    """Figures of every layer and head, when a word is written and when it has been read."""
    rows = []
    for layer in takewhile(lambda layer: str(Way(layer, None, False)) in found, count()):
        for head, later in product((None, *range(_heads(found, layer))), (False, True)):
            place = {"layer": layer, "head": head, "when": "read" if later else "written"}
            rows.append({**place, **figures(found[str(Way(layer, head, later))])})
    return rows


def _heads(found: Mapping[str, Alignment], layer: int) -> int:
    """How many heads of a layer have figures of their own; none where there is one."""
    return next(head for head in count() if str(Way(layer, head, False)) not in found)


def best(ways: Iterable[Figures], **wanted: Any) -> Figures | None:
    """The lowest error rate where all is as ``wanted``; ``head="any"``: of single heads alone."""
    heads = wanted.pop("head", None)
    allowed = [
        way
        for way in ways
        if (way["head"] is None) == (heads is None)
        and all(way[name] == value for name, value in wanted.items())
    ]
    return min(allowed, key=lambda way: way["aer"], default=None)


def rules(models: Iterable[Figures]) -> list[Figures]:
    """Defaults that could be: layers counted from the last, and their mean error, the best first.

    Models of one layer leave nothing to choose but when, and take no part.
    """
    rates: dict[tuple[int, str], list[float]] = {}
    taking_part = 0
    for model in models:
        means = [way for way in model["ways"] if way["head"] is None]
        depth = 1 + max(way["layer"] for way in means)
        if depth == 1:
            continue
        taking_part += 1
        for way in means:
            rates.setdefault((depth - way["layer"], way["when"]), []).append(way["aer"])
    shared = {rule: each for rule, each in rates.items() if len(each) == taking_part}
    found = [
        {"layer from the end": layer, "when": when, "aer": round(statistics.mean(each), 2)}
        for (layer, when), each in shared.items()
    ]
    return sorted(found, key=lambda rule: rule["aer"])


def of_links(links: Mapping[str, Sequence[Links]], pairs: AlignedPairs) -> dict[str, Figures]:
    """Figures of alignments that were made elsewhere."""
    return {name: figures(alignment(each, pairs.gold)) for name, each in links.items()}
