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
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from seqloom.corpus.pairs import Corpus, Pair
from seqloom.corpus.readers import read_corpus
from seqloom.corpus.store import TokenStore
from seqloom.errors import FolderError, RecipeError, writing
from seqloom.recipe import DataRecipe
from seqloom.text.origin import Origin
from seqloom.text.preparation import Preparation, Progress, vocabulary_size, write_json
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
    progress: Progress | None = None,
) -> Prepared:
    """Clean a corpus, hold pairs out, learn its tokenizers and write everything to ``out``.

    The same call on a folder that it made before returns that folder at once.

    Args:
        recipe: files (unless ``corpus`` is given), languages, tokenizer, limits.
        out: the folder to write.
        corpus: pairs to use instead of the recipe's files.
        validation: held-out pairs to use instead of the recipe's files.
        progress: called now and then while a stage runs.

    Raises:
        CorpusError: a file cannot be read, or nothing is left after cleaning.
        TokenizerError: the vocabulary asked for cannot be had from the text.
        RecipeError: no corpus is named, or a language is missing for the tag.
        FolderError: ``out`` holds something else, or cannot be written.
    """
    out = Path(out)
    files: dict[str, list[str]] = {}
    if corpus is None:
        corpus, files["corpus"] = _read(recipe, "source", "target")
    if corpus is None:
        raise RecipeError("prepare", ["data.source: no corpus; name its files, or pass a corpus"])
    if validation is None:
        validation, files["validation"] = _read(recipe, "validation_source", "validation_target")
    recipe = _with_languages(recipe, corpus)
    origin = Origin(recipe, {"corpus": corpus, "validation": validation}, files)
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        return _reopen(out, origin)
    with _whole_folder(out) as folder:
        Preparation(recipe, folder, progress or _quiet).run(corpus, validation)
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


def _quiet(stage: str, done: int, total: int | None) -> None:
    """Show nothing."""


def _read(recipe: DataRecipe, source: str, target: str) -> tuple[Corpus | None, list[str]]:
    """The corpus behind two fields of the recipe, and its files; None if there is none."""
    places = [getattr(recipe, source), getattr(recipe, target)]
    if places[0] is None:
        if places[1] is not None:
            raise RecipeError(
                "prepare",
                [f"data.{source}: missing, while data.{target} is {places[1]}; give both"],
            )
        return None, []
    corpus = read_corpus(
        *places,
        source_language=recipe.source_language,
        target_language=recipe.target_language,
    )
    return corpus, [place for place in places if place is not None]


def _with_languages(recipe: DataRecipe, corpus: Corpus) -> DataRecipe:
    """The recipe with the languages that the corpus knows."""
    languages = {
        "source_language": recipe.source_language or corpus.source_language,
        "target_language": recipe.target_language or corpus.target_language,
    }
    if recipe.tag and not languages["target_language"]:
        raise RecipeError(
            "prepare",
            ["data.target_language: needed for data.tag; set it to a code such as de"],
        )
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
def _whole_folder(out: Path) -> Iterator[Path]:
    """A temporary folder beside ``out`` that takes its name at the end and vanishes on failure."""
    temporary = out.with_name(f".{out.name}.part")
    with writing(out):
        out.parent.mkdir(parents=True, exist_ok=True)
        if temporary.exists():  # left behind by a run that was killed
            shutil.rmtree(temporary)
        temporary.mkdir()
        try:
            yield temporary
            if out.exists():
                out.rmdir()
            temporary.rename(out)
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
