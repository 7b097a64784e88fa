"""Files on disk become pairs: readers, filters, the split, and the token store."""

from seqloom.corpus.filters import (
    DuplicateFilter,
    EmptyFilter,
    Filter,
    LengthFilter,
    OverlapFilter,
    RatioFilter,
    clean,
)
from seqloom.corpus.pairs import SCHEMA, Corpus, Pair
from seqloom.corpus.readers import READERS, Reader, read_corpus
from seqloom.corpus.report import Report
from seqloom.corpus.split import split
from seqloom.corpus.store import StoreWriter, TokenStore

__all__ = [
    "READERS",
    "SCHEMA",
    "Corpus",
    "DuplicateFilter",
    "EmptyFilter",
    "Filter",
    "LengthFilter",
    "OverlapFilter",
    "Pair",
    "RatioFilter",
    "Reader",
    "Report",
    "StoreWriter",
    "TokenStore",
    "clean",
    "read_corpus",
    "split",
]
