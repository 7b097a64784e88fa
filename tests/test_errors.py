"""User mistakes: one tree, one message each, and the system's refusals in plain words."""

from __future__ import annotations

import errno
import inspect
import os
from pathlib import Path

import pytest

from seqloom import errors
from seqloom.errors import FolderError, MissingExtraError, RecipeError, SeqloomError, writing


def test_the_docstring_shows_the_whole_tree() -> None:
    found = {
        name
        for name, kind in vars(errors).items()
        if inspect.isclass(kind) and issubclass(kind, SeqloomError)
    }
    assert errors.__doc__ is not None
    drawn = {
        line.strip("│├└─ ").split()[0]
        for line in map(str.strip, errors.__doc__.splitlines())
        if line.startswith(("│", "├", "└", "SeqloomError"))
    }
    assert drawn == found
    assert not issubclass(SeqloomError, OSError | ValueError)


def test_messages_that_are_put_together() -> None:
    error = RecipeError("here", ["a", "b"])
    assert str(error) == "here: 2 problems in the recipe:\n  - a\n  - b"
    assert error.problems == ["a", "b"]
    assert str(RecipeError("here", ["a"])) == "here: 1 problem in the recipe:\n  - a"
    assert str(MissingExtraError("The demo", "demo")) == (
        "The demo needs an optional library. Install it: pip install 'seqloom[demo]'"
    )


@pytest.mark.parametrize(
    ("code", "message"),
    [
        (errno.ENOSPC, "the disk is full; free some space or choose another place with --out"),
        (errno.EDQUOT, "your disk quota is used up; free some space or choose another place"),
        (errno.EACCES, "no permission to write there; choose another place with --out"),
        (errno.EPERM, "no permission to write there; choose another place with --out"),
        (errno.EROFS, "the file system is read-only; choose another place with --out"),
        (errno.EIO, "the disk reports an error"),
        (errno.EFBIG, "the file system does not take files of that size"),
    ],
)
def test_refusals_of_the_system(code: int, message: str) -> None:
    with pytest.raises(FolderError) as caught, writing(Path("some/where")):
        raise OSError(code, os.strerror(code))
    assert str(caught.value) == f"cannot write some/where: {message}."


def test_real_refusals(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "full" / "er").mkdir(parents=True)

    def refusal(path: Path) -> str:
        with pytest.raises(FolderError) as caught, writing(path):
            path.write_text("x", encoding="utf-8")
        return str(caught.value)

    assert "a part of that path is a file, not a folder" in refusal(tmp_path / "file" / "x")
    assert "that is a folder, not a file" in refusal(tmp_path)
    assert "there is no such folder" in refusal(tmp_path / "no" / "x")
    assert "the name is too long" in refusal(tmp_path / ("x" * 5000))
    with pytest.raises(FolderError, match="something else is there already"), writing(tmp_path):
        (tmp_path / "file").parent.mkdir()
    (tmp_path / "other").mkdir()
    with pytest.raises(FolderError, match="something else is there already"), writing(tmp_path):
        (tmp_path / "other").rename(tmp_path / "full")


def test_other_errors_pass_as_they_are(tmp_path: Path) -> None:
    for error in (BrokenPipeError(errno.EPIPE, "pipe"), ValueError("x"), SeqloomError("y")):
        with pytest.raises(type(error)) as caught, writing(tmp_path):
            raise error
        assert caught.value is error
    with writing(tmp_path):
        pass
