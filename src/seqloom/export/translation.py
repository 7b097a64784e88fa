"""Encoder-decoders of transformers as our model folders."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import tokenizers
import torch
from torch import Tensor

from seqloom.errors import ExportError
from seqloom.export import seq2seq
from seqloom.export.checkpoint import read_json, read_weights
from seqloom.export.links import take
from seqloom.export.numbering import (
    FRONT,
    ORIGIN_FILE,
    OUTPUT_BIAS,
    Numbering,
    Numberings,
    reordered,
)
from seqloom.export.settings import Settings
from seqloom.export.sides import Sides, load_sides
from seqloom.export.vocabulary import write_json
from seqloom.folder import save_config, save_weights, write_text
from seqloom.models import build_model
from seqloom.recipe import DataRecipe, DecodingRecipe, Recipe, TransformerRecipe
from seqloom.symbols import Symbols
from seqloom.text.tokenizer import Tokenizer, Tokenizers


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
    recipe = seq2seq.recipe_of(settings, output_bias=False)
    sides = load_sides(folder, settings, shared=recipe.tie == "all")
    data = DataRecipe(
        joint=recipe.tie == "all",
        max_length=recipe.max_positions,
        tag=sides.tag,
        target_language=_forced(sides, (generation, settings.values), settings),
    )
    numberings = Numberings(
        *(
            Numbering.of(
                size,
                pad=ids["pad"],
                end=ids["eos"],
                unknown=sides.unknown,
                start=ids["decoder_start"],
            )
            for size in sizes
        )
    )
    recipe, weights = _read(folder, recipe, sizes, numberings)
    source = _ours(sides.source, numberings.source)
    same = sides.source is sides.target
    pair = Tokenizers(source, source if same else _ours(sides.target, numberings.target))
    whole = Recipe(data=data, model=recipe, decoding=_decoding(generation))
    _write(out, whole, weights, pair, settings)
    origin = {"family": settings.family, "languages": sides.languages, **asdict(numberings)}
    write_json(out / ORIGIN_FILE, origin)
    return out


def _forced(sides: Sides, configs: Sequence[Mapping[str, Any]], settings: Settings) -> str | None:
    """The target language that a checkpoint always writes first.

    Raises:
        ExportError: it begins with another token.
    """
    index = next((i for c in configs if (i := c.get("forced_bos_token_id")) is not None), None)
    if index is None:
        return None
    name = sides.target.id_to_token(index) if isinstance(index, int) else None
    if name is not None and sides.tag == "both" and name in sides.languages:
        return name[2:-1]
    raise ExportError(
        f"{settings.where}: forced_bos_token_id is {index!r}, which is no token of a language; "
        "Seqloom's models begin with no other. Set it to null if the model does without."
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
    return recipe.model_copy(update={"output_bias": True}), {**weights, OUTPUT_BIAS: ours}


def _ours(backend: tokenizers.Tokenizer, numbering: Numbering) -> Tokenizer:
    control = [index for place in FRONT if (index := numbering.theirs[place]) is not None]
    return Tokenizer(reordered(backend, numbering.theirs, control), Symbols())


def _decoding(generation: Mapping[str, Any]) -> DecodingRecipe:
    return DecodingRecipe(
        beam=generation.get("num_beams") or 1,
        length_penalty="average",
        alpha=max(generation.get("length_penalty") or 1.0, 0.0),
    )


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
