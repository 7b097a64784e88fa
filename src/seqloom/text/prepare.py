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

import json
import shutil
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from seqloom.corpus.pairs import Corpus, Pair, Progress
from seqloom.corpus.readers import read_corpus
from seqloom.corpus.store import TokenStore
from seqloom.errors import FolderError, writing
from seqloom.recipe import DataRecipe
from seqloom.text.material import materials
from seqloom.text.origin import Origin
from seqloom.text.preparation import Preparation, vocabulary_size, write_json
from seqloom.text.tokenizer import Tokenizers

__all__ = ["Prepared", "load_prepared", "prepare", "vocabulary_size"]

FORMAT = 1


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
    origin = Origin(recipe, found)
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        return _reopen(out, origin)
    with _whole_folder(out, origin) as folder:
        Preparation(recipe, folder, workers, progress or _quiet).run(found)
        write_json(folder / "recipe.json", {"format": FORMAT, **origin.as_dict()})
    return load_prepared(out)


def load_prepared(folder: str | Path) -> Prepared:
    """Open a prepared folder; takes milliseconds for any number of training pairs.

    Raises:
        FolderError: the folder or one of its files is missing or damaged.
    """
    folder = Path(folder)
    made = _read_json(folder / "recipe.json")
    if made.get("format") != FORMAT:
        raise FolderError(
            f"{folder}: a prepared folder of format {made.get('format')!r}, and this version reads "
            f"format {FORMAT}; prepare the corpus again."
        )
    return Prepared(
        folder=folder,
        tokenizers=Tokenizers.load(folder),
        train=TokenStore.open(folder / "train.arrow"),
        validation=TokenStore.open(folder / "validation.arrow"),
        validation_pairs=list(read_corpus(folder / "validation.parquet").pairs()),
        report=_read_json(folder / "report.json"),
        recipe=DataRecipe(**made["recipe"]),
    )


def _quiet(stage: str, done: int, total: int | None, note: str = "") -> None:
    """Show nothing."""


def _with_languages(recipe: DataRecipe, corpus: Corpus) -> DataRecipe:
    """The recipe with the languages that the corpus knows."""
    languages = {
        "source_language": recipe.source_language or corpus.source_language,
        "target_language": recipe.target_language or corpus.target_language,
    }
    return recipe.model_copy(update=languages)


def _reopen(out: Path, origin: Origin) -> Prepared:
    """An existing folder, if it was made from the same."""
    if not out.is_dir():
        raise FolderError(f"{out} is a file; name a new folder for the prepared corpus.")
    if not (out / "recipe.json").exists():
        raise FolderError(
            f"{out} exists and is not a prepared folder; choose another place for the output."
        )
    differences = origin.differences(_read_json(out / "recipe.json"))
    if differences:
        raise FolderError(
            f"{out} holds another preparation, with other {', '.join(differences)}; "
            "choose another folder, or delete this one."
        )
    return load_prepared(out)


@contextmanager
def _whole_folder(out: Path, origin: Origin) -> Iterator[Path]:
    """A temporary folder beside ``out`` that takes its name at the end.

    It vanishes on failure, but stays if the work is interrupted: then it is found here again by
    whoever prepares the same.
    """
    temporary = out.with_name(f".{out.name}.part")
    begun = temporary / "begun.json"
    with writing(out):
        out.parent.mkdir(parents=True, exist_ok=True)
        if temporary.exists() and not origin.began(begun):
            shutil.rmtree(temporary)
        temporary.mkdir(exist_ok=True)
        write_json(begun, origin.stamped())
        try:
            yield temporary
            begun.unlink()
            if out.exists():
                out.rmdir()
            temporary.rename(out)
        except KeyboardInterrupt:
            raise
        except BaseException:
            shutil.rmtree(temporary, ignore_errors=True)
            raise


def _read_json(path: Path) -> dict[str, Any]:
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise FolderError(
            f"{path.parent} is not a prepared folder: {path.name} is missing. "
            "Make one with: seqloom prepare FILE... --out DIR"
        ) from None
    except (OSError, ValueError) as error:
        raise FolderError(f"{path}: damaged ({error}); prepare the corpus again.") from None
    if not isinstance(values, dict):
        raise FolderError(f"{path}: damaged (no JSON object); prepare the corpus again.")
    return values
