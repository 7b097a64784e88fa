"""word2vec in batches of windows on tensors: the full softmax anywhere, every objective on a GPU.

The losses are those of the papers, differentiated by torch. A step is gradient descent on the sum
over a batch. A row that occurs often in a batch, such as the root of the tree, would be carried too
far by its many changes, which are all computed from the same values: beyond :data:`MOST_CHANGES`
they count for no more than so many.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from seqloom.recipe.vectors import VectorsRecipe
from seqloom.text import ngrams
from seqloom.text.word2vec.encoded import LINE_END
from seqloom.text.word2vec.learner import Learner
from seqloom.text.word2vec.vocabulary import Vocabulary, huffman, keep_chances

MOST_CHANGES = 16
"""Changes of one row in a batch that are added up; of more, so many times their mean."""


class Found(NamedTuple):
    """A loss, and the rows of both matrices that it rests on, each as often as it does."""

    loss: Tensor
    inputs: Tensor
    outputs: Tensor


class Batched(Learner):
    """The matrices of one training on a device, and how they learn."""

    def __init__(self, vocabulary: Vocabulary, recipe: VectorsRecipe, device: torch.device) -> None:
        self._recipe = recipe
        self._device = device
        self._sparse = device.type != "mps"  # which has no sparse gradients
        self._chances = keep_chances(vocabulary.counts, recipe.subsample)
        generator = torch.Generator().manual_seed(recipe.seed)
        rows = len(vocabulary) + (recipe.buckets if recipe.subwords else 0)
        first = (torch.rand(rows, recipe.width, generator=generator) - 0.5) / recipe.width
        self.inputs = first.to(device).requires_grad_()
        self.outputs = torch.zeros(len(vocabulary), recipe.width, device=device, requires_grad=True)
        noise = torch.from_numpy(vocabulary.counts**recipe.noise_power)
        self._noise = noise.to(device, torch.float32)
        self._parts = _padded_parts(vocabulary, recipe).to(device) if recipe.subwords else None
        if recipe.objective == "hierarchical":
            self._nodes, self._codes = (t.to(device) for t in _padded_ways(vocabulary.counts))

    def learn(self, numbers: np.ndarray, rate: float, seed: int) -> None:
        """Learn from a chunk of words, lines ended by -1."""
        random = np.random.default_rng(seed)
        torch.manual_seed(seed & 0x7FFFFFFFFFFFFFFF)
        words, around = windows(numbers, self._recipe, self._chances, random)
        for begin in range(0, len(words), self._recipe.batch):
            part = slice(begin, begin + self._recipe.batch)
            target = torch.from_numpy(words[part]).to(self._device)
            context = torch.from_numpy(around[part]).to(self._device)
            found = self.loss(context, target)
            gradients = torch.autograd.grad(found.loss, (self.inputs, self.outputs))
            _descend(self.inputs, gradients[0], found.inputs, rate)
            _descend(self.outputs, gradients[1], found.outputs, rate)

    def loss(self, context: Tensor, target: Tensor) -> Found:
        """Sum over a batch of -log p(word | words around it).

        Args:
            context: words around each word [B 2W], -1 where there is none.
            target: the words in the middle [B].
        """
        there = context >= 0
        rows = self._rows_of(context[there])
        if self._recipe.architecture == "cbow":
            found = self._vectors(context.clamp_min(0)) * there.unsqueeze(-1)
            hidden = found.sum(dim=1)
            if self._recipe.combine == "mean":
                hidden = hidden / there.sum(dim=1, keepdim=True)
        else:
            hidden = self._vectors(context[there])
            target = target.unsqueeze(1).expand_as(context)[there]
        objectives = {
            "softmax": self._softmax_loss, "hierarchical": self._tree_loss,
            "negative": self._noise_loss,
        }  # fmt: skip
        loss, used = objectives[self._recipe.objective](hidden, target)
        return Found(loss, rows, used)

    def _rows_of(self, words: Tensor) -> Tensor:
        """Rows of the input matrix that make up words, one after the other."""
        if self._parts is None:
            return words
        parts = self._parts[words]
        return parts[parts >= 0]

    def _vectors(self, words: Tensor) -> Tensor:
        """Input vectors: rows of the words, or the means of them and their n-grams'."""
        if self._parts is None:
            return F.embedding(words, self.inputs, sparse=self._sparse)
        parts = self._parts[words]
        there = (parts >= 0).unsqueeze(-1)
        found = F.embedding(parts.clamp_min(0), self.inputs, sparse=self._sparse) * there
        return found.sum(dim=-2) / there.sum(dim=-2)

    def _softmax_loss(self, hidden: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
        """-log of exp(h.o) over the sum of all words' (Mikolov et al. 2013b, equation 2)."""
        return F.cross_entropy(hidden @ self.outputs.T, target, reduction="sum"), target

    def _noise_loss(self, hidden: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
        """-log s(h.o) - sum over the drawn of log s(-h.o) (Mikolov et al. 2013b, equation 4)."""
        number = self._recipe.negatives
        drawn = torch.multinomial(self._noise, len(target) * number, replacement=True)
        drawn = drawn.view(len(target), number)
        rows = torch.cat([target.unsqueeze(1), drawn], dim=1)
        scores = self._scores(hidden, rows)
        sign = torch.ones_like(scores)
        sign[:, 0] = -1
        differs = drawn != target.unsqueeze(1)  # a word is not drawn against itself
        counted = torch.cat([torch.ones_like(differs[:, :1]), differs], dim=1)
        return (F.softplus(sign * scores) * counted).sum(), rows[counted]

    def _tree_loss(self, hidden: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
        """-log of the chance to take every turn on the way to the word."""
        nodes, codes = self._nodes[target], self._codes[target]
        there = nodes >= 0
        scores = self._scores(hidden, nodes.clamp_min(0))
        return (F.softplus((1 - 2 * codes) * scores) * there).sum(), nodes[there]

    def _scores(self, hidden: Tensor, rows: Tensor) -> Tensor:
        """Products [B N] of vectors [B D] and rows [B N] of the output matrix."""
        chosen = F.embedding(rows, self.outputs, sparse=self._sparse)
        return torch.einsum("bd,bnd->bn", hidden, chosen)

    def is_finite(self) -> bool:
        """Whether the vectors of the most frequent words are numbers yet."""
        sums = self.inputs[:64].sum() + self.outputs[:64].sum()
        return bool(torch.isfinite(sums))

    def vectors(self) -> np.ndarray:
        """Input vectors as they are now, words before n-grams, float32 [V+buckets D]."""
        return self.inputs.detach().cpu().numpy().copy()


def _descend(weight: Tensor, gradient: Tensor, rows: Tensor, rate: float) -> None:
    """Change ``weight`` by ``gradient``, rows with too many changes by less."""
    often = torch.bincount(rows, minlength=len(weight)).clamp_min(MOST_CHANGES)
    if not gradient.is_sparse:
        weight.data.addcdiv_(gradient, often.unsqueeze(1), value=-rate * MOST_CHANGES)
        return
    gradient = gradient.coalesce()
    (changed,) = gradient.indices()
    change = gradient.values() * (MOST_CHANGES / often[changed]).unsqueeze(1)
    weight.data.index_add_(0, changed, change, alpha=-rate)


def windows(
    numbers: np.ndarray, recipe: VectorsRecipe, chances: np.ndarray, random: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """The words of a chunk that have others around them [n], and these others [n 2W], -1 for none.

    Words are skipped, and the sizes of windows drawn, as in the passes over a text on processors.
    """
    word = numbers != LINE_END
    kept = ~word
    kept[word] = random.random(int(word.sum())) < chances[numbers[word]]
    numbers = numbers[kept].astype(np.int64)
    line = np.cumsum(numbers == LINE_END)
    places = np.flatnonzero(numbers != LINE_END)
    reach = np.full(len(places), recipe.window)
    if recipe.dynamic_window:
        reach = random.integers(1, recipe.window + 1, len(places))
    distances = [d for d in range(-recipe.window, recipe.window + 1) if d]
    around = np.full((len(places), len(distances)), -1, np.int64)
    for column, distance in enumerate(distances):
        other = np.clip(places + distance, 0, len(numbers) - 1)
        inside = (abs(distance) <= reach) & (other == places + distance)
        inside &= (numbers[other] != LINE_END) & (line[other] == line[places])
        around[inside, column] = numbers[other[inside]]
    has_others = (around >= 0).any(axis=1)
    return numbers[places][has_others], around[has_others]


def _padded_ways(counts: np.ndarray) -> tuple[Tensor, Tensor]:
    """The ways through the Huffman tree, [V longest] each, padded with -1 and 0."""
    starts, nodes, codes = huffman(counts)
    lengths = np.diff(starts)
    inside = np.arange(int(lengths.max())) < lengths[:, None]
    padded = np.full(inside.shape, -1, np.int64)
    turns = np.zeros(inside.shape, np.float32)
    padded[inside], turns[inside] = nodes, codes
    return torch.from_numpy(padded), torch.from_numpy(turns)


def _padded_parts(vocabulary: Vocabulary, recipe: VectorsRecipe) -> Tensor:
    """Rows of each word and of its n-grams [V most], padded with -1."""
    starts, rows = ngrams.table(
        vocabulary.words, recipe.shortest_ngram, recipe.longest_ngram, recipe.buckets
    )
    lengths = np.diff(starts)
    inside = np.arange(int(lengths.max(initial=0))) < lengths[:, None]
    padded = np.full(inside.shape, -1, np.int64)
    padded[inside] = rows + len(vocabulary)
    own = np.arange(len(vocabulary))[:, None]
    return torch.from_numpy(np.concatenate([own, padded], axis=1))
