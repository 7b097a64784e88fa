"""``seqloom vectors train``: from text files to a folder of word vectors."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from seqloom.cli.console import Watch, say
from seqloom.cli.options import Device
from seqloom.errors import FolderError, VectorsError, writing

if TYPE_CHECKING:
    from seqloom.recipe.vectors import VectorsRecipe
    from seqloom.text.vectors import WordVectors

Files = Annotated[
    list[Path],
    typer.Argument(metavar="FILE...", help="Text, one sentence or paragraph a line; .gz .xz .zst."),
]
Architecture = Annotated[
    Literal["skipgram", "cbow"] | None,
    typer.Option(help="Predict a word from each word around it, or from all; by default skipgram."),
]
Objective = Annotated[
    Literal["negative", "hierarchical", "softmax"] | None,
    typer.Option(help="Negative sampling (the default), Huffman tree, or the full softmax (slow)."),
]
Sets = Annotated[
    list[Path] | None,
    typer.Option(
        metavar="FILE", help="Analogies or similarities to judge each epoch by; may be repeated."
    ),
]
Settings = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="KEY=VALUE",
        help="Any other field: learning_rate=0.05, negatives=10, subsample=1e-4, "
        "dynamic_window=false, split=spaces, lowercase=false, buckets=2000000 ...",
    ),
]


def train(
    files: Files,
    out: Annotated[Path | None, typer.Option(help="Folder to write.")] = None,
    architecture: Architecture = None,
    objective: Objective = None,
    width: Annotated[int | None, typer.Option(help="Numbers of a vector: 100.")] = None,
    window: Annotated[int | None, typer.Option(help="Words on each side, at most: 5.")] = None,
    epochs: Annotated[int | None, typer.Option(help="Passes over the text: 5.")] = None,
    min_count: Annotated[int | None, typer.Option(help="Rarer words are left out: 5.")] = None,
    phrases: Annotated[
        int | None, typer.Option(help='Passes that join words ("new_york"): 0.')
    ] = None,
    subwords: Annotated[
        bool | None,
        typer.Option("--subwords", help="Character n-grams too, so that any word has a vector."),
    ] = None,
    sets: Sets = None,
    patience: Annotated[
        int | None, typer.Option(help="Stop after so many epochs without a better score.")
    ] = None,
    workers: Annotated[
        int | None, typer.Option(help="Threads: all processors; 1 is repeatable bit by bit.")
    ] = None,
    seed: Annotated[int | None, typer.Option(help="Of all that is drawn: 1.")] = None,
    settings: Settings = None,
    device: Device = None,
) -> None:
    """Train word vectors: word2vec, on request with phrases and character n-grams."""
    from seqloom.recipe.vectors import VectorsRecipe, vectors_recipe

    fields = {name: value for name, value in locals().items() if name in VectorsRecipe.model_fields}
    given = {name: value for name, value in fields.items() if value is not None}
    recipe = vectors_recipe(given, settings or [])
    if out is None:
        raise FolderError("nowhere to write: add --out DIR, the folder of the vectors.")
    if recipe.patience is not None and not sets:
        raise VectorsError("--patience: there is nothing to judge epochs by; add --sets FILE.")
    check_free(out)
    vectors = _trained(files, recipe, out, sets, device)
    vectors.save(out)
    say(_summary(vectors, out))
    if vectors.origin["interrupted"]:
        raise KeyboardInterrupt


def check_free(out: Path) -> None:
    """Refuse a place that holds something.

    Raises:
        FolderError: a file, or a folder with files in it.
    """
    if out.is_file():
        raise FolderError(f"{out} is a file; --out names a folder.")
    if out.is_dir() and any(out.iterdir()):
        raise FolderError(f"{out} exists and holds files; choose another --out, or remove it.")


def _trained(
    files: list[Path],
    recipe: VectorsRecipe,
    out: Path,
    sets: list[Path] | None,
    device: str | None,
) -> WordVectors:
    from seqloom.text.word2vec import train_vectors

    with writing(out):
        out.parent.mkdir(parents=True, exist_ok=True)
    score = None
    if sets:
        from seqloom.evaluation.vectors import scorer

        score = scorer(sets)
    with Watch() as watch:
        # The copy in numbers can be as large as the text: beside the result there is room.
        return train_vectors(
            files,
            recipe,
            score=score,
            scratch=out.parent,
            device=device,
            progress=watch.stage,
            tell=watch.message,
        )


def _summary(vectors: WordVectors, out: Path) -> str:
    about = vectors.origin
    speed = about["learnt"] * about["epochs"] / max(about["seconds"], 1e-9)
    epochs = f"{about['epochs']} epoch{'s' * (about['epochs'] != 1)}"
    stopped = "stopped, and saved as far as it was" if about["interrupted"] else "trained"
    return (
        f"{stopped}: {out}, {len(vectors):,} words of width {vectors.width}; {epochs} "
        f"in {about['seconds']:.1f} s, {speed:,.0f} words/s\n"
        f"try it: seqloom neighbours {out} {vectors.words[min(len(vectors) - 1, 200)]}"
    )
