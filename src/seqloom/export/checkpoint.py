"""Checkpoints of other libraries: safetensors in one file or several, read and written.

Files of pickled objects are never opened: reading one runs whatever code its author put into it.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from seqloom.errors import ExportError
from seqloom.tensors import save_tensors

WEIGHTS = "model.safetensors"
INDEX = "model.safetensors.index.json"
_PICKLED = (".bin", ".pt", ".pth", ".ckpt", ".pkl", ".h5", ".msgpack")
_FLOATS = (torch.float16, torch.bfloat16, torch.float32)


def read_weights(folder: Path) -> dict[str, Tensor]:
    """All tensors of a checkpoint by their names, as float32.

    Raises:
        ExportError: no weights, pickled ones only, a shard that is missing or truncated, or tensors
            of another number type.
    """
    if (folder / WEIGHTS).is_file():
        weights = _read_file(folder / WEIGHTS)
    elif (folder / INDEX).is_file():
        weights = _read_shards(folder)
    else:
        raise _no_weights(folder)
    strange = [f"{name}: {t.dtype}" for name, t in weights.items() if t.dtype not in _FLOATS]
    if strange:
        raise ExportError(
            f"{folder}: expected weights in float16, bfloat16 or float32, found "
            f"{_some(strange)}. Quantized checkpoints are not read; take the one it was made from."
        )
    return {name: tensor.float() for name, tensor in weights.items()}


def write_weights(folder: Path, weights: Mapping[str, Tensor]) -> None:
    """Write ``model.safetensors`` as other libraries expect it.

    Raises:
        FolderError: the file cannot be written.
    """
    save_tensors(folder / WEIGHTS, weights, {"format": "pt"})


def read_json(path: Path) -> dict[str, Any]:
    """The object in a JSON file; empty if there is no such file.

    Raises:
        ExportError: the file is not JSON, or holds no object.
    """
    if not path.is_file():
        return {}
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, OSError) as error:
        raise ExportError(
            f"{path} is damaged: not valid JSON ({error}); get the file again."
        ) from None
    if not isinstance(values, dict):
        raise ExportError(f"{path} is damaged: expected a JSON object; get the file again.")
    return values


def _read_file(path: Path) -> dict[str, Tensor]:
    try:
        with safe_open(path, framework="pt") as file:
            return {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (SafetensorError, OSError) as error:
        raise ExportError(
            f"{path} is truncated or not a safetensors file ({error}); get the file again."
        ) from None


def _read_shards(folder: Path) -> dict[str, Tensor]:
    """The tensors of all files that the index names."""
    table = read_json(folder / INDEX).get("weight_map")
    if not isinstance(table, dict) or not all(isinstance(name, str) for name in table.values()):
        raise ExportError(f"{folder / INDEX} is damaged: it has no weight_map; get the file again.")
    shards = defaultdict(list)
    for tensor, file in table.items():
        shards[file].append(tensor)
    outside = [name for name in shards if Path(name).name != name]
    if outside:
        raise ExportError(f"{folder / INDEX} names files outside of its folder: {_some(outside)}.")
    missing = [name for name in sorted(shards) if not (folder / name).is_file()]
    if missing:
        raise ExportError(
            f"{folder} lacks {len(missing)} of the {len(shards)} files that {INDEX} names: "
            f"{_some(missing)}. Copy or download them too."
        )
    weights: dict[str, Tensor] = {}
    for name, wanted in shards.items():
        found = _read_file(folder / name)
        lost = [tensor for tensor in wanted if tensor not in found]
        if lost:
            raise ExportError(
                f"{folder / name} lacks tensors that {INDEX} says it holds: {_some(lost)}. "
                "The files are not of one checkpoint; get them again."
            )
        weights |= {tensor: found[tensor] for tensor in wanted}
    return weights


def _no_weights(folder: Path) -> ExportError:
    found = sorted(
        path.name
        for path in folder.iterdir()
        if path.suffix in _PICKLED and path.name != "training_args.bin"
    )
    if not found:
        return ExportError(f"{folder} holds no {WEIGHTS} and no {INDEX}: no weights to read.")
    return ExportError(
        f"{folder} holds its weights in {_some(found)} only. Such files can run code when they are "
        "opened, so Seqloom does not. If you trust it, convert it with transformers, which writes "
        f"{WEIGHTS}: AutoModel.from_pretrained(FOLDER).save_pretrained(OUT), with the class that "
        'config.json names under "architectures" in place of AutoModel.'
    )


def _some(names: list[str], most: int = 5) -> str:
    rest = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + rest
