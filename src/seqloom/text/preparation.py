"""The stages of a preparation, in the order in which they happen: clean, split, learn, encode.

Each stage leaves its results in the folder, so that a preparation which was interrupted goes on.
"""

from __future__ import annotations

import json
import math
import shutil
from collections.abc import Callable, Sequence
from itertools import chain, islice
from pathlib import Path
from typing import Any

from seqloom.corpus.bulk import BulkCleaning
from seqloom.corpus.files import replacing
from seqloom.corpus.filters import EmptyFilter, OverlapFilter, clean
from seqloom.corpus.formats.parquet import parquet_rows
from seqloom.corpus.groups import describe, make_groups, shares
from seqloom.corpus.pairs import Corpus, Progress
from seqloom.corpus.parts import Parts
from seqloom.corpus.readers import read_corpus
from seqloom.corpus.report import Report
from seqloom.corpus.split import split
from seqloom.errors import CorpusError
from seqloom.recipe import DataRecipe
from seqloom.text.encoding import EncodeBatch, EncodingNote, write_store
from seqloom.text.material import Material, tags_of
from seqloom.text.prepared_folder import write_json
from seqloom.text.rules import filters_of, length_filter
from seqloom.text.tokenizer import Tokenizer, Tokenizers

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
    """One preparation into a folder: the stages in the order in which they happen.

    Args:
        recipe: limits, filters, tokenizer.
        folder: where it is made; what an interrupted one left there is used.
        workers: processes that clean and encode; the result does not depend on them.
        progress: told how far each stage is.
        known: vocabularies of source and target that need not be learned.
    """

    def __init__(
        self,
        recipe: DataRecipe,
        folder: Path,
        workers: int,
        progress: Progress,
        known: tuple[Tokenizer | None, Tokenizer | None] = (None, None),
    ) -> None:
        self.recipe = recipe
        self.folder = folder
        self.workers = workers
        self.progress = progress
        self.known = known

    def run(self, materials: Sequence[Material]) -> None:
        """Go through all stages and write the report."""
        names = ", ".join(material.corpus.name for material in materials)
        report: dict[str, Any] = {"version": 1, "kind": "preparation", "corpus": names}
        report["cleaning"] = {}
        for number, material in enumerate(materials):
            label = f"{material.corpus.name}: " if len(materials) > 1 else ""
            for part, found in self._clean_pairs(number, material).items():
                report["cleaning"][label + part] = found
        if not any(self._count(number, "validation") for number in range(len(materials))):
            raise self._nothing_held_out(names)
        tokenizers = self._tokenizers(materials)
        report["vocabulary"] = {
            "kind": tokenizers.source.kind,
            "joint": tokenizers.joint,
            "source": tokenizers.source.size,
            "target": tokenizers.target.size,
        }
        for part in ("train", "validation"):
            report[part] = self._encode(part, materials, tokenizers)
            if not report[part]["pairs"]:
                raise CorpusError(
                    f"{names}: every {part} pair has a side of more than "
                    f"{self.recipe.max_length} tokens; raise data.max_length."
                )
        write_json(self.folder / "report.json", report)
        shutil.rmtree(self._work())

    def _work(self, *names: str | int) -> Path:
        """A place for what is gone when the folder is finished."""
        return self.folder.joinpath("work", *map(str, names))

    def _pairs(self, number: int, part: str) -> Path:
        """Clean pairs of one corpus before the token limit."""
        return self._work(number, f"{part}.parquet")

    def _count(self, number: int, part: str) -> int:
        """How many clean pairs a part has."""
        path = self._pairs(number, part)
        return (parquet_rows(path)(0) or 0) if path.exists() else 0

    def _clean_pairs(self, number: int, material: Material) -> dict[str, Any]:
        """Clean and split one corpus; returns what cleaning dropped, part by part."""
        noted = self._work(number, "cleaning.json")
        if noted.exists():
            return json.loads(noted.read_text(encoding="utf-8"))
        found: dict[str, Any] = {}
        corpus = material.corpus
        filters = filters_of(self.recipe, corpus)
        if material.validation is not None:
            # The given set is kept as it is, duplicates and all, so that figures stay comparable.
            rules = [EmptyFilter(), length_filter(self.recipe)]
            held_out, dropped = clean(material.validation, rules)
            self._write(number, "validation", held_out, "clean validation")
            found["validation"] = dropped.as_dict()
            if not dropped.kept:
                raise self._nothing_held_out(material.validation.name)
            known = read_corpus(self._pairs(number, "validation"))
            filters.append(OverlapFilter(material.validation.derive(known.batches)))
        if material.test is not None:
            filters.append(OverlapFilter(material.test, compared=("source", "target"), name="test"))
        cleaned, report = BulkCleaning(
            self._work(number, "parts"), filters, self.recipe.duplicates(), self.workers
        ).run(corpus, self.progress, "clean")
        if not report.kept:
            raise _nothing_left(corpus.name, report)
        found = {"train": report.as_dict(), **found}
        if material.validation is not None:
            self._write(number, "train", cleaned, "split")
        else:
            share = self.recipe.validation_share
            train, held_out = split(cleaned, share, limit=VALIDATION_PAIRS)
            self._write(number, "train", train, "split")
            if material.mark is None:
                self._write(number, "validation", held_out, "hold out")
        with replacing(noted) as temporary:
            temporary.write_text(json.dumps(found), encoding="utf-8")
        shutil.rmtree(self._work(number, "parts"))
        return found

    def _write(self, number: int, part: str, corpus: Corpus, stage: str) -> None:
        """Write one part; refuse a training part without pairs, and a validation set given so."""
        count = corpus.watched(self.progress, stage).write(self._pairs(number, part))
        if not count and part == "train":
            raise CorpusError(
                f"{corpus.name}: no training pair is left after cleaning and holding out; add "
                f"pairs, or lower data.validation_share ({self.recipe.validation_share})."
            )

    def _nothing_held_out(self, names: str) -> CorpusError:
        return CorpusError(
            f"{names}: no validation pair. Give validation files with text on both "
            "sides, add pairs, or raise data.validation_share "
            f"({self.recipe.validation_share})."
        )

    def _tokenizers(self, materials: Sequence[Material]) -> Tokenizers:
        learned = self._work("learned")  # after all files of the tokenizers
        if not learned.exists():
            self._learned(materials).save(self.folder)
            learned.touch()
        return Tokenizers.load(self.folder)

    def _learned(self, materials: Sequence[Material]) -> Tokenizers:
        """Vocabularies that are known, and others learned."""
        source, target = self.known
        if self.recipe.joint and source is not None:
            return Tokenizers(source, source)
        if source is not None and target is not None:
            return Tokenizers(source, target)
        found = self._learn(materials)
        return (
            found
            if self.recipe.joint
            else Tokenizers(source or found.source, target or found.target)
        )

    def _learn(self, materials: Sequence[Material]) -> Tokenizers:
        """Learn from a sample in which each corpus has the share that it has in training."""
        recipe = self.recipe
        counts = [self._count(number, "train") for number in range(len(materials))]
        groups = make_groups(counts, [material.share for material in materials])
        total = min(sum(counts), _LEARNING_PAIRS)
        sources: list[str] = []
        targets: list[str] = []
        for number, share in enumerate(shares(groups, recipe.temperature)):
            stride = max(1, math.ceil(counts[number] / max(share * total, 1)))
            for pair in islice(read_corpus(self._pairs(number, "train")).pairs(), 0, None, stride):
                sources.append(pair.source)
                targets.append(pair.target)
                if materials[number].both_directions:
                    sources.append(pair.target)
                    targets.append(pair.source)
        size = recipe.vocabulary or vocabulary_size(sum(counts), recipe.tokenizer, recipe.joint)
        tags = tags_of(materials)

        def learned(texts: list[str], tags: list[str]) -> Tokenizer:
            exact = recipe.vocabulary is not None
            return Tokenizer.train(texts, recipe.tokenizer, size, tags=tags, exact=exact)

        steps = 1 if recipe.joint else 2
        self.progress("tokenizer", 0, steps)
        source = learned(sources + targets if recipe.joint else sources, tags)
        target = source if recipe.joint else learned(targets, [])
        self.progress("tokenizer", steps, steps)
        return Tokenizers(source, target)

    def _encode(
        self, part: str, materials: Sequence[Material], tokenizers: Tokenizers
    ) -> dict[str, Any]:
        """Write the token store of one part and its texts; returns the counts."""
        stage = "encode" if part == "train" else f"encode {part}"
        directions = [
            (number, exchanged)
            for number, material in enumerate(materials)
            for exchanged in material.directions()
            if self._count(number, part)
        ]
        total = sum(self._count(number, part) for number, _ in directions)
        whole = EncodingNote()
        sizes, fixed, encoded = [], [], []
        for number, exchanged in directions:
            material, before = materials[number], whole.read

            def tell(note: EncodingNote, before: int = before) -> None:
                self.progress(stage, before + note.read, total)

            parts = self._encode_one(number, part, material, exchanged, tell)
            whole.add(parts.note)
            encoded.append(parts)
            sizes.append(parts.note.kept)
            fixed.append(material.share and material.share / len(material.directions()))
        path = self.folder / part
        write_store(
            chain.from_iterable(parts.batches() for parts in encoded),
            tokenizers,
            path.with_suffix(".arrow"),
            path.with_suffix(".parquet"),
            describe(make_groups(sizes, fixed)) if len(sizes) > 1 else {},
        )
        return whole.report(self.recipe.max_length)

    def _encode_one(
        self,
        number: int,
        part: str,
        material: Material,
        exchanged: bool,
        progress: Callable[[EncodingNote], None],
    ) -> Parts[EncodingNote]:
        """Encode one direction of one corpus."""
        corpus = read_corpus(self._pairs(number, part))
        place = self._work(number, f"{part}-exchanged" if exchanged else part)
        parts = Parts(place, EncodingNote())
        work = EncodeBatch(self.folder, material.fronts(exchanged), self.recipe.max_length)
        batches = (corpus.reversed() if exchanged else corpus).batches()
        parts.run(work, batches, self.workers, progress)
        return parts


def _nothing_left(name: str, report: Report) -> CorpusError:
    return CorpusError(
        f"{name}: no training pair is left after cleaning: of {report.read:,} pairs "
        f"{report.summary()}. Leave out the filter that is wrong for this corpus, or raise its "
        "limit (data.max_length, data.max_ratio ...)."
    )
