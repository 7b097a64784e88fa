"""Where models look: recorded for every architecture, as the layers compute it, and passed on."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

sys.path.append(str(Path(__file__).parents[1] / "models"))

from architectures import RECIPES as ALL
from language_architectures import BERTS, GPTS, strong

from seqloom.errors import SeqloomError
from seqloom.inspection.attention import AttentionRecord
from seqloom.inspection.attention_map import AttentionMap
from seqloom.inspection.flows import STAYS, value_lengths
from seqloom.inspection.recording import record_pair, record_text
from seqloom.layers.attention import MultiHeadAttention
from seqloom.models import build_model
from seqloom.recipe import RecurrentRecipe, TransformerRecipe
from seqloom.symbols import BOS, EOS

TOKENS = {"source": ["a", "b", "c"], "target": ["x", "y"]}
WORDS = {"source": [0, 2], "target": [0]}


def recurrent(**switches: Any) -> RecurrentRecipe:
    return RecurrentRecipe(embedding=8, width=8, dropout=0.5, **switches)


def pair(model: Any, **options: Any) -> AttentionRecord:
    return record_pair(model, [5, 6, 7], [8, 9], TOKENS, **options)


RECIPES = [recipe for recipe in ALL[::3] if getattr(recipe, "attention", "") != "none"]


@pytest.mark.parametrize("recipe", RECIPES, ids=str)
def test_every_translation_model_is_recorded(recipe: Any) -> None:
    torch.manual_seed(0)
    model = build_model(recipe, 30, 30).train()
    record = pair(model)
    assert model.training
    assert record.source == ["a", "b", "c", "</s>"]
    assert record.target == ["x", "y", "</s>"]
    assert record.tokens["read"] == ["<s>", "x", "y"]
    recurrent = isinstance(recipe, RecurrentRecipe)
    layers = (
        {} if recurrent else {"encoder": recipe.encoder_layers, "decoder": recipe.decoder_layers}
    )
    expected = {"cross": 1 if recurrent else recipe.decoder_layers, **layers}
    assert {part: len(record.of_part(part)) for part in record.parts()} == expected
    heads = 1 if recurrent else recipe.heads
    shapes = {"cross": (heads, 3, 4), "encoder": (heads, 4, 4), "decoder": (heads, 3, 3)}
    for each, again in zip(record.maps, pair(model).maps, strict=True):
        assert each.weights.shape == shapes[each.part]
        np.testing.assert_allclose(each.weights.sum(axis=-1), 1, atol=1e-5)
        np.testing.assert_array_equal(again.weights, each.weights)  # no dropout
        assert each.lengths is not None
        assert each.lengths.shape == (heads, each.weights.shape[2])
        if each.part == "decoder":
            assert not np.triu(each.weights, 1).any()


@pytest.mark.parametrize("recipe", [*BERTS[3:6], *GPTS[8:14]], ids=str)
def test_every_language_model_is_recorded(recipe: Any) -> None:
    record = record_text(strong(recipe), [5, 6, 7, 8], ["a", "b", "c", "d"], details=True)
    assert record.parts() == ["text"]
    assert len(record.maps) == recipe.layers
    for each in record.maps:
        assert each.weights.shape == (recipe.heads, 4, 4)
        np.testing.assert_allclose(each.weights.sum(axis=-1), 1, atol=1e-5)
        assert np.triu(each.weights, 1).any() == (recipe.family == "bert")
        assert each.lengths is not None
        assert each.lengths.shape == (recipe.heads, 4)
        query, key, scores = (each.details[name] for name in ("query", "key", "scores"))
        shared = np.repeat(key, recipe.heads // len(key), axis=0)
        products = np.einsum("hrk,hck->hrc", query, shared) / query.shape[-1] ** 0.5
        seen = np.isfinite(scores)
        np.testing.assert_allclose(scores[seen], products[seen], atol=1e-4)


def test_attention_is_the_one_the_layer_computes() -> None:
    """Luong's dot attention by hand: softmax of decoder states times encoder states."""
    torch.manual_seed(0)
    recipe = recurrent(attention="dot", wiring="after", input_feeding=False)
    model = build_model(recipe, 20, 20).eval()
    tokens = {"source": ["a", "b"], "target": ["x"]}
    record = record_pair(model, [5, 6], [8], tokens, details=True)
    source = torch.tensor([[5, 6, EOS]])
    with torch.no_grad():
        memory = model.encode(source, torch.ones(1, 3, dtype=torch.bool))
        inputs = model.decoder.tokens(torch.tensor([[BOS, 8]]))
        states, _ = model.decoder.layers[0](inputs, torch.stack(model.start(memory).hidden))
        scores = states @ memory.states.transpose(1, 2)
    np.testing.assert_allclose(record.weights(), scores.softmax(-1)[0].numpy(), atol=1e-6)
    only = record.map()
    np.testing.assert_allclose(only.details["scores"], scores.numpy(), atol=1e-5)
    np.testing.assert_allclose(only.details["query"], states.numpy(), atol=1e-6)
    assert only.lengths is not None
    np.testing.assert_allclose(only.lengths, memory.states.norm(dim=-1).numpy(), atol=1e-6)


def test_a_model_without_attention() -> None:
    with pytest.raises(SeqloomError, match="this model has no attention to draw"):
        pair(build_model(recurrent(attention="none"), 20, 20))


def test_pieces_must_fit_the_ids() -> None:
    model = build_model(recurrent(), 20, 20)
    with pytest.raises(ValueError, match=r"expected \[heads, 2 pieces that look, 3 that are"):
        record_pair(model, [5], [6], {"source": ["a", "b"], "target": ["x"]})


def test_what_heads_take_adds_up_to_what_the_layer_gives() -> None:
    """The vectors whose lengths are recorded, weighted and summed, are the layer's output."""
    torch.manual_seed(1)
    layer = MultiHeadAttention(12, 3, key_value_heads=1)
    states = torch.randn(1, 5, 12)
    query, key, value = (
        layer.split(part(states)) for part in (layer.query, layer.key, layer.value)
    )
    with torch.no_grad():
        output = layer.attend(query, key, value, None)[0]
        vectors = torch.stack(
            [value[0, 0] @ layer.output.weight[:, 4 * head : 4 * head + 4].T for head in range(3)]
        )  # [H C D]
        weights = (query @ key.transpose(-2, -1) / 2).softmax(-1)[0]
        summed = torch.einsum("hrc,hcd->rd", weights, vectors) + layer.output.bias
        torch.testing.assert_close(summed, output)
        torch.testing.assert_close(value_lengths(layer, value[0]), vectors.norm(dim=-1))


def test_weights_by_value_by_hand() -> None:
    weights = np.float32([[[0.5, 0.5], [1, 0]]])
    each = AttentionMap("x", "text", "text", "text", weights, np.float32([[1, 3]]))
    record = AttentionRecord({"text": ["a", "b"]}, [each])
    np.testing.assert_allclose(record.by_value().weights(), [[0.25, 0.75], [1, 0]])
    bare = AttentionMap("x", "text", "text", "text", weights)
    with pytest.raises(SeqloomError, match="lengths of values were not recorded"):
        AttentionRecord({"text": ["a", "b"]}, [bare]).by_value()


def test_pieces_join_to_words_by_hand() -> None:
    weights = np.float32([[[0.1, 0.2, 0.7], [0.3, 0.3, 0.4], [0.5, 0.5, 0]]])
    each = AttentionMap("x", "text", "text", "text", weights)
    record = AttentionRecord({"text": ["▁a", "b", "▁c"]}, [each], {"text": [0, 2]})
    words = record.by_words()
    assert words.tokens == {"text": ["▁ab", "▁c"]}
    np.testing.assert_allclose(words.weights(), [[0.45, 0.55], [1, 0]], atol=1e-6)
    with pytest.raises(SeqloomError, match="not known as pieces of words"):
        words.by_words()


def test_words_of_both_sides_reach_the_record() -> None:
    record = pair(build_model(TransformerRecipe(width=8, heads=2), 20, 20), words=WORDS)
    assert record.words == {"source": [0, 2, 3], "written": [0, 2], "read": [0, 1]}
    assert record.by_words().tokens == {
        "source": ["ab", "c", "</s>"], "written": ["xy", "</s>"], "read": ["<s>", "xy"],
    }  # fmt: skip


def test_the_roll_out_is_that_of_states_followed_one_by_one() -> None:
    torch.manual_seed(3)
    recipe = TransformerRecipe(width=8, heads=2, encoder_layers=3, decoder_layers=2)
    record = pair(build_model(recipe, 20, 20))
    source, read = len(record.source), len(record.target)
    encoder = np.eye(source, source + read)
    decoder = np.eye(read, source + read, k=source)
    layers = {part: iter(record.of_part(part)) for part in record.parts()}
    found = record.rolled_out()
    for each in found.of_part("encoder"):
        weights = next(layers["encoder"]).weights.mean(axis=0)
        encoder = STAYS * encoder + (1 - STAYS) * weights @ encoder
        np.testing.assert_allclose(each.weights[0], encoder[:, :source], atol=1e-6)
    for own, cross in zip(found.of_part("decoder"), found.of_part("cross"), strict=True):
        weights = next(layers["decoder"]).weights.mean(axis=0)
        decoder = STAYS * decoder + (1 - STAYS) * weights @ decoder
        np.testing.assert_allclose(own.weights[0], decoder[:, source:], atol=1e-6)
        weights = next(layers["cross"]).weights.mean(axis=0)
        decoder = STAYS * decoder + (1 - STAYS) * weights @ encoder
        np.testing.assert_allclose(cross.weights[0], decoder[:, :source], atol=1e-6)
        np.testing.assert_allclose(decoder.sum(axis=1), 1, atol=1e-6)


def test_the_roll_out_of_attention_without_layers_below_is_half_of_it() -> None:
    record = pair(build_model(recurrent(), 20, 20))
    np.testing.assert_allclose(record.rolled_out().weights(), 0.5 * record.weights(), atol=1e-6)
