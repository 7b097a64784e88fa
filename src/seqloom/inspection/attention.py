"""Where a decoder looks: records of attention and their picture (Bahdanau et al. 2015, fig. 3).

Axes: H heads, T target positions, S source positions. A record holds numbers and pieces of text and
nothing of the model, so a page, a notebook or a later version can draw it without one.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import torch
from torch import Tensor

from seqloom.errors import SeqloomError, writing
from seqloom.layers.recorder import record
from seqloom.models.base import EncoderDecoder
from seqloom.symbols import BOS, EOS, SPECIALS

if TYPE_CHECKING:
    from matplotlib.figure import Figure

KIND, VERSION = "attention", 1


@dataclass(frozen=True, eq=False)
class AttentionRecord:
    """Attention of one sentence: ``layers[path][h, t, s]`` is how much head h, when it writes
    target piece t, takes from source piece s. Each row over s adds up to 1.
    """

    source: list[str]
    """Source pieces [S]."""
    target: list[str]
    """Target pieces [T]; row t of the weights chose ``target[t]``."""
    layers: dict[str, np.ndarray]
    """Path in the model, as ``decoder.layers.0.cross_attention.weights`` -> float32 [H T S]."""

    def __post_init__(self) -> None:
        for path, weights in self.layers.items():
            if weights.ndim != 3 or weights.shape[1:] != (len(self.target), len(self.source)):
                raise ValueError(
                    f"{path}: weights of shape {weights.shape}; expected [heads, "
                    f"{len(self.target)} target pieces, {len(self.source)} source pieces]"
                )

    def as_dict(self) -> dict[str, Any]:
        """The record as plain lists and strings, ready for JSON; nothing is rounded."""
        return {
            "kind": KIND,
            "version": VERSION,
            "source": self.source,
            "target": self.target,
            "layers": {path: _plain(weights) for path, weights in self.layers.items()},
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """The record that :meth:`as_dict` wrote.

        Raises:
            SeqloomError: this is no attention record, or one of a later version.
        """
        if values.get("kind") != KIND:
            raise SeqloomError(f"not an attention record: its kind is {values.get('kind')!r}.")
        if values.get("version") != VERSION:
            raise SeqloomError(
                f"an attention record of version {values.get('version')!r}; this Seqloom reads "
                f"version {VERSION}. Update Seqloom, or make the record again."
            )
        try:
            layers = {
                path: np.asarray(weights, dtype=np.float32)
                for path, weights in values["layers"].items()
            }
            return cls(list(values["source"]), list(values["target"]), layers)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise SeqloomError(f"a damaged attention record: {error}.") from None

    def save_json(self, path: str | Path) -> None:
        """Write :meth:`as_dict` as UTF-8 JSON.

        Raises:
            FolderError: the file cannot be written.
        """
        text = json.dumps(self.as_dict(), ensure_ascii=False)
        with writing(Path(path)):
            Path(path).write_text(text + "\n", encoding="utf-8")

    def weights(self, layer: str | None = None, head: int | None = None) -> np.ndarray:
        """One matrix [T S]: a layer (the last one unless named), a head or the mean over heads.

        Raises:
            SeqloomError: there is no such layer or head.
        """
        if layer is None:
            layer = next(reversed(self.layers))
        if layer not in self.layers:
            raise SeqloomError(
                f"no layer {layer!r} was recorded; there are: {', '.join(self.layers)}."
            )
        heads = self.layers[layer]
        if head is None:
            return heads.mean(axis=0)
        if not 0 <= head < len(heads):
            raise SeqloomError(f"no head {head}; {layer} has heads 0 to {len(heads) - 1}.")
        return heads[head]

    def plot(
        self, path: str | Path | None = None, layer: str | None = None, head: int | None = None
    ) -> Figure:
        """Draw one layer, the last unless named, and one head or the mean; write it to ``path``.

        Raises:
            SeqloomError: no such layer or head, or a file suffix that is no picture's.
            FolderError: ``path`` cannot be written.
        """
        from seqloom.inspection.picture import draw, save

        title = "Attention, " + (f"head {head}" if head is not None else "mean over heads")
        if layer is None and len(self.layers) > 1:
            title += ", last layer"
        elif layer is not None:
            title += f"\n{layer}"
        figure = draw([(title, self.source, self.target, self.weights(layer, head))])
        if path is not None:
            save(figure, Path(path))
        return figure


def plot_many(
    records: Sequence[AttentionRecord],
    path: str | Path | None = None,
    titles: Sequence[str] = (),
) -> Figure:
    """One picture with a panel a record, last layer and mean over heads; written to ``path``.

    Args:
        records: one or more.
        path: file to write, such as ``attention.png``.
        titles: one a record, or none at all.

    Raises:
        SeqloomError: a file suffix that is no picture's.
        FolderError: ``path`` cannot be written.
    """
    from seqloom.inspection.picture import draw, save

    names = list(titles) or [""] * len(records)
    figure = draw(
        [(name, r.source, r.target, r.weights()) for name, r in zip(names, records, strict=True)]
    )
    if path is not None:
        save(figure, Path(path))
    return figure


def record_attention(
    model: EncoderDecoder,
    source_ids: Sequence[int],
    target_ids: Sequence[int],
    source_pieces: Sequence[str],
    target_pieces: Sequence[str],
) -> AttentionRecord:
    """Let ``model`` read a source and write a given target, and keep where it looked.

    Ids and pieces come without BOS and EOS; the end of sentence is added to both sides, because
    models do look at the source's end and do choose the target's.

    Raises:
        SeqloomError: the model has no attention.
    """
    device = next(model.parameters()).device
    source = torch.tensor([[*source_ids, EOS]], device=device)
    target = torch.tensor([[BOS, *target_ids]], device=device)
    was_training = model.training
    model.eval()
    try:
        with torch.inference_mode(), record(model) as seen:
            model.decode(model.encode(source, torch.ones_like(source, dtype=torch.bool)), target)
    finally:
        model.train(was_training)
    paths = [path for path in seen.paths() if _is_cross_attention(path)]
    if not paths:
        raise SeqloomError(
            "this model has no attention to draw: its decoder sees one context vector only. Train "
            "one with attention, for instance with --set model.attention=additive."
        )
    end = SPECIALS[EOS]
    return AttentionRecord(
        [*source_pieces, end],
        [*target_pieces, end],
        {path: _joined(seen[path]) for path in paths},
    )


def _is_cross_attention(path: str) -> bool:
    """Whether ``path`` holds the decoder's weights over the source (self-attention does not)."""
    parts = path.split(".")
    return "decoder" in parts and parts[-2:] in (
        ["cross_attention", "weights"],
        ["attention", "weights"],
    )


def _joined(calls: Sequence[Tensor]) -> np.ndarray:
    """Weights [H T S] of the first sentence out of what the layer noted, call by call.

    A call notes [B H T S] (several heads), [B T S] (one head) or [B S] (one head, one step).
    """
    steps = []
    for weights in calls:
        if weights.dim() == 2:
            weights = weights[:, None]
        if weights.dim() == 3:
            weights = weights[:, None]
        steps.append(weights[0].float().cpu())
    return torch.cat(steps, dim=1).numpy()


def _plain(weights: np.ndarray) -> list[Any]:
    """Nested lists of the shortest decimals that give back the same float32 numbers."""
    return weights.astype(np.float32).astype(str).astype(np.float64).tolist()
