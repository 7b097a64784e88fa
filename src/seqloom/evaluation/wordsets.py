"""What word vectors are measured by: questions about words and pairs that people graded, as files.

Two forms, as they are published. Analogies: ``: NAME`` begins a section, and each line below holds
four words, the first to the second as the third to the fourth. Similarities: two words and a figure
a line. Columns stand between tabs or between other white space. Blank lines, comments (``#``,
``//``) and one line of column names are skipped. Which form a file has is seen from its first line.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from seqloom.corpus.files import check_readable
from seqloom.corpus.lines import read_lines
from seqloom.corpus.streams import plain_name
from seqloom.errors import EvaluationError

SUFFIXES = (".txt", ".tsv", ".tab")
"""Files of a folder that are taken for sets, each also .gz .xz .zst."""

PUBLISHED = {
    "https://github.com/tmikolov/word2vec": "questions-words.txt, Google's analogies (English)",
    "https://github.com/mfaruqui/eval-word-vectors": "WordSim-353, MEN, RW and others (English)",
    "https://github.com/iraleviant/eval-multilingual-simlex": "WordSim-353 in German and Russian",
    "https://github.com/Leonard-Xu/CWE": "240.txt, 297.txt and analogy.txt (Chinese)",
}
"""Where sets can be had, and which."""

Question = tuple[str, str, str, str]

_SYNTACTIC = "gram"  # how Google's names of syntactic sections begin
_COMMENTS = ("#", "//")
_SHOWN = 60


@dataclass(frozen=True)
class Section:
    """Questions about one relation, such as that of a capital to its country."""

    name: str
    questions: tuple[Question, ...]

    @property
    def syntactic(self) -> bool:
        """About forms of words, which Google's set marks by ``gram``, and not about meanings."""
        return self.name.startswith(_SYNTACTIC)


@dataclass(frozen=True)
class Questions:
    """An analogy set."""

    name: str
    sections: tuple[Section, ...]

    @property
    def asked(self) -> list[Question]:
        """All questions, section after section."""
        return [question for section in self.sections for question in section.questions]


@dataclass(frozen=True)
class Pairs:
    """A similarity set."""

    name: str
    words: tuple[tuple[str, str], ...]
    grades: tuple[float, ...]
    """How alike the words of each pair are to people, on any scale."""


def read_sets(places: Sequence[Path]) -> list[Questions | Pairs]:
    """The sets in files and folders; no file twice. Folders are searched to the bottom.

    Args:
        places: files and folders. A set is named by its file, with the way to it from its folder;
            where two would have one name, the other has its whole path.

    Raises:
        EvaluationError: no places, a folder without sets, or a file that is no set (line).
        CorpusError: a file is missing, empty or not UTF-8.
    """
    if not places:
        known = "\n".join(f"  {place}: {what}" for place, what in PUBLISHED.items())
        raise EvaluationError(
            f"no sets to evaluate word vectors on; name their files or folders. Published:\n{known}"
        )
    found: dict[Path, tuple[Path, str]] = {}
    for place in places:
        inside = _sets_in(place) if place.is_dir() else [(place, place.name)]
        for path, name in inside:
            short = plain_name(Path(name)).with_suffix("").as_posix()
            taken = any(short == other for _, other in found.values())
            found.setdefault(path.resolve(), (path, path.as_posix() if taken else short))
    return [read_set(path, name) for path, name in found.values()]


def read_set(path: Path, name: str | None = None) -> Questions | Pairs:
    """The set of a file, analogies if its first line is the head of a section.

    Raises:
        EvaluationError: a line that does not fit, by its number.
        CorpusError: the file is missing, empty or not UTF-8.
    """
    check_readable(path)
    first = next(_content(path), (0, ""))[1]
    return read_questions(path, name) if first.startswith(":") else read_similarities(path, name)


def read_questions(path: Path, name: str | None = None) -> Questions:
    """The analogies of a file; sections of one name are joined.

    Raises:
        EvaluationError: a line without four words, a question before the first section, or none.
        CorpusError: the file is missing, empty or not UTF-8.
    """
    check_readable(path)
    sections: dict[str, list[Question]] = {}
    questions: list[Question] | None = None
    for number, line in _content(path):
        if line.startswith(":"):
            questions = sections.setdefault(line.lstrip(": \t"), [])
            continue
        columns = _columns(line, 4)
        if columns is None:
            raise _misfit(path, number, "four words", line)
        if questions is None:
            raise _misfit(path, number, "a line ': NAME' before the first question", line)
        a, b, c, d = columns
        questions.append((a, b, c, d))
    if not any(sections.values()):
        raise EvaluationError(f"{path}: no questions; expected four words a line.")
    return Questions(
        name or plain_name(path).stem,
        tuple(Section(title, tuple(questions)) for title, questions in sections.items()),
    )


def read_similarities(path: Path, name: str | None = None) -> Pairs:
    """The graded pairs of a file.

    Raises:
        EvaluationError: a line without two words and a number, or no pairs.
        CorpusError: the file is missing, empty or not UTF-8.
    """
    check_readable(path)
    words: list[tuple[str, str]] = []
    grades: list[float] = []
    for place, (number, line) in enumerate(_content(path)):
        columns = _columns(line, 3)
        grade = _number(columns[2]) if columns else None
        if columns is not None and grade is not None:
            words.append((columns[0], columns[1]))
            grades.append(grade)
        elif place or columns is None or any(letter.isdigit() for letter in columns[2]):
            heads = "" if place else " (or ': NAME' before the first analogies)"
            raise _misfit(path, number, f"two words and a number{heads}", line)
    if not words:
        raise EvaluationError(f"{path}: no pairs; expected two words and a number a line.")
    return Pairs(name or plain_name(path).stem, tuple(words), tuple(grades))


def _sets_in(folder: Path) -> list[tuple[Path, str]]:
    found = [
        (path, path.relative_to(folder).as_posix())
        for path in sorted(folder.rglob("*"))
        if plain_name(path).suffix.lower() in SUFFIXES
        and path.is_file()
        and not path.name.startswith(".")
    ]
    if not found:
        raise EvaluationError(
            f"{folder}: no sets in this folder; expected files that end in {' '.join(SUFFIXES)}, "
            "also with .gz .xz .zst."
        )
    return found


def _content(path: Path) -> Iterator[tuple[int, str]]:
    """Lines that say something, with their numbers, without white space at their ends."""
    for number, line in enumerate(read_lines(path), start=1):
        text = line.strip()
        if text and not text.startswith(_COMMENTS):
            yield number, text


def _columns(line: str, count: int) -> list[str] | None:
    """The columns of a line; between tabs they may hold blanks, as a phrase does."""
    for columns in (line.split("\t"), line.split()):
        filled = [column.strip() for column in columns]
        if len(filled) == count and all(filled):
            return filled
    return None


def _number(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def _misfit(path: Path, number: int, expected: str, line: str) -> EvaluationError:
    shown = line if len(line) <= _SHOWN else f"{line[:_SHOWN]}…"
    return EvaluationError(
        f"{path}, line {number}: expected {expected}, between tabs or blanks, got {shown!r}. "
        "Mend the line, begin it with # to have it skipped, or name the right files."
    )
