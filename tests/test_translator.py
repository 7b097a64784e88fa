"""Text in, text out: order, limits, prefixes, ensembles, streaming, scores."""

from __future__ import annotations

import itertools
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch

from seqloom.errors import DecodingError, FolderError, SeqloomError, TokenizerError
from seqloom.layers.recorder import record
from seqloom.lines import Translation
from seqloom.recipe import DecodingRecipe, override
from seqloom.symbols import BOS, EOS
from seqloom.text.segments import split_text
from seqloom.text.tokenizer import Tokenizer, Tokenizers
from seqloom.translator import Translator, load
from tiny import (
    LIMIT,
    RNN,
    TRANSFORMER,
    fresh,
    letters,
    save,
    tokenizers_of,
    trained_folder,
    untrained,
)

GREEDY = DecodingRecipe(beam=1)
LONG = "a b c d. e f g h. a c e g. b d f h. a a"


@pytest.fixture(scope="session")
def tiny_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return trained_folder(tmp_path_factory)


@pytest.fixture(scope="session")
def tiny(tiny_folder: Path) -> Translator:
    return Translator.load(tiny_folder, device="cpu")


def texts_of(found: Iterator[Translation]) -> list[str]:
    return [translation.text for translation in found]


def test_order_and_count_are_kept(tiny: Translator) -> None:
    sources = letters(60, seed=5)
    found = tiny.translate(sources)
    assert len(found) == len(sources)
    right = sum(text == source.upper() for text, source in zip(found, sources, strict=True))
    assert right >= 50
    assert tiny.translate([]) == []
    assert tiny.translate(sources[::-1]) == found[::-1]
    assert tiny.translate(tuple(sources)) == found


@pytest.mark.parametrize("options", [{}, {"beam": 1}, {"beam": 3, "nbest": 3}, {"sample": True}])
def test_empty_and_blank_lines_stay_empty(options: dict[str, int], tiny: Translator) -> None:
    decoding = override(tiny.recipe.decoding, options)
    found = list(tiny.stream(["", "a b", "   ", "\t\n", "b a", "\u3000"], decoding))
    assert [bool(each.text) for each in found] == [False, True, False, False, True, False]
    assert [each.source for each in found] == ["", "a b", "   ", "\t\n", "b a", "\u3000"]
    assert found[0].outputs[0].log_probability == found[0].outputs[0].score == 0


def test_a_batch_is_as_one_by_one(tiny: Translator) -> None:
    sources = ["", *letters(7, seed=6), " "]
    for options in ({"beam": 1}, {"beam": 3}, {"batch_tokens": 1}):
        together = list(tiny.stream(sources, override(tiny.recipe.decoding, options)))
        for source, expected in zip(sources, together, strict=True):
            (alone,) = tiny.stream([source], override(tiny.recipe.decoding, options))
            assert alone.text == expected.text
            assert alone.outputs[0].score == pytest.approx(expected.outputs[0].score, abs=1e-5)


def test_a_string_is_no_list(tiny: Translator) -> None:
    with pytest.raises(DecodingError, match=r"translate takes a list of sentences, .*: write \["):
        tiny.translate("a b c")
    with pytest.raises(DecodingError, match=r"score takes a list of sources, and got one string"):
        tiny.score("a", ["a"])
    with pytest.raises(DecodingError, match=r"score takes a list of targets, and got one string"):
        tiny.score_tokens(["a"], "a")
    with pytest.raises(DecodingError, match=r"stream takes a list of sentences, .*: write \["):
        list(tiny.stream("a b c"))


def test_wrong_options(tiny: Translator) -> None:
    known = ", ".join(DecodingRecipe.model_fields)
    with pytest.raises(DecodingError, match=rf"beams: .*\. Options are: {known}\.$"):
        tiny.translate(["a"], beams=3)
    with pytest.raises(DecodingError, match=r"beam: .* to 1; top_p: .* to 1\. Options are: beam, "):
        tiny.translate(["a"], beam=0, top_p=7)
    with pytest.raises(DecodingError, match=r"^decoding\.nbest: 9 hypotheses need a beam of at"):
        tiny.translate([], nbest=9)


def test_surrogates_are_told(tiny: Translator) -> None:
    with pytest.raises(TokenizerError, match=r"lone surrogate \(U\+D800\)"):
        tiny.translate(["a", "\ud800"])


def parts_of(translator: Translator, text: str) -> list[str]:
    return split_text(text, translator.limit, lambda part: len(translator.encode([part])[0]))


def test_long_sources_go_in_pieces_or_are_cut_off(tiny: Translator) -> None:
    tokens = len(tiny.encode([LONG])[0])
    assert tiny.limit == LIMIT < tokens
    told: list[str] = []
    sources = ["a b", LONG, "", LONG, "b a"]
    found = texts_of(tiny.stream(sources, GREEDY, warn=told.append))
    assert [text for text in found if text in ("A B", "", "B A")] == ["A B", "", "B A"]
    assert [message.split(":")[0] for message in told] == ["line 2", "line 4"]
    assert told[0].startswith(f"line 2: {tokens} tokens, more than the {LIMIT} that the model was")
    assert told[0].endswith("pieces.")
    pieces = parts_of(tiny, LONG)
    assert found[1] == found[3] == " ".join(text.strip() for text in tiny.translate(pieces, beam=1))
    told.clear()
    cut = texts_of(tiny.stream(sources, GREEDY, truncate=True, warn=told.append))
    assert told[0].endswith("was trained on; cut off.")
    assert len(told) == 2
    assert cut[1] == texts_of(tiny.stream([LONG[: 2 * LIMIT - 3]], GREEDY, truncate=True))[0]
    assert cut[1] != found[1]


def test_pieces_are_short_enough_and_lose_nothing(tiny: Translator) -> None:
    for text in (LONG, LONG.replace(".", ""), "a" * 50, "  " + " . " * 30, "a b?!…   c. " * 9):
        pieces = parts_of(tiny, text)
        assert "".join("".join(pieces).split()) == "".join(text.split())
        assert all(len(ids) <= LIMIT for ids in tiny.encode(pieces))
        assert all(piece.strip() for piece in pieces)
    # Cut where a sentence ends, where there is such a place.
    assert [piece.strip()[-1] for piece in parts_of(tiny, "a b c d e f. " * 4)] == ["."] * 4
    assert parts_of(tiny, "你好。" * 3 + "x")[0][-1] == "。"


def test_nbest_of_pieces(tiny: Translator) -> None:
    decoding = DecodingRecipe(beam=3, nbest=3)
    (found,) = tiny.stream([LONG], decoding)
    assert len(found.outputs) == 3
    pieces = [next(tiny.stream([p], decoding)).outputs for p in parts_of(tiny, LONG)]
    for rank, output in enumerate(found.outputs):
        assert output.text == " ".join(piece[rank].text for piece in pieces)
        expected = sum(piece[rank].log_probability for piece in pieces)
        assert output.log_probability == pytest.approx(expected, abs=1e-4)


def test_a_character_of_more_tokens_than_the_limit() -> None:
    """Unknown letters are bytes; the smallest limit still cuts, and does not loop."""
    translator = untrained(RNN, max_length=2)
    told: list[str] = []
    found = list(translator.stream(["😀", "a😀b 😀"], GREEDY, warn=told.append))
    assert len(found) == len(told) == 2


def test_the_limit_of_learned_positions() -> None:
    translator = untrained({**TRANSFORMER, "positions": "learned", "max_positions": 6})
    assert translator.limit == 5  # and the end of the sentence
    told: list[str] = []
    sources = ["a b c d e", "a b c d e f"]
    found = list(translator.stream(sources, GREEDY, warn=told.append))
    assert len(found) == 2
    assert [message[:6] for message in told] == ["line 2"]
    assert untrained({**TRANSFORMER, "max_positions": 6}).limit == 256
    short, long = "a b c d e", "a b c d e f g h"
    assert len(translator.score([short], [short.upper()])) == 1
    assert translator.attention(short, short.upper()).weights().shape == (6, 6)
    for source, target in ((short, long), (long, short)):
        with pytest.raises(DecodingError, match=r"of 9 tokens .* limit of 6"):
            translator.score([source], [target])
        with pytest.raises(DecodingError, match=r"of 9 tokens .* limit of 6"):
            translator.attention(source, target)


def test_language_tags() -> None:
    tokenizers = tokenizers_of(tags=["de", "fr"])
    translator = untrained(RNN, tokenizers=tokenizers, tag=True, target_language="de")
    plain = tokenizers.source.encode("a b")
    german, french = (tokenizers.source.encode("a b", tags=[tag])[0] for tag in ("de", "fr"))
    assert translator.encode(["a b"]) == [[german, *plain]]
    assert translator.encode(["a b"], target_language="fr") == [[french, *plain]]
    default = list(translator.stream(["a b"], GREEDY))
    assert default == list(translator.stream(["a b"], GREEDY, target_language="de"))
    assert default != list(translator.stream(["a b"], GREEDY, target_language="fr"))
    with pytest.raises(TokenizerError, match=r"no language tag <2it> \(it has: <2de>, <2fr>\)"):
        list(translator.stream(["a b"], GREEDY, target_language="it"))
    untagged = untrained(RNN, tokenizers=tokenizers, target_language="de")
    assert untagged.encode(["a b"]) == [plain]


@pytest.mark.parametrize("decoding", [GREEDY, DecodingRecipe(beam=3), DecodingRecipe(sample=True)])
def test_prefixes_are_kept(decoding: DecodingRecipe, tiny: Translator) -> None:
    sources = ["a b c", "d e", "", "f g", LONG]
    prefixes = ["H H", "", "X", "F", "G"]
    found = texts_of(tiny.stream(sources, decoding, prefixes=prefixes))
    assert found[0].startswith("H H")
    assert found[2] == ""
    assert found[3].startswith("F")
    assert found[4].startswith("G")
    if not decoding.sample:
        assert found[1] == "D E"
    assert found == texts_of(tiny.stream(sources, decoding, prefixes=iter(prefixes), window=2))


def test_too_few_prefixes(tiny: Translator) -> None:
    stream = tiny.stream(["a", "b", "c"], GREEDY, prefixes=["A", ""], window=1)
    assert [next(stream).text[:1] for _ in range(2)] == ["A", "B"]
    with pytest.raises(DecodingError, match=r"there is no prefix for line 3; give one line of"):
        next(stream)


def test_too_many_prefixes(tiny: Translator) -> None:
    stream = tiny.stream(["a", "b"], GREEDY, prefixes=["A", "", ""])
    assert [next(stream).text[:1] for _ in range(2)] == ["A", "B"]
    with pytest.raises(DecodingError, match="more lines of prefix than of input"):
        next(stream)


def test_a_model_with_itself_is_that_model(tiny: Translator, tiny_folder: Path) -> None:
    both = Translator.load(tiny_folder, device="cpu", companions=[tiny_folder, tiny_folder])
    assert len(both.models) == 3
    sources = letters(8, seed=7)
    targets = [source.upper() for source in sources]
    for options in ({"beam": 1}, {"beam": 3, "nbest": 2}):
        decoding = override(tiny.recipe.decoding, options)
        for one, three in zip(
            tiny.stream(sources, decoding), both.stream(sources, decoding), strict=True
        ):
            assert [output.text for output in one.outputs] == [o.text for o in three.outputs]
            assert [o.log_probability for o in one.outputs] == pytest.approx(
                [o.log_probability for o in three.outputs], abs=1e-4
            )
    assert both.score(sources, targets) == pytest.approx(tiny.score(sources, targets), abs=1e-4)


def test_an_ensemble_averages_probabilities(tmp_path: Path) -> None:
    tokenizers = tokenizers_of()
    one = untrained(TRANSFORMER, tokenizers=tokenizers)
    two = untrained(RNN, tokenizers=tokenizers)
    folders = [save(one, tmp_path / "one"), save(two, tmp_path / "two")]
    both = Translator.load(folders[0], device="cpu", companions=folders[1:])
    tokens = [each.score_tokens(["a b"], ["A"])[0] for each in (one, two, both)]
    expected = np.log((np.exp(tokens[0]) + np.exp(tokens[1])) / 2)
    assert tokens[2] == pytest.approx(expected.tolist(), abs=1e-5)


def test_companions_of_other_tokenizers_are_refused(tmp_path: Path) -> None:
    one = save(untrained(RNN), tmp_path / "one")
    two = save(untrained(RNN, tokenizers=tokenizers_of(turn=2)), tmp_path / "two")
    with pytest.raises(FolderError, match=r"two has another tokenizer than .*one; models of an"):
        Translator.load(one, companions=[two])
    with pytest.raises(FolderError, match=r"three is not a model folder: it does not exist"):
        Translator.load(one, companions=[tmp_path / "three"])


@pytest.mark.parametrize("precision", ["bfloat16", "int8"])
def test_fewer_bits_say_the_same_and_find_it_as_likely(precision: str, tiny: Translator) -> None:
    sources = letters(60, seed=9)
    exact = list(tiny.stream(sources, tiny.recipe.decoding))
    found = list(tiny.stream(sources, override(tiny.recipe.decoding, {"precision": precision})))
    same = [(a, b) for a, b in zip(exact, found, strict=True) if a.text == b.text]
    assert len(same) >= 50
    gaps = [abs(a.outputs[0].log_probability - b.outputs[0].log_probability) for a, b in same]
    assert max(gaps) > 0 and sorted(gaps)[len(gaps) // 2] < 0.1
    assert isinstance(tiny.model.head, torch.nn.Linear)  # scores and pictures stay exact


def test_auto_is_what_is_faster_here(tiny: Translator, monkeypatch: pytest.MonkeyPatch) -> None:
    sources = letters(9, seed=10)

    def gains(precision: str) -> list[float]:
        decoding = override(tiny.recipe.decoding, {"precision": precision})
        return [each.outputs[0].log_probability for each in tiny.stream(sources, decoding)]

    for faster in ("float32", "bfloat16"):
        monkeypatch.setattr("seqloom.translator.faster_precision", lambda _, faster=faster: faster)
        assert gains("auto") == gains(faster)
    assert gains("float32") != gains("bfloat16")


def test_a_recorder_sees_the_model_translate(tiny: Translator) -> None:
    with record(tiny.model) as seen:
        tiny.translate(["a b c"], precision="bfloat16", beam=1)
    assert "decoder.layers.0.cross_attention.weights" in seen


def test_int8_where_there_is_none(tiny: Translator, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("seqloom.translator.int8_available", lambda: False)
    with pytest.raises(DecodingError, match=r"^decoding\.precision=int8: .* take bfloat16"):
        tiny.translate(["a b"], precision="int8")


def test_a_score_is_the_sum_of_its_tokens_and_the_search_s_own(tiny: Translator) -> None:
    sources = letters(20, seed=8)
    decoding = DecodingRecipe(beam=3, nbest=2, precision="float32")
    found = [(each.source, o) for each in tiny.stream(sources, decoding) for o in each.outputs]
    canonical = [(s, o) for s, o in found if o.text == o.text.strip() and len(o.text) % 2]
    assert len(canonical) > 30
    pairs = [source for source, _ in canonical], [output.text for _, output in canonical]
    tokens = tiny.score_tokens(*pairs)
    expected = [output.log_probability for _, output in canonical]
    assert tiny.score(*pairs) == pytest.approx(expected, abs=1e-4)
    assert tiny.score(*pairs) == [sum(each) for each in tokens]
    ids = tiny.tokenizers.target.encode_batch(pairs[1])
    assert [len(each) for each in tokens] == [len(each) + 1 for each in ids]
    # Every score alone is the same as in company.
    assert tiny.score(pairs[0][:1], pairs[1][:1]) == pytest.approx(expected[:1], abs=1e-4)


def test_scores_are_probabilities(tiny: Translator) -> None:
    """All tokens that may come first, the end included, share the probability 1."""
    source = torch.tensor([[*tiny.encode(["a b"])[0], EOS]])
    mask = torch.ones_like(source, dtype=torch.bool)
    with torch.inference_mode():
        hidden = tiny.model.decode(tiny.model.encode(source, mask), torch.tensor([[BOS]]))
        first = tiny.model.project(hidden)[0, 0].log_softmax(0)
    assert len(first) == tiny.tokenizers.target.size
    (tokens,) = tiny.score_tokens(["a b"], ["A"])
    index = tiny.tokenizers.target.encode("A")[0]
    assert tokens[0] == pytest.approx(float(first[index]), abs=1e-5)
    assert tiny.score(["a b"], [""]) == pytest.approx([float(first[EOS])], abs=1e-4)


def test_scores_of_unequal_numbers(tiny: Translator) -> None:
    for method in (tiny.score, tiny.score_tokens):
        with pytest.raises(DecodingError, match="2 sources and 1 targets; each target needs its"):
            method(["a", "b"], ["A"])
    assert tiny.score([], []) == []


def test_translations_come_while_the_input_is_still_read(tiny: Translator) -> None:
    read = 0

    def lines() -> Iterator[str]:
        nonlocal read
        for _ in itertools.count():  # never ends
            read += 1
            yield "a b"

    stream = tiny.stream(lines(), GREEDY, window=5)
    assert read == 0
    assert next(stream).text == "A B"
    assert read == 5
    for _ in range(5):
        next(stream)
    assert read == 10


def test_samples_are_reproducible_and_differ(tiny: Translator) -> None:
    decoding = DecodingRecipe(sample=True, temperature=4.0, seed=3)
    sources = ["a b c d"] * 6
    found = texts_of(tiny.stream(sources, decoding))
    assert len(set(found)) == 6
    assert found == texts_of(tiny.stream(sources, decoding))
    for window in (1, 2, 4):
        assert found == texts_of(tiny.stream(sources, decoding, window=window))
    one_by_one = override(decoding, {"batch_tokens": 1})
    assert found == texts_of(tiny.stream(sources, one_by_one))
    assert found != texts_of(tiny.stream(sources, override(decoding, {"seed": 4})))


@pytest.mark.parametrize("model", [TRANSFORMER, RNN], ids=["transformer", "rnn"])
def test_attention_records(model: dict[str, object]) -> None:
    translator = untrained(model)
    record = translator.attention("a b c", "A B")
    assert [piece.strip("▁") for piece in record.source] == ["a", "b", "c", "</s>"]
    assert [piece.strip("▁") for piece in record.target] == ["A", "B", "</s>"]
    heads = model.get("heads", 1)
    [cross] = record.of_part("cross")
    assert cross.weights.shape == (heads, 3, 4)
    assert record.words["source"] == [0, 1, 2, 3]
    for each in record.maps:
        assert np.allclose(each.weights.sum(axis=-1), 1, atol=1e-5)


def test_attention_of_its_own_translation(tiny: Translator) -> None:
    record = tiny.attention("a b . g")
    assert [piece.strip("▁") for piece in record.target[:-1]] == ["A", "B", ".", "G"]
    assert tiny.attention("").target == ["</s>"]
    with pytest.raises(SeqloomError, match="this model has no attention to draw"):
        untrained({**RNN, "attention": "none"}).attention("a", "A")


def test_the_public_way_to_load(tiny_folder: Path, tmp_path: Path) -> None:
    translator = load(str(tiny_folder), device="cpu")
    assert translator.folder == tiny_folder
    assert translator.translate(["a"]) == ["A"]
    assert translator.translate(["a b"], beam=1, max_length_extra=1, max_length_factor=0.1) == ["A"]
    ignore = shutil.ignore_patterns("data", "training")
    moved = shutil.copytree(tiny_folder, tmp_path / "a folder", ignore=ignore)
    assert load(moved).translate(["a"]) == ["A"]


def test_another_kind_of_tokenizer() -> None:
    """Bytes, not words: nothing in the translator knows what a token is."""
    both = Tokenizer.train(["abc abd", "ABC"], "byte_bpe", 270, exact=False)
    translator = untrained(TRANSFORMER, tokenizers=Tokenizers(both, both))
    assert len(translator.translate(["abc", "日本 😀", ""])) == 3
    assert translator.recipe == fresh(translator.recipe, translator.tokenizers).recipe
