"""SentencePiece models for tests, learned by their own library."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import theirs as their

sentencepiece = pytest.importorskip("sentencepiece")

TEXTS = [
    *their.TEXTS,
    "the  mat is on the hill \t and ﬁne",
    "a friend ran to the cat, the dog, the train",
    "Ｗｏｌｋｅｎ über über den Hügel",
]


def learn(folder: Path, name: str, texts: Sequence[str], **how: Any) -> Path:
    """A SentencePiece model, learned by its own library."""
    source = folder / f"{name}.txt"
    source.write_text("".join(f"{text}\n" for text in texts), encoding="utf-8")
    settings = {"vocab_size": 60, "hard_vocab_limit": False, "minloglevel": 2, **how}
    prefix = folder / name
    sentencepiece.SentencePieceTrainer.train(
        input=str(source), model_prefix=str(prefix), **settings
    )
    return (folder / f"{name}.model").rename(folder / f"{name}.spm")


def pieces(path: Path) -> list[str]:
    """All pieces but those that stand for nothing in a text."""
    model = sentencepiece.SentencePieceProcessor(model_file=str(path))
    ids = range(model.get_piece_size())
    return [
        model.id_to_piece(i) for i in ids if not model.is_control(i) and not model.is_unknown(i)
    ]
