"""Seeing inside a model: ``with record(model) as seen:`` collects named tensors by stable paths.

Layers call :func:`note` with themselves, a name and a tensor; without a recorder that is one look
at a context variable. A path is the module's path in the model and the name, such as
``encoder.layers.2.self_attention.weights``.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from torch import Tensor, nn


class Recorder:
    """Tensors seen while recording, a list a path with one entry a call of the layer."""

    def __init__(self, model: nn.Module) -> None:
        self._paths = {id(module): path for path, module in model.named_modules()}
        self._seen: dict[str, list[Tensor]] = {}

    def add(self, module: nn.Module, name: str, tensor: Tensor) -> None:
        """Keep ``tensor`` under the module's path, if the module belongs to the recorded model."""
        path = self._paths.get(id(module))
        if path is not None:
            self._seen.setdefault(f"{path}.{name}" if path else name, []).append(tensor.detach())

    def paths(self) -> list[str]:
        """All paths seen so far, in the order of the computation."""
        return list(self._seen)

    def __contains__(self, path: str) -> bool:
        return path in self._seen

    def __getitem__(self, path: str) -> list[Tensor]:
        if path not in self._seen:
            raise KeyError(
                f"{path} was not recorded; recorded: {', '.join(self._seen) or 'nothing'}"
            )
        return self._seen[path]


_active: ContextVar[Recorder | None] = ContextVar("recorder", default=None)


@contextmanager
def record(model: nn.Module) -> Iterator[Recorder]:
    """Record every attention distribution and hidden state of ``model`` inside the block."""
    recorder = Recorder(model)
    token = _active.set(recorder)
    try:
        yield recorder
    finally:
        _active.reset(token)


def recording() -> bool:
    """Whether a recorder is on; layers then take the visible path instead of a fused kernel."""
    return _active.get() is not None


def note(module: nn.Module, name: str, tensor: Tensor) -> None:
    """Hand ``tensor`` to the recorder, if one is on."""
    recorder = _active.get()
    if recorder is not None:
        recorder.add(module, name, tensor)
