"""The main job, end to end: pairs in, model folder out. Wires the rooms together.

Run again with the same arguments, it goes on where it was; a folder that holds another run is
refused and left alone.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

import torch

from seqloom.corpus.pairs import Corpus
from seqloom.corpus.store import TokenStore
from seqloom.decoding.stream import decode_stream
from seqloom.errors import FolderError
from seqloom.evaluation import metrics
from seqloom.folder import save_weights, write_text
from seqloom.layers.linear import lowered
from seqloom.models import EncoderDecoder, build_model
from seqloom.recipe import Recipe, TrainingRecipe
from seqloom.runtime import processors
from seqloom.text.dropout import BpeDropout
from seqloom.text.growth import old_ids
from seqloom.text.prepare import Prepared, load_prepared, prepare
from seqloom.text.tokenizer import Tokenizers
from seqloom.training.batches import PairFeed, Perturb, batches
from seqloom.training.before import figures_before, judge_before
from seqloom.training.card import model_card
from seqloom.training.checkpoint import RunState
from seqloom.training.cost import epoch_of_pairs, measure
from seqloom.training.distributed import Group, begun
from seqloom.training.embeddings import Start, began_with, check_vectors, find_start, keep_note
from seqloom.training.growth import carry_over
from seqloom.training.loop import Trainer
from seqloom.training.progress import Progress
from seqloom.training.request import check_free, settle
from seqloom.training.tasks import Translation, autocast
from seqloom.translation_start import (
    HeldOut,
    TranslationStart,
    old_pairs,
    shaped_like,
    start_from,
    warm_start,
)
from seqloom.translator import Translator


def train(
    recipe: Recipe | str | Path,
    out: str | Path,
    *,
    corpus: Corpus | None = None,
    validation: Corpus | None = None,
    progress: Progress | None = None,
    device: str | None = None,
) -> Translator:
    """Prepare the corpus, train a model, and leave it in the folder ``out``.

    Args:
        recipe: the run, or the path of its file.
        out: model folder; the same call again goes on where it was.
        corpus: the pairs, if not from the files that the recipe names.
        validation: held-out pairs, likewise.
        progress: who watches.
        device: such as ``cuda:1``; the best one when left out.

    Raises:
        SeqloomError: a mistake in the recipe, the corpus or the folder.
        TrainingError: the loss is not finite; the last checkpoint stays.
    """
    if not isinstance(recipe, Recipe):
        from seqloom.recipe import load_recipe

        recipe = load_recipe(recipe)
    out = Path(out)
    with begun(device, progress) as (where, group, progress):
        check_free(out)
        new = not (out / "training" / "checkpoint.safetensors").exists()
        start = start_from(recipe, under_way=not new)
        recipe = shaped_like(recipe) if start is None else start.recipe
        known = None if start is None else start.tokenizers
        read = new and group.first
        prepared, vectors = _begin(recipe, out, corpus, validation, known, progress, read)
        recipe = settle(recipe, out, prepared, where)
        old = old_pairs(recipe, prepared.tokenizers, out / "old") if group.first else None
        if group.first:
            group.wait()
        vectors = group.agree(vectors)
        trainer = _trainer(recipe, out, prepared, old, progress, where, group, vectors, new)
        if new and start is not None:
            _go_on(trainer, start, prepared.tokenizers)
        if new and group.first:
            progress.started(_summary(trainer, prepared, recipe.training))
        trainer.fit()
    return Translator.load(out, device=where)


def _begin(
    recipe: Recipe,
    out: Path,
    corpus: Corpus | None,
    validation: Corpus | None,
    known: Tokenizers | None,
    progress: Progress,
    read: bool,
) -> tuple[Prepared, Start | None]:
    """The prepared corpus, and what the embeddings begin with if that is to be ``read``.

    Vectors are read before the folder is marked as a run of this recipe, so that a wrong file can
    be mended in the same folder.
    """
    if read:
        training = recipe.training
        check_vectors(
            {
                "source_vectors": training.source_vectors,
                "target_vectors": training.target_vectors,
            }
        )
    prepared = _prepared(recipe, out, corpus, validation, known, progress)
    if not read:
        return prepared, None
    return prepared, find_start(recipe.training, prepared.tokenizers, progress)


def _prepared(
    recipe: Recipe,
    out: Path,
    corpus: Corpus | None,
    validation: Corpus | None,
    known: Tokenizers | None,
    progress: Progress,
) -> Prepared:
    """The prepared corpus: a folder of ``seqloom prepare``, or made inside the model folder.

    Raises:
        FolderError: a folder that was prepared with another vocabulary than that ``known``.
    """
    source = recipe.data.source
    if corpus is None and source is not None and Path(source).is_dir():
        found = load_prepared(source)
        if known is not None and found.tokenizers.fingerprint != known.fingerprint:
            raise FolderError(
                f"{source} was prepared with another vocabulary than that of "
                f"{recipe.training.model_from}; name the files of the pairs themselves."
            )
        return found
    return prepare(
        recipe.data,
        out / "data",
        corpus=corpus,
        validation=validation,
        tokenizers=known,
        workers=processors(),
        progress=progress.stage,
        warn=progress.message,
    )


def _go_on(trainer: Trainer, start: TranslationStart, tokenizers: Tokenizers) -> None:
    """Begin with the weights of a folder, and tell what they are worth."""
    assert start.model is not None
    known, source = start.tokenizers.source, tokenizers.source
    new = source.tags[len(known.tags) :]
    carry_over(start.model, trainer.model, old_ids(known, source))
    if new:
        trainer.progress.message(f"new in the vocabulary: {', '.join(new)}")
    judge_before(trainer)


def _trainer(
    recipe: Recipe,
    out: Path,
    prepared: Prepared,
    old: HeldOut | None,
    progress: Progress,
    device: torch.device,
    group: Group,
    vectors: Start | None,
    new: bool,
) -> Trainer:
    tokenizers = prepared.tokenizers
    torch.manual_seed(recipe.training.seed)
    model = build_model(recipe.model, tokenizers.source.size, tokenizers.target.size).to(device)
    lines = warm_start(recipe, model, tokenizers) if new else []
    lines += vectors.fill(model) if vectors is not None else []
    for line in lines:
        progress.message(line)
    if lines and group.first:
        keep_note(out, lines)

    def publish(best: EncoderDecoder, state: RunState) -> None:
        save_weights(out, best.state_dict(), recipe, tokenizers)
        began, before = began_with(out), figures_before(out)
        card = model_card(recipe, state, prepared.report, best, began, before)
        write_text(out / "README.md", card)

    return Trainer(
        model=model,
        task=Translation(recipe.training),
        feed=PairFeed(
            prepared.train,
            recipe.training.batch_tokens,
            recipe.training.seed,
            recipe.data.temperature,
            _perturb(recipe, tokenizers),
        ),
        recipe=recipe.training,
        folder=out,
        validate=Validator(recipe, prepared, old, device),
        publish=publish,
        progress=progress,
        device=device,
        group=group,
    )


def _summary(trainer: Trainer, prepared: Prepared, recipe: TrainingRecipe) -> dict[str, object]:
    """What the run will cost."""
    epoch = epoch_of_pairs(prepared.train, recipe.batch_tokens)
    # A consistency loss that sets in later makes the rest of the run slower than its beginning.
    late = recipe.consistency_from
    cost = measure(
        trainer.model, trainer.task, trainer.feed, epoch, recipe, trainer.device, late_from=late
    )
    return {"training pairs": len(prepared.train), **cost}


def _perturb(recipe: Recipe, tokenizers: Tokenizers) -> tuple[Perturb, Perturb] | None:
    rate = recipe.data.bpe_dropout
    if not rate:
        return None
    source = BpeDropout(tokenizers.source, rate)
    target = source if tokenizers.joint else BpeDropout(tokenizers.target, rate)
    return source, target


@dataclass(frozen=True)
class Validator:
    """Loss on the validation pairs, and BLEU, chrF and exact match of greedy translations."""

    recipe: Recipe
    prepared: Prepared
    old: HeldOut | None
    device: torch.device

    def __call__(self, model: EncoderDecoder) -> dict[str, float]:
        """Figures of a model in evaluation mode: loss in nats a token, scores from 0 to 100."""
        known, language = self.prepared, self.recipe.data.target_language
        figures = self._figures(model, HeldOut(known.validation_pairs, known.validation, language))
        if self.old is not None:
            found = self._figures(model, self.old)
            figures |= {f"old {name}": found[name] for name in ("loss", "bleu", "chrf")}
        return figures

    def _figures(self, model: EncoderDecoder, held_out: HeldOut) -> dict[str, float]:
        pairs = held_out.pairs[: self.recipe.training.validate_pairs]
        ids = [held_out.store.pair(row) for row in range(len(pairs))]
        sources = [source.tolist() for source, _ in ids]
        # The language of the target is not for the model to guess.
        told = self.recipe.data.tag == "both"
        prefixes = [target[:1].tolist() for _, target in ids] if told else None
        greedy = self.recipe.decoding.model_copy(update={"beam": 1, "nbest": 1, "sample": False})
        ready = lowered(model, self.recipe.training.precision)
        found = decode_stream([ready], sources, greedy, device=self.device, prefixes=prefixes)
        decode = self.prepared.tokenizers.target.decode_batch
        hypotheses = decode([list(best[0].ids) for best in found])
        references = [pair.target for pair in pairs]
        return {
            "loss": validation_loss(model, held_out.store, self.recipe.training, self.device),
            "bleu": metrics.bleu(hypotheses, references, held_out.language),
            "chrf": metrics.chrf(hypotheses, references),
            "exact": metrics.exact_match(hypotheses, references),
        }


@torch.inference_mode()
def validation_loss(
    model: EncoderDecoder, store: TokenStore, recipe: TrainingRecipe, device: torch.device
) -> float:
    """Cross-entropy per real target token, without smoothing, in nats."""
    task = Translation(recipe)
    total, tokens = 0.0, 0
    for batch in batches(store, recipe.batch_tokens):
        with autocast(device, recipe.precision):
            loss = task(model, batch.to(device))
        total += float(loss.plain)
        tokens += loss.tokens
    return total / tokens if tokens else math.nan
