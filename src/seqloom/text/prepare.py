"""From a corpus to what training reads: clean pairs, a split, tokenizers and the token store.

A prepared folder holds::

    train.parquet  validation.parquet    clean pairs
    train.arrow    validation.arrow      their token ids row by row, memory-mapped
    tokenizer.json [tokenizer.target.json]
    report.json                          what was kept, what was dropped and why
    recipe.json                          how the folder was made, and from what

It is written under a temporary name and renamed, so a folder that exists is whole.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from seqloom.corpus.pairs import Corpus, Pair, Progress
from seqloom.corpus.readers import read_corpus
from seqloom.corpus.store import TokenStore
from seqloom.recipe import DataRecipe
from seqloom.text.growth import given_tokenizers, with_tags
from seqloom.text.material import materials, tags_of
from seqloom.text.origin import Origin
from seqloom.text.preparation import Preparation, vocabulary_size
from seqloom.text.prepared_folder import (
    check_same,
    is_taken,
    read_json,
    read_made,
    whole_folder,
    write_json,
)
from seqloom.text.tokenizer import Tokenizers

__all__ = ["Prepared", "load_prepared", "prepare", "vocabulary_size"]

FORMAT = 1
KIND = "pairs"


@dataclass(frozen=True)
class Prepared:
    """A prepared folder, opened."""

    folder: Path
    tokenizers: Tokenizers
    train: TokenStore
    validation: TokenStore
    validation_pairs: list[Pair]
    """Row by row the texts behind ``validation``."""
    report: dict[str, Any]
    recipe: DataRecipe
    """How it was made; the languages are those that the corpus knew."""


def prepare(
    recipe: DataRecipe,
    out: str | Path,
    *,
    corpus: Corpus | None = None,
    validation: Corpus | None = None,
    tokenizers: Tokenizers | None = None,
    workers: int = 1,
    progress: Progress | None = None,
    warn: Callable[[str], None] = warnings.warn,
) -> Prepared:
    """Clean corpora, hold pairs out, learn their tokenizers and write everything to ``out``.

    The same call on a folder that it made before returns that folder at once; after an interruption
    it goes on where it was.

    Args:
        recipe: files (unless ``corpus`` is given), languages, filters, tokenizer, limits.
        out: the folder to write.
        corpus: pairs to use instead of the recipe's files.
        validation: held-out pairs to use instead of the recipe's files.
        tokenizers: cut the pairs, with new tokens for tags that they lack; some are learned from
            the pairs when left out.
        workers: processes that clean and encode a large corpus; the result is the same for any.
        progress: called now and then while a stage runs.
        warn: told what was passed over in a broken file, if the recipe allows that.

    Raises:
        CorpusError: a file cannot be read, or nothing is left after cleaning.
        TokenizerError: the vocabulary asked for cannot be had from the text.
        RecipeError: no corpus is named, or a language is missing for the tag.
        FolderError: ``out`` holds something else, or cannot be written.
    """
    out = Path(out)
    found = materials(recipe, corpus, validation, warn)
    if not recipe.corpora:
        recipe = _with_languages(recipe, found[0].corpus)
    known = given_tokenizers(recipe) if tokenizers is None else tokenizers.sides
    known = with_tags(known, tags_of(found))
    prints = [each.fingerprint if each else "" for each in known]
    origin = Origin.of_pairs(recipe, found, " ".join(prints) if any(prints) else None)
    if is_taken(out):
        check_same(out, origin)
        return load_prepared(out)
    with whole_folder(out, origin) as folder:
        Preparation(recipe, folder, workers, progress or quiet, known).run(found)
        write_json(folder / "recipe.json", {"format": FORMAT, **origin.as_dict()})
    return load_prepared(out)


def load_prepared(folder: str | Path) -> Prepared:
    """Open a prepared folder; takes milliseconds for any number of training pairs.

    Raises:
        FolderError: the folder or one of its files is missing or damaged.
    """
    folder = Path(folder)
    made = read_made(folder, FORMAT, KIND)
    return Prepared(
        folder=folder,
        tokenizers=Tokenizers.load(folder),
        train=TokenStore.open(folder / "train.arrow"),
        validation=TokenStore.open(folder / "validation.arrow"),
        validation_pairs=list(read_corpus(folder / "validation.parquet").pairs()),
        report=read_json(folder / "report.json"),
        recipe=DataRecipe(**made["recipe"]),
    )


def quiet(stage: str, done: int, total: int | None, note: str = "") -> None:
    """Show nothing."""


def _with_languages(recipe: DataRecipe, corpus: Corpus) -> DataRecipe:
    """The recipe with the languages that the corpus knows."""
    languages = {
        "source_language": recipe.source_language or corpus.source_language,
        "target_language": recipe.target_language or corpus.target_language,
    }
    return recipe.model_copy(update=languages)
