"""Advice can be pasted, and agrees with what training chooses by itself."""

from dataclasses import replace

import pytest
import torch
import yaml

from seqloom.corpus.doctor.advice import Facts, cleaning_for, settings_for
from seqloom.recipe import recipe_from
from seqloom.training.sizes import choose_sizes

PLAIN = Facts(
    pairs=20_000,
    alike=0.0,
    scripts=("Latin", "Latin"),
    units=("words", "words"),
    longest=(120.0, 130.0),
    signs={},
    leaks=0,
)


def recipe_with(settings):
    values = {}
    for each in settings:
        path, _, value = each.partition("=")
        section, field = path.split(".")
        values.setdefault(section, {})[field] = yaml.safe_load(value)
    return recipe_from(values, "advice")


@pytest.mark.parametrize("pairs", [1, 5000, 20_000, 99_999, 100_000, 999_999, 1_000_000, 10**8])
@pytest.mark.parametrize("scripts", [("Latin", "Latin"), ("Latin", "Han"), (None, "Latin")])
def test_sizes_are_those_that_training_chooses(pairs, scripts):
    found = settings_for(replace(PLAIN, pairs=pairs, scripts=scripts))
    advised = recipe_with([each for setting in found for each in setting.settings])
    chosen = choose_sizes(recipe_from({}, "open"), pairs, pairs * 15, torch.device("cpu")).model
    for name in ("width", "feedforward", "heads", "encoder_layers", "decoder_layers", "dropout"):
        assert getattr(advised.model, name) == getattr(chosen, name), name
    assert advised.data.joint == (scripts[0] == scripts[1])
    assert all(setting.why and setting.source for setting in found)


def test_vocabularies_grow_with_the_corpus():
    sizes = [
        recipe_with(settings_for(replace(PLAIN, pairs=pairs))[1].settings).data.vocabulary
        for pairs in (5000, 20_000, 29_000, 200_000, 5_000_000)
    ]
    assert sizes == [2000, 4000, 8000, 16_000, 32_000]


def test_scripts_without_spaces_and_long_texts():
    facts = replace(PLAIN, units=("words", "characters"), longest=(100.0, 700.0))
    data = recipe_with([s for setting in settings_for(facts) for s in setting.settings]).data
    assert data.tokenizer == "unigram"
    assert data.max_length == 512
    plain = recipe_with([s for setting in settings_for(PLAIN) for s in setting.settings]).data
    assert (plain.tokenizer, plain.max_length) == ("bpe", 256)


def test_cleaning_follows_what_was_found():
    assert cleaning_for(PLAIN) == []
    signs = {"identical": 3, "control": 0, "placeholders": 2, "numbers": 7, "language": 5}
    filters, numbers, alike, leaks = cleaning_for(replace(PLAIN, signs=signs, alike=0.2, leaks=4))
    assert recipe_with(filters.settings).data.filters == ("identical", "placeholders")
    assert "identical 3, placeholders 2" in filters.why
    assert numbers.settings == ()
    assert "one side only: 7;" in numbers.why
    assert recipe_with(alike.settings).data.drop_near_duplicates
    assert "held-out set: 4;" in leaks.why
    recipe_with(leaks.settings)
