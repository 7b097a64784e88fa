"""What a run needs to go on where it was: plain tensors, readable JSON, one file, no pickle."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

import torch
from torch import Tensor, nn

from seqloom.errors import FolderError
from seqloom.tensors import load_tensors, save_tensors, untie
from seqloom.training.optim import Optimizers


@dataclass
class RunState:
    """Where a run stands. Everything random is decided by the seed and these numbers."""

    update: int = 0
    """Optimizer updates done."""
    epoch: int = 0
    """Passes over the corpus begun before this one."""
    position: int = 0
    """Batches of this epoch used so far."""
    seconds: float = 0.0
    """Seconds of training, validation left out."""
    tokens: int = 0
    """Real target tokens trained on."""
    best: float | None = None
    """Best value of the deciding figure."""
    best_update: int = 0
    """The update that reached it."""
    stale: int = 0
    """Validations since then."""
    finished: bool = False
    """The run came to its end."""
    figures: dict[str, float] = field(default_factory=dict)
    """Validation figures of the weights that are kept."""


def save_checkpoint(
    path: Path,
    state: RunState,
    model: nn.Module,
    optimizer: Optimizers,
    average: Mapping[str, Tensor],
) -> None:
    """Write everything under a temporary name, then rename: a kill leaves the last one whole."""
    tensors = {f"model.{name}": tensor for name, tensor in untie(model.state_dict()).items()}
    tensors |= {f"average.{name}": tensor for name, tensor in average.items()}
    names = {id(parameter): name for name, parameter in model.named_parameters()}
    for parameter, slots in optimizer.state.items():
        for slot, value in slots.items():
            tensors[f"optimizer.{names[id(parameter)]}.{slot}"] = value
    save_tensors(path, tensors, {"state": json.dumps(asdict(state))})


def load_checkpoint(
    path: Path,
    model: nn.Module,
    optimizer: Optimizers,
    average: Mapping[str, Tensor],
) -> RunState:
    """Put everything back in place.

    Raises:
        FolderError: the checkpoint is damaged or belongs to another model or optimizer.
    """
    tensors, metadata = load_tensors(path)
    try:
        state = RunState(**json.loads(metadata["state"]))
        with torch.no_grad():
            for name, tensor in untie(model.state_dict()).items():
                tensor.copy_(tensors[f"model.{name}"])
            for name, tensor in average.items():
                tensor.copy_(tensors[f"average.{name}"])
        _load_optimizer(model, optimizer, tensors)
    except (KeyError, TypeError, ValueError, RuntimeError) as error:
        raise FolderError(
            f"{path} does not fit this run ({error}); start afresh with another --out."
        ) from None
    return state


def _load_optimizer(model: nn.Module, optimizer: Optimizers, tensors: Mapping[str, Tensor]) -> None:
    prefix = "optimizer."
    slots: dict[str, dict[str, Tensor]] = {}
    for key, tensor in tensors.items():
        if key.startswith(prefix):
            name, _, slot = key[len(prefix) :].rpartition(".")
            slots.setdefault(name, {})[slot] = tensor
    state = optimizer.state
    for name, parameter in model.named_parameters():
        for slot, tensor in slots.get(name, {}).items():
            # Step counters stay on the CPU, as torch keeps them for its CPU kernels.
            where = torch.device("cpu") if tensor.ndim == 0 else parameter.device
            state[parameter][slot] = tensor.to(where)


def weights_file(checkpoint: Path, update: int) -> Path:
    """Where the weights of a validation are kept, beside the checkpoint."""
    return checkpoint.with_name(f"weights-{update:07d}.safetensors")


def kept_weights(checkpoint: Path) -> list[Path]:
    """The weights of all validations that are kept, oldest first."""
    return sorted(checkpoint.parent.glob("weights-*.safetensors"))


def update_of(weights: Path) -> int:
    """The update after which weights were kept."""
    return int(weights.stem.removeprefix("weights-"))


def forget_later_weights(checkpoint: Path, update: int) -> None:
    """Drop what a killed run wrote after its last checkpoint; it will be written again."""
    for file in kept_weights(checkpoint):
        if update_of(file) > update:
            file.unlink()
