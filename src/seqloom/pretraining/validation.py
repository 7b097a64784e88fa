"""What a language model is worth while it trains: figures on held-out texts, and samples."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch

from seqloom.decoding.stream import decode_stream
from seqloom.layers.linear import lowered
from seqloom.models.base import CausalModel, MaskedModel, TextModel
from seqloom.recipe.pretraining import PretrainRecipe
from seqloom.training.language_tasks import Counts, NextToken
from seqloom.training.progress import Progress
from seqloom.training.tasks import autocast
from seqloom.training.text_feed import TextFeed


@dataclass(frozen=True)
class TextValidator:
    """Loss and perplexity on held-out texts; what BERT finds; how GPT goes on."""

    recipe: PretrainRecipe
    new: TextFeed
    old: TextFeed | None
    device: torch.device
    progress: Progress

    def __call__(self, model: TextModel) -> dict[str, float]:
        """Figures of a model in evaluation mode: loss in nats a token, shares from 0 to 100."""
        if isinstance(model, CausalModel):
            self._show_samples(model)
        figures = self._figures(model, self.new)
        if self.old is not None:
            figures["old loss"] = self._figures(model, self.old)["loss"]
        return figures

    def _figures(self, model: TextModel, texts: TextFeed) -> dict[str, float]:
        """On what is held out of some texts."""
        if isinstance(model, MaskedModel):
            return self._masked(model, texts)
        assert isinstance(model, CausalModel)
        return self._causal(model, texts)

    @torch.inference_mode()
    def _causal(self, model: CausalModel, texts: TextFeed) -> dict[str, float]:
        task, total, tokens = NextToken(), 0.0, 0
        for batch in texts.held_out():
            with autocast(self.device, self.recipe.training.precision):
                loss = task(model, batch.to(self.device))
            total += float(loss.plain)
            tokens += loss.tokens
        loss_a_token = total / max(1, tokens)
        return {"loss": loss_a_token, "perplexity": perplexity(loss_a_token)}

    @torch.inference_mode()
    def _masked(self, model: MaskedModel, texts: TextFeed) -> dict[str, float]:
        counts, total = Counts(), 0.0
        for batch in texts.held_out():
            with autocast(self.device, self.recipe.training.precision):
                total += counts.add(model, batch.to(self.device))
        loss_a_token = total / max(1, counts.tokens)
        figures = {
            "loss": loss_a_token,
            "perplexity": perplexity(loss_a_token),
            "masked accuracy": 100 * counts.found / max(1, counts.tokens),
        }
        if counts.examples:
            figures["next sentence"] = 100 * counts.right / counts.examples
        return figures

    def _show_samples(self, model: CausalModel) -> None:
        """How the model goes on after some beginnings, drawn from it."""
        training, tokenizer = self.recipe.training, self.new.texts.tokenizer
        options = self.recipe.decoding.model_copy(update={"max_tokens": training.sample_tokens})
        ready = lowered(model, training.precision)
        prompts = [tokenizer.encode(beginning) for beginning in training.samples]
        found = decode_stream(
            [ready], prompts, options, device=self.device, decode=tokenizer.decode
        )
        for prompt, drawn in zip(prompts, found, strict=True):
            self.progress.message(f"sample: {tokenizer.decode([*prompt, *drawn[0].ids])}")


def perplexity(loss: float) -> float:
    """The exponential of a cross-entropy in nats; infinite where that is too large to say."""
    return math.exp(loss) if loss < 700 else math.inf
