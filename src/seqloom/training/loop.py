"""The training loop: a page of verbs that knows no architecture, no file format and no metric.

A run is a function of its recipe, corpus and seed: torch's generator is set anew for every update
from (seed, update), and the order of batches from (seed, epoch), so a run that was killed and
resumed ends with the same weights, bit for bit (float32, one process).
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import nn

from seqloom.errors import TrainingError
from seqloom.folder import load_weights
from seqloom.recipe import Optimization
from seqloom.tensors import load_tensors, save_tensors, untie
from seqloom.training.checkpoint import (
    RunState,
    forget_later_weights,
    kept_weights,
    load_checkpoint,
    save_checkpoint,
    weights_file,
)
from seqloom.training.distributed import Group
from seqloom.training.interrupt import graceful_stop
from seqloom.training.metrics import Metrics, draw_curves
from seqloom.training.optim import (
    MovingAverage,
    all_alike,
    average_weights,
    build_optimizer,
    normalize_and_clip,
    restored,
    set_weights,
)
from seqloom.training.progress import Progress
from seqloom.training.schedule import rate_share
from seqloom.training.tasks import AnyBatch, Feed, Task, autocast

_APART = 65_537
"""Between the seeds of two processes of one run, whose dropout should not be the same."""
_LOG_EVERY = 20
"""Updates between two training lines of metrics.jsonl."""

LOWER_IS_BETTER = ("loss",)
"""Figures of which the smallest value wins."""


@dataclass
class Trainer:
    """One model on its way through one recipe."""

    model: nn.Module
    task: Task
    feed: Feed
    """The batches of an epoch from a given number on."""
    recipe: Optimization
    folder: Path
    """The model folder; checkpoints live in its ``training`` folder."""
    validate: Callable[[Any], dict[str, float]]
    """Figures of a model on what was held out."""
    publish: Callable[[Any, RunState], None]
    """Keeps the model's weights as the best so far."""
    progress: Progress
    device: torch.device
    rate_of: Callable[[str], float] = all_alike
    """By the name of a parameter, the share of the learning rate that it has."""
    group: Group = field(default_factory=Group)
    """The processes that share the run; this one writes nothing unless it is the first."""
    state: RunState = field(default_factory=RunState)

    def __post_init__(self) -> None:
        assert self.recipe.updates is not None, "sizes are chosen before training"
        assert self.recipe.validate_every is not None, "sizes are chosen before training"
        self.updates = self.recipe.updates
        self.validate_every = self.recipe.validate_every
        self.checkpoint = self.folder / "training" / "checkpoint.safetensors"
        self.optimizer = build_optimizer(self.model, self.recipe, self.rate_of)
        self.average = MovingAverage(self.model, self.recipe.ema) if self.recipe.ema else None
        self.parameters = [p for p in self.model.parameters() if p.requires_grad]

    def fit(self) -> RunState:
        """Train to the end of the recipe, from the last checkpoint if there is one.

        Raises:
            TrainingError: the loss is not finite; the last checkpoint stays.
            KeyboardInterrupt: Ctrl-C, after saving.
            SystemExit: SIGTERM, after saving.
        """
        self.progress.unit = self.task.unit
        if self.checkpoint.exists():
            weights = self.average.weights if self.average else {}
            self.state = load_checkpoint(self.checkpoint, self.model, self.optimizer, weights)
            if self.group.first:
                forget_later_weights(self.checkpoint, self.state.update)
        self.group.wait()
        ended = self.state.update >= self.updates or self._out_of_patience()
        if self.state.finished and ended:
            return self.state
        metrics = Metrics(self.folder, self.state.update) if self.group.first else None
        try:
            self._run(metrics)
        finally:
            if metrics is not None:
                metrics.close()
        self.group.wait()
        return self.state

    def _run(self, metrics: Metrics | None) -> None:
        groups = self._groups()
        with graceful_stop() as stop:
            while self.state.update < self.updates and not self._out_of_patience():
                self._update(next(groups), metrics)
                update = self.state.update
                if update % self.validate_every == 0 or update == self.updates:
                    self._validate(metrics)
                    self._save()
                elif update % self.recipe.checkpoint_every == 0:
                    self._save()
                if self.group.any(bool(stop)):
                    self._save()
                    self.progress.message(
                        f"Stopped after update {update:,} of {self.updates:,}; everything is "
                        "saved. The same command goes on from here."
                    )
                    stop.leave()
        self._finish(metrics)

    def _groups(self) -> Iterator[list[AnyBatch]]:
        """This process's batches of each update, from where the run stands."""
        group: list[AnyBatch] = []
        wanted = self.recipe.accumulation * self.group.size
        while True:
            count = 0
            for batch in self.feed(self.state.epoch, self.state.position):
                count += 1
                self.state.position += 1
                group.append(batch)
                if len(group) == wanted:
                    yield self.group.share(group)
                    group = []
            if not count and not self.state.position:
                raise TrainingError("There is nothing to train on; the corpus is empty.")
            self.state.epoch += 1
            self.state.position = 0

    def _update(self, group: list[AnyBatch], metrics: Metrics | None) -> None:
        """Forward, backward and one step of the optimizer over a group of batches."""
        began = time.perf_counter()
        state = self.state
        number = state.update + 1
        torch.manual_seed((self.recipe.seed + _APART * self.group.rank) * 1_000_003 + number)
        share = rate_share(self.recipe, number, self.updates)
        self.optimizer.set_rate(share)
        rate = share * self.recipe.learning_rate
        plain, tokens = self.group.sum(self.parameters, *self._gradients(group))
        norm = normalize_and_clip(self.parameters, tokens, self.recipe.clip)
        loss = plain / tokens
        if not math.isfinite(loss) or not math.isfinite(float(norm)):
            raise self._not_finite(number, group, loss, float(norm))
        self.optimizer.step()
        self.optimizer.zero_grad()
        state.update = number
        if self.average is not None:
            self.average.update(self.model, number)
        seconds = time.perf_counter() - began
        state.seconds += seconds
        state.tokens += round(tokens)
        if metrics is None:
            return
        speed = state.tokens / state.seconds
        left = state.seconds / number * (self.updates - number)
        self.progress.update(number, self.updates, loss, speed, rate, left, state.best)
        if number % _LOG_EVERY == 0 or number == 1:
            values = {"loss": loss, "learning_rate": rate, "gradient_norm": float(norm)}
            values |= {"tokens_per_second": tokens / seconds, "seconds": state.seconds}
            metrics.add("training", number, values)

    def _gradients(self, group: list[AnyBatch]) -> tuple[float, int]:
        """Add the gradients of the summed loss of each batch; plain loss and token count."""
        self.model.train()
        done = self.state.update / self.updates
        plain, tokens = 0.0, 0
        for batch in group:
            with autocast(self.device, self.recipe.precision):
                loss = self.task(self.model, batch.to(self.device), done)
            torch.autograd.backward(loss.total)
            plain += float(loss.plain)
            tokens += loss.tokens
        return plain, tokens

    def _not_finite(
        self, update: int, group: list[AnyBatch], loss: float, norm: float
    ) -> TrainingError:
        rows = ", ".join(str(row + 1) for row in group[0].rows[:5])
        exists = self.checkpoint.exists()
        saved = "The last checkpoint is untouched" if exists else "No checkpoint was written yet"
        return TrainingError(
            f"Update {update}: the loss is {loss} and the gradient's norm {norm}, not finite "
            f"numbers (the batch with rows {rows}, ... of the prepared corpus). {saved}. Lower "
            f"--set training.learning_rate (now {self.recipe.learning_rate:g}), raise "
            f"training.warmup (now {self.recipe.warmup}), set training.clip=1, or take "
            "training.precision=float32; another --out starts afresh."
        )

    def _validate(self, metrics: Metrics | None) -> None:
        """Figures of the (averaged) weights, which all processes learn."""
        if metrics is not None:
            self._judge(metrics)
        self.state = self.group.agree(self.state)

    def _judge(self, metrics: Metrics) -> None:
        """Figures of the (averaged) weights; keep them if they are the best."""
        state = self.state
        with self._averaged():
            figures = self.validate(self.model)
            self.progress.validated(figures)
            metrics.add("validation", state.update, {**figures, "seconds": state.seconds})
            kept = weights_file(self.checkpoint, state.update)
            save_tensors(kept, untie(self.model.state_dict()), {})
            state.stale += 1
            if self._better(figures):
                state.best, state.best_update = figures[self.recipe.metric], state.update
                state.stale = 0
                state.figures = figures
                self.publish(self.model, state)
        for old in kept_weights(self.checkpoint)[: -self.recipe.keep]:
            old.unlink()
        draw_curves(self.folder)

    def _better(self, figures: Mapping[str, float]) -> bool:
        value, best = figures[self.recipe.metric], self.state.best
        if best is None:
            return True
        if value == best:  # as accuracies are, of few examples
            return figures.get("loss", math.inf) < self.state.figures.get("loss", -math.inf)
        return value < best if self.recipe.metric in LOWER_IS_BETTER else value > best

    def _out_of_patience(self) -> bool:
        patience = self.recipe.patience
        return patience is not None and self.state.stale >= patience

    @contextmanager
    def _averaged(self) -> Iterator[None]:
        """The model with its moving average as weights, in evaluation mode, inside the block."""
        self.model.eval()
        with restored(self.model):
            if self.average is not None:
                set_weights(self.model, self.average.weights)
            yield

    def _finish(self, metrics: Metrics | None) -> None:
        """Average the last checkpoints if that scores better, and mark the end."""
        if metrics is None:
            return
        figures = self._try_average()
        self.state.finished = True
        self._save()
        if figures:  # after saving: a run killed on the way here writes the line once
            metrics.add("average", self.state.update, figures)
        draw_curves(self.folder)

    def _try_average(self) -> dict[str, float]:
        """Figures of the mean of the last checkpoints, published if it is the best; or nothing."""
        state = self.state
        files = kept_weights(self.checkpoint)[-self.recipe.average :]
        if self.recipe.average < 2 or len(files) < 2:
            return {}
        with restored(self.model):
            mean = average_weights([load_tensors(file)[0] for file in files])
            load_weights(self.model, mean, files[-1])
            self.model.eval()
            figures = self.validate(self.model)
            self.progress.message(f"Average of the last {len(files)} checkpoints:")
            self.progress.validated(figures)
            if self._better(figures):
                state.best, state.best_update = figures[self.recipe.metric], state.update
                state.figures = figures
                self.publish(self.model, state)
        return figures

    def _save(self) -> None:
        if not self.group.first:
            return
        weights = self.average.weights if self.average else {}
        save_checkpoint(self.checkpoint, self.state, self.model, self.optimizer, weights)
