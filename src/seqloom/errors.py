"""The tree of user mistakes. Each carries one message: what was given, expected, and to be done.

::

    SeqloomError                  exit code 2 on the command line
    ├── CorpusError               a file of pairs cannot be read, or its sides do not match
    │   └── ColumnError           a file of words and their tags has no such column
    ├── VectorsError              word vectors or a bag of words are damaged, or lack what is asked
    ├── TokenizerError            a vocabulary cannot be learned, or does not fit the model
    ├── RecipeError               unknown keys or values in a recipe; reports all of them at once
    ├── FolderError               a model folder is missing, damaged, or holds something else
    ├── ExportError               a model cannot be taken from, or to, the format of another library
    ├── DeviceError               the device or number type asked for is not there
    ├── MissingExtraError         an optional library is not installed; prints the install command
    ├── TrainingError             training cannot go on (loss not finite, nothing to learn from)
    ├── DecodingError             a search was asked for something that it cannot do
    └── EvaluationError           a figure is unknown, or translations and references do not match

Programming errors are plain ``assert`` or built-in exceptions and are not part of this tree.
"""

from __future__ import annotations

import errno
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path


class SeqloomError(Exception):
    """A mistake that the user can mend. ``str(error)`` is the whole message."""


class CorpusError(SeqloomError):
    """A corpus file cannot be read, is damaged, or its two sides do not match."""


class ColumnError(CorpusError):
    """A file of words and their tags does not have the column that was asked for."""


class VectorsError(SeqloomError):
    """Word vectors or a bag of words are damaged, or do not hold what was asked for."""


class TokenizerError(SeqloomError):
    """A vocabulary cannot be learned from the text, or a tokenizer does not fit its model."""


class RecipeError(SeqloomError):
    """One or more fields of a recipe are wrong; ``problems`` lists them all."""

    def __init__(self, where: str, problems: Sequence[str]) -> None:
        self.problems = list(problems)
        lines = "\n".join(f"  - {problem}" for problem in self.problems)
        count = f"{len(self.problems)} problem{'s' if len(self.problems) != 1 else ''}"
        super().__init__(f"{where}: {count} in the recipe:\n{lines}")


class FolderError(SeqloomError):
    """A model folder is missing, truncated, altered, or holds another run."""


class ExportError(SeqloomError):
    """A model cannot be read from the format of another library, or written in it."""


class DeviceError(SeqloomError):
    """The device or number type asked for is not available on this machine."""


class TrainingError(SeqloomError):
    """Training cannot start or go on; the last good checkpoint is untouched."""


class DecodingError(SeqloomError):
    """Decoding options that contradict each other or the model."""


class EvaluationError(SeqloomError):
    """A figure that does not exist, or translations and references of different number."""


class MissingExtraError(SeqloomError):
    """An optional dependency is not installed."""

    def __init__(self, what: str, extra: str) -> None:
        super().__init__(
            f"{what} needs an optional library. Install it: pip install 'seqloom[{extra}]'"
        )


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Turn the operating system's refusals while writing ``path`` into one clear message.

    Raises:
        FolderError: disk full, no permission, read-only file system, or a file where a folder
            is needed.
    """
    try:
        yield
    except OSError as error:
        reasons = {
            errno.ENOSPC: "the disk is full; free some space or choose another place with --out",
            errno.EDQUOT: "your disk quota is used up; free some space or choose another place",
            errno.EACCES: "no permission to write there; choose another place with --out",
            errno.EPERM: "no permission to write there; choose another place with --out",
            errno.EROFS: "the file system is read-only; choose another place with --out",
            errno.ENOTDIR: "a part of that path is a file, not a folder",
            errno.EISDIR: "that is a folder, not a file",
            errno.EEXIST: "something else is there already",
            errno.ENOTEMPTY: "something else is there already",
            errno.ENOENT: "there is no such folder",
            errno.ENAMETOOLONG: "the name is too long",
            errno.EFBIG: "the file system does not take files of that size",
            errno.EIO: "the disk reports an error",
        }
        reason = reasons.get(error.errno or 0)
        if reason is None:
            raise
        raise FolderError(f"cannot write {path}: {reason}.") from error
