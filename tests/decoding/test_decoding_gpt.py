"""Search with real language models: as a plain loop finds it, and as transformers does."""

from __future__ import annotations

import pytest
import torch
from oracle import assert_same, oracle_beam, oracle_greedy

from seqloom.decoding.forced import score, score_pairs
from seqloom.decoding.search import search
from seqloom.decoding.stream import pad
from seqloom.models import build_language_model
from seqloom.recipe import DecodingRecipe
from seqloom.recipe.language import GptRecipe
from seqloom.symbols import Symbols

SIZE = 16
ALIKE = Symbols(pad=0, begin=0, end=0, unknown=None)
"""As GPT-2 has it: one token for everything."""
PROMPTS = [[5, 6, 8], [], [10], [5, 8, 5, 8, 5], [11, 4]]
GPT2 = {"width": 16, "feedforward": 24, "heads": 2, "layers": 2, "context": 18, "dropout": 0.2}
LLAMA = {
    **GPT2, "norm": "rms", "positions": "rotary", "activation": "swiglu", "bias": "none",
    "tie": False, "heads": 4, "key_value_heads": 2,
}  # fmt: skip
RECIPES = {
    "gpt-2": GptRecipe(**GPT2),
    "llama": GptRecipe(**LLAMA),
    "mistral": GptRecipe(**{**LLAMA, "window": 3}),
}


def built(recipe: GptRecipe, symbols: Symbols = ALIKE):
    torch.manual_seed(2)
    model = build_language_model(recipe, SIZE, symbols)
    for parameter in model.parameters():
        if parameter.dim() > 1:
            torch.nn.init.normal_(parameter, std=0.5)
    return model.eval()


@pytest.fixture(params=RECIPES.values(), ids=RECIPES, scope="module")
def model(request):
    return built(request.param)


def options(**values) -> DecodingRecipe:
    return DecodingRecipe(**{"beam": 1, "max_tokens": 8, **values})


def read(model, prompts=PROMPTS):
    return pad([model.framed(ids) for ids in prompts], model.symbols.pad, "cpu")


@pytest.mark.parametrize("rules", [{}, {"no_repeat_ngram": 2, "repetition_penalty": 1.3}])
def test_greedy_search_equals_a_plain_loop_over_forward(model, rules):
    found = search([model], *read(model), options(**rules))
    for row, ids in zip(found, PROMPTS, strict=True):
        assert_same(row, [oracle_greedy([model], model.framed(ids), options(**rules))])


def test_beam_search_equals_the_oracle(model):
    wanted = options(beam=3, nbest=3, repetition_penalty=1.2)
    for row, ids in zip(search([model], *read(model), wanted), PROMPTS, strict=True):
        assert_same(row, oracle_beam([model], model.framed(ids), wanted))


def test_samples_do_not_depend_on_the_batch(model):
    wanted = options(sample=True, nbest=3, top_p=0.9, min_p=0.02)
    together = search([model], *read(model), wanted)
    for number, ids in enumerate(PROMPTS):
        (alone,) = search([model], *read(model, [ids]), wanted, numbers=[number])
        assert_same(together[number], alone)


@pytest.mark.parametrize("beam", [1, 3])
def test_rows_that_fill_the_positions_end_beside_others(model, beam):
    end = model.head.weight.new_zeros(SIZE)
    end[0] = -1e4
    wanted = options(beam=beam, max_tokens=100)
    prompts = [[5] * 15, [6], [7, 8] * 7]
    bias = model.head.bias
    try:
        model.head.bias = torch.nn.Parameter(end)
        found = search([model], *read(model, prompts), wanted)
        assert [len(row[0].ids) for row in found] == [2, 16, 3]
        for row, ids in zip(found, prompts, strict=True):
            assert_same(row, search([model], *read(model, [ids]), wanted)[0])
        target, mask = pad([row[0].ids for row in found], 0, "cpu")
        forced = score([model], *read(model, prompts), target, mask).sum(1).tolist()
        expected = [row[0].log_probability for row in found]
        assert forced == pytest.approx(expected, abs=1e-3)
    finally:
        model.head.bias = bias


@pytest.fixture(scope="module")
def pair():
    """GPT-2 of transformers and ours, with the same weights."""
    transformers = pytest.importorskip("transformers")
    recipe = RECIPES["gpt-2"]
    config = transformers.GPT2Config(
        vocab_size=SIZE, n_embd=recipe.width, n_inner=recipe.feedforward, n_head=recipe.heads,
        n_layer=recipe.layers, n_positions=60, bos_token_id=0, eos_token_id=0, pad_token_id=0,
    )  # fmt: skip
    ours = built(recipe.model_copy(update={"context": 60}))
    ours.tokens.weight.data[0] *= 1.5  # ends are likely
    theirs = transformers.GPT2LMHeadModel(config).eval()
    state = theirs.state_dict()
    state["transformer.wte.weight"] = state["lm_head.weight"] = ours.tokens.weight
    state["transformer.wpe.weight"] = ours.positions.table
    for name in ("weight", "bias"):
        state[f"transformer.ln_f.{name}"] = getattr(ours.norm, name)
        for number, layer in enumerate(ours.layers):
            attention, feedforward = layer.self_attention, layer.feedforward
            parts = (attention.query, attention.key, attention.value)
            copied = {
                "ln_1": getattr(layer.self_attention_norm, name),
                "attn.c_attn": torch.cat([getattr(part, name).t() for part in parts], dim=-1),
                "attn.c_proj": getattr(attention.output, name).t(),
                "ln_2": getattr(layer.feedforward_norm, name),
                "mlp.c_fc": getattr(feedforward.inner, name).t(),
                "mlp.c_proj": getattr(feedforward.outer, name).t(),
            }
            for place, value in copied.items():
                state[f"transformer.h.{number}.{place}.{name}"] = value
    theirs.load_state_dict(state)
    return ours, theirs


def generated(theirs, ids, **values) -> list[int]:
    """What transformers writes after ``ids``, without the end."""
    found = theirs.generate(
        torch.tensor([ids]), attention_mask=torch.ones(1, len(ids), dtype=torch.long),
        do_sample=False, max_new_tokens=20, **values,
    )[0, len(ids) :].tolist()  # fmt: skip
    return found[: found.index(0)] if 0 in found else found


@pytest.mark.parametrize(
    "rules", [{}, {"repetition_penalty": 1.4}, {"no_repeat_ngram": 2}, {"repetition_penalty": 0.9}]
)
def test_greedy_search_writes_what_transformers_writes(pair, rules):
    ours, theirs = pair
    named = {name.replace("ngram", "ngram_size"): value for name, value in rules.items()}
    found = search([ours], *read(ours), options(max_tokens=20, **rules))
    for row, ids in zip(found, PROMPTS, strict=True):
        assert list(row[0].ids) == generated(theirs, ours.framed(ids), **named)


@pytest.mark.parametrize("alpha", [0.0, 0.5, 1.0])
def test_a_beam_writes_what_transformers_writes_or_better(pair, alpha):
    """Theirs drops outputs that end among the second N of the 2N best, and ranks unfinished ones
    among the finished; ours does neither."""
    ours, theirs = pair
    wanted = options(beam=3, max_tokens=20, length_penalty="average", alpha=alpha)
    found = search([ours], *read(ours), wanted)
    same = 0
    for row, ids in zip(found, PROMPTS, strict=True):
        expected = generated(
            theirs, ours.framed(ids), num_beams=3, length_penalty=alpha, early_stopping="never"
        )
        if list(row[0].ids) == expected:
            same += 1
        elif len(expected) < 20:
            (gains,) = score_pairs([ours], [ids], [expected], torch.device("cpu"))
            assert row[0].score > sum(gains) / len(gains) ** alpha
    assert same > 1
