"""Translation models that go on from a folder: new domains and directions, what they forget."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest
import torch

from seqloom.errors import FolderError, RecipeError
from seqloom.folder import load_folder
from seqloom.recipe import Recipe, recipe_from
from seqloom.text.prepare import prepare
from seqloom.training.before import figures_before
from seqloom.training.metrics import read_metrics
from seqloom.translator import Translator
from seqloom.workflow import train
from tiny import LIMIT, TRAINING, capitals, letters, trained_folder

sys.path.append(str(Path(__file__).parent / "training"))
from training_toys import Watcher, assert_same, everything

QUICK = {
    **TRAINING, "updates": 6, "validate_every": 3, "checkpoint_every": 2, "batch_tokens": 64,
}  # fmt: skip


@pytest.fixture(autouse=True)
def no_pictures(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("seqloom.training.loop.draw_curves", lambda folder: None)


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model that knows capitals."""
    return trained_folder(tmp_path_factory)


@pytest.fixture
def files(tmp_path: Path) -> dict[str, str]:
    """Old pairs (capitals), and new ones: the letters in reverse, from en to fr."""
    old, new = letters(40, 2), letters(80, 3)
    written = {
        "old.en": old,
        "old.de": [text.upper() for text in old],
        "new.en": new,
        "new.fr": [" ".join(text.split()[::-1]) for text in new],
    }
    for name, lines in written.items():
        (tmp_path / name).write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return {name: str(tmp_path / name) for name in written}


def recipe_of(folder: Path, data: dict[str, object] | None = None, **training: object) -> Recipe:
    values = {
        "data": {"max_length": LIMIT, **(data or {})},
        "training": {**QUICK, "model_from": str(folder), **training},
    }
    return recipe_from(values, "test")


def test_it_begins_with_the_weights_of_the_folder(
    folder: Path, files: dict[str, str], tmp_path: Path
) -> None:
    """The old figures before the first update are those that the old run ended with."""
    recipe = recipe_of(
        folder,
        {"source": files["new.en"], "target": files["new.fr"]},
        old_source=files["old.en"],
        old_target=files["old.de"],
    )
    out = tmp_path / "out"
    train(recipe, out, device="cpu")
    ended = [
        line for line in read_metrics(folder / "metrics.jsonl") if line["kind"] == "validation"
    ]
    before = figures_before(out)
    for name in ("loss", "bleu", "chrf"):
        assert before[f"old {name}"] == pytest.approx(ended[-1][name], rel=1e-5)
    assert before["bleu"] < before["old bleu"]
    after = [line for line in read_metrics(out / "metrics.jsonl") if line["kind"] == "validation"]
    assert [line["update"] for line in after] == [0, 3, 6]
    card = (out / "README.md").read_text(encoding="utf-8")
    assert "| BLEU on the old pairs (sacreBLEU, greedy) |" in card
    assert "| figure | before | after |" in card
    assert f"further from `{folder}`" in card
    old, new = load_folder(folder), load_folder(out)
    assert new.tokenizers.fingerprint == old.tokenizers.fingerprint
    assert new.recipe.model == old.recipe.model
    assert new.recipe.decoding == old.recipe.decoding


def directions(files: dict[str, str]) -> dict[str, object]:
    """The old direction as a third of the pairs, and the new one."""
    return {
        "tag": True,
        "corpora": [
            {"source": files["old.en"], "target": files["old.de"], "share": 0.3},
            {"source": files["new.en"], "target": files["new.fr"]},
        ],
    }


def test_a_new_direction_gets_a_token(folder: Path, files: dict[str, str], tmp_path: Path) -> None:
    watcher = Watcher()
    recipe = recipe_of(
        folder, directions(files), old_source=files["old.en"], old_target=files["old.de"],
        learning_rate=0.01, updates=80, validate_every=80, warmup=5, batch_tokens=512,
    )  # fmt: skip
    model = train(recipe, tmp_path / "out", progress=watcher, device="cpu")
    assert "new in the vocabulary: <2de>, <2fr>" in watcher.messages
    assert model.tokenizers.source.tags == ("<2de>", "<2fr>")
    old = load_folder(folder)
    assert model.tokenizers.source.size == old.tokenizers.source.size + 2
    assert watcher.figures[-1]["old bleu"] > 50
    again = Translator.load(tmp_path / "out", device="cpu")
    found = next(again.stream(["a b"], again.recipe.decoding, target_language="de"))
    assert found.text == "A B"


def test_a_run_in_a_new_direction_resumes_as_if_it_had_not_stopped(
    folder: Path, files: dict[str, str], tmp_path: Path
) -> None:
    recipe = recipe_of(
        folder, directions(files), old_source=files["old.en"], old_target=files["old.de"]
    )
    train(recipe, tmp_path / "whole", device="cpu")
    for stop in (1, 5):
        with pytest.raises(KeyboardInterrupt):
            train(recipe, tmp_path / "broken", progress=Watcher([stop]), device="cpu")
    train(recipe, tmp_path / "broken", device="cpu")
    assert_same(everything(tmp_path / "whole"), everything(tmp_path / "broken"))


def test_nothing_learned_is_nothing_changed(folder: Path, tmp_path: Path) -> None:
    recipe = recipe_of(folder, learning_rate=1e-12)
    model = train(recipe, tmp_path / "out", corpus=capitals(letters(60, 4)), device="cpu")
    for name, tensor in load_folder(folder).model.state_dict().items():
        assert torch.allclose(model.model.state_dict()[name], tensor, atol=1e-7), name


@pytest.mark.parametrize(
    ("section", "field", "value", "complaint"),
    [
        ("model", "width", 64, "model.width: 64 asked for, and the model of {} has 32; leave it"),
        ("model", "family", "rnn", "model.family: rnn asked for, and {} holds a model of the"),
        ("data", "tokenizer", "bpe", "data.tokenizer: bpe asked for, and the vocabulary of {} was"),
        ("data", "joint", False, "data.joint: False asked for"),
    ],
)
def test_what_the_folder_has_decided_is_refused(
    section: str, field: str, value: object, complaint: str, folder: Path, tmp_path: Path
) -> None:
    values = {"training": {**QUICK, "model_from": str(folder)}, section: {field: value}}
    if field == "joint":
        values["model"] = {"tie": "target"}
    recipe = recipe_from(values, "test")
    with pytest.raises(RecipeError, match=re.escape(complaint.format(folder))):
        train(recipe, tmp_path / "out", corpus=capitals(letters(60, 4)))
    assert not (tmp_path / "out").exists()


def test_pairs_prepared_with_another_vocabulary_are_refused(folder: Path, tmp_path: Path) -> None:
    recipe = recipe_of(folder, {"source": str(tmp_path / "prepared")})
    prepare(recipe.data, tmp_path / "prepared", corpus=capitals(letters(60, 4)))
    with pytest.raises(FolderError, match="was prepared with another vocabulary"):
        train(recipe, tmp_path / "out", device="cpu")


def test_vectors_and_a_folder_are_refused(folder: Path) -> None:
    with pytest.raises(
        RecipeError, match="has weights of its own; leave source_vectors, target_vectors"
    ):
        recipe_of(folder, source_vectors="some.vec")
