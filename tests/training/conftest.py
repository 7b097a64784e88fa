"""Prepared toy corpora, made once."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from seqloom.corpus.pairs import Corpus
from seqloom.corpus.toy import reverse_corpus
from seqloom.recipe import DataRecipe
from seqloom.text.prepare import prepare


@pytest.fixture(autouse=True, scope="session")
def one_thread() -> None:
    torch.set_num_threads(1)


@pytest.fixture(scope="session")
def words(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A prepared folder: 150 sequences and their reverse, letter by letter."""
    out = tmp_path_factory.mktemp("words") / "prepared"
    prepare(DataRecipe(tokenizer="word", validation_share=0.1), out, corpus=reverse_corpus(150, 1))
    return out


@pytest.fixture(scope="session")
def pieces(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A prepared folder with byte-pair encoding, whose pieces BPE-dropout can take apart."""
    out = tmp_path_factory.mktemp("pieces") / "prepared"
    texts = [pair.source.replace(" ", "") for pair in reverse_corpus(150, 2).pairs()]
    texts = [f"{text[:2] * 2} {text} unbelievable {text[-2:]}" for text in texts]
    corpus = Corpus.of([(text, text.upper()) for text in texts])
    recipe = DataRecipe(tokenizer="bpe", vocabulary=360, validation_share=0.1)
    prepare(recipe, out, corpus=corpus)
    return out


@pytest.fixture
def no_pictures(monkeypatch: pytest.MonkeyPatch) -> None:
    """Curves take longer than the training of a toy."""
    monkeypatch.setattr("seqloom.training.loop.draw_curves", lambda folder: None)
