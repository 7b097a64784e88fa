"""Our Transformers as encoder-decoders of transformers."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import tokenizers
import torch

from seqloom.errors import ExportError
from seqloom.export import seq2seq
from seqloom.export.checkpoint import read_json, write_weights
from seqloom.export.links import give
from seqloom.export.numbering import (
    FRONT,
    ORIGIN_FILE,
    OUTPUT_BIAS,
    Numbering,
    Numberings,
    reordered,
)
from seqloom.export.sides import TARGET_FOLDER, renamed
from seqloom.export.vocabulary import framed, write_json, write_tokenizer
from seqloom.folder import ModelFolder
from seqloom.recipe import Recipe, TransformerRecipe
from seqloom.symbols import BOS, EOS, PAD, UNK
from seqloom.text.tags import Fronts, fronts


def export_translation(folder: ModelFolder, out: Path) -> Path:
    """Write a model folder of ours as a checkpoint of theirs.

    Raises:
        ExportError: no architecture of theirs can stand for the model; says why.
        FolderError: a file cannot be written.
    """
    recipe = folder.recipe.model
    if not isinstance(recipe, TransformerRecipe):
        raise ExportError(
            f"{folder.path} is a recurrent model, and transformers has no architecture for it; "
            "only Transformers can be exported."
        )
    name = seq2seq.family_of(recipe)
    numberings = _numberings(folder, name)
    state = {
        parameter: tensor if (side := numberings.side(parameter)) is None else side.back(tensor)
        for parameter, tensor in folder.model.state_dict().items()
    }
    target = numberings.target
    bias = state.get(OUTPUT_BIAS, torch.zeros(len(target.order)))
    if bias.any() and not seq2seq.FAMILIES[name].output_bias:
        raise ExportError(
            f"{folder.path}: {name} has no bias of the output; train with model.output_bias=false "
            "to export to it."
        )
    weights = give(seq2seq.links(recipe), state)
    if seq2seq.FAMILIES[name].output_bias:
        weights[seq2seq.BIAS] = bias[None]
    sizes = (len(numberings.source.order), len(target.order))
    special = _special_ids(target)
    longest = _write_tokenizers(folder, numberings, out)
    write_json(out / "config.json", seq2seq.config_of(recipe, name, sizes) | special)
    first = folder.tokenizers.target.encode("", tags=_fronts(folder).target)
    forced = {"forced_bos_token_id": target.theirs[first[0]] if first else None}
    generation = _generation(folder.recipe, target, longest) | forced
    write_json(out / "generation_config.json", generation)
    write_weights(out, weights)
    return out


def _fronts(folder: ModelFolder) -> Fronts:
    """What stands before all texts; nothing where a source says itself into which language."""
    data = folder.recipe.data
    return fronts(data.tag, data.source_language, data.target_language)


def _numberings(folder: ModelFolder, name: str) -> Numberings:
    """The ids that a folder's tokens shall have."""
    origin = read_json(folder.path / ORIGIN_FILE)
    if origin.get("family") == name:
        sides = (origin["source"], origin["target"])
        return Numberings(*(Numbering(tuple(each["theirs"]), each["start"]) for each in sides))
    make = Numbering.padding_second if name == "m2m_100" else Numbering.same
    both = (folder.tokenizers.source.size, folder.tokenizers.target.size)
    return Numberings(*(make(size) for size in both))


def _special_ids(numbering: Numbering) -> dict[str, int | None]:
    return {
        "pad_token_id": numbering.theirs[PAD],
        "bos_token_id": numbering.theirs[BOS],
        "eos_token_id": numbering.theirs[EOS],
        "decoder_start_token_id": numbering.start,
        "forced_bos_token_id": None,
        "forced_eos_token_id": None,
    }


def _generation(recipe: Recipe, numbering: Numbering, longest: int) -> dict[str, Any]:
    """Their options of a search that comes closest to ours."""
    decoding = recipe.decoding
    never = (numbering.theirs[place] for place in (PAD, BOS, UNK))
    averaged = decoding.length_penalty == "average"
    return {
        **_special_ids(numbering),
        "num_beams": decoding.beam,
        "length_penalty": decoding.alpha if averaged else 1.0,
        "max_length": int(longest * decoding.max_length_factor) + decoding.max_length_extra,
        "no_repeat_ngram_size": decoding.no_repeat_ngram,
        "suppress_tokens": [index for index in never if index is not None],
    }


def _write_tokenizers(folder: ModelFolder, numberings: Numberings, out: Path) -> int:
    """Write the tokenizers of both sides; gives the longest source in tokens."""
    recipe, pair = folder.recipe, folder.tokenizers
    longest = recipe.data.max_length
    if folder.model.max_positions is not None:
        longest = min(longest, folder.model.max_positions - 1)
    names = read_json(folder.path / ORIGIN_FILE).get("languages", {})
    sides = [(out, pair.source, numberings.source)]
    if not pair.joint:
        sides.append((out / TARGET_FOLDER, pair.target, numberings.target))
    for place, tokenizer, numbering in sides:
        front = tokenizer.encode("", tags=_fronts(folder).source if place == out else ())
        ours = tokenizers.Tokenizer.from_str(json.dumps(tokenizer.description))
        backend = renamed(reordered(ours, numbering.order, FRONT), names)
        roles = {"pad": PAD, "bos": BOS, "eos": EOS, "unk": UNK}
        theirs = {role: numbering.theirs[index] for role, index in roles.items()}
        fronted = [numbering.theirs[index] for index in front]
        framed(backend, [i for i in fronted if i is not None], [theirs["eos"] or 0])
        # A source names its target language itself where there are several.
        named = bool(tokenizer.tags) and not front
        write_tokenizer(place, backend, theirs, longest=longest + 1, split=not named)
    return longest
