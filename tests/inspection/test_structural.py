"""Structural probes find planted trees; their figures are those of independent programs."""

from __future__ import annotations

from typing import Any

import networkx
import numpy as np
import pytest
import torch
from scipy.stats import spearmanr

from seqloom.errors import SeqloomError
from seqloom.inspection.structural import (
    Sentence,
    Shape,
    chain_uuas,
    fit,
    measured,
    rank_correlation,
    spanning_tree,
    squared_distances,
    structural_probe,
    tree_distances,
)
from seqloom.inspection.structure_record import StructureRecord, StructureRun

WIDTH = 24


def heads(size: int, chance: np.random.Generator) -> tuple[int, ...]:
    """A tree by lot, its words in an order by lot."""
    order = chance.permutation(size)
    found = [-1] * size
    for place in range(1, size):
        found[order[place]] = int(order[chance.integers(0, place)])
    return tuple(found)


def shape(tree: tuple[int, ...], counted: list[bool] | None = None) -> Shape:
    flags = np.array(counted if counted is not None else [True] * len(tree))
    return Shape(torch.from_numpy(tree_distances(tree)), flags, tree)


def planted(number: int, seed: int, noise: float = 0.0) -> list[Sentence]:
    """A word is the sum of the directions of the edges up to its root, among other numbers."""
    chance = np.random.default_rng(seed)
    turn = np.linalg.qr(np.random.default_rng(0).normal(size=(WIDTH, WIDTH)))[0]
    made = []
    for _ in range(number):
        tree = heads(int(chance.integers(5, 11)), chance)
        vectors = np.zeros((len(tree), WIDTH))
        for word in range(len(tree)):
            above = word
            while tree[above] >= 0:
                vectors[word, above] += 1
                above = tree[above]
        vectors[:, 12:] = chance.normal(size=(len(tree), WIDTH - 12))
        if noise:
            vectors = chance.normal(size=vectors.shape)
        made.append(Sentence(torch.from_numpy((vectors @ turn).astype(np.float32)), shape(tree)))
    return made


def test_planted_trees_are_found() -> None:
    found = structural_probe(planted(400, 1), planted(60, 2), planted(80, 3), seed=0)
    assert found.uuas > 95
    assert found.spearman > 0.9


def test_noise_holds_no_trees() -> None:
    parts = [planted(number, seed, noise=1) for seed, number in ((1, 200), (2, 60), (3, 80))]
    found = structural_probe(parts[0], parts[1], parts[2], seed=0)
    assert found.uuas < 45  # two words of seven by lot: 2/7
    assert abs(found.spearman) < 0.1


def test_distances_of_trees_and_of_vectors() -> None:
    tree = heads(9, np.random.default_rng(4))
    graph = networkx.Graph((word, head) for word, head in enumerate(tree) if head >= 0)
    expected = dict(networkx.all_pairs_shortest_path_length(graph))
    got = tree_distances(tree)
    assert all(got[a, b] == expected[a][b] for a in range(9) for b in range(9))
    forest = tree_distances((-1, 0, -1))
    assert forest[0, 1] == 1 and np.isinf(forest[0, 2])
    drawn = torch.Generator().manual_seed(0)
    vectors, matrix = (torch.randn(*size, generator=drawn) for size in ((2, 5, 8), (8, 3)))
    differences = (vectors[:, :, None] - vectors[:, None]) @ matrix
    expected_squares = differences.square().sum(-1)
    torch.testing.assert_close(squared_distances(vectors, matrix), expected_squares)


@pytest.mark.parametrize("seed", range(5))
def test_spanning_trees_are_those_of_networkx(seed: int) -> None:
    chance = np.random.default_rng(seed)
    points = chance.normal(size=(8, 3))
    distances = ((points[:, None] - points[None]) ** 2).sum(-1).astype(np.float32)
    counted = chance.random(8) < 0.8
    graph = networkx.Graph()
    for a in range(8):
        for b in range(a):
            if counted[a] and counted[b]:
                graph.add_edge(a, b, weight=float(distances[a, b]))
    edges = networkx.minimum_spanning_edges(graph, data=False)
    assert spanning_tree(distances, counted) == {(min(e), max(e)) for e in edges}


def test_figures_by_hand() -> None:
    tree = (1, -1, 1, 2, 3)  # a chain 0-1-2-3-4 but in its direction
    sentence = Sentence(torch.zeros(5, 2), shape(tree, [True, True, True, True, False]))
    assert chain_uuas([sentence]) == 100
    star = Sentence(torch.zeros(5, 2), shape((-1, 0, 0, 0, 0)))
    assert chain_uuas([star]) == 25
    assert chain_uuas([sentence, star]) == pytest.approx(100 * (3 + 1) / (3 + 4))
    found = measured([sentence.shape.distances.numpy(), star.shape.distances.numpy()],
                     [sentence, star])  # fmt: skip
    assert found.uuas == 100
    assert found.spearman == pytest.approx(1, abs=0.21)  # words of a star are all as far: no order


@pytest.mark.parametrize("seed", range(3))
def test_rank_correlations_are_those_of_scipy(seed: int) -> None:
    chance = np.random.default_rng(seed)
    true = tree_distances(heads(7, chance))
    found = chance.random((7, 7)).astype(np.float32)
    expected = [
        spearmanr(np.delete(found[word], word), np.delete(true[word], word)).statistic
        for word in range(7)
    ]
    assert rank_correlation(found, true) == pytest.approx(np.nan_to_num(expected).mean())


def test_the_matrix_follows_the_seed() -> None:
    train, validation = planted(40, 1), planted(20, 2)
    first, again, other = (fit(train, validation, seed) for seed in (0, 0, 1))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


def record() -> StructureRecord:
    runs = [
        StructureRun("trained", [[40.0, 42.0], [60.0, 62.0]], [[0.3, 0.4], [0.5, 0.6]]),
        StructureRun("random", [[30.0, 30.0], [31.0, 31.0]], [[0.1, 0.1], [0.2, 0.2]]),
        StructureRun("update 5", [[20.0, 20.0], [25.0, 25.0]], [[0.0, 0.1], [0.1, 0.2]], 5),
        StructureRun("update 90", [[35.0, 37.0], [50.0, 52.0]], [[0.2, 0.3], [0.4, 0.5]], 90),
    ]
    return StructureRecord("runs/x", ["embeddings", "layer 0"],
                           {"train": 9, "validation": 3, "test": 5}, 44.5, runs)  # fmt: skip


def test_the_record(tmp_path: Any, open_page: Any) -> None:
    made = record()
    made.save(tmp_path / "a.json")
    assert StructureRecord.load(tmp_path / "a.json").as_dict() == made.as_dict()
    assert "neighbours linked: 44.5 %" in made.text()
    assert made.text().splitlines()[-1].split()[:4] == ["layer", "0", "61.0", "±"]
    made.save(tmp_path / "a.png")
    assert (tmp_path / "a.png").read_bytes().startswith(b"\x89PNG")
    values = made.as_dict()
    values["runs"][0]["uuas"] = [[1.0]]
    with pytest.raises(SeqloomError, match="uuas of 1 layers, expected 2"):
        StructureRecord.from_dict(values)
    made.save(tmp_path / "a.html")
    opened = open_page(tmp_path / "a.html", "dark")
    page = opened.page
    mark, legend = page.locator("#chart .mark"), page.locator("#legend li")
    mark.nth(1).hover()
    assert page.inner_text("#card").startswith("layer 0, trained model: 61.00 ± 1.41")
    mark.nth(2).click()
    assert page.inner_text("#card").startswith("embeddings, random model: 30.00 ± 0.00")
    assert page.locator("#chart .mark.chosen").count() == 1
    page.focus("#chart")
    page.keyboard.press("ArrowUp")
    assert page.inner_text("#card").startswith("embeddings, trained model: 41.00 ± 1.41")
    page.keyboard.press("Escape")
    assert page.inner_text("#card") == ""
    assert page.locator("#chart text", has_text="neighbours linked").count() == 1
    page.select_option("#measure", "spearman")
    assert page.locator("#chart text", has_text="neighbours linked").count() == 0
    mark.nth(1).click()
    assert page.inner_text("#card").startswith("layer 0, trained model: 0.55 ± 0.07 (rank corr")
    page.select_option("#axis", "updates")
    assert legend.all_inner_texts() == ["embeddings", "layer 0"]
    mark.nth(3).click()
    assert page.inner_text("#card").startswith("update 90, layer 0: 0.45 ± 0.07")
    page.click("summary")
    assert page.locator("table tr").count() == 1 + 4 * 2
    assert page.locator("table td", has_text="61.00 ± 1.41").is_visible()
    opened.check()
