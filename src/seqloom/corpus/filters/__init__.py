"""Filters from batch to batch. Each scores pairs and, apart from that, accepts scores.

So a threshold can be looked at before it is chosen. :mod:`base` says what a filter is,
:mod:`cleaning` puts filters behind a corpus.
"""

from seqloom.corpus.filters.base import Filter
from seqloom.corpus.filters.characters import ControlFilter, ScriptFilter
from seqloom.corpus.filters.cleaning import apply, clean
from seqloom.corpus.filters.duplicates import (
    DuplicateFilter,
    IdenticalFilter,
    NearDuplicateFilter,
    OverlapFilter,
)
from seqloom.corpus.filters.lengths import EmptyFilter, LengthFilter, RatioFilter, ShortFilter
from seqloom.corpus.filters.numbers import NumbersFilter
from seqloom.corpus.filters.placeholders import PlaceholderFilter
from seqloom.corpus.filters.repetition import RepetitionFilter

__all__ = [
    "ControlFilter",
    "DuplicateFilter",
    "EmptyFilter",
    "Filter",
    "IdenticalFilter",
    "LengthFilter",
    "NearDuplicateFilter",
    "NumbersFilter",
    "OverlapFilter",
    "PlaceholderFilter",
    "RatioFilter",
    "RepetitionFilter",
    "ScriptFilter",
    "ShortFilter",
    "apply",
    "clean",
]
