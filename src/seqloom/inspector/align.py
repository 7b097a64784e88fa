"""Align the words of sentence pairs with a translator's attention, and judge it by gold."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from seqloom.corpus.alignments import AlignedPairs, Link, diagonal, transposed
from seqloom.corpus.pairs import Progress
from seqloom.errors import CorpusError, SeqloomError
from seqloom.evaluation.alignment import Alignment, Symmetry, alignment, symmetrize
from seqloom.inspection.alignment import (
    Links,
    Way,
    best_by_agreement,
    cross_fitted,
    links_by_way,
    means_only,
)
from seqloom.inspection.alignment_record import DIAGONAL, FOUND, AlignmentRecord
from seqloom.inspection.attention_map import there_are
from seqloom.inspector.words import record_words
from seqloom.text.tags import Languages
from seqloom.translator import Translator

ByWay = dict[Way, list[Links]]


@dataclass(frozen=True)
class Chosen:
    """Where the alignment is to be read; what is left out is found."""

    layer: int | None = None
    head: int | None = None
    later: bool | None = None
    symmetry: Symmetry = "grow-diag-final-and"
    """How two directions become one."""


def align(
    translator: Translator,
    pairs: AlignedPairs,
    *,
    reverse: Translator | None = None,
    chosen: Chosen | None = None,
    languages: Languages | None = None,
    reverse_languages: Languages | None = None,
    progress: Progress | None = None,
) -> AlignmentRecord:
    """Link the words of pairs.

    Where no layer is named: with a translator of the other direction, the layers whose alignments
    agree most; else, with sure links in two pairs of the gold or more, the way that is best on
    the other half of it; else the last layer but one.

    Args:
        translator: from the sources to the targets.
        pairs: their words, with gold or without.
        reverse: from the targets to the sources.
        chosen: where to read.
        languages: as for :meth:`Translator.translate`.
        reverse_languages: the same of the other direction.
        progress: told how many pairs are read.

    Raises:
        CorpusError: no pair has words on both sides, or there is gold without a sure link.
        SeqloomError: the model has no attention, or no such layer or head.
    """
    chosen = chosen or Chosen()
    _check(pairs)
    way = _named(translator, languages or {}, chosen, "the model")
    back = _named(reverse, reverse_languages or {}, chosen, "the reverse model")
    forward = _read(translator, pairs, languages or {}, "pairs", progress)
    backward: ByWay = {}
    if reverse is not None:
        turned = AlignedPairs(pairs.targets, pairs.sources, pairs.gold, [], pairs.name)
        found = _read(reverse, turned, reverse_languages or {}, "pairs turned round", progress)
        backward = {way: [transposed(each) for each in links] for way, links in found.items()}
    links, how = _choose(forward, backward, pairs, chosen, way, back)
    figures = dict[str, Alignment]()
    if pairs.judged:
        figures = {FOUND: alignment(links, pairs.gold), DIAGONAL: _diagonal(pairs)}
        figures |= {str(way): alignment(each, pairs.gold) for way, each in forward.items()}
    return AlignmentRecord(pairs.sources, pairs.targets, links, how, pairs.gold, figures)


def _check(pairs: AlignedPairs) -> None:
    if not any(map(all, zip(pairs.sources, pairs.targets, strict=True))):
        raise CorpusError(
            f"{pairs.name}: no pair has words on both sides, so there is nothing to align; give "
            "files with a sentence a line."
        )
    if pairs.judged and not any(each.sure for each in pairs.gold):
        raise CorpusError(
            f"{pairs.name}: none of {pairs.given:,} links is a sure one to words that exist, so "
            "nothing can be judged by them; expected 0-0 for a sure link and 0?1 or 0p1 for one "
            "that is only possible. Write the sure ones so, or leave the gold out."
        )


def _named(
    translator: Translator | None, languages: Languages, chosen: Chosen, model: str
) -> Way | None:
    """The way that was chosen, if one was; found with no text, before any is read.

    Raises:
        SeqloomError: the model has no such layer or head.
    """
    if chosen.layer is None and chosen.head is not None:
        raise SeqloomError(f"head {chosen.head} of which layer? Name a layer, too.")
    if translator is None or chosen.layer is None:
        return None
    ways = links_by_way(*record_words(translator, [], [], "no text", **languages))
    layers = 1 + max(way.layer for way in ways)
    if not 0 <= chosen.layer < layers:
        raise SeqloomError(
            f"no layer {chosen.layer}: the cross-attention of {model} has "
            f"{there_are('layer', layers)}."
        )
    heads = max(1, sum(way.layer == chosen.layer and way.head is not None for way in ways) // 2)
    if chosen.head is not None and not 0 <= chosen.head < heads:
        raise SeqloomError(
            f"no head {chosen.head}: layer {chosen.layer} of {model} has "
            f"{there_are('head', heads)}."
        )
    return Way(chosen.layer, chosen.head if heads > 1 else None, bool(chosen.later))


def _read(
    translator: Translator,
    pairs: AlignedPairs,
    languages: Languages,
    what: str,
    progress: Progress | None,
) -> ByWay:
    """The links of all pairs in every way."""
    found: ByWay = {}
    for number, (source, target) in enumerate(zip(pairs.sources, pairs.targets, strict=True)):
        place = f"{pairs.name}, pair {number + 1}"
        record, front = record_words(translator, source, target, place, **languages)
        for way, links in links_by_way(record, front).items():
            found.setdefault(way, []).append(links)
        if progress is not None:
            progress(what, number + 1, len(pairs))
    return found


def _choose(
    forward: ByWay,
    backward: ByWay,
    pairs: AlignedPairs,
    chosen: Chosen,
    way: Way | None,
    back: Way | None,
) -> tuple[list[Links], str]:
    """The alignment of all pairs, and how it came about; ``way`` and ``back`` were named."""
    if way is not None:
        if back is None:
            return forward[way], str(way)
        return _both(forward[way], backward[back], way, back, chosen.symmetry)
    allowed = [
        {w: ways[w] for w in means_only(ways) if chosen.later in (None, w.later)}
        for ways in (forward, backward)
    ]
    if backward:
        one, other = best_by_agreement(*allowed)
        return _both(forward[one], backward[other], one, other, chosen.symmetry)
    if sum(bool(each.sure) for each in pairs.gold) > 1:
        links, ways = cross_fitted(allowed[0], pairs.gold)
        told = " and ".join(dict.fromkeys(map(str, ways)))
        return links, f"{told}, best on the other half of the gold"
    usual = _usual(allowed[0])
    return allowed[0][usual], str(usual)


def _both(
    one: Sequence[Links], other: Sequence[Links], way: Way, back: Way, how: Symmetry
) -> tuple[list[Links], str]:
    links = [symmetrize(a, b, how) for a, b in zip(one, other, strict=True)]
    return links, f"{how} of {way} and, in the other direction, {back}"


def _usual(ways: ByWay) -> Way:
    """The last layer but one (Garg et al. 2019), or the only one; when a word is written if both
    are allowed, which was the better by far in all models that were measured."""
    layer = max(0, max(way.layer for way in ways) - 1)
    return min((way for way in ways if way.layer == layer), key=lambda way: way.later)


def _diagonal(pairs: AlignedPairs) -> Alignment:
    found: list[frozenset[Link]] = [
        diagonal(len(source), len(target))
        for source, target in zip(pairs.sources, pairs.targets, strict=True)
    ]
    return alignment(found, pairs.gold)
