"""A ``config.json`` of theirs: read field by field, all that we cannot do told in one message."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from seqloom.errors import ExportError
from seqloom.export.checkpoint import read_json
from seqloom.recipe.section import Section

ACTIVATIONS = {
    "relu": "relu",
    "gelu": "gelu",
    "gelu_new": "gelu_tanh",
    "gelu_pytorch_tanh": "gelu_tanh",
    "silu": "silu",
    "swish": "silu",
}
"""Their names for activations -> ours."""


class Settings:
    """The fields of a config, and what is wrong with them."""

    def __init__(self, values: Mapping[str, Any], where: str) -> None:
        self.values = values
        self.where = where
        self.problems: list[str] = []

    @classmethod
    def read(cls, folder: Path) -> Settings:
        """The ``config.json`` of a checkpoint.

        Raises:
            ExportError: not such a folder, or the file is damaged.
        """
        path = folder / "config.json"
        if not path.is_file():
            what = "holds no config.json" if folder.is_dir() else "is no folder"
            raise ExportError(
                f"{folder} {what}; give the folder of a Hugging Face checkpoint, with config.json, "
                "model.safetensors and tokenizer.json."
            )
        return cls(read_json(path), str(path))

    @property
    def family(self) -> str:
        """Their name of the architecture."""
        return str(self.values.get("model_type", ""))

    def get(self, name: str, default: Any = None) -> Any:
        """A field; its default where it is left out or null."""
        value = self.values.get(name)
        return default if value is None else value

    def whole(self, name: str) -> int:
        """A field that must be there and be a whole number."""
        value = self.values.get(name)
        if isinstance(value, int) and not isinstance(value, bool):
            return value
        self.problems.append(f"{name}: expected a whole number (given: {value!r})")
        return 0

    def only(self, name: str, *allowed: Any, default: Any = None) -> None:
        """Note a problem where a field has a value that our models cannot follow."""
        value = self.get(name, default)
        if value not in allowed:
            can = " or ".join(repr(each) for each in allowed)
            self.problems.append(f"{name}: Seqloom knows {can} (given: {value!r})")

    def same(self, name: str, other: str) -> None:
        """Note a problem where two fields differ that are one with us."""
        if self.get(name) != self.get(other):
            self.problems.append(
                f"{name}, {other}: Seqloom has one value for both "
                f"(given: {self.get(name)!r}, {self.get(other)!r})"
            )

    def activation(self, name: str, default: str, known: tuple[str, ...]) -> str:
        """Our name of an activation."""
        value = self.get(name, default)
        ours = ACTIVATIONS.get(value, "")
        if ours not in known:
            can = ", ".join(theirs for theirs, each in ACTIVATIONS.items() if each in known)
            self.problems.append(f"{name}: Seqloom knows {can} (given: {value!r})")
        return ours

    def build(self, recipe: type[Section], **fields: Any) -> Any:
        """The recipe with these fields.

        Raises:
            ExportError: there were problems, or the fields make no recipe.
        """
        if not self.problems:
            try:
                return recipe(**fields)
            except ValidationError as error:
                self.problems += [
                    f"{'.'.join(map(str, item['loc']))}: {item['msg']}" for item in error.errors()
                ]
        listed = "\n".join(f"  - {problem}" for problem in self.problems)
        raise ExportError(
            f"{self.where}: this {self.family} has settings that Seqloom's models do not:\n{listed}"
        )


def their_activation(ours: str) -> str:
    """Their name of an activation of ours."""
    return next(theirs for theirs, name in ACTIVATIONS.items() if name == ours)


def first_without(obstacles: Mapping[str, Sequence[str]]) -> str:
    """The first of their architectures to which nothing stands in the way.

    Args:
        obstacles: architecture -> the switches of a model of ours that it would need otherwise.

    Raises:
        ExportError: none; says for each what stands in the way.
    """
    for name, found in obstacles.items():
        if not found:
            return name
    listed = "\n".join(f"  - {name}: needs {', '.join(o)}" for name, o in obstacles.items())
    raise ExportError(
        "transformers has no architecture with the switches of this model; what each of its "
        f"architectures would need:\n{listed}\nTrain with these switches to export to it."
    )
