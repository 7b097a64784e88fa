"""Folders that a preparation makes: written whole, opened again, and refused if made of others."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from seqloom.errors import FolderError, writing
from seqloom.text.origin import Origin


def write_json(path: Path, values: dict[str, Any]) -> None:
    """Write a JSON file for people and programs."""
    text = json.dumps(values, ensure_ascii=False, indent=2) + "\n"
    path.write_text(text, encoding="utf-8")


def read_json(path: Path) -> dict[str, Any]:
    """Read a JSON file of a prepared folder.

    Raises:
        FolderError: missing or damaged.
    """
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise FolderError(
            f"{path.parent} is not a prepared folder: {path.name} is missing. "
            "Make one with: seqloom prepare FILE... --out DIR"
        ) from None
    except (OSError, ValueError) as error:
        raise FolderError(f"{path}: damaged ({error}); prepare the corpus again.") from None
    if not isinstance(values, dict):
        raise FolderError(f"{path}: damaged (no JSON object); prepare the corpus again.")
    return values


def read_made(folder: Path, version: int, kind: str) -> dict[str, Any]:
    """The ``recipe.json`` of a prepared folder.

    Raises:
        FolderError: missing, damaged, of another format, or of another kind (pairs, texts).
    """
    made = read_json(folder / "recipe.json")
    found = made.get("kind", "pairs")
    if found != kind:
        raise FolderError(f"{folder}: a prepared folder of {found}; this needs one of {kind}.")
    if made.get("format") != version:
        raise FolderError(
            f"{folder}: a prepared folder of format {made.get('format')!r}, and this version reads "
            f"format {version}; prepare the corpus again."
        )
    return made


def is_taken(out: Path) -> bool:
    """Whether something is there already: a file, or a folder that is not empty."""
    return out.exists() and (not out.is_dir() or any(out.iterdir()))


def check_same(out: Path, origin: Origin) -> None:
    """Refuse what is there already, unless it was made from the same.

    Raises:
        FolderError: a file, another folder, or one that was prepared from something else.
    """
    if not out.is_dir():
        raise FolderError(f"{out} is a file; name a new folder for the prepared corpus.")
    if not (out / "recipe.json").exists():
        raise FolderError(
            f"{out} exists and is not a prepared folder; choose another place for the output."
        )
    differences = origin.differences(read_json(out / "recipe.json"))
    if differences:
        raise FolderError(
            f"{out} holds another preparation, with other {', '.join(differences)}; "
            "choose another folder, or delete this one."
        )


@contextmanager
def whole_folder(out: Path, origin: Origin) -> Iterator[Path]:
    """A temporary folder beside ``out`` that takes its name at the end.

    It vanishes on failure, with the folder around it if that was made for it, but stays if the
    work is interrupted: then it is found here again by whoever prepares the same.

    Raises:
        FolderError: it cannot be written.
    """
    temporary = out.with_name(f".{out.name}.part")
    begun = temporary / "begun.json"
    with writing(out):
        new = not out.parent.exists()
        out.parent.mkdir(parents=True, exist_ok=True)
        if temporary.exists() and not origin.began(begun):
            shutil.rmtree(temporary)
        temporary.mkdir(exist_ok=True)
        write_json(begun, origin.stamped())
        try:
            yield temporary
            begun.unlink()
            if out.exists():
                out.rmdir()
            temporary.rename(out)
        except KeyboardInterrupt:
            raise
        except BaseException:
            shutil.rmtree(temporary, ignore_errors=True)
            if new and not any(out.parent.iterdir()):
                out.parent.rmdir()
            raise
