"""The losses of pre-training are those of torch on whole logits, written out naively."""

from __future__ import annotations

import pytest
import torch
from torch.nn import functional as F

from seqloom.models import build_language_model
from seqloom.models.base import CausalModel, MaskedModel
from seqloom.recipe.language import BertRecipe, GptRecipe
from seqloom.symbols import Symbols
from seqloom.training.language_tasks import Counts, HiddenTokens, NextToken
from seqloom.training.masking import MaskedBatch
from seqloom.training.packing import PackedBatch

SIZE, CONTEXT = 23, 12
SMALL = {"width": 16, "feedforward": 24, "heads": 2, "layers": 1, "context": CONTEXT}
DOCUMENTS = torch.tensor(
    [[1, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3], [1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0]]
)


def gpt() -> CausalModel:
    torch.manual_seed(1)
    model = build_language_model(GptRecipe(**SMALL, dropout=0.0), SIZE, Symbols())
    assert isinstance(model, CausalModel)
    return model


def bert() -> MaskedModel:
    torch.manual_seed(1)
    recipe = BertRecipe(**SMALL, dropout=0.0, attention_dropout=0.0)
    model = build_language_model(recipe, SIZE, Symbols(mask=4))
    assert isinstance(model, MaskedModel)
    return model


def packed() -> PackedBatch:
    torch.manual_seed(2)
    inputs, targets = torch.randint(5, SIZE, (2, 2, CONTEXT))
    return PackedBatch(inputs, targets, DOCUMENTS, DOCUMENTS > 0, (0, 1))


def masked(pairs: bool) -> MaskedBatch:
    torch.manual_seed(3)
    chosen = (torch.rand(2, CONTEXT) < 0.4) & (DOCUMENTS > 0)
    starts = torch.tensor([[0, 0], [0, 5], [0, 9], [1, 0]])
    follows = torch.tensor([0, 1, 1, 0]) if pairs else torch.tensor([], dtype=torch.long)
    labels = torch.randint(5, SIZE, (int(chosen.sum()),))
    inputs = torch.randint(5, SIZE, (2, CONTEXT))
    segments = torch.randint(0, 2, (2, CONTEXT))
    return MaskedBatch(inputs, DOCUMENTS, segments, chosen, labels, starts, follows, (0, 1))


def gradients(model: torch.nn.Module) -> dict[str, torch.Tensor]:
    return {n: p.grad.clone() for n, p in model.named_parameters() if p.grad is not None}


def test_the_next_token() -> None:
    batch, ours, theirs = packed(), gpt(), gpt()
    loss = NextToken()(ours, batch)
    loss.total.backward()
    logits = theirs.project(theirs(batch.inputs, batch.documents))
    labels = batch.targets.masked_fill(~batch.real, -100)
    expected = F.cross_entropy(logits.flatten(0, 1), labels.flatten(), reduction="sum")
    expected.backward()
    assert loss.tokens == int(batch.real.sum()) == 20
    torch.testing.assert_close(loss.total, expected)
    torch.testing.assert_close(loss.plain, expected.detach())
    torch.testing.assert_close(gradients(ours), gradients(theirs), rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("pairs", [True, False])
def test_hidden_tokens_and_the_next_sentence(pairs: bool) -> None:
    batch, ours, theirs = masked(pairs), bert(), bert()
    loss = HiddenTokens()(ours, batch)
    loss.total.backward()
    hidden = theirs(batch.inputs, batch.documents, batch.segments)
    logits = theirs.project(hidden)[batch.chosen]
    tokens = F.cross_entropy(logits, batch.labels, reduction="mean")
    expected = tokens
    if pairs:
        first = torch.stack([hidden[row, column] for row, column in batch.starts.tolist()])
        expected = tokens + F.cross_entropy(theirs.follows(theirs.pool(first)), batch.follows)
    (expected * len(batch.labels)).backward()
    torch.testing.assert_close(loss.total / loss.tokens, expected)
    torch.testing.assert_close(loss.plain / loss.tokens, tokens.detach())
    torch.testing.assert_close(gradients(ours), gradients(theirs), rtol=1e-4, atol=1e-5)


def test_what_is_found_is_counted() -> None:
    batch, model, counts = masked(True), bert().eval(), Counts()
    total = counts.add(model, batch)
    assert total == pytest.approx(float(HiddenTokens()(model, batch).plain), rel=1e-5)
    with torch.no_grad():
        hidden = model(batch.inputs, batch.documents, batch.segments)
        best = model.project(hidden).argmax(-1)[batch.chosen]
        said = [
            int(model.follows(model.pool(hidden[row, column])).argmax())
            for row, column in batch.starts.tolist()
        ]
    assert counts.found == int((best == batch.labels).sum())
    assert counts.right == sum(a == b for a, b in zip(said, batch.follows.tolist(), strict=True))
    assert (counts.tokens, counts.examples) == (len(batch.labels), 4)
    right = batch.labels.clone()
    right[:] = best
    counts.add(model, MaskedBatch(**{**vars(batch), "labels": right}))
    assert counts.found == int((best == batch.labels).sum()) + len(right)
