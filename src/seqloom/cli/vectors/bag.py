"""``seqloom vectors bag`` and ``seqloom vectors keywords``: texts as weights of their words."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from seqloom.cli.console import Watch, say
from seqloom.cli.files import lines
from seqloom.cli.vectors.train import check_free
from seqloom.errors import VectorsError

if TYPE_CHECKING:
    from seqloom.text.bag import Bag
    from seqloom.text.collection import Collection, Place

_AT_ONCE = 1000  # lines whose keywords are looked for together

Files = Annotated[
    list[Path],
    typer.Argument(metavar="FILE...", help="Text files, one document a line; also .gz .xz .zst."),
]
Out = Annotated[Path, typer.Option(help="Folder for the bag and the weights of the documents.")]
WholeFiles = Annotated[bool, typer.Option("--whole-files", help="A document is a whole file.")]
StopWords = Annotated[
    str | None,
    typer.Option(
        metavar="LANGUAGE|FILE",
        help="Leave out common words: of en, ru, de, fr, zh ..., or of a file, one a line.",
    ),
]
Ngrams = Annotated[
    tuple[int, int],
    typer.Option(metavar="FROM TO", help="Count runs of so many words; 1 2: words and pairs."),
]
MinDocuments = Annotated[
    str,
    typer.Option(metavar="N|SHARE", help="Leave out words in fewer documents: 5, or 0.01 of all."),
]
MaxDocuments = Annotated[
    str,
    typer.Option(metavar="N|SHARE", help="Leave out words in more documents: 900, or 0.5 of all."),
]
MaxFeatures = Annotated[
    int | None, typer.Option(metavar="N", help="Keep the N most frequent words alone.")
]
Frequency = Annotated[
    str,
    typer.Option(
        "--tf",
        help="Term frequency: share (count of the word over that of all words), count, log "
        "(1 + ln count), binary.",
    ),
]
Rarity = Annotated[
    str,
    typer.Option(
        "--idf",
        help="Inverse document frequency: plain (ln of documents over documents with the word), "
        "smooth (as scikit-learn), none.",
    ),
]
Norm = Annotated[str, typer.Option(help="Bring each document to length 1: none, l2, l1.")]
Spaces = Annotated[
    bool, typer.Option("--spaces", help="Words are what stands between white space, as it is.")
]
KeepCase = Annotated[bool, typer.Option("--keep-case", help="Do not lower-case.")]


def bag(
    files: Files,
    out: Out,
    whole_files: WholeFiles = False,
    stop_words: StopWords = None,
    ngrams: Ngrams = (1, 1),
    min_documents: MinDocuments = "1",
    max_documents: MaxDocuments = "1.0",
    max_features: MaxFeatures = None,
    tf: Frequency = "share",
    idf: Rarity = "plain",
    norm: Norm = "none",
    spaces: Spaces = False,
    keep_case: KeepCase = False,
) -> None:
    """Weigh the words of documents: bag of words, TF-IDF.

    Chinese and other scripts without spaces are cut into words by ICU. The folder serves
    `vectors keywords` and `neighbours`.
    """
    from seqloom.text.bag import BagOptions
    from seqloom.text.collection import Collection
    from seqloom.text.words import WordRule

    weighting: Any = {"tf": tf, "idf": idf, "norm": norm}
    options = BagOptions(
        rule=WordRule("spaces" if spaces else "words", lowercase=not keep_case),
        stop_words=stop_words,
        ngrams=ngrams,
        min_documents=_bound("--min-documents", min_documents),
        max_documents=_bound("--max-documents", max_documents),
        max_features=max_features,
        **weighting,
    )
    check_free(out)
    with Watch() as watch:
        made = Collection.of_files(files, options, whole_files=whole_files, progress=watch.stage)
        made.save(out)
    say(_summary(made, out))


def keywords(
    folder: Annotated[Path, typer.Argument(help="Folder of `seqloom vectors bag`.")],
    file: Annotated[
        str | None,
        typer.Argument(
            metavar="[FILE|-]",
            help="Other documents, one a line; - for standard input. Left out: the folder's own.",
        ),
    ] = None,
    number: Annotated[int, typer.Option(min=1, help="Words a document, at most.")] = 10,
    whole_files: WholeFiles = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a document.")] = False,
) -> None:
    """The weightiest words of each document.

    A line of output is: place of the document, then each word with its weight, with tabs between.
    """
    from seqloom.text.bag import Bag
    from seqloom.text.collection import Collection

    if file is not None:
        found = _of_file(Bag.load(folder), file, number, whole_files)
    elif whole_files:
        raise VectorsError("--whole-files says how to read a FILE, and none is given.")
    else:
        found = Collection.load(folder).keywords(number)
    for place, words in found:
        typer.echo(_shown(place, words, as_json))


def _of_file(
    bag: Bag, file: str, number: int, whole: bool
) -> Iterator[tuple[Place, list[tuple[str, float]]]]:
    from seqloom.text.collection import Place

    texts: Iterable[str] = ["\n".join(lines(file))] if whole else lines(file)
    rest, done = iter(texts), 0
    while some := list(islice(rest, _AT_ONCE)):
        for words in bag.weightiest(bag.transform(some), number):
            done += 1
            yield Place(file, None if whole else done), words


def _summary(made: Collection, out: Path) -> str:
    what = f"{len(made):,} documents, {len(made.bag.words):,} words in the vocabulary: {out}"
    if made.weights.nnz:
        return what
    return f"{what}\nevery weight is 0: each word is in every document; see --idf none"


def _bound(name: str, given: str) -> int | float:
    """A number of documents, or a share of them.

    Raises:
        VectorsError: neither.
    """
    try:
        return int(given)
    except ValueError:
        pass
    try:
        return float(given)
    except ValueError:
        raise VectorsError(
            f"{name} {given!r}: expected a number of documents such as 5, or a share such as 0.5."
        ) from None


def _shown(place: Place, words: list[tuple[str, float]], as_json: bool) -> str:
    if as_json:
        found = [{"word": word, "weight": weight} for word, weight in words]
        values = {"file": place.file, "line": place.line, "keywords": found}
        return json.dumps(values, ensure_ascii=False)
    return "\t".join([str(place), *(f"{word} {weight:.4g}" for word, weight in words)])
