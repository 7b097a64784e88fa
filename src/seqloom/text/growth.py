"""Vocabularies of other models: taken over, grown by tags, compared.

New tags and marks get tokens of their own, and all else stays.

In our vocabularies they stand behind the tags that are there, so that the ids of bytes and pieces
move up; what has rows by ids finds its old ones with :func:`old_ids`.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import tokenizers
from numpy.typing import NDArray

from seqloom.errors import TokenizerError
from seqloom.recipe import DataRecipe
from seqloom.text.tags import tag_token
from seqloom.text.tokenizer import SOURCE_FILE, Tokenizer

Sides = tuple[Tokenizer | None, Tokenizer | None]
"""The vocabularies of source and target, where they are known."""


def grown(tokenizer: Tokenizer, tags: Sequence[str]) -> Tokenizer:
    """The tokenizer with a token for each of ``tags``; itself if it has them all.

    Raises:
        TokenizerError: a tag is neither a language code nor a mark.
    """
    wanted = dict.fromkeys(tag_token(tag) for tag in tags)
    new = [tag for tag in wanted if tag not in tokenizer.tags]
    if not new:
        return tokenizer
    if tokenizer.foreign:
        return _appended(tokenizer, new)
    described, place = tokenizer.description, tokenizer.control

    def moved(index: int) -> int:
        return index + len(new) if index >= place else index

    model = described["model"]
    if model["type"] == "Unigram":
        score = model["vocab"][place - 1][1]
        model["vocab"][place:place] = [[tag, score] for tag in new]
    else:
        vocabulary = {token: moved(index) for token, index in model["vocab"].items()}
        model["vocab"] = vocabulary | {tag: place + number for number, tag in enumerate(new)}
    added: list[dict[str, Any]] = described["added_tokens"]
    added += [{**added[0], "id": place + number, "content": tag} for number, tag in enumerate(new)]
    return Tokenizer(tokenizers.Tokenizer.from_str(json.dumps(described)))


def _appended(tokenizer: Tokenizer, new: Sequence[str]) -> Tokenizer:
    """A foreign vocabulary with new tokens behind all others."""
    backend = tokenizers.Tokenizer.from_str(json.dumps(tokenizer.description))
    backend.add_special_tokens([tokenizers.AddedToken(tag, normalized=False) for tag in new])
    return Tokenizer(backend, tokenizer.symbols)


def given_tokenizers(recipe: DataRecipe) -> Sides:
    """The vocabularies that a recipe takes from model folders.

    Raises:
        TokenizerError: there is none, or one that was not made by Seqloom.
    """
    first, second = recipe.source_tokenizer_from, recipe.target_tokenizer_from
    if recipe.joint:
        first, second = first or second, None
    found = [None if place is None else _ours(place) for place in (first, second)]
    return (found[0], found[0]) if recipe.joint else (found[0], found[1])


def _ours(place: str) -> Tokenizer:
    tokenizer = Tokenizer.load(Path(place) / SOURCE_FILE)
    if tokenizer.foreign:
        raise TokenizerError(
            f"{place}: its vocabulary was not made by Seqloom, and a translation model needs the "
            "special tokens of ours. Leave source_tokenizer_from and target_tokenizer_from out: "
            "tokens that both vocabularies have are found by their text."
        )
    return tokenizer


def with_tags(sides: Sides, tags: Sequence[str]) -> Sides:
    """The vocabularies of two sides with tags on the source's, and on the target's if it is the
    same: one that both have, or one that each cuts in its own way.

    Raises:
        TokenizerError: a tag is neither a language code nor a mark.
    """
    source, target = sides
    if source is None:
        return sides
    new = grown(source, tags)
    if target is None or target is source:
        return new, target and new
    return new, grown(target, tags) if target.tokens == source.tokens else target


def shared_ids(old: Tokenizer, new: Tokenizer) -> NDArray[np.int64]:
    """For each token of a vocabulary the id in another one of what has the same text [V], or -1.

    Special tokens have the same use instead.
    """
    ids: dict[str, int] = {}
    for index, piece in enumerate(old.pieces(range(old.size))):
        ids.setdefault(piece, index)
    found = np.array([ids.get(piece, -1) for piece in new.pieces(range(new.size))], np.int64)
    for theirs, ours in zip(old.symbols, new.symbols, strict=True):
        if ours is not None:
            found[ours] = -1 if theirs is None else theirs
    return found


def old_ids(old: Tokenizer, new: Tokenizer) -> NDArray[np.int64]:
    """For each token of a vocabulary its id in another one [V]; -1 where that does not have it."""
    ids = {token: index for index, token in enumerate(old.tokens)}
    return np.array([ids.get(token, -1) for token in new.tokens], np.int64)
