"""Vocabularies of others: a ``tokenizer.json`` as it was found, and beside it a ``symbols.json``.

The ids of special tokens that our own vocabularies have at fixed places are in the second file.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from seqloom.errors import TokenizerError
from seqloom.symbols import Symbols

SYMBOLS_FILE = "symbols.json"
KIND = "foreign"
"""What :attr:`seqloom.text.tokenizer.Tokenizer.kind` is."""


def write_symbols(path: Path, symbols: Symbols) -> None:
    """Write a ``symbols.json``."""
    path.write_text(json.dumps(symbols._asdict(), indent=2) + "\n", encoding="utf-8")


def read_symbols(path: Path, size: int) -> Symbols:
    """The ids in a ``symbols.json`` for a vocabulary of ``size`` tokens.

    Raises:
        TokenizerError: the file is damaged, or names ids that the vocabulary does not have.
    """
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
        symbols = Symbols(**values)
    except (OSError, ValueError, TypeError) as error:
        raise TokenizerError(f"{path}: not a list of special tokens ({error}).") from None
    for name, index in symbols._asdict().items():
        optional = name in ("unknown", "mask")
        inside = isinstance(index, int) and 0 <= index < size
        if not inside and not (optional and index is None):
            raise TokenizerError(
                f"{path}: {name} is {index!r}, expected an id below {size}, the size of the "
                "vocabulary; copy the whole folder again."
            )
    return symbols


def spelling(description: Mapping[str, Any]) -> str:
    """The kind of ours that a parsed ``tokenizer.json`` spells its pieces like.

    ``byte_bpe`` has characters that stand for bytes, the others have text.
    """
    stages = json.dumps([description["pre_tokenizer"], description["decoder"]])
    return "byte_bpe" if '"ByteLevel"' in stages else "bpe"
