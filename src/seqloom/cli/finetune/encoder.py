"""``seqloom finetune FOLDER``: a task on top of an encoder."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import typer

from seqloom.cli.console import Watch, say
from seqloom.cli.labelled import Form, read_pairs, read_texts
from seqloom.errors import CorpusError, FolderError, RecipeError
from seqloom.runtime import place_in_group

if TYPE_CHECKING:
    from seqloom.corpus.classes import Labelled
    from seqloom.finetuning.data import Data
    from seqloom.recipe.finetuning import FinetuneRecipe

_TRY = {
    "classify": "echo 'A text.' | seqloom classify {out} -",
    "tag": "echo 'Words of a sentence .' | seqloom tag {out} -",
    "vectors": "seqloom neighbours {out} 'A text.' --among TEXTS.txt",
}


class Given(NamedTuple):
    """What is to be learned, as the command says it."""

    task: Any
    train: list[str]
    validation: list[str] | None
    form: Form
    pair: bool
    second: str | None
    column: str | None
    grades: bool


def finetune_encoder(
    folder: Path,
    given: Given,
    out: Path | None,
    moves: Mapping[str, Any],
    old: Sequence[str],
    settings: Sequence[str],
    device: str | None,
) -> None:
    """Learn a task on top of an encoder.

    Args:
        folder: of the encoder.
        given: task and data.
        out: the folder to write.
        moves: fields of the recipe that have flags of their own.
        old: files of old texts.
        settings: other fields of the recipe.
        device: such as ``cuda:1``.
    """
    if not given.train:
        raise CorpusError(
            f"nothing to train on; expected: seqloom finetune {folder} --train FILE --out DIR"
        )
    if out is None:
        raise FolderError("nowhere to write: add --out DIR, the folder of the model.")
    _check_options(given)
    recipe = _recipe(folder, moves, settings)
    from seqloom.finetuning import finetune
    from seqloom.finetuning.report import report_text

    with Watch() as watch:
        train, validation = _read(given, watch)
        finetune(
            folder, given.task, train, out, validation=validation, recipe=recipe, old=old,
            progress=watch, device=device,
        )  # fmt: skip
    if place_in_group()[0] == 0:
        typer.echo(report_text(json.loads((out / "metrics.json").read_text(encoding="utf-8"))))
        say(f"trained {out}\ntry it: {_TRY[given.task].format(out=out)}")


def _check_options(given: Given) -> None:
    """Refuse options of another task.

    Raises:
        CorpusError: names the first.
    """
    only: dict[str, dict[str, Any]] = {
        "classify": {"--pair": given.pair, "--second": given.second},
        "tag": {"--column": given.column},
        "vectors": {"--grades": given.grades},
    }
    for task, options in only.items():
        for name, value in options.items():
            if value and task != given.task:
                raise CorpusError(f"{name} is for --task {task}; leave it out.")
    if given.task != "classify" and given.form.words():
        raise CorpusError(f"{given.form.words()[0]} is for --task classify; leave it out.")
    if given.second is not None and not (given.pair and given.form.columns):
        raise CorpusError(
            "--second names the column of second texts; add --pair --columns TEXT LABEL."
        )
    if given.grades and not given.validation:
        raise CorpusError("--grades is about --validation FILE, which is not given.")


def _recipe(folder: Path, moves: Mapping[str, Any], settings: Sequence[str]) -> FinetuneRecipe:
    """The recipe, for the encoder of the folder."""
    from seqloom.language_folder import KINDS, language_config
    from seqloom.recipe import load_recipe_of
    from seqloom.recipe.finetuning import FinetuneRecipe

    _, own, _ = language_config(folder, tuple(KINDS))
    if strange := [each for each in settings if each.startswith("model.")]:
        raise RecipeError("settings", [f"{strange[0]}: the model is the encoder's; leave it out"])
    given = {name: value for name, value in moves.items() if value is not None}
    decided = {"model": own.model.model_dump(mode="json"), "training": given}
    return load_recipe_of(FinetuneRecipe, None, settings, decided)


def _read(given: Given, watch: Watch) -> tuple[Data, Data | None]:
    """What to learn from, and what to measure on."""
    if given.task == "classify":
        return _labelled(given, given.train, watch), (
            _labelled(given, given.validation, watch) if given.validation else None
        )
    if given.task == "tag":
        from seqloom.corpus.tagged import read_tagged

        measured = given.validation and read_tagged(given.validation, column=given.column)
        return read_tagged(given.train, column=given.column), measured or None
    if given.grades and given.validation:
        from seqloom.corpus.classes import gather
        from seqloom.corpus.labelled_pairs import read_labelled_pairs

        return list(given.train), gather(read_labelled_pairs(given.validation))
    return list(given.train), list(given.validation) if given.validation else None


def _labelled(given: Given, files: Sequence[str], watch: Watch) -> Labelled:
    if not given.pair:
        return read_texts(files, given.form, watch)
    return read_pairs(files, given.form, given.second, watch)
