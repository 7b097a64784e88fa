"""Prune the heads of a translation model: a curve of heads against BLEU, and a smaller folder."""

from __future__ import annotations

import copy
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch

from seqloom.compression.head_gates import Gates, attention_layers, learn_gates, without_heads
from seqloom.corpus.files import whole_new_folder
from seqloom.corpus.pairs import Progress
from seqloom.corpus.store import StoreWriter, TokenStore
from seqloom.decoding.stream import decode_stream
from seqloom.errors import CorpusError, FolderError
from seqloom.evaluation.metrics import Figure, evaluate
from seqloom.folder import ModelFolder, load_folder, save_config, save_weights, write_text
from seqloom.models.base import EncoderDecoder
from seqloom.recipe import Recipe, TransformerRecipe
from seqloom.text.framing import Framing
from seqloom.text.tags import Languages
from seqloom.training.batches import PairFeed, batches
from seqloom.training.tasks import Translation

Pairs = tuple[Sequence[str], Sequence[str]]
"""Sources and targets."""

_TOKENS = 4096  # target positions judged together

PRICES = (0.003, 0.01, 0.03)
"""Of an open gate, in nats a token."""


@dataclass(frozen=True)
class Point:
    """One model of the curve."""

    price: float | None
    """Of an open gate; None for the model as it was."""
    heads: int
    """That are left."""
    encoder: tuple[int, ...]
    """Of each layer of the encoder."""
    decoder: tuple[int, ...]
    """Of each layer of the decoder, over itself."""
    cross: tuple[int, ...]
    """Of each layer of the decoder, over the source."""
    parameters: int
    loss: float
    """Of the validation pairs, in nats a token."""
    bleu: float
    """Of their greedy translations."""
    low: float
    """Lower end of the 95 % interval of BLEU."""
    high: float


def prune(
    folder: str | Path,
    out: str | Path,
    pairs: Pairs,
    validation: Pairs,
    *,
    prices: Sequence[float] = PRICES,
    updates: int = 1000,
    tolerance: float = 0.5,
    languages: Languages | None = None,
    device: torch.device | None = None,
    progress: Progress | None = None,
) -> list[Point]:
    """Write the smallest model that loses little BLEU, and tell how many heads what price left.

    Args:
        folder: of a Transformer that translates.
        out: folder to write.
        pairs: what it is trained further on, once for each price.
        validation: pairs that the figures are of.
        prices: of an open gate, in nats a token; the higher, the fewer heads are left.
        updates: for each price.
        tolerance: BLEU that may be lost.
        languages: of the pairs, as for :meth:`seqloom.translator.Translator.translate`.
        device: where to train.
        progress: told how far it is.

    Returns:
        The model as it was, then one for each price.

    Raises:
        FolderError: ``out`` exists, ``folder`` holds no Transformer, or all prices cost more BLEU
            than ``tolerance``.
        CorpusError: no pair is left that the model can read.
    """
    out = Path(out)
    if out.exists():
        raise FolderError(f"{out} exists already; choose another --out, or remove it.")
    opened = load_folder(folder, device)
    recipe = opened.recipe.model
    if not isinstance(recipe, TransformerRecipe):
        raise FolderError(
            f"{folder} holds a model of the family {recipe.family!r}; heads can be taken out of a "
            "Transformer."
        )
    framing = Framing.of(opened.tokenizers, opened.recipe.data, languages or {})
    with tempfile.TemporaryDirectory() as place:
        stores = [
            _store(opened, framing, each, Path(place) / name)
            for each, name in ((pairs, "train.arrow"), (validation, "validation.arrow"))
        ]
        judge = _Judge(opened, framing, stores[1])
        curve, models = [judge(opened.model, recipe, None)], list[tuple[EncoderDecoder, Any]]()
        for price in prices:
            model, smaller = _pruned(opened, recipe, stores[0], price, updates, progress)
            curve.append(judge(model, smaller, price))
            models.append((model, smaller))
    best = _best(curve, tolerance)
    _write(opened, out, *models[best], curve, best)
    return curve


def _best(curve: Sequence[Point], tolerance: float) -> int:
    """The number of the price that leaves the fewest heads and loses little BLEU.

    Raises:
        FolderError: all lose too much.
    """
    good = [n for n, point in enumerate(curve[1:]) if curve[0].bleu - point.bleu <= tolerance]
    if not good:
        lost = min(curve[0].bleu - point.bleu for point in curve[1:])
        raise FolderError(
            f"every price costs more than {tolerance:g} BLEU (the least: {lost:.2f}), so nothing "
            "is written. Allow more with --tolerance, ask a lower --price, or train for longer "
            "with --updates."
        )
    return min(good, key=lambda number: (curve[1 + number].heads, -curve[1 + number].bleu))


def _pruned(
    opened: ModelFolder,
    recipe: TransformerRecipe,
    store: TokenStore,
    price: float,
    updates: int,
    progress: Progress | None,
) -> tuple[EncoderDecoder, TransformerRecipe]:
    """The model that is left at one price."""
    training = opened.recipe.training
    torch.manual_seed(training.seed)
    model = copy.deepcopy(opened.model)
    # The whole loss from the first update: what is trained has been trained.
    task = Translation(training.model_copy(update={"consistency": "none"}))
    feed = PairFeed(store, training.batch_tokens, training.seed)
    gates: Gates = learn_gates(
        model, recipe, task, feed, price=price, updates=updates, progress=progress
    )
    return without_heads(model, recipe, gates)


def _store(opened: ModelFolder, framing: Framing, pairs: Pairs, path: Path) -> TokenStore:
    """The pairs as ids, without those that are empty or longer than the model was trained on."""
    limit = opened.recipe.data.max_length
    if opened.model.max_positions is not None:
        limit = min(limit, opened.model.max_positions - 1)
    sides = framing.sources(pairs[0]), framing.targets(pairs[1])
    kept = [
        (source, target)
        for source, target in zip(*sides, strict=True)
        if source and target and max(len(source), len(target)) <= limit
    ]
    if not kept:
        raise CorpusError(
            f"no pair is left: all of {len(pairs[0]):,} are empty or of more than {limit} tokens."
        )
    tokenizers = opened.tokenizers
    with StoreWriter(path, tokenizers.source.size, tokenizers.target.size) as writer:
        writer.write(*zip(*kept, strict=True))
    return TokenStore.open(path)


@dataclass(frozen=True)
class _Judge:
    """Figures of a model on the validation pairs."""

    opened: ModelFolder
    framing: Framing
    store: TokenStore

    @torch.inference_mode()
    def __call__(
        self, model: EncoderDecoder, recipe: TransformerRecipe, price: float | None
    ) -> Point:
        task = Translation(self.opened.recipe.training)
        device = next(model.parameters()).device
        losses = [task(model, batch.to(device)) for batch in batches(self.store, _TOKENS)]
        bleu = self._bleu(model, device)
        assert bleu.low is not None and bleu.high is not None
        left = dict[str, tuple[int, ...]]()
        for part, layer in attention_layers(recipe).values():
            left[part] = (*left.get(part, ()), recipe.heads_of(part, layer))
        return Point(
            price,
            sum(map(sum, left.values())),
            **left,
            parameters=sum(each.numel() for each in model.parameters()),
            loss=sum(float(each.plain) for each in losses) / sum(each.tokens for each in losses),
            bleu=bleu.value,
            low=bleu.low,
            high=bleu.high,
        )

    def _bleu(self, model: EncoderDecoder, device: torch.device) -> Figure:
        """Of greedy translations."""
        pairs = [self.store.pair(row) for row in range(len(self.store))]
        begun = self.framing.begun
        greedy = self.opened.recipe.decoding.model_copy(
            update={"beam": 1, "nbest": 1, "sample": False, "stop": ()}
        )
        found = decode_stream(
            [model],
            [source.tolist() for source, _ in pairs],
            greedy,
            device=device,
            prefixes=[begun] * len(pairs) if begun else None,
        )
        decode = self.opened.tokenizers.target.decode_batch
        hypotheses = decode([best[0].ids for best in found])
        references = decode([target.tolist() for _, target in pairs])
        language = self.opened.recipe.data.target_language
        [figure] = evaluate(
            hypotheses, references, metrics=["bleu"], target_language=language, bootstrap=1000
        )
        return figure


def _write(
    opened: ModelFolder,
    out: Path,
    model: EncoderDecoder,
    smaller: TransformerRecipe,
    curve: Sequence[Point],
    best: int,
) -> None:
    """The folder, whole or not at all; what makes it a model folder, config.json, comes last."""
    recipe: Recipe = opened.recipe.model_copy(update={"model": smaller})
    with whole_new_folder(out) as temporary:
        write_text(temporary / "README.md", _card(opened.path, curve, curve[1 + best]))
        save_weights(temporary, model.state_dict(), recipe, opened.tokenizers)
        save_config(temporary, recipe, opened.tokenizers)


def table(curve: Sequence[Point]) -> str:
    """The curve for people, in Markdown: heads that are left, and what is left of BLEU."""
    rows = [
        "| price | heads | encoder | decoder | cross | parameters | loss | BLEU | 95 % interval |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for point in curve:
        cells = [
            "as it was" if point.price is None else f"{point.price:g}",
            str(point.heads),
            *(" ".join(map(str, each)) for each in (point.encoder, point.decoder, point.cross)),
            f"{point.parameters:,}",
            f"{point.loss:.3f}",
            f"{point.bleu:.2f}",
            f"[{point.low:.2f}, {point.high:.2f}]",
        ]
        rows.append(f"| {' | '.join(cells)} |")
    return "\n".join(rows)


def as_dicts(curve: Sequence[Point]) -> list[dict[str, Any]]:
    """The curve as plain values."""
    return [asdict(point) for point in curve]


def _card(origin: Path, curve: Sequence[Point], chosen: Point) -> str:
    """Markdown: what was pruned, and the card of the model as it was below it."""
    card = origin / "README.md"
    below = card.read_text(encoding="utf-8") if card.is_file() else ""
    return (
        f"# `{origin}` with {chosen.heads} heads of {curve[0].heads}\n\n"
        f"Pruned by Seqloom with hard-concrete gates (Louizos et al. 2018) at a price of "
        f"{chosen.price:g} nats a token. Heads by layer, the lowest first:\n\n{table(curve)}\n\n"
        f"What follows is the card of the model before pruning.\n\n{below}"
    )
