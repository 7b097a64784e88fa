"""What a prepared folder was made from: enough to tell whether a second call asks for the same."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from seqloom.corpus.formats.hub import PREFIX
from seqloom.corpus.pairs import Corpus
from seqloom.recipe import DataRecipe
from seqloom.text.material import Material

PLACES = (
    "source", "target", "validation_source", "validation_target", "test_source", "test_target",
)  # fmt: skip
"""Fields of a recipe's data that name files."""
GIVEN = ("source_tokenizer_from", "target_tokenizer_from")
"""Fields that name folders of vocabularies, which are known by their fingerprints."""
_LATER = ("bpe_dropout",)  # used in training, without effect on the folder


class Origin:
    """The fields that shape a prepared folder, and fingerprints of the texts it is made of.

    Files are known by size and time, and by their content only if these differ: starting again on a
    large corpus does not read it. Pairs that were handed over in memory are known by their content.

    Args:
        recipe: the fields, without the names of files.
        corpora: each corpus by its name in messages, and its files, if it is made of some.
        tokenizer: fingerprint of the vocabulary, where it was given and not learned.
    """

    def __init__(
        self,
        recipe: Mapping[str, Any],
        corpora: Mapping[str, tuple[Corpus | None, Sequence[str]]],
        tokenizer: str | None = None,
    ) -> None:
        self._recipe = dict(recipe)
        self._given = {} if tokenizer is None else {"tokenizer": tokenizer}
        self._corpora = {name: corpus for name, (corpus, _) in corpora.items()}
        self._files = {name: tuple(files) for name, (_, files) in corpora.items()}

    @classmethod
    def of_pairs(
        cls, recipe: DataRecipe, materials: Sequence[Material], tokenizer: str | None = None
    ) -> Origin:
        """The origin of pairs."""
        fields = recipe.model_dump(mode="json", exclude={*PLACES, *GIVEN, *_LATER})
        for corpus in fields["corpora"]:  # wherever the files are
            corpus |= {side: Path(corpus[side]).name for side in PLACES[:2] if corpus[side]}
        corpora: dict[str, tuple[Corpus | None, Sequence[str]]] = {}
        for number, material in enumerate(materials):
            label = f" {number + 1}" if len(materials) > 1 else ""
            corpora[f"corpus{label}"] = (material.corpus, material.files)
            corpora[f"validation{label}"] = (material.validation, material.validation_files)
        if materials[0].test is not None:
            corpora["test"] = (materials[0].test, materials[0].test_files)
        return cls(fields, corpora, tokenizer)

    def stamped(self) -> dict[str, Any]:
        """The fields, and place, size and time of all files: what a work in progress is known by.

        Pairs in memory have nothing of the kind; a work on them is not taken up again.
        """
        stamps = {name: _stamps(files) for name, files in self._files.items()}
        return {"recipe": self._recipe, "files": stamps, **self._given}

    def began(self, noted: Path) -> bool:
        """Whether the file ``noted`` tells of a work in progress on the very same."""
        in_memory = any(
            corpus is not None and not self._files[name] for name, corpus in self._corpora.items()
        )
        try:
            return not in_memory and json.loads(noted.read_text("utf-8")) == self.stamped()
        except (OSError, ValueError):
            return False

    def as_dict(self) -> dict[str, Any]:
        """For ``recipe.json``; reads every corpus once."""
        texts = {
            name: self._content(name) | {"files": _stamps(self._files[name])}
            for name in self._corpora
        }
        return {"recipe": self._recipe, "texts": texts, **self._given}

    def differences(self, made: Mapping[str, Any]) -> list[str]:
        """Names of what differs from the ``recipe.json`` of an existing folder."""
        recipe = made.get("recipe", {})
        names = sorted({*recipe, *self._recipe})
        found = [f"data.{name}" for name in names if recipe.get(name) != self._recipe.get(name)]
        if made.get("tokenizer") != self._given.get("tokenizer"):
            found.append("vocabulary (tokenizer.json)")
        return found + [name for name in self._corpora if self._changed(name, made)]

    def _changed(self, name: str, made: Mapping[str, Any]) -> bool:
        known = made.get("texts", {}).get(name, {})
        stamps = _stamps(self._files[name])
        if stamps and stamps == known.get("files"):
            return False
        return self._content(name)["content"] != known.get("content")

    def _content(self, name: str) -> dict[str, Any]:
        corpus = self._corpora[name]
        return {"content": None if corpus is None else fingerprint(corpus)}


def fingerprint(corpus: Corpus) -> str:
    """SHA-256 of all pairs in their order, however they come in batches; reads the corpus once."""
    digests = [hashlib.sha256() for _ in range(4)]
    for batch in corpus.batches():
        for side in (0, 1):
            texts: Any = batch.column(side)
            digests[2 * side].update(b"".join(texts.cast(pa.binary()).to_pylist()))
            # Where one text ends and the next begins.
            digests[2 * side + 1].update(pc.binary_length(texts).to_numpy().astype("<u4"))
    return hashlib.sha256(b"".join(digest.digest() for digest in digests)).hexdigest()


def _stamps(files: Sequence[str]) -> list[list[Any]]:
    """Place, size and time of each file; only the name of a corpus on the hub."""
    found: list[list[Any]] = []
    for file in files:
        if file.startswith(PREFIX):
            found.append([file])
            continue
        path = Path(file)
        status = path.stat()
        found.append([str(path.resolve()), status.st_size, status.st_mtime_ns])
    return found
