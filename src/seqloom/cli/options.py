"""Options that several verbs share, and what they name: recipes and model folders."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from seqloom.errors import DecodingError, FolderError, RecipeError

if TYPE_CHECKING:
    from seqloom.language_model import LanguageModel
    from seqloom.recipe import DecodingRecipe
    from seqloom.translator import Translator

Settings = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="KEY=VALUE",
        help="Any other field of the recipe, such as training.warmup=2000; may be repeated.",
    ),
]
RecipeName = Annotated[
    str | None,
    typer.Argument(metavar="[RECIPE]", help="A .yaml file, or the name of a shipped recipe."),
]
Device = Annotated[
    str | None, typer.Option(help="cpu, cuda, cuda:1, mps; the best one when left out.")
]
TargetLanguage = Annotated[
    str | None, typer.Option(metavar="CODE", help="For a model of several languages.")
]
SourceLanguage = Annotated[
    str | None, typer.Option(metavar="CODE", help="For a model that is told it, too.")
]
Drawings = Annotated[
    list[Path] | None,
    typer.Option(
        "--out",
        metavar="FILE",
        help="Page (.html), picture (.png, .svg, .pdf) or record (.json); may be repeated.",
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Output = Annotated[
    Path | None,
    typer.Option(help="Write here instead of standard output; appears when it is complete."),
]

_PACKAGE = Path(__file__).resolve().parents[1]
RECIPE_FOLDERS = (_PACKAGE / "_recipes", _PACKAGE.parents[1] / "recipes")
"""Where recipes lie in an installed package, and in a checkout of the repository."""


def find_recipe(name: str) -> Path:
    """The file of a recipe given by path, or by the name of one that ships with the package.

    Raises:
        RecipeError: neither a file nor a known name.
    """
    path = Path(name)
    if path.exists():
        return path
    shipped = {file.stem: file for folder in RECIPE_FOLDERS for file in folder.glob("*.yaml")}
    if "=" in name:
        raise RecipeError(name, [f"a setting, and no recipe; each has its own --set: --set {name}"])
    if name not in shipped:
        raise RecipeError(
            name, [f"no such file, and no recipe of that name; known: {', '.join(sorted(shipped))}"]
        )
    return shipped[name]


def folder_kind(folder: Path) -> str | None:
    """What the folder of a language model or of a tuned encoder holds; None for any other folder.

    Raises:
        FolderError: its ``config.json`` is damaged.
    """
    path = folder / "config.json"
    if not path.is_file():
        return None
    try:
        config = json.loads(path.read_text(encoding="utf-8"))
        return str(config["kind"]) if "kind" in config else None
    except (ValueError, TypeError) as error:
        raise FolderError(f"{path} is damaged ({error}); copy the folder again.") from None


def decoding_recipe(
    base: DecodingRecipe, flags: Mapping[str, Any], settings: Sequence[str] = ()
) -> DecodingRecipe:
    """A model's own decoding options, ``--set decoding.…=…`` on top, and then the flags given.

    Raises:
        RecipeError: all that is wrong with them.
    """
    from seqloom.recipe import load_recipe, recipe_from

    written = load_recipe(None, settings).decoding.model_dump(exclude_unset=True)
    given = {name: value for name, value in flags.items() if value is not None}
    values = {**base.model_dump(), **written, **given}
    return recipe_from({"decoding": values}, "decoding options").decoding


def check_sampling(flags: Mapping[str, Any]) -> None:
    """Flags that would be ignored are a mistake.

    Raises:
        DecodingError: flags of sampling without ``sample``.
    """
    idle = [name for name in ("temperature", "top_k", "top_p", "seed") if flags[name] is not None]
    if idle and not flags["sample"]:
        names = ", ".join(f"--{name.replace('_', '-')}" for name in idle)
        raise DecodingError(f"{names}: for sampling only; add --sample.")


def open_translator(
    folder: Path, device: str | None, companions: Sequence[Path] = ()
) -> Translator:
    """The model of a folder, in a process that is ready to compute with it.

    Raises:
        SeqloomError: the folder or the device cannot be used.
    """
    from seqloom.runtime import SEARCH_KERNELS, keep_memory, set_threads
    from seqloom.translator import Translator

    set_threads()
    keep_memory(SEARCH_KERNELS)
    return Translator.load(folder, device=device, companions=companions)


def open_language_model(folder: Path, device: str | None) -> LanguageModel:
    """The language model of a folder, in a process that is ready to write with it.

    Raises:
        SeqloomError: the folder or the device cannot be used.
    """
    from seqloom.language_model import LanguageModel
    from seqloom.runtime import SEARCH_KERNELS, keep_memory, set_threads

    set_threads()
    keep_memory(SEARCH_KERNELS)
    return LanguageModel.load(folder, device=device)
