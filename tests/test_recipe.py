"""Recipes: every field explained, every problem told at once, nothing guessed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import BaseModel, ValidationError

from seqloom.errors import RecipeError
from seqloom.recipe import (
    DataRecipe,
    DecodingRecipe,
    Recipe,
    RecurrentRecipe,
    TrainingRecipe,
    TransformerRecipe,
    load_recipe,
    recipe_from,
)

SECTIONS: list[type[BaseModel]] = [
    DataRecipe,
    TransformerRecipe,
    RecurrentRecipe,
    TrainingRecipe,
    DecodingRecipe,
]


def problems(values: Any, *settings: str, folder: Path | None = None) -> list[str]:
    """What is told about a recipe: from a file with settings, or from a mapping."""
    with pytest.raises(RecipeError) as caught:
        if folder is None:
            recipe_from(values, "here")
        else:
            (folder / "recipe.yaml").write_text(values, encoding="utf-8")
            load_recipe(folder / "recipe.yaml", settings)
    listed = "".join(f"\n  - {problem}" for problem in caught.value.problems)
    assert str(caught.value).endswith(f"in the recipe:{listed}")
    return caught.value.problems


@pytest.mark.parametrize("section", SECTIONS, ids=lambda section: section.__name__)
def test_every_field_is_explained(section: type[BaseModel]) -> None:
    fields = {name: field for name, field in section.model_fields.items() if name != "family"}
    assert fields
    for name, field in fields.items():
        assert field.description, f"{section.__name__}.{name}"
        assert field.description.endswith((".", "...")), field.description


def test_defaults_are_valid_and_are_what_an_empty_recipe_means(tmp_path: Path) -> None:
    assert load_recipe() == Recipe() == recipe_from({}, "here")
    assert Recipe.model_validate(Recipe().model_dump()) == Recipe()
    (tmp_path / "empty.yaml").write_text("# nothing\n", encoding="utf-8")
    (tmp_path / "bare.yaml").write_text("model:\n  # width: 8\ntraining:\n", encoding="utf-8")
    assert load_recipe(tmp_path / "empty.yaml") == load_recipe(tmp_path / "bare.yaml") == Recipe()


def test_all_problems_at_once() -> None:
    found = problems(
        {
            "data": {"joint": False, "max_length": 1, "bpe_dropout": 0.1, "tokenizer": "word"},
            "model": {"width": 100, "heads": 3, "dropuot": 0.1, "positions": "none"},
            "training": {"updates": "many", "beam": 3, "learning_rate": float("nan")},
            "decoding": {"nbest": 9, "top_p": 2},
            "trainig": {},
        }
    )
    assert found == [
        "data.max_length: input should be greater than or equal to 2 (given: 1)",
        "model.positions: input should be 'sinusoidal', 'fairseq', 'learned' or 'rotary' "
        "(given: 'none')",
        "model.dropuot: unknown key; did you mean model.dropout?",
        "training.updates: input should be a valid integer, unable to parse string as an integer "
        "(given: 'many')",
        "training.learning_rate: input should be a finite number (given: nan)",
        "training.beam: unknown key; did you mean decoding.beam?",
        "decoding.top_p: input should be less than or equal to 1 (given: 2)",
        "trainig: unknown key; did you mean training?",
        "model.heads: 3 does not divide model.width 100; try heads=2",
        "decoding.nbest: 9 hypotheses need a beam of at least 9, not 5; raise --beam or lower "
        "--nbest",
        "model.tie: 'all' shares one embedding between source and target, which needs "
        "data.joint=true; use model.tie=target with separate vocabularies",
        "data.bpe_dropout: works with data.tokenizer=bpe only, not word; set it to 0",
    ]


def test_no_conflict_is_told_about_a_field_that_is_wrong_itself() -> None:
    found = problems({"model": {"width": "wide", "heads": 3}, "decoding": 7, "data": {"joint": 5}})
    assert [problem.split(":")[0] for problem in found] == ["data.joint", "model.width", "decoding"]


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"model": {"width": 64, "heads": 64, "positions": "rotary"}}, "an even head width"),
        ({"model": {"family": "rnn", "width": 7}}, "a bidirectional encoder needs an even width"),
        ({"model": {"family": "lstm", "width": 8}}, "model.family: expected transformer or rnn"),
        ({"model": "rnn"}, "model: expected a section with fields such as model.family"),
        ({"training": [1]}, "training: expected a section with fields such as training.updates"),
        ({"model": {"family": "rnn", "heads": 4}}, "model.heads: unknown key"),
        ({"model": {"cell": "gru"}}, "model.cell: unknown key"),
        ({"model": {"seed": 4}}, "did you mean training.seed or decoding.seed?"),
        ({"width": 4}, "width: unknown key; did you mean model.width?"),
        ({"rnn": {"width": 4}}, "rnn: unknown key"),
        ({"transformer": 4}, "transformer: unknown key"),
        ({5: 4}, "5: keys should be strings"),
        ({"data": {5: 4}}, "data.5: keys should be strings"),
        ({"training": {"warmup": 1.5}}, "training.warmup: input should be a valid integer"),
        ({"training": {"seed": -1}}, "training.seed: .* greater than or equal to 0 .given: -1."),
        (
            {"training": {"source_vectors": "en.vec", "target_vectors": "ru.vec"}},
            "training.source_vectors, training.target_vectors: model.tie=all has one embedding",
        ),
        (None, "expected sections such as `model:` and `training:`"),
        ([1], "expected sections such as `model:` and `training:`"),
    ],
)
def test_single_problems(values: Any, message: str) -> None:
    with pytest.raises(RecipeError, match=f"here: 1 problem in the recipe:\n  - .*{message}"):
        recipe_from(values, "here")


def test_conflicts_are_refused_in_python_too() -> None:
    with pytest.raises(ValidationError, match=r"model\.heads: 3 does not divide"):
        TransformerRecipe(width=64, heads=3)
    with pytest.raises(ValidationError, match=r"(?s)model\.tie.*data\.bpe_dropout"):
        Recipe(data=DataRecipe(joint=False, bpe_dropout=0.1, tokenizer="word"))
    assert DecodingRecipe(nbest=9, sample=True).nbest == 9
    both = TrainingRecipe(source_vectors="en.vec", target_vectors="ru.vec")
    assert Recipe(model=TransformerRecipe(tie="target"), training=both).training == both
    same = TrainingRecipe(source_vectors="both.vec", target_vectors="both.vec")
    assert Recipe(training=same).training == same


def test_settings(tmp_path: Path) -> None:
    path = tmp_path / "recipe.yaml"
    path.write_text("training: {warmup: 7, seed: 3}\nmodel: {width: 64}\n", encoding="utf-8")
    recipe = load_recipe(
        path,
        [
            "training.warmup=9",
            "training.learning_rate=1e-3",
            "training.updates=null",
            "data.tag=true",
            "data.deduplicate=no",
            "data.source=a = b.txt",
            "data.source_language=no",
            "data.target_language='5'",
            "decoding.top_p=0.5",
            "decoding.beam=1",
            "decoding.beam=2",
        ],
    )
    assert (recipe.training.warmup, recipe.training.seed) == (9, 3)
    assert recipe.training.learning_rate == 0.001
    assert recipe.training.updates is None
    assert recipe.data.tag is True
    assert recipe.data.deduplicate is False
    assert recipe.data.source == "a = b.txt"
    assert recipe.data.source_language == "no"  # Norwegian
    assert recipe.data.target_language == "5"
    assert recipe.decoding.top_p == 0.5
    assert recipe.decoding.beam == 2
    assert recipe.model.model_fields_set == {"width"}


def test_wrong_settings_are_told_with_the_rest_of_the_problems(tmp_path: Path) -> None:
    found = problems(
        "training: {warmpu: 3}\ndecoding: 3\n",
        "model.width", "width=3", "a.b.c=3", "model.=3", "decoding.beam=3", "training.warmup=[1]",
        "data.source={", "model.heads=3",
        folder=tmp_path,
    )  # fmt: skip
    expected = "expected section.field=value, such as training.warmup=2000"
    assert found == [
        f"--set model.width: {expected}",
        f"--set width=3: {expected}",
        f"--set a.b.c=3: {expected}",
        f"--set model.=3: {expected}",
        "--set decoding.beam=3: decoding is not a section",
        "training.warmup: input should be a valid integer",
        "training.warmpu: unknown key; did you mean training.warmup?",
        "decoding: expected a section with fields such as decoding.beam (given: 3)",
        "model.heads: 3 does not divide model.width 256; try heads=2",
    ]
    assert problems("", "modle.width=3", folder=tmp_path) == [
        "modle: unknown key; did you mean model?"
    ]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"model: [", r"not valid YAML: .* line 1, column 9"),
        (b"model: !!python/object/apply:os.getcwd []", r"not valid YAML: could not determine"),
        (b"- model", r"expected sections such as `model:`"),
        (b"just words", r"expected sections such as `model:`"),
        (b"model: \xff\xfe", r"not UTF-8 text \(byte 7\)"),
    ],
)
def test_files_that_are_no_recipes(content: bytes, message: str, tmp_path: Path) -> None:
    path = tmp_path / "recipe.yaml"
    path.write_bytes(content)
    with pytest.raises(
        RecipeError, match=rf"recipe\.yaml: 1 problem in the recipe:\n  - {message}"
    ):
        load_recipe(path)


def test_files_that_are_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(RecipeError, match=r"no\.yaml: 1 problem .*\n  - the file does not exist"):
        load_recipe(tmp_path / "no.yaml")
    with pytest.raises(RecipeError, match=r"this is a folder; a recipe is a \.yaml file"):
        load_recipe(tmp_path)

    def refuse(*_: object, **__: object) -> str:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "read_text", refuse)
    with pytest.raises(RecipeError, match=r"cannot be read: Permission denied"):
        load_recipe(tmp_path / "no.yaml")


@pytest.mark.parametrize("model", [TransformerRecipe(width=64), RecurrentRecipe(cell="lstm")])
def test_round_trip_through_yaml(
    model: TransformerRecipe | RecurrentRecipe, tmp_path: Path
) -> None:
    recipe = Recipe(
        data=DataRecipe(source="données.tsv", target_language="no"),
        model=model,
        training=TrainingRecipe(learning_rate=1e-7, updates=5),
        decoding=DecodingRecipe(top_k=3),
    )
    text = yaml.safe_dump(recipe.model_dump(mode="json"), allow_unicode=True)
    (tmp_path / "recipe.yaml").write_text(text, encoding="utf-8")
    assert load_recipe(tmp_path / "recipe.yaml") == recipe
    assert Recipe.model_validate_json(recipe.model_dump_json()) == recipe


@pytest.mark.parametrize("section", ["data", "model", "training", "decoding"])
def test_recipes_cannot_be_changed(section: str) -> None:
    recipe = Recipe()
    with pytest.raises(ValidationError, match="frozen"):
        setattr(recipe, section, None)
    with pytest.raises(ValidationError, match="frozen"):
        getattr(recipe, section).seed = 5


def test_reading_does_not_change_what_was_read() -> None:
    values = {"model": {"width": "x", "heads": 3}, "data": {}}
    before = yaml.safe_dump(values)
    problems(values)
    assert yaml.safe_dump(values) == before


def test_corpora_and_filters_are_checked_one_by_one(tmp_path: Path) -> None:
    path = tmp_path / "r.yaml"
    path.write_text(
        "data:\n"
        "  corpora:\n"
        "    - {source: a.tsv, target_language: de, share: 0.5}\n"
        "    - {source: b.tsv, targt_language: ru}\n"
        "    - {target: c.en}\n"
        "  filters: [script, foo]\n"
    )
    with pytest.raises(RecipeError) as caught:
        load_recipe(path)
    problems = "\n".join(caught.value.problems)
    assert (
        "data.corpora.1.targt_language: unknown key; did you mean data.corpora.1.target_lang"
        in problems
    )
    assert "data.corpora.2.source: field required" in problems
    assert "data.filters.1: input should be 'identical'" in problems
