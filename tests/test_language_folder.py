"""The folder of a language model: whole, or refused with what is wrong with it."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import torch

from seqloom.errors import FolderError
from seqloom.folder import load_folder
from seqloom.language_folder import (
    build,
    load_language_folder,
    save_language_config,
    save_language_weights,
)
from seqloom.recipe import recipe_from_of
from seqloom.recipe.finetuning import FinetuneRecipe
from seqloom.recipe.pretraining import PretrainRecipe
from seqloom.tensors import load_tensors, save_tensors
from seqloom.text.tokenizer import Tokenizer

SMALL = {"width": 16, "feedforward": 24, "heads": 2, "layers": 1, "context": 12}
GPT = recipe_from_of(PretrainRecipe, {"model": {"family": "gpt", **SMALL}}, "toy")
BERT = recipe_from_of(FinetuneRecipe, {"model": {"family": "bert", **SMALL}}, "toy")


def tokenizer_of(text: str = "a b c d") -> Tokenizer:
    return Tokenizer.train([text] * 3, "word", 400, exact=False, mask=True)


def save(path: Path, kind: str = "language", labels: tuple[str, ...] = ()) -> torch.nn.Module:
    recipe, tokenizer = (GPT if kind == "language" else BERT), tokenizer_of()
    torch.manual_seed(1)
    model = build(kind, recipe, tokenizer, labels)
    save_language_config(path, kind, recipe, tokenizer, labels)
    save_language_weights(path, model.state_dict(), recipe, tokenizer)
    return model


@pytest.mark.parametrize(
    ("kind", "labels"),
    [("language", ()), ("classifier", ("x", "y", "z")), ("tagger", ("N", "V")), ("sentences", ())],
)
def test_what_is_written_is_read(tmp_path: Path, kind: str, labels: tuple[str, ...]) -> None:
    model = save(tmp_path / "m", kind, labels)
    shutil.move(tmp_path / "m", tmp_path / "elsewhere")
    found = load_language_folder(tmp_path / "elsewhere", (kind,))
    assert (found.kind, found.labels) == (kind, labels)
    assert type(found.model) is type(model)
    assert not found.model.training
    expected = model.state_dict()
    assert found.model.state_dict().keys() == expected.keys()
    assert all(torch.equal(found.model.state_dict()[name], expected[name]) for name in expected)


def test_decoding_options_may_be_edited(tmp_path: Path) -> None:
    save(tmp_path)
    values = json.loads((tmp_path / "generation.json").read_text())
    (tmp_path / "generation.json").write_text(json.dumps({**values, "temperature": 0.25}))
    recipe = load_language_folder(tmp_path).recipe
    assert isinstance(recipe, PretrainRecipe)
    assert recipe.decoding.temperature == 0.25
    (tmp_path / "generation.json").write_text(json.dumps({**values, "temperature": -1}))
    with pytest.raises(FolderError, match="temperature"):
        load_language_folder(tmp_path)


def test_another_kind_is_named(tmp_path: Path) -> None:
    save(tmp_path / "m", "tagger", ("N", "V"))
    with pytest.raises(FolderError, match="holds a tagger of words; expected a language model"):
        load_language_folder(tmp_path / "m")
    save(tmp_path / "g")
    with pytest.raises(FolderError, match="holds no translation model, but one of kind 'language'"):
        load_folder(tmp_path / "g")


def test_another_tokenizer_is_refused(tmp_path: Path) -> None:
    save(tmp_path)
    tokenizer_of("d e f a").save(tmp_path / "tokenizer.json")
    with pytest.raises(FolderError, match=r"tokenizer.json is not the one that the model was"):
        load_language_folder(tmp_path)


def test_another_architecture_is_refused(tmp_path: Path) -> None:
    save(tmp_path)
    config = json.loads((tmp_path / "config.json").read_text())
    config["recipe"]["model"]["heads"] = 4
    (tmp_path / "config.json").write_text(json.dumps(config))
    with pytest.raises(FolderError, match=r"config.json describes another model"):
        load_language_folder(tmp_path)


def test_altered_weights_are_refused(tmp_path: Path) -> None:
    save(tmp_path)
    file = tmp_path / "model.safetensors"
    data = bytearray(file.read_bytes())
    data[-1] ^= 1
    file.write_bytes(bytes(data))
    with pytest.raises(FolderError, match="was altered"):
        load_language_folder(tmp_path)


def test_all_weights_that_do_not_fit_are_listed(tmp_path: Path) -> None:
    save(tmp_path)
    weights, metadata = load_tensors(tmp_path / "model.safetensors")
    del weights["norm.weight"]
    weights["norm.scale"] = torch.ones(3)
    weights["norm.bias"] = torch.ones(3)
    metadata.pop("digest")
    save_tensors(tmp_path / "model.safetensors", weights, metadata)
    with pytest.raises(FolderError) as refused:
        load_language_folder(tmp_path)
    for part in ("missing: norm.weight", "surplus: norm.scale", "norm.bias: expected (16,)"):
        assert part in str(refused.value)


def test_a_damaged_config_is_told(tmp_path: Path) -> None:
    save(tmp_path)
    config = json.loads((tmp_path / "config.json").read_text())
    del config["recipe"]
    (tmp_path / "config.json").write_text(json.dumps(config))
    with pytest.raises(FolderError, match=r"config.json is damaged"):
        load_language_folder(tmp_path)
