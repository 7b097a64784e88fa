"""Vocabularies that grow: new tags and marks get tokens of their own, and all else stays.

In our vocabularies they stand behind the tags that are there, so that the ids of bytes and pieces
move up; what has rows by ids finds its old ones with :func:`old_ids`.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import numpy as np
import tokenizers
from numpy.typing import NDArray

from seqloom.text.tags import tag_token
from seqloom.text.tokenizer import Tokenizer, Tokenizers


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


def grown_both(both: Tokenizers, tags: Sequence[str]) -> Tokenizers:
    """The tokenizers of two sides with tags on the source's, which are the target's if it is one.

    Raises:
        TokenizerError: a tag is neither a language code nor a mark.
    """
    source = grown(both.source, tags)
    return Tokenizers(source, source if both.joint else both.target)


def old_ids(old: Tokenizer, new: Tokenizer) -> NDArray[np.int64]:
    """For each token of a vocabulary its id in another one [V]; -1 where that does not have it."""
    ids = {token: index for index, token in enumerate(old.tokens)}
    return np.array([ids.get(token, -1) for token in new.tokens], np.int64)
