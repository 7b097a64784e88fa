"""The vocabularies of checkpoints that translate: of the source, of the target, and their files.

::

    tokenizer.json                          both sides, unless target/tokenizer.json is there
    vocab.json, source.spm, target.spm      Marian: one vocabulary, cut otherwise on each side
    target_vocab.json besides               Marian with a vocabulary for each side
    vocab.json, sentencepiece.bpe.model     M2M100: both sides; languages in tokenizer_config.json

Tokens that stand for languages get the names of our tags. With Marian one stands before the source;
with M2M100, NLLB and mBART-50 each side begins with its own.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import tokenizers

from seqloom.errors import ExportError
from seqloom.export.checkpoint import read_json
from seqloom.export.sentencepiece import backend_of
from seqloom.export.settings import Settings
from seqloom.export.vocabulary import FILE, SpecialTokens, load_backend
from seqloom.text.tags import tag_token

TARGET_FOLDER = "target"
"""Where the tokenizer of the target is, where it is not that of the source."""
_LANGUAGE = re.compile(r"__([a-z]{2,3})__|([a-z]{2,3}_(?:[A-Z]{2}|[A-Z][a-z]{3}))|>>([\w-]+)<<")
"""M2M100; NLLB and mBART; Marian."""
_UNKNOWN, _SPECIAL = "<unk>", ("<s>", "</s>", "<unk>", "<pad>")
_PIECES = "sentencepiece.bpe.model"


@dataclass(frozen=True)
class Sides:
    """What cuts the texts of each side, and how the model is told languages."""

    source: tokenizers.Tokenizer
    target: tokenizers.Tokenizer
    unknown: int
    """The id of what has no token."""
    tag: Literal[False, True, "both"] = False
    """The field of our recipes."""
    languages: Mapping[str, str] = field(default_factory=dict)
    """Our names of tokens of languages -> theirs."""


def load_sides(folder: Path, settings: Settings, *, shared: bool) -> Sides:
    """The tokenizers of a checkpoint.

    Args:
        folder: the checkpoint.
        settings: its config.
        shared: whether both sides have one table of embeddings.

    Raises:
        ExportError: a file is missing or damaged, or the model is told languages in a way that ours
            are not.
        MissingExtraError: the library that reads SentencePiece models is not installed.
    """
    if not (folder / FILE).is_file():
        if (folder / "source.spm").is_file():
            return _marian(folder, shared=shared)
        if (folder / _PIECES).is_file() and (folder / "vocab.json").is_file():
            return _m2m100(folder)
    source = load_backend(folder)
    both = shared and not (folder / TARGET_FOLDER).is_dir()
    target = source if both else load_backend(folder / TARGET_FOLDER)
    unknown = SpecialTokens(folder, settings.values, source).find("unk")
    if unknown is None:
        raise ExportError(
            f"{folder}: tokenizer_config.json names no unk_token, which Seqloom's models of "
            "translation need; add it."
        )
    added = [token.content for token in source.get_added_tokens_decoder().values()]
    languages = languages_in(added)
    if not languages:
        return Sides(source, target, unknown)
    if settings.family == "mbart":
        _refuse_first_mbart(folder)
    source = renamed(source, {theirs: ours for ours, theirs in languages.items()})
    return Sides(source, source, unknown, "both", languages)


def languages_in(names: Sequence[str]) -> dict[str, str]:
    """Our names of the tokens among ``names`` that stand for languages -> theirs."""
    found = {name: _LANGUAGE.fullmatch(name) for name in names}
    return {
        tag_token(next(filter(None, match.groups()))): name
        for name, match in found.items()
        if match is not None
    }


def renamed(backend: tokenizers.Tokenizer, names: Mapping[str, str]) -> tokenizers.Tokenizer:
    """The same tokenizer with other names for some tokens."""
    described: dict[str, Any] = json.loads(backend.to_str())
    for token in described["added_tokens"]:
        token["content"] = names.get(token["content"], token["content"])
    model = described["model"]
    if model["type"] == "Unigram":
        model["vocab"] = [[names.get(name, name), score] for name, score in model["vocab"]]
    else:
        model["vocab"] = {names.get(name, name): index for name, index in model["vocab"].items()}
    described["post_processor"] = None  # it names tokens, and is not ours to keep
    return tokenizers.Tokenizer.from_str(json.dumps(described))


def _refuse_first_mbart(folder: Path) -> None:
    """mBART-50 puts languages where we do; the first mBART behind texts."""
    kind = read_json(folder / "tokenizer_config.json").get("tokenizer_class", "")
    if not str(kind).startswith("MBart50"):
        raise ExportError(
            f"{folder}: the tokenizer is a {kind or 'nameless one'}. mBART puts the language "
            "behind the source and begins to write with that of the target, which Seqloom's "
            "models do not; mBART-50 (MBart50Tokenizer), M2M100 and NLLB can be taken over."
        )


def _marian(folder: Path, *, shared: bool) -> Sides:
    names = _vocabulary(folder / "vocab.json")
    other = names if shared else _vocabulary(folder / "target_vocab.json")
    languages = languages_in(names)
    sides = [
        _cut(folder / f"{side}.spm", vocabulary, languages)
        for side, vocabulary in (("source", names), ("target", other))
    ]
    return Sides(sides[0], sides[1], names.index(_UNKNOWN), bool(languages), languages)


def _m2m100(folder: Path) -> Sides:
    """Tokens of languages come behind all others, in the order in which they are listed."""
    files = (
        read_json(folder / name) for name in ("special_tokens_map.json", "tokenizer_config.json")
    )
    lists = (
        found.get(name) or []
        for found in files
        for name in ("additional_special_tokens", "extra_special_tokens")
    )
    listed = next((names for names in map(_contents, lists) if languages_in(names)), [])
    languages = languages_in(listed)
    if not languages:
        raise ExportError(
            f"{folder}: special_tokens_map.json lists no tokens of languages such as __de__ under "
            "additional_special_tokens; get the file again."
        )
    names = [*_vocabulary(folder / "vocab.json"), *languages.values()]
    backend = _cut(folder / _PIECES, names, languages)
    return Sides(backend, backend, names.index(_UNKNOWN), "both", languages)


def _contents(tokens: Sequence[Any]) -> list[str]:
    return [str(t.get("content")) if isinstance(t, dict) else str(t) for t in tokens]


def _cut(
    path: Path, vocabulary: Sequence[str], languages: Mapping[str, str]
) -> tokenizers.Tokenizer:
    ours = {theirs: name for name, theirs in languages.items()}
    names = [ours.get(name, name) for name in vocabulary]
    return backend_of(path, names, _UNKNOWN, [*_SPECIAL, *languages])


def _vocabulary(path: Path) -> list[str]:
    """Tokens by their ids.

    Raises:
        ExportError: the file is missing, or its ids are not 0, 1, 2 ...
    """
    table = read_json(path)
    ids = {index: name for name, index in table.items()}
    if not table or sorted(ids) != list(range(len(table))) or _UNKNOWN not in table:
        raise ExportError(
            f"{path}: expected tokens, {_UNKNOWN} among them, with ids from 0, each once; "
            "get the file again."
        )
    return [ids[index] for index in range(len(ids))]
