"""Pre-training, going on and fine-tuning in several processes: as one with as many batches."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from processes import finish, processes
from seqloom.finetuning import finetune
from seqloom.pretraining import pretrain
from seqloom.recipe import recipe_from, recipe_from_of
from seqloom.recipe.finetuning import FinetuneRecipe
from seqloom.recipe.pretraining import PretrainRecipe
from seqloom.tensors import load_tensors
from seqloom.workflow import train
from tiny_encoder import sentences, tiny_encoder, write_classes

Run = Callable[[dict[str, Any], Path], Any]
COMMON = {
    "updates": 8, "validate_every": 4, "warmup": 2, "precision": "float32", "learning_rate": 3e-3,
}  # fmt: skip
LANGUAGE = {**COMMON, "batch_tokens": 64, "optimizer": "muon", "muon_learning_rate": 3e-3}
MODEL = {"width": 16, "feedforward": 32, "heads": 2, "layers": 1, "context": 16, "dropout": 0.0}
RUNS: dict[str, Run] = {
    "pretrain": lambda values, out: pretrain(
        recipe_from_of(PretrainRecipe, values, "toy"), out, device="cpu"
    ),
    "train": lambda values, out: train(recipe_from(values, "toy"), out, device="cpu"),
    "finetune": lambda values, out: finetune(
        values["encoder"], "classify", values["train"], out, validation=values["validation"],
        recipe=recipe_from_of(FinetuneRecipe, values["recipe"], "toy"), device="cpu",
    ),
}  # fmt: skip
CODE = """
import json, sys
sys.path.insert(0, sys.argv[1])
from test_together import RUNS
from pathlib import Path
RUNS[sys.argv[2]](json.loads(sys.argv[3]), Path(sys.argv[4]))
"""


def together(verb: str, values: dict[str, Any], out: Path) -> None:
    here = str(Path(__file__).parent)
    finish(processes(2, CODE, here, verb, json.dumps(values), str(out)))


def write_texts(folder: Path) -> dict[str, str]:
    """Sentences, in capitals too, and some of them held out."""
    folder.mkdir(exist_ok=True)
    texts = list(dict.fromkeys(text for text, _ in sentences(120, 4)))
    files = {
        "text": texts[20:],
        "held": texts[:20],
        "upper": [text.upper() for text in texts[20:]],
        "held.upper": [text.upper() for text in texts[:20]],
    }
    for name, lines in files.items():
        (folder / name).write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return {name: str(folder / name) for name in files}


def language(files: dict[str, str], family: str, **training: Any) -> dict[str, Any]:
    return {
        "data": {
            "sources": [files["text"]], "validation_sources": [files["held"]],
            "documents": "lines", "tokenizer": "word", "mask": family == "bert",
        },
        "model": {**MODEL, "family": family, "attention_dropout": 0.0},
        "training": {**LANGUAGE, "samples": [], "next_sentence": False, **training},
    }  # fmt: skip


def pairs(files: dict[str, str], **training: Any) -> dict[str, Any]:
    model = {name: size for name, size in MODEL.items() if name not in ("layers", "context")}
    return {
        "data": {
            "source": files["text"], "target": files["upper"], "tokenizer": "word",
            "validation_source": files["held"], "validation_target": files["held.upper"],
        },
        "model": {**model, "encoder_layers": 1, "decoder_layers": 1},
        "training": {**COMMON, "batch_tokens": 64, **training},
    }  # fmt: skip


def assert_alike(both: Path, alone: Path) -> None:
    ours, theirs = (load_tensors(out / "model.safetensors")[0] for out in (both, alone))
    assert ours.keys() == theirs.keys()
    for name, tensor in theirs.items():
        torch.testing.assert_close(ours[name], tensor, atol=2e-4, rtol=1e-3)


@pytest.mark.parametrize("family", ["gpt", "bert"])
def test_pretraining_and_going_on(family: str, tmp_path: Path) -> None:
    files = write_texts(tmp_path / "texts")
    together("pretrain", language(files, family), tmp_path / "both")
    RUNS["pretrain"](language(files, family, accumulation=2), tmp_path / "alone")
    assert_alike(tmp_path / "both", tmp_path / "alone")

    def further(**training: Any) -> dict[str, Any]:
        start = {"model_from": str(tmp_path / "alone"), "old_texts": [files["held"]]}
        values = language(files, family, **start, **training)
        return {"data": values["data"], "training": values["training"], "model": {"family": family}}

    together("pretrain", further(), tmp_path / "further")
    RUNS["pretrain"](further(accumulation=2), tmp_path / "further-alone")
    assert_alike(tmp_path / "further", tmp_path / "further-alone")


def test_translation_goes_on_and_begins_with_an_encoder(tmp_path: Path) -> None:
    files = write_texts(tmp_path / "texts")
    bert = str(tiny_encoder(tmp_path / "bert", layers=1))
    warm = pairs(files, encoder_from=bert)
    warm["data"] |= {"joint": False}
    warm["model"] = {"dropout": 0.0, "attention_dropout": 0.0, "tie": "target"}
    together("train", warm, tmp_path / "warm")
    warm["training"] |= {"accumulation": 2}
    RUNS["train"](warm, tmp_path / "warm-alone")
    assert_alike(tmp_path / "warm", tmp_path / "warm-alone")

    def further(**training: Any) -> dict[str, Any]:
        start = {
            "model_from": str(tmp_path / "warm-alone"), "old_source": files["held"],
            "old_target": files["held.upper"],
        }  # fmt: skip
        values = pairs(files, **start, **training)
        del values["data"]["tokenizer"]
        return {"data": values["data"], "training": values["training"]}

    together("train", further(), tmp_path / "further")
    RUNS["train"](further(accumulation=2), tmp_path / "further-alone")
    assert_alike(tmp_path / "further", tmp_path / "further-alone")


@pytest.mark.parametrize("tune", ["all", "lora"])
def test_fine_tuning(tune: str, tmp_path: Path) -> None:
    def values(**training: Any) -> dict[str, Any]:
        settings = {**COMMON, "batch_size": 8, "tune": tune, **training}
        return {
            "encoder": str(tmp_path / "bert"),
            "train": str(tmp_path / "train.tsv"),
            "validation": str(tmp_path / "valid.tsv"),
            "recipe": {"training": settings, "head": {"dropout": 0.0}},
        }

    tiny_encoder(tmp_path / "bert")
    write_classes(tmp_path / "train.tsv", 96, 1)
    write_classes(tmp_path / "valid.tsv", 30, 2)
    together("finetune", values(), tmp_path / "both")
    RUNS["finetune"](values(accumulation=2), tmp_path / "alone")
    assert_alike(tmp_path / "both", tmp_path / "alone")
