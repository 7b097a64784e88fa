"""Batches of texts read with a recorder on: where every head of any model looked.

Axes: B texts, L positions, H heads, R tokens that look (rows), C tokens looked at (columns).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

from seqloom.decoding.stream import pad
from seqloom.inspection.recording import WEIGHTS, ReadableModel, evaluated, let_read, part_of
from seqloom.layers.recorder import record
from seqloom.models.base import EncoderDecoder, MaskedModel

_CELLS = 150_000
"""Weights of one head that are held at the same time: texts times rows times columns."""


class Text(NamedTuple):
    """What a model is to read, and what an encoder-decoder is to write."""

    number: int
    """Its place among the texts, from 0."""
    source: tuple[int, ...]
    """Ids without the symbols around them."""
    target: tuple[int, ...] = ()
    """Likewise, of an encoder-decoder."""
    front: tuple[int, int] = (0, 0)
    """How many of either stand in front of the words, such as languages."""


@dataclass(frozen=True)
class Side:
    """The tokens of one side of a batch."""

    ids: Tensor
    """[B L]."""
    real: Tensor
    """True but at padding [B L]."""
    text: Tensor
    """True at the text's own tokens, not at the symbols around it [B L]."""


@dataclass(frozen=True)
class Looks:
    """Where the heads of one layer looked in a batch."""

    path: str
    part: str
    """One of :data:`seqloom.inspection.attention_map.PARTS`."""
    weights: Tensor
    """[B H R C], float32."""
    visible: Tensor
    """Which columns a row may look at; none in a row of padding [B R C]."""
    rows: Side
    columns: Side
    reads: str
    """What the columns are: ``source``, ``target`` or ``text``."""


def batches(texts: Sequence[Text], model: ReadableModel) -> Iterator[list[Text]]:
    """The texts, longest first, in batches of like length."""
    paired = isinstance(model, EncoderDecoder)
    batch, longest = list[Text](), 0
    for text in sorted(texts, key=lambda each: (-len(each.source), -len(each.target))):
        own = max(2 + len(text.source), 2 + len(text.target) if paired else 0)
        if batch and (len(batch) + 1) * max(longest, own) ** 2 > _CELLS:
            yield batch
            batch, longest = [], 0
        batch.append(text)
        longest = max(longest, own)
    if batch:
        yield batch


def read(model: ReadableModel, batch: Sequence[Text], *, encoder_only: bool = False) -> list[Looks]:
    """Let a model read (and write) a batch, and keep where it looked.

    Args:
        model: any.
        batch: one text or several.
        encoder_only: an encoder-decoder reads, and writes nothing.
    """
    sides = _sides(model, batch)
    with evaluated(model), record(model) as seen:
        side = sides["source" if isinstance(model, EncoderDecoder) else "text"]
        memory = let_read(model, side.ids, side.real)
        if isinstance(model, EncoderDecoder) and memory is not None and not encoder_only:
            model.decode(memory, sides["read"].ids)
    found = list[Looks]()
    for path in seen.paths():
        if path.endswith(WEIGHTS):
            layer = path.removesuffix(WEIGHTS)
            weights, scores = (
                torch.cat(seen[f"{layer}.{name}"], dim=2).float() for name in ("weights", "scores")
            )
            found.append(_looks(layer, weights, scores, sides))
    return found


def _looks(layer: str, weights: Tensor, scores: Tensor, sides: Mapping[str, Side]) -> Looks:
    part, row_name, column_name = part_of(layer)
    # A decoder's state that looks at itself is that of the token it has read.
    rows = sides["read" if part == "decoder" else row_name]
    columns = sides[column_name]
    visible = torch.isfinite(scores).any(dim=1)  # what masks hide has minus infinity
    visible = visible & rows.real[:, :, None] & columns.real[:, None]
    reads = "target" if part == "decoder" else column_name
    return Looks(layer, part, weights, visible, rows, columns, reads)


def _sides(model: ReadableModel, batch: Sequence[Text]) -> dict[str, Side]:
    symbols = model.symbols
    device = next(model.parameters()).device
    fronts = [text.front[0] for text in batch]
    before, after = [symbols.begin], [symbols.end]
    if not isinstance(model, EncoderDecoder):
        ended = after if isinstance(model, MaskedModel) else []
        rows = [[*before, *text.source, *ended] for text in batch]
        return {
            "text": _side(rows, [1 + front for front in fronts], bool(ended), symbols.pad, device)
        }
    sources = [[*text.source, *after] for text in batch]
    reads = [[*before, *text.target] for text in batch]
    writes = [[*text.target, *after] for text in batch]
    behind = [text.front[1] for text in batch]
    return {
        "source": _side(sources, fronts, True, symbols.pad, device),
        "read": _side(reads, [1 + front for front in behind], False, symbols.pad, device),
        "written": _side(writes, behind, True, symbols.pad, device),
    }


def _side(
    rows: Sequence[Sequence[int]],
    fronts: Sequence[int],
    ended: bool,
    filler: int,
    device: torch.device,
) -> Side:
    """One side of a batch, with this many symbols in front and perhaps one at the end."""
    ids, real = pad(rows, filler, device)
    places = torch.arange(ids.shape[1], device=device)
    last = real.sum(dim=1, keepdim=True) - int(ended)
    first = torch.tensor(fronts, device=device)[:, None]
    return Side(ids, real, (places >= first) & (places < last))
