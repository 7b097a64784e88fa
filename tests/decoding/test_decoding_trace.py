"""What a traced search notes: as a full enumeration finds it, and without changing the search."""

from __future__ import annotations

import math

import pytest
import torch
from decoding_toys import A, B, C, D, ToyGpt, ToyGru, garden_path, random_sources
from oracle import allowed, next_log_probabilities

from seqloom.decoding.forced import score, walk_along
from seqloom.decoding.search import search
from seqloom.decoding.trace import Trace, traced
from seqloom.errors import DecodingError
from seqloom.recipe import DecodingRecipe
from seqloom.symbols import BOS, EOS, PAD, UNK


def options(**values) -> DecodingRecipe:
    return DecodingRecipe(**{"max_length_factor": 1.0, "max_length_extra": 4, **values})


def one(seed: int, length: int = 5):
    return random_sources(seed, [length])


RULES = [
    {"beam": 3, "nbest": 2},
    {"beam": 4, "nbest": 4, "no_repeat_ngram": 1, "length_penalty": "average", "alpha": 1.0},
    {"beam": 2, "repetition_penalty": 1.5, "no_repeat_ngram": 2},
    {"beam": 1},
    {"sample": True, "nbest": 3, "temperature": 1.5, "top_k": 6, "top_p": 0.9},
    {"sample": True, "nbest": 2, "min_p": 0.05, "seed": 7},
]


@pytest.mark.parametrize("rules", RULES)
@pytest.mark.parametrize("family", [ToyGru, ToyGpt])
def test_a_traced_search_finds_the_same_bit_by_bit(family, rules):
    for seed in range(3):
        model = family(seed).eval()
        source, mask = one(seed)
        source = source.clamp(max=11)
        plain = search([model], source, mask, options(**rules))
        with traced(4, [5, 6]) as trace:
            assert search([model], source, mask, options(**rules)) == plain
        noted = len(trace.steps)
        assert noted > 0
        assert search([model], source, mask, options(**rules)) == plain
        assert len(trace.steps) == noted  # nothing is noted outside the block


def paths(trace: Trace) -> list[dict[tuple[int, ...], object]]:
    """The candidates of each step by their tokens."""
    found, before = [], [()]
    for step, candidates in enumerate(trace.steps):
        here = [((before[c.parent] if step else ()) + (c.token,)) for c in candidates]
        assert len(set(here)) == len(here)
        found.append(dict(zip(here, candidates, strict=True)))
        before = here
    return found


def expected_rule(token, tokens, prefix):
    if len(tokens) < len(prefix):
        return "prefix"
    return "special" if token in (PAD, BOS, UNK) else "repeated"


@pytest.mark.parametrize("rules", RULES[:3])
@pytest.mark.parametrize("prefix", [(), (7, 5)])
def test_candidates_equal_a_full_enumeration(rules, prefix):
    wanted, size = options(**rules), 12
    for seed in range(4):
        model = ToyGru(seed, size=size, sharpness=1.5).eval()
        source, mask = one(seed)
        with traced(size) as trace:  # every token of every hypothesis
            search([model], source, mask, wanted, prefixes=[prefix])
        opened = {(): 0.0}
        for noted in paths(trace):
            sums, forbidden, gains = {}, set(), {}
            for tokens, total in opened.items():
                values = next_log_probabilities(
                    [model], source[0].tolist(), list(tokens), wanted.repetition_penalty
                )
                fine = allowed([model], source[0].tolist(), list(tokens), wanted, prefix, size)
                for token, value in enumerate(values):
                    gains[*tokens, token] = value
                    if token in fine:
                        sums[*tokens, token] = total + value
                    else:
                        forbidden.add((*tokens, token))
            assert noted.keys() == sums.keys() | forbidden
            order = sorted(sums, key=sums.__getitem__, reverse=True)
            taken = order[: 2 * wanted.beam]
            kept = [path for path in taken if path[-1] != EOS][: wanted.beam]
            for path, each in noted.items():
                assert each.log_probability == pytest.approx(gains[path], abs=1e-4)
                if path in forbidden:
                    assert each.fate == "forbidden" and each.rank is None
                    assert each.rule == expected_rule(path[-1], path[:-1], prefix)
                    continue
                fate = "kept" if path in kept else "pruned"
                assert each.fate == ("finished" if path in taken and path[-1] == EOS else fate)
                assert each.rank == 1 + order.index(path)
                if each.fate == "pruned":
                    bar = sums[taken[-1] if path[-1] == EOS else kept[-1]]
                    assert each.missed == pytest.approx(bar - sums[path], abs=1e-4)
                else:
                    assert each.missed is None
            opened = {path: sums[path] for path in kept}


def test_only_what_is_asked_for_is_noted():
    model = ToyGru(2, size=200).eval()
    with traced(3) as trace:
        search([model], *one(2), options(beam=2))
    for step, candidates in enumerate(trace.steps):
        assert len(candidates) <= 3 * (1 if step == 0 else 2) + 4
        assert sum(each.fate == "kept" for each in candidates) == 2


def test_a_watched_output_is_noted_until_it_leaves_the_beam():
    model, (source, mask) = ToyGru(3, size=50).eval(), one(3)
    wanted = options(beam=3)
    [best] = search([model], source, mask, wanted)[0]
    unlikely = next_log_probabilities([model], source[0].tolist(), list(best.ids[:1]))
    worst = min(range(5, 50), key=unlikely.__getitem__)
    with traced(1, [best.ids[0], worst, 6]) as trace:
        search([model], source, mask, wanted)
    steps = paths(trace)
    left = steps[1][best.ids[0], worst]
    assert left.fate == "pruned" and left.missed > 0
    assert all((best.ids[0], worst) != path[:2] for step in steps[2:] for path in step)


def test_why_a_search_stops():
    source, mask = one(0, 6)
    with traced(2) as trace:
        [found] = search([garden_path()], source, mask, options(beam=2, alpha=0))
    assert trace.stop.final
    assert trace.stop.worst == pytest.approx(found[0].score)
    assert trace.stop.attainable <= trace.stop.worst
    endless = ToyGru(1).eval()
    endless.output.bias.data[EOS] = -1e4
    with traced(2) as trace:
        search([endless], source, mask, options(beam=2))
    assert not trace.stop.final
    assert (trace.stop.step, trace.longest) == (9, 10)
    assert trace.stop.worst == -math.inf


def test_probabilities_of_draws_by_hand():
    source, mask = one(0)
    with traced(8) as trace:
        search([garden_path()], source, mask, options(sample=True, temperature=2.0, top_k=2))
    draws = {each.token: each.draw for each in trace.steps[0]}
    whole = math.sqrt(0.6) + math.sqrt(0.4)
    assert draws[A] == pytest.approx(math.sqrt(0.6) / whole)
    assert draws[B] == pytest.approx(math.sqrt(0.4) / whole)
    assert draws[C] == draws[D] == 0
    assert sum(draws.values()) == pytest.approx(1)
    with traced(8) as trace:  # ids in their own order
        search([garden_path()], source, mask, options(sample=True))
    assert {each.token: each.draw for each in trace.steps[0]}[A] == pytest.approx(0.6)


def test_walking_along_a_target_scores_it_as_forced_scoring_does():
    for seed, family in enumerate((ToyGru, ToyGpt)):
        model, (source, mask) = family(seed).eval(), one(seed, 4)
        source = source.clamp(max=11)
        target = [7, 5, 9, EOS]
        with traced(0) as trace:
            walk_along([model], source, mask, target, options())
        assert [[each.token for each in step] for step in trace.steps] == [[t] for t in target]
        rows = torch.tensor([target])
        expected = score([model], source, mask, rows, torch.ones_like(rows, dtype=torch.bool))
        gains = [step[0].log_probability for step in trace.steps]
        assert gains == pytest.approx(expected[0].tolist(), abs=1e-5)


def test_a_walk_along_what_is_forbidden_goes_on():
    model, (source, mask) = ToyGru(1).eval(), one(1)
    with traced(0) as trace:
        walk_along([model], source, mask, [7, 7, EOS], options(no_repeat_ngram=1))
    assert [step[0].fate for step in trace.steps] == ["kept", "forbidden", "finished"]
    assert trace.steps[1][0].rule == "repeated"
    assert all(math.isfinite(step[0].log_probability) for step in trace.steps)


def test_a_walk_along_too_long_a_target_is_refused():
    source, mask = one(1)
    with pytest.raises(
        DecodingError, match=r"a forced text of 4 tokens .* longest .* is 3; shorten"
    ):
        walk_along([ToyGru(1)], source, mask, [7, 8, 9, EOS], options(max_tokens=3))


@pytest.mark.parametrize("beam", [1, 2])
def test_a_trace_follows_one_sentence(beam):
    source, mask = random_sources(1, [4, 5])
    with traced(2), pytest.raises(AssertionError, match="one sentence"):
        search([ToyGru(1)], source, mask, options(beam=beam))
