"""What is learnt of words, on disk: JSON that people can read, and arrays (safetensors) beside it.

The JSON holds the digest of the arrays and is written last, so a folder holds both as they belong
together, or is found out. No pickle: a folder from a stranger cannot run code.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from seqloom.corpus.streams import writing_bytes
from seqloom.errors import VectorsError

FORMAT = 1
"""Version of the format."""


def save_stored(
    folder: Path, name: str, values: Mapping[str, Any], arrays: Mapping[str, np.ndarray]
) -> None:
    """Write ``NAME.safetensors`` and ``NAME.json``.

    Raises:
        FolderError: they cannot be written.
    """
    from safetensors.numpy import save

    data = save({key: np.ascontiguousarray(array) for key, array in arrays.items()})
    document = {"format": FORMAT, "arrays": hashlib.sha256(data).hexdigest(), **values}
    # Both are complete before either takes the place of what was there.
    with (
        writing_bytes(folder / f"{name}.json") as text,
        writing_bytes(folder / f"{name}.safetensors") as file,
    ):
        text.write(json.dumps(document, ensure_ascii=False, indent=1).encode() + b"\n")
        file.write(data)


def load_stored(folder: Path, name: str, hint: str) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """Read what :func:`save_stored` wrote.

    Args:
        folder: where.
        name: of the two files.
        hint: what to do if they are not there.

    Raises:
        VectorsError: a file is missing, damaged, or does not belong to the other.
    """
    from safetensors import SafetensorError
    from safetensors.numpy import load

    path = folder / f"{name}.json"
    if not path.is_file():
        raise VectorsError(f"{folder}: there is no {name}.json in it. {hint}")
    try:
        values = json.loads(path.read_bytes())
        data = (folder / f"{name}.safetensors").read_bytes()
    except FileNotFoundError:
        raise _broken(folder, f"{name}.safetensors is missing") from None
    except (ValueError, OSError) as error:
        raise _broken(folder, f"{name}.json is no JSON, or cannot be read ({error})") from None
    version = values.get("format") if isinstance(values, dict) else None
    if isinstance(version, int) and version > FORMAT:
        raise VectorsError(
            f"{path}: has format {version}; this Seqloom reads up to {FORMAT}. Update it: "
            "pip install -U seqloom"
        )
    if version != FORMAT:
        raise _broken(folder, f"{name}.json names no format that Seqloom knows")
    if values.get("arrays") != hashlib.sha256(data).hexdigest():
        raise _broken(folder, f"{name}.safetensors is not what {name}.json was saved with")
    try:
        return values, load(data)
    except (SafetensorError, ValueError) as error:
        raise _broken(folder, f"{name}.safetensors is no safetensors file ({error})") from None


def digest_of(folder: Path, name: str) -> str:
    """Identifies what is stored under ``name``, arrays included."""
    return hashlib.sha256((folder / f"{name}.json").read_bytes()).hexdigest()


def _broken(folder: Path, what: str) -> VectorsError:
    return VectorsError(f"{folder}: {what}; copy the whole folder again, or make it anew.")
