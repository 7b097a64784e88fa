"""A collection of documents as weights of words: which of them are like a text, and their keywords.

::

    bag.json, bag.safetensors                the vocabulary
    documents.json, documents.safetensors    where the documents came from, and their weights

The texts themselves are not copied.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from seqloom.corpus.files import check_readable
from seqloom.corpus.lines import read_lines
from seqloom.errors import VectorsError
from seqloom.text import bag as bags
from seqloom.text.bag import Bag, BagOptions
from seqloom.text.stored import digest_of, load_stored, save_stored

if TYPE_CHECKING:
    from scipy.sparse import csr_array

NAME = "documents"
_AT_ONCE = 1000  # documents whose keywords are looked for together


@dataclass(frozen=True)
class Place:
    """Where a document came from."""

    file: str
    """As it was named when the collection was made."""
    line: int | None
    """From 1, or None: the whole file is the document."""

    def __str__(self) -> str:
        return self.file if self.line is None else f"{self.file}:{self.line}"


class Collection:
    """Documents, their weights, and where they came from.

    Args:
        bag: whose words they are.
        weights: of the documents [documents V].
        files: each file with the number of its documents, in the order of the rows.
        whole_files: a document is a whole file; otherwise a line.
    """

    def __init__(
        self,
        bag: Bag,
        weights: csr_array,
        files: Sequence[tuple[str, int]],
        whole_files: bool,
    ) -> None:
        self.bag = bag
        self.weights = weights
        self.files = list(files)
        self._ends = np.cumsum([number for _, number in files])
        self.whole_files = whole_files

    @classmethod
    def of_files(
        cls,
        paths: Sequence[str | Path],
        options: BagOptions | None = None,
        *,
        whole_files: bool = False,
        progress: Callable[[str, int, int | None], None] | None = None,
    ) -> Collection:
        """Learn the vocabulary of text files, also .gz .xz .zst, and weigh their documents.

        Args:
            paths: files of UTF-8.
            options: of the bag.
            whole_files: a document is a whole file; otherwise each line is one, empty ones too.
            progress: told how many documents are read.

        Raises:
            CorpusError: a file is missing, empty, damaged, or no text (line and byte).
            VectorsError: no word is left; says which counts there are.
            MissingExtraError: an unspaced script, and ICU is not installed.
        """
        for path in paths:
            check_readable(Path(path))
        files: list[tuple[str, int]] = []
        texts = _texts_of(paths, whole_files, files, progress)
        bag, weights = Bag.fit_transform(texts, options)
        return cls(bag, weights, files, whole_files)

    def __len__(self) -> int:
        return self.weights.shape[0]

    def place(self, row: int) -> Place:
        """Where the document of a row came from."""
        file = int(np.searchsorted(self._ends, row, side="right"))
        name, number = self.files[file]
        return Place(name, None if self.whole_files else row - int(self._ends[file]) + number + 1)

    def similar(self, text: str, number: int = 10) -> list[tuple[Place, float]]:
        """The documents most similar to a text, with the cosine of their weights.

        Raises:
            VectorsError: no word of the text has a weight.
            MissingExtraError: an unspaced script, and ICU is not installed.
        """
        found = bags.similar(self.bag, self.weights, text, number)
        return [(self.place(row), cosine) for row, cosine in found]

    def keywords(self, number: int = 10) -> Iterator[tuple[Place, list[tuple[str, float]]]]:
        """The weightiest words of each document, in the order of the rows."""
        for start in range(0, len(self), _AT_ONCE):
            some = self.bag.weightiest(self.weights[start : start + _AT_ONCE], number)
            for row, words in enumerate(some, start):
                yield self.place(row), words

    def save(self, folder: str | Path) -> None:
        """Write the bag and the documents.

        Raises:
            FolderError: they cannot be written.
        """
        folder = Path(folder)
        self.bag.save(folder)
        files = [{"file": name, "documents": number} for name, number in self.files]
        values = {
            "bag": digest_of(folder, bags.NAME),
            "document": "file" if self.whole_files else "line",
            "files": files,
        }
        names = ("data", "indices", "indptr")
        arrays = {name: getattr(self.weights, name) for name in names}
        save_stored(folder, NAME, values, arrays)

    @classmethod
    def load(cls, folder: str | Path) -> Collection:
        """Read what :meth:`save` wrote.

        Raises:
            VectorsError: no such folder, a bag without documents, or it is damaged.
        """
        from scipy.sparse import csr_array

        folder = Path(folder)
        bag = Bag.load(folder)
        hint = "Its documents were not saved; make it anew: seqloom vectors bag FILE... --out DIR"
        values, arrays = load_stored(folder, NAME, hint)
        try:
            files = [(str(each["file"]), int(each["documents"])) for each in values["files"]]
            shape = (sum(number for _, number in files), len(bag.words))
            parts = (arrays["data"], arrays["indices"], arrays["indptr"])
            weights = csr_array(parts, shape)
            weights.check_format(full_check=True)
            whole_files, own = values["document"] == "file", values["bag"]
        except (KeyError, TypeError, ValueError) as error:
            raise VectorsError(
                f"{folder}: documents.json is damaged ({error}); copy the whole folder again, or "
                "make it anew."
            ) from None
        if own != digest_of(folder, bags.NAME):
            raise VectorsError(
                f"{folder}: its documents were weighed by another bag than lies beside them; copy "
                "the whole folder again, or make it anew."
            )
        return cls(bag, weights, files, whole_files)


def _texts_of(
    paths: Sequence[str | Path],
    whole_files: bool,
    files: list[tuple[str, int]],
    progress: Callable[[str, int, int | None], None] | None,
) -> Iterator[str]:
    """The documents of files; enters each file that is read in ``files``."""
    done = 0
    for path in paths:
        before = done
        lines = read_lines(Path(path))
        for text in ["\n".join(lines)] if whole_files else lines:
            yield text
            done += 1
            if progress is not None:
                progress("reading documents", done, len(paths) if whole_files else None)
        files.append((str(path), done - before))
