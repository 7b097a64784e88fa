"""Seqloom's side of benchmarks/language.py: loop, tasks and batches of ``seqloom pretrain``."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from typing import Any

import torch
from peers import Course, Link

from seqloom.decoding.stream import decode_stream
from seqloom.layers.linear import lowered
from seqloom.models import build_language_model
from seqloom.models.base import TextModel
from seqloom.recipe import recipe_from_of
from seqloom.recipe.pretraining import PretrainRecipe
from seqloom.runtime import SEARCH_KERNELS, faster_precision, keep_memory, set_threads
from seqloom.text.texts import load_prepared_texts
from seqloom.training.language_tasks import HiddenTokens, NextToken
from seqloom.training.loop import Trainer
from seqloom.training.progress import Progress
from seqloom.training.tasks import Loss
from seqloom.training.text_feed import TextFeed

NEVER = 10**9


class TrainingIsOver(Exception):  # noqa: N818
    """The benchmark wants no more updates."""


class Counted:
    """A task that tells the benchmark what it trains on."""

    def __init__(self, task: NextToken | HiddenTokens, course: Course) -> None:
        self.task, self.course, self.unit = task, course, task.unit

    def __call__(self, model: Any, batch: Any, done: float = 1.0) -> Loss:
        """One update begins: there is one batch in each."""
        real = batch.documents > 0
        if not self.course.begin(tokens=int(real.sum()), positions=real.numel()):
            raise TrainingIsOver
        return self.task(model, batch, done)


def train(model: TextModel, recipe: PretrainRecipe, request: dict[str, Any], link: Link) -> None:
    """Updates until the benchmark has enough, then the weights in a file."""
    texts = load_prepared_texts(request["prepared"])
    task = NextToken() if recipe.model.family == "gpt" else HiddenTokens()
    with tempfile.TemporaryDirectory() as folder:
        trainer = Trainer(
            model=model, task=Counted(task, Course(link)), feed=TextFeed(recipe, texts),
            recipe=recipe.training, folder=Path(folder), validate=lambda _: {},
            publish=lambda *_: None, progress=Progress(), device=torch.device("cpu"),
        )  # fmt: skip
        try:
            trainer.fit()
        except TrainingIsOver:
            torch.save({n: t.detach() for n, t in model.state_dict().items()}, request["save"])


def generate(model: Any, recipe: PretrainRecipe, request: dict[str, Any]) -> dict[str, Any]:
    """Go on from all prompts together."""
    options = recipe.decoding.model_copy(
        update={
            "beam": 1, "sample": request["sample"],
            "top_p": request["top_p"] if request["sample"] else None,
            "max_tokens": request["new_tokens"], "temperature": 1.0,
        }
    )  # fmt: skip
    began = time.perf_counter()
    found = list(decode_stream([model], request["prompts"], options, device="cpu"))
    seconds = time.perf_counter() - began
    return {"seconds": seconds, "outputs": [list(best[0].ids) for best in found]}


def main() -> None:
    """Train in rounds and save, or go on from prompts as often as asked."""
    link = Link()
    request = link.receive()
    set_threads()
    if "weights" in request:
        keep_memory(SEARCH_KERNELS)
    else:
        keep_memory()
    recipe = recipe_from_of(PretrainRecipe, request["recipe"], "benchmark")
    precision = faster_precision(torch.device("cpu"))
    endless = {"updates": NEVER, "validate_every": NEVER, "precision": precision}
    recipe = recipe.model_copy(update={"training": recipe.training.model_copy(update=endless)})
    torch.manual_seed(recipe.training.seed)
    tokenizer = load_prepared_texts(request["prepared"]).tokenizer
    model = build_language_model(recipe.model, tokenizer.size, tokenizer.symbols)
    facts = {
        "parameters": sum(p.numel() for p in model.parameters()),
        "threads": torch.get_num_threads(), "precision": precision,
    }  # fmt: skip
    if "weights" not in request:
        link.send(**facts)
        train(model, recipe, request, link)
        link.send()
        return
    model.load_state_dict(torch.load(request["weights"], weights_only=True))
    link.send(**facts)
    ready = {name: lowered(model, name) for name in request["precisions"]}
    while True:
        asked = link.receive()
        link.send(**generate(ready[asked["precision"]], recipe, asked))


if __name__ == "__main__":
    main()
