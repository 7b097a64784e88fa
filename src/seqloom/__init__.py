"""Seqloom: train your own sequence-to-sequence model, see why it says what it says, ship it.

The public names, listed once. Each is imported when it is first used, so that ``import seqloom``
costs nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

_PLACES = {
    "Bag": "seqloom.text.bag",
    "Corpus": "seqloom.corpus.pairs",
    "LanguageModel": "seqloom.language_model",
    "Pair": "seqloom.corpus.pairs",
    "Recipe": "seqloom.recipe",
    "SentenceVectors": "seqloom.encoders",
    "SeqloomError": "seqloom.errors",
    "TextClassifier": "seqloom.encoders",
    "Tokenizer": "seqloom.text.tokenizer",
    "Translator": "seqloom.translator",
    "VectorsRecipe": "seqloom.recipe.vectors",
    "WordTagger": "seqloom.encoders",
    "WordVectors": "seqloom.text.vectors",
    "evaluate": "seqloom.evaluation.metrics",
    "finetune": "seqloom.finetuning.run",
    "load": "seqloom.translator",
    "load_recipe": "seqloom.recipe",
    "load_record": "seqloom.inspection.kinds",
    "open_vectors": "seqloom.text.vector_files",
    "prepare": "seqloom.text.prepare",
    "pretrain": "seqloom.pretraining.run",
    "read_corpus": "seqloom.corpus.readers",
    "record": "seqloom.layers.recorder",
    "train": "seqloom.workflow",
    "train_vectors": "seqloom.text.word2vec",
}
"""Public name -> module that defines it."""

__all__ = [
    "Bag",
    "Corpus",
    "LanguageModel",
    "Pair",
    "Recipe",
    "SentenceVectors",
    "SeqloomError",
    "TextClassifier",
    "Tokenizer",
    "Translator",
    "VectorsRecipe",
    "WordTagger",
    "WordVectors",
    "__version__",
    "evaluate",
    "finetune",
    "load",
    "load_recipe",
    "load_record",
    "open_vectors",
    "prepare",
    "pretrain",
    "read_corpus",
    "record",
    "train",
    "train_vectors",
]

if TYPE_CHECKING:
    from seqloom.corpus.pairs import Corpus, Pair
    from seqloom.corpus.readers import read_corpus
    from seqloom.encoders import SentenceVectors, TextClassifier, WordTagger
    from seqloom.errors import SeqloomError
    from seqloom.evaluation.metrics import evaluate
    from seqloom.finetuning.run import finetune
    from seqloom.inspection.kinds import load_record
    from seqloom.language_model import LanguageModel
    from seqloom.layers.recorder import record
    from seqloom.pretraining.run import pretrain
    from seqloom.recipe import Recipe, load_recipe
    from seqloom.recipe.vectors import VectorsRecipe
    from seqloom.text.bag import Bag
    from seqloom.text.prepare import prepare
    from seqloom.text.tokenizer import Tokenizer
    from seqloom.text.vector_files import open_vectors
    from seqloom.text.vectors import WordVectors
    from seqloom.text.word2vec import train_vectors
    from seqloom.translator import Translator, load
    from seqloom.workflow import train


def __getattr__(name: str) -> Any:
    if name not in _PLACES:
        raise AttributeError(f"module 'seqloom' has no attribute {name!r}")
    return getattr(import_module(_PLACES[name]), name)


def __dir__() -> list[str]:
    return __all__
