"""What a training of word vectors is: one validated description."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from pydantic import Field

from seqloom.recipe.section import Conflict, Section
from seqloom.recipe.settings import with_settings


class VectorsRecipe(Section):
    """Word vectors (Mikolov et al. 2013a, b), with character n-grams (Bojanowski et al. 2017)."""

    architecture: Literal["skipgram", "cbow"] = "skipgram"
    """Predict a word from each word around it (skipgram), or from all of them together (cbow)."""
    objective: Literal["negative", "hierarchical", "softmax"] = "negative"
    """Tell the word from drawn ones (negative sampling), find it in a Huffman tree (hierarchical),
    or cross-entropy over the whole vocabulary as the definition has it (softmax: slow)."""
    width: int = Field(100, ge=1)
    """Numbers D of a vector."""
    window: int = Field(5, ge=1)
    """Words that count on each side, at most."""
    dynamic_window: bool = True
    """Draw each window's size from 1 to ``window``, so that near words count for more."""
    negatives: int = Field(5, ge=1)
    """Words drawn against each right one, for the objective negative."""
    noise_power: float = Field(0.75, ge=0, le=2)
    """Negatives are drawn by count to this power."""
    min_count: int = Field(5, ge=1)
    """Rarer words are left out."""
    subsample: float = Field(1e-3, ge=0, le=1)
    """Words with a larger share of the text are skipped at random, the more so the more frequent
    they are (Mikolov et al. 2013b, as in their program); 0 for never."""
    epochs: int = Field(5, ge=1)
    """Passes over the text."""
    learning_rate: float | None = Field(None, gt=0)
    """At the beginning; falls linearly to ``final_rate``. Left out, that of the program of Mikolov
    et al.: 0.025 for skipgram, 0.05 for cbow."""
    final_rate: float = Field(1e-4, ge=0)
    """At the end."""
    combine: Literal["mean", "sum"] = "mean"
    """How cbow joins the words of a window."""
    phrases: int = Field(0, ge=0, le=4)
    """Passes that join words which occur together ("new_york"); each can double the length."""
    phrase_threshold: float = Field(10.0, gt=0)
    """Score that a pair must pass (Mikolov et al. 2013b, equation 6, times the words there are)."""
    subwords: bool = False
    """A word is the mean of its own vector and those of its character n-grams."""
    shortest_ngram: int = Field(3, ge=1)
    """Letters of the shortest n-grams."""
    longest_ngram: int = Field(6, ge=1)
    """Letters of the longest ones."""
    buckets: int = Field(2**19, ge=1)
    """Rows that n-grams share by hash."""
    lowercase: bool = True
    """Lower-case the text."""
    split: Literal["words", "spaces"] = "words"
    """Find words by letters and scripts, or take what stands between spaces as it is."""
    patience: int | None = Field(None, ge=1)
    """With test sets: stop after so many epochs without a better score, and keep the best."""
    seed: int = Field(1, ge=0)
    """Of first values, windows, skipped and drawn words."""
    workers: int | None = Field(None, ge=1)
    """Threads; all processors when left out. With one, the same seed gives the same vectors."""
    batch: int = Field(512, ge=1)
    """Words a step where torch does the work: on a GPU, and for the objective softmax."""

    @property
    def first_rate(self) -> float:
        """The learning rate at the beginning."""
        return self.learning_rate or (0.05 if self.architecture == "cbow" else 0.025)

    def conflicts(self) -> list[Conflict]:
        """Bounds the wrong way round."""
        found = []
        if self.shortest_ngram > self.longest_ngram:
            message = (
                f"longest_ngram: {self.longest_ngram} is less than shortest_ngram, "
                f"{self.shortest_ngram}"
            )
            found.append(Conflict(("shortest_ngram", "longest_ngram"), message))
        if self.final_rate > self.first_rate:
            message = (
                f"final_rate: {self.final_rate:g} is more than learning_rate, {self.first_rate:g}"
            )
            found.append(Conflict(("final_rate", "learning_rate"), message))
        return found


def vectors_recipe(values: Mapping[str, Any], settings: Sequence[str] = ()) -> VectorsRecipe:
    """A recipe of some values, and of ``key=value`` settings on top.

    Raises:
        RecipeError: fields that are unknown or wrong; all are told at once.
    """
    return with_settings(VectorsRecipe, "word vectors", values, settings, "noise_power=0.75")
