"""The same relations for every architecture: search knows the contract, the contract holds."""

from __future__ import annotations

import math

import pytest
import torch
from decoding_toys import random_sources
from oracle import assert_same, oracle_beam, oracle_greedy

from seqloom.decoding.forced import score
from seqloom.decoding.search import search
from seqloom.models import build_model
from seqloom.recipe import DecodingRecipe, RecurrentRecipe, TransformerRecipe
from seqloom.symbols import EOS, PAD

SIZE = 14
LENGTHS = [4, 2, 6]


def recurrent(**values) -> RecurrentRecipe:
    return RecurrentRecipe(**{"embedding": 8, "width": 8, "dropout": 0.3, "tie": "none", **values})


def transformer(**values) -> TransformerRecipe:
    defaults = {
        "width": 8,
        "feedforward": 12,
        "heads": 2,
        "encoder_layers": 1,
        "decoder_layers": 2,
        "max_positions": 32,
        "dropout": 0.3,
        "attention_dropout": 0.2,
    }
    return TransformerRecipe(**{**defaults, **values})


RECIPES = {
    **{f"cell {cell}": recurrent(cell=cell) for cell in ("rnn", "lstm", "gru")},
    **{
        f"plain {cell} {context} {bridge}": recurrent(
            cell=cell, attention="none", context=context, bridge=bridge, bidirectional=both
        )
        for cell, context, bridge, both in (
            ("rnn", "initial", "last", False),
            ("lstm", "initial", "learned", True),
            ("gru", "input", "last", True),
            ("lstm", "input", "learned", False),
            ("gru", "input_and_output", "learned", True),
            ("lstm", "input_and_output", "last", True),
        )
    },
    **{
        f"{attention} {wiring} {'fed' if fed else 'unfed'}": recurrent(
            cell="lstm", attention=attention, wiring=wiring, input_feeding=fed
        )
        for attention in ("dot", "bilinear", "additive", "scaled_dot")
        for wiring, fed in (("before", False), ("after", False), ("after", True))
    },
    "deep rnn": recurrent(encoder_layers=2, decoder_layers=3, bridge="last", tie="all"),
    "one direction": recurrent(bidirectional=False, encoder_layers=2, decoder_layers=2),
    **{
        f"{norm} {positions}": transformer(norm=norm, positions=positions)
        for norm in ("pre", "post")
        for positions in ("sinusoidal", "fairseq", "learned", "rotary")
    },
    **{f"{name}": transformer(activation=name) for name in ("gelu", "silu", "swiglu")},
    **{f"tie {tie}": transformer(tie=tie) for tie in ("none", "target")},
    "unscaled, normalised": transformer(scale_embedding=False, normalize_embedding=True),
    "deep decoder": transformer(encoder_layers=2, decoder_layers=4),
}


@pytest.fixture(params=RECIPES.values(), ids=RECIPES, scope="module")
def model(request):
    torch.manual_seed(3)
    model = build_model(request.param, SIZE, SIZE)
    for parameter in model.parameters():
        if parameter.dim() > 1:
            torch.nn.init.normal_(parameter, std=0.6)
    return model.eval()


def options(**values) -> DecodingRecipe:
    defaults = {"max_length_factor": 0.7, "max_length_extra": 4}
    return DecodingRecipe(**{**defaults, **values})


def inputs() -> tuple[torch.Tensor, torch.Tensor]:
    return random_sources(8, LENGTHS, size=SIZE)


def rows_of(source) -> list[list[int]]:
    return [row[row.ne(PAD)].tolist() for row in source]


def test_beam_search_equals_the_oracle(model):
    source, mask = inputs()
    wanted = options(beam=3, nbest=3)
    for row, ids in zip(search([model], source, mask, wanted), rows_of(source), strict=True):
        assert_same(row, oracle_beam([model], ids, wanted))


def test_a_beam_of_one_is_greedy(model):
    source, mask = inputs()
    for row, ids in zip(
        search([model], source, mask, options(beam=1)), rows_of(source), strict=True
    ):
        assert_same(row, [oracle_greedy([model], ids, options(beam=1))])


@pytest.mark.parametrize(
    "kind", [{"beam": 1}, {"beam": 3, "nbest": 2}, {"sample": True, "nbest": 2, "top_p": 0.8}]
)
def test_batched_equals_single_and_padded_equals_unpadded(model, kind):
    source, mask = inputs()
    together = search([model], source, mask, options(**kind))
    wider = torch.nn.functional.pad(source, (0, 3), value=PAD)
    padded = search([model], wider, wider.ne(PAD), options(**kind))
    for number, ids in enumerate(rows_of(source)):
        one = torch.tensor([ids])
        (alone,) = search([model], one, one.ne(PAD), options(**kind), numbers=[number])
        assert_same(together[number], alone)
        assert_same(padded[number], alone)


def test_forced_score_equals_search_score(model):
    source, mask = inputs()
    found = [row[0] for row in search([model], source, mask, options(beam=2))]
    rows = [[*h.ids, *[EOS] * h.finished] for h in found]
    target = torch.full((len(rows), max(map(len, rows))), PAD)
    for number, row in enumerate(rows):
        target[number, : len(row)] = torch.tensor(row)
    forced = score([model], source, mask, target, target.ne(PAD))
    for values, hypothesis in zip(forced, found, strict=True):
        gains = hypothesis.token_log_probabilities
        assert values[: len(gains)].tolist() == pytest.approx(list(gains), abs=1e-4)
        assert math.isclose(float(values.sum()), hypothesis.log_probability, abs_tol=1e-4)


def test_an_ensemble_of_one_model_twice_is_that_model(model):
    source, mask = inputs()
    one = search([model], source, mask, options(beam=2, nbest=2))
    for ours, theirs in zip(
        search([model, model], source, mask, options(beam=2, nbest=2)), one, strict=True
    ):
        assert_same(ours, theirs)


def test_prefix_ngrams_and_samples(model):
    source, mask = inputs()
    wanted = options(beam=3, nbest=2, no_repeat_ngram=2)
    for row in search([model], source, mask, wanted, prefixes=[(5, 6), (), (7,)]):
        for hypothesis in row:
            grams = list(zip(hypothesis.ids, hypothesis.ids[1:], strict=False))
            assert len(grams) == len(set(grams))
    forced = search([model], source, mask, wanted, prefixes=[(5, 6)] * 3)
    assert all(h.ids[:2] == (5, 6) for row in forced for h in row)
    greedy = search([model], source, mask, options(beam=1))
    drawn = search([model], source, mask, options(sample=True, top_k=1))
    for ours, theirs in zip(drawn, greedy, strict=True):
        assert_same(ours, theirs)
