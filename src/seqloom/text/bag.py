"""Bag of words: a text as the weights of its words, their order forgotten (TF-IDF).

scikit-learn counts; what a word is, :class:`~seqloom.text.words.WordRule` decides (Chinese and
other scripts without spaces are cut by ICU), and :mod:`seqloom.text.weighting` how much it weighs.
Axes: documents by V words of the vocabulary.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from seqloom.errors import VectorsError
from seqloom.text.choice import Terms, chosen_columns, refuse_empty
from seqloom.text.stopwords import stop_words
from seqloom.text.stored import load_stored, save_stored
from seqloom.text.weighting import Frequency, Norm, Rarity, check_choice, lengths, rarity, weigh
from seqloom.text.words import WordRule

if TYPE_CHECKING:
    from scipy.sparse import csr_array

NAME = "bag"
"""Of the files ``bag.json`` and ``bag.safetensors``."""


@dataclass(frozen=True)
class BagOptions:
    """Which words are counted, and how they are weighed.

    Raises:
        VectorsError: a value that does not exist, or bounds that leave nothing.
    """

    rule: WordRule = field(default_factory=WordRule)
    """What a word is."""
    stop_words: str | None = None
    """A language or a file, see :func:`~seqloom.text.stopwords.stop_words`; left out first."""
    ngrams: tuple[int, int] = (1, 1)
    """From how many to how many words in a row are one entry of the vocabulary."""
    min_documents: int | float = 1
    """Rarer words are left out: a number of documents, or a share of them (a float up to 1.0)."""
    max_documents: int | float = 1.0
    """More widespread words are left out: a number of documents, or a share of them."""
    tf: Frequency = "share"
    """Term frequency, see :func:`~seqloom.text.weighting.weigh`."""
    idf: Rarity = "plain"
    """Inverse document frequency, see :func:`~seqloom.text.weighting.rarity`."""
    norm: Norm = "none"
    """What each document is brought to length 1 in."""
    max_features: int | None = None
    """The most frequent words alone, so many."""

    def __post_init__(self) -> None:
        check_choice("tf", self.tf, Frequency)
        check_choice("idf", self.idf, Rarity)
        check_choice("norm", self.norm, Norm)
        if not 1 <= self.ngrams[0] <= self.ngrams[1]:
            raise VectorsError(
                f"ngrams {self.ngrams[0]} {self.ngrams[1]}: expected the shortest and the longest, "
                "such as 1 2."
            )
        for name, bound in (("min", self.min_documents), ("max", self.max_documents)):
            if not (0 <= bound <= 1 if isinstance(bound, float) else bound >= 1):
                raise VectorsError(
                    f"{name}_documents {bound}: expected a number of documents such as 5, or a "
                    "share of them between 0.0 and 1.0."
                )
        if self.max_features is not None and self.max_features < 1:
            raise VectorsError(f"max_features {self.max_features}: expected 1 or more.")

    def as_dict(self) -> dict[str, Any]:
        """What ``bag.json`` says of them."""
        return {**asdict(self), "rule": self.rule.as_dict()}

    @classmethod
    def from_dict(cls, values: Any) -> BagOptions:
        """The options that :meth:`as_dict` told.

        Raises:
            VectorsError: they are none.
        """
        try:
            rule, ngrams = WordRule.from_dict(values["rule"]), tuple(values["ngrams"])
            return cls(**{**values, "rule": rule, "ngrams": ngrams})
        except (KeyError, TypeError, IndexError) as error:
            raise VectorsError(f"these are no options of a bag of words ({error}).") from None


class Bag:
    """A vocabulary with the document counts of its words: what turns texts into weights.

    Args:
        options: how it was made.
        words: the vocabulary [V].
        in_documents: how many documents hold each word, int64 [V].
        documents: how many documents there were.
        stop: stop words, lower-cased.
    """

    def __init__(
        self,
        options: BagOptions,
        words: Sequence[str],
        in_documents: NDArray[np.int64],
        documents: int,
        stop: frozenset[str] = frozenset(),
    ) -> None:
        self.options = options
        self.words = list(words)
        self.in_documents = in_documents
        self.documents = documents
        self.idf: NDArray[np.float64] = rarity(in_documents, documents, options.idf)
        """Inverse document frequency [V]."""
        self._stop = stop

    @classmethod
    def fit(cls, texts: Iterable[str], options: BagOptions | None = None) -> Bag:
        """Learn the vocabulary of some texts, each a document.

        Raises:
            VectorsError: no documents, or no word is left; says which counts there are.
            MissingExtraError: an unspaced script, and ICU is not installed.
        """
        return cls.fit_transform(texts, options)[0]

    @classmethod
    def fit_transform(
        cls, texts: Iterable[str], options: BagOptions | None = None
    ) -> tuple[Bag, csr_array]:
        """:meth:`fit` and :meth:`transform` in one pass over the texts.

        Raises:
            VectorsError: no documents, or no word is left; says which counts there are.
            MissingExtraError: an unspaced script, and ICU is not installed.
        """
        from scipy.sparse import csr_array
        from sklearn.feature_extraction.text import CountVectorizer

        options = options or BagOptions()
        stop = _stop_words(options)
        terms = Terms(stop, options.ngrams)
        vectorizer = CountVectorizer(analyzer=terms)
        try:
            counted = vectorizer.fit_transform(options.rule.lists(texts))
        except ValueError as error:
            if "empty vocabulary" not in str(error):
                raise
            refuse_empty(terms, options.stop_words, error)
        counts = csr_array(counted)
        counts.sort_indices()  # sums are then rounded alike in fit and transform
        words = vectorizer.get_feature_names_out()
        columns = chosen_columns(
            counts, words, options.min_documents, options.max_documents, options.max_features
        )
        counts = counts[:, columns]
        in_documents = np.bincount(counts.indices, minlength=len(columns))
        bag = cls(options, words[columns].tolist(), in_documents, counts.shape[0], stop)
        return bag, bag._weigh(counts)

    def transform(self, texts: Iterable[str]) -> csr_array:
        """The weights of texts [documents V], float64; a text without known words is all zeros.

        Raises:
            VectorsError: a text that is not Unicode.
            MissingExtraError: an unspaced script, and ICU is not installed.
        """
        from scipy.sparse import csr_array

        lists = self.options.rule.lists(texts)
        return self._weigh(csr_array(self._vectorizer.transform(lists)))

    def keywords(self, text: str, number: int = 10) -> list[tuple[str, float]]:
        """The weightiest words of a text with their weights; fewer if it has fewer.

        Raises:
            VectorsError: the text is not Unicode.
            MissingExtraError: an unspaced script, and ICU is not installed.
        """
        return self.weightiest(self.transform([text]), number)[0]

    def weightiest(self, weights: csr_array, number: int) -> list[list[tuple[str, float]]]:
        """For each document [documents V] its weightiest words; equal ones by the alphabet."""
        found = []
        for start, end in zip(weights.indptr[:-1], weights.indptr[1:], strict=True):
            values, columns = weights.data[start:end], weights.indices[start:end]
            best = np.lexsort((columns, -values))[:number]
            found.append([(self.words[columns[place]], float(values[place])) for place in best])
        return found

    def save(self, folder: str | Path) -> None:
        """Write ``bag.json`` and ``bag.safetensors``.

        Raises:
            FolderError: they cannot be written.
        """
        values = {
            "options": self.options.as_dict(),
            "documents": self.documents,
            "stop_words": sorted(self._stop),
            "words": self.words,
        }
        arrays = {"idf": self.idf, "in_documents": self.in_documents}
        save_stored(Path(folder), NAME, values, arrays)

    @classmethod
    def load(cls, folder: str | Path) -> Bag:
        """Read what :meth:`save` wrote.

        Raises:
            VectorsError: no such folder, or it is damaged.
        """
        hint = "Make a bag of words: seqloom vectors bag FILE... --out DIR"
        values, arrays = load_stored(Path(folder), NAME, hint)
        try:
            options = BagOptions.from_dict(values["options"])
            words, documents, stop = values["words"], values["documents"], values["stop_words"]
            if len(words) != len(arrays["in_documents"]):
                raise VectorsError(f"{len(words)} words, but other counts")
            return cls(options, words, arrays["in_documents"], documents, frozenset(stop))
        except (KeyError, TypeError, VectorsError) as error:
            raise VectorsError(
                f"{folder}: bag.json is damaged ({error}); copy the whole folder again, or make it "
                "anew."
            ) from None

    @cached_property
    def _vectorizer(self) -> Any:
        from sklearn.feature_extraction.text import CountVectorizer

        terms = Terms(self._stop, self.options.ngrams)
        return CountVectorizer(analyzer=terms, vocabulary=self.words)

    def _weigh(self, counts: csr_array) -> csr_array:
        return weigh(counts, self.idf, self.options.tf, self.options.norm)


def similar(bag: Bag, weights: csr_array, query: str, number: int = 10) -> list[tuple[int, float]]:
    """The documents most similar to a text, by the cosine of their weights.

    Args:
        bag: whose words they are.
        weights: of the documents [documents V], as :meth:`Bag.transform` gives them.
        query: the text.
        number: how many documents, at most; those without a common word are none.

    Returns:
        Row and cosine of each, the most similar first; equal ones in their order.

    Raises:
        VectorsError: no word of the text has a weight.
    """
    vector = bag.transform([query])
    (length,) = lengths(vector)
    if not length:
        words = list(dict.fromkeys(bag.options.rule.words(query)))
        shown = ", ".join(words[:5]) + (" ..." if len(words) > 5 else "")
        raise VectorsError(
            f"no word of the text has a weight in this bag of {len(bag.words):,} words: "
            f"{shown or 'the text has no words'}. Words that no document or every document holds "
            "do not tell documents apart."
        )
    products = weights @ vector.toarray()[0]
    norms = lengths(weights) * length
    cosines = np.divide(products, norms, out=np.zeros_like(products), where=norms > 0)
    best = np.argsort(-cosines, kind="stable")[:number]
    return [(int(row), min(1.0, float(cosines[row]))) for row in best if cosines[row] > 0]


def _stop_words(options: BagOptions) -> frozenset[str]:
    """The stop words as the rule finds them in texts; those that are no single word to it go."""
    if options.stop_words is None:
        return frozenset()
    found = options.rule.lists(sorted(stop_words(options.stop_words)))
    return frozenset(words[0] for words in found if len(words) == 1)
