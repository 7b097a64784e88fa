from __future__ import annotations

import math
from collections import Counter

import pytest
import torch
from decoding_toys import A, B, C, D, Table, ToyGru, random_sources
from oracle import assert_same

from seqloom.decoding.forced import score
from seqloom.decoding.sampling import pick, uniform_numbers
from seqloom.decoding.search import search
from seqloom.recipe import DecodingRecipe
from seqloom.symbols import BOS, EOS, PAD


def options(**values) -> DecodingRecipe:
    defaults = {"sample": True, "max_length_factor": 1.0, "max_length_extra": 4}
    return DecodingRecipe(**{**defaults, **values})


def test_picking_by_hand():
    values = torch.tensor([[0.1, 0.2, 0.3, 0.4]]).log()

    def at(uniform, **kind):
        return int(pick(values, torch.tensor([uniform], dtype=torch.float64), **kind))

    assert [at(u) for u in (0.0, 0.09, 0.11, 0.29, 0.31, 0.59, 0.61, 0.999)] == [
        0, 0, 1, 1, 2, 2, 3, 3,
    ]  # fmt: skip
    # The two best, 0.4 and 0.3, renormalised: the first has 4/7 = 0.571 of them.
    assert [at(u, top_k=2) for u in (0.0, 0.57, 0.58, 0.999)] == [3, 3, 2, 2]
    # 0.4 alone has less than 0.5; 0.4 + 0.3 reaches it.
    assert [at(u, top_p=0.5) for u in (0.0, 0.57, 0.58, 0.999)] == [3, 3, 2, 2]
    assert [at(u, top_p=0.39) for u in (0.0, 0.999)] == [3, 3]
    assert [at(u, top_p=1.0) for u in (0.0, 0.41, 0.71, 0.91)] == [3, 2, 1, 0]
    # top-k first: of 4/7, 3/7 the first alone reaches 0.5.
    assert at(0.999, top_k=2, top_p=0.5) == 3
    # Temperature 1/2 squares: 0.01, 0.04, 0.09, 0.16 of 0.30.
    assert [at(u, temperature=0.5) for u in (0.032, 0.034, 0.166, 0.168, 0.466, 0.468)] == [
        0, 1, 1, 2, 2, 3,
    ]  # fmt: skip
    assert at(0.999, temperature=1e-3) == at(1e-9, temperature=1e-3) == 3


def test_forbidden_tokens_are_never_picked_even_at_the_edges():
    values = torch.tensor([[-torch.inf, 0.5, 0.5, -torch.inf]]).log_softmax(1)
    edge = torch.tensor([1 - 2**-53], dtype=torch.float64)
    assert int(pick(values, torch.zeros(1, dtype=torch.float64))) == 1
    assert int(pick(values, edge)) == 2
    for kind in ({"top_k": 4}, {"top_p": 1.0}):
        assert int(pick(values, edge, **kind)) in (1, 2)


def test_frequencies_match_the_distribution():
    model = Table(
        {
            BOS: {A: 0.5, B: 0.3, C: 0.15, D: 0.05},
            **{token: {EOS: 1.0} for token in (A, B, C, D)},
        },
        size=8,
    )
    source, mask = random_sources(0, [2])
    draws = 4000

    def chi_square(expected: dict[int, float], **kind) -> float:
        (found,) = search([model], source, mask, options(nbest=draws, seed=7, **kind))
        counts = Counter(h.ids[0] for h in found)
        assert set(counts) <= set(expected)
        return sum((counts[t] - draws * p) ** 2 / (draws * p) for t, p in expected.items())

    # Critical values at 0.1 % for 3, 1, 1 and 3 degrees of freedom.
    assert chi_square({A: 0.5, B: 0.3, C: 0.15, D: 0.05}) < 16.27
    assert chi_square({A: 5 / 8, B: 3 / 8}, top_k=2) < 10.83
    assert chi_square({A: 5 / 8, B: 3 / 8}, top_p=0.6) < 10.83
    roots = {t: math.sqrt(p) for t, p in {A: 0.5, B: 0.3, C: 0.15, D: 0.05}.items()}
    flat = {t: root / sum(roots.values()) for t, root in roots.items()}
    assert chi_square(flat, temperature=2.0) < 16.27


def test_least_shares_by_hand():
    values = torch.tensor([[0.1, 0.2, 0.3, 0.4]]).log()

    def at(uniform, **kind):
        return int(pick(values, torch.tensor([uniform], dtype=torch.float64), **kind))

    # At least half of 0.4: 0.2, 0.3 and 0.4, renormalised to 2/9, 3/9 and 4/9.
    assert [at(u, min_p=0.5 - 1e-6) for u in (0.0, 0.22, 0.23, 0.55, 0.56, 0.999)] == [
        1, 1, 2, 2, 3, 3,
    ]  # fmt: skip
    assert [at(u, min_p=1.0) for u in (0.0, 0.999)] == [3, 3]
    # Temperature first: of 0.16, 0.09, 0.04 and 0.01 the first alone.
    assert [at(u, min_p=0.6, temperature=0.5) for u in (0.0, 0.999)] == [3, 3]


KINDS = [
    {"temperature": 0.7},
    {"top_k": 5},
    {"top_p": 0.8},
    {"min_p": 0.2},
    {"temperature": 1.6, "top_k": 9, "top_p": 0.7},
    {"temperature": 0.6, "top_p": 0.9, "min_p": 0.1},
    {"temperature": 1.3, "top_k": 7, "top_p": 0.95, "min_p": 0.15},
]


@pytest.mark.parametrize("kind", KINDS)
def test_probabilities_equal_those_of_transformers(kind):
    from transformers.generation import logits_process as theirs

    makers = {
        "temperature": theirs.TemperatureLogitsWarper,
        "top_k": theirs.TopKLogitsWarper,
        "top_p": theirs.TopPLogitsWarper,
        "min_p": theirs.MinPLogitsWarper,
    }
    scores = torch.randn(6, 30, generator=torch.Generator().manual_seed(1)) * 2
    expected = scores
    for name, value in kind.items():  # in their order
        expected = makers[name](value)(None, expected)
    expected = expected.softmax(1)
    draws = 4000
    uniforms = (torch.arange(draws, dtype=torch.float64) + 0.5) / draws
    for row in range(len(scores)):
        ids = pick(scores[row].expand(draws, -1).log_softmax(1), uniforms, **kind)
        found = ids.bincount(minlength=30) / draws
        assert set(ids.tolist()) <= set(expected[row].nonzero().flatten().tolist())
        torch.testing.assert_close(found, expected[row], atol=1.1 / draws, rtol=0)


def test_top_one_is_greedy_search():
    for seed in range(6):
        source, mask = random_sources(seed, [5, 2, 7])
        greedy = search([ToyGru(seed)], source, mask, options(sample=False, beam=1))
        drawn = search([ToyGru(seed)], source, mask, options(top_k=1, temperature=3.0))
        for ours, theirs in zip(drawn, greedy, strict=True):
            assert_same(ours, theirs)


def test_the_seed_decides_and_nothing_else():
    source, mask = random_sources(3, [5, 2, 7])
    model = ToyGru(3, sharpness=0.5)
    first = search([model], source, mask, options(nbest=3, seed=11))
    torch.rand(10)
    assert search([model], source, mask, options(nbest=3, seed=11)) == first
    assert search([model], source, mask, options(nbest=3, seed=12)) != first


def test_samples_do_not_depend_on_the_batch():
    source, mask = random_sources(4, [5, 2, 7, 7, 3])
    model = ToyGru(4, sharpness=0.5)
    wanted = options(nbest=4, top_p=0.9)
    together = search([model], source, mask, wanted, numbers=[10, 11, 12, 13, 14])
    for i in range(5):
        keep = mask[i]
        alone = search(
            [model], source[i : i + 1, keep], mask[i : i + 1, keep], wanted, numbers=[10 + i]
        )
        assert_same(alone[0], together[i])
    backwards = search([model], source.flip(0), mask.flip(0), wanted, numbers=range(14, 9, -1))
    for ours, theirs in zip(reversed(backwards), together, strict=True):
        assert_same(ours, theirs)


def test_uniform_numbers_are_uniform_and_differ_between_rows():
    table = uniform_numbers(1, range(50), 2, 40)
    assert table.shape == (100, 40)
    assert len(table.flatten().unique()) == 4000
    assert float(table.mean()) == pytest.approx(0.5, abs=0.02)
    assert torch.equal(uniform_numbers(1, [7], 2, 10), table[14:16, :10])


def test_samples_carry_the_models_own_log_probability():
    source, mask = random_sources(5, [5, 2])
    model = ToyGru(5, sharpness=0.5)
    found = search([model], source, mask, options(nbest=2, temperature=0.5, top_k=3))
    assert all(
        row == sorted(row, key=lambda h: (h.finished, h.score), reverse=True) for row in found
    )
    for draw in range(2):
        rows = [[*row[draw].ids, *[EOS] * row[draw].finished] for row in found]
        target = torch.full((2, max(map(len, rows))), PAD)
        for number, row in enumerate(rows):
            target[number, : len(row)] = torch.tensor(row)
        forced = score([model], source, mask, target, target.ne(PAD)).sum(1)
        assert forced.tolist() == pytest.approx(
            [row[draw].log_probability for row in found], abs=1e-4
        )
