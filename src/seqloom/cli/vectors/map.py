"""``seqloom vectors map``: words in two dimensions, as a page and as a picture."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from seqloom.cli.console import Watch, say
from seqloom.cli.files import all_lines
from seqloom.errors import VectorsError

if TYPE_CHECKING:
    from seqloom.text.vectors import WordVectors

Words = Annotated[
    list[str] | None,
    typer.Argument(metavar="[WORD]...", help="Words; the most frequent ones if none are given."),
]
Lists = Annotated[
    list[Path] | None,
    typer.Option(
        "--words",
        metavar="FILE",
        help="Words, with white space between; a line such as ': capitals' begins a section "
        "with a colour of its own. May be repeated.",
    ),
]
Around = Annotated[
    list[str] | None,
    typer.Option(metavar="WORD", help="What is nearest to this word; may be repeated."),
]
Number = Annotated[
    int | None,
    typer.Option(
        min=3, metavar="N", help="Words of --around, or most frequent ones; 300 when left out."
    ),
]
Seed = Annotated[int | None, typer.Option(min=0, max=2**32 - 1, help="Of t-SNE; 1 when left out.")]
Out = Annotated[
    list[Path] | None,
    typer.Option(
        metavar="FILE",
        help="Page (.html), picture (.png, .svg, .pdf) or record (.json); may be repeated; "
        "map.html when left out.",
    ),
]


def map(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Word vectors: folder or file.")],
    words: Words = None,
    lists: Lists = None,
    around: Around = None,
    number: Number = None,
    method: Annotated[str, typer.Option(metavar="pca|tsne", help="How to lay them out.")] = "pca",
    seed: Seed = None,
    out: Out = None,
) -> None:
    """Draw words in two dimensions: what is alike lies together."""
    from seqloom.inspection.projection import check_method
    from seqloom.inspection.wordmap import NUMBER, WordMap, map_words, named
    from seqloom.text.vector_files import open_vectors

    places = out or [Path("map.html")]
    for place in places:
        WordMap.check_suffix(place)
    check_method(method)
    _check_idle(number, seed, given=bool(words or lists) and not around, method=method)
    with Watch() as watch:
        vectors = open_vectors(folder, progress=watch.stage, tell=watch.message)
        chosen = _chosen(vectors, words or [], lists or [], around or [], number or NUMBER)
        drawn = map_words(
            vectors,
            chosen,
            method=method,
            number=number or NUMBER,
            seed=1 if seed is None else seed,
            progress=watch.stage,
        )
        for place in places:
            drawn.save(place, watch.stage)
    if drawn.unknown:
        say(f"left out, since they have no vector: {named(drawn.unknown)}")
    say(f"{len(drawn.words):,} words drawn in {', '.join(str(place) for place in places)}")


def _check_idle(number: int | None, seed: int | None, *, given: bool, method: str) -> None:
    """Flags that would be ignored are a mistake."""
    if number is not None and given:
        raise VectorsError(
            "--number: all the words that were given are drawn; leave it out, or add --around WORD."
        )
    if seed is not None and method != "tsne":
        raise VectorsError("--seed: for --method tsne only; leave it out.")


def _chosen(
    vectors: WordVectors, words: list[str], lists: list[Path], centres: list[str], number: int
) -> dict[str, str] | None:
    """All words that were asked for, each with its section; None if the user asked for none."""
    from seqloom.inspection.wordchoice import around, sections_of, together

    if not (words or lists or centres):
        return None
    listed = [sections_of(all_lines(path), path.stem if len(lists) > 1 else "") for path in lists]
    near = around(vectors, centres, number) if centres else {}
    return together(dict.fromkeys(words, ""), *listed, near)
