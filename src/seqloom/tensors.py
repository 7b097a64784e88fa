"""Files of tensors that vouch for themselves: the digest of their contents is in their header.

Written under a temporary name and renamed, so a file is whole or not there. Safetensors, no
pickle: a file from a stranger cannot run code.
"""

from __future__ import annotations

import errno
import hashlib
import os
import re
from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from seqloom.errors import FolderError, writing


def save_tensors(path: Path, tensors: Mapping[str, Tensor], metadata: Mapping[str, str]) -> None:
    """Write tensors with their digest in the header, under a temporary name, then rename.

    Raises:
        FolderError: disk full, no permission.
    """
    contiguous = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    header = {"digest": _digest(contiguous), **metadata}
    temporary = path.with_name(path.name + ".part")
    with writing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            try:
                save_file(contiguous, temporary, metadata=header)
            except SafetensorError as error:  # the library's own, around the system's
                number = re.search(r"os error (\d+)", str(error))
                code = int(number[1]) if number else errno.EIO
                raise OSError(code, str(error)) from error
            temporary.chmod(0o666 & ~_umask())  # safetensors makes files private
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def load_tensors(path: Path) -> tuple[dict[str, Tensor], dict[str, str]]:
    """Tensors and header of a file that :func:`save_tensors` wrote.

    Raises:
        FolderError: the file is missing, truncated or altered.
    """
    if not path.is_file():
        raise FolderError(f"{path} is missing; copy the whole model folder again.")
    try:
        with safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (SafetensorError, OSError) as error:
        raise FolderError(
            f"{path} is truncated or not a safetensors file ({error}); copy the folder again."
        ) from None
    if metadata.get("digest") != _digest(tensors):
        raise FolderError(
            f"{path} was altered: its contents do not match the digest it was saved with; "
            "copy the folder again from where it was trained."
        )
    return tensors, metadata


def _digest(tensors: Mapping[str, Tensor]) -> str:
    digest = hashlib.sha256()
    for name in sorted(tensors):
        tensor = tensors[name]
        digest.update(f"{name} {tuple(tensor.shape)} {tensor.dtype}\n".encode())
        digest.update(tensor.reshape(-1).view(torch.uint8).numpy().data)
    return digest.hexdigest()


def untie(weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Each tensor once: tied names beyond the first are left out."""
    seen: set[int] = set()
    kept = {}
    for name, tensor in weights.items():
        if tensor.data_ptr() not in seen or tensor.numel() == 0:
            kept[name] = tensor
        seen.add(tensor.data_ptr())
    return kept
