"""Stop strings, and text that is shown as it grows."""

from __future__ import annotations

import pytest
import torch
from decoding_toys import ToyGpt, ToyGru
from oracle import assert_same

from seqloom.decoding.pieces import write_stream
from seqloom.decoding.search import search
from seqloom.decoding.stopping import Stops, before_stop, certain
from seqloom.decoding.stream import decode_stream, pad
from seqloom.errors import DecodingError, RecipeError
from seqloom.recipe import DecodingRecipe, load_recipe
from seqloom.symbols import Symbols

PIECES = [b""] * 4 + [
    b"a",
    b" b",
    b"st",
    b"op",
    b"stop",
    b"\n",
    b"\xe2",
    b"\x82",
    b"\xac",
    b"\xc3\xa9",
]
ALIKE = Symbols(pad=0, begin=0, end=0, unknown=None)
STOPS = ("stop", "b b", "\n", "opop", "\N{EURO SIGN}", "ast")


def decode(ids) -> str:
    return b"".join(PIECES[token] for token in ids).decode("utf-8", errors="replace")


def options(**values) -> DecodingRecipe:
    return DecodingRecipe(**{"beam": 1, "max_tokens": 30, **values})


def model_of(seed: int, symbols: Symbols = ALIKE) -> ToyGpt:
    model = ToyGpt(seed, size=len(PIECES), symbols=symbols).eval()
    model.output.bias.data[[symbols.end, 1, 2, 3]] -= 3.0
    return model


def hypotheses(model, prompt, wanted, number=0):
    source, mask = pad([model.framed(prompt)], model.symbols.pad, "cpu")
    return search([model], source, mask, wanted, numbers=[number], decode=decode)[0]


def kinds(**values):
    yield options(**values)
    for seed in range(6):
        yield options(sample=True, seed=seed, temperature=1.5, **values)


def test_the_first_of_several_strings_counts():
    assert before_stop("one two three", ("three", "two")) == "one "
    assert before_stop("one", ("two",)) == before_stop("one", ()) == "one"
    assert before_stop("two", ("two",)) == ""


def test_a_possible_beginning_is_not_certain():
    assert certain("hello st", ("stop",)) == "hello "
    assert certain("hello sta", ("stop",)) == "hello sta"
    assert certain("aab", ("abx", "aabby")) == ""
    assert certain("x\n", ("\n\nQ",)) == "x"
    assert certain("st", ("stop",)) == ""
    assert certain("caf\ufffd", ()) == "caf"
    assert certain("sto\ufffd", ("stop",)) == ""


def test_rows_are_stopped_in_the_middle_of_tokens_and_across_them():
    stops = Stops(("top",), decode)
    written = torch.tensor([[4, 4, 8], [4, 6, 7], [7, 6, 4], [8, 4, 4]])
    assert stops.found(written, [0, 1, 2, 3]) == [0, 1, 3]
    assert stops.found(written, [2, 1]) == [1]


def test_a_string_is_looked_for_in_the_newest_tokens_only():
    seen = []

    def watched(ids):
        seen.append(len(ids))
        return decode(ids)

    stops = Stops(("stop",), watched)
    assert stops.found(torch.tensor([[4] * 200]), [0]) == []
    assert max(seen) < 30


@pytest.mark.parametrize("stop", [STOPS[:1], STOPS[1:2], STOPS[2:4], STOPS[4:]])
def test_a_row_ends_as_soon_as_its_text_holds_a_string_and_not_before(stop):
    stopped = 0
    for seed in range(4):
        model = model_of(seed)
        for free, wanted in zip(kinds(), kinds(stop=stop), strict=True):
            (whole,) = hypotheses(model, [4, 5], free)
            (found,) = hypotheses(model, [4, 5], wanted)
            length = len(found.ids)
            assert found.ids == whole.ids[:length]
            assert before_stop(decode(found.ids), stop) == before_stop(decode(whole.ids), stop)
            assert not any(string in decode(found.ids[:-1]) for string in stop)
            if any(string in decode(whole.ids) for string in stop):
                stopped += 1
                assert found.finished
                assert any(string in decode(found.ids) for string in stop)
                assert len(found.token_log_probabilities) == length
            else:
                assert found == whole
    assert stopped > 2


def test_a_string_that_ends_with_the_longest_output_still_stops():
    model = model_of(1)
    (whole,) = hypotheses(model, [4], options(max_tokens=6))
    text = decode(whole.ids)
    assert len(whole.ids) == 6 and not whole.finished
    (found,) = hypotheses(model, [4], options(max_tokens=6, stop=(text,)))
    assert found.ids == whole.ids and found.finished


@pytest.mark.parametrize("symbols", [ALIKE, Symbols()])
def test_stopping_does_not_depend_on_the_batch(symbols):
    model = model_of(2, symbols)
    prompts = [[4, 5], [], [9, 9, 7], [10], [13, 6, 6, 6]] * 3
    wanted = options(sample=True, nbest=3, stop=("op", "b"), temperature=1.3)
    together = decode_stream([model], prompts, wanted, device="cpu", decode=decode)
    for number, (row, prompt) in enumerate(zip(together, prompts, strict=True)):
        assert_same(row, hypotheses(model, prompt, wanted, number))


@pytest.mark.parametrize("symbols", [ALIKE, Symbols()])
@pytest.mark.parametrize("stop", [(), ("stop",), STOPS])
def test_pieces_joined_are_the_text_of_the_search(symbols, stop):
    several = 0
    for seed in range(4):
        model = model_of(seed, symbols)
        for wanted in kinds(stop=stop):
            (found,) = hypotheses(model, [5, 4], wanted, number=3)
            pieces = list(
                write_stream([model], [5, 4], wanted, device="cpu", decode=decode, number=3)
            )
            assert all(pieces)
            assert "".join(pieces) == before_stop(decode(found.ids), stop)
            assert not any("\ufffd" in piece for piece in pieces[:-1]) or "\ufffd" in decode(
                found.ids[:-1]
            ).rstrip("\ufffd")
            several += len(pieces) > 1
    assert several > 3


def test_pieces_come_while_the_model_is_writing():
    steps = []

    class Watched(ToyGpt):
        def step(self, memory, state, last):
            steps.append(int(last[0]))
            return super().step(memory, state, last)

    model = Watched(1, size=len(PIECES), symbols=ALIKE)
    model.output.bias.data[[*range(4), *range(8, 14)]] -= 1e4
    pieces = write_stream([model], [4], options(), device="cpu", decode=decode)
    assert not steps
    for count in range(1, 6):
        assert next(pieces)
        assert len(steps) == count
        assert not torch.is_inference_mode_enabled()
        assert model.training


def test_a_translation_can_be_shown_as_it_grows():
    model = ToyGru(3, size=len(PIECES)).eval()
    wanted = options()
    pieces = write_stream([model], [5, 6], wanted, device="cpu", decode=decode)
    assert "".join(pieces) == decode(hypotheses(model, [5, 6], wanted)[0].ids)


@pytest.mark.parametrize(
    ("prompt", "values", "message"),
    [
        ([4], {"beam": 4}, "a beam of 4 cannot be written piece by piece"),
        ([4], {"sample": True, "nbest": 2}, "2 samples cannot be written piece by piece"),
        ([4] * 9, {}, "prompt 1 has 10 tokens .* holds 6 together"),
    ],
)
def test_what_cannot_be_shown_is_refused_before_the_first_piece(prompt, values, message):
    model = model_of(1)
    model.max_positions = 6
    with pytest.raises(DecodingError, match=message):
        write_stream([model], prompt, options(**values), device="cpu", decode=decode)
    with pytest.raises(DecodingError, match="an empty source has no translation"):
        write_stream([ToyGru(1)], [], options(), device="cpu", decode=decode)


def test_strings_without_a_function_to_text_are_refused():
    model = model_of(1)
    with pytest.raises(DecodingError, match=r"decoding.stop: 'x' cannot be found in ids; give"):
        list(decode_stream([model], [[4]], options(stop=("x",)), device="cpu"))


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ('decoding.stop=["x"]', "decoding.stop: a beam of 5 weighs whole outputs and cannot stop"),
        ('decoding.stop=[""]', "decoding.stop: an empty string would stop everything at once"),
        ("decoding.min_p=1.5", "decoding.min_p: input should be less than or equal to 1"),
        ("decoding.repetition_penalty=0", "decoding.repetition_penalty: input should be greater"),
        ("decoding.max_tokens=0", "decoding.max_tokens: input should be greater than or equal"),
    ],
)
def test_wrong_options_are_refused_by_the_recipe(setting, message):
    with pytest.raises(RecipeError, match=message):
        load_recipe(None, [setting])
    assert load_recipe(None, ['decoding.stop=["x"]', "decoding.beam=1"]).decoding.stop == ("x",)
