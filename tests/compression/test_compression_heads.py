"""Heads that are taken out: the smaller model computes what the gated one did, and searches too."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

sys.path.append(str(Path(__file__).parents[1]))

import tiny
from seqloom.compression import pruning
from seqloom.compression.head_gates import (
    at_least_one,
    attention_layers,
    learn_gates,
    without_heads,
)
from seqloom.compression.pruning import Point, prune, table
from seqloom.corpus.store import StoreWriter, TokenStore
from seqloom.decoding.search import search
from seqloom.errors import ExportError, FolderError, RecipeError
from seqloom.export.huggingface import export_huggingface
from seqloom.folder import load_folder, save_config, save_weights
from seqloom.layers.gates import HardConcrete, gated
from seqloom.models import build_model
from seqloom.recipe import DecodingRecipe, TransformerRecipe, recipe_from
from seqloom.training.batches import PairFeed
from seqloom.training.tasks import Translation
from seqloom.translator import Translator

SIZE = 20
RECIPES = [
    TransformerRecipe(width=24, feedforward=16, heads=4, encoder_layers=2, decoder_layers=2),
    TransformerRecipe(
        width=24, feedforward=16, heads=3, norm="post", positions="rotary", tie="target",
        encoder_layers=1, decoder_layers=3,
    ),
]  # fmt: skip


def some_gates(recipe: TransformerRecipe, seed: int) -> dict[str, Tensor]:
    """One gate of each layer is open, the others are shut, open or between."""
    torch.manual_seed(seed)
    found = {}
    for path in attention_layers(recipe):
        gates = torch.tensor([0.0, 1.0, 0.4])[torch.randint(3, (recipe.heads,))]
        gates[torch.randint(recipe.heads, ())] = 1.0
        found[path] = gates
    return found


def forward(model: Any, source: Tensor, target: Tensor) -> Tensor:
    mask = source != 0
    with torch.no_grad():
        return model.project(model.decode(model.encode(source, mask), target))


@pytest.mark.parametrize("recipe", RECIPES, ids=["pre", "post"])
@pytest.mark.parametrize("seed", range(3))
def test_the_smaller_model_computes_what_the_gated_one_did(recipe: Any, seed: int) -> None:
    torch.manual_seed(seed)
    model = build_model(recipe, SIZE, SIZE).eval()
    gates = some_gates(recipe, seed)
    source, target = torch.randint(4, SIZE, (3, 7)), torch.randint(4, SIZE, (3, 5))
    source[0, 4:] = 0
    smaller, left = without_heads(model, recipe, gates)
    with gated(model, gates):
        wanted = forward(model, source, target)
    torch.testing.assert_close(forward(smaller, source, target), wanted, atol=1e-5, rtol=1e-5)
    assert left.heads_left is not None
    open_gates = sum(int((gate > 0).sum()) for gate in gates.values())
    heads = [*left.heads_left.encoder, *left.heads_left.decoder, *left.heads_left.cross]
    assert sum(heads) == open_gates
    assert recipe.heads_left is None
    width = recipe.width // recipe.heads
    gone = len(attention_layers(recipe)) * recipe.heads - open_gates
    sizes = [sum(p.numel() for p in each.parameters()) for each in (model, smaller)]
    assert sizes[0] - sizes[1] == gone * (4 * recipe.width * width + 3 * width)
    # A search, whose cache has other numbers of heads in every layer, finds the same.
    mask = source != 0
    for beam in (1, 3):
        options = DecodingRecipe(beam=beam, max_tokens=12, precision="float32")
        with gated(model, gates):
            known = search([model], source, mask, options)
        found = search([smaller], source, mask, options)
        assert [one[0].ids for one in found] == [one[0].ids for one in known]


def test_pruned_twice() -> None:
    recipe = RECIPES[0]
    torch.manual_seed(0)
    model = build_model(recipe, SIZE, SIZE).eval()
    once, left = without_heads(model, recipe, some_gates(recipe, 0))
    gates = {
        path: torch.ones(left.heads_of(*place)) for path, place in attention_layers(left).items()
    }
    for gate in gates.values():
        gate[1:] = 0
    twice, last = without_heads(once, left, gates)
    assert last.heads_left is not None
    assert last.heads_left.encoder == (1, 1)
    source = torch.randint(4, SIZE, (2, 6))
    with gated(once, gates):
        wanted = forward(once, source, source)
    torch.testing.assert_close(forward(twice, source, source), wanted, atol=1e-5, rtol=1e-5)


def test_a_layer_keeps_its_strongest_head() -> None:
    gate = HardConcrete(3, begin=-9.0)
    gate.openness.data[1] = -8.0
    assert at_least_one(gate).tolist() == [0, 1, 0]
    gate.openness.data[2] = 9.0
    assert at_least_one(gate).tolist() == [0, 0, 1]


@pytest.mark.parametrize(
    ("left", "message"),
    [
        ({"encoder": [4, 5], "decoder": [1, 1], "cross": [1, 1]}, r"heads_left.encoder: \[4, 5\]"),
        ({"encoder": [4, 0], "decoder": [1, 1], "cross": [1, 1]}, r"heads_left.encoder: \[4, 0\]"),
        ({"encoder": [4, 1], "decoder": [1], "cross": [1, 1]}, r"heads_left.decoder: \[1\]"),
    ],
)
def test_recipes_that_cannot_be(left: Any, message: str) -> None:
    with pytest.raises(RecipeError, match=message):
        recipe_from({"model": {**RECIPES[0].model_dump(), "heads_left": left}}, "test")


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny.trained_folder(tmp_path_factory)


def test_a_price_closes_gates_and_none_opens_all(model: Path, tmp_path: Path) -> None:
    opened = load_folder(model)
    texts = tiny.letters(200, 3)
    sources = opened.tokenizers.source.encode_batch(texts)
    targets = opened.tokenizers.target.encode_batch([text.upper() for text in texts])
    with StoreWriter(tmp_path / "store", 100, 100) as writer:
        writer.write(sources, targets)
    feed = PairFeed(TokenStore.open(tmp_path / "store"), 512, 1)
    recipe = opened.recipe.model
    assert isinstance(recipe, TransformerRecipe)
    task = Translation(opened.recipe.training)
    number = {}
    for price in (0.0, 1.0):
        torch.manual_seed(0)
        fresh = load_folder(model).model
        gates = learn_gates(fresh, recipe, task, feed, price=price, updates=90)
        number[price] = sum(int((gate > 0).sum()) for gate in gates.values())
        assert not fresh.training
    assert number[0.0] == 6
    assert 3 <= number[1.0] <= 4


def pairs(count: int, seed: int) -> tuple[list[str], list[str]]:
    texts = tiny.letters(count, seed)
    return texts, [text.upper() for text in texts]


def test_a_smaller_folder(model: Path, tmp_path: Path) -> None:
    out = tmp_path / "small"
    steps: list[tuple[str, int, int]] = []
    curve = prune(
        model, out, pairs(300, 4), pairs(40, 6), prices=(0.01, 1.0), updates=90, tolerance=100,
        progress=lambda *step: steps.append(step),
    )  # fmt: skip
    assert [point.price for point in curve] == [None, 0.01, 1.0]
    assert curve[0].heads == 6
    assert min(point.heads for point in curve) < 6
    assert steps[-1] == ("pruning at a price of 1", 90, 90)
    best = min(curve[1:], key=lambda point: (point.heads, -point.bleu))
    folder = load_folder(out)
    assert sum(each.numel() for each in folder.model.parameters()) == best.parameters
    written = Translator.load(out, device="cpu").translate(pairs(40, 6)[0], beam=1)
    right = sum(a == b for a, b in zip(written, pairs(40, 6)[1], strict=True))
    assert right > 20  # it still turns letters into capitals
    card = (out / "README.md").read_text()
    assert f"with {best.heads} heads of 6" in card
    assert table(curve) in card
    for point in curve:
        assert point.low <= point.bleu <= point.high
        assert point.heads == sum((*point.encoder, *point.decoder, *point.cross))
    with pytest.raises(FolderError, match="exists already"):
        prune(model, out, pairs(30, 4), pairs(10, 6))
    with pytest.raises(ExportError, match="heads that were not pruned"):
        export_huggingface(out, tmp_path / "theirs")


def test_a_pruned_folder_is_read_as_it_was_written(tmp_path: Path) -> None:
    translator = tiny.untrained(tiny.TRANSFORMER)
    recipe = translator.recipe.model
    assert isinstance(recipe, TransformerRecipe)
    gates = {path: torch.tensor([0.0, 1.0]) for path in attention_layers(recipe)}
    smaller, left = without_heads(translator.model, recipe, gates)
    whole = translator.recipe.model_copy(update={"model": left})
    save_config(tmp_path / "m", whole, translator.tokenizers)
    save_weights(tmp_path / "m", smaller.state_dict(), whole, translator.tokenizers)
    again = load_folder(tmp_path / "m")
    assert again.recipe.model == left
    source = torch.randint(4, 10, (2, 5))
    with gated(translator.model, gates):
        wanted = forward(translator.model, source, source)
    torch.testing.assert_close(forward(again.model, source, source), wanted, atol=1e-5, rtol=1e-5)
    before = sum(each.numel() for each in translator.model.parameters())
    assert sum(each.numel() for each in again.model.parameters()) < before


def test_too_high_a_price_writes_nothing(model: Path, tmp_path: Path) -> None:
    options: Any = {"prices": (5.0,), "updates": 1, "tolerance": 0.0}
    out = tmp_path / "small"
    opened = load_folder(model)
    with torch.no_grad():  # a model that one update of training can only harm
        training = opened.recipe.training.model_copy(update={"learning_rate": 1000.0})
    recipe = opened.recipe.model_copy(update={"training": training})
    save_config(tmp_path / "m", recipe, opened.tokenizers)
    save_weights(tmp_path / "m", opened.model.state_dict(), recipe, opened.tokenizers)
    with pytest.raises(FolderError, match=r"every price costs more than 0 BLEU \(the least: "):
        prune(tmp_path / "m", out, pairs(30, 4), pairs(10, 6), **options)
    assert not out.exists()


@pytest.mark.parametrize("last", ["save_weights", "save_config"])
def test_an_interrupted_prune_leaves_nothing(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, last: str
) -> None:
    seen = list[list[str]]()

    def interrupted(*_: Any) -> None:
        seen.append(sorted(file.name for file in tmp_path.rglob("*") if file.is_file()))
        raise KeyboardInterrupt

    monkeypatch.setattr(pruning, last, interrupted)
    options: Any = {"prices": (0.0,), "updates": 1, "tolerance": 100}
    with pytest.raises(KeyboardInterrupt):
        prune(model, tmp_path / "small", pairs(20, 4), pairs(5, 6), **options)
    # Until the end there is no config.json, and so no model folder, were it killed outright.
    weights = ["model.safetensors"] if last == "save_config" else []
    assert seen == [["README.md", *weights]]
    assert list(tmp_path.iterdir()) == []


def test_other_models_have_no_heads_to_take_out(tmp_path: Path) -> None:
    folder = tiny.save(tiny.untrained(tiny.RNN), tmp_path / "rnn")
    with pytest.raises(FolderError, match="a model of the family 'rnn'; heads can be taken out"):
        prune(folder, tmp_path / "out", pairs(3, 4), pairs(3, 6))


def test_the_table() -> None:
    first = Point(None, 6, (2,), (2,), (2,), 1000, 0.5, 90.0, 88.0, 92.0)
    second = Point(0.01, 4, (1,), (1,), (2,), 800, 0.6, 89.0, 87.0, 91.0)
    free = Point(0.0, 6, (2,), (2,), (2,), 1000, 0.4, 91.0, 89.0, 93.0)
    lines = table([first, second, free]).splitlines()
    assert lines[2] == "| as it was | 6 | 2 | 2 | 2 | 1,000 | 0.500 | 90.00 | [88.00, 92.00] |"
    assert lines[3].startswith("| 0.01 | 4 | 1 | 1 | 2 | 800 |")
    assert lines[4].startswith("| 0 | 6 |")
