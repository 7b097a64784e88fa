"""Which words a map shows. Words in sections map each word, in order, to the name of its section.

A section is what a reader wants to tell apart: capitals and countries, or what lies around *king*
and what lies around *bread*.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from seqloom.text.vectors import WordVectors

_SECTION = ": "  # as in the analogy sets of Mikolov et al. (2013a)


def sections_of(lines: Iterable[str], name: str = "") -> dict[str, str]:
    """The words of a list: one or several a line, with white space between.

    Args:
        lines: of the list; ``: capitals`` begins a section.
        name: of the section before the first such line.

    Returns:
        Each word with the first section that it stands in.
    """
    found: dict[str, str] = {}
    for line in lines:
        if line.startswith(_SECTION) and line.strip() != _SECTION.strip():
            name = line.removeprefix(_SECTION).strip()
        else:
            for word in line.split():
                found.setdefault(word, name)
    return found


def around(vectors: WordVectors, centres: Sequence[str], number: int) -> dict[str, str]:
    """Words and what lies nearest to them: ``number`` in all, an equal share for each centre.

    Returns:
        Each word with the centre that it is nearest to. Fewer than ``number`` where neighbours of
        several centres are the same.

    Raises:
        VectorsError: a centre has no vector.
    """
    best: dict[str, tuple[float, str]] = {}
    for centre in dict.fromkeys(centres):
        others = max(1, number // len(centres) - 1)
        for word, cosine in [(centre, 2.0), *vectors.neighbours(centre, others)]:
            if word not in best or cosine > best[word][0]:  # a centre is nearest to itself
                best[word] = (cosine, centre)
    return {word: centre for word, (_, centre) in best.items()}


def together(*choices: Mapping[str, str]) -> dict[str, str]:
    """Several choices as one: each word where it came first, in the first section that it has."""
    found: dict[str, str] = {}
    for choice in choices:
        for word, section in choice.items():
            found[word] = found.get(word) or section
    return found
