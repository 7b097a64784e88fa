from __future__ import annotations

import math

import pytest
import torch
from decoding_toys import ToyGru, random_sources
from oracle import assert_same, oracle_beam

from seqloom.decoding.ensemble import average_log_probabilities, room_for, staying
from seqloom.decoding.forced import score
from seqloom.decoding.search import search
from seqloom.errors import DecodingError
from seqloom.recipe import DecodingRecipe
from seqloom.symbols import EOS, PAD

WANTED = DecodingRecipe(beam=3, nbest=3, max_length_factor=1.0, max_length_extra=4)
LENGTHS = [5, 2, 7]


def test_probabilities_are_averaged_not_their_logarithms():
    first, second = torch.tensor([[0.5, 0.5]]).log(), torch.tensor([[0.1, 0.9]]).log()
    averaged = average_log_probabilities([first, second + 4.0])
    torch.testing.assert_close(averaged.exp(), torch.tensor([[0.3, 0.7]]))


def test_low_precision_logits_are_normalised_in_float32():
    logits = torch.randn(2, 1000).bfloat16()
    result = average_log_probabilities([logits])
    assert result.dtype == torch.float32
    torch.testing.assert_close(result.exp().sum(1), torch.ones(2))


def test_an_ensemble_of_the_same_model_is_that_model():
    source, mask = random_sources(1, LENGTHS)
    model = ToyGru(1)
    for wanted in (WANTED, WANTED.model_copy(update={"beam": 1, "nbest": 1})):
        one = search([model], source, mask, wanted)
        for ours, theirs in zip(search([model] * 3, source, mask, wanted), one, strict=True):
            assert_same(ours, theirs)


def test_an_ensemble_equals_the_oracle():
    for seed in range(4):
        models = [ToyGru(seed, width=8).eval(), ToyGru(seed + 50, width=6).eval()]
        source, mask = random_sources(seed, LENGTHS)
        for row, ids, keep in zip(search(models, source, mask, WANTED), source, mask, strict=True):
            assert_same(row, oracle_beam(models, ids[keep].tolist(), WANTED))


def test_different_vocabularies_are_refused():
    source, mask = random_sources(1, LENGTHS)
    models = [ToyGru(1, size=12), ToyGru(2, size=13)]
    with pytest.raises(DecodingError, match="vocabularies of 12 and 13 tokens cannot be averaged"):
        search(models, source, mask, WANTED)
    assert all(model.training for model in models)
    with pytest.raises(DecodingError, match="vocabularies of 12 and 13 tokens cannot be averaged"):
        score(models, source, mask, source % 12, mask)


def test_no_model_is_refused():
    source, mask = random_sources(1, LENGTHS)
    with pytest.raises(DecodingError, match="no model to decode with"):
        search([], source, mask, WANTED)


def test_sources_and_targets_over_the_limit_are_refused():
    model = ToyGru(1)
    model.max_positions = 6
    source, mask = random_sources(1, LENGTHS)
    with pytest.raises(DecodingError, match=r"a source of 7 tokens .* longer than .* limit of 6"):
        search([model], source, mask, WANTED)
    with pytest.raises(DecodingError, match=r"a target of 7 tokens .* longer than .* limit of 6"):
        score([model], source[:, :6], mask[:, :6], source % 12, mask)


@pytest.mark.parametrize("members", [1, 2])
@pytest.mark.parametrize("beam", [1, 4])
def test_forced_score_equals_search_score(members, beam):
    for seed in range(4):
        models = [ToyGru(seed + 10 * member) for member in range(members)]
        source, mask = random_sources(seed, LENGTHS)
        wanted = WANTED.model_copy(update={"beam": beam, "nbest": 1})
        found = [row[0] for row in search(models, source, mask, wanted)]
        rows = [[*h.ids, *[EOS] * h.finished] for h in found]
        target = torch.full((len(rows), max(map(len, rows)) + 1), PAD)
        for number, row in enumerate(rows):
            target[number, : len(row)] = torch.tensor(row)
        forced = score(models, source, mask, target, target.ne(PAD))
        assert forced[target.eq(PAD)].eq(0).all()
        for values, row, hypothesis in zip(forced, rows, found, strict=True):
            assert values[: len(row)].tolist() == pytest.approx(
                list(hypothesis.token_log_probabilities), abs=1e-4
            )
            assert math.isclose(float(values.sum()), hypothesis.log_probability, abs_tol=1e-4)


def test_forced_scores_do_not_depend_on_chunks_or_padding(monkeypatch):
    source, mask = random_sources(2, LENGTHS)
    target, target_mask = random_sources(3, [4, 9, 2], size=12)
    whole = score([ToyGru(2)], source, mask, target, target_mask)
    monkeypatch.setattr("seqloom.decoding.forced._CHUNK", 4)
    torch.testing.assert_close(score([ToyGru(2)], source, mask, target, target_mask), whole)
    alone = score([ToyGru(2)], source[1:2, :2], mask[1:2, :2], target[1:2], target_mask[1:2])
    torch.testing.assert_close(alone[0], whole[1])
    assert not whole.is_inference()


def test_nothing_to_score_gives_zeros():
    source, mask = random_sources(2, [3])
    target = torch.full((1, 2), PAD)
    assert score([ToyGru(2)], source, mask, target, target.ne(PAD)).tolist() == [[0.0, 0.0]]


def test_batches_have_few_sizes_with_little_room_to_spare():
    sizes = {room_for(sentences) for sentences in range(1, 1025)}
    assert sizes >= {*range(1, 9), 10, 12, 14, 16, 20, 1024}
    assert len(sizes) == 8 + 4 * 7
    for sentences in range(1, 1025):
        assert sentences <= room_for(sentences) < sentences * 1.25


def test_a_batch_shrinks_when_the_busy_fit_into_a_smaller_size():
    busy = torch.ones(16, dtype=torch.bool)
    busy[3] = False
    assert staying(busy) is None  # 15 still need a batch of 16
    busy[[0, 7]] = False
    kept = staying(busy)
    assert kept is not None
    assert kept.tolist() == [1, 2, 4, 5, 6, *range(8, 16), 0]
