"""Seqloom's side of a benchmark against a peer: the loop, task and batches of ``seqloom train``."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from peers import Course, Link
from shapes import operations

from seqloom.decoding.stream import decode_stream
from seqloom.layers.linear import lowered
from seqloom.models import EncoderDecoder, build_model
from seqloom.recipe import Recipe, recipe_from
from seqloom.runtime import SEARCH_KERNELS, keep_memory, set_threads
from seqloom.text.prepare import Prepared, load_prepared
from seqloom.training.batches import Batch, PairFeed
from seqloom.training.loop import Trainer
from seqloom.training.progress import Progress
from seqloom.training.sizes import choose_sizes
from seqloom.training.tasks import Loss, Translation

NEVER = 10**9


class TrainingIsOver(Exception):  # noqa: N818
    """The benchmark wants no more updates."""


class Counted(Translation):
    """Translation that tells the benchmark what it trains on."""

    course: Course

    def __call__(self, model: EncoderDecoder, batch: Batch, done: float = 1.0) -> Loss:
        """One update begins: there is one batch in each."""
        going_on = self.course.begin(
            target_tokens=int(batch.target_mask.sum()),
            target_positions=batch.target_mask.numel(),
            source_tokens=int(batch.source_mask.sum()),
            source_positions=batch.source_mask.numel(),
        )
        if not going_on:
            raise TrainingIsOver
        return super().__call__(model, batch, done)


def settle(values: Mapping[str, Any], prepared: Prepared, device: torch.device) -> Recipe:
    """The recipe as ``seqloom train`` would run it, without validation, and without end if it
    names none."""
    recipe = recipe_from(values, "benchmark")
    endless = {"updates": recipe.training.updates or NEVER, "validate_every": NEVER}
    recipe = recipe.model_copy(update={"training": recipe.training.model_copy(update=endless)})
    tokens = int(prepared.train.lengths(0, len(prepared.train))[1].sum())
    return choose_sizes(recipe, len(prepared.train), tokens, device)


def feed_of(prepared: Prepared, recipe: Recipe) -> PairFeed:
    """The batches of the benchmark's corpus."""
    return PairFeed(prepared.train, recipe.training.batch_tokens, recipe.training.seed)


def train(model: EncoderDecoder, recipe: Recipe, prepared: Prepared, course: Course) -> None:
    """Updates until the benchmark has enough."""
    task = Counted(recipe.training)
    task.course = course
    with tempfile.TemporaryDirectory() as folder:
        trainer = Trainer(
            model=model, task=task, feed=feed_of(prepared, recipe), recipe=recipe.training,
            folder=Path(folder), validate=lambda _: {}, publish=lambda *_: None,
            progress=Progress(), device=torch.device("cpu"),
        )  # fmt: skip
        try:
            trainer.fit()
        except TrainingIsOver:
            return


def save_weights(model: EncoderDecoder, path: str) -> None:
    """Parameters and the table of positions, as one file of tensors."""
    tensors = {name: p.detach().clone() for name, p in model.state_dict().items()}
    positions = model.encoder.embedder.positions.table.clone()
    torch.save({**tensors, "positions": positions}, path)


def translate(model: EncoderDecoder, recipe: Recipe, request: Mapping[str, Any]) -> dict[str, Any]:
    """Decode sources; the recipe knows the longest output and the length penalty."""
    options = recipe.decoding.model_copy(update={"beam": request["beam"]})
    ready = lowered(model, request["precision"])
    started = time.perf_counter()
    found = list(decode_stream([ready], request["sources"], options, device="cpu"))
    seconds = time.perf_counter() - started
    return {"seconds": seconds, "outputs": [list(best[0].ids) for best in found]}


def race(
    model: EncoderDecoder, recipe: Recipe, prepared: Prepared, link: Link, request: dict[str, Any]
) -> None:
    """Train to the end of the recipe; at every validation wait, then answer with translations."""
    recipe = recipe.model_copy(
        update={"training": recipe.training.model_copy(update={"validate_every": request["every"]})}
    )

    def validate(averaged: EncoderDecoder) -> dict[str, float]:
        state = trainer.state
        found = translate(averaged, recipe, {**request, "precision": recipe.training.precision})
        link.send(
            seconds=state.seconds, target_tokens=state.tokens, updates=state.update,
            outputs=found["outputs"],
        )  # fmt: skip
        link.receive()
        return {"bleu": 0.0}  # the benchmark judges

    link.receive()
    with tempfile.TemporaryDirectory() as folder:
        trainer = Trainer(
            model=model, task=Translation(recipe.training), feed=feed_of(prepared, recipe),
            recipe=recipe.training, folder=Path(folder), validate=validate,
            publish=lambda *_: None, progress=Progress(), device=torch.device("cpu"),
        )  # fmt: skip
        trainer.fit()
    link.send()


def main() -> None:
    """Train in rounds and save; or race; or decode with saved weights, as often as asked."""
    link = Link()
    request = link.receive()
    set_threads()
    if "weights" in request:  # as the command line has it
        keep_memory(SEARCH_KERNELS)
    else:
        keep_memory()
    prepared = load_prepared(request["prepared"])
    recipe = settle(request["recipe"], prepared, torch.device("cpu"))
    tokenizers = prepared.tokenizers
    torch.manual_seed(recipe.training.seed)
    model = build_model(recipe.model, tokenizers.source.size, tokenizers.target.size)
    source_tokens, target_tokens = (
        int(lengths.sum()) for lengths in prepared.train.lengths(0, len(prepared.train))
    )
    link.send(
        parameters=sum(p.numel() for p in model.parameters()),
        pairs=len(prepared.train),
        threads=torch.get_num_threads(),
        torch=torch.__version__,
        precision=recipe.training.precision,
        operations_per_token=operations(model, source_tokens, target_tokens),
    )
    if "race" in request:
        race(model, recipe, prepared, link, request["race"])
        return
    if "weights" not in request:
        train(model, recipe, prepared, Course(link))
        link.send()
        save_weights(model, link.receive()["save"])
        link.send()
        return
    weights = torch.load(request["weights"], weights_only=True)
    model.load_state_dict({name: t for name, t in weights.items() if name != "positions"})
    model.eval()
    while True:
        link.send(**translate(model, recipe, link.receive()))


if __name__ == "__main__":
    main()
