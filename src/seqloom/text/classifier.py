"""A bag of words and a linear classifier on top: the baseline of every text classifier.

What it says can be taken apart: the score of a class is its bias and, for each word of the text,
the word's value in the text times its weight for the class.

Axes: N texts, V words, C classes.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from seqloom.corpus.classes import folds
from seqloom.errors import VectorsError
from seqloom.text.bag import NAME as BAG
from seqloom.text.bag import Bag
from seqloom.text.classifier_recipe import ClassifierRecipe
from seqloom.text.linear import Kind, Weights, fit, scores, search
from seqloom.text.stored import digest_of, load_stored, save_stored

if TYPE_CHECKING:
    from seqloom.corpus.pairs import Progress

NAME = "classifier"
"""Of the files that a classifier is stored in, beside those of its bag."""


class BagClassifier:
    """Labels for texts by their words.

    Args:
        bag: makes vectors of texts.
        classes: the labels, by the alphabet.
        learnt: weights and biases.
        kind: of classifier.
        c: how it was regularised.
        tried: C -> accuracy in the cross-validation; empty where C was given, or forgotten.
    """

    def __init__(
        self,
        bag: Bag,
        classes: Sequence[str],
        learnt: Weights,
        kind: Kind,
        c: float,
        tried: dict[float, float] | None = None,
    ) -> None:
        self.bag = bag
        self.classes = tuple(classes)
        self.learnt = learnt
        self.kind: Kind = kind
        self.c = c
        self.tried = tried or {}

    @classmethod
    def fit(
        cls,
        texts: Sequence[str],
        labels: Sequence[str],
        recipe: ClassifierRecipe | None = None,
        progress: Progress | None = None,
    ) -> BagClassifier:
        """Train; the same texts and recipe always give the same classifier.

        Args:
            texts: to learn from, N.
            labels: of each text, N; two different ones at least.
            recipe: what is counted, and what is trained.
            progress: told how far the cross-validation is.

        Raises:
            VectorsError: the bag is left without words.
        """
        recipe = recipe or ClassifierRecipe()
        classes, target = np.unique(np.asarray(labels, dtype=str), return_inverse=True)
        bag, matrix = Bag.fit_transform(texts, recipe.bag_options())
        kind, c, tried = recipe.linear, recipe.c, dict[float, float]()
        if c is None:
            fold = folds(labels, recipe.folds, recipe.seed)
            c, tried = search(matrix, target, fold, kind, recipe.seed, progress)
        learnt = fit(matrix, target, kind, c, recipe.seed)
        return cls(bag, classes.tolist(), learnt, kind, c, tried)

    def scores(self, texts: Sequence[str]) -> NDArray[np.float64]:
        """The score of each class [N C]; the highest wins."""
        return scores(self.bag.transform(texts), self.learnt)

    def predict(self, texts: Sequence[str]) -> list[str]:
        """The label of each text, N."""
        return [self.classes[at] for at in self.scores(texts).argmax(axis=1).tolist()]

    def probabilities(self, found: NDArray[np.float64]) -> NDArray[np.float64]:
        """The probability of each class [N C] from :meth:`scores`, of logistic regression.

        Raises:
            VectorsError: an SVM, whose scores are no probabilities.
        """
        if self.kind != "logistic":
            raise VectorsError(
                f"a classifier of the kind {self.kind} has scores and no probabilities; train one "
                "with --linear logistic for these."
            )
        if len(self.classes) == 2:
            found = found / 2  # they are -s and s, and the odds of the model are e^s
        exponents = np.exp(found - found.max(axis=1, keepdims=True))
        return exponents / exponents.sum(axis=1, keepdims=True)

    def bias(self, label: str) -> float:
        """What speaks for a class before the text is read.

        Raises:
            VectorsError: there is no such class.
        """
        row, sign = self._row(label)
        return sign * float(self.learnt.bias[row])

    def contributions(
        self, texts: Sequence[str], labels: Sequence[str]
    ) -> list[list[tuple[str, float]]]:
        """What each word of a text adds to the score of a class, the most first.

        With the class's bias they add up to its score.

        Args:
            texts: N.
            labels: the class for each, N.

        Returns:
            Words with what they add, a list a text.

        Raises:
            VectorsError: there is no such class.
        """
        values = self.bag.transform(texts)
        found = []
        for label, start, end in zip(labels, values.indptr[:-1], values.indptr[1:], strict=True):
            row, sign = self._row(label)
            columns = values.indices[start:end]
            added = sign * values.data[start:end] * self.learnt.weights[row][columns]
            best = np.argsort(-added, kind="stable").tolist()
            found.append([(self.bag.words[columns[at]], float(added[at])) for at in best])
        return found

    def telling(self, number: int) -> dict[str, list[tuple[str, float]]]:
        """The words with the largest weights for each class, ``number`` at most, and the weights.

        Only words that speak for the class are among them.
        """
        found = {}
        for label in self.classes:
            row, sign = self._row(label)
            weights = sign * self.learnt.weights[row]
            best = np.argsort(-weights, kind="stable")[:number].tolist()
            found[label] = [
                (self.bag.words[at], float(weights[at])) for at in best if weights[at] > 0
            ]
        return found

    def save(self, folder: str | Path) -> None:
        """Write ``bag.*`` and ``classifier.*``, JSON and safetensors.

        Raises:
            FolderError: they cannot be written.
        """
        folder = Path(folder)
        self.bag.save(folder)
        values = {
            "bag": digest_of(folder, BAG),
            "classes": list(self.classes),
            "kind": self.kind,
            "c": self.c,
        }
        save_stored(folder, NAME, values, self.learnt._asdict())

    @classmethod
    def load(cls, folder: str | Path) -> BagClassifier:
        """Read and verify what :meth:`save` wrote.

        Raises:
            VectorsError: a file is missing, damaged, or from another classifier.
        """
        folder = Path(folder)
        hint = "Train a classifier: seqloom finetune --train FILE --out DIR --bag"
        values, arrays = load_stored(folder, NAME, hint)
        bag = Bag.load(folder)
        try:
            learnt = Weights(**arrays)
            classes, kind, c = (values[name] for name in ("classes", "kind", "c"))
            rows = 1 if len(classes) == 2 else len(classes)
        except (KeyError, TypeError) as error:
            raise VectorsError(f"{folder}: {NAME}.json is damaged ({error}).") from None
        shapes = (learnt.weights.shape, learnt.bias.shape)
        same_bag = values.get("bag") == digest_of(folder, BAG)
        if not same_bag or shapes != ((rows, len(bag.words)), (rows,)):
            raise VectorsError(
                f"{folder}: {NAME}.json and bag.json are not of one classifier; copy the whole "
                "folder again."
            )
        return cls(bag, classes, learnt, kind, c)

    def _row(self, label: str) -> tuple[int, float]:
        """The row of a class among the weights, and the sign with which it speaks for it."""
        if label not in self.classes:
            raise VectorsError(
                f"{label!r} is none of the classes; expected {', '.join(self.classes)}."
            )
        at = self.classes.index(label)
        return (0, 2.0 * at - 1) if len(self.classes) == 2 else (at, 1.0)
