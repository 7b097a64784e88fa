"""BERT, RoFormer, GPT-2, Llama, Mistral and Qwen2 of transformers as ours, and ours as theirs."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import tokenizers
import torch
from torch import Tensor

from seqloom.export import bert, gpt
from seqloom.export.checkpoint import read_weights, write_weights
from seqloom.export.links import Link, give, take
from seqloom.export.settings import Settings
from seqloom.export.vocabulary import (
    SpecialTokens,
    filled,
    framed,
    load_backend,
    write_json,
    write_tokenizer,
)
from seqloom.folder import write_text
from seqloom.language_folder import save_language_config, save_language_weights
from seqloom.models import build_language_model
from seqloom.recipe import TextRecipe
from seqloom.recipe.language import BertRecipe, GptRecipe
from seqloom.recipe.pretraining import PretrainRecipe
from seqloom.text.tokenizer import Tokenizer

FAMILIES = (*bert.ARCHITECTURES, *gpt.ARCHITECTURES)
"""By their ``model_type``."""


@dataclass(frozen=True)
class LanguageCheckpoint:
    """A language model of theirs in our words."""

    recipe: BertRecipe | GptRecipe
    weights: dict[str, Tensor]
    """All parameters by our names."""
    tokenizer: Tokenizer
    """As it was found, with its symbols."""
    lacking: tuple[str, ...]
    """Parts of our model that the checkpoint does not have; their weights are random."""
    left_out: tuple[str, ...]
    """Tensors of theirs for other tasks."""


def read_language(folder: Path, settings: Settings) -> LanguageCheckpoint:
    """A checkpoint of one of :data:`FAMILIES`.

    Raises:
        ExportError: settings, weights or a tokenizer that ours cannot stand for.
    """
    size = settings.whole("vocab_size")
    recipe = _recipe_of(settings)
    backend = load_backend(folder)
    symbols = SpecialTokens(folder, settings.values, backend).symbols()
    tokenizer = Tokenizer(filled(backend, size, folder), symbols)
    theirs = _prefixed(read_weights(folder), settings.family)
    with torch.device("meta"):
        empty = build_language_model(recipe, size, symbols).state_dict()
    shapes = {name: tensor.shape for name, tensor in empty.items()}
    links = _links(recipe, settings.family)
    surplus = bert.SURPLUS if isinstance(recipe, BertRecipe) else gpt.SURPLUS
    taken = take(links, theirs, shapes, str(folder), surplus)
    weights = taken.weights
    if taken.lacking:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(1)
            fresh = build_language_model(recipe, size, symbols).state_dict()
        parts = [name for link in links if link.part in taken.lacking for name in link.ours]
        weights |= {name: fresh[name] for name in parts}
    left_out = tuple(sorted(name for name in theirs if name.startswith(bert.OTHER_TASKS)))
    return LanguageCheckpoint(recipe, weights, tokenizer, taken.lacking, left_out)


def import_language(
    folder: Path, settings: Settings, out: Path, warn: Callable[[str], None] | None = None
) -> Path:
    """Write a model folder of ours from a checkpoint of theirs.

    ``warn`` is told what the checkpoint lacks, and what of it is left out.

    Raises:
        ExportError: as :func:`read_language`.
        FolderError: a file cannot be written.
    """
    found = read_language(folder, settings)
    recipe = PretrainRecipe(data=TextRecipe(mask=found.recipe.family == "bert"), model=found.recipe)
    save_language_config(out, "language", recipe, found.tokenizer)
    save_language_weights(out, found.weights, recipe, found.tokenizer)
    notes = [f"It lacks: {', '.join(found.lacking)}, here random."] if found.lacking else []
    if found.left_out:
        notes.append(f"Left out, being of other tasks: {', '.join(found.left_out)}.")
    told = " ".join([f"A {settings.family} of Hugging Face, read from {folder}.", *notes])
    write_text(out / "README.md", f"# {out.name}\n\n{told}\n")
    for note in notes:
        if warn is not None:
            warn(f"{folder}: {note[0].lower()}{note[1:]}")
    return out


def _recipe_of(settings: Settings) -> BertRecipe | GptRecipe:
    read = bert.recipe_of if settings.family in bert.ARCHITECTURES else gpt.recipe_of
    return read(settings)


def _links(recipe: BertRecipe | GptRecipe, family: str) -> list[Link]:
    return bert.links(recipe) if isinstance(recipe, BertRecipe) else gpt.links(recipe, family)


def _prefixed(theirs: Mapping[str, Tensor], family: str) -> dict[str, Tensor]:
    """Tensors by the names of models with heads; those without have shorter names."""
    prefixes = gpt.PREFIXES | {each: f"{each}." for each in bert.ARCHITECTURES}
    prefix = prefixes.get(family, "model.")
    if not any(name.startswith(prefix) for name in theirs):
        theirs = {
            name if name.startswith(("cls.", "lm_head.")) else prefix + name: tensor
            for name, tensor in theirs.items()
        }
    # The first BERTs call the weight and bias of a norm by the names of the paper.
    first = {"gamma": "weight", "beta": "bias"}
    return {
        re.sub(r"(?<=LayerNorm\.)(gamma|beta)$", lambda found: first[found[0]], name): tensor
        for name, tensor in theirs.items()
    }


def export_language(
    recipe: BertRecipe | GptRecipe,
    weights: Mapping[str, Tensor],
    tokenizer: Tokenizer,
    out: Path,
) -> Path:
    """Write a language model of ours as a checkpoint of theirs.

    Args:
        recipe: the model.
        weights: all parameters by our names; tied ones may be left out.
        tokenizer: ours, or one of theirs, which is written as it is.
        out: the folder.

    Raises:
        ExportError: no architecture of theirs can stand for the model; says why.
        FolderError: a file cannot be written.
    """
    symbols, size = tokenizer.symbols, len(weights["tokens.weight"])
    if isinstance(recipe, BertRecipe):
        family = bert.family_of(recipe)
        config = bert.config_of(recipe, size, symbols)
    else:
        family = gpt.family_of(recipe)
        config = gpt.config_of(recipe, family, size, symbols)
        special = {name: value for name, value in config.items() if name.endswith("_token_id")}
        generation = {**special, "max_length": recipe.context}
        write_json(out / "generation_config.json", generation)
    never = bert.NEVER.get(family, ())
    links = [link for link in _links(recipe, family) if link.part not in never]
    write_json(out / "config.json", config)
    write_language_tokenizer(recipe, tokenizer, out)
    write_weights(out, give(links, weights))
    return out


def write_language_tokenizer(
    recipe: BertRecipe | GptRecipe, tokenizer: Tokenizer, out: Path
) -> None:
    """Write the tokenizer of a language model with the roles of its special tokens."""
    symbols, masked = tokenizer.symbols, isinstance(recipe, BertRecipe)
    backend = tokenizers.Tokenizer.from_str(json.dumps(tokenizer.description))
    if not tokenizer.foreign:
        framed(backend, [symbols.begin], [symbols.end] if masked else [], pairs=masked)
    begin, end = ("cls", "sep") if masked else ("bos", "eos")
    roles = {
        begin: symbols.begin,
        end: symbols.end,
        "pad": symbols.pad,
        "unk": symbols.unknown,
        "mask": symbols.mask,
    }
    split = not tokenizer.foreign and not masked  # holes in a text are written <mask>
    write_tokenizer(out, backend, roles, longest=recipe.context, split=split, segments=masked)
