"""Checkpoints by name, ``hub:owner/name``, through the ``huggingface_hub`` library."""

from __future__ import annotations

from pathlib import Path

from seqloom.errors import ExportError, MissingExtraError

PREFIX = "hub:"
_WANTED = ("*.json", "*.safetensors", "*.txt", "*.spm", "*.model")
_UNWANTED = ("onnx/*", "openvino/*", "original/*")


def checkpoint_folder(checkpoint: str | Path) -> Path:
    """The folder of a checkpoint: itself, or where ``hub:owner/name`` was downloaded to.

    Raises:
        MissingExtraError: ``huggingface_hub`` is not installed.
        ExportError: no such checkpoint, or no network.
    """
    name = str(checkpoint)
    if not name.startswith(PREFIX):
        return Path(checkpoint)
    try:
        from huggingface_hub import snapshot_download
    except ImportError:
        raise MissingExtraError("reading from the hub", "hub") from None
    try:
        return Path(
            snapshot_download(
                name.removeprefix(PREFIX),
                allow_patterns=list(_WANTED),
                ignore_patterns=list(_UNWANTED),
            )
        )
    except Exception as error:  # the library raises whatever its network raises
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise ExportError(
            f"{name}: cannot be read from the hub ({reason}). Check the name, and that this "
            "machine is online; or download the files and give their folder."
        ) from error
