"""What a model loses when one head alone is switched off (Voita et al. 2019; Michel et al. 2019).

Axes: N texts, H heads of a layer.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch

from seqloom.corpus.pairs import Progress
from seqloom.decoding.forced import score_pairs
from seqloom.decoding.stream import pad
from seqloom.evaluation.bootstrap import interval, resample
from seqloom.evaluation.scorers import Statistics, make_scorer
from seqloom.inspection.head_reading import Text, batches
from seqloom.inspection.head_roles import BLEU, LIKELIHOOD, OWN_BLEU, Measure, means
from seqloom.inspection.recording import ReadableModel, evaluated
from seqloom.layers.gates import gated
from seqloom.models.base import MaskedModel

_HIDDEN = 0.15
"""Share of tokens that are hidden from a masked model (Devlin et al. 2019)."""

Losses = dict[tuple[str, int], dict[str, Measure]]
"""Layer and head -> figure -> what is lost."""


@dataclass(frozen=True)
class Translations:
    """What is to be translated for BLEU."""

    translate: Callable[[], list[str]]
    """Translates the sources with the model as it is."""
    references: Sequence[str]
    language: str | None = None
    """Of the references: chooses how BLEU cuts them."""
    own: bool = False
    """Whether the references are what the whole model writes itself."""

    @property
    def name(self) -> str:
        """Of the figure."""
        return OWN_BLEU if self.own else BLEU


def importance(
    model: ReadableModel,
    texts: Sequence[Text],
    layers: Mapping[str, int],
    *,
    translations: Translations | None = None,
    progress: Progress | None = None,
) -> Losses:
    """What is lost when a head alone is switched off, with paired 95 % bootstrap intervals.

    Args:
        model: any.
        texts: what it reads, and what it is scored by.
        layers: path -> heads.
        translations: measure BLEU, too.
        progress: told how many heads are done.

    Raises:
        DecodingError: a text is longer than the model's limit.
    """
    whole, tokens = _scores(model, texts)
    bleu = None if translations is None else _Bleu(translations)
    found: Losses = {}
    places = [(path, head) for path, heads in layers.items() for head in range(heads)]
    for done, (path, head) in enumerate(places):
        gates = torch.ones(layers[path], device=next(model.parameters()).device)
        gates[head] = 0
        with gated(model, {path: gates}):
            scores, _ = _scores(model, texts)
            losses = {LIKELIHOOD: means((whole - scores)[:, None], tokens)[0]}
            if bleu is not None:
                losses[bleu.translations.name] = bleu.loss()
        found[path, head] = losses
        if progress is not None:
            progress("switching heads off", done + 1, len(places))
    return found


class _Bleu:
    """BLEU of the whole model, and what is lost of it."""

    def __init__(self, translations: Translations) -> None:
        self.translations = translations
        self.scorer = make_scorer("bleu", translations.language)
        self.value, self.drawn = self._figures()

    def _figures(self) -> tuple[float, Statistics]:
        """BLEU of the model as it is now, and of bootstrap samples."""
        hypotheses = self.translations.translate()
        counts = self.scorer.statistics(hypotheses, self.translations.references)
        return self.scorer.figure(counts.sum(axis=0)), resample(self.scorer, counts, 1000)

    def loss(self) -> Measure:
        """What is lost of BLEU as the model is now."""
        value, drawn = self._figures()  # equal seeds: the same sentences
        number = len(self.translations.references)
        return Measure(self.value - value, *interval(self.drawn - drawn), number)


def _scores(model: ReadableModel, texts: Sequence[Text]) -> tuple[Statistics, Statistics]:
    """Log-probability of each text, in nats, and its tokens [N]."""
    if isinstance(model, MaskedModel):
        return _masked_scores(model, texts)
    device = next(model.parameters()).device
    paired = any(text.target for text in texts)
    sources = [text.source if paired else () for text in texts]
    targets = [text.target if paired else text.source for text in texts]
    scores = score_pairs([model], sources, targets, device)
    return (
        np.array([sum(row) for row in scores]),
        np.array([len(row) for row in scores], dtype=np.float64),
    )


def _masked_scores(model: MaskedModel, texts: Sequence[Text]) -> tuple[Statistics, Statistics]:
    """The same of hidden tokens, the same ones each time."""
    symbols = model.symbols
    assert symbols.mask is not None, "a masked model hides tokens"
    device = next(model.parameters()).device
    scores, tokens = np.zeros(len(texts)), np.zeros(len(texts))
    places = {text.number: row for row, text in enumerate(texts)}
    for batch in batches(texts, model):
        ids, real = pad(
            [[symbols.begin, *t.source, symbols.end] for t in batch], symbols.pad, device
        )
        hidden = torch.zeros_like(real)
        for row, text in enumerate(batch):
            chance = np.random.default_rng(text.number)
            number = max(1, round(_HIDDEN * len(text.source)))
            chosen = chance.choice(len(text.source), number, replace=False)
            hidden[row, torch.from_numpy(1 + chosen).to(device)] = True
        with evaluated(model):
            states = model(ids.masked_fill(hidden, symbols.mask), real.long())[hidden]
            logits = model.project(states).float().log_softmax(dim=-1)
            gains = logits.gather(1, ids[hidden][:, None])[:, 0].double().cpu().numpy()
        rows = np.array([places[batch[row].number] for row in hidden.nonzero()[:, 0].tolist()])
        np.add.at(scores, rows, gains)
        np.add.at(tokens, rows, 1)
    return scores, tokens
