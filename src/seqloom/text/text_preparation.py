"""The stages of preparing running text, in their order: clean, hold out, learn, encode.

Each stage leaves its results in the folder, so that a preparation which was interrupted goes on.
"""

from __future__ import annotations

import json
import math
import shutil
from itertools import islice
from pathlib import Path
from typing import Any

from seqloom.corpus.bulk import BulkCleaning, Which
from seqloom.corpus.files import replacing
from seqloom.corpus.filters import Filter, OverlapFilter, ShortFilter, clean
from seqloom.corpus.pairs import Corpus, Progress
from seqloom.corpus.parts import Parts
from seqloom.corpus.readers import read_corpus
from seqloom.corpus.text_split import characters, hold_out_documents, hold_out_tail
from seqloom.errors import CorpusError
from seqloom.recipe import TextRecipe
from seqloom.text.document_encoding import EncodeDocuments, TextNote, chunks_of, write_documents
from seqloom.text.preparation import vocabulary_size
from seqloom.text.prepared_folder import write_json
from seqloom.text.tokenizer import SOURCE_FILE, Tokenizer

LEARNING_CHARACTERS = 2**27
"""The vocabulary is learned from at most so many, evenly from all over the corpus."""

_PAIR_CHARACTERS = 120  # so much text sizes a vocabulary like a pair of sentences
_SAMPLE = 2**13  # characters of a piece that is learned from, or not


class TextPreparation:
    """One preparation of running text into a folder.

    Args:
        recipe: what is held out, tokenizer, limits.
        folder: where it is made; what an interrupted one left there is used.
        workers: processes that clean and encode; the result does not depend on them.
        progress: told how far each stage is.
        tokenizer: cuts the texts; one is learned from them when left out.
    """

    def __init__(
        self,
        recipe: TextRecipe,
        folder: Path,
        workers: int,
        progress: Progress,
        tokenizer: Tokenizer | None = None,
    ) -> None:
        self.recipe = recipe
        self.folder = folder
        self.workers = workers
        self.progress = progress
        self.tokenizer = tokenizer

    def run(self, corpus: Corpus, validation: Corpus | None) -> None:
        """Go through all stages and write the report."""
        noted = self._work("cleaning.json")
        if not noted.exists():
            self._work().mkdir(exist_ok=True)
            found = self._clean(corpus, validation)
            with replacing(noted) as temporary:
                temporary.write_text(json.dumps(found), encoding="utf-8")
            shutil.rmtree(self._work("parts"))
        report = {
            "version": 1,
            "kind": "texts",
            "corpus": corpus.name,
            **json.loads(noted.read_text(encoding="utf-8")),
        }
        tokenizer = self._tokenizer()
        report["vocabulary"] = {
            "kind": tokenizer.kind,
            "size": tokenizer.size,
            "mask": tokenizer.symbols.mask is not None,
            "chosen": self.recipe.vocabulary is None and self.tokenizer is None,
        }
        for part in ("train", "validation"):
            report[part] = self._encode(part, tokenizer)
        write_json(self.folder / "report.json", report)
        shutil.rmtree(self._work())

    def _work(self, *names: str) -> Path:
        """A place for what is gone when the folder is finished."""
        return self.folder.joinpath("work", *names)

    def _texts(self, part: str) -> Path:
        """Clean documents of one part."""
        return self._work(f"{part}.parquet")

    def _clean(self, corpus: Corpus, validation: Corpus | None) -> dict[str, Any]:
        """Clean and split; returns what was dropped, part by part, and what was held out."""
        short = ShortFilter(self.recipe.min_characters)
        filters: list[Filter] = [short]
        cleaning = {}
        if validation is not None:
            held_out, dropped = clean(validation, [short])
            if not self._write("validation", held_out, "clean validation"):
                raise CorpusError(f"{validation.name}: no validation text is left after cleaning.")
            cleaning["validation"] = dropped.as_dict()
            known = read_corpus(self._texts("validation"))
            filters.append(OverlapFilter(validation.derive(known.batches)))
        duplicates: Which = "equal" if self.recipe.deduplicate else "none"
        work = BulkCleaning(self._work("parts"), filters, duplicates, self.workers)
        cleaned, report = work.run(corpus, self.progress, "clean")
        cleaning["train"] = report.as_dict()
        if not report.kept:
            raise CorpusError(
                f"{corpus.name}: no text is left after cleaning: of {report.read:,} documents "
                f"{report.summary()}. Add text, or lower data.min_characters "
                f"({self.recipe.min_characters})."
            )
        if validation is not None:
            self._write("train", cleaned, "write")
            return {"cleaning": cleaning, "held_out": None}
        rule = self.recipe.split or ("tail" if report.kept == 1 else "documents")
        self._hold_out(cleaned, rule)
        return {
            "cleaning": cleaning,
            "held_out": {"rule": rule, "share": self.recipe.validation_share},
        }

    def _hold_out(self, cleaned: Corpus, rule: str) -> None:
        hold_out = hold_out_tail if rule == "tail" else hold_out_documents
        train, held_out = hold_out(cleaned, self.recipe.validation_share)
        if not self._write("train", train, "write"):
            raise CorpusError(
                f"{cleaned.name}: no document is left for training once one is held out. Use "
                "data.split=tail, add documents, or name data.validation_sources."
            )
        if not self._write("validation", held_out, "hold out"):
            raise CorpusError(
                f"{cleaned.name}: too short to hold out {self.recipe.validation_share:g} of it. "
                "Raise data.validation_share, or name data.validation_sources."
            )

    def _write(self, part: str, corpus: Corpus, stage: str) -> int:
        return corpus.watched(self.progress, stage).write(self._texts(part))

    def _tokenizer(self) -> Tokenizer:
        learned = self._work("learned")  # after the file of the tokenizer
        if not learned.exists():
            (self.tokenizer or self._learn()).save(self.folder / SOURCE_FILE)
            learned.touch()
        return Tokenizer.load(self.folder / SOURCE_FILE)

    def _learn(self) -> Tokenizer:
        recipe = self.recipe
        corpus = read_corpus(self._texts("train"))
        total = characters(corpus)
        pieces = (piece for pair in corpus.pairs() for piece in chunks_of(pair.source, _SAMPLE))
        stride = math.ceil(total / LEARNING_CHARACTERS)
        size = recipe.vocabulary or vocabulary_size(total // _PAIR_CHARACTERS, recipe.tokenizer)
        self.progress("tokenizer", 0, 1)
        tokenizer = Tokenizer.train(
            list(islice(pieces, 0, None, stride)),
            recipe.tokenizer,
            size,
            mask=recipe.mask,
            lowercase=recipe.lowercase,
            exact=recipe.vocabulary is not None,
        )
        self.progress("tokenizer", 1, 1)
        return tokenizer

    def _encode(self, part: str, tokenizer: Tokenizer) -> dict[str, Any]:
        """Write the store of one part; returns the counts."""
        stage = "encode" if part == "train" else f"encode {part}"
        corpus = read_corpus(self._texts(part))
        total = corpus.estimate(0)
        parts = Parts(self._work(part), TextNote())
        parts.run(
            EncodeDocuments(self.folder),
            corpus.batches(),
            self.workers,
            lambda note: self.progress(stage, note.documents, total),
        )
        write_documents(parts, tokenizer, self.folder / f"{part}.arrow")
        return parts.note.as_dict()
