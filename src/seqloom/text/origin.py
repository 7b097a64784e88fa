"""What a prepared folder was made from: enough to tell whether a second call asks for the same."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from seqloom.corpus.pairs import Corpus
from seqloom.recipe import DataRecipe

_PLACES = ("source", "target", "validation_source", "validation_target")
_LATER = ("bpe_dropout",)  # used in training, without effect on the folder


class Origin:
    """The fields that shape a prepared folder, and fingerprints of the texts it is made of.

    Files are known by size and time, and by their content only if these differ: starting again on a
    large corpus does not read it. Pairs that were handed over in memory are known by their content.
    """

    def __init__(
        self,
        recipe: DataRecipe,
        corpora: Mapping[str, Corpus | None],
        files: Mapping[str, list[str]],
    ) -> None:
        self._recipe = recipe.model_dump(exclude={*_PLACES, *_LATER})
        self._corpora = corpora
        self._files = files

    def as_dict(self) -> dict[str, Any]:
        """For ``recipe.json``; reads every corpus once."""
        texts = {
            name: self._content(name) | {"files": _stamps(self._files.get(name, []))}
            for name in self._corpora
        }
        return {"recipe": self._recipe, "texts": texts}

    def differences(self, made: Mapping[str, Any]) -> list[str]:
        """Names of what differs from the ``recipe.json`` of an existing folder."""
        recipe = made.get("recipe", {})
        names = sorted({*recipe, *self._recipe})
        found = [f"data.{name}" for name in names if recipe.get(name) != self._recipe.get(name)]
        return found + [name for name in self._corpora if self._changed(name, made)]

    def _changed(self, name: str, made: Mapping[str, Any]) -> bool:
        known = made.get("texts", {}).get(name, {})
        stamps = _stamps(self._files.get(name, []))
        if stamps and stamps == known.get("files"):
            return False
        return self._content(name)["content"] != known.get("content")

    def _content(self, name: str) -> dict[str, Any]:
        corpus = self._corpora[name]
        return {"content": None if corpus is None else fingerprint(corpus)}


def fingerprint(corpus: Corpus) -> str:
    """SHA-256 of all pairs in their order; reads the corpus once."""
    digest = hashlib.sha256()
    for pair in corpus.pairs():
        # No UTF-8 text holds this byte, so the sides cannot run into each other.
        digest.update(pair.source.encode() + b"\xff" + pair.target.encode() + b"\xff")
    return digest.hexdigest()


def _stamps(files: list[str]) -> list[list[Any]]:
    """Place, size and time of each file."""
    found = []
    for file in files:
        path = Path(file)
        status = path.stat()
        found.append([str(path.resolve()), status.st_size, status.st_mtime_ns])
    return found
