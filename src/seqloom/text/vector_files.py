"""Files and folders of word vectors: what a name stands for, opened and written.

::

    .txt .vec .w2v   word2vec's text form (fastText's .vec)      also .gz .xz .zst
    .bin             word2vec's binary form                      also .gz .xz .zst
    a folder         Seqloom's own: words, counts, n-grams, how they were trained

Files in which gensim keeps its objects are pickles, which can run code, and are refused.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import IO, NamedTuple, Protocol

from seqloom.corpus.pairs import Progress
from seqloom.corpus.streams import COMPRESSIONS, plain_name, writing_bytes
from seqloom.errors import VectorsError
from seqloom.text.vector_binary import read_binary, write_binary
from seqloom.text.vector_gathering import Tell
from seqloom.text.vector_text import read_text, write_text
from seqloom.text.vectors import WordVectors

_PICKLES = {".kv", ".model", ".npy", ".npz", ".pkl", ".pickle"}


class _Read(Protocol):
    def __call__(
        self, path: Path, *, first: int | None, progress: Progress | None, tell: Tell | None
    ) -> WordVectors: ...


class _Form(NamedTuple):
    name: str
    read: _Read
    write: Callable[[IO[bytes], WordVectors, Progress], None]


_TEXT = _Form("word2vec's text form", read_text, write_text)
_BINARY = _Form("word2vec's binary form", read_binary, write_binary)
_FORMS = {".txt": _TEXT, ".vec": _TEXT, ".w2v": _TEXT, ".bin": _BINARY}


def open_vectors(
    path: str | Path,
    *,
    first: int | None = None,
    progress: Progress | None = None,
    tell: Tell | None = None,
) -> WordVectors:
    """Word vectors out of a folder of Seqloom's, or a file whose form its suffix tells.

    Args:
        path: folder or file.
        first: only so many words, the most frequent.
        progress: told how many words of a file are read.
        tell: told in one line of words that repeat or are not UTF-8.

    Raises:
        VectorsError: not there, something else, or damaged; names the line or the byte.
        CorpusError: a file is missing, empty, or its packing is damaged.
    """
    path = Path(path)
    if path.is_dir():
        if progress is not None:
            progress("reading vectors", 0, None)
        vectors = WordVectors.load(path)
        return vectors if first is None else vectors.first(first)
    form = _form_of(path)
    if form is not None:
        return form.read(path, first=first, progress=progress, tell=tell)
    if not path.exists():
        raise VectorsError(f"{path}: no such folder or file. Check the name.")
    raise VectorsError(
        f"{path}: expected a folder of word vectors, or a file whose name ends in "
        f"{', '.join(_FORMS)}."
    )


def save_vectors(
    vectors: WordVectors,
    path: str | Path,
    *,
    progress: Progress | None = None,
    tell: Tell | None = None,
) -> None:
    """Write word vectors in the form that a suffix tells, or else as a folder; whole or not at all.

    Args:
        vectors: what to write.
        path: folder or file.
        progress: told how many words of a file are written.
        tell: told in one line of what the form leaves out.

    Raises:
        VectorsError: a word that the form cannot hold.
        FolderError: the file or folder cannot be written.
    """
    path = Path(path)
    form = _form_of(path)
    if form is None:
        vectors.save(path)
        return
    _check_words(vectors.words, path, form.name)
    if vectors.ngrams is not None and tell is not None:
        tell(
            f"{path}: {form.name} has no place for vectors of n-grams, so only the words themselves"
            " are written; a folder keeps them."
        )
    with writing_bytes(path) as file:
        form.write(file, vectors, progress or _unwatched)


def _form_of(path: Path) -> _Form | None:
    """The form that a name stands for; None for a folder.

    Raises:
        VectorsError: a pickle, or something packed of no known form.
    """
    suffix = plain_name(path).suffix.lower()
    if suffix in _PICKLES:
        raise VectorsError(
            f"{path}: files of that kind are pickles, which can run code, so they are neither read "
            "nor written. Between gensim and here a .bin goes: save such a file from gensim, where "
            "you trust it, by kv.save_word2vec_format('vectors.bin', binary=True), and load one by "
            "KeyedVectors.load_word2vec_format('vectors.bin', binary=True)"
        )
    if suffix not in _FORMS and path.suffix.lower() in COMPRESSIONS:
        raise VectorsError(
            f"{path}: expected a name such as vectors.txt{path.suffix}; what is packed may be "
            f"{', '.join(_FORMS)}."
        )
    return _FORMS.get(suffix)


def _check_words(words: Sequence[str], path: Path, form: str) -> None:
    """Refuse words that would be two words, or none, to whoever reads the file."""
    for row, word in enumerate(words, start=1):
        if " " in word or "\n" in word:
            raise VectorsError(
                f"{path}: word {row:,}, {word!r}, cannot be held by {form}, where spaces and line "
                "ends divide; write a folder instead (a name without a suffix), or take it out."
            )


def _unwatched(stage: str, done: int, total: int | None, note: str = "") -> None:
    """For whoever does not watch."""
