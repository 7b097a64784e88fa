"""What a folder's run is: the request it began with, and whether a new one goes on with it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self, TypeVar

import numpy as np
import torch

from seqloom.corpus.store import TokenStore
from seqloom.errors import FolderError, RecipeError
from seqloom.folder import load_config, save_config, write_text
from seqloom.recipe import Recipe
from seqloom.recipe.section import Section
from seqloom.text.origin import GIVEN, PLACES
from seqloom.text.prepare import Prepared
from seqloom.training.sizes import choose_sizes

MAY_CHANGE = {"updates", "patience", "keep", "checkpoint_every", "average"}
"""Training fields that may differ when a run goes on."""

_IN_TRAINING = {*PLACES, *GIVEN, "corpora", "bpe_dropout", "temperature"}
"""Data fields that a prepared folder does not decide."""


def check_free(out: Path) -> None:
    """Refuse a folder that holds something other than a run of ours."""
    if not out.exists():
        return
    if not out.is_dir():
        raise FolderError(f"{out} is a file; --out names a folder for the model.")
    if (out / "training" / "request.json").is_file():
        return
    # What a run leaves behind that was killed before it wrote down what it is.
    ours = {
        "data", ".data.part", "old", ".old.part", "training", "training/request.json.part",
    }  # fmt: skip
    inside = [*out.iterdir(), *(out / "training").glob("*")]
    found = sorted(
        name for path in inside if (name := path.relative_to(out).as_posix()) not in ours
    )
    if found:
        raise FolderError(
            f"{out} exists and holds other files ({', '.join(found[:3])}, ...); "
            "choose another --out."
        )


Whole = TypeVar("Whole", bound=Section)
"""A kind of recipe with a section ``training``."""


@dataclass(frozen=True)
class Request:
    """What a run is asked to be, which its folder remembers."""

    out: Path
    values: Mapping[str, Any]
    """Sections ``model``, ``training`` and ``data``, and the fingerprint of the ``tokenizer``."""

    @classmethod
    def of(cls, recipe: Section, out: Path, tokenizer: str, **more: Any) -> Self:
        """The request for ``recipe``; ``more`` sections are not in it."""
        return cls(out, {**json.loads(recipe.model_dump_json()), **more, "tokenizer": tokenizer})

    @property
    def file(self) -> Path:
        """Where it is remembered."""
        return self.out / "training" / "request.json"

    def goes_on(self) -> bool:
        """Whether the folder holds this run already.

        Raises:
            FolderError: it holds another one, or is damaged.
        """
        if not (self.file.exists() and (self.out / "config.json").exists()):
            return False
        check_same(read_request(self.file), self.values, self.out)
        return True

    def remember(self) -> None:
        """Mark the folder as this run's: before its config, should it be killed between the two."""
        write_text(self.file, json.dumps(self.values, indent=2) + "\n")


def going_on(settled: Whole, asked: Whole) -> Whole:
    """The recipe of an interrupted run, with what may change as it is asked for now."""
    now: Any = asked
    before: Any = settled
    names = MAY_CHANGE & now.training.model_fields_set
    changed = {name: getattr(now.training, name) for name in names}
    return settled.model_copy(update={"training": before.training.model_copy(update=changed)})


def settle(recipe: Recipe, out: Path, prepared: Prepared, device: torch.device) -> Recipe:
    """Choose open sizes for a new run; take those of an interrupted one.

    Raises:
        FolderError: the folder holds a run of another recipe or corpus.
        RecipeError: the recipe does not go with how the corpus was prepared.
    """
    request = Request.of(recipe, out, prepared.tokenizers.fingerprint)
    if request.goes_on():
        settled, _ = load_config(out)
        update = {"decoding": recipe.decoding}
        taken_up = going_on(settled, recipe).model_copy(update=update)
        if taken_up != settled:
            save_config(out, taken_up, prepared.tokenizers)
        return taken_up
    # What the corpus was made with (its languages, its tokenizer) counts, wherever it was made.
    asked = {name: getattr(recipe.data, name) for name in _IN_TRAINING}
    recipe = recipe.model_copy(update={"data": prepared.recipe.model_copy(update=asked)})
    if conflicts := recipe.conflicts():  # with what the prepared corpus has decided
        raise RecipeError(str(recipe.data.source), [conflict.message for conflict in conflicts])
    tokens = _tokens(prepared.train)
    settled = choose_sizes(recipe, len(prepared.train), tokens, device)
    request.remember()
    save_config(out, settled, prepared.tokenizers)
    return settled


def read_request(path: Path) -> dict[str, Any]:
    """What a folder's run was asked to be.

    Raises:
        FolderError: the file is damaged.
    """
    try:
        saved = json.loads(path.read_text(encoding="utf-8"))
        sections = [saved[name] for name in ("model", "training", "data")]
        if all(isinstance(section, dict) for section in sections) and "tokenizer" in saved:
            return saved
    except (ValueError, KeyError, TypeError):
        pass
    raise FolderError(f"{path} is damaged; start afresh with another --out.")


def check_same(saved: Mapping[str, Any], request: Mapping[str, Any], out: Path) -> None:
    """Refuse to go on with a run that was asked to be another one.

    Raises:
        FolderError: it names every difference.
    """
    differences = []
    for section in ("model", "training", "data"):
        old, new = saved[section], request[section]
        differences += [
            f"{section}.{name}: {old.get(name)} there, {new.get(name)} asked for"
            for name in sorted(old.keys() | new.keys())
            if old.get(name) != new.get(name) and not (section == "training" and name in MAY_CHANGE)
        ]
    if not differences and saved["tokenizer"] != request["tokenizer"]:
        differences.append("the corpus has changed since")
    if differences:
        listed = "\n".join(f"  - {difference}" for difference in differences)
        raise FolderError(
            f"{out} holds another run:\n{listed}\nChoose another --out, or remove {out}."
        )


def _tokens(store: TokenStore) -> int:
    """Target tokens of one epoch with ends of sentences, estimated from the first rows."""
    sample = min(len(store), 100_000)
    if not sample:
        return 0
    _, target = store.lengths(0, sample)
    return round((float(np.mean(target)) + 1) * len(store))
