"""The public names are listed once, can be imported, and cost nothing until they are used."""

from __future__ import annotations

import ast
import importlib
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

import seqloom

HEAVY = [
    "torch",
    "numpy",
    "pyarrow",
    "tokenizers",
    "sacrebleu",
    "sklearn",
    "matplotlib",
    "pydantic",
]


def loaded_after(statement: str) -> list[str]:
    """Heavy libraries that ``statement`` loads in a fresh interpreter."""
    program = (
        f"import json, sys\n{statement}\n"
        f"print(json.dumps([name for name in {HEAVY!r} if name in sys.modules]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    return json.loads(done.stdout)


def test_names_are_sorted_and_unique() -> None:
    assert list(seqloom.__all__) == sorted(set(seqloom.__all__))


@pytest.mark.parametrize("name", seqloom.__all__)
def test_every_name_can_be_imported(name: str) -> None:
    assert getattr(seqloom, name) is not None
    assert name in dir(seqloom)


def test_an_unknown_name_is_refused_as_usual() -> None:
    with pytest.raises(AttributeError, match=r"module 'seqloom' has no attribute 'trian'"):
        seqloom.trian  # noqa: B018


def test_importing_seqloom_loads_no_heavy_library() -> None:
    assert loaded_after("import seqloom") == []


def test_the_check_for_heavy_libraries_can_fail() -> None:
    assert loaded_after("import seqloom, numpy") == ["numpy"]


def test_help_loads_no_heavy_library() -> None:
    statement = (
        "from seqloom.cli import app\n"
        "from typer.testing import CliRunner\n"
        "assert CliRunner().invoke(app, ['--help']).exit_code == 0"
    )
    assert loaded_after(statement) == []


def test_every_listed_module_name_exists_in_rooms(repository: Path) -> None:
    """Each room that states ``__all__`` keeps to it: names exist, and imported ones are listed."""
    for path in sorted((repository / "src/seqloom").glob("*/__init__.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        stated = any(
            isinstance(node, ast.Assign)
            and any(isinstance(t, ast.Name) and t.id == "__all__" for t in node.targets)
            for node in tree.body
        )
        if stated:
            module = importlib.import_module(f"seqloom.{path.parent.name}")
            missing = [name for name in module.__all__ if not hasattr(module, name)]
            assert missing == [], path


def test_changelog_and_version_agree(repository: Path) -> None:
    text = (repository / "CHANGELOG.md").read_text(encoding="utf-8")
    versions = re.findall(r"^## \[(\d+\.\d+\.\d+)\]", text, flags=re.MULTILINE)
    assert versions, "CHANGELOG.md lists no version"
    assert versions[0] == seqloom.__version__
