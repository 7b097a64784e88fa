"""The filters that a recipe asks for."""

from __future__ import annotations

from seqloom.corpus.filters import (
    ControlFilter,
    EmptyFilter,
    Filter,
    IdenticalFilter,
    LengthFilter,
    NumbersFilter,
    PlaceholderFilter,
    RatioFilter,
    RepetitionFilter,
    ScriptFilter,
)
from seqloom.corpus.pairs import Corpus
from seqloom.recipe import DataRecipe

CHARACTERS_A_TOKEN = 16
"""Texts of more than ``max_length`` times this many characters are dropped before cutting."""


def length_filter(recipe: DataRecipe) -> LengthFilter:
    """Against texts that no tokenizer would bring below the limit."""
    return LengthFilter(recipe.max_length * CHARACTERS_A_TOKEN)


def filters_of(recipe: DataRecipe, corpus: Corpus) -> list[Filter]:
    """The filters for a corpus, cheap and certain ones first; duplicates are no filter's matter."""
    optional: dict[str, Filter] = {
        "control": ControlFilter(),
        "identical": IdenticalFilter(),
        "repetition": RepetitionFilter(recipe.max_run),
        "script": ScriptFilter(corpus.source_language, corpus.target_language, recipe.min_script),
        "numbers": NumbersFilter(recipe.max_number_difference),
        "placeholders": PlaceholderFilter(recipe.max_placeholder_difference),
    }
    chosen = {*optional} if "all" in recipe.filters else {*recipe.filters}
    return [
        EmptyFilter(),
        length_filter(recipe),
        RatioFilter(recipe.max_ratio),
        *(rule for name, rule in optional.items() if name in chosen),
    ]
