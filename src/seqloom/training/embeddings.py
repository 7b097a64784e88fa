"""Word vectors as the first values of a model's embeddings.

Which piece gets which vector is told in :mod:`seqloom.text.piece_vectors`; all others keep their
random values, and the vectors take on the statistics of those, for which the model was made:

- Mean 0. What all vectors share says nothing of a token, and where the output has the same table it
  would set their pieces against the others.
- In each row the root mean square of the random ones. A Transformer multiplies embeddings by
  sqrt(D) and adds positions of root mean square 0.7, which longer vectors would drown and in which
  shorter ones would drown; and to an output with the same table a longer row is a likelier token.
- As many columns as the table has, D. Wider vectors are reduced to their principal components;
  narrower ones fill the first columns, and the random rest tells apart pieces with like vectors
  (half the width gave four fifths of the lead over random values after 100 updates).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import nn

from seqloom.errors import VectorsError
from seqloom.folder import write_text
from seqloom.models.base import EncoderDecoder
from seqloom.recipe import TrainingRecipe
from seqloom.text.piece_vectors import PieceVectors, piece_vectors
from seqloom.text.tokenizer import Tokenizer, Tokenizers
from seqloom.text.vector_files import open_vectors
from seqloom.training.progress import Progress

_NOTE = Path("training", "embeddings.txt")


@dataclass(frozen=True)
class Start:
    """Vectors for the two sides of a model; None leaves a side at random."""

    source: PieceVectors | None
    target: PieceVectors | None

    def fill(self, model: EncoderDecoder) -> list[str]:
        """Put the vectors into the model's embeddings; a line of words for each of them."""
        source, target = model.embeddings
        sides = [("source", source, self.source), ("target", target, self.target)]
        if source is target:
            sides = [("source and target", source, self.source)]
        return [f"{name}: {fill(table, found)}" for name, table, found in sides if found]


def check_vectors(places: Mapping[str, str | None]) -> None:
    """See that there is something where fields of a recipe say that word vectors are.

    Args:
        places: name of the field -> file or folder.

    Raises:
        VectorsError: there is nothing.
    """
    for name, place in places.items():
        if place is not None and not Path(place).exists():
            raise VectorsError(
                f"training.{name}: there is no file or folder {place}. Name a file of word vectors "
                "(.vec, .txt, .bin), make some with `seqloom vectors train`, or leave the field "
                "out."
            )


def find_start(recipe: TrainingRecipe, tokenizers: Tokenizers, progress: Progress) -> Start | None:
    """The vectors that a recipe wants its embeddings to begin with, if any.

    Args:
        recipe: names them, for each side.
        tokenizers: the vocabularies; where both sides share one, vectors of either serve both.
        progress: told how far that is.

    Raises:
        VectorsError: vectors cannot be read, or no piece of their side's vocabulary gets one.
    """
    source, target = recipe.source_vectors, recipe.target_vectors
    if tokenizers.joint:
        source, target = source or target, target or source
    first = open_pieces(source, tokenizers.source, progress)
    same = tokenizers.joint and target == source
    second = first if same else open_pieces(target, tokenizers.target, progress)
    return Start(first, second) if first or second else None


def open_pieces(place: str | None, tokenizer: Tokenizer, progress: Progress) -> PieceVectors | None:
    """The vectors of ``place``, if any, for the pieces of a vocabulary.

    Raises:
        VectorsError: they cannot be read, or no piece gets one.
    """
    if place is None:
        return None
    vectors = open_vectors(place, progress=progress.stage, tell=progress.message)
    return piece_vectors(vectors, tokenizer, place, progress.stage)


def shaped(rows: np.ndarray, width: int) -> tuple[np.ndarray, float]:
    """Vectors in the shape of random ones: mean 0, and root mean square 1 in each row.

    Args:
        rows: vectors [N E].
        width: D; wider rows are reduced to their first principal components.

    Returns:
        Rows [N min(E, D)] float32, zeros where a row is the mean of all; and the share of the
        variance that they keep.
    """
    rows, kept = rows.astype(np.float64), 1.0
    if len(rows) > 1:
        rows -= rows.mean(axis=0)
    if rows.shape[1] > width:
        rows, kept = _principal(rows, width)
    size = np.sqrt(np.square(rows).mean(axis=1, keepdims=True))
    return np.divide(rows, size, out=np.zeros_like(rows), where=size > 0).astype(np.float32), kept


def _principal(rows: np.ndarray, width: int) -> tuple[np.ndarray, float]:
    """Centred rows [N E] on their first ``width`` principal components; the variance they keep."""
    variances, directions = np.linalg.eigh(rows.T @ rows)  # the smallest first
    chosen = directions[:, : -width - 1 : -1]
    # Which way a direction points is chance; all processes of a run must agree.
    largest = chosen[np.abs(chosen).argmax(axis=0), np.arange(width)]
    kept = variances[-width:].sum() / max(variances.sum(), np.finfo(np.float64).tiny)
    return rows @ (chosen * np.sign(largest)), float(kept)


@torch.no_grad()
def fill(table: nn.Embedding, found: PieceVectors) -> str:
    """Set the rows of the pieces that have a vector; what was done, in words."""
    given, width = found.matrix.shape[1], table.embedding_dim
    pieces = np.flatnonzero(found.ways)
    rows, kept = shaped(found.matrix[pieces], width)
    there = rows.any(axis=1)
    weight = table.weight
    values = torch.from_numpy(rows[there]).to(weight) * weight.square().mean().sqrt()
    weight[torch.from_numpy(pieces[there]).to(weight.device), : rows.shape[1]] = values
    if given > width:
        how = f"; {width} of {given} principal components keep {kept:.1%} of the variance"
    else:
        how = f"; they fill {given} of {width} columns" if given < width else ""
    return f"{found.summary()}{how}."


def keep_note(folder: Path, lines: Sequence[str]) -> None:
    """Write into the folder of a run what its embeddings begin with, as :meth:`Start.fill` says it.

    Raises:
        FolderError: disk full, no permission.
    """
    write_text(folder / _NOTE, "".join(f"{line}\n" for line in lines))


def began_with(folder: Path) -> list[str]:
    """The lines of :func:`keep_note`; none for a run that began at random."""
    note = folder / _NOTE
    return note.read_text(encoding="utf-8").splitlines() if note.is_file() else []
