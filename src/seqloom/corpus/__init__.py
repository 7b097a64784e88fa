"""Files on disk become pairs: readers, filters, the split, and the token store."""

from seqloom.corpus.filters import (
    ControlFilter,
    DuplicateFilter,
    EmptyFilter,
    Filter,
    IdenticalFilter,
    LengthFilter,
    NearDuplicateFilter,
    NumbersFilter,
    OverlapFilter,
    PlaceholderFilter,
    RatioFilter,
    RepetitionFilter,
    ScriptFilter,
    clean,
)
from seqloom.corpus.formats import FORMATS, Format, Reading
from seqloom.corpus.pairs import SCHEMA, Corpus, Pair
from seqloom.corpus.readers import read_corpus
from seqloom.corpus.report import Report
from seqloom.corpus.split import split
from seqloom.corpus.store import StoreWriter, TokenStore

__all__ = [
    "FORMATS",
    "SCHEMA",
    "ControlFilter",
    "Corpus",
    "DuplicateFilter",
    "EmptyFilter",
    "Filter",
    "Format",
    "IdenticalFilter",
    "LengthFilter",
    "NearDuplicateFilter",
    "NumbersFilter",
    "OverlapFilter",
    "Pair",
    "PlaceholderFilter",
    "RatioFilter",
    "Reading",
    "RepetitionFilter",
    "Report",
    "ScriptFilter",
    "StoreWriter",
    "TokenStore",
    "clean",
    "read_corpus",
    "split",
]
