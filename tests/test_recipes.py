"""The recipes: each is valid, tells how to run it, and says what it reaches."""

from __future__ import annotations

import re
import shlex
from functools import cache
from pathlib import Path

import pytest

from seqloom.cli import app
from seqloom.corpus.download import DATA_SETS, Generated, Remote
from seqloom.models import build_language_model, build_model
from seqloom.recipe import Recipe, load_recipe, load_recipe_of
from seqloom.recipe.pretraining import PretrainRecipe
from seqloom.symbols import Symbols

FOLDER = Path(__file__).resolve().parents[1] / "recipes"
FILES = sorted(FOLDER.glob("*.yaml"))
EXPECTED = {
    "bert-gutenberg",
    "dates",
    "gpt-gutenberg",
    "multi30k-en-de",
    "multi30k-en-de-rnn",
    "poems-zh",
    "reverse",
    "tatoeba-en-ru",
    "tatoeba-en-zh",
    "tinyshakespeare",
}


def command_of(path: Path) -> list[list[str]]:
    """The commands of the first line, the one that runs the recipe last."""
    first = path.read_text(encoding="utf-8").splitlines()[0]
    return [shlex.split(part) for part in first.removeprefix("# ").split("&&")]


PRETRAINING = [path for path in FILES if command_of(path)[-1][1] == "pretrain"]
TRANSLATION = [path for path in FILES if path not in PRETRAINING]


def paths_of(recipe: Recipe) -> list[Path]:
    data = recipe.data
    names = (data.source, data.target, data.validation_source, data.validation_target)
    return [Path(name) for name in names if name is not None]


@cache
def generated(name: str) -> set[str]:
    data = DATA_SETS[name]
    assert isinstance(data, Generated)
    return {f"{part}.tsv" for part in data.parts()}


def test_all_are_here():
    assert {path.stem for path in FILES} >= EXPECTED


@pytest.mark.parametrize("path", TRANSLATION, ids=lambda path: path.stem)
def test_recipe_is_valid_and_its_model_can_be_built(path):
    recipe = load_recipe(path)
    model = build_model(recipe.model, 100, 100)
    assert sum(parameter.numel() for parameter in model.parameters()) > 0


@pytest.mark.parametrize("path", PRETRAINING, ids=lambda path: path.stem)
def test_recipe_of_a_language_model_is_valid_and_its_model_can_be_built(path):
    recipe = load_recipe_of(PretrainRecipe, path)
    assert recipe.model.family == command_of(path)[-1][2]
    model = build_language_model(recipe.model, 100, Symbols(mask=4 if recipe.data.mask else None))
    assert sum(parameter.numel() for parameter in model.parameters()) > 0
    for source in (*recipe.data.sources, *recipe.data.validation_sources):
        assert Path(source).parts[0] == "data"


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_first_line_runs_it_and_last_line_says_what_it_reaches(path):
    lines = path.read_text(encoding="utf-8").splitlines()
    *before, (program, *verb, recipe, out, folder) = command_of(path)
    assert program == "seqloom"
    assert verb in (["train"], ["pretrain", "bert"], ["pretrain", "gpt"])
    assert (recipe, out, folder) == (f"recipes/{path.name}", "--out", f"runs/{path.stem}")
    for command in before:
        if command[:3] == ["seqloom", "vectors", "train"]:
            made = command[command.index("--out") + 1]
            assert load_recipe_of(PretrainRecipe, path).training.vectors == made
            continue
        assert command[:2] == ["seqloom", "get"]
        assert command[2] in DATA_SETS
    assert re.fullmatch(r"# Reaches: \S.*", lines[-1])


@pytest.mark.parametrize("path", TRANSLATION, ids=lambda path: path.stem)
def test_the_command_line_trains_with_the_recipe_as_it_stands(path, monkeypatch):
    ran = []
    monkeypatch.setattr("seqloom.workflow.train", lambda recipe, *_, **__: ran.append(recipe))
    app(["train", str(path), "--out", "nowhere"], standalone_mode=False)
    assert ran == [load_recipe(path)]


def test_the_command_line_changes_the_corpus_of_separate_vocabularies(monkeypatch):
    [path] = (path for path in TRANSLATION if path.stem == "tatoeba-en-ru")
    ran = []
    monkeypatch.setattr("seqloom.workflow.train", lambda recipe, *_, **__: ran.append(recipe))
    files = ["--source", "a.en", "--target", "a.ru"]
    app(["train", str(path), *files, "--out", "nowhere"], standalone_mode=False)
    assert ran[0].model == load_recipe(path).model
    assert (ran[0].data.source, ran[0].data.target, ran[0].data.joint) == ("a.en", "a.ru", False)


@pytest.mark.parametrize("path", TRANSLATION, ids=lambda path: path.stem)
def test_files_are_where_get_leaves_them(path):
    """Relative to the folder where the command runs, under data/NAME."""
    first = path.read_text(encoding="utf-8").splitlines()[0]
    for wanted in paths_of(load_recipe(path)):
        assert wanted.parts[0] == "data"
        if "seqloom get" not in first:
            continue
        name = wanted.parts[1]
        assert f"seqloom get {name} " in first
        data = DATA_SETS[name]
        if isinstance(data, Remote):
            assert f"{wanted.name}.gz" in data.files
        else:
            assert wanted.name in generated(name)


def test_multi30k_has_the_size_of_wu_et_al():
    model = load_recipe(FOLDER / "multi30k-en-de.yaml").model
    sizes = (model.encoder_layers, model.decoder_layers, model.width, model.feedforward)
    assert (*sizes, model.heads, model.dropout) == (4, 4, 128, 256, 4, 0.3)


def test_bert_has_at_most_fifteen_million_parameters():
    recipe = load_recipe_of(PretrainRecipe, FOLDER / "bert-gutenberg.yaml")
    assert recipe.data.vocabulary is not None
    model = build_language_model(recipe.model, recipe.data.vocabulary, Symbols(mask=4))
    assert sum(parameter.numel() for parameter in model.parameters()) <= 15_000_000
