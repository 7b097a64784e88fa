from __future__ import annotations

import random

import pytest
import torch
from decoding_toys import ToyGru
from oracle import assert_same

from seqloom.decoding import stream
from seqloom.decoding import stream as stream_module
from seqloom.decoding.hypothesis import Hypothesis
from seqloom.decoding.search import search
from seqloom.decoding.stream import Sentence, batches_by_length, decode_stream, pad
from seqloom.errors import DecodingError
from seqloom.recipe import DecodingRecipe
from seqloom.symbols import EOS, PAD


def options(**values) -> DecodingRecipe:
    defaults = {"beam": 2, "batch_tokens": 40, "max_length_factor": 1.0, "max_length_extra": 4}
    return DecodingRecipe(**{**defaults, **values})


def sentences(count: int) -> list[list[int]]:
    draw = random.Random(5)
    return [[draw.randrange(4, 40) for _ in range(draw.randrange(0, 9))] for _ in range(count)]


def test_sources_end_in_eos_and_are_padded_on_the_right():
    source, mask = pad([ToyGru(1).framed(ids) for ids in ([5, 6, 7], [8])], PAD, "cpu")
    assert source.tolist() == [[5, 6, 7, EOS], [8, EOS, PAD, PAD]]
    assert mask.tolist() == [[True] * 4, [True, True, False, False]]


def test_batches_hold_every_sentence_once_and_at_most_so_many_positions():
    items = [Sentence(number, ids) for number, ids in enumerate(sentences(100)) if ids]
    batches = list(batches_by_length(items, 40, most=6))
    assert sorted(item for batch in batches for item in batch) == items
    assert all(len(batch) * (max(len(item.ids) for item in batch) + 1) <= 40 for batch in batches)
    assert max(map(len, batches)) == 6
    lengths = [len(item.ids) for batch in batches for item in batch]
    assert lengths == sorted(lengths, reverse=True)


def test_wide_beams_and_vocabularies_make_small_batches(monkeypatch):
    model, sizes = ToyGru(2), []
    found = stream.search
    monkeypatch.setattr(stream, "_SCORES", 7 * model.head.out_features)

    def watched(models, source, *rest, **options):
        sizes.append(len(source))
        return found(models, source, *rest, **options)

    monkeypatch.setattr(stream, "search", watched)
    sources = [[5, 6]] * 8
    for beam, expected in ((1, [7, 1]), (2, [3, 3, 2]), (9, [1] * 8)):
        sizes.clear()
        list(decode_stream([model], sources, options(beam=beam), device="cpu"))
        assert sizes == expected


def test_a_source_longer_than_a_batch_stands_alone():
    batches = list(batches_by_length(map(Sentence, range(3), ([5] * 50, [5] * 3, [6] * 3)), 10, 9))
    assert [[item.number for item in batch] for batch in batches] == [[0], [1, 2]]


@pytest.mark.parametrize("wanted", [options(), options(sample=True, nbest=2, top_k=4)])
def test_results_come_in_input_order_whatever_the_window(wanted):
    model, sources = ToyGru(2, sharpness=1.0), sentences(60)
    expected = []
    for number, ids in enumerate(sources):
        if ids:
            expected += search([model], *pad([[*ids, EOS]], PAD, "cpu"), wanted, numbers=[number])
    for window in (1, 7, 1000):
        found = list(decode_stream([model], iter(sources), wanted, device="cpu", window=window))
        assert len(found) == 60
        filled = [row for row, ids in zip(found, sources, strict=True) if ids]
        for ours, theirs in zip(filled, expected, strict=True):
            assert_same(ours, theirs)


def test_empty_sources_give_one_empty_finished_hypothesis():
    found = list(decode_stream([ToyGru(1)], [[], [5, 6], []], options(nbest=2), device="cpu"))
    assert found[0] == found[2] == [Hypothesis((), 0.0, 0.0, (), True)]
    assert len(found[1]) == 2
    assert list(decode_stream([ToyGru(1)], [], options(), device="cpu")) == []
    assert len(list(decode_stream([ToyGru(1)], [[], []], options(), device="cpu"))) == 2


def test_sources_are_read_only_a_window_ahead():
    read = []

    def lines():
        for ids in sentences(50):
            read.append(ids)
            yield ids

    stream = decode_stream([ToyGru(1)], lines(), options(), device="cpu", window=10)
    assert not read
    next(stream)
    assert len(read) == 10


def test_batches_hold_little_padding(monkeypatch):
    seen = []

    def watching(models, source, mask, *rest, **named):
        seen.append((int(mask.sum()), mask.numel()))
        return search(models, source, mask, *rest, **named)

    monkeypatch.setattr(stream_module, "search", watching)
    list(decode_stream([ToyGru(1)], sentences(200), options(batch_tokens=60), device="cpu"))
    real, positions = (sum(column) for column in zip(*seen, strict=True))
    assert real / positions > 0.9
    assert max(numbers for _, numbers in seen) <= 60


def test_nothing_is_left_in_inference_mode_between_two_results():
    stream = decode_stream([ToyGru(1)], [[5], [6]], options(), device="cpu", window=1)
    next(stream)
    assert not torch.is_inference_mode_enabled()
    assert torch.is_grad_enabled()


def test_prefixes_stay_with_their_sentences():
    sources = sentences(40)
    prefixes = [[4 + number % 8] * (number % 3) for number in range(40)]
    found = decode_stream(
        [ToyGru(1)], sources, options(), device="cpu", prefixes=iter(prefixes), window=15
    )
    for row, ids, prefix in zip(found, sources, prefixes, strict=True):
        assert row[0].ids[: len(prefix)] == (tuple(prefix) if ids else ())


@pytest.mark.parametrize(
    ("prefixes", "message"),
    [
        ([[5]], "there is no prefix for sentence 2; give one forced prefix for each sentence"),
        ([[5]] * 3, "there is no sentence for prefix 3; give one forced prefix for each sentence"),
        ([[5], [5, EOS]], "the forced prefix of sentence 2 holds the id 2"),
    ],
)
def test_prefixes_that_do_not_fit_are_refused_by_the_number_of_the_sentence(prefixes, message):
    with pytest.raises(DecodingError, match=message):
        list(decode_stream([ToyGru(1)], [[5], [6, 7]], options(), device="cpu", prefixes=prefixes))


def test_an_input_decoded_in_two_calls_gives_the_same_samples():
    wanted, sources = options(sample=True, top_k=5), sentences(30)
    model = ToyGru(3, sharpness=0.5)
    whole = list(decode_stream([model], sources, wanted, device="cpu"))
    parts = list(decode_stream([model], sources[:11], wanted, device="cpu"))
    parts += decode_stream([model], sources[11:], wanted, device="cpu", first=11)
    for ours, theirs in zip(parts, whole, strict=True):
        assert_same(ours, theirs)
