"""Predicted tags of words against right ones: accuracy, figures of each tag, F1 of spans.

Tags such as ``B-LOC`` and ``I-LOC`` name the beginning and the inside of a span, ``O`` what is
outside of all (Ramshaw and Marcus 1995). A span counts as found when its kind and both ends are
right, as the shared task of CoNLL-2003 counts (Tjong Kim Sang and De Meulder 2003): an ``I-``
behind another kind, or behind ``O``, begins a span too. All figures are on a scale of 0 to 100.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import chain
from typing import Any

from seqloom.errors import EvaluationError
from seqloom.evaluation.classification import ClassFigures, classification, shortened

OUTSIDE = "O"
"""The tag of words outside of all spans."""

_SPAN_TAG = re.compile(r"[BI]-.+")

Span = tuple[int, int, str]
"""First word, the word behind the last, kind."""


@dataclass(frozen=True)
class SpanFigures:
    """How well spans are found."""

    spans: int
    """Spans that are right."""
    predicted: int
    precision: float
    recall: float
    f1: float


@dataclass(frozen=True)
class Tagging:
    """How good the tags of some sentences are."""

    sentences: int
    words: int
    accuracy: float
    """Words whose tag is right."""
    low: float
    """Lower end of the 95 % interval of the accuracy (Wilson 1927)."""
    high: float
    """Upper end."""
    whole: float
    """Sentences whose tags are all right."""
    macro_f1: float
    """Mean of F1 over the tags."""
    commonest: str
    """The tag that the baseline gives to every word."""
    baseline: float
    """The baseline's accuracy."""
    tags: list[ClassFigures]
    """Each tag that is right or predicted somewhere; their ``texts`` are words."""
    spans: SpanFigures | None
    """Where the tags name spans."""

    def as_dict(self) -> dict[str, Any]:
        """The figures as JSON holds them."""
        return asdict(self)

    def text(self) -> str:
        """The figures for people."""
        rows = [
            f"{'accuracy':24} {self.accuracy:6.2f}  [{self.low:.2f}, {self.high:.2f}]  "
            f"{self.words:,} words, 95 % interval (Wilson)",
            f"{'whole sentences':24} {self.whole:6.2f}  of {self.sentences:,}",
            f"{'macro-F1':24} {self.macro_f1:6.2f}  {len(self.tags)} tags",
            f"{f'always {shortened(self.commonest)!r}':24} {self.baseline:6.2f}  "
            "accuracy of the majority baseline",
        ]
        if self.spans is not None:
            each = self.spans
            rows.append(
                f"{'F1 of spans':24} {each.f1:6.2f}  precision {each.precision:.2f}, recall "
                f"{each.recall:.2f}, {each.spans:,} spans"
            )
        rows += ["", f"{'tag':14}    words  precision  recall     F1"]
        rows += [
            f"{shortened(tag.label):14} {tag.texts:8,}  {tag.precision:9.1f}  {tag.recall:6.1f} "
            f"{tag.f1:6.1f}"
            for tag in self.tags
        ]
        return "\n".join(rows)


def tagging(
    right: Sequence[Sequence[str]],
    predicted: Sequence[Sequence[str]],
    commonest: str | None = None,
) -> Tagging:
    """Compare predicted tags with the right ones, sentence by sentence.

    Args:
        right: tags of the words of each sentence.
        predicted: tags of the same words.
        commonest: what the majority baseline says, the most frequent tag of the training words;
            left out, the most frequent of ``right``.

    Raises:
        EvaluationError: different numbers of sentences or words, or none.
    """
    _check(right, predicted)
    words = classification([*chain(*right)], [*chain(*predicted)], commonest)
    whole = sum(list(one) == list(other) for one, other in zip(right, predicted, strict=True))
    return Tagging(
        len(right),
        words.texts,
        words.accuracy,
        words.low,
        words.high,
        100 * whole / len(right),
        words.macro_f1,
        words.commonest,
        words.baseline,
        words.classes,
        span_figures(right, predicted) if names_spans({*chain(*right)}) else None,
    )


def _check(right: Sequence[Sequence[str]], predicted: Sequence[Sequence[str]]) -> None:
    if len(right) != len(predicted):
        raise EvaluationError(
            f"{len(predicted):,} tagged sentences and {len(right):,} right ones; expected as many."
        )
    if not any(right):
        raise EvaluationError("no words to measure a tagger on.")
    for number, (one, other) in enumerate(zip(right, predicted, strict=True), start=1):
        if len(one) != len(other):
            raise EvaluationError(
                f"sentence {number:,}: {len(other):,} predicted tags for {len(one):,} words; "
                "expected as many."
            )


def names_spans(tags: set[str]) -> bool:
    """Whether tags are of beginnings and insides of spans."""
    inside = tags - {OUTSIDE}
    return bool(inside) and all(map(_SPAN_TAG.fullmatch, inside))


def span_figures(right: Sequence[Sequence[str]], predicted: Sequence[Sequence[str]]) -> SpanFigures:
    """Precision, recall and F1 of spans over all sentences."""
    hits = expected = found = 0
    for one, other in zip(right, predicted, strict=True):
        wanted, given = spans(one), spans(other)
        hits += len(wanted & given)
        expected += len(wanted)
        found += len(given)
    return SpanFigures(
        expected,
        found,
        100 * hits / found if found else 0.0,
        100 * hits / expected if expected else 0.0,
        200 * hits / (expected + found) if expected + found else 0.0,
    )


def spans(tags: Sequence[str]) -> set[Span]:
    """The spans that the tags of a sentence name."""
    found = set[Span]()
    start, inside = 0, ""
    for word, tag in enumerate([*tags, OUTSIDE]):
        mark, _, kind = tag.partition("-")
        if inside and (mark != "I" or kind != inside):
            found.add((start, word, inside))
            inside = ""
        if mark in ("B", "I") and not inside:
            start, inside = word, kind
    return found
