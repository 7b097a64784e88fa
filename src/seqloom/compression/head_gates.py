"""Which heads a translation task needs: gates that are learned, and heads that are taken out.

Every head of a trained Transformer gets a hard-concrete gate, and training goes on with a price for
each gate that is open (Louizos et al. 2018; Voita et al. 2019, section 6). What the price closes,
the task can do without. A layer keeps one head at least. Taken out, a head leaves the rest as it
was: the smaller model computes what the gated one did.

Axes: H heads, K head width, D width.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from itertools import chain, count, islice
from typing import Literal

import torch
from torch import Tensor, nn

from seqloom.corpus.pairs import Progress
from seqloom.layers.attention import MultiHeadAttention
from seqloom.layers.gates import HardConcrete, gated
from seqloom.models import build_model
from seqloom.models.base import EncoderDecoder
from seqloom.recipe import TransformerRecipe
from seqloom.recipe.models import HeadsLeft
from seqloom.training.batches import Batch, PairFeed
from seqloom.training.optim import build_optimizer, normalize_and_clip
from seqloom.training.tasks import Translation

Part = Literal["encoder", "decoder", "cross"]
Gates = dict[str, Tensor]
"""Path of an attention layer -> gates of its heads [H]."""

SLOWER = 0.1
"""Learning rate of the weights, as a share of the rate they were trained with."""
_RATE = 0.1
"""Learning rate of the gates."""


def attention_layers(recipe: TransformerRecipe) -> dict[str, tuple[Part, int]]:
    """Path of every attention layer -> its part and number."""
    found: dict[str, tuple[Part, int]] = {}
    for layer in range(recipe.encoder_layers):
        found[f"encoder.layers.{layer}.self_attention"] = "encoder", layer
    for layer in range(recipe.decoder_layers):
        found[f"decoder.layers.{layer}.self_attention"] = "decoder", layer
        found[f"decoder.layers.{layer}.cross_attention"] = "cross", layer
    return found


def learn_gates(
    model: EncoderDecoder,
    recipe: TransformerRecipe,
    task: Translation,
    feed: PairFeed,
    *,
    price: float,
    updates: int,
    progress: Progress | None = None,
) -> Gates:
    """Train a model further with gates on its heads; its weights change, and the gates are told.

    Args:
        model: a Transformer.
        recipe: its section.
        task: what it is trained for.
        feed: pairs.
        price: of an open gate, in nats a token.
        updates: how many.
        progress: told how many are done.
    """
    device = next(model.parameters()).device
    layers = attention_layers(recipe)
    gates = {path: HardConcrete(recipe.heads_of(*layers[path])).to(device) for path in layers}
    weights = task.recipe.model_copy(
        update={"learning_rate": SLOWER * task.recipe.learning_rate, "optimizer": "adam"}
    )
    optimizer = build_optimizer(model, weights)
    optimizer.set_rate(1.0)
    own = torch.optim.Adam([gate.openness for gate in gates.values()], lr=_RATE)
    model.train()
    for done, batch in enumerate(_batches(feed, updates), start=1):
        placed = batch.to(device)
        with gated(model, {path: gate() for path, gate in gates.items()}):
            loss = task(model, placed)
        open_gates = torch.stack([gate.expected() for gate in gates.values()]).sum()
        (loss.total + price * loss.tokens * open_gates).backward()  # type: ignore[no-untyped-call]
        normalize_and_clip(list(model.parameters()), loss.tokens, weights.clip)
        for each in (optimizer, own):  # Adam's steps do not depend on the gradients' scale
            each.step()
            each.zero_grad()
        if progress is not None:
            progress(f"pruning at a price of {price:g}", done, updates)
    model.eval()
    return {path: at_least_one(gate) for path, gate in gates.items()}


def _batches(feed: PairFeed, number: int) -> Iterator[Batch]:
    """So many batches, epoch after epoch."""
    epochs = (feed(epoch, 0) for epoch in count())
    return islice(chain.from_iterable(epochs), number)


@torch.no_grad()
def at_least_one(gate: HardConcrete) -> Tensor:
    """The likely gates [H]; where all are shut, the one that is nearest to open is open."""
    found = gate.eval()()
    if not found.any():
        found[gate.openness.argmax()] = 1.0
    return found


@torch.no_grad()
def without_heads(
    model: nn.Module, recipe: TransformerRecipe, gates: Mapping[str, Tensor]
) -> tuple[EncoderDecoder, TransformerRecipe]:
    """A smaller model without the heads whose gates are 0, which computes what the gated one does.

    Gates between 0 and 1 become part of the output's weights.

    Args:
        model: a Transformer of ``recipe``.
        recipe: its section.
        gates: of every attention layer, one of each layer not 0.
    """
    left: dict[str, list[int]] = {"encoder": [], "decoder": [], "cross": []}
    for path, (part, _) in attention_layers(recipe).items():
        left[part].append(int((gates[path] > 0).sum()))
    numbers = HeadsLeft(**{part: tuple(heads) for part, heads in left.items()})
    smaller = recipe.model_copy(update={"heads_left": numbers})
    weights = copy.copy(model.state_dict())
    for path, gate in gates.items():
        layer = model.get_submodule(path)
        assert isinstance(layer, MultiHeadAttention)
        weights |= {
            f"{path}.{name}": tensor
            for name, tensor in _kept(layer, gate.to(_device(layer))).items()
        }
    sizes = (each.num_embeddings for each in _tables(model))
    built = build_model(smaller, *sizes).to(_device(model)).eval()
    built.load_state_dict(weights)
    return built, smaller


def _kept(layer: MultiHeadAttention, gate: Tensor) -> dict[str, Tensor]:
    """The weights of a layer without the heads whose gates [H] are 0."""
    kept = (gate > 0).nonzero()[:, 0]
    width = layer.head_width
    found = dict[str, Tensor]()
    for name in ("query", "key", "value"):
        linear: nn.Linear = getattr(layer, name)
        for kind, tensor in linear.named_parameters():
            rows = tensor.view(-1, width, *tensor.shape[1:])  # [H K ...]
            found[f"{name}.{kind}"] = rows[kept].flatten(0, 1)
    output = layer.output.weight
    columns = output.view(len(output), -1, width) * gate[:, None]  # [D H K]
    return found | {"output.weight": columns[:, kept].flatten(1)}


def _device(model: nn.Module) -> torch.device:
    return next(model.parameters()).device


def _tables(model: nn.Module) -> tuple[nn.Embedding, nn.Embedding]:
    assert isinstance(model, EncoderDecoder)
    return model.embeddings
