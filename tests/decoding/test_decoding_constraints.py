from __future__ import annotations

import pytest
import torch
from decoding_toys import ToyGru, random_sources
from oracle import assert_same, oracle_beam, oracle_greedy

from seqloom.decoding.constraints import discourage, forbid_repeated
from seqloom.decoding.search import search
from seqloom.errors import DecodingError
from seqloom.recipe import DecodingRecipe
from seqloom.symbols import EOS, UNK

LENGTHS = [5, 2, 7, 3]


def options(**values) -> DecodingRecipe:
    defaults = {"max_length_factor": 1.0, "max_length_extra": 6}
    return DecodingRecipe(**{**defaults, **values})


def real(source, mask) -> list[list[int]]:
    return [row[keep].tolist() for row, keep in zip(source, mask, strict=True)]


def forbidden(written: list[int], size: int, vocabulary: int = 10) -> set[int]:
    values = torch.zeros(1, vocabulary)
    forbid_repeated(values, torch.tensor([written], dtype=torch.long).view(1, -1), size)
    return set(values[0].isinf().nonzero().flatten().tolist())


def test_repeated_ngrams_by_hand():
    assert forbidden([], 1) == set()
    assert forbidden([4, 5], 1) == {4, 5}
    assert forbidden([4, 5, 4], 2) == {5}
    assert forbidden([4, 5, 4, 6, 4], 2) == {5, 6}
    assert forbidden([4, 4], 2) == {4}
    assert forbidden([4, 5, 6, 4, 5], 3) == {6}
    assert forbidden([4, 5, 6, 4], 3) == set()
    assert forbidden([4, 5], 3) == set()


def test_nothing_repeats_a_place_where_nothing_stands():
    assert forbidden([-1, -1, 4, 5], 1) == {4, 5}
    assert forbidden([-1, -1, 4], 2) == set()
    assert forbidden([-1, 4, 5, 4], 2) == {5}


def test_repeated_tokens_are_penalised_by_hand_and_as_transformers_does():
    from transformers.generation.logits_process import RepetitionPenaltyLogitsProcessor

    logits = torch.tensor([[2.0, -2.0, 0.0, 3.0]])
    discourage(logits, torch.tensor([[0, 1, 1]]), 2.0)
    assert logits.tolist() == [[1.0, -4.0, 0.0, 3.0]]
    generator = torch.Generator().manual_seed(1)
    scores = torch.randn(5, 20, generator=generator) * 3
    known = torch.randint(20, (5, 8), generator=generator)
    for penalty in (0.7, 1.2, 3.0):
        ours, theirs = scores.clone(), RepetitionPenaltyLogitsProcessor(penalty)
        discourage(ours, known, penalty)
        assert torch.equal(ours, theirs(known, scores.clone()))
        logs, expected = scores.log_softmax(1), theirs(known, scores.log_softmax(1))
        discourage(logs, known, penalty)
        assert torch.equal(logs, expected)


def test_rows_do_not_share_their_ngrams():
    values = torch.zeros(2, 10)
    forbid_repeated(values, torch.tensor([[4, 5, 4], [6, 7, 8]]), 2)
    assert values[0, 5] == -torch.inf
    assert values.isinf().sum() == 1


@pytest.mark.parametrize("beam", [1, 3])
@pytest.mark.parametrize("size", [1, 2, 3])
def test_no_ngram_is_repeated_and_the_oracle_agrees(beam, size):
    for seed in range(4):
        model = ToyGru(seed).eval()
        model.output.bias.data[EOS] -= 4
        source, mask = random_sources(seed, LENGTHS)
        wanted = options(beam=beam, nbest=beam, no_repeat_ngram=size)
        found = search([model], source, mask, wanted)
        for row, ids in zip(found, real(source, mask), strict=True):
            for hypothesis in row:
                grams = list(zip(*(hypothesis.ids[i:] for i in range(size)), strict=False))
                assert len(grams) == len(set(grams))
            oracle = oracle_beam if beam > 1 else lambda *a: [oracle_greedy(*a)]
            assert_same(row, oracle([model], ids, wanted))


@pytest.mark.parametrize("beam", [1, 2, 4])
def test_the_prefix_is_respected_and_the_oracle_agrees(beam):
    prefixes = [(7, 7, 8), (), (UNK, 9), (10,)]
    for seed in range(4):
        model = ToyGru(seed).eval()
        source, mask = random_sources(seed, LENGTHS)
        wanted = options(beam=beam, nbest=beam, no_repeat_ngram=seed % 2)
        found = search([model], source, mask, wanted, prefixes=prefixes)
        for row, ids, prefix in zip(found, real(source, mask), prefixes, strict=True):
            assert all(h.ids[: len(prefix)] == prefix for h in row)
            oracle = oracle_beam if beam > 1 else lambda *a: [oracle_greedy(*a)]
            assert_same(row, oracle([model], ids, wanted, prefix))


def test_the_prefix_is_respected_by_samples():
    source, mask = random_sources(1, LENGTHS)
    wanted = options(sample=True, nbest=5, top_k=2)
    found = search([ToyGru(1)], source, mask, wanted, prefixes=[(7, 8)] * 4)
    assert all(h.ids[:2] == (7, 8) for row in found for h in row)


def test_forcing_what_the_search_finds_changes_nothing():
    source, mask = random_sources(2, LENGTHS)
    wanted = options(beam=1)
    free = search([ToyGru(2)], source, mask, wanted)
    prefixes = [row[0].ids[:2] for row in free]
    again = search([ToyGru(2)], source, mask, wanted, prefixes=prefixes)
    for ours, theirs in zip(again, free, strict=True):
        assert_same(ours, theirs)


@pytest.mark.parametrize(
    ("prefixes", "message"),
    [
        ([(5,)], "1 forced prefixes for 2 sentences; give one each"),
        ([(5,), (6, EOS)], "prefix of sentence 2 holds the id 2; expected ordinary tokens"),
        ([(-1,), ()], "prefix of sentence 1 holds the id -1; expected ordinary tokens"),
        ([(5,) * 9, ()], r"sentence 1 has 9 tokens, but the longest output allowed is 9"),
        ([(), (12,)], "the id 12, but the target vocabulary ends at 11"),
    ],
)
def test_wrong_prefixes_are_refused(prefixes, message):
    source, mask = random_sources(1, [3, 3])
    for beam in (1, 2):
        with pytest.raises(DecodingError, match=message):
            search([ToyGru(1)], source, mask, options(beam=beam), prefixes=prefixes)
