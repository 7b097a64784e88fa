"""From running text to what training a language model reads: a tokenizer and document stores.

A prepared folder holds::

    train.arrow  validation.arrow    token ids document by document, memory-mapped
    tokenizer.json
    report.json                      what was kept, what was dropped and why
    recipe.json                      how the folder was made, and from what

It is written under a temporary name and renamed, so a folder that exists is whole.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from seqloom.corpus.document_store import DocumentStore
from seqloom.corpus.pairs import Corpus, Progress
from seqloom.corpus.texts import read_texts, text_files
from seqloom.errors import RecipeError
from seqloom.recipe import TextRecipe
from seqloom.text.origin import Origin
from seqloom.text.prepare import quiet
from seqloom.text.prepared_folder import (
    check_same,
    is_taken,
    read_json,
    read_made,
    whole_folder,
    write_json,
)
from seqloom.text.text_preparation import TextPreparation
from seqloom.text.tokenizer import SOURCE_FILE, Tokenizer

FORMAT = 1
KIND = "texts"
FILES = ("sources", "validation_sources", "dialogues")
"""Fields of a recipe's data that name files."""


@dataclass(frozen=True)
class PreparedTexts:
    """A prepared folder of running text, opened."""

    folder: Path
    tokenizer: Tokenizer
    train: DocumentStore
    validation: DocumentStore
    report: dict[str, Any]
    recipe: TextRecipe
    """How it was made, but for the names of its files."""
    dialogues: bool = False
    """The lengths beside a document's ids are those of stretches that are read and said in turn."""


def prepare_texts(
    recipe: TextRecipe,
    out: str | Path,
    *,
    corpus: Corpus | None = None,
    validation: Corpus | None = None,
    tokenizer: Tokenizer | None = None,
    workers: int = 1,
    progress: Progress | None = None,
) -> PreparedTexts:
    """Clean texts, hold some out, learn their tokenizer and write everything to ``out``.

    The same call on a folder that it made before returns that folder at once; after an interruption
    it goes on where it was.

    Args:
        recipe: files (unless ``corpus`` is given), what a document is, tokenizer.
        out: the folder to write.
        corpus: documents to use instead of the recipe's files, as sources without targets.
        validation: held-out documents to use instead of the recipe's files.
        tokenizer: cuts the texts; one is learned from them when left out.
        workers: processes that clean and encode a large corpus; the result is the same for any.
        progress: called now and then while a stage runs.

    Raises:
        CorpusError: a file cannot be read, or nothing is left after cleaning.
        TokenizerError: the vocabulary asked for cannot be had from the text.
        RecipeError: no text is named.
        FolderError: ``out`` holds something else, or cannot be written.
    """
    out = Path(out)
    if corpus is None and not recipe.sources:
        raise RecipeError("texts", ["data.sources: name the files of text to learn from"])
    files = text_files(recipe.sources) if corpus is None else []
    validation_files = text_files(recipe.validation_sources) if validation is None else []
    corpus = corpus or _read(recipe, files)
    if validation_files:
        validation = _read(recipe, validation_files)
    fields = recipe.model_dump(mode="json", exclude={*FILES, "chat"})
    origin = Origin(
        fields,
        {"texts": (corpus, files), "validation": (validation, validation_files)},
        None if tokenizer is None else tokenizer.fingerprint,
    )
    if is_taken(out):
        check_same(out, origin)
        return load_prepared_texts(out)
    with whole_folder(out, origin) as folder:
        work = TextPreparation(recipe, folder, workers, progress or quiet, tokenizer)
        work.run(corpus, validation)
        write_json(folder / "recipe.json", {"format": FORMAT, "kind": KIND, **origin.as_dict()})
    return load_prepared_texts(out)


def load_prepared_texts(folder: str | Path, kind: str = KIND) -> PreparedTexts:
    """Open a prepared folder of running text; takes milliseconds for any number of documents.

    Args:
        folder: what :func:`prepare_texts` wrote, or its like.
        kind: what it should hold.

    Raises:
        FolderError: the folder or one of its files is missing or damaged, or it holds another kind.
    """
    folder = Path(folder)
    made = read_made(folder, FORMAT, kind)
    return PreparedTexts(
        folder=folder,
        tokenizer=Tokenizer.load(folder / SOURCE_FILE),
        train=DocumentStore.open(folder / "train.arrow"),
        validation=DocumentStore.open(folder / "validation.arrow"),
        report=read_json(folder / "report.json"),
        recipe=TextRecipe(**made["recipe"]),
        dialogues=kind != KIND,
    )


def _read(recipe: TextRecipe, files: Sequence[str]) -> Corpus:
    return read_texts(files, documents=recipe.documents, column=recipe.column)
