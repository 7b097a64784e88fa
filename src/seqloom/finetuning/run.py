"""Fine-tuning: an encoder and labelled data in, the folder of a model out.

Run again with the same arguments, it goes on where it was; a folder that holds another run is
refused and left alone.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import torch

from seqloom.encoders import SentenceVectors, TextClassifier, WordTagger, encoder_of
from seqloom.errors import RecipeError
from seqloom.finetuning.data import Data, job_of
from seqloom.finetuning.jobs import Job
from seqloom.finetuning.old import MixedTask, OldTask, find_old, head_notes, keeps_head
from seqloom.finetuning.report import finetuned_card
from seqloom.finetuning.settling import choose_sizes, request_of
from seqloom.folder import write_text
from seqloom.language_folder import (
    KINDS,
    LanguageFolder,
    build,
    language_config,
    load_language_folder,
    save_language_adapter,
    save_language_config,
    save_language_weights,
)
from seqloom.models.heads import EncoderHead
from seqloom.recipe.finetuning import FinetuneRecipe
from seqloom.training.checkpoint import RunState
from seqloom.training.distributed import Group, begun
from seqloom.training.freezing import freeze, moving, rate_of
from seqloom.training.labelled_batches import LabelledFeed
from seqloom.training.loop import Trainer
from seqloom.training.lora import add_products, apart, merged
from seqloom.training.mixing import MixedFeed
from seqloom.training.progress import Progress
from seqloom.training.request import check_free, going_on
from seqloom.training.tasks import autocast

Task = Literal["classify", "tag", "vectors"]
Tuned = TextClassifier | WordTagger | SentenceVectors
_FACADES: dict[str, type[Tuned]] = {
    "classifier": TextClassifier,
    "tagger": WordTagger,
    "sentences": SentenceVectors,
}


def finetune(
    encoder: str | Path,
    task: Task,
    train: Data,
    out: str | Path,
    *,
    validation: Data | None = None,
    recipe: FinetuneRecipe | None = None,
    old: Sequence[str] = (),
    progress: Progress | None = None,
    device: str | None = None,
) -> Tuned:
    """Learn a task on top of an encoder, and leave the model in the folder ``out``.

    Args:
        encoder: folder of a BERT, or of one that was tuned before.
        task: classes of texts, tags of words or vectors of sentences.
        train: what to learn from: files, or what :func:`seqloom.corpus.classes.gather`,
            :func:`seqloom.corpus.tagged.read_tagged` or
            :func:`seqloom.corpus.labelled_pairs.read_sentences` give.
        out: folder; the same call again goes on where it was.
        validation: what to measure on, likewise; else a share of ``train``. For vectors also pairs
            with grades, as :func:`gather` gives them.
        recipe: what moves and how fast; its model is the encoder's.
        old: texts of the encoder's old task, to measure how much is forgotten and to mix in; those
            that its folder keeps when left out.
        progress: who watches.
        device: such as ``cuda:1``; the best one when left out.

    Raises:
        SeqloomError: a mistake in the recipe, the data or the folders.
        TrainingError: the loss is not finite; the last checkpoint stays.
    """
    out = Path(out)
    source = load_language_folder(encoder, tuple(KINDS))
    encoder_of(source)
    recipe = _with_model(recipe or FinetuneRecipe(), source)
    job, recipe = job_of(task, train, validation, source, recipe)
    with begun(device, progress) as (where, group, progress):
        check_free(out)
        run = _prepare(source, job, recipe, out, list(old), progress, where)
        if group.first:
            group.wait()
        run.fit(group)
    return _FACADES[job.kind].load(out, device=where)


def _with_model(recipe: FinetuneRecipe, source: LanguageFolder[Any]) -> FinetuneRecipe:
    """The recipe for the encoder of a folder.

    Raises:
        RecipeError: it asks for what this encoder does not have.
    """
    model, rate = source.recipe.model, recipe.training.dropout
    if rate is not None:
        model = model.model_copy(update={"dropout": rate, "attention_dropout": rate})
    recipe = recipe.model_copy(update={"model": model})
    if conflicts := recipe.conflicts():
        raise RecipeError(str(source.path), [conflict.message for conflict in conflicts])
    return recipe


def _prepare(
    source: LanguageFolder[Any],
    job: Job,
    recipe: FinetuneRecipe,
    out: Path,
    old: list[str],
    progress: Progress,
    device: torch.device,
) -> Run:
    """Settle what the run is; old texts are read before its folder is marked."""
    request = request_of(source, job, recipe, out, old)
    goes_on = request.goes_on()
    if goes_on:
        _, settled, _ = language_config(out, (job.kind,))
        assert isinstance(settled, FinetuneRecipe)
        recipe = going_on(settled, recipe)
    else:
        recipe = choose_sizes(recipe, job, device)
    task = find_old(source, old, out, recipe.training, recipe.training.precision, progress)
    if not goes_on:
        request.remember()
    save_language_config(out, job.kind, recipe, source.tokenizer, job.labels)
    return Run(source, job, recipe, out, task, progress, device)


@dataclass(frozen=True)
class Run:
    """One fine-tuning, ready to begin or to go on."""

    source: LanguageFolder[Any]
    job: Job
    recipe: FinetuneRecipe
    out: Path
    old: OldTask | None
    progress: Progress
    device: torch.device

    def fit(self, group: Group) -> None:
        """Measure, train, measure again, and write the report and the card."""
        model = self._model()
        trainer = self._trainer(model, group)
        noted = self.out / "training" / "before.json"
        for note in (*self.job.notes, *head_notes(self.source, self.job, self.recipe)):
            self.progress.message(note)
        if group.first and not trainer.checkpoint.exists():
            write_text(noted, json.dumps(self._figures(model)) + "\n")
            self._tell(model)
        state = trainer.fit()
        if group.first:
            self._report(model, state, json.loads(noted.read_text(encoding="utf-8")))

    def _model(self) -> EncoderHead:
        """The encoder with a new layer, or its own for these labels; freezes what may not move."""
        training, source = self.recipe.training, self.source
        torch.manual_seed(training.seed)
        model = build(self.job.kind, self.recipe, source.tokenizer, self.job.labels)
        assert isinstance(model, EncoderHead)
        if keeps_head(source, self.job, self.recipe):
            model.load_state_dict(source.model.state_dict())
        else:
            model.encoder.load_state_dict(encoder_of(source).state_dict())
        freeze(model, training)
        if training.tune == "lora":
            add_products(model, training.lora_rank, training.lora_alpha)
        return model.to(self.device)

    def _trainer(self, model: EncoderHead, group: Group) -> Trainer:
        training, job = self.recipe.training, self.job
        feed = LabelledFeed(job.train, training.batch_size, training.seed)
        mixed = self.old if training.old_share else None

        def validate(found: EncoderHead) -> dict[str, float]:
            with autocast(self.device, training.precision):
                return job.measure(found, self.device).figures

        def publish(best: EncoderHead, state: RunState) -> None:
            tokenizer = self.source.tokenizer
            if training.adapter:
                save_language_adapter(
                    self.out, apart(best), self.recipe, tokenizer, self.source.path
                )
                return
            weights = merged(best) if training.tune == "lora" else best.state_dict()
            save_language_weights(self.out, weights, self.recipe, tokenizer)

        return Trainer(
            model=model,
            task=MixedTask(job.task) if mixed else job.task,
            feed=MixedFeed(feed, mixed.feed.batches, training.old_share, training.seed)
            if mixed
            else feed,
            recipe=training,
            folder=self.out,
            validate=validate,
            publish=publish,
            progress=self.progress,
            device=self.device,
            rate_of=rate_of(model, training.layer_decay),
            group=group,
        )

    def _figures(self, model: EncoderHead) -> dict[str, Any]:
        """Of the new task, and of the old one if it is known."""
        model.eval()
        found: dict[str, Any] = {"new": self.job.measure(model, self.device).figures}
        if self.old:
            found["old"] = self.old.measure(model.encoder, self.device)
        return found

    def _tell(self, model: EncoderHead) -> None:
        training = self.recipe.training
        self.progress.started(
            {
                "examples": len(self.job.train.items) // self.job.train.group,
                "parameters": sum(p.numel() for p in model.parameters()),
                "of which move": moving(model),
                "updates": training.updates,
                "device": f"{self.device}, {training.precision}",
            }
        )

    def _report(self, model: EncoderHead, state: RunState, before: dict[str, Any]) -> None:
        """``metrics.json`` and the card: of the weights that were kept."""
        kept = load_language_folder(self.out, (self.job.kind,), self.device).model
        measured = self.job.measure(kept, self.device)
        report: dict[str, Any] = {
            "kind": self.job.kind,
            "encoder": str(self.source.path),
            "data": self.job.data,
            "before": before["new"],
            "after": measured.figures,
            "figures": measured.whole,
            "text": measured.text,
            "parameters": sum(p.numel() for p in kept.parameters()),
            "moving": moving(model),
            "best_update": state.best_update,
            "seconds": state.seconds,
        }
        if self.old:
            after = self.old.measure(kept.encoder, self.device)
            report["old"] = {"before": before["old"], "after": after}
        text = json.dumps(report, ensure_ascii=False, indent=1)
        write_text(self.out / "metrics.json", text + "\n")
        write_text(self.out / "README.md", finetuned_card(self.recipe, report))
