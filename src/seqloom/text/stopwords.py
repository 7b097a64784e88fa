"""Words too common to tell texts apart: lists by language, or one's own."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from seqloom.corpus.files import check_readable
from seqloom.corpus.lines import read_lines
from seqloom.errors import VectorsError


def stop_words(given: str) -> frozenset[str]:
    """The stop words of a language or of a file, lower-cased, with both kinds of apostrophe.

    Args:
        given: a code such as ``en`` (scikit-learn's list), ``ru``, ``de``, ``fr`` or ``zh`` (lists
            of the project Stopwords ISO, which has 58), or the path of a file with one word a line.

    Raises:
        VectorsError: neither a language with a list nor a file, or a line of several words.
        CorpusError: the file cannot be read.
    """
    from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS
    from stopwordsiso import langs, stopwords

    path = Path(given)
    words: Iterable[str]
    if given == "en":  # the other list has 1,298 words, "good" and "world" among them
        words = ENGLISH_STOP_WORDS
    elif given in langs():
        words = stopwords(given)
    elif path.exists():
        words = _own(path)
    else:
        raise VectorsError(
            f"stop words {given!r}: neither a file nor a language with a list. There are lists for "
            f"{', '.join(sorted(langs()))}; a list of your own is a file with one word a "
            "line."
        )
    plain = {word.lower().replace("’", "'") for word in words}
    return frozenset(plain | {word.replace("'", "’") for word in plain})


def _own(path: Path) -> list[str]:
    check_readable(path)
    words = []
    for number, line in enumerate(read_lines(path), start=1):
        found = line.split()
        if len(found) > 1:
            raise VectorsError(
                f"{path}, line {number}: {len(found)} words, {line.strip()!r}; a list of stop "
                "words has one word a line."
            )
        words += found
    return words
