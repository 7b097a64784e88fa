"""Let a model read, and keep where it looked: any model of the contracts, no family is named here.

Axes: B batch (always one here), H heads, G heads of keys and values, R rows, C columns, K head
width.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

import numpy as np
import torch
from torch import Tensor, nn

from seqloom.corpus.report import shorten
from seqloom.errors import DecodingError, SeqloomError
from seqloom.inspection.attention import AttentionRecord
from seqloom.inspection.attention_map import DETAILS, AttentionMap
from seqloom.inspection.flows import value_lengths
from seqloom.layers.recorder import Recorder, record
from seqloom.models.base import CausalModel, EncoderDecoder, MaskedModel, Memory
from seqloom.symbols import BOS, EOS, SPECIALS

ReadableModel = EncoderDecoder | CausalModel | MaskedModel
"""Any model of the contracts."""

WEIGHTS = ".weights"
"""How the paths of recorded weights end, behind that of their layer."""
NO_ATTENTION = (
    "this model has no attention to draw: its decoder sees one context vector only. Train "
    "one with attention, for instance with --set model.attention=additive."
)


def record_pair(
    model: EncoderDecoder,
    source_ids: Sequence[int],
    target_ids: Sequence[int],
    tokens: Mapping[str, Sequence[str]],
    *,
    words: Mapping[str, Sequence[int]] | None = None,
    title: str = "",
    details: bool = False,
) -> AttentionRecord:
    """Let ``model`` read a source and write a given target, and keep where it looked.

    Args:
        model: any encoder-decoder.
        source_ids: without their end, which is added: models do look at it.
        target_ids: likewise.
        tokens: pieces of ``source`` and ``target``, without the end.
        words: the first pieces of the words of both.
        title: of pages.
        details: keep queries, keys, values and scores, too.

    Raises:
        DecodingError: a side is longer than the model's limit.
        SeqloomError: the model has no attention.
    """
    _check_lengths(model, {"source": source_ids, "target": target_ids}, title)
    begin, end = model.symbols.begin, model.symbols.end
    device = next(model.parameters()).device
    source = torch.tensor([[*source_ids, end]], device=device)
    target = torch.tensor([[begin, *target_ids]], device=device)
    with evaluated(model), record(model) as seen:
        model.decode(model.encode(source, torch.ones_like(source, dtype=torch.bool)), target)
    first, last = SPECIALS[BOS], SPECIALS[EOS]
    names = {
        "source": [*tokens["source"], last],
        "written": [*tokens["target"], last],
        "read": [first, *tokens["target"]],
    }
    starts = dict[str, list[int]]()
    if words is not None:
        before, after = ([*words[side], len(tokens[side])] for side in ("source", "target"))
        starts = {
            "source": before,
            "written": after,
            "read": [0, *(place + 1 for place in words["target"])],
        }
    maps = list(_maps(model, seen, details))
    if not any(each.part == "cross" for each in maps):
        raise SeqloomError(NO_ATTENTION)
    return AttentionRecord(names, maps, starts, title)


def record_text(
    model: CausalModel | MaskedModel,
    ids: Sequence[int],
    tokens: Sequence[str],
    *,
    words: Sequence[int] | None = None,
    title: str = "",
    details: bool = False,
) -> AttentionRecord:
    """Let a language model read a text, and keep where it looked.

    Args:
        model: causal or masked.
        ids: as the model reads them, with the symbols around them.
        tokens: their pieces.
        words: the first pieces of words; the first of all is 0.
        title: of pages.
        details: keep queries, keys, values and scores, too.
    """
    rows = torch.tensor([list(ids)], device=next(model.parameters()).device)
    with evaluated(model), record(model) as seen:
        model(rows)
    starts = {} if words is None else {"text": list(words)}
    maps = list(_maps(model, seen, details))
    return AttentionRecord({"text": list(tokens)}, maps, starts, title)


def _check_lengths(model: EncoderDecoder, sides: Mapping[str, Sequence[int]], text: str) -> None:
    limit = model.max_positions
    for name, ids in sides.items():
        if limit is not None and len(ids) >= limit:
            raise DecodingError(
                f"a {name} of {len(ids) + 1} tokens (end of sentence counted) is longer than the "
                f"model's limit of {limit}, in {shorten(text)!r}; leave it out, or shorten it."
            )


def let_read(model: ReadableModel, ids: Tensor, real: Tensor) -> Memory | None:
    """Let a model read ids [B L] that are ``real`` [B L] or padding; the memory of an encoder."""
    if isinstance(model, EncoderDecoder):
        return model.encode(ids, real)
    model(ids, real.long())
    return None


@contextmanager
def evaluated(model: nn.Module) -> Iterator[None]:
    """Dropout off and no gradients inside the block."""
    was_training = model.training
    model.eval()
    try:
        with torch.inference_mode():
            yield
    finally:
        model.train(was_training)


def _maps(model: nn.Module, seen: Recorder, details: bool) -> Iterator[AttentionMap]:
    """Every attention that was seen, as a map."""
    for path in seen.paths():
        if not path.endswith(WEIGHTS):
            continue
        layer = path.removesuffix(WEIGHTS)
        part, rows, columns = part_of(layer)
        weights = _steps(seen[path])
        noted = {name: seen[f"{layer}.{name}"] for name in DETAILS if f"{layer}.{name}" in seen}
        lengths = None
        if "value" in noted:
            values = noted["value"][-1][0]
            lengths = value_lengths(model.get_submodule(layer), values).float().cpu().numpy()
        kept = dict[str, np.ndarray]()
        if details:
            kept = {
                name: _steps(calls) if name in ("query", "scores") else _numbers(calls[-1][0])
                for name, calls in noted.items()
            }
        yield AttentionMap(layer, part, rows, columns, weights, lengths, kept)


def part_of(layer: str) -> tuple[str, str, str]:
    """Part, rows and columns of a layer, by its path in the model."""
    names = layer.split(".")
    if "encoder" in names:
        return "encoder", "source", "source"
    if "decoder" in names:
        if names[-1] == "self_attention":
            return "decoder", "written", "read"
        return "cross", "written", "source"
    return "text", "text", "text"


def _steps(calls: Sequence[Tensor]) -> np.ndarray:
    """What a layer noted of the first sentence, [H R ...], out of one call or one a row."""
    return _numbers(torch.cat([each[0] for each in calls], dim=1))


def _numbers(tensor: Tensor) -> np.ndarray:
    return tensor.float().cpu().numpy()
