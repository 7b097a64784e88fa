"""What a preparation is made of: each corpus with its languages, marks and share."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from seqloom.corpus.pairs import Corpus
from seqloom.corpus.readers import read_corpus, telling_once
from seqloom.errors import CorpusError, RecipeError
from seqloom.recipe import CorpusRecipe, DataRecipe
from seqloom.text.tags import Fronts, fronts


@dataclass(frozen=True)
class Material:
    """A corpus to prepare, and what training is to know about it."""

    corpus: Corpus
    validation: Corpus | None = None
    """Held-out pairs; some of the corpus are held out if None."""
    files: tuple[str, ...] = ()
    """Where the pairs come from; empty if they were handed over in memory."""
    validation_files: tuple[str, ...] = ()
    test: Corpus | None = None
    """Pairs that training must not see on either side."""
    test_files: tuple[str, ...] = ()
    tag: Literal[False, True, "both"] = False
    """Put the target language before each source, or before each side its own."""
    both_directions: bool = False
    """Train from target to source too."""
    mark: str | None = None
    """Stands before each source; pairs with a mark are never held out."""
    share: float | None = None
    """Share of the pairs seen in training, both directions together."""

    def directions(self) -> list[bool]:
        """Whether sides are exchanged, for each direction that is trained."""
        return [False, True] if self.both_directions else [False]

    def fronts(self, exchanged: bool) -> Fronts:
        """What stands before each pair in one direction, the mark first."""
        languages = self.corpus.source_language, self.corpus.target_language
        mark = [f"<{self.mark}>"] if self.mark else []
        return fronts(self.tag, *(languages[::-1] if exchanged else languages), *mark)


def tags_of(materials: Sequence[Material]) -> list[str]:
    """All that stands before texts, in all directions."""
    return [
        tag
        for one in materials
        for exchanged in one.directions()
        for side in one.fronts(exchanged)
        for tag in side
    ]


def materials(
    recipe: DataRecipe,
    corpus: Corpus | None,
    validation: Corpus | None,
    warn: Callable[[str], None],
) -> list[Material]:
    """The corpora of a recipe, or those handed over in their place.

    Raises:
        RecipeError: none is named, or a language is missing for the tag.
        CorpusError: a file cannot be read.
    """
    on_error = telling_once(warn) if recipe.until_error else None
    if recipe.corpora and corpus is None:
        found = [_one_of_several(recipe, one, on_error) for one in recipe.corpora]
    else:
        found = [_single(recipe, corpus, validation, on_error)]
    test_files = _files(recipe, "test_")
    if test_files:
        test = _read(test_files, (None, None), recipe, on_error)
        found = [replace(one, test=test, test_files=test_files) for one in found]
    _check_languages(recipe, found)
    return found


def _single(
    recipe: DataRecipe,
    corpus: Corpus | None,
    validation: Corpus | None,
    on_error: Callable[[CorpusError], None] | None,
) -> Material:
    files, validation_files = _files(recipe, ""), _files(recipe, "validation_")
    languages = recipe.source_language, recipe.target_language
    if corpus is None:
        if not files:
            raise RecipeError(
                "prepare", ["data.source: no corpus; name its files, or pass a corpus"]
            )
        corpus = _read(files, languages, recipe, on_error)
    else:
        corpus, files = corpus.in_languages(*languages), ()
    if validation is None and validation_files:
        known = (
            languages[0] or corpus.source_language,
            languages[1] or corpus.target_language,
        )
        validation = _read(validation_files, known, recipe, on_error)
    else:
        validation_files = ()
    return Material(corpus, validation, files, validation_files, tag=recipe.tag)


def _one_of_several(
    recipe: DataRecipe, one: CorpusRecipe, on_error: Callable[[CorpusError], None] | None
) -> Material:
    files = tuple(place for place in (one.source, one.target) if place is not None)
    corpus = read_corpus(
        *files,
        source_language=one.source_language,
        target_language=one.target_language,
        columns=one.columns,
        format=one.format if len(files) == 1 else None,
        on_error=on_error,
    )
    return Material(
        corpus,
        files=files,
        tag=recipe.tag,
        both_directions=one.both_directions,
        mark=one.mark,
        share=one.share,
    )


def _files(recipe: DataRecipe, side: str) -> tuple[str, ...]:
    """The files behind two fields of the recipe; none if there is no corpus."""
    source, target = (getattr(recipe, f"{side}{name}") for name in ("source", "target"))
    if source is None and target is not None:
        raise RecipeError(
            "prepare",
            [f"data.{side}source: missing, while data.{side}target is {target}; give both"],
        )
    return tuple(place for place in (source, target) if place is not None)


def _read(
    files: tuple[str, ...],
    languages: tuple[str | None, str | None],
    recipe: DataRecipe,
    on_error: Callable[[CorpusError], None] | None,
) -> Corpus:
    return read_corpus(
        *files,
        source_language=languages[0],
        target_language=languages[1],
        columns=recipe.columns if len(files) == 1 else None,
        format=recipe.format if len(files) == 1 else None,
        on_error=on_error,
    )


def _check_languages(recipe: DataRecipe, found: list[Material]) -> None:
    """Tags need languages, and several target languages need tags."""
    problems = []
    targets = set()
    for number, material in enumerate(found):
        name = f"data.corpora[{number}]" if recipe.corpora else "data"
        for exchanged in material.directions():
            sides = ["target_language", "source_language"][:: -1 if exchanged else 1]
            targets.add(getattr(material.corpus, sides[0]))
            needed = {False: [], True: sides[:1], "both": sides}[recipe.tag]
            problems += [
                f"{name}.{side}: needed for data.tag; set it to a code such as de"
                for side in needed
                if not getattr(material.corpus, side)
            ]
    if len(targets) > 1 and not recipe.tag:
        listed = ", ".join(sorted(str(language) for language in targets))
        problems.append(
            f"data.tag: the corpora have several target languages ({listed}); set it to true, so "
            "that each source says into which it is to be translated"
        )
    if problems:
        raise RecipeError("prepare", problems)
