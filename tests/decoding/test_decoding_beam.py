from __future__ import annotations

import math

import pytest
import torch
from decoding_toys import A, B, C, D, ToyGru, garden_path, random_sources
from oracle import assert_same, oracle_beam, oracle_greedy

from seqloom.decoding import beam as beam_module
from seqloom.decoding.search import search
from seqloom.recipe import DecodingRecipe
from seqloom.symbols import BOS, EOS, PAD, UNK

LENGTHS = [5, 2, 7, 3]


def options(**values) -> DecodingRecipe:
    defaults = {"max_length_factor": 1.0, "max_length_extra": 3}
    return DecodingRecipe(**{**defaults, **values})


def real(source, mask) -> list[list[int]]:
    return [row[keep].tolist() for row, keep in zip(source, mask, strict=True)]


def test_a_wider_beam_escapes_the_garden_path():
    source, mask = random_sources(0, [6])
    (greedy,) = search([garden_path()], source, mask, options(beam=1))[0]
    assert greedy.ids == (A, C)
    assert greedy.log_probability == pytest.approx(math.log(0.6 * 0.3))
    (found,) = search([garden_path()], source, mask, options(beam=2, alpha=0))[0]
    assert found.ids == (B, D)
    assert found.log_probability == pytest.approx(math.log(0.36))
    assert found.token_log_probabilities == pytest.approx([math.log(0.4), math.log(0.9), 0.0])
    assert found.finished


def test_scores_are_divided_by_the_penalty_of_the_length_with_eos():
    source, mask = random_sources(0, [6])
    (wu,) = search([garden_path()], source, mask, options(beam=3, alpha=0.6))[0]
    assert wu.score == pytest.approx(math.log(0.36) / (8 / 6) ** 0.6)
    average = options(beam=3, alpha=1.0, length_penalty="average")
    assert search([garden_path()], source, mask, average)[0][0].score == pytest.approx(
        math.log(0.36) / 3
    )


@pytest.mark.parametrize("beam", [2, 3, 4, 5])
@pytest.mark.parametrize("penalty", ["wu", "average"])
@pytest.mark.parametrize("alpha", [0.0, 0.6, 1.0])
def test_search_equals_the_oracle(beam, penalty, alpha):
    for seed in range(4):
        model = ToyGru(seed, sharpness=1.0 + seed).eval()
        source, mask = random_sources(seed, LENGTHS)
        wanted = options(beam=beam, nbest=(1, beam)[seed % 2], length_penalty=penalty, alpha=alpha)
        found = search([model], source, mask, wanted)
        for row, ids in zip(found, real(source, mask), strict=True):
            assert_same(row, oracle_beam([model], ids, wanted))


@pytest.mark.parametrize("size", [5, 6, 200])
def test_search_equals_the_oracle_whatever_the_vocabulary(size):
    model = ToyGru(size, size=size, sharpness=1.0).eval()
    source, mask = random_sources(size, LENGTHS)
    wanted = options(beam=5, nbest=5)
    for row, ids in zip(search([model], source, mask, wanted), real(source, mask), strict=True):
        assert_same(row, oracle_beam([model], ids, wanted))


def test_a_beam_of_one_is_greedy_search():
    for seed in range(8):
        model = ToyGru(seed).eval()
        source, mask = random_sources(seed, LENGTHS)
        found = search([model], source, mask, options(beam=1))
        for row, ids in zip(found, real(source, mask), strict=True):
            assert_same(row, [oracle_greedy([model], ids, options(beam=1))])


@pytest.mark.parametrize("beam", [1, 4])
def test_batched_equals_single_and_padded_equals_unpadded(beam):
    for seed in range(5):
        model = ToyGru(seed).eval()
        source, mask = random_sources(seed, [4, 9, 1, 6, 6, 2, 3, 8])
        wanted = options(beam=beam, nbest=beam)
        together = search([model], source, mask, wanted)
        wider = torch.nn.functional.pad(source, (0, 5), value=PAD)
        padded = search([model], wider, wider.ne(PAD), wanted)
        for number, ids in enumerate(real(source, mask)):
            one = torch.tensor([ids])
            (alone,) = search([model], one, torch.ones_like(one, dtype=torch.bool), wanted)
            assert_same(together[number], alone)
            assert_same(padded[number], alone)


def test_n_best_lists_are_sorted_and_distinct():
    for seed in range(6):
        source, mask = random_sources(seed, LENGTHS)
        wanted = options(beam=5, nbest=5)
        for found in search([ToyGru(seed, sharpness=1.0)], source, mask, wanted):
            assert len(found) == 5
            keys = [(h.finished, h.score) for h in found]
            assert keys == sorted(keys, reverse=True)
            assert len({(h.ids, h.finished) for h in found}) == 5


@pytest.mark.parametrize("penalty", ["wu", "average"])
@pytest.mark.parametrize("alpha", [0.0, 0.7, 1.5])
def test_stopping_early_changes_nothing_and_saves_work(monkeypatch, penalty, alpha):
    rows = []

    class Counting(ToyGru):
        def step(self, memory, state, last):
            rows.append(len(last))
            return super().step(memory, state, last)

    wanted = options(beam=4, nbest=2, length_penalty=penalty, alpha=alpha, max_length_extra=12)
    inputs = [random_sources(seed, LENGTHS) for seed in range(6)]
    models = [Counting(seed, sharpness=4.0) for seed in range(6)]

    def run():
        rows.clear()
        return [search([m], *i, wanted) for m, i in zip(models, inputs, strict=True)], sum(rows)

    early, work = run()
    monkeypatch.setattr(
        beam_module._Sentences,
        "are_final",
        lambda self, going_on: torch.zeros_like(self.numbers, dtype=torch.bool),
    )
    never, work_without = run()
    assert work < work_without
    for ours, theirs in zip(early, never, strict=True):
        for row, expected in zip(ours, theirs, strict=True):
            assert_same(row, expected)


def test_special_tokens_are_never_generated():
    for seed in range(6):
        source, mask = random_sources(seed, LENGTHS)
        wanted = options(beam=5, nbest=5)
        for found in search([ToyGru(seed, size=7)], source, mask, wanted):
            for hypothesis in found:
                assert not {PAD, BOS, EOS, UNK}.intersection(hypothesis.ids)


def test_a_model_that_never_ends_is_cut_off_at_the_maximum_length():
    model = ToyGru(1).eval()
    model.output.bias.data[EOS] = -1e4
    source, mask = random_sources(0, [3, 5])
    for beam in (1, 3):
        wanted = options(beam=beam, nbest=beam, max_length_factor=1.5, max_length_extra=2)
        short, long = search([model], source, mask, wanted)
        assert all(len(h.ids) == 6 and not h.finished for h in short)
        assert all(len(h.ids) == 9 and not h.finished for h in long)
        assert len(short[0].token_log_probabilities) == 6


def test_the_models_limit_bounds_the_output():
    model = ToyGru(1).eval()
    model.output.bias.data[EOS] = -1e4
    model.max_positions = 5
    source, mask = random_sources(0, [4])
    for beam in (1, 3):
        assert len(search([model], source, mask, options(beam=beam))[0][0].ids) == 5


def test_search_switches_dropout_off_and_on_again():
    model = ToyGru(3)
    assert model.training
    source, mask = random_sources(3, LENGTHS)
    first = search([model], source, mask, options(beam=3))
    assert model.training
    assert search([model.eval()], source, mask, options(beam=3)) == first
    assert not model.training


def test_memory_is_never_copied_for_hypotheses_and_shrinks_as_sentences_finish():
    seen = []

    class Watching(ToyGru):
        def step(self, memory, state, last):
            seen.append((memory.states.shape[0], len(last)))
            return super().step(memory, state, last)

    source, mask = random_sources(5, [2, 3, 4, 5, 6, 7])
    search([Watching(5)], source, mask, options(beam=4, max_length_factor=2.0))
    assert seen[0] == (6, 6)
    assert all(rows == 4 * sentences for sentences, rows in seen[1:])
    sizes = [sentences for sentences, _ in seen]
    assert sizes == sorted(sizes, reverse=True) and sizes[-1] < 6
