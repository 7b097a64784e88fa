"""``seqloom prune`` as users call it."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
from command_line import Result, seqloom

sys.path.append(str(Path(__file__).parents[1]))

import tiny
from seqloom.folder import load_folder
from tiny_encoder import tiny_encoder


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny.trained_folder(tmp_path_factory)


@pytest.fixture
def texts(tmp_path: Path) -> Path:
    for name, count in (("train", 60), ("held", 12)):
        lines = tiny.letters(count, count)
        (tmp_path / f"{name}.s").write_text("".join(f"{line}\n" for line in lines))
        (tmp_path / f"{name}.t").write_text("".join(f"{line.upper()}\n" for line in lines))
    (tmp_path / "long.s").write_text("a b c d e f g h " * 4 + "\n")
    (tmp_path / "long.t").write_text("A\n")
    return tmp_path


def pruned(folder: Path, model: Path, *more: object, source: str = "train") -> Result:
    files = ("--source", f"{source}.s", "--target", f"{source}.t")
    held = ("--validation-source", "held.s", "--validation-target", "held.t")
    return seqloom("prune", model, *files, *held, "--out", "small", *more, cwd=folder)


def test_a_smaller_model_and_its_curve(model: Path, texts: Path) -> None:
    options = ("--price", 1, "--updates", 90, "--tolerance", 100)
    found = pruned(texts, model, *options, "--json")
    assert found.code == 0, found.err
    before, after = json.loads(found.out)
    assert before["price"] is None
    assert after["heads"] < before["heads"] == 6
    assert "written small" in found.err
    folder = load_folder(texts / "small")
    assert sum(each.numel() for each in folder.model.parameters()) == after["parameters"]
    again = pruned(texts, model)
    assert (again.code, again.out) == (2, "")
    assert "small exists already; choose another --out" in again.err
    source = seqloom("translate", "small", "train.s", "--beam", 2, cwd=texts)
    assert source.code == 0, source.err
    assert len(source.out.splitlines()) == 60


def test_mistakes(model: Path, texts: Path) -> None:
    bert = tiny_encoder(texts / "bert")
    before = sorted(texts.iterdir())
    for found, message in (
        (pruned(texts, bert), "holds no translation model; heads are taken out of these"),
        (pruned(texts, texts / "none"), "none is not a model folder"),
        (pruned(texts, model, source="long"), "no pair is left: all of 1 are empty or of more"),
        (pruned(texts, model, source="missing"), "missing.s"),
        (pruned(texts, model, "--price", -1), "Invalid value for '--price'"),
    ):
        assert (found.code, found.out) == (2, ""), found
        assert message in found.err
        assert "Traceback" not in found.err
    assert sorted(texts.iterdir()) == before
