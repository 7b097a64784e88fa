"""What the doctor found out about a corpus, as a value, as text and as a record."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, replace
from typing import Any

from seqloom.corpus.doctor.advice import Setting
from seqloom.corpus.doctor.duplicates import Numbers, Repeats, Variants
from seqloom.corpus.doctor.leakage import Leakage
from seqloom.corpus.doctor.lengths import Lengths, Ratio
from seqloom.corpus.doctor.quotes import Quotes
from seqloom.corpus.doctor.stretches import Stretch
from seqloom.corpus.doctor.text import describe

VERSION = 1
"""Version of the record."""


@dataclass(frozen=True)
class SideReport:
    """One side of the corpus."""

    language: str | None
    """As the corpus names it."""
    expected: str | None
    """What the identifier calls the language that the texts should be in; None if unknown."""
    languages: dict[str, float]
    """Shares of the languages in a sample."""
    foreign: dict[str, int]
    """Texts in other languages than the expected one."""
    scripts: dict[str, float]
    """Shares of the letters of a sample."""
    words: int
    unit: str
    """What ``words`` counts: ``words`` between spaces, or ``characters``."""
    empty: int
    lengths: Lengths


@dataclass(frozen=True)
class Duplication:
    """What comes more than once."""

    equal: Repeats
    alike: Repeats
    """Equal in their normal form; equal ones counted too."""
    sources: Variants
    """Source texts with several targets."""
    targets: Variants


@dataclass(frozen=True)
class Alignment:
    """Where the sides are shifted against each other."""

    stretches: list[Stretch]
    needed: int | None
    """About how many pairs a stretch must have to be found; None: too few to tell."""
    usual_offset: int
    word_pairs: list[tuple[str, str]]
    """Words that the corpus shows to be translations, the most telling first."""


@dataclass(frozen=True)
class SignCount:
    """How often a sign was seen."""

    says: str
    pairs: int
    examples: list[int]
    """Numbers of the most suspicious pairs with it."""


@dataclass(frozen=True)
class Suspect:
    """A suspicious pair."""

    pair: int
    score: float
    signs: dict[str, float]
    """What each sign adds to the score."""
    details: list[str]


@dataclass(frozen=True)
class Examination:
    """Everything that was found out. Pairs have numbers from 1 on: lines, where files have no
    header."""

    corpus: str
    pairs: int
    complete: bool
    """False if only the beginning of the corpus was looked at."""
    identified: int
    """Pairs whose languages were identified."""
    source: SideReport
    target: SideReport
    edges: list[float]
    """Edges of the bars of both histograms of lengths."""
    ratio: Ratio
    duplicates: Duplication
    leakage: list[Leakage]
    alignment: Alignment
    signs: dict[str, SignCount]
    suspects: list[Suspect]
    strip: dict[str, list[float]]
    """Along the corpus, part by part: mean ``suspicion`` and the share that is ``shifted``."""
    settings: list[Setting]
    cleaning: list[Setting]
    texts: Quotes = field(repr=False)
    """The texts of all pairs named above, shortened."""
    numbers: dict[str, Numbers] = field(repr=False)
    """Numbers of all pairs with each sign, and of those that are ``duplicate``, ``near_duplicate``
    or ``overlap`` with a held-out set; not part of the record."""

    def named(self) -> set[int]:
        """Numbers of all pairs that are named."""
        repeated = (self.duplicates.equal, self.duplicates.alike)
        variant = (self.duplicates.sources, self.duplicates.targets)
        groups = [group for part in (*repeated, *variant) for group in part.examples]
        groups += [side.lengths.longest for side in (self.source, self.target)]
        groups += [sign.examples for sign in self.signs.values()]
        groups += [[leak.pair for leak in leakage.examples] for leakage in self.leakage]
        groups += [[stretch.first, stretch.last] for stretch in self.alignment.stretches]
        groups.append([suspect.pair for suspect in self.suspects])
        return {number for group in groups for number in group}

    def as_dict(self) -> dict[str, Any]:
        """The versioned record, for JSON and for :func:`seqloom.corpus.doctor.write_page`."""
        values = asdict(replace(self, numbers={}))
        del values["numbers"]
        values["texts"] = {str(number): list(pair) for number, pair in self.texts.items()}
        return {"version": VERSION, "kind": "examination", **values}

    def text(self) -> str:
        """The findings for people."""
        return describe(self.as_dict())
