"""``seqloom inspect beam`` as users call it."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from command_line import Result, seqloom

sys.path.append(str(Path(__file__).parents[1]))

import tiny
from seqloom.inspection.beam_record import BeamRecord
from seqloom.language_model import LanguageModel
from tiny_encoder import tiny_encoder
from tiny_writers import sharp_translator, tiny_gpt


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("beam") / "model"
    return tiny.save(sharp_translator(tiny.TRANSFORMER), folder)


@pytest.fixture(scope="module")
def gpt(tmp_path_factory: pytest.TempPathFactory) -> Path:
    decoding = {"sample": True, "max_tokens": 6, "precision": "float32"}
    return tiny_gpt(tmp_path_factory.mktemp("gpt"), **decoding)


def done(folder: Path, *arguments: object) -> Result:
    found = seqloom("inspect", "beam", *arguments, cwd=folder)
    assert found.code == 0, found.err
    return found


def refused(folder: Path, *arguments: object) -> str:
    before = sorted(folder.iterdir())
    found = seqloom("inspect", "beam", *arguments, cwd=folder)
    assert (found.code, found.out) == (2, ""), found
    assert "Traceback" not in found.err
    assert sorted(folder.iterdir()) == before
    return found.err


def test_a_translation_as_page_picture_record_and_words(model: Path, tmp_path: Path) -> None:
    outs = [f"--out=b.{suffix}" for suffix in ("html", "json", "png", "svg", "pdf")]
    told = done(tmp_path, model, "a b c", "--beam", 3, "--nbest", 2, "--force", "A B c", *outs)
    assert "drawn in b.html, b.json, b.png, b.svg, b.pdf" in told.err
    assert told.out.startswith("beam of 3, length penalty wu, alpha 0.6, at most 18 tokens\n")
    assert "It left the search at step 1 with 'A'" in told.out
    record = BeamRecord.load(tmp_path / "b.json")
    assert told.out == record.text() + "\n"
    assert record.tree.winner.text in told.out
    assert [output.way for output in record.tree.outputs] == ["beam", "beam", "forced"]
    assert (tmp_path / "b.png").read_bytes().startswith(b"\x89PNG")
    assert "Why not <bdi>A B c" in (tmp_path / "b.html").read_text(encoding="utf-8")


def test_the_search_is_that_of_translate(model: Path, tmp_path: Path) -> None:
    """With the folder's own options, and with others of the recipe."""
    (tmp_path / "s").write_text("d a . h\n")
    for flags in ([], ["--nbest", "2"], ["--beam", "4", "--nbest", "4", "--set=decoding.alpha=1"]):
        lines = seqloom("translate", model, "s", *flags, cwd=tmp_path).out.splitlines()
        done(tmp_path, model, "d a . h", *flags, "--out", "b.json")
        tree = BeamRecord.load(tmp_path / "b.json").tree
        texts = [output.text for output in tree.of_way("beam")]
        assert texts == [line.split("\t")[-1] for line in lines]
        if "--nbest" in flags:
            scores = [f"{tree.score(output.node):.4f}" for output in tree.of_way("beam")]
            assert scores == [line.split("\t")[1] for line in lines]


def test_greedy_search_and_samples_on_the_same_tree(gpt: Path, tmp_path: Path) -> None:
    flags = ("--nbest", 2, "--seed", 5, "--temperature", 1.5)
    told = done(tmp_path, gpt, "a cat", "--greedy", "--sample", *flags, "--out", "b.json")
    tree = BeamRecord.load(tmp_path / "b.json").tree
    assert [o.way for o in tree.outputs] == ["beam", "beam", "greedy", "sample", "sample"]
    asked = {"sample": True, "nbest": 2, "seed": 5, "temperature": 1.5}
    model = LanguageModel.load(gpt, device="cpu")
    [drawn] = model.generate(["a cat"], **asked)
    assert [output.text for output in tree.of_way("sample")] == [each.text for each in drawn]
    [[best]] = model.generate(["a cat"], sample=False)
    assert tree.winner.text == best.text
    assert tree.totals[tree.winner.node] == pytest.approx(best.log_probability, abs=1e-5)
    [greedy] = tree.of_way("greedy")
    [[alone]] = model.generate(["a cat"], sample=False, beam=1)
    assert greedy.text == alone.text
    assert "sample 2" in told.out
    assert tree.options["temperature"] == 1.5
    assert tree.options["longest"] == 6


def test_a_prompt_may_be_empty_and_a_forced_text_too(gpt: Path, tmp_path: Path) -> None:
    told = done(tmp_path, gpt, "", "--beam", 1, "--force", "")
    assert told.out.startswith("greedy search")
    assert "It left the search at step 1 with '</s>'" in told.out


def test_a_forced_text_stands_behind_the_prompt(gpt: Path, tmp_path: Path) -> None:
    done(tmp_path, gpt, "a cat", "--force", " sat on", "--out", "b.json")
    tree = BeamRecord.load(tmp_path / "b.json").tree
    assert tree.forced is not None and tree.forced.text == " sat on"
    pieces = [tree.nodes[number].token for number in tree.path(tree.forced.node)]
    assert pieces == ["sat", "on", "</s>"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["  "], "an empty text has no translation; name a sentence"),
        (["a", "--beam", "0"], "beam: input should be greater than or equal to 1 (given: 0)"),
        (["a", "--nbest", "9"], "9 hypotheses need a beam of at least 9, not 2"),
        (["a", "--candidates", "0"], "Input should be greater than or equal to 1"),
        (["a", "--seed", "3"], "--seed: for sampling only; add --sample"),
        (["a", "--out", "b.gif"], "b.gif: the name of a beam record ends in .html, .json"),
        (["a", "--force", "A " * 30], "a forced text of 31 tokens (end counted), but the longest"),
        (["a", "--force", "A xyz Q"], "has what the vocabulary has no token for: 'xyz', 'Q'; no"),
        (["a", "--target-language", "de"], "the tokenizer has no language tag <2de>"),
        (["a", "--source-language", "de"], "is not told from which language it translates"),
        (["a b c d e f g h a b c d e"], "a text of 13 tokens, and the model was trained on 12"),
        (["a", "--set", "decoding.beem=2"], "decoding.beem"),
        (["a", "--set", "decoding.stop=[x]"], "cannot stop at a string"),
        (["a", "--device", "abacus"], "abacus"),
    ],
)
def test_mistakes(model: Path, tmp_path: Path, arguments: list[str], message: str) -> None:
    assert message in " ".join(refused(tmp_path, model, *arguments, "--out", "b.html").split())


def test_what_cannot_write(
    model: Path, gpt: Path, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    bert = tiny_encoder(tmp_path_factory.mktemp("bert"))
    assert "holds a masked model (BERT), which fills holes" in refused(tmp_path, bert, "goal")
    assert "nowhere" in refused(tmp_path, "nowhere", "a")
    said = refused(tmp_path, gpt, "a cat", "--target-language", "de")
    assert "holds a language model, which is told no language" in said
    said = refused(tmp_path, gpt, "a cat " * 20)
    assert "and the model holds 24 together with what it writes" in said
    assert "no token for: 'zebra'" in refused(tmp_path, gpt, "a cat", "--force", " zebra")
    config = (
        (model / "config.json").read_text().replace('"format"', '"kind": "classes", "format"', 1)
    )
    (tmp_path / "tuned").mkdir()
    (tmp_path / "tuned" / "config.json").write_text(config)
    assert "tuned" in refused(tmp_path, tmp_path / "tuned", "a")
