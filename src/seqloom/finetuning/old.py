"""What a model could do before it was tuned: hidden tokens of its own texts, and old texts mixed
into the new task so that less of it is forgotten; and classes, if it was tuned before."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from seqloom.errors import FolderError
from seqloom.finetuning.jobs import Job
from seqloom.language_folder import LanguageFolder
from seqloom.models.base import MaskedModel
from seqloom.models.heads import EncoderHead
from seqloom.pretraining.validation import TextValidator
from seqloom.recipe.finetuning import FinetuneRecipe, FinetuningRecipe
from seqloom.recipe.pretraining import PretrainingRecipe, PretrainRecipe
from seqloom.recipe.texts import TextRecipe
from seqloom.runtime import processors
from seqloom.text.texts import PreparedTexts, load_prepared_texts, prepare_texts
from seqloom.training.labelled_batches import LabelledBatch
from seqloom.training.language_tasks import HiddenTokens
from seqloom.training.masking import MaskedBatch
from seqloom.training.progress import Progress
from seqloom.training.tasks import Loss, Task
from seqloom.training.text_feed import TextFeed

HELD_OUT = 0.2
"""Share of old texts to measure on; the rest may be mixed in."""
MEASURED = 50_000
"""At most this many positions of them are read, before and after."""

_NAMED = 5
"""Labels that a message lists."""


@dataclass(frozen=True)
class OldTask:
    """Hidden tokens of old texts."""

    feed: TextFeed

    def measure(self, encoder: MaskedModel, device: torch.device) -> dict[str, float]:
        """Figures of an encoder on the held-out texts: see :class:`TextValidator`."""
        learning = encoder.training
        encoder.eval()
        found = TextValidator(self.feed.recipe, self.feed, None, device, Progress())(encoder)
        encoder.train(learning)
        return found


def find_old(
    encoder: LanguageFolder[Any],
    files: Sequence[str],
    out: Path,
    recipe: FinetuningRecipe,
    precision: str,
    progress: Progress,
) -> OldTask | None:
    """The old task of an encoder on ``files``, or on what its folder keeps of its own texts.

    Raises:
        FolderError: its vocabulary has no mask, or old texts are to be mixed in and there are none.
        CorpusError: a file cannot be read.
    """
    if files and encoder.tokenizer.symbols.mask is None:
        raise FolderError(
            f"{encoder.path}: its vocabulary has no mask, so its old task cannot be measured; "
            "leave --old out."
        )
    texts = _prepared(encoder, files, out, progress)
    if texts is None:
        if recipe.old_share:
            raise FolderError(
                f"{encoder.path} keeps none of the texts it was trained on, so training.old_share "
                "has nothing to mix in; name some: --old FILE"
            )
        return None
    own = encoder.recipe
    training = own.training if isinstance(own, PretrainRecipe) else PretrainingRecipe()
    pairs = min(len(texts.train), len(texts.validation)) > 1
    changed = {
        "batch_tokens": recipe.batch_tokens,
        "precision": precision,
        "validate_tokens": min(MEASURED, training.validate_tokens),
        "next_sentence": training.next_sentence and pairs,
    }
    settings = training.model_copy(update=changed)
    return OldTask(
        TextFeed(PretrainRecipe(data=texts.recipe, model=own.model, training=settings), texts)
    )


def _prepared(
    encoder: LanguageFolder[Any], files: Sequence[str], out: Path, progress: Progress
) -> PreparedTexts | None:
    if files:
        return prepare_texts(
            TextRecipe(sources=tuple(files), validation_share=HELD_OUT, mask=True),
            out / "data",
            tokenizer=encoder.tokenizer,
            workers=processors(),
            progress=progress.stage,
        )
    kept = encoder.path / "data"
    if encoder.tokenizer.symbols.mask is None or not (kept / "train.arrow").is_file():
        return None
    texts = load_prepared_texts(kept)
    return texts if texts.tokenizer.fingerprint == encoder.tokenizer.fingerprint else None


def keeps_head(source: LanguageFolder[Any], job: Job, recipe: FinetuneRecipe) -> bool:
    """Whether a folder has learned these labels on the same vectors, so that it goes on."""
    own = source.recipe
    if not isinstance(own, FinetuneRecipe) or own.head.pooling != recipe.head.pooling:
        return False
    return (source.kind, source.labels) == (job.kind, job.labels)


def head_notes(source: LanguageFolder[Any], job: Job, recipe: FinetuneRecipe) -> list[str]:
    """What becomes of the labels that a folder was tuned to tell apart, for its user to hear."""
    if not source.labels:
        return []
    if keeps_head(source, job, recipe):
        return [f"{source.path} tells the same {len(source.labels)} labels apart and goes on."]
    labels = ", ".join(source.labels[:_NAMED]) + (", ..." if len(source.labels) > _NAMED else "")
    return [
        f"{source.path} was tuned to tell {len(source.labels)} labels apart ({labels}). The new "
        "model does not: its last layer begins at random, and how well the old labels were told is "
        "not measured."
    ]


class MixedTask:
    """The loss of whichever task a batch is of; each is a mean over its own tokens or labels."""

    def __init__(self, new: Task) -> None:
        self.new, self.unit = new, new.unit
        self.old = HiddenTokens()

    def __call__(
        self, model: EncoderHead, batch: LabelledBatch | MaskedBatch, done: float = 1.0
    ) -> Loss:
        """See :class:`seqloom.training.tasks.Task`."""
        if isinstance(batch, MaskedBatch):
            return self.old(model.encoder, batch, done)
        return self.new(model, batch, done)
