"""Files of checkpoints: what is read, and what is refused, with what to do next."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file

from seqloom.errors import ExportError, MissingExtraError, SeqloomError
from seqloom.export.checkpoint import INDEX, WEIGHTS, read_json, read_weights, write_weights
from seqloom.export.hub import checkpoint_folder


def shards(folder: Path, **table: str) -> None:
    (folder / INDEX).write_text(json.dumps({"weight_map": table}))


@pytest.mark.parametrize("kind", [torch.float16, torch.bfloat16, torch.float32])
def test_every_kind_of_float_becomes_float32(tmp_path: Path, kind: torch.dtype) -> None:
    values = torch.randn(3, 4).to(kind)
    save_file({"a": values}, tmp_path / WEIGHTS)
    read = read_weights(tmp_path)
    assert read["a"].dtype == torch.float32
    assert torch.equal(read["a"], values.float())


def test_what_is_written_is_read(tmp_path: Path) -> None:
    weights = {"a": torch.randn(3, 4), "b": torch.randn(4, 3).T}
    write_weights(tmp_path, weights)
    read = read_weights(tmp_path)
    assert read.keys() == weights.keys()
    assert all(torch.equal(read[name], weights[name]) for name in weights)


def test_shards_are_put_together(tmp_path: Path) -> None:
    save_file({"a": torch.ones(2)}, tmp_path / "one.safetensors")
    save_file({"b": torch.zeros(3)}, tmp_path / "two.safetensors")
    shards(tmp_path, a="one.safetensors", b="two.safetensors")
    assert {name: tensor.tolist() for name, tensor in read_weights(tmp_path).items()} == {
        "a": [1, 1],
        "b": [0, 0, 0],
    }


def test_every_missing_shard_is_named(tmp_path: Path) -> None:
    save_file({"a": torch.ones(2)}, tmp_path / "one.safetensors")
    shards(tmp_path, a="one.safetensors", b="two.safetensors", c="three.safetensors")
    with pytest.raises(ExportError, match=r"lacks 2 of the 3 files .*three.*, two\.safetensors"):
        read_weights(tmp_path)


def test_a_tensor_that_its_shard_lacks_is_named(tmp_path: Path) -> None:
    save_file({"a": torch.ones(2)}, tmp_path / "one.safetensors")
    shards(tmp_path, a="one.safetensors", b="one.safetensors")
    with pytest.raises(ExportError, match=r"one\.safetensors lacks tensors .* holds: b"):
        read_weights(tmp_path)


def test_an_index_cannot_point_outside_of_its_folder(tmp_path: Path) -> None:
    shards(tmp_path, a="../secret.safetensors")
    with pytest.raises(ExportError, match=r"outside of its folder: \.\./secret"):
        read_weights(tmp_path)


@pytest.mark.parametrize("text", ["{", "[]", '{"weight_map": 3}'])
def test_a_damaged_index_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / INDEX).write_text(text)
    with pytest.raises(ExportError, match="is damaged"):
        read_weights(tmp_path)


@pytest.mark.parametrize("name", ["pytorch_model.bin", "model.pt", "model.ckpt"])
def test_pickled_weights_are_never_opened(tmp_path: Path, name: str) -> None:
    class Trap:
        def __reduce__(self) -> Any:
            return (tmp_path.joinpath("sprung").touch, ())

    torch.save({"a": Trap()}, tmp_path / name)
    with pytest.raises(ExportError, match=rf"{name} only.*run code.*save_pretrained\(OUT\)"):
        read_weights(tmp_path)
    assert not (tmp_path / "sprung").exists()


def test_a_truncated_file_is_named(tmp_path: Path) -> None:
    save_file({"a": torch.randn(100)}, tmp_path / WEIGHTS)
    whole = (tmp_path / WEIGHTS).read_bytes()
    for length in (0, 5, 60, len(whole) - 1):
        (tmp_path / WEIGHTS).write_bytes(whole[:length])
        with pytest.raises(ExportError, match=r"model\.safetensors is truncated"):
            read_weights(tmp_path)


def test_quantized_weights_are_refused(tmp_path: Path) -> None:
    save_file({"a": torch.ones(2), "b": torch.ones(2, dtype=torch.int8)}, tmp_path / WEIGHTS)
    with pytest.raises(ExportError, match=r"found b: torch\.int8\. Quantized"):
        read_weights(tmp_path)


def test_a_folder_without_weights_is_refused(tmp_path: Path) -> None:
    (tmp_path / "training_args.bin").touch()
    with pytest.raises(ExportError, match="no weights to read"):
        read_weights(tmp_path)


def test_json_that_is_none_is_refused(tmp_path: Path) -> None:
    assert read_json(tmp_path / "config.json") == {}
    for text in ("nothing", "[1]"):
        (tmp_path / "config.json").write_text(text)
        with pytest.raises(ExportError, match=r"config\.json is damaged"):
            read_json(tmp_path / "config.json")


def test_the_hub_needs_its_library(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "huggingface_hub", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'seqloom\[hub\]'"):
        checkpoint_folder("hub:owner/name")
    assert checkpoint_folder("folder") == Path("folder")


def test_what_the_hub_refuses_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    library = pytest.importorskip("huggingface_hub")

    def refuse(name: str, **options: Any) -> str:
        raise OSError(f"{name} is not there")

    monkeypatch.setattr(library, "snapshot_download", refuse)
    with pytest.raises(SeqloomError, match=r"hub:owner/name: .*\(owner/name is not there\)"):
        checkpoint_folder("hub:owner/name")
