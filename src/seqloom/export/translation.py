"""Encoder-decoders of transformers as our model folders, and our Transformers as theirs."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import tokenizers
import torch
from torch import Tensor

from seqloom.errors import ExportError
from seqloom.export import seq2seq
from seqloom.export.checkpoint import read_json, read_weights, write_weights
from seqloom.export.links import give, take
from seqloom.export.numbering import FRONT, Numbering, reordered
from seqloom.export.settings import Settings
from seqloom.export.vocabulary import (
    SpecialTokens,
    framed,
    load_backend,
    write_json,
    write_tokenizer,
)
from seqloom.folder import ModelFolder, save_config, save_weights, write_text
from seqloom.models import build_model
from seqloom.recipe import DataRecipe, DecodingRecipe, Recipe, TransformerRecipe
from seqloom.symbols import BOS, EOS, PAD, UNK, Symbols
from seqloom.text.tags import tag_token
from seqloom.text.tokenizer import Tokenizer, Tokenizers

ORIGIN_FILE = "origin.json"
"""In a folder that was imported: the ids that its tokens had."""
TARGET_FOLDER = "target"
"""Where the tokenizer of the target is, where the sides have their own."""
_LANGUAGE = re.compile(r"__[a-z]{2,3}__|[a-z]{2,3}_([A-Z]{2}|[A-Z][a-z]{3})")
"""Tokens that stand for languages with M2M100, NLLB and mBART."""
_SOURCE, _TARGET = "encoder.embedder.tokens.weight", "decoder.embedder.tokens.weight"
_OUTPUT, _BIAS = "output.weight", "output.bias"


@dataclass(frozen=True)
class Numberings:
    """Those of both sides; equal where the vocabulary is shared."""

    source: Numbering
    target: Numbering

    def side(self, name: str) -> Numbering | None:
        """The one that a parameter of ours goes by."""
        if name == _SOURCE:
            return self.source
        return self.target if name in (_TARGET, _OUTPUT, _BIAS) else None


def import_translation(folder: Path, settings: Settings, out: Path) -> Path:
    """Write a model folder of ours from a checkpoint of theirs; see :data:`seq2seq.FAMILIES`.

    Raises:
        ExportError: settings, weights or a tokenizer that ours cannot stand for.
    """
    generation = read_json(folder / "generation_config.json")
    ids = {role: settings.whole(f"{role}_token_id") for role in ("pad", "eos", "decoder_start")}
    sizes = (
        settings.whole("vocab_size"),
        settings.get("decoder_vocab_size", settings.whole("vocab_size")),
    )
    for given in (Settings(generation, settings.where), settings):
        given.only("forced_bos_token_id", None)
        settings.problems += given.problems if given is not settings else []
    recipe = seq2seq.recipe_of(settings, output_bias=False)
    joint = recipe.tie == "all"
    source = load_backend(folder)
    _refuse_languages(folder, source)
    target = source if joint else load_backend(folder / TARGET_FOLDER)
    unknown = SpecialTokens(folder, settings.values, source).find("unk")
    if unknown is None:
        raise ExportError(
            f"{folder}: tokenizer_config.json names no unk_token, which Seqloom's models of "
            "translation need; add it."
        )
    found = [
        Numbering.of(
            size, pad=ids["pad"], end=ids["eos"], unknown=unknown, start=ids["decoder_start"]
        )
        for size in sizes
    ]
    numberings = Numberings(found[0], found[0] if joint else found[1])
    recipe, weights = _read(folder, recipe, sizes, numberings)
    sides = [_ours(source, numberings.source)]
    sides += [] if joint else [_ours(target, numberings.target)]
    whole = _whole_recipe(recipe, generation)
    _write(out, whole, weights, Tokenizers(sides[0], sides[-1]), settings)
    write_json(out / ORIGIN_FILE, {"family": settings.family, **asdict(numberings)})
    return out


def _refuse_languages(folder: Path, backend: tokenizers.Tokenizer) -> None:
    added = (token.content for token in backend.get_added_tokens_decoder().values())
    languages = [name for name in added if _LANGUAGE.fullmatch(name)]
    if languages:
        raise ExportError(
            f"{folder} is told both languages by tokens ({', '.join(languages[:3])}, ...), one "
            "before the source and one at the beginning of the translation. Seqloom's models are "
            "told the target language alone, before the source, so this one cannot be taken over."
        )


def _read(
    folder: Path, recipe: TransformerRecipe, sizes: tuple[int, int], numberings: Numberings
) -> tuple[TransformerRecipe, dict[str, Tensor]]:
    """The recipe, and all weights under our names in our order."""
    theirs = read_weights(folder)
    bias = theirs.pop(seq2seq.BIAS, torch.zeros(1, sizes[1])).flatten()
    with torch.device("meta"):
        shapes = {n: t.shape for n, t in build_model(recipe, *sizes).state_dict().items()}
    taken = take(seq2seq.links(recipe), theirs, shapes, str(folder), seq2seq.SURPLUS)
    if len(bias) != sizes[1]:
        raise ExportError(f"{folder}: {seq2seq.BIAS} has {len(bias)} values, expected {sizes[1]}.")
    weights = {
        name: tensor if (side := numberings.side(name)) is None else side.rows(tensor)
        for name, tensor in taken.weights.items()
    }
    ours = numberings.target.bias(bias)
    if not ours.any():
        return recipe, weights
    return recipe.model_copy(update={"output_bias": True}), {**weights, _BIAS: ours}


def _ours(backend: tokenizers.Tokenizer, numbering: Numbering) -> Tokenizer:
    control = [index for place in FRONT if (index := numbering.theirs[place]) is not None]
    return Tokenizer(reordered(backend, numbering.theirs, control), Symbols())


def _whole_recipe(recipe: TransformerRecipe, generation: Mapping[str, Any]) -> Recipe:
    decoding = DecodingRecipe(
        beam=generation.get("num_beams") or 1,
        length_penalty="average",
        alpha=max(generation.get("length_penalty") or 1.0, 0.0),
    )
    data = DataRecipe(joint=recipe.tie == "all", max_length=recipe.max_positions)
    return Recipe(data=data, model=recipe, decoding=decoding)


def _write(
    out: Path,
    recipe: Recipe,
    weights: Mapping[str, Tensor],
    pair: Tokenizers,
    settings: Settings,
) -> None:
    save_config(out, recipe, pair)
    save_weights(out, weights, recipe, pair)
    write_text(
        out / "README.md",
        f"# {out.name}\n\nA {settings.family} of Hugging Face, read from {settings.where}.\n\n"
        f"```\nseqloom translate {out.name} FILE\nseqloom export {out.name} --to huggingface "
        "--out DIR\n```\n",
    )


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
    bias = state.get(_BIAS, torch.zeros(len(target.order)))
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
    write_json(out / "generation_config.json", _generation(folder.recipe, target, longest))
    write_weights(out, weights)
    return out


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
    sides = [(out, pair.source, numberings.source)]
    if not pair.joint:
        sides.append((out / TARGET_FOLDER, pair.target, numberings.target))
    for place, tokenizer, numbering in sides:
        ours = tokenizers.Tokenizer.from_str(json.dumps(tokenizer.description))
        front = []
        if place == out and recipe.data.tag and recipe.data.target_language:
            front = [ours.token_to_id(tag_token(recipe.data.target_language)) or 0]
        backend = reordered(ours, numbering.order, FRONT)
        roles = {"pad": PAD, "bos": BOS, "eos": EOS, "unk": UNK}
        theirs = {role: numbering.theirs[index] for role, index in roles.items()}
        fronted = [numbering.theirs[index] for index in front]
        framed(backend, [i for i in fronted if i is not None], [theirs["eos"] or 0])
        # A source names its target language itself where there are several.
        named = bool(tokenizer.tags) and not front
        write_tokenizer(place, backend, theirs, longest=longest + 1, split=not named)
    return longest
