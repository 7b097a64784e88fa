"""Pre-training: texts in, the folder of a language model out.

Run again with the same arguments, it goes on where it was; a folder that holds another run is
refused and left alone.
"""

from __future__ import annotations

import math
from itertools import count, takewhile
from pathlib import Path
from typing import Any

import numpy as np
import torch

from seqloom.corpus.pairs import Corpus
from seqloom.errors import CorpusError
from seqloom.folder import write_text
from seqloom.language_folder import (
    language_config,
    save_language_config,
    save_language_weights,
)
from seqloom.language_model import LanguageModel
from seqloom.language_start import LanguageStart, start_from
from seqloom.models import build_language_model
from seqloom.models.base import CausalModel, MaskedModel, TextModel
from seqloom.pretraining.validation import TextValidator
from seqloom.recipe.pretraining import PretrainRecipe
from seqloom.runtime import faster_precision, processors
from seqloom.text.dialogue_texts import prepare_dialogues
from seqloom.text.texts import PreparedTexts, prepare_texts
from seqloom.text.tokenizer import Tokenizer
from seqloom.training.before import figures_before, judge_before
from seqloom.training.checkpoint import RunState
from seqloom.training.cost import Epoch, measure
from seqloom.training.distributed import Group, begun
from seqloom.training.embeddings import began_with, check_vectors, fill, keep_note, open_pieces
from seqloom.training.growth import carry_over
from seqloom.training.language_card import language_card
from seqloom.training.language_tasks import HiddenTokens, NextToken
from seqloom.training.loop import Trainer
from seqloom.training.progress import Progress
from seqloom.training.request import Request, check_free, going_on
from seqloom.training.text_feed import BothTexts, TextFeed, old_texts

_UPDATES_LEAST, _UPDATES_MOST = 300, 100_000
_SHORTEST = 16
"""Positions of the first context of a new BERT: about a sentence."""
_GENTLE = {"learning_rate": 5e-4, "muon_learning_rate": 2e-3}
"""Highest learning rates of a model that has learned before: large steps would unlearn it."""


def pretrain(
    recipe: PretrainRecipe,
    out: str | Path,
    *,
    corpus: Corpus | None = None,
    validation: Corpus | None = None,
    progress: Progress | None = None,
    device: str | None = None,
) -> LanguageModel:
    """Prepare texts, train a language model on them, and leave it in the folder ``out``.

    Args:
        recipe: the run.
        out: folder; the same call again goes on where it was.
        corpus: documents, as sources without targets, if not from the recipe's files.
        validation: held-out documents, likewise.
        progress: who watches.
        device: such as ``cuda:1``; the best one when left out.

    Raises:
        SeqloomError: a mistake in the recipe, the texts or the folder.
        TrainingError: the loss is not finite; the last checkpoint stays.
    """
    out = Path(out)
    with begun(device, progress) as (where, group, progress):
        check_free(out)
        new = not (out / "training" / "checkpoint.safetensors").exists()
        if new:
            check_vectors({"vectors": recipe.training.vectors})
        start = start_from(recipe, under_way=not new)
        recipe = recipe if start is None else start.recipe
        texts = _prepared(recipe, out, corpus, validation, start, progress)
        _check_pairs(recipe, texts)
        old = old_texts(recipe, out / "old", texts.tokenizer, progress)
        recipe = _settle(recipe, out, texts, where)
        if group.first:
            group.wait()
        new_texts = TextFeed(recipe, texts, group.size)
        both = BothTexts(new_texts, None if old is None else TextFeed(recipe, old))
        trainer = _trainer(recipe, out, both, progress, where, group)
        if new and start is not None:
            assert start.model is not None
            carry_over(start.model, trainer.model, start.rows)
            judge_before(trainer)
        elif new:
            _begin_with_vectors(recipe, out, trainer, texts.tokenizer)
        if new and group.first:
            progress.started(_summary(trainer, recipe, texts))
        trainer.fit()
    return LanguageModel.load(out, device=where)


def _prepared(
    recipe: PretrainRecipe,
    out: Path,
    corpus: Corpus | None,
    validation: Corpus | None,
    start: LanguageStart | None,
    progress: Progress,
) -> PreparedTexts:
    """The texts or dialogues of the run, made inside the model folder."""
    if recipe.data.dialogues:
        assert start is not None
        assert start.recipe.data.chat is not None
        form = start.recipe.data.chat
        return prepare_dialogues(recipe.data, out / "data", start.tokenizer, form, progress.stage)
    return prepare_texts(
        recipe.data,
        out / "data",
        corpus=corpus,
        validation=validation,
        tokenizer=None if start is None else start.tokenizer,
        workers=processors(),
        progress=progress.stage,
    )


def _check_pairs(recipe: PretrainRecipe, texts: PreparedTexts) -> None:
    """A sentence that does not follow is taken from another document, when validating too.

    Raises:
        CorpusError: there is one document only to train on, or to be held out.
    """
    if recipe.model.family != "bert" or not recipe.training.next_sentence:
        return
    for part, what in ((texts.train, "to train on"), (texts.validation, "held out")):
        if len(part) < 2:
            raise CorpusError(
                f"next-sentence prediction needs two documents {what}, and there is one. Name more "
                "files or a larger data.validation_share, set data.documents=paragraphs, or set "
                "training.next_sentence=false."
            )


def _settle(
    recipe: PretrainRecipe, out: Path, texts: PreparedTexts, device: torch.device
) -> PretrainRecipe:
    """Choose open sizes for a new run; take those of an interrupted one.

    Raises:
        FolderError: the folder holds a run of another recipe or other texts.
    """
    request = Request.of(recipe, out, texts.tokenizer.fingerprint)
    if request.goes_on():
        _, settled, _ = language_config(out, ("language",))
        assert isinstance(settled, PretrainRecipe)
        recipe = going_on(settled, recipe).model_copy(update={"decoding": recipe.decoding})
    else:
        recipe = _choose_sizes(recipe, texts, device)
        request.remember()
    save_language_config(out, "language", recipe, texts.tokenizer)
    return recipe


def _choose_sizes(
    recipe: PretrainRecipe, texts: PreparedTexts, device: torch.device
) -> PretrainRecipe:
    """The recipe with its open fields filled."""
    training, tokens = recipe.training, texts.report["train"]["tokens"]
    per_update = training.batch_tokens * training.accumulation
    chosen: dict[str, Any] = {}
    if training.updates is None:
        # Small corpora take many passes, large ones few, and models that have learned before fewer.
        epochs = 20 if tokens < 10_000_000 else 5 if tokens < 100_000_000 else 1
        epochs = epochs if training.model_from is None else min(epochs, 3)
        wanted = round(epochs * tokens / per_update)
        chosen["updates"] = min(max(wanted, _UPDATES_LEAST), _UPDATES_MOST)
    updates = training.updates or chosen["updates"]
    if training.validate_every is None:
        chosen["validate_every"] = min(max(updates // 20, 10), 2000)
    if training.first_contexts is None:
        new_bert = recipe.model.family == "bert" and training.model_from is None
        chosen["first_contexts"] = _growing(recipe.model.context, updates // 2) if new_bert else {}
    if training.model_from is not None:
        asked = training.model_fields_set
        chosen |= {name: rate for name, rate in _GENTLE.items() if name not in asked}
    if training.precision == "auto":
        chosen["precision"] = faster_precision(device)
    return recipe.model_copy(update={"training": training.model_copy(update=chosen)})


def _growing(context: int, updates: int) -> dict[int, int]:
    """Contexts that double up to ``context``, and equal shares of the updates for each."""
    contexts = list(takewhile(lambda size: size < context, (_SHORTEST << n for n in count())))
    each = updates // max(1, len(contexts))
    return {size: each for size in contexts if each}


def _trainer(
    recipe: PretrainRecipe,
    out: Path,
    texts: BothTexts,
    progress: Progress,
    device: torch.device,
    group: Group,
) -> Trainer:
    tokenizer, training = texts.new.texts.tokenizer, recipe.training
    torch.manual_seed(training.seed)
    model = build_language_model(recipe.model, tokenizer.size, tokenizer.symbols).to(device)

    def publish(best: TextModel, state: RunState) -> None:
        save_language_weights(out, best.state_dict(), recipe, tokenizer)
        report, before = texts.new.texts.report, figures_before(out)
        card = language_card(recipe, state, report, best, before, began_with(out))
        write_text(out / "README.md", card)

    return Trainer(
        model=model,
        task=NextToken() if isinstance(model, CausalModel) else HiddenTokens(),
        feed=texts.feed(training.old_share, training.seed),
        recipe=training,
        folder=out,
        validate=TextValidator(recipe, texts.new, texts.old, device, progress),
        publish=publish,
        progress=progress,
        device=device,
        group=group,
    )


def _begin_with_vectors(
    recipe: PretrainRecipe, out: Path, trainer: Trainer, tokenizer: Tokenizer
) -> None:
    """Put word vectors into the embeddings, if the recipe names some; every process its own."""
    found = open_pieces(recipe.training.vectors, tokenizer, trainer.progress)
    if found is None:
        return
    assert isinstance(trainer.model, CausalModel | MaskedModel)
    line = f"tokens: {fill(trainer.model.tokens, found)}"
    trainer.progress.message(line)
    if trainer.group.first:
        keep_note(out, [line])


def _summary(trainer: Trainer, recipe: PretrainRecipe, texts: PreparedTexts) -> dict[str, object]:
    """What the run will cost."""
    report, training = texts.report["train"], recipe.training
    share = 1.0 if recipe.model.family == "gpt" else training.masked
    batches = math.ceil(report["tokens"] / training.batch_tokens / (1 - training.old_share))
    epoch = Epoch(batches, report["tokens"] * share / (1 - training.old_share), 1.0)
    feed = TextFeed(recipe, texts).batches  # in full contexts
    cost = measure(trainer.model, trainer.task, feed, epoch, training, trainer.device)
    words = {"documents": report["documents"], "tokens": report["tokens"], **cost}
    if training.first_contexts:
        stages = [f"{size} positions for {n:,}" for size, n in training.first_contexts.items()]
        words["contexts"] = f"{', '.join(stages)} updates, then {recipe.model.context}"
    if split := _longer(texts, recipe.model.context):
        words["split"] = (
            f"{split:,} of {len(texts.train):,} documents, being longer than the context of "
            f"{recipe.model.context:,}"
        )
    return words


def _longer(texts: PreparedTexts, context: int) -> int:
    """How many documents, with their begin and end, do not fit into a context."""
    store, most = texts.train, 1_000_000  # rows that are counted at a time
    blocks = (np.arange(a, min(a + most, len(store))) for a in range(0, len(store), most))
    return sum(int((store.sizes(rows) + 2 > context).sum()) for rows in blocks)
