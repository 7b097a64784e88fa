"""The docs cannot rot: their Python runs, their commands parse, their file tree is the real one."""

from __future__ import annotations

import random
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer
import yaml

from seqloom.cli import app

REPOSITORY = Path(__file__).resolve().parents[1]
PAGES = [REPOSITORY / "README.md", *sorted((REPOSITORY / "docs").glob("*.md"))]
FENCE = re.compile(r"^```(\w*)[^\n]*\n(.*?)^```", flags=re.MULTILINE | re.DOTALL)
TINY = {
    "model": {"width": 16, "feedforward": 16, "heads": 2, "encoder_layers": 1, "decoder_layers": 1},
    "training": {"updates": 4, "validate_every": 4, "warmup": 1, "batch_tokens": 512},
}


def blocks(page: Path, *languages: str) -> list[str]:
    text = page.read_text(encoding="utf-8")
    return [body for language, body in FENCE.findall(text) if language in languages]


def commands(page: Path) -> Iterator[str]:
    """Every ``seqloom ...`` command of the shell blocks, without prompt, comment and plumbing."""
    for block in blocks(page, "sh", "bash", "console", "shell", ""):
        for line in block.replace("\\\n", " ").splitlines():
            for part in re.split(r"\s[|<>]+\s|&&|;", line.split("  #")[0]):
                command = part.strip().removeprefix("$ ")
                if command.startswith("seqloom "):
                    yield command


def parse(command: str) -> None:
    """Parse a command line as the program would, without running it."""
    group = typer.main.get_command(app)
    words = shlex.split(command, comments=True)[1:]
    with group.make_context("seqloom", list(words), resilient_parsing=False) as context:
        name, verb, rest = group.resolve_command(context, words)  # type: ignore[attr-defined]
        verb.make_context(name, rest, parent=context)


def write_corpus(folder: Path) -> None:
    """The files that the docs speak of: small, aligned, learnable."""
    words = {"two": "zwei", "dogs": "hunde", "run": "laufen", "a": "ein", "man": "mann"}
    chance = random.Random(1)
    for name, count in (("train", 300), ("validation", 20), ("test", 20)):
        pairs = [[chance.choice(list(words)) for _ in range(6)] for _ in range(count)]
        for suffix, texts in (
            ("en", (" ".join(pair) for pair in pairs)),
            ("de", (" ".join(words[word] for word in pair) for pair in pairs)),
        ):
            text = "".join(f"{line}\n" for line in texts)
            (folder / f"{name}.{suffix}").write_text(text, encoding="utf-8")
    lines = list[str]()
    for _ in range(200):
        for number in range(1, 6):
            word = chance.choice(list(words))
            tag = "VERB" if word == "run" else "X"
            lines.append(f"{number}\t{word}\t_\t{tag}\t_\t_\t{number - 1}\tdep\t_\t_")
        lines.append("")
    (folder / "treebank.conllu").write_text("\n".join(lines) + "\n", encoding="utf-8")


def write_recipes(folder: Path) -> None:
    """Every recipe of the project under its name, cut down to a second of training."""
    (folder / "recipes").mkdir()
    for recipe in (REPOSITORY / "recipes").glob("*.yaml"):
        text = yaml.safe_dump(TINY)
        (folder / "recipes" / recipe.name).write_text(text, encoding="utf-8")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_python_of_the_docs_runs(page: Path, tmp_path: Path) -> None:
    """One page, one fresh interpreter, one namespace, in a folder with a small corpus."""
    snippets = blocks(page, "python")
    if not snippets:
        return
    write_corpus(tmp_path)
    write_recipes(tmp_path)
    (tmp_path / "page.py").write_text("\n".join(snippets), encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-W", "error", "page.py"], cwd=tmp_path, capture_output=True, text=True
    )
    assert done.returncode == 0, f"{page.name}:\n{done.stderr}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_commands_of_the_docs_parse(page: Path) -> None:
    for command in commands(page):
        try:
            parse(command)
        except typer.Exit:
            pass
        except Exception as error:
            pytest.fail(f"{page.name}: {command}\n{error}")


@pytest.mark.parametrize(
    "command",
    ["seqloom translat runs/x", "seqloom translate runs/x --bean 5", "seqloom train --beam"],
)
def test_a_wrong_command_does_not_parse(command: str) -> None:
    with pytest.raises(Exception, match=r"No such"):
        parse(command)


def tree(block: str) -> Iterator[str]:
    """Paths of a drawn file tree: one name a line, folders by indentation, a phrase after it."""
    folders: list[tuple[int, str]] = []
    for line in block.splitlines():
        found = re.match(r"^([\s│├└─]*)([\w./-]+)", line)
        if not found:
            continue
        column, name = len(found[1]), found[2]
        if folders and found[1].strip() == "" and column > folders[-1][0] + 12:
            continue  # the phrase of the line above, wrapped
        while folders and folders[-1][0] >= column:
            folders.pop()
        yield "/".join([*(name for _, name in folders), name.rstrip("/")])
        if name.endswith("/"):
            folders.append((column, name.rstrip("/")))


def test_the_file_tree_of_the_readme_is_the_real_one() -> None:
    page = REPOSITORY / "README.md"
    drawn = [block for block in blocks(page, "text", "") if "src/seqloom/" in block]
    if not drawn:
        pytest.skip("README.md draws no file tree")
    paths = set(tree(drawn[0]))
    missing = sorted(path for path in paths if not (REPOSITORY / path).exists())
    assert missing == [], "drawn in README.md, but not on disk"
    package = REPOSITORY / "src" / "seqloom"
    real = {
        path.relative_to(REPOSITORY).as_posix()
        for path in package.iterdir()
        if (path.suffix == ".py" and path.name != "__init__.py") or (path / "__init__.py").exists()
    }
    assert sorted(real - paths) == [], "on disk, but not drawn in README.md"


def test_a_tree_is_read_by_its_indentation() -> None:
    drawn = """
src/seqloom/
  errors.py          mistakes
  corpus/            files on disk -> pairs
                     and more about it
    pairs.py
  text/
recipes/             small files
"""
    assert list(tree(drawn)) == [
        "src/seqloom", "src/seqloom/errors.py", "src/seqloom/corpus",
        "src/seqloom/corpus/pairs.py", "src/seqloom/text", "recipes",
    ]  # fmt: skip
