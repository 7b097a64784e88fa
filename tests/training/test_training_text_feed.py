"""Batches of running text: rows that are shorter at first, and where a run goes on."""

from __future__ import annotations

from itertools import islice
from typing import Any

import pytest
import torch

from seqloom.recipe import recipe_from_of
from seqloom.recipe.pretraining import PretrainRecipe
from seqloom.text.texts import PreparedTexts, prepare_texts
from seqloom.training.text_feed import BothTexts, TextFeed


@pytest.fixture(scope="module")
def texts(tmp_path_factory: pytest.TempPathFactory) -> PreparedTexts:
    """Forty sentences of ten words, prepared."""
    folder = tmp_path_factory.mktemp("texts")
    lines = (" ".join(f"w{line * place % 41}" for place in range(10)) for line in range(40))
    (folder / "text.txt").write_text("".join(f"{line}.\n" for line in lines), encoding="utf-8")
    data = {
        "sources": [str(folder / "text.txt")], "documents": "lines", "tokenizer": "word",
        "mask": True, "validation_share": 0.1,
    }  # fmt: skip
    recipe = recipe_from_of(PretrainRecipe, {"data": data}, "toy").data
    return prepare_texts(recipe, folder / "prepared")


@pytest.fixture(params=["gpt", "bert"])
def family(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def feed_of(texts: PreparedTexts, family: str, **training: Any) -> TextFeed:
    values = {
        "data": texts.recipe.model_dump(),
        "model": {"family": family, "context": 16},
        "training": {"batch_tokens": 64, **training},
    }
    return TextFeed(recipe_from_of(PretrainRecipe, values, "toy"), texts)


def shapes(batches: list[Any]) -> list[tuple[int, ...]]:
    return [tuple(batch.inputs.shape) for batch in batches]


def test_first_contexts_are_epochs_of_their_own(texts: PreparedTexts, family: str) -> None:
    feed = feed_of(texts, family, first_contexts={6: 3, 8: 2}, accumulation=2)
    assert set(shapes(list(feed(0, 0)))) == {(10, 6)}
    assert set(shapes(list(feed(1, 0)))) == {(8, 8)}
    assert [len(list(feed(epoch, 0))) for epoch in (0, 1)] == [6, 4]
    plain = feed_of(texts, family)
    for epoch in (0, 1):
        ours, theirs = list(feed(epoch + 2, 0)), list(plain(epoch, 0))
        assert shapes(ours)[0] == (4, 16)
        assert len(ours) == len(theirs)
        for one, other in zip(ours, theirs, strict=True):
            assert torch.equal(one.inputs, other.inputs)


@pytest.mark.parametrize("skip", [0, 1, 13, 59])
def test_a_short_text_begins_again_in_another_order(
    texts: PreparedTexts, family: str, skip: int
) -> None:
    feed = feed_of(texts, family, first_contexts={8: 60})
    whole = list(feed(0, 0))
    assert len(whole) == 60 > len(list(feed.batches(0, 0, 8)))
    rest = list(feed(0, skip))
    assert len(rest) == 60 - skip
    for one, other in zip(rest, islice(whole, skip, None), strict=True):
        assert torch.equal(one.inputs, other.inputs)
    assert len({batch.inputs.numpy().tobytes() for batch in whole}) == 60


def test_held_out_texts_are_read_in_full_contexts(texts: PreparedTexts, family: str) -> None:
    feed = feed_of(texts, family, first_contexts={8: 60})
    assert {shape[1] for shape in shapes(list(feed.held_out()))} == {16}


def test_several_processes_make_as_many_updates_in_each_context(
    texts: PreparedTexts, family: str
) -> None:
    recipe = feed_of(texts, family, first_contexts={8: 3}, accumulation=2).recipe
    assert len(list(TextFeed(recipe, texts, processes=3)(0, 0))) == 3 * 2 * 3


def test_old_texts_are_mixed_in_in_full_contexts(texts: PreparedTexts, family: str) -> None:
    feed = feed_of(texts, family, first_contexts={8: 40})
    found = shapes(list(BothTexts(feed, feed).feed(0.5, seed=1)(0, 0)))
    assert sum(width == 8 for _, width in found) == 40
    assert {width for _, width in found} == {8, 16}
