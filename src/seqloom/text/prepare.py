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
import math
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from seqloom.corpus.filters import (
    DuplicateFilter,
    EmptyFilter,
    Filter,
    LengthFilter,
    OverlapFilter,
    RatioFilter,
    clean,
)
from seqloom.corpus.pairs import Corpus, Pair
from seqloom.corpus.readers import read_corpus
from seqloom.corpus.split import split
from seqloom.corpus.store import TokenStore
from seqloom.errors import CorpusError, FolderError, RecipeError, writing
from seqloom.recipe import DataRecipe
from seqloom.text.encoding import Encoder
from seqloom.text.origin import Origin
from seqloom.text.tokenizer import Tokenizer, Tokenizers

Progress = Callable[[str, int, int | None], None]
"""Called with the name of a stage, how much is done, and of how much (None: not known)."""

FORMAT = 1
CHARACTERS_A_TOKEN = 16
"""Texts of more than ``max_length`` times this many characters are dropped before cutting."""
VALIDATION_PAIRS = 5000
"""At most this many pairs are held out when no validation files are given."""
_LEARNING_PAIRS = 1_000_000  # pairs that the vocabulary is learned from, at most
_LARGEST = 32_000


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


def vocabulary_size(pairs: int, kind: str = "bpe", joint: bool = True) -> int:
    """The vocabulary size for a corpus when none is asked for: an upper bound, met if the text can.

    Joint subwords: 47 times the square root of the number of pairs, in hundreds, between 1000 and
    32000: 29 000 pairs get 8000, a million 32 000. A vocabulary of one side gets 60 % of that,
    words twice as much. Characters: all, up to 8000.
    """
    if kind == "character":
        return 8000
    size = 47 * math.sqrt(pairs) * (1 if joint else 0.6) * (2 if kind == "word" else 1)
    return int(min(max(round(size, -2), 1000), _LARGEST))


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
        _write_json(folder / "recipe.json", {"format": FORMAT, **origin.as_dict()})
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
    )


class Preparation:
    """One preparation into an empty folder: the stages in the order in which they happen."""

    def __init__(self, recipe: DataRecipe, folder: Path, progress: Progress) -> None:
        self.recipe = recipe
        self.folder = folder
        self.progress = progress

    def run(self, corpus: Corpus, validation: Corpus | None) -> None:
        """Go through all stages and write the report."""
        report: dict[str, Any] = {"version": 1, "kind": "preparation", "corpus": corpus.name}
        report["cleaning"] = self._write_pairs(corpus, validation)
        counts = {
            name: pq.read_metadata(self._path(name)).num_rows for name in ("train", "validation")
        }
        self._check_not_empty(corpus.name, counts)
        tokenizers = self._learn(self._clean("train"), counts["train"])
        tokenizers.save(self.folder)
        report["vocabulary"] = {
            "kind": tokenizers.source.kind,
            "joint": tokenizers.joint,
            "source": tokenizers.source.size,
            "target": tokenizers.target.size,
        }
        for name, total in counts.items():
            report[name] = self._store(name, tokenizers, total)
            if not report[name]["pairs"]:
                raise CorpusError(
                    f"{corpus.name}: every {name} pair has a side of more than "
                    f"{self.recipe.max_length} tokens; raise data.max_length."
                )
        _write_json(self.folder / "report.json", report)

    def _path(self, name: str) -> Path:
        """Clean pairs before the token limit; gone when the folder is finished."""
        return self.folder / f"{name}.clean.parquet"

    def _clean(self, name: str) -> Corpus:
        """The clean pairs on disk."""
        return read_corpus(self._path(name))

    def _write_pairs(self, corpus: Corpus, validation: Corpus | None) -> dict[str, Any]:
        """Clean and split into the two Parquet files; returns what cleaning dropped."""
        found: dict[str, Any] = {}
        if validation is None:
            cleaned, report = clean(corpus, self._filters(None))
            train, held_out = split(cleaned, self.recipe.validation_share, limit=VALIDATION_PAIRS)
        else:
            # The given set is kept as it is, duplicates and all, so that figures stay comparable.
            held_out, held_report = clean(validation, [EmptyFilter(), self._length_filter()])
            self._watched(held_out, "clean validation").write(self._path("validation"))
            found["validation"] = held_report.as_dict()
            held_out = validation.derive(self._clean("validation").batches)
            train, report = clean(corpus, self._filters(held_out))
        self._watched(train, "clean").write(self._path("train"))
        found["train"] = report.as_dict()
        if validation is None:
            self._watched(held_out, "hold out").write(self._path("validation"))
        return found

    def _filters(self, held_out: Corpus | None) -> list[Filter]:
        filters: list[Filter] = [
            EmptyFilter(),
            self._length_filter(),
            RatioFilter(self.recipe.max_ratio),
        ]
        if self.recipe.deduplicate:
            filters.append(DuplicateFilter())
        if held_out is not None:
            filters.append(OverlapFilter(held_out))
        return filters

    def _length_filter(self) -> LengthFilter:
        return LengthFilter(self.recipe.max_length * CHARACTERS_A_TOKEN)

    def _check_not_empty(self, name: str, counts: dict[str, int]) -> None:
        if not counts["train"]:
            raise CorpusError(
                f"{name}: no training pair is left after cleaning; see the limits "
                "data.max_length and data.max_ratio, and whether both sides hold text."
            )
        if not counts["validation"]:
            raise CorpusError(
                f"{name}: no validation pair beside {counts['train']} training pairs. Give "
                "validation files, add text, or raise data.validation_share "
                f"({self.recipe.validation_share})."
            )

    def _learn(self, train: Corpus, pairs: int) -> Tokenizers:
        recipe = self.recipe
        stride = math.ceil(pairs / _LEARNING_PAIRS)
        sources: list[str] = []
        targets: list[str] = []
        for pair in islice(train.pairs(), 0, None, stride):
            sources.append(pair.source)
            targets.append(pair.target)
        size = recipe.vocabulary or vocabulary_size(pairs, recipe.tokenizer, recipe.joint)
        tags = [recipe.target_language] if recipe.tag and recipe.target_language else []

        def learned(texts: list[str], tags: list[str]) -> Tokenizer:
            exact = recipe.vocabulary is not None
            return Tokenizer.train(texts, recipe.tokenizer, size, tags=tags, exact=exact)

        total = 1 if recipe.joint else 2
        self.progress("tokenizer", 0, total)
        source = learned(sources + targets if recipe.joint else sources, tags)
        target = source if recipe.joint else learned(targets, [])
        self.progress("tokenizer", total, total)
        return Tokenizers(source, target)

    def _store(self, name: str, tokenizers: Tokenizers, total: int) -> dict[str, Any]:
        stage = "encode" if name == "train" else f"encode {name}"
        encoder = Encoder(
            tokenizers,
            tag=self.recipe.target_language if self.recipe.tag else None,
            max_length=self.recipe.max_length,
            progress=lambda done: self.progress(stage, done, total),
        )
        folder = self.folder
        counts = encoder.write(
            self._clean(name), folder / f"{name}.arrow", folder / f"{name}.parquet"
        )
        self._path(name).unlink()
        return counts

    def _watched(self, corpus: Corpus, stage: str) -> Corpus:
        def batches() -> Iterator[Any]:
            done = 0
            for batch in corpus.batches():
                done += batch.num_rows
                self.progress(stage, done, None)
                yield batch

        return corpus.derive(batches)


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


def _write_json(path: Path, values: dict[str, Any]) -> None:
    text = json.dumps(values, ensure_ascii=False, indent=2) + "\n"
    path.write_text(text, encoding="utf-8")


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
