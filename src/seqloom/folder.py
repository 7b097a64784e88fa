"""The model folder: everything a verb needs, moved or copied as a folder.

::

    config.json          format version, recipe as it was run, vocabulary sizes
    model.safetensors    weights; its header carries digests of itself, of the recipe's model and
                         of the tokenizer, so a truncated, altered or foreign file is recognised
    tokenizer.json       and tokenizer.target.json where the vocabularies are separate
    generation.json      default decoding options, free to edit
    metrics.jsonl        the course of training
    README.md            model card, written by the program

Files are written under a temporary name and renamed. No pickle anywhere: a folder from a stranger
cannot run code.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from seqloom.errors import FolderError, RecipeError, writing
from seqloom.models import EncoderDecoder, build_model
from seqloom.recipe import DecodingRecipe, Recipe, recipe_from
from seqloom.tensors import load_tensors, save_tensors, untie
from seqloom.text.tokenizer import SOURCE_FILE, TARGET_FILE, Tokenizers

FORMAT = 1
"""Version of the folder format. Older ones are patched by :data:`PATCHES` when read."""

_IMPORT = "make a folder of it: seqloom import {} --out DIR"
PATCHES: dict[int, Any] = {}
"""Format version -> function that turns a config of that version into one of the next."""


@dataclass(frozen=True)
class ModelFolder:
    """What a model folder holds."""

    path: Path
    recipe: Recipe
    model: EncoderDecoder
    tokenizers: Tokenizers


def write_text(path: Path, text: str) -> None:
    """Write a file under a temporary name, then rename it into place.

    Raises:
        FolderError: disk full, no permission.
    """
    with writing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = path.with_name(path.name + ".part")
        try:
            temporary.write_text(text, encoding="utf-8")
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)


def model_digest(section: Mapping[str, Any]) -> str:
    """Identifies the architecture that weights belong to: the config's model section as stored.

    As stored, so that a field which a later version adds does not change it.
    """
    return hashlib.sha256(json.dumps(section, sort_keys=True).encode()).hexdigest()


def save_config(path: Path, recipe: Recipe, tokenizers: Tokenizers) -> None:
    """Write what does not change while a model is trained: config, tokenizer, decoding options."""
    config = {
        "format": FORMAT,
        "recipe": _stored(recipe),
        "vocabulary": {"source": tokenizers.source.size, "target": tokenizers.target.size},
    }
    with writing(path):
        path.mkdir(parents=True, exist_ok=True)
        tokenizers.save(path)
    write_text(path / "generation.json", recipe.decoding.model_dump_json(indent=2) + "\n")
    write_text(path / "config.json", json.dumps(config, indent=2, ensure_ascii=False) + "\n")


def save_weights(
    path: Path, weights: Mapping[str, Tensor], recipe: Recipe, tokenizers: Tokenizers
) -> None:
    """Write ``model.safetensors``; tied weights are stored once."""
    metadata = {
        "model": model_digest(_stored(recipe)["model"]),
        "tokenizer": tokenizers.fingerprint,
    }
    save_tensors(path / "model.safetensors", untie(weights), metadata)


def load_weights(model: nn.Module, weights: Mapping[str, Tensor], where: Path) -> None:
    """Copy weights into a model whose tied names may be missing from them.

    Raises:
        FolderError: names or shapes do not fit; all mismatches are listed.
    """
    own = untie(model.state_dict())
    problems = [f"missing: {name}" for name in own.keys() - weights.keys()]
    problems += [f"surplus: {name}" for name in weights.keys() - own.keys()]
    problems += [
        f"{name}: expected {tuple(own[name].shape)}, found {tuple(weights[name].shape)}"
        for name in own.keys() & weights.keys()
        if own[name].shape != weights[name].shape
    ]
    if problems:
        listed = "\n".join(f"  - {problem}" for problem in sorted(problems))
        raise FolderError(f"{where} does not fit its config.json:\n{listed}")
    with torch.no_grad():
        for name, tensor in own.items():
            tensor.copy_(weights[name])


def load_folder(path: str | Path, device: torch.device | None = None) -> ModelFolder:
    """Read and verify a model folder; the model comes back in evaluation mode.

    Raises:
        FolderError: not a model folder, or one of its files is missing, truncated, altered or
            from another model.
    """
    path = Path(path)
    recipe, sizes = load_config(path)
    tokenizers = Tokenizers.load(path)
    weights, metadata = load_tensors(path / "model.safetensors")
    _check_tokenizers(path, tokenizers, metadata.get("tokenizer", ""))
    own_sizes = {"source": tokenizers.source.size, "target": tokenizers.target.size}
    digest = model_digest(read_config(path)["recipe"].get("model", {}))
    if sizes != own_sizes or metadata.get("model") != digest:
        raise FolderError(
            f"{path}: config.json describes another model than model.safetensors holds; "
            "copy the whole folder again from where it was trained."
        )
    model = build_model(recipe.model, sizes["source"], sizes["target"])
    load_weights(model, weights, path / "model.safetensors")
    return ModelFolder(path, recipe, model.to(device or torch.device("cpu")).eval(), tokenizers)


def _check_tokenizers(path: Path, tokenizers: Tokenizers, saved: str) -> None:
    """Compare with the fingerprints, source and target, in the header of the weights."""
    wanted = saved.split() if saved else ["", ""]
    found = (tokenizers.source.fingerprint, tokenizers.target.fingerprint)
    for name, theirs, ours in zip((SOURCE_FILE, TARGET_FILE), wanted, found, strict=False):
        if theirs == ours:
            continue
        if name == TARGET_FILE and tokenizers.joint:
            raise FolderError(f"{path / name} is missing; copy the whole model folder again.")
        raise FolderError(
            f"{path}: {name} is not the one that the model was trained with; "
            "copy the whole folder again from where it was trained."
        )


def load_config(path: Path) -> tuple[Recipe, dict[str, int]]:
    """Recipe (with the folder's decoding options) and vocabulary sizes of a model folder.

    Raises:
        FolderError: not a model folder, or its JSON files are damaged.
    """
    config = read_config(path)
    kind = config.get("kind", "translation")
    if kind != "translation":
        raise FolderError(f"{path} holds no translation model, but one of kind {kind!r}.")
    recipe = _recipe(config.get("recipe"), path / "config.json")
    sizes = config.get("vocabulary")
    if not isinstance(sizes, dict) or sizes.keys() != {"source", "target"}:
        raise FolderError(f"{path / 'config.json'} is damaged: it names no vocabulary sizes.")
    if (path / "generation.json").is_file():
        decoding = decoding_of(read_json(path / "generation.json"), path / "generation.json")
        recipe = recipe.model_copy(update={"decoding": decoding})
    return recipe, sizes


def read_config(path: Path) -> dict[str, Any]:
    """The ``config.json`` of a model folder, brought to the present format.

    Raises:
        FolderError: not a model folder, or the file is damaged or of a later format.
    """
    if str(path).startswith("hub:"):
        raise FolderError(f"{path} is a name, not a model folder; {_IMPORT.format(path)}")
    if not path.is_dir():
        hint = "that is a file" if path.exists() else "it does not exist"
        raise FolderError(
            f"{path} is not a model folder: {hint}. Train one: seqloom train --help, or seqloom "
            "pretrain --help"
        )
    if not (path / "config.json").is_file():
        raise FolderError(f"{path} is not a model folder: it holds no config.json.")
    config = read_json(path / "config.json")
    version = config.get("format")
    if "model_type" in config and version is None:
        raise FolderError(f"{path} is a checkpoint of Hugging Face; {_IMPORT.format(path)}")
    if not isinstance(version, int):
        raise FolderError(f"{path / 'config.json'} is damaged: it names no format.")
    while version in PATCHES:
        config = PATCHES[version](config)
        version += 1
    if version != FORMAT:
        raise FolderError(
            f"{path / 'config.json'} has format {version!r}; this Seqloom reads up to {FORMAT}. "
            "Update Seqloom: pip install -U seqloom"
        )
    return config


def _stored(recipe: Recipe) -> dict[str, Any]:
    """The recipe as ``config.json`` holds it."""
    return recipe.model_dump(mode="json")


def _recipe(values: Any, where: Path) -> Recipe:
    try:
        return recipe_from(values, str(where))
    except RecipeError as error:
        raise FolderError(str(error)) from None


def decoding_of(values: dict[str, Any], where: Path) -> DecodingRecipe:
    """The decoding options of a ``generation.json``.

    Raises:
        FolderError: they are wrong.
    """
    return _recipe({"decoding": values}, where).decoding


def read_json(path: Path) -> dict[str, Any]:
    """A JSON object of a model folder.

    Raises:
        FolderError: the file is damaged.
    """
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, OSError) as error:
        raise FolderError(f"{path} is damaged: not valid JSON ({error}).") from None
    if not isinstance(values, dict):
        raise FolderError(f"{path} is damaged: expected a JSON object.")
    return values
