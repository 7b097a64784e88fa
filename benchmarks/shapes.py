"""The models that are measured beside peers, in the words of each side."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from seqloom.models import EncoderDecoder
from seqloom.recipe import Recipe, recipe_from

LONGEST = 50
"""Tokens of an output at most, on all sides; the longest reference has about as many."""
ALPHA = 0.6
VOCABULARY = 8000
TRAINING: dict[str, Any] = {
    "batch_tokens": 4096, "learning_rate": 1e-3, "warmup": 100, "label_smoothing": 0.1,
    "optimizer": "adam", "clip": 1.0,
}  # fmt: skip


@dataclass(frozen=True)
class Shape:
    """One model."""

    title: str
    model: Mapping[str, Any]
    """Section of a Seqloom recipe."""

    @property
    def recurrent(self) -> bool:
        """Not a Transformer."""
        return self.model.get("family") == "rnn"


def _transformer(layers: int, width: int, inner: int, dropout: float) -> dict[str, Any]:
    return {
        "width": width, "feedforward": inner, "heads": 4, "encoder_layers": layers,
        "decoder_layers": layers, "tie": "all", "dropout": dropout, "max_positions": 1024,
    }  # fmt: skip


SHAPES = {
    "transformer": Shape("Transformer 3+3/256/1024", _transformer(3, 256, 1024, 0.1)),
    "tiny": Shape("Transformer 4+4/128/256", _transformer(4, 128, 256, 0.3)),
    "rnn": Shape(
        "RNN, LSTM 512, additive attention, input feeding",
        {
            "family": "rnn", "cell": "lstm", "embedding": 512, "width": 512, "tie": "all",
            "attention": "additive", "wiring": "after", "input_feeding": True, "dropout": 0.1,
        },
    ),
}  # fmt: skip


def our_recipe(
    data: Path, shape: Shape, precision: str, training: Mapping[str, Any] = TRAINING
) -> Recipe:
    """The run as Seqloom is told; what is not named here is Seqloom's default."""
    corpus = data / "multi30k"
    values = {
        "data": {
            "source": str(corpus / "train.en"),
            "target": str(corpus / "train.de"),
            "validation_source": str(corpus / "val.en"),
            "validation_target": str(corpus / "val.de"),
            "vocabulary": VOCABULARY,
        },
        "model": dict(shape.model),
        "training": {**training, "precision": precision},
        # A factor near zero leaves the same longest output for all sources, as in JoeyNMT.
        "decoding": {"alpha": ALPHA, "max_length_factor": 1e-9, "max_length_extra": LONGEST},
    }
    return recipe_from(values, "benchmark")


def joeynmt_config(
    folder: Path, shape: Shape, training: Mapping[str, Any] = TRAINING
) -> dict[str, Any]:
    """The same run as JoeyNMT is told."""
    vocabulary = {"level": "word", "lowercase": False, "voc_file": str(folder / "vocabulary.txt")}
    layers = _joeynmt_rnn(shape.model) if shape.recurrent else _joeynmt_transformer(shape.model)
    return {
        "name": "multi30k",
        "model_dir": str(folder / "model"),
        "use_cuda": False,
        "random_seed": 1,
        "data": {
            "train": str(folder / "train"),
            "dev": str(folder / "validation"),
            "test": str(folder / "decode"),  # has no target: nothing is evaluated
            "src": {"lang": "en", **vocabulary},
            "trg": {"lang": "de", **vocabulary},
        },
        "model": {
            "initializer": "xavier_uniform", "embed_initializer": "xavier_uniform",
            "bias_initializer": "zeros", "tied_embeddings": True, "tied_softmax": True, **layers,
        },
        "training": {
            "optimizer": "adam", "adam_betas": [0.9, 0.98],
            "learning_rate": training["learning_rate"], "learning_rate_min": 1e-12,
            "scheduling": "warmupinversesquareroot", "learning_rate_warmup": training["warmup"],
            "label_smoothing": training["label_smoothing"], "normalization": "tokens",
            "clip_grad_norm": training["clip"], "batch_size": training["batch_tokens"],
            "batch_type": "token",
            "epochs": 10**6, "logging_freq": 100, "validation_freq": 10**9,
        },
        "testing": {
            "beam_size": 5, "beam_alpha": ALPHA, "max_output_length": LONGEST,
            "batch_size": 1024, "batch_type": "token",
        },
    }  # fmt: skip


def _joeynmt_transformer(model: Mapping[str, Any]) -> dict[str, Any]:
    def side(layers: int) -> dict[str, Any]:
        return {
            "type": "transformer", "num_layers": layers, "num_heads": model["heads"],
            "hidden_size": model["width"], "ff_size": model["feedforward"],
            "dropout": model["dropout"], "layer_norm": "pre",
            "embeddings": {
                "embedding_dim": model["width"], "scale": True, "dropout": model["dropout"],
            },
        }  # fmt: skip

    return {"encoder": side(model["encoder_layers"]), "decoder": side(model["decoder_layers"])}


def _joeynmt_rnn(model: Mapping[str, Any]) -> dict[str, Any]:
    embeddings = {
        "embedding_dim": model["embedding"], "scale": False, "dropout": model["dropout"],
    }  # fmt: skip
    shared = {
        "rnn_type": model["cell"], "num_layers": 1, "dropout": model["dropout"],
        "embeddings": embeddings,
    }  # fmt: skip
    return {
        "encoder": {
            **shared, "type": "recurrent", "hidden_size": model["width"] // 2,
            "bidirectional": True,
        },
        "decoder": {
            **shared, "type": "recurrent", "hidden_size": model["width"],
            "hidden_dropout": model["dropout"], "attention": "bahdanau",
            "init_hidden": "bridge", "input_feeding": True,
        },
    }  # fmt: skip


def operations(model: EncoderDecoder, source_tokens: int, target_tokens: int) -> float:
    """Floating point operations of an update, a real target token: 6 times the weights it meets.

    Two operations a weight forward and four backward; attention scores and padding left out. The
    head counts, embeddings (which are looked up) do not.
    """
    head = model.head.weight.numel()
    looked_up = {id(m.weight) for m in model.modules() if hasattr(m, "num_embeddings")}
    by_side = {"encoder": 0, "other": head}
    for name, weight in model.named_parameters():
        if weight.ndim > 1 and id(weight) not in looked_up and weight is not model.head.weight:
            by_side["encoder" if name.startswith("encoder") else "other"] += weight.numel()
    return 6 * (by_side["other"] + by_side["encoder"] * source_tokens / target_tokens)
