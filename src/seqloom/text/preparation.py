"""The stages of a preparation, in the order in which they happen: clean, split, learn, encode."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

from seqloom.corpus.filters import (
    DuplicateFilter,
    EmptyFilter,
    Filter,
    LengthFilter,
    OverlapFilter,
    RatioFilter,
    clean,
)
from seqloom.corpus.pairs import Corpus
from seqloom.corpus.readers import read_corpus
from seqloom.corpus.split import split
from seqloom.errors import CorpusError
from seqloom.recipe import DataRecipe
from seqloom.text.encoding import Encoder
from seqloom.text.tokenizer import Tokenizer, Tokenizers

Progress = Callable[[str, int, int | None], None]
"""Called with the name of a stage, how much is done, and of how much (None: not known)."""

CHARACTERS_A_TOKEN = 16
"""Texts of more than ``max_length`` times this many characters are dropped before cutting."""
VALIDATION_PAIRS = 5000
"""At most this many pairs are held out when no validation files are given."""
_LEARNING_PAIRS = 1_000_000  # pairs that the vocabulary is learned from, at most
_LARGEST = 32_000


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


class Preparation:
    """One preparation into an empty folder: the stages in the order in which they happen."""

    def __init__(self, recipe: DataRecipe, folder: Path, progress: Progress) -> None:
        self.recipe = recipe
        self.folder = folder
        self.progress = progress
        self._counts: dict[str, int] = {}  # clean pairs, by name of the part

    def run(self, corpus: Corpus, validation: Corpus | None) -> None:
        """Go through all stages and write the report."""
        report: dict[str, Any] = {"version": 1, "kind": "preparation", "corpus": corpus.name}
        report["cleaning"] = self._write_pairs(corpus, validation)
        tokenizers = self._learn(self._clean("train"), self._counts["train"])
        tokenizers.save(self.folder)
        report["vocabulary"] = {
            "kind": tokenizers.source.kind,
            "joint": tokenizers.joint,
            "source": tokenizers.source.size,
            "target": tokenizers.target.size,
        }
        for name in ("train", "validation"):
            report[name] = self._store(name, tokenizers)
            if not report[name]["pairs"]:
                raise CorpusError(
                    f"{corpus.name}: every {name} pair has a side of more than "
                    f"{self.recipe.max_length} tokens; raise data.max_length."
                )
        write_json(self.folder / "report.json", report)

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
            self._write("validation", held_out, "clean validation")
            found["validation"] = held_report.as_dict()
            held_out = validation.derive(self._clean("validation").batches)
            train, report = clean(corpus, self._filters(held_out))
        self._write("train", train, "clean")
        found["train"] = report.as_dict()
        if validation is None:
            self._write("validation", held_out, "hold out")
        return found

    def _write(self, name: str, corpus: Corpus, stage: str) -> None:
        """Write one part; refuse an empty one."""
        count = self._watched(corpus, stage).write(self._path(name))
        if not count and name == "train":
            raise CorpusError(
                f"{corpus.name}: no training pair is left after cleaning; see the limits "
                "data.max_length and data.max_ratio, and whether both sides hold text."
            )
        if not count:
            raise CorpusError(
                f"{corpus.name}: no validation pair. Give validation files with text on both "
                "sides, add pairs, or raise data.validation_share "
                f"({self.recipe.validation_share})."
            )
        self._counts[name] = count

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

    def _store(self, name: str, tokenizers: Tokenizers) -> dict[str, Any]:
        stage = "encode" if name == "train" else f"encode {name}"
        encoder = Encoder(
            tokenizers,
            tag=self.recipe.target_language if self.recipe.tag else None,
            max_length=self.recipe.max_length,
            progress=lambda done: self.progress(stage, done, self._counts[name]),
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


def write_json(path: Path, values: dict[str, Any]) -> None:
    """Write a JSON file for people and programs."""
    text = json.dumps(values, ensure_ascii=False, indent=2) + "\n"
    path.write_text(text, encoding="utf-8")
