"""Weights of a folder; where it holds an adapter, those of its base with products added to them.

An adapter is what LoRA (Hu et al. 2022) has learned, kept apart: ``adapter_model.safetensors``
holds two matrices A and B beside each matrix W that they change, which becomes W + scale * B A, and
the new layer. Its header names the folder of the base, and the digest of the base's weights. Both
folders may be moved together.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from torch import Tensor

from seqloom.errors import FolderError
from seqloom.tensors import load_tensors, save_tensors

ADAPTER = "adapter_model.safetensors"
WEIGHTS = "model.safetensors"
_ENCODER = "encoder."
_DOWN, _UP = ".lora_A.weight", ".lora_B.weight"


def save_adapter(
    path: Path,
    tensors: Mapping[str, Tensor],
    base: Path,
    scale: float,
    metadata: Mapping[str, str],
) -> None:
    """Write what was learned beside the weights of ``base``.

    Args:
        path: the folder.
        tensors: the products ``X.lora_A.weight`` and ``X.lora_B.weight``, and the new layer.
        base: folder of the encoder.
        scale: of the products.
        metadata: what else the header says.
    """
    _, of_base = stored_weights(base)
    place = base.resolve()
    note = {
        "base": str(place),
        "base_from_here": os.path.relpath(place, path.resolve()),
        "base_weights": of_base["digest"],
        "scale": str(scale),
    }
    save_tensors(path / ADAPTER, tensors, {**metadata, **note})


def _base(path: Path, metadata: Mapping[str, str]) -> Path:
    """Where the base is: in its place, or as near as it was, if both folders were moved."""
    places = [Path(metadata["base"]), path.resolve() / metadata["base_from_here"]]
    found = next((place for place in places if place.is_dir()), None)
    if found is None:
        raise FolderError(
            f"{path} holds an adapter to the encoder of {places[0]}, which is not there, nor at "
            f"{metadata['base_from_here']} from the adapter; put it back."
        )
    return found


def stored_weights(path: Path) -> tuple[dict[str, Tensor], dict[str, str]]:
    """Weights of a folder and what their header says.

    Raises:
        FolderError: a file is missing or damaged, or an adapter's base is not what it was.
    """
    if not (path / ADAPTER).is_file():
        return load_tensors(path / WEIGHTS)
    adapter, metadata = load_tensors(path / ADAPTER)
    base = _base(path, metadata)
    weights, of_base = stored_weights(base)
    if of_base["digest"] != metadata["base_weights"]:
        raise FolderError(
            f"{path} holds an adapter to the encoder of {base}, whose weights are others now; put "
            "those back that it was trained with."
        )
    tuned = any(name.startswith(_ENCODER) for name in weights)
    found = {
        f"{_ENCODER}{name.removeprefix(_ENCODER)}": tensor
        for name, tensor in weights.items()
        if name.startswith(_ENCODER) or not tuned
    }
    for name, tensor in adapter.items():
        if name.endswith(_DOWN):
            beside = name.removesuffix(_DOWN)
            product = adapter[beside + _UP] @ tensor
            found[f"{beside}.weight"] = (
                found[f"{beside}.weight"] + float(metadata["scale"]) * product
            )
        elif not name.endswith(_UP):
            found[name] = tensor
    return found, metadata
