"""What training a translation model goes on from: its like, or language models for its sides."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from seqloom.corpus.pairs import Pair
from seqloom.corpus.readers import read_corpus
from seqloom.corpus.store import StoreWriter, TokenStore
from seqloom.errors import CorpusError, FolderError, RecipeError
from seqloom.folder import load_config, load_folder
from seqloom.language_folder import language_config, load_language_folder
from seqloom.models.base import EncoderDecoder
from seqloom.models.warm_start import Given, agreeing, fill
from seqloom.recipe import Recipe
from seqloom.recipe.inheriting import contradictions, inheriting
from seqloom.text.growth import shared_ids
from seqloom.text.tags import fronts, tag_token
from seqloom.text.tokenizer import Tokenizers

_VOCABULARY = ("tokenizer", "vocabulary", "joint")
"""Data fields that the folder's vocabulary decides."""


@dataclass(frozen=True)
class TranslationStart:
    """What a folder gives to a run."""

    recipe: Recipe
    """That of the run, with the folder's architecture and kind of vocabulary."""
    tokenizers: Tokenizers
    model: EncoderDecoder | None
    """None where the run is under way, and has weights of its own."""


def start_from(recipe: Recipe, under_way: bool) -> TranslationStart | None:
    """What the run of ``recipe`` goes on from, if it goes on from something.

    Args:
        recipe: names the folder.
        under_way: whether the run has a checkpoint; then the folder's weights are not read.

    Raises:
        FolderError: no folder of a translation model, or a damaged one.
        RecipeError: the recipe asks for another architecture or vocabulary than the folder's.
    """
    if recipe.training.model_from is None:
        return None
    path = Path(recipe.training.model_from)
    old, _ = load_config(path)
    if problems := contradictions(recipe, old, path, _VOCABULARY, "leave it out"):
        raise RecipeError(f"going on from {path}", problems)
    tagged = () if "tag" in recipe.data.model_fields_set else ("tag",)
    recipe = inheriting(recipe, old, (*_VOCABULARY, *tagged))
    if under_way:
        return TranslationStart(recipe, Tokenizers.load(path), None)
    folder = load_folder(path)
    return TranslationStart(recipe, folder.tokenizers, folder.model)


@dataclass(frozen=True)
class HeldOut:
    """Pairs that a model is judged by."""

    pairs: list[Pair]
    store: TokenStore
    """Row by row their token ids."""
    language: str | None
    """Of the targets."""


def old_pairs(recipe: Recipe, tokenizers: Tokenizers, out: Path) -> HeldOut | None:
    """The test pairs of the old task, if the recipe names some; their ids are written to ``out``.

    Sources get their target language in front where the vocabulary has a token for it.

    Raises:
        CorpusError: a file cannot be read, or holds no pair.
    """
    training, data = recipe.training, recipe.data
    if training.old_source is None:
        return None
    files = [place for place in (training.old_source, training.old_target) if place is not None]
    corpus = read_corpus(*files)
    pairs = [pair for pair in corpus.pairs() if pair.source.strip() and pair.target.strip()]
    pairs = pairs[: training.validate_pairs]
    if not pairs:
        raise CorpusError(f"{', '.join(files)}: no pair with text on both sides.")
    language = corpus.target_language or data.target_language
    before = fronts(data.tag, corpus.source_language or data.source_language, language)
    sides = ([pair.source for pair in pairs], [pair.target for pair in pairs])
    sources, targets = (
        tokenizer.encode_batch(
            texts, tags=[tag for tag in front if tag_token(tag) in tokenizer.tags]
        )
        for tokenizer, texts, front in zip(tokenizers.sides, sides, before, strict=True)
    )
    out.mkdir(parents=True, exist_ok=True)
    place = out / "pairs.arrow"
    with StoreWriter(place, tokenizers.source.size, tokenizers.target.size) as writer:
        writer.write(sources, targets)
    return HeldOut(pairs, TokenStore.open(place), language)


def shaped_like(recipe: Recipe) -> Recipe:
    """The recipe whose open sizes and switches are those of the models that its sides begin with.

    Raises:
        FolderError: no folder of a BERT for the encoder, or of a GPT for the decoder.
    """
    fields: dict[str, object] = {}
    for side, family in (("decoder", "gpt"), ("encoder", "bert")):  # the encoder has the last word
        place = getattr(recipe.training, f"{side}_from")
        if place is not None:
            _, given, _ = language_config(Path(place), ("language",))
            if given.model.family != family:
                raise FolderError(
                    f"training.{side}_from: {place} holds a model of the family "
                    f"{given.model.family}; the {side} can begin with a {family.upper()}."
                )
            fields |= agreeing(given.model)
    asked = recipe.model.model_fields_set
    if not fields or recipe.model.family != "transformer":
        return recipe
    chosen = {name: value for name, value in fields.items() if name not in asked}
    return recipe.model_copy(update={"model": recipe.model.model_copy(update=chosen)})


def warm_start(recipe: Recipe, model: EncoderDecoder, tokenizers: Tokenizers) -> list[str]:
    """Let encoder and decoder begin with language models; a line of words for each.

    Raises:
        FolderError: a folder is damaged.
        RecipeError: the model cannot begin with that of the folder.
    """
    lines = []
    source, target = model.embeddings if _sides(recipe) else (None, None)
    for side in _sides(recipe):
        folder = load_language_folder(getattr(recipe.training, f"{side}_from"))
        tokenizer = tokenizers.source if side == "encoder" else tokenizers.target
        rows = shared_ids(folder.tokenizer, tokenizer)
        given = Given(str(folder.path), folder.model, folder.recipe.model, rows)
        # One table serves both sides: that of the encoder's model, if there is one.
        table = side == "encoder" or source is not target or recipe.training.encoder_from is None
        lines.append(f"{side}: {fill(model, recipe.model, side, given, table)}.")
    return lines


def _sides(recipe: Recipe) -> list[str]:
    """Those that begin with a language model."""
    return [side for side in ("encoder", "decoder") if getattr(recipe.training, f"{side}_from")]
