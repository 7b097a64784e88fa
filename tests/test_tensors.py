"""Files of tensors: what was saved comes back, and an altered file is refused."""

from __future__ import annotations

from pathlib import Path

import pytest
import safetensors.torch
import torch

from seqloom.errors import FolderError
from seqloom.tensors import load_tensors, save_tensors, untie


def test_tensors_round_trip_and_refusals(tmp_path: Path) -> None:
    path = tmp_path / "new" / "some.safetensors"
    tensors = {
        "matrix": torch.arange(6.0).reshape(2, 3).t(),  # not contiguous
        "half": torch.ones(3, dtype=torch.bfloat16),
        "number": torch.tensor(7),
        "nothing": torch.zeros(0, 4),
        "mask": torch.tensor([True, False]),
    }
    save_tensors(path, tensors, {"who": "me"})
    loaded, metadata = load_tensors(path)
    assert metadata["who"] == "me"
    assert loaded.keys() == tensors.keys()
    for name, tensor in tensors.items():
        assert loaded[name].dtype == tensor.dtype
        assert torch.equal(loaded[name], tensor)
    safetensors.torch.save_file(tensors | {"matrix": torch.ones(1)}, path)
    with pytest.raises(FolderError, match="was altered: its contents do not match the digest"):
        load_tensors(path)
    (tmp_path / "new.part").mkdir()
    with pytest.raises(FolderError, match=r"cannot write .*new: that is a folder, not a file"):
        save_tensors(tmp_path / "new", tensors, {})
    with pytest.raises(FolderError, match="a part of that path is a file, not a folder"):
        save_tensors(path / "deeper" / "x", tensors, {})


def test_tied_weights_are_kept_once() -> None:
    one, two = torch.ones(2), torch.ones(2)
    assert list(untie({"a": one, "b": two, "c": one, "d": one.t()})) == ["a", "b"]
    empty = torch.zeros(0)
    assert list(untie({"a": empty, "b": torch.zeros(0), "c": empty})) == ["a", "b", "c"]
