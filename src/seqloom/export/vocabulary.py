"""Tokenizers between their checkpoints and our folders: found, framed, and described to them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import tokenizers
from tokenizers.processors import TemplateProcessing

from seqloom.errors import ExportError, writing
from seqloom.export.checkpoint import read_json
from seqloom.symbols import Symbols

FILE = "tokenizer.json"
_SENTENCEPIECE = ("*.spm", "*.model")


def load_backend(folder: Path) -> tokenizers.Tokenizer:
    """The ``tokenizer.json`` of a checkpoint.

    Raises:
        ExportError: there is none, or it is damaged.
    """
    path = folder / FILE
    if not path.is_file():
        pieces = sorted(file.name for kind in _SENTENCEPIECE for file in folder.glob(kind))
        if pieces:
            raise ExportError(
                f"{folder} has its vocabulary in {', '.join(pieces)} (SentencePiece) and no {FILE},"
                " which Seqloom reads. transformers writes one: "
                "AutoTokenizer.from_pretrained(FOLDER).save_pretrained(FOLDER)."
            )
        raise ExportError(f"{folder} holds no {FILE}; copy or download it too.")
    try:
        return tokenizers.Tokenizer.from_file(str(path))
    except Exception as error:  # the library raises bare Exception
        raise ExportError(
            f"{path} is no tokenizer that can be read ({error}); get the file again."
        ) from None


def filled(backend: tokenizers.Tokenizer, size: int, where: Path) -> tokenizers.Tokenizer:
    """The tokenizer with as many tokens as the model has, which may have some to spare.

    Raises:
        ExportError: it has more than the model.
    """
    own = backend.get_vocab_size()
    if own > size:
        raise ExportError(
            f"{where / FILE} has {own} tokens, and config.json says vocab_size {size}; the files "
            "are not of one checkpoint."
        )
    backend.add_special_tokens([f"<unused{index}>" for index in range(own, size)])
    return backend


class SpecialTokens:
    """The special tokens of a checkpoint, by their roles: ``cls``, ``eos``, ``pad`` ..."""

    def __init__(
        self, folder: Path, config: Mapping[str, Any], backend: tokenizers.Tokenizer
    ) -> None:
        self._folder, self._config, self._backend = folder, config, backend
        files = ("tokenizer_config.json", "special_tokens_map.json")
        self._named = [read_json(folder / name) for name in files]

    def find(self, *roles: str) -> int | None:
        """The id of the first of these roles that has a token."""
        return next((found for role in roles if (found := self._one(role)) is not None), None)

    def _one(self, role: str) -> int | None:
        for named in self._named:
            token = named.get(f"{role}_token")
            name = token.get("content") if isinstance(token, dict) else token
            if isinstance(name, str) and (index := self._backend.token_to_id(name)) is not None:
                return index
        index = self._config.get(f"{role}_token_id")
        if isinstance(index, list):  # several ways to end; the first is the usual one
            index = next(iter(index), None)
        return index if isinstance(index, int) else None

    def symbols(self) -> Symbols:
        """Our view of them.

        Raises:
            ExportError: no token stands at the end of texts.
        """
        end = self.find("sep", "eos")
        if end is None:
            raise ExportError(
                f"{self._folder}: neither tokenizer_config.json nor config.json names the token at "
                "the end of texts (eos_token or sep_token); add it."
            )
        begin, pad = self.find("cls", "bos"), self.find("pad")
        return Symbols(
            pad=end if pad is None else pad,
            begin=end if begin is None else begin,
            end=end,
            unknown=self.find("unk"),
            mask=self.find("mask"),
        )


def framed(
    backend: tokenizers.Tokenizer, front: Sequence[int], back: Sequence[int], *, pairs: bool = False
) -> tokenizers.Tokenizer:
    """The same tokenizer, putting special tokens around texts as our models read them.

    Args:
        backend: a tokenizer; it is changed.
        front: ids before a text.
        back: ids after it.
        pairs: whether a second text is a segment of its own.
    """
    named = {index: backend.id_to_token(index) for index in (*front, *back)}
    before, after = ([named[index] for index in ids] for ids in (front, back))
    second = [f"{token}:1" for token in after] if pairs else after
    last = "$B:1" if pairs else "$B"
    backend.post_processor = TemplateProcessing(
        single=[*before, "$A", *after],
        pair=[*before, "$A", *after, last, *second],
        special_tokens=[(name, index) for index, name in named.items()],
    )
    return backend


def write_tokenizer(
    folder: Path,
    backend: tokenizers.Tokenizer,
    roles: Mapping[str, int | None],
    *,
    longest: int,
    split: bool,
    segments: bool = False,
) -> None:
    """Write ``tokenizer.json`` and what transformers wants beside it.

    Args:
        folder: where to.
        backend: the tokenizer.
        roles: ``pad``, ``eos``, ... -> id.
        longest: most tokens that the model reads.
        split: whether special tokens that stand in a text are text, as with us.
        segments: whether the model reads which of two texts a token is of.

    Raises:
        FolderError: the files cannot be written.
    """
    names = {
        f"{role}_token": backend.id_to_token(index)
        for role, index in roles.items()
        if index is not None
    }
    inputs = ["input_ids", *(["token_type_ids"] if segments else []), "attention_mask"]
    config = {
        "tokenizer_class": "PreTrainedTokenizerFast",
        **names,
        "model_max_length": longest,
        "model_input_names": inputs,
        "split_special_tokens": split,
        "clean_up_tokenization_spaces": False,
    }
    with writing(folder):
        folder.mkdir(parents=True, exist_ok=True)
        backend.save(str(folder / FILE))
    write_json(folder / "tokenizer_config.json", config)
    write_json(folder / "special_tokens_map.json", names)


def write_json(path: Path, values: Mapping[str, Any]) -> None:
    """Write a JSON file.

    Raises:
        FolderError: it cannot be written.
    """
    with writing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(values, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
