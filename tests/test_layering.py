"""Who may know whom: every import of the package, parsed and held against one table."""

from __future__ import annotations

import ast
import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest

GROUND = {"errors", "runtime", "recipe", "symbols"}
ANY = "any"

# Room or file -> rooms and files it may import. A dotted name allows that one file of a room only.
MAY_KNOW: dict[str, set[str]] = {
    "errors": set(),
    "symbols": set(),
    "runtime": {"errors"},
    "recipe": {"errors"},
    "corpus": {"errors", "symbols"},
    "text": GROUND | {"corpus", "tensors"},
    "layers": set(),
    "models": GROUND | {"layers"},
    "tensors": {"errors"},
    "folder": GROUND | {"models", "text", "tensors"},
    "training": GROUND | {"layers.linear", "models", "text", "corpus", "folder", "tensors"},
    "decoding": GROUND | {"models.base", "layers.state"},
    "evaluation": GROUND | {"corpus", "decoding", "text.vectors"},
    "inspection": GROUND
    | {"corpus", "models.base", "decoding", "layers", "text.vectors", "text.explain"}
    | {"evaluation"},
    "inspector": GROUND
    | {"corpus", "text", "models", "decoding", "layers", "evaluation", "inspection"}
    | {"translator", "language_model", "folder", "language_folder", "tensors"}
    | {"training.checkpoint"},
    "export": GROUND
    | {"folder", "language_folder", "models", "tensors", "text", "layers", "corpus.files"},
    "lines": {"errors", "text", "decoding"},
    "translator": GROUND
    | {"folder", "layers.linear", "layers.recorder", "models", "text", "decoding"}
    | {"inspection", "lines"},
    "adapter": {"errors", "tensors"},
    "language_folder": GROUND | {"models", "text", "folder", "tensors", "adapter"},
    "language_model": GROUND
    | {"language_folder", "layers.linear", "layers.recorder", "models.base", "decoding"}
    | {"text.tokenizer", "text.chat", "text.pieces", "corpus.dialogues", "inspection"},
    "language_start": GROUND | {"text", "language_folder"},
    "pretraining": GROUND
    | {"corpus", "text", "layers.linear", "models", "folder", "language_folder", "training"}
    | {"decoding", "language_model", "language_start"},
    "encoders": GROUND | {"corpus", "text", "language_folder", "models", "training.labelled_tasks"},
    "finetuning": GROUND
    | {"corpus", "text", "models", "folder", "language_folder", "training", "evaluation"}
    | {"encoders", "pretraining"},
    "translation_start": GROUND
    | {"corpus", "models.base", "models.warm_start", "folder", "language_folder", "text"},
    "compression": GROUND
    | {"corpus", "text", "layers", "models", "folder", "training", "decoding", "evaluation"},
    "tags": {"corpus"},
    "documents": GROUND | {"corpus", "text", "tags", "translator"},
    "workflow": GROUND
    | {
        "corpus",
        "text",
        "layers.linear",
        "models",
        "folder",
        "training",
        "decoding",
        "evaluation",
        "translation_start",
        "translator",
    },
    "": GROUND | {ANY},  # seqloom/__init__.py: the public names
    "cli": GROUND | {ANY},
    "__main__": {"cli"},
}
NOBODY_KNOWS = {"cli"}
WITHOUT_TORCH = {"text.tokenizer", "text.bag", "text.words", "text.collection", "text.stored"}
LAYERS_MAY_KNOW = {"torch"}  # and the standard library


def modules(package: Path) -> Iterator[tuple[str, Path]]:
    """Dotted name inside the package ("" for its __init__) and path of each module."""
    for path in sorted(package.rglob("*.py")):
        parts = path.relative_to(package).with_suffix("").parts
        yield ".".join(parts[:-1] if parts[-1] == "__init__" else parts), path


def imports(path: Path, name: str, package: Path) -> Iterator[tuple[str, int]]:
    """Full dotted names that a module imports, anywhere in it, with their lines."""
    root = package.name
    inside = [root, *name.split(".")] if name else [root]
    if path.name != "__init__.py":
        inside = inside[:-1]
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from ((alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = inside[: len(inside) - node.level + 1] if node.level else []
            source = ".".join([*base, *([node.module] if node.module else [])])
            for alias in node.names:
                found = package.joinpath(*source.split(".")[1:], alias.name)
                is_module = found.is_dir() or found.with_suffix(".py").is_file()
                whole = source.split(".")[0] == root and is_module
                yield (f"{source}.{alias.name}" if whole else source), node.lineno


def room(name: str) -> str:
    return name.split(".")[0]


def allowed(importer: str, imported: str) -> bool:
    own, other = room(importer), room(imported)
    if own == other:
        return True
    if other in NOBODY_KNOWS:
        return own == "__main__"  # which is how python -m starts it
    known = MAY_KNOW.get(own, set())
    if ANY in known or other in known:
        return True
    return any(imported == name or imported.startswith(f"{name}.") for name in known if "." in name)


def arrows(package: Path) -> dict[str, dict[str, str]]:
    """Importer -> imported module of the package -> place (file:line)."""
    graph: dict[str, dict[str, str]] = {}
    for name, path in modules(package):
        found = graph.setdefault(name, {})
        for target, line in imports(path, name, package):
            root, _, inner = target.partition(".")
            if root == package.name:
                found.setdefault(inner, f"{path.relative_to(package.parent)}:{line}")
    return graph


def wrong_arrows(package: Path) -> list[str]:
    found = []
    for importer, targets in arrows(package).items():
        if room(importer) not in MAY_KNOW:
            found.append(f"{importer}: a room that the table does not know")
        found += [
            f"{place}: {importer or '__init__'} may not import {imported or '__init__'}"
            for imported, place in targets.items()
            if not allowed(importer, imported)
        ]
    return found


def circle(package: Path) -> list[str]:
    """One circle among the modules, or an empty list. ``__init__`` of the package is left out:
    it lists public names and imports them when they are asked for."""
    graph = {name: [t for t in targets if t] for name, targets in arrows(package).items() if name}
    done: set[str] = set()

    def visit(name: str, trail: list[str]) -> list[str]:
        if name in trail:
            return [*trail[trail.index(name) :], name]
        if name in done:
            return []
        for target in graph.get(name, []):
            if target != name and (found := visit(target, [*trail, name])):
                return found
        done.add(name)
        return []

    return next((found for name in graph if (found := visit(name, []))), [])


def foreign_in_layers(package: Path) -> list[str]:
    """Third-party imports of layers that are not torch."""
    import sys

    fine = LAYERS_MAY_KNOW | sys.stdlib_module_names | {package.name}
    return [
        f"{path.name}:{line}: {target}"
        for name, path in modules(package)
        if room(name) == "layers"
        for target, line in imports(path, name, package)
        if target.split(".")[0] not in fine
    ]


@pytest.fixture
def package(repository: Path) -> Path:
    return repository / "src" / "seqloom"


def test_every_arrow_is_in_the_table(package: Path) -> None:
    assert wrong_arrows(package) == []


def test_there_is_no_circle(package: Path) -> None:
    assert circle(package) == []


def test_layers_know_torch_only(package: Path) -> None:
    assert foreign_in_layers(package) == []


def test_corpus_and_tokenizer_do_not_import_torch(package: Path) -> None:
    found = [
        f"{path}:{line}"
        for name, path in modules(package)
        if room(name) in ("corpus", "evaluation") or name in WITHOUT_TORCH
        for target, line in imports(path, name, package)
        if target.split(".")[0] == "torch"
    ]
    assert found == []


def test_only_the_runtime_reads_the_environment(package: Path) -> None:
    found = [
        f"{path}:{node.lineno}"
        for name, path in modules(package)
        if name != "runtime"
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Attribute)
        and node.attr in ("environ", "getenv")
        and isinstance(node.value, ast.Name)
        and node.value.id == "os"
    ]
    assert found == []


def plant(tmp_path: Path, files: dict[str, str]) -> Path:
    package = tmp_path / "seqloom"
    for name, text in files.items():
        path = package / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(text), encoding="utf-8")
    return package


@pytest.mark.parametrize(
    ("file", "text", "complaint"),
    [
        ("corpus/a.py", "from seqloom.text import tokenizer", "corpus.a may not import text"),
        ("corpus/a.py", "import seqloom.recipe", "corpus.a may not import recipe"),
        ("corpus/a.py", "from ..text import tokenizer", "corpus.a may not import text.tokenizer"),
        ("layers/a.py", "from seqloom.errors import SeqloomError", "may not import errors"),
        ("decoding/a.py", "from seqloom.models.rnn import R", "may not import models.rnn"),
        ("decoding/a.py", "from seqloom.models import rnn", "may not import models.rnn"),
        ("decoding/a.py", "from seqloom import translator", "may not import translator"),
        ("training/a.py", "def f():\n    import seqloom.evaluation.metrics", "evaluation.metrics"),
        ("training/a.py", "from seqloom.cli import app", "training.a may not import cli"),
        ("text/a.py", "import seqloom", "text.a may not import __init__"),
        ("attic/a.py", "", "attic: a room that the table does not know"),
    ],
)
def test_a_planted_wrong_arrow_is_found(
    tmp_path: Path, file: str, text: str, complaint: str
) -> None:
    room_init = f"{Path(file).parent}/__init__.py"
    here = {"models/rnn.py": "", "translator.py": "", "text/tokenizer.py": ""}
    found = wrong_arrows(plant(tmp_path, {**here, room_init: "", file: text}))
    assert found
    assert complaint in found[-1] or complaint in found[0]


def test_right_arrows_are_not_reported(tmp_path: Path) -> None:
    package = plant(
        tmp_path,
        {
            "errors.py": "",
            "models/base.py": "from seqloom.errors import SeqloomError",
            "decoding/a.py": "from seqloom.models.base import Memory\nimport torch",
            "cli/a.py": "def f():\n    from seqloom.decoding import a",
        },
    )
    assert wrong_arrows(package) == []
    assert circle(package) == []


def test_a_planted_circle_is_found(tmp_path: Path) -> None:
    package = plant(
        tmp_path,
        {
            "text/a.py": "from seqloom.text.b import x",
            "text/b.py": "def f():\n    from seqloom.text.a import y",
        },
    )
    assert circle(package) == ["text.a", "text.b", "text.a"]


def test_a_planted_library_in_layers_is_found(tmp_path: Path) -> None:
    package = plant(tmp_path, {"layers/a.py": "import math\nimport numpy as np\nimport torch"})
    assert foreign_in_layers(package) == ["a.py:2: numpy"]
