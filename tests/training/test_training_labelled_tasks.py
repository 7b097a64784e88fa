"""Tasks of fine-tuning: losses by hand, gradients of ranking, and that a toy learns each."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from seqloom.corpus.classes import gather
from seqloom.corpus.labels import read_labelled
from seqloom.corpus.tagged import read_tagged
from seqloom.models.heads import Classifier, SentenceEncoder, Tagger
from seqloom.text.examples import (
    UNKNOWN,
    Example,
    Examples,
    pair_examples,
    tag_examples,
    text_examples,
)
from seqloom.text.tokenizer import Tokenizer
from seqloom.training.labelled_batches import collate, labelled_batches
from seqloom.training.labelled_tasks import (
    Classification,
    Ranking,
    Tagging,
    label_probabilities,
    ranking_loss,
    sentence_vectors,
)
from toy_masked import ToyMasked

CPU = torch.device("cpu")


def items(*labels: list[int]) -> list[Example]:
    lengths = [3, 6, 4, 5, 2]
    return [
        Example([1, *range(5, 5 + length), 2], [0] * (length + 2), [*range(len(of))], of, number)
        for number, (length, of) in enumerate(zip(lengths, labels, strict=False))
    ]


def test_the_loss_of_classes_is_summed_over_texts() -> None:
    model = Classifier(ToyMasked(), 3).eval()
    found = items([0], [2], [UNKNOWN], [1])
    loss = Classification()(model, collate(Examples(found), [3, 0, 1, 2]))
    expected = 0.0
    for each in found:
        if each.labels != [UNKNOWN]:
            alone = model(torch.tensor([each.ids]))[0].log_softmax(0).detach()
            expected -= float(alone[each.labels[0]])
    assert loss.tokens == 3
    assert loss.total.item() == pytest.approx(expected, rel=1e-5)
    assert loss.plain.item() == pytest.approx(expected, rel=1e-5)
    assert not loss.plain.requires_grad


def test_the_loss_of_tags_is_summed_over_words() -> None:
    model = Tagger(ToyMasked(), 3).eval()
    found = items([0, 1, UNKNOWN], [2, 2], [1])
    loss = Tagging()(model, collate(Examples(found), [1, 2, 0]))
    expected = 0.0
    for each in found:
        alone = model(torch.tensor([each.ids]), torch.tensor(each.places)).log_softmax(-1).detach()
        expected -= sum(float(alone[w, of]) for w, of in enumerate(each.labels) if of != UNKNOWN)
    assert loss.tokens == 5
    assert loss.total.item() == pytest.approx(expected, rel=1e-5)


def naive(first: Tensor, second: Tensor, scale: float, symmetric: bool, texts: Tensor) -> Tensor:
    """The formula, pair by pair."""
    total = torch.zeros((), dtype=first.dtype)
    pairs = range(len(first))

    def score(one: int, other: int) -> Tensor:
        return torch.exp(scale * F.cosine_similarity(first[one], second[other], dim=0))

    def wrong(one: int, other: int) -> bool:
        a, b = texts[one].tolist(), texts[other].tolist()
        return a[0] != b[0] and a[1] != b[1] and a[0] != b[1]

    for i in pairs:
        others = [score(i, j) for j in pairs if j != i and wrong(i, j)]
        total = total - torch.log(score(i, i) / (score(i, i) + sum(others)))
        if symmetric:
            others = [score(j, i) for j in pairs if j != i and wrong(j, i)]
            total = total - torch.log(score(i, i) / (score(i, i) + sum(others)))
    return total / 2 if symmetric else total


@pytest.mark.parametrize("symmetric", [False, True])
@pytest.mark.parametrize("scale", [1.0, 20.0])
def test_ranking_and_its_gradients_equal_the_formula(scale: float, symmetric: bool) -> None:
    torch.manual_seed(7)
    texts = torch.tensor([[0, 1], [2, 3], [4, 1], [0, 5], [6, 2], [7, 8]])
    sides = [torch.randn(6, 5, dtype=torch.float64, requires_grad=True) for _ in range(2)]
    ours = ranking_loss(*(F.normalize(side) for side in sides), scale, symmetric, texts)
    gradients = torch.autograd.grad(ours, sides)
    theirs = naive(*sides, scale, symmetric, texts)
    torch.testing.assert_close(ours, theirs)
    for one, other in zip(gradients, torch.autograd.grad(theirs, sides), strict=True):
        torch.testing.assert_close(one, other)


def test_ranking_by_hand() -> None:
    """Two pairs at right angles: each partner has score 1, each other 0."""
    vectors, texts = torch.eye(2), torch.tensor([[0, 1], [2, 3]])
    expected = 2 * math.log(1 + math.exp(-2.0))
    assert float(ranking_loss(vectors, vectors, 2.0, False, texts)) == pytest.approx(expected)
    same = torch.tensor([[0, 1], [2, 1]])
    assert float(ranking_loss(vectors, vectors, 2.0, False, same)) == 0.0, "no wrong answer is left"


def test_sentences_pass_twice_under_two_masks_of_dropout() -> None:
    model = SentenceEncoder(ToyMasked(dropout=0.5))
    sentences = [each._replace(labels=[n]) for n, each in enumerate(items([0], [0], [0]))]
    pairs = [each for each in sentences for _ in range(2)]
    batch = collate(Examples(pairs), range(6))
    vectors = model.train()(batch.ids, batch.documents, batch.segments, batch.starts)
    assert not torch.allclose(vectors[0::2], vectors[1::2])
    vectors = model.eval()(batch.ids, batch.documents, batch.segments, batch.starts)
    torch.testing.assert_close(vectors[0::2], vectors[1::2])
    loss = Ranking()(model.train(), batch)
    assert loss.tokens == 3
    assert loss.total.requires_grad


def test_probabilities_and_vectors_come_in_the_order_of_the_examples() -> None:
    found = Examples(items([0, 1, 2], [0], [1, 1], [2], [0]))
    tagger, vectors = Tagger(ToyMasked(dropout=0.5), 3), SentenceEncoder(ToyMasked())
    tags = label_probabilities(tagger.train(), found, CPU)
    assert tagger.training, "as it was"
    assert [len(each) for each in tags] == [3, 1, 2, 1, 1]
    together = sentence_vectors(vectors, found, CPU)
    for each, of_words, vector in zip(found.items, tags, together, strict=True):
        ids = torch.tensor([each.ids])
        alone = tagger.eval()(ids, torch.tensor(each.places)).softmax(-1)
        torch.testing.assert_close(of_words, alone.detach())
        torch.testing.assert_close(vector, vectors(ids)[0].detach())


def learn(task: Any, model: torch.nn.Module, found: Examples, epochs: int, size: int) -> None:
    optimizer = torch.optim.AdamW(model.parameters(), 0.01)
    model.train()
    for epoch in range(epochs):
        for batch in labelled_batches(found, size, epoch=epoch):
            loss = task(model, batch)
            optimizer.zero_grad()
            (loss.total / loss.tokens).backward()
            optimizer.step()


def test_a_toy_learns_the_question_types_of_trec(real_data: Path) -> None:
    path = real_data / "trec" / "train.txt"
    texts = gather(read_labelled([path], label_first=True, until=":")).choose(range(1200), "trec")
    numbers = {label: number for number, label in enumerate(sorted(texts.counts))}
    labels = [numbers[label] for label in texts.labels]
    tokenizer = Tokenizer.train(texts.texts, "bpe", 600)
    found = text_examples(tokenizer, texts.texts, 64, labels=labels)
    assert found.said is not None or max(len(each.ids) for each in found.items) <= 64
    held = Examples(found.items[1000:])
    model = Classifier(ToyMasked(tokenizer.size, 32), len(numbers))
    learn(Classification(), model, Examples(found.items[:1000]), 4, 32)
    said = label_probabilities(model, held, CPU)
    said = torch.stack([each[0] for each in said]).argmax(-1)
    right = torch.tensor([each.labels[0] for each in held.items])
    assert float((said == right).float().mean()) > 0.5, "the commonest type has a quarter"


def test_a_toy_learns_the_tags_of_a_treebank(real_data: Path) -> None:
    path = real_data / "ud" / "UD_English-EWT" / "en_ewt-ud-dev.conllu"
    sentences = read_tagged([path])
    tags = {tag: number for number, tag in enumerate(sorted(sentences.counts))}
    tokenizer = Tokenizer.train([each.text for each in sentences.sentences], "bpe", 1500)
    found = tag_examples(tokenizer, sentences, tags, 64)
    assert found.said is not None
    assert "are split between words" in found.said
    assert sum(len(each.labels) for each in found.items) == sentences.words
    model = Tagger(ToyMasked(tokenizer.size, 32), len(tags))
    learn(Tagging(), model, Examples(found.items[:1800]), 3, 32)
    held = Examples(found.items[1800:])
    said = torch.cat(label_probabilities(model, held, CPU)).argmax(-1)
    right = torch.tensor([label for each in held.items for label in each.labels])
    assert float((said == right).float().mean()) > 0.6, "nouns are 17 %"


@pytest.mark.parametrize("symmetric", [False, True])
def test_a_toy_learns_to_find_partners(symmetric: bool) -> None:
    words = [f"{a}{b}" for a in "abcdefgh" for b in "abcdefgh"]
    tokenizer = Tokenizer.train(["abcdefgh ABCDEFGH"], "character", 600, exact=False)
    pairs = [(word, word.upper()) for word in words]
    found = pair_examples(tokenizer, pairs, 16)
    model = SentenceEncoder(ToyMasked(tokenizer.size, 32))

    def hits() -> float:
        vectors = sentence_vectors(model, found, CPU)
        best = (vectors[0::2] @ vectors[1::2].t()).argmax(1)
        return float((best == torch.arange(len(pairs))).float().mean())

    before = hits()
    learn(Ranking(symmetric=symmetric), model, found, 30, 32)
    assert before < 0.3
    assert hits() > 0.8
