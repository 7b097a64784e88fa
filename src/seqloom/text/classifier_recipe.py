"""What a classifier on a bag of words is: one validated description."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from pydantic import Field

from seqloom.recipe.section import Section
from seqloom.recipe.settings import with_settings
from seqloom.text.bag import BagOptions
from seqloom.text.linear import Kind
from seqloom.text.weighting import Frequency, Norm, Rarity
from seqloom.text.words import WordRule


class ClassifierRecipe(Section):
    """Which words are counted, how they are weighed, and what is trained on them."""

    linear: Kind = "logistic"
    """Logistic regression, which has probabilities; a linear SVM (Fan et al. 2008); or an SVM on
    log-count ratios (nbsvm; Wang and Manning 2012)."""
    c: float | None = Field(None, gt=0)
    """Weight of the loss against the size of the weights; by cross-validation when left out."""
    folds: int = Field(5, ge=2)
    """Parts of the training texts that are held out in turn to choose ``c``."""
    held_out: float = Field(0.1, gt=0, lt=1)
    """Share of the texts of each label that is held out where no validation texts are given."""
    seed: int = Field(1, ge=0)
    """Of the texts held out, the folds, and the order in which the SVM sees texts."""
    stop_words: str | None = None
    """A language or a file of words to leave out."""
    ngrams: tuple[int, int] = (1, 1)
    """From how many to how many words in a row are counted."""
    split: Literal["words", "spaces"] = "words"
    """Find words by letters and scripts, or take what stands between spaces as it is."""
    lowercase: bool = True
    """Lower-case the text."""
    min_documents: int | float = Field(1, ge=0)
    """Words of fewer texts are left out: a number of texts, or a share of them (up to 1.0)."""
    max_documents: int | float = Field(1.0, ge=0)
    """Words of more texts are left out: a number of texts, or a share of them."""
    max_features: int | None = Field(None, ge=1)
    """The most frequent words alone, so many."""
    tf: Frequency | None = None
    """Term frequency; binary for nbsvm, which is defined so, and else share."""
    idf: Rarity | None = None
    """Inverse document frequency; none for nbsvm, and else plain."""
    norm: Norm | None = None
    """What each text is brought to length 1 in; none for nbsvm, and else l2: without it, long texts
    have small shares and short texts large ones."""

    def bag_options(self) -> BagOptions:
        """How texts become vectors.

        Raises:
            VectorsError: bounds that leave nothing.
        """
        presence = self.linear == "nbsvm"
        return BagOptions(
            rule=WordRule(self.split, self.lowercase),
            stop_words=self.stop_words,
            ngrams=self.ngrams,
            min_documents=self.min_documents,
            max_documents=self.max_documents,
            tf=self.tf or ("binary" if presence else "share"),
            idf=self.idf or ("none" if presence else "plain"),
            norm=self.norm or ("none" if presence else "l2"),
            max_features=self.max_features,
        )


def classifier_recipe(values: Mapping[str, Any], settings: Sequence[str] = ()) -> ClassifierRecipe:
    """A recipe of some values, and of ``key=value`` settings on top.

    Raises:
        RecipeError: fields that are unknown or wrong; all are told at once.
    """
    return with_settings(ClassifierRecipe, "classifier", values, settings, "min_documents=2")
