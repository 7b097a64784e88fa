"""The folder of a language model, or of one with a head upon it; written as :mod:`seqloom.folder`.

::

    config.json          format version, kind, recipe as it was run, vocabulary size, labels
    model.safetensors    weights, with digests of themselves, of the architecture and the tokenizer
                         (or adapter_model.safetensors: see :mod:`seqloom.adapter`)
    tokenizer.json       and symbols.json beside it where the vocabulary is a foreign one
    generation.json      default decoding options of a model that writes, free to edit
    metrics.jsonl        the course of training
    README.md            model card, written by the program
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

import torch
from torch import Tensor, nn

from seqloom.adapter import save_adapter, stored_weights
from seqloom.errors import FolderError, RecipeError, writing
from seqloom.folder import (
    FORMAT,
    decoding_of,
    load_weights,
    model_digest,
    read_config,
    read_json,
    write_text,
)
from seqloom.models import build_language_model
from seqloom.models.heads import Classifier, SentenceEncoder, Tagger
from seqloom.recipe import recipe_from_of
from seqloom.recipe.finetuning import FinetuneRecipe
from seqloom.recipe.pretraining import PretrainRecipe
from seqloom.tensors import save_tensors, untie
from seqloom.text.tokenizer import SOURCE_FILE, Tokenizer

LanguageRecipe = PretrainRecipe | FinetuneRecipe
KINDS = {
    "language": "a language model",
    "classifier": "a classifier of texts",
    "tagger": "a tagger of words",
    "sentences": "an encoder of sentences",
}
"""What a folder may hold, and in words."""
Model = TypeVar("Model", bound=nn.Module)


@dataclass(frozen=True)
class LanguageFolder(Generic[Model]):
    """What the folder of a language model holds."""

    path: Path
    kind: str
    """One of :data:`KINDS`."""
    recipe: LanguageRecipe
    model: Model
    tokenizer: Tokenizer
    labels: tuple[str, ...] = ()
    """Classes or tags, in the order of the head's outputs."""


def build(
    kind: str, recipe: LanguageRecipe, tokenizer: Tokenizer, labels: Sequence[str] = ()
) -> nn.Module:
    """A freshly initialised model of a kind."""
    model: Any = build_language_model(recipe.model, tokenizer.size, tokenizer.symbols)
    if isinstance(recipe, PretrainRecipe):
        return model
    if kind == "classifier":
        return Classifier(model, len(labels), recipe.head.dropout, recipe.head.pooling)
    if kind == "tagger":
        return Tagger(model, len(labels), recipe.head.dropout)
    return SentenceEncoder(model, recipe.head.pooling)


def save_language_config(
    path: Path,
    kind: str,
    recipe: LanguageRecipe,
    tokenizer: Tokenizer,
    labels: Sequence[str] = (),
) -> None:
    """Write what does not change while a model is trained."""
    assert kind in KINDS, kind
    config = {
        "format": FORMAT,
        "kind": kind,
        "recipe": recipe.model_dump(mode="json"),
        "vocabulary": {"size": tokenizer.size},
        "labels": list(labels),
    }
    with writing(path):
        path.mkdir(parents=True, exist_ok=True)
        tokenizer.save(path / SOURCE_FILE)
    if isinstance(recipe, PretrainRecipe):
        write_text(path / "generation.json", recipe.decoding.model_dump_json(indent=2) + "\n")
    write_text(path / "config.json", json.dumps(config, indent=2, ensure_ascii=False) + "\n")


def save_language_weights(
    path: Path, weights: Mapping[str, Tensor], recipe: LanguageRecipe, tokenizer: Tokenizer
) -> None:
    """Write ``model.safetensors``; tied weights are stored once."""
    save_tensors(path / "model.safetensors", untie(weights), _identity(recipe, tokenizer))


def save_language_adapter(
    path: Path,
    tensors: Mapping[str, Tensor],
    recipe: FinetuneRecipe,
    tokenizer: Tokenizer,
    base: Path,
) -> None:
    """Write ``adapter_model.safetensors`` instead: see :mod:`seqloom.adapter`."""
    scale = recipe.training.lora_alpha / recipe.training.lora_rank
    save_adapter(path, tensors, base, scale, _identity(recipe, tokenizer))


def _identity(recipe: LanguageRecipe, tokenizer: Tokenizer) -> dict[str, str]:
    """What the header of weights says of the model that they belong to."""
    digest = model_digest(recipe.model_dump(mode="json")["model"])
    return {"model": digest, "tokenizer": tokenizer.fingerprint}


def language_config(path: Path, kinds: Sequence[str]) -> tuple[str, LanguageRecipe, list[str]]:
    """Kind, recipe (with the folder's decoding options) and labels.

    Raises:
        FolderError: not such a folder, of another kind than ``kinds``, or damaged.
    """
    config = read_config(path)
    kind = config.get("kind", "translation")
    if kind not in kinds:
        wanted = " or ".join(KINDS[each] for each in kinds)
        raise FolderError(
            f"{path} holds {KINDS.get(kind, 'a translation model')}; expected {wanted}."
        )
    whole: type[LanguageRecipe] = PretrainRecipe if kind == "language" else FinetuneRecipe
    try:
        recipe: LanguageRecipe = recipe_from_of(whole, config["recipe"], str(path / "config.json"))
    except (RecipeError, KeyError, TypeError) as error:
        raise FolderError(f"{path / 'config.json'} is damaged: {error}") from None
    generation = path / "generation.json"
    if isinstance(recipe, PretrainRecipe) and generation.is_file():
        decoding = decoding_of(read_json(generation), generation)
        recipe = recipe.model_copy(update={"decoding": decoding})
    return kind, recipe, [str(label) for label in config.get("labels", [])]


def load_language_folder(
    path: str | Path, kinds: Sequence[str] = ("language",), device: torch.device | None = None
) -> LanguageFolder[Any]:
    """Read and verify the folder of a language model; the model comes back in evaluation mode.

    Raises:
        FolderError: not such a folder, of another kind than ``kinds``, or one of its files is
            missing, truncated, altered or from another model.
    """
    path = Path(path)
    kind, recipe, labels = language_config(path, kinds)
    tokenizer = Tokenizer.load(path / SOURCE_FILE)
    weights, metadata = stored_weights(path)
    if metadata.get("tokenizer") != tokenizer.fingerprint:
        raise FolderError(
            f"{path}: {SOURCE_FILE} is not the one that the model was trained with; "
            "copy the whole folder again from where it was trained."
        )
    config = read_config(path)
    if metadata.get("model") != model_digest(config["recipe"].get("model", {})):
        raise FolderError(
            f"{path}: config.json describes another model than model.safetensors holds; "
            "copy the whole folder again from where it was trained."
        )
    model = build(kind, recipe, tokenizer, labels)
    load_weights(model, weights, path / "model.safetensors")
    model = model.to(device or torch.device("cpu")).eval()
    return LanguageFolder(path, kind, recipe, model, tokenizer, tuple(labels))
