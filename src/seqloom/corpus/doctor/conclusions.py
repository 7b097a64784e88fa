"""What follows from two readings of a corpus."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from seqloom.corpus.doctor.advice import Facts, cleaning_for, settings_for
from seqloom.corpus.doctor.duplicates import Numbers, repeats, variants
from seqloom.corpus.doctor.evidence import UNRELATED, Lines, common_ground, weights_of
from seqloom.corpus.doctor.examination import (
    Alignment,
    Duplication,
    Examination,
    SideReport,
    SignCount,
    Suspect,
)
from seqloom.corpus.doctor.identification import Side
from seqloom.corpus.doctor.leakage import Leakage
from seqloom.corpus.doctor.lengths import OUTLYING, Ratio, bar_edges, lengths_of, ratio_of
from seqloom.corpus.doctor.signs import SAYS, Codes, SignReader
from seqloom.corpus.doctor.stretches import Search, find_stretches, in_place, shifted
from seqloom.corpus.doctor.survey import Survey
from seqloom.corpus.doctor.suspicion import Suspicions, density, weigh
from seqloom.corpus.doctor.wordpairs import WordPairs
from seqloom.corpus.features import Features
from seqloom.corpus.scripts import script_counts

WITHOUT_SPACES = frozenset(
    ("Han", "Hiragana", "Katakana", "Thai", "Lao", "Khmer", "Myanmar", "Tibetan")
)
"""Scripts that have no spaces between words."""


@dataclass(frozen=True)
class Case:
    """All that the readings of a corpus tell."""

    name: str
    complete: bool
    codes: Codes
    survey: Survey
    samples: tuple[Sequence[str], Sequence[str]]
    sides: tuple[Side, Side]
    usual: int
    word_pairs: WordPairs
    every: int
    reader: SignReader
    leakage: list[Leakage]
    overlap: Numbers
    """Pairs that share a text with a held-out set."""


@dataclass(frozen=True)
class _Weighed:
    """Shifts and suspicions."""

    ratio: Ratio
    away: NDArray[np.float32]
    common: NDArray[np.float64]
    search: Search
    suspicions: Suspicions


def conclude(case: Case) -> Examination:
    """Everything but the texts of the pairs that are named."""
    features = case.survey.features()
    weighed = _weigh(case, *features)
    suspicions, stretches = weighed.suspicions, weighed.search.stretches
    inside = shifted(stretches, case.survey.pairs)
    edges = bar_edges(*features)
    sides = [_side(case, side, features[side], edges) for side in (0, 1)]
    duplicates, repeated = _duplicates(case, features)
    facts = _facts(case, sides, duplicates, suspicions)
    return Examination(
        corpus=case.name,
        pairs=case.survey.pairs,
        complete=case.complete,
        identified=-(-case.survey.pairs // case.every),
        source=sides[0],
        target=sides[1],
        edges=edges,
        ratio=weighed.ratio,
        duplicates=duplicates,
        leakage=case.leakage,
        alignment=Alignment(
            stretches, weighed.search.needed, case.usual, list(case.word_pairs.pairs)
        ),
        signs=_signs(suspicions),
        suspects=[_suspect(case, weighed, pair) for pair in suspicions.worst(inside)],
        strip={"suspicion": density(suspicions.scores), "shifted": density(inside)},
        settings=settings_for(facts),
        cleaning=cleaning_for(facts),
        texts={},
        numbers={name: sign.pairs + 1 for name, sign in suspicions.signs.items()}
        | repeated
        | {"overlap": case.overlap},
    )


def _weigh(case: Case, source: Features, target: Features) -> _Weighed:
    ratio, away = ratio_of(source, target)
    digests = case.survey.digests()
    weights = weights_of(digests.source, digests.target)
    lines = Lines(source, target, *case.reader.bits(), weights, ratio.median, ratio.spread)
    search = find_stretches(lines, case.usual)
    common = common_ground(lines, in_place(search.stretches, len(lines)))
    filled = (source.lengths > 0) & (target.lengths > 0)
    marks = {
        **case.reader.marks(),
        "shifted": shifted(search.stretches, len(lines)),
        "ratio": np.abs(away) > OUTLYING,
        "unrelated": (common < UNRELATED) & filled,
    }
    extremes = {"ratio": np.abs(away), "unrelated": -common}
    suspicions = weigh({name: marks[name] for name in SAYS}, extremes)
    return _Weighed(ratio, away, common, search, suspicions)


def _signs(suspicions: Suspicions) -> dict[str, SignCount]:
    found: dict[str, SignCount] = {}
    for name, says in SAYS.items():
        examples = [pair + 1 for pair in suspicions.examples(name)]
        found[name] = SignCount(says, len(suspicions.signs[name].pairs), examples)
    return found


def _side(case: Case, side: int, features: Features, edges: list[float]) -> SideReport:
    scripts = _scripts(case.samples[side])
    without_spaces = next(iter(scripts), None) in WITHOUT_SPACES
    found = case.sides[side]
    lengths = lengths_of(features, edges)
    names = Counter(pair[side] for pair in case.reader.foreign().values())
    return SideReport(
        language=case.codes[side],
        expected=found.expected,
        languages=found.shares,
        foreign={name: count for name, count in names.most_common() if name is not None},
        scripts=scripts,
        words=lengths.characters if without_spaces else case.survey.words[side],
        unit="characters" if without_spaces else "words",
        empty=int((features.lengths == 0).sum()),
        lengths=lengths,
    )


def _scripts(texts: Sequence[str]) -> dict[str, float]:
    counts = Counter(
        {name: int(of.sum()) for name, of in script_counts(pa.array(texts, pa.string())).items()}
    )
    total = max(counts.total(), 1)
    return {name: count / total for name, count in counts.most_common()}


def _duplicates(
    case: Case, features: tuple[Features, Features]
) -> tuple[Duplication, dict[str, Numbers]]:
    digests = case.survey.digests()
    filled = (features[0].lengths > 0) & (features[1].lengths > 0)
    equal, duplicate = repeats(digests.pair)
    alike, near_duplicate = repeats(digests.alike)
    sources = variants(digests.source, digests.target, filled)
    targets = variants(digests.target, digests.source, filled)
    numbers = {"duplicate": duplicate, "near_duplicate": near_duplicate}
    return Duplication(equal, alike, sources, targets), numbers


def _suspect(case: Case, weighed: _Weighed, pair: int) -> Suspect:
    signs = weighed.suspicions.of(pair)
    details = []
    if "language" in signs:
        names = zip(("source", "target"), case.reader.foreign()[pair], strict=True)
        details += [f"{side} in {name}" for side, name in names if name]
    if "ratio" in signs:
        away = float(weighed.away[pair])
        longer = "longer" if away > 0 else "shorter"
        details.append(f"target {abs(away):.1f} deviations {longer} than expected")
    if "unrelated" in signs:
        details.append(f"evidence that they are a pair: {weighed.common[pair]:.1f}")
    return Suspect(pair + 1, float(weighed.suspicions.scores[pair]), signs, details)


def _facts(
    case: Case, sides: list[SideReport], duplicates: Duplication, suspicions: Suspicions
) -> Facts:
    pairs = case.survey.pairs
    source, target = sides
    return Facts(
        pairs=pairs - duplicates.equal.pairs,
        alike=duplicates.alike.pairs / pairs,
        scripts=(next(iter(source.scripts), None), next(iter(target.scripts), None)),
        units=(source.unit, target.unit),
        longest=(source.lengths.quantiles["99"], target.lengths.quantiles["99"]),
        signs={name: len(sign.pairs) for name, sign in suspicions.signs.items()},
        leaks=sum(leak.corpus_pairs for leak in case.leakage),
    )
