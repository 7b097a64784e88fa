"""Probes read out what is planted and nothing else; states are those that the model computes."""

from __future__ import annotations

import math
import sys
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

sys.path.append(str(Path(__file__).parents[1] / "models"))

from architectures import RECIPES
from language_architectures import BERTS, GPTS
from sklearn.linear_model import LogisticRegression

from seqloom.inspection.probing import KINDS, Part, Probed, _order, fit, probe
from seqloom.inspection.states import EMBEDDINGS, Reading, hidden_states
from seqloom.layers.recorder import record
from seqloom.models import build_language_model, build_model
from seqloom.models.base import EncoderDecoder
from seqloom.symbols import Symbols

TRAIN, HELD, WIDTH, CLASSES = 900, 300, 12, 5
SEEDS = [0, 1]
GROUPS = np.arange(TRAIN) // 3


def vectors(*leading: int) -> np.ndarray:
    number = TRAIN + 2 * HELD
    drawn = np.random.default_rng(5).normal(size=(*leading, number, WIDTH))
    return drawn.astype(np.float32)


def parts(found: np.ndarray, labels: np.ndarray) -> list[Part]:
    cuts = (0, TRAIN, TRAIN + HELD, TRAIN + 2 * HELD)
    return [
        Part(torch.from_numpy(found[..., a:b, :]), torch.from_numpy(labels[..., a:b]))
        for a, b in pairwise(cuts)
    ]


def probed(kind: Any, found: np.ndarray, labels: np.ndarray) -> Probed:
    classes = int(labels.max()) + 1
    return probe(kind, *parts(found, labels), GROUPS, classes, SEEDS)


def compression(found: Probed, classes: int) -> list[float]:
    return [TRAIN * math.log2(classes) / bits for bits in found.bits]


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_planted_in_a_direction_is_found(kind: Any) -> None:
    found = vectors()
    labels = (found @ np.random.default_rng(0).normal(size=(WIDTH, CLASSES))).argmax(-1)
    got = probed(kind, found, labels)
    assert min(got.accuracy) > (92 if kind == "linear" else 85)
    assert min(compression(got, CLASSES)) > 2


@pytest.mark.parametrize("kind", KINDS)
def test_labels_by_lot_cannot_be_told_shorter(kind: Any) -> None:
    labels = np.random.default_rng(1).integers(0, CLASSES, TRAIN + 2 * HELD)
    got = probed(kind, vectors(), labels)
    assert compression(got, CLASSES) == pytest.approx([1.0] * len(SEEDS), abs=0.02)
    chance = 100 / CLASSES
    assert got.accuracy == pytest.approx([chance] * len(SEEDS), abs=4 * math.sqrt(20 * 80 / HELD))


def test_frequencies_alone_are_worth_their_entropy() -> None:
    chance = np.random.default_rng(2)
    labels = (chance.random(TRAIN + 2 * HELD) < 0.1).astype(int)
    share = labels[:TRAIN].mean()
    entropy = -(share * math.log2(share) + (1 - share) * math.log2(1 - share))
    got = probed("linear", np.zeros((len(labels), WIDTH), np.float32), labels)
    assert compression(got, 2) == pytest.approx([1 / entropy] * len(SEEDS), rel=0.08)


def test_only_a_hidden_layer_tells_exclusive_or() -> None:
    found = vectors()
    labels = (found[:, 0] * found[:, 1] > 0).astype(int)
    linear, hidden = (probed(kind, found, labels) for kind in KINDS)
    assert max(linear.accuracy) < 62
    assert min(hidden.accuracy) > 85
    assert min(compression(hidden, 2)) > max(compression(linear, 2)) + 0.1


def test_a_linear_probe_is_a_logistic_regression() -> None:
    found, chance = vectors(), np.random.default_rng(3)
    weights = chance.normal(size=(WIDTH, CLASSES))
    labels = (found @ weights + chance.gumbel(scale=2, size=(len(found), CLASSES))).argmax(-1)
    train, _, test = parts(found, labels)
    reference = LogisticRegression(C=1.0).fit(train.vectors.numpy(), train.labels.numpy())
    expected = 100 * reference.score(test.vectors.numpy(), test.labels.numpy())
    assert probed("linear", found, labels).accuracy == pytest.approx([expected] * len(SEEDS), abs=3)


def test_probes_side_by_side_are_probes_by_themselves() -> None:
    found = vectors(len(SEEDS))
    labels = (found[..., :CLASSES]).argmax(-1)
    train, validation, test = parts(found, labels)
    together = probe("hidden", train, validation, test, GROUPS, CLASSES, SEEDS)
    assert min(together.accuracy) > 80
    orders = torch.arange(TRAIN).expand(len(SEEDS), -1)
    probes = fit("hidden", train, orders, validation, CLASSES, SEEDS)
    with torch.no_grad():
        whole = probes(test.vectors)
        shifted = probes(test.vectors.roll(1, 0))
    assert whole.shape == (len(SEEDS), HELD, CLASSES)
    assert not torch.allclose(whole.roll(1, 0), shifted, atol=0.1)  # each has its own weights


def test_texts_stay_together_in_an_order_of_each_seed() -> None:
    orders = [_order(GROUPS, seed) for seed in SEEDS]
    for order in orders:
        assert sorted(order.tolist()) == list(range(TRAIN))
        assert (np.diff(GROUPS[order]) != 0).sum() == TRAIN // 3 - 1
    assert (orders[0] != orders[1]).any()
    assert (orders[0] == _order(GROUPS, SEEDS[0])).all()


READINGS = [
    Reading([7, 5, 9, 2], [(0, 1), (1, 3)]),
    Reading([5, 2], [(0, 1)]),
    Reading([8, 8, 6, 5, 9, 11, 2], [(0, 2), (2, 3), (3, 6)]),
]
MODELS = {
    **{f"translator {n}": lambda r=r: build_model(r, 30, 30) for n, r in enumerate(RECIPES[::4])},
    **{f"bert {n}": lambda r=r: build_language_model(r, 30, Symbols(mask=4))
       for n, r in enumerate(BERTS)},
    **{f"gpt {n}": lambda r=r: build_language_model(r, 30, Symbols())
       for n, r in enumerate(GPTS)},
}  # fmt: skip


@pytest.mark.parametrize("name", MODELS)
def test_states_are_those_of_texts_by_themselves(name: str) -> None:
    torch.manual_seed(0)
    model = MODELS[name]().train()
    told = list[int]()
    together = hidden_states(model, READINGS, told.append)
    assert model.training
    assert told[-1] == len(READINGS)
    alone = [hidden_states(model, [each]) for each in READINGS]
    assert next(iter(together)) == EMBEDDINGS
    assert list(together)[1:] == [f"layer {n}" for n in range(len(together) - 1)]
    for layer, found in together.items():
        expected = np.concatenate([each[layer] for each in alone])
        assert found.shape[0] == 6
        np.testing.assert_allclose(found, expected, atol=2e-5)
    reading = READINGS[2]
    ids = torch.tensor([reading.ids])
    with torch.no_grad(), record(model.eval()) as seen:
        model.encode(ids, ids > 0) if isinstance(model, EncoderDecoder) else model(ids)
    last = [path for path in seen.paths() if path.endswith("hidden")][len(together) - 1]
    by_hand = [seen[last][0][0, a:b].mean(0).numpy() for a, b in reading.spans]
    np.testing.assert_allclose(together[f"layer {len(together) - 2}"][3:], by_hand, atol=2e-5)
