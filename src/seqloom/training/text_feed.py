"""Batches of running text, for a causal model or, with holes, for a masked one; new and old."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count, islice
from pathlib import Path
from typing import Any

from seqloom.errors import FolderError
from seqloom.recipe.pretraining import PretrainRecipe
from seqloom.runtime import processors
from seqloom.text.piece_tables import word_beginnings
from seqloom.text.texts import PreparedTexts, load_prepared_texts, prepare_texts
from seqloom.text.tokenizer import Tokenizer
from seqloom.training.masking import Masking, masked_rows
from seqloom.training.mixing import MixedFeed
from seqloom.training.packing import packed_rows
from seqloom.training.progress import Progress
from seqloom.training.tasks import Feed


@dataclass(frozen=True)
class TextFeed:
    """Packed batches of texts: for a causal model, or with holes for a masked one."""

    recipe: PretrainRecipe
    texts: PreparedTexts
    processes: int = 1
    """Those that share a run: an update takes the batches of all of them."""

    def __call__(self, epoch: int, skip: int) -> Iterator[Any]:
        """The batches of an epoch, from number ``skip`` on.

        Each of ``training.first_contexts`` is an epoch of its own, before the others.
        """
        first = list((self.recipe.training.first_contexts or {}).items())
        if epoch >= len(first):
            return self.batches(epoch - len(first), skip)
        context, updates = first[epoch]
        most = updates * self.recipe.training.accumulation * self.processes
        return islice(self._endless(context), skip, most)

    def _endless(self, context: int) -> Iterator[Any]:
        """Batches of short rows; the text begins again when it comes to an end."""
        for epoch in count():
            empty = True
            for batch in self.batches(epoch, 0, context):
                empty = False
                yield batch
            if empty:
                return

    def held_out(self) -> Iterator[Any]:
        """Batches of the held-out texts, the same each time, as many as the recipe allows."""
        training = self.recipe.training
        most = max(1, training.validate_tokens // training.batch_tokens)
        return islice(self.batches(None, 0), most)

    def batches(self, epoch: int | None, skip: int, context: int | None = None) -> Iterator[Any]:
        """Those of an epoch of the training texts, or of the held-out texts.

        Args:
            epoch: its number; None for the held-out texts.
            skip: batches that are left out at the beginning.
            context: positions of a row; the model's when left out.
        """
        training, context = self.recipe.training, context or self.recipe.model.context
        store = self.texts.validation if epoch is None else self.texts.train
        symbols, size = self.texts.tokenizer.symbols, training.batch_tokens
        if self.recipe.model.family == "gpt":
            return packed_rows(
                store,
                context,
                size,
                symbols,
                seed=training.seed,
                epoch=epoch,
                skip=skip,
                said=self.texts.dialogues,
            )
        words = word_beginnings(self.texts.tokenizer) if training.whole_words else None
        masking = Masking(symbols, self.texts.tokenizer.size, training.masked, words)
        return masked_rows(
            store,
            context,
            size,
            masking,
            next_sentence=training.next_sentence,
            seed=training.seed,
            epoch=epoch,
            skip=skip,
        )


@dataclass(frozen=True)
class BothTexts:
    """The texts of a run, and those of the task before it."""

    new: TextFeed
    old: TextFeed | None

    def feed(self, share: float, seed: int) -> Feed:
        """Batches for training, a share of them old."""
        if self.old is None or not share:
            return self.new
        return MixedFeed(self.new, self.old.batches, share, seed)


def old_texts(
    recipe: PretrainRecipe, out: Path, tokenizer: Tokenizer, progress: Progress
) -> PreparedTexts | None:
    """The texts of the old task: a prepared folder, or one that is made in ``out``.

    Raises:
        FolderError: a folder that was prepared with another vocabulary.
    """
    places = recipe.training.old_texts
    if not places:
        return None
    if len(places) == 1 and (Path(places[0]) / "recipe.json").is_file():
        old = load_prepared_texts(places[0])
        if old.tokenizer.fingerprint != tokenizer.fingerprint:
            raise FolderError(
                f"{places[0]}: these texts were prepared with another vocabulary than that of "
                "this run; name the files of the texts themselves."
            )
        return old
    return prepare_texts(
        recipe.data.model_copy(
            update={"sources": places, "validation_sources": (), "dialogues": ()}
        ),
        out,
        tokenizer=tokenizer,
        workers=processors(),
        progress=lambda stage, done, total, note="": progress.stage(
            f"old texts: {stage}", done, total, note
        ),
    )
