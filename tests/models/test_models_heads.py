"""Heads on a masked model: packed or padded, a text gets what it gets alone."""

from __future__ import annotations

import math

import pytest
import torch

from seqloom.models.base import MaskedModel
from seqloom.models.bert import Bert
from seqloom.models.heads import Classifier, SentenceEncoder, Tagger, starts_of
from seqloom.recipe.language import BertRecipe
from toy_masked import ToyMasked

# Two rows of packed texts: lengths 3 and 2, then 4; 0 is padding.
IDS = torch.tensor([[1, 5, 2, 1, 2], [1, 7, 8, 2, 0]])
DOCUMENTS = torch.tensor([[1, 1, 1, 2, 2], [1, 1, 1, 1, 0]])
SEGMENTS = torch.tensor([[0, 0, 1, 0, 0], [0, 1, 1, 1, 0]])
STARTS = torch.tensor([0, 3, 5])
ALONE = [(0, slice(0, 3)), (0, slice(3, 5)), (1, slice(0, 4))]


def bert() -> Bert:
    torch.manual_seed(3)
    recipe = BertRecipe(width=8, feedforward=16, heads=2, layers=2, context=16)
    return Bert(recipe, 30).eval()


def heads() -> list[torch.nn.Module]:
    return [
        head.eval()
        for encoder in (ToyMasked(), bert())
        for head in (
            Classifier(encoder, 3), Classifier(encoder, 3, pooling="first"),
            SentenceEncoder(encoder), SentenceEncoder(encoder, "first"),
        )
    ]  # fmt: skip


KINDS = ("class, mean", "class, first", "mean", "first")
NAMES = [f"{encoder} {head}" for encoder in ("toy", "bert") for head in KINDS]


@pytest.mark.parametrize("head", heads(), ids=NAMES)
def test_packed_texts_get_what_each_gets_alone(head: torch.nn.Module) -> None:
    packed = head(IDS, DOCUMENTS, SEGMENTS, STARTS)
    for text, (row, part) in enumerate(ALONE):
        alone = head(IDS[row : row + 1, part], None, SEGMENTS[row : row + 1, part])
        torch.testing.assert_close(packed[text], alone[0])


@pytest.mark.parametrize("head", heads(), ids=NAMES)
def test_starts_decide_the_order_and_can_be_left_out(head: torch.nn.Module) -> None:
    expected = head(IDS, DOCUMENTS, SEGMENTS, STARTS)
    torch.testing.assert_close(head(IDS, DOCUMENTS, SEGMENTS), expected)
    order = torch.tensor([2, 0, 1])
    torch.testing.assert_close(head(IDS, DOCUMENTS, SEGMENTS, STARTS[order]), expected[order])


@pytest.mark.parametrize("head", heads(), ids=NAMES)
def test_padded_rows_get_what_packed_ones_get(head: torch.nn.Module) -> None:
    ids = torch.tensor([[1, 5, 2, 0], [1, 2, 0, 0], [1, 7, 8, 2]])
    segments = torch.tensor([[0, 0, 1, 0], [0, 0, 0, 0], [0, 1, 1, 1]])
    padded = head(ids, (ids > 0).long(), segments)
    torch.testing.assert_close(padded, head(IDS, DOCUMENTS, SEGMENTS, STARTS))


@pytest.mark.parametrize("encoder", [ToyMasked(), bert()], ids=["toy", "bert"])
def test_words_are_tagged_by_their_first_pieces(encoder: MaskedModel) -> None:
    tagger = Tagger(encoder, 4).eval()
    places = torch.tensor([1, 4, 6, 7])
    packed = tagger(IDS, places, DOCUMENTS, SEGMENTS)
    assert packed.shape == (4, 4)
    for word, (text, column) in enumerate([(0, 1), (1, 1), (2, 1), (2, 2)]):
        row, part = ALONE[text]
        segments = SEGMENTS[row : row + 1, part]
        alone = tagger(IDS[row : row + 1, part], torch.tensor([column]), None, segments)
        torch.testing.assert_close(packed[word], alone[0])


def test_a_sentence_vector_is_the_mean_of_its_tokens_made_one_long() -> None:
    encoder = ToyMasked()
    vectors = SentenceEncoder(encoder)(IDS, DOCUMENTS, SEGMENTS)
    hidden = encoder(IDS, DOCUMENTS, SEGMENTS)
    mean = hidden[0, 3:5].mean(0)
    torch.testing.assert_close(vectors[1], mean / math.sqrt(float((mean.detach() ** 2).sum())))
    torch.testing.assert_close(vectors.norm(dim=1), torch.ones(3))
    first = SentenceEncoder(encoder, "first")(IDS, DOCUMENTS, SEGMENTS)[2]
    torch.testing.assert_close(first, hidden[1, 0] / hidden[1, 0].norm())


def test_padding_has_no_part_in_gradients() -> None:
    encoder = ToyMasked()
    SentenceEncoder(encoder)(IDS, DOCUMENTS, SEGMENTS)[:, 0].sum().backward()
    assert encoder.tokens.weight.grad is not None
    assert encoder.tokens.weight.grad[0].abs().sum() == 0
    assert encoder.tokens.weight.grad[8].abs().sum() > 0


def test_new_layers_begin_as_those_of_bert_do() -> None:
    for output in (Classifier(ToyMasked(width=64), 300).output, Tagger(ToyMasked(), 9).output):
        assert output.bias.abs().sum() == 0
        assert 0.015 < float(output.weight.detach().std()) < 0.025


def test_dropout_acts_in_training_alone() -> None:
    classifier = Classifier(ToyMasked(), 3, dropout=0.5)
    one, other = (classifier.train()(IDS, DOCUMENTS) for _ in range(2))
    assert not torch.equal(one, other)
    one, other = (classifier.eval()(IDS, DOCUMENTS) for _ in range(2))
    assert torch.equal(one, other)


def test_places_at_which_documents_begin() -> None:
    assert starts_of(IDS, DOCUMENTS).tolist() == [0, 3, 5]
    assert starts_of(IDS, None).tolist() == [0, 5]
    assert starts_of(IDS, torch.tensor([[1, 2, 3, 4, 5], [5, 6, 0, 0, 0]])).tolist() == [*range(7)]
