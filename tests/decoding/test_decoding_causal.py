"""Search with causal models: the same loops, prompts instead of sources."""

from __future__ import annotations

import random

import pytest
import torch
from decoding_toys import ToyGpt, ToyGru
from oracle import assert_same, oracle_beam, oracle_greedy

from seqloom.decoding.forced import score, score_pairs
from seqloom.decoding.search import search
from seqloom.decoding.stream import decode_stream, pad
from seqloom.errors import DecodingError
from seqloom.recipe import DecodingRecipe
from seqloom.symbols import Symbols

ALIKE = Symbols(pad=9, begin=9, end=9, unknown=None)
"""As GPT-2 has it: one token for everything."""
KINDS = {
    "ours": Symbols(),
    "one token for all": ALIKE,
    "padding is the end": Symbols(pad=2, begin=5, end=2, unknown=None),
    "beginning is the end": Symbols(pad=0, begin=7, end=7, unknown=3),
    "with a mask": Symbols(mask=4),
}
PROMPTS = [[5, 6, 8], [], [10], [5, 8, 5, 8, 5], [11, 4]]


def options(**values) -> DecodingRecipe:
    return DecodingRecipe(**{"beam": 1, "max_tokens": 9, **values})


def read(model, prompts=PROMPTS):
    return pad([model.framed(ids) for ids in prompts], model.symbols.pad, "cpu")


@pytest.fixture(params=KINDS.values(), ids=KINDS)
def symbols(request) -> Symbols:
    return request.param


@pytest.mark.parametrize(
    "rules", [{}, {"no_repeat_ngram": 1}, {"no_repeat_ngram": 2}, {"repetition_penalty": 1.7}]
)
def test_greedy_search_equals_a_plain_loop_over_forward(symbols, rules):
    for seed in range(2):
        model = ToyGpt(seed, symbols=symbols).eval()
        found = search([model], *read(model), options(**rules))
        for row, ids in zip(found, PROMPTS, strict=True):
            assert_same(row, [oracle_greedy([model], model.framed(ids), options(**rules))])


@pytest.mark.parametrize(
    "rules", [{}, {"no_repeat_ngram": 2}, {"repetition_penalty": 1.3}, {"nbest": 3}]
)
def test_beam_search_equals_the_oracle(symbols, rules):
    for seed in range(2):
        model, wanted = ToyGpt(seed, symbols=symbols).eval(), options(beam=3, **rules)
        found = search([model], *read(model), wanted)
        for row, ids in zip(found, PROMPTS, strict=True):
            assert_same(row, oracle_beam([model], model.framed(ids), wanted))


def test_an_ensemble_with_a_repetition_penalty_equals_the_oracle():
    models = [ToyGpt(seed).eval() for seed in (1, 2)]
    for wanted in (
        options(repetition_penalty=1.5, beam=2),
        options(repetition_penalty=0.8, beam=3),
    ):
        for row, ids in zip(search(models, *read(models[0]), wanted), PROMPTS, strict=True):
            assert_same(row, oracle_beam(models, models[0].framed(ids), wanted))


def test_a_translation_is_penalised_for_what_it_repeats_and_not_for_the_source():
    model, wanted = ToyGru(3).eval(), options(repetition_penalty=2.0)
    source, mask = read(model, [[5, 6, 7], [8, 4]])
    for row, ids in zip(search([model], source, mask, wanted), source, strict=True):
        assert_same(row, [oracle_greedy([model], ids[ids.ne(0)].tolist(), wanted)])


def test_samples_do_not_depend_on_the_batch(symbols):
    model = ToyGpt(4, symbols=symbols).eval()
    wanted = options(sample=True, nbest=3, min_p=0.05, repetition_penalty=1.2)
    together = search([model], *read(model), wanted)
    for number, ids in enumerate(PROMPTS):
        (alone,) = search([model], *read(model, [ids]), wanted, numbers=[number])
        assert_same(together[number], alone)
    streamed = decode_stream([model], PROMPTS, wanted, device="cpu", window=2)
    for ours, theirs in zip(streamed, together, strict=True):
        assert_same(ours, theirs)


def test_forced_score_equals_search_score(symbols):
    for beam in (1, 3):
        model = ToyGpt(5, symbols=symbols).eval()
        found = [row[0] for row in search([model], *read(model), options(beam=beam))]
        rows = [[*h.ids, *[symbols.end] * h.finished] for h in found]
        target, target_mask = pad(rows, symbols.pad, "cpu")
        forced = score([model], *read(model), target, target_mask)
        for values, row, hypothesis in zip(forced.tolist(), rows, found, strict=True):
            expected = list(hypothesis.token_log_probabilities)
            assert values[: len(row)] == pytest.approx(expected, abs=1e-4)
        targets = [h.ids for h in found]
        pairs = score_pairs([model], PROMPTS, targets, torch.device("cpu"))
        for values, hypothesis in zip(pairs, found, strict=True):
            assert len(values) == len(hypothesis.ids) + 1
            if hypothesis.finished:
                assert sum(values) == pytest.approx(hypothesis.log_probability, abs=1e-4)


def test_an_empty_prompt_is_one_like_others():
    model = ToyGpt(1).eval()
    first, second = decode_stream([model], [[], [5]], options(beam=2), device="cpu")
    assert_same(first[:1], search([model], *read(model, [[]]), options(beam=2))[0])
    assert first[0].token_log_probabilities and second


def test_prompt_and_output_share_the_models_positions():
    model = ToyGpt(1).eval()
    model.max_positions = 8
    model.output.bias.data[model.symbols.end] = -1e4
    for beam in (1, 2):
        found = search([model], *read(model), options(beam=beam))
        assert [len(row[0].ids) for row in found] == [4, 7, 6, 2, 5]
    with pytest.raises(
        DecodingError,
        match=r"prompt 12 has 8 tokens \(beginning counted\), .* holds 8 together .* at most 7",
    ):
        list(decode_stream([model], [[5], [6] * 7], options(), device="cpu", first=10))


def test_prompt_and_target_share_the_models_positions():
    model = ToyGpt(1).eval()
    model.max_positions = 6
    device = torch.device("cpu")
    assert len(score_pairs([model], [[5, 6]], [[7, 8]], device)[0]) == 3
    message = r"a prompt of 3 tokens .* its target of 4 .* limit of 6 together"
    with pytest.raises(DecodingError, match=message):
        score_pairs([model], [[5, 6]], [[7, 8, 9]], device)


def test_the_longest_output_follows_the_prompt_or_a_number():
    model = ToyGpt(1).eval()
    model.output.bias.data[model.symbols.end] = -1e4
    for wanted, expected in (
        (options(max_tokens=3), [3] * 5),
        (DecodingRecipe(beam=1, max_length_factor=2, max_length_extra=1), [9, 3, 5, 13, 7]),
    ):
        found = search([model], *read(model), wanted)
        assert [len(row[0].ids) for row in found] == expected
    with pytest.raises(DecodingError, match=r"longest output allowed is 2; .* decoding.max_tokens"):
        search([model], *read(model, [[5]]), options(max_tokens=2), prefixes=[[6, 7]])


def test_special_tokens_are_never_written_but_the_end(symbols):
    special = {token for token in symbols if token is not None}
    ends = 0
    for seed in range(4):
        model = ToyGpt(seed, symbols=symbols).eval()
        wanted = options(sample=True, nbest=20, temperature=2.0)
        for row in search([model], *read(model), wanted):
            for hypothesis in row:
                assert not special.intersection(hypothesis.ids)
                ends += hypothesis.finished
    assert ends


def test_prefixes_begin_the_output(symbols):
    model = ToyGpt(2, symbols=symbols).eval()
    prefixes = [(8, 10), (), (11,), (6, 6), ()]
    found = search([model], *read(model), options(beam=2), prefixes=prefixes)
    for row, ids, prefix in zip(found, PROMPTS, prefixes, strict=True):
        assert_same(row, oracle_beam([model], model.framed(ids), options(beam=2), prefix))


def test_models_that_do_not_belong_together_are_refused():
    model = ToyGpt(1)
    with pytest.raises(DecodingError, match=r"special tokens \(0, 1, 2, 3, None\) and \(9, 9, 9"):
        search([model, ToyGpt(1, symbols=ALIKE)], *read(model), options())
    with pytest.raises(DecodingError, match="a causal model and an encoder-decoder cannot be"):
        search([model, ToyGru(1)], *read(model), options())


def test_padding_of_prompts_changes_nothing():
    draw = random.Random(1)
    model = ToyGpt(7, symbols=ALIKE).eval()
    prompts = [[draw.randrange(12) for _ in range(draw.randrange(9))] for _ in range(20)]
    wanted = options(beam=2, no_repeat_ngram=3, repetition_penalty=1.1)
    for row, ids in zip(search([model], *read(model, prompts), wanted), prompts, strict=True):
        assert_same(row, search([model], *read(model, [ids]), wanted)[0])
