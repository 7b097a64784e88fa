"""``seqloom inspect ...`` as users call it."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
from command_line import Result, seqloom

sys.path.append(str(Path(__file__).parents[1]))

import tiny
from seqloom.corpus.alignments import read_aligned
from seqloom.errors import SeqloomError
from seqloom.inspection.alignment_record import AlignmentRecord
from seqloom.inspection.attention import AttentionRecord, AttentionRecords
from seqloom.inspector.align import Chosen, align
from seqloom.translator import Translator
from tiny_encoder import tiny_encoder


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny.trained_folder(tmp_path_factory)


@pytest.fixture(scope="module")
def bert(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_encoder(tmp_path_factory.mktemp("bert"))


def done(folder: Path, *arguments: object) -> Result:
    found = seqloom("inspect", *arguments, cwd=folder)
    assert found.code == 0, found.err
    return found


def refused(folder: Path, *arguments: object) -> str:
    before = sorted(folder.iterdir())
    found = seqloom("inspect", *arguments, cwd=folder)
    assert (found.code, found.out) == (2, ""), found
    assert found.err.startswith("seqloom: ") and "Traceback" not in found.err
    assert sorted(folder.iterdir()) == before
    return found.err


def test_attention_of_a_translation(model: Path, tmp_path: Path) -> None:
    outs = [f"--out=a.{suffix}" for suffix in ("html", "json", "png", "svg")]
    told = done(tmp_path, "attention", model, "a b c", *outs)
    assert "drawn in a.html, a.json, a.png, a.svg" in told.err
    record = AttentionRecord.load(tmp_path / "a.json")
    assert [piece.strip("▁") for piece in record.target[:-1]] == ["A", "B", "C"]
    assert record.parts() == ["cross", "encoder", "decoder"]
    assert (tmp_path / "a.png").read_bytes().startswith(b"\x89PNG")
    assert "a b c → A B C" in (tmp_path / "a.html").read_text(encoding="utf-8")
    done(tmp_path, "attention", model, "a b c", "--target", "C B", "--out", "forced.json")
    forced = AttentionRecord.load(tmp_path / "forced.json")
    assert [piece.strip("▁") for piece in forced.target[:-1]] == ["C", "B"]


def test_a_page_of_several_texts_from_files(model: Path, tmp_path: Path) -> None:
    (tmp_path / "s.txt").write_text("a b\nc\n")
    (tmp_path / "t.txt").write_text("A B\nC\n")
    files = ("--file", "s.txt", "--target-file", "t.txt")
    done(tmp_path, "attention", model, *files)
    assert "Attention of 2 texts" in (tmp_path / "attention.html").read_text(encoding="utf-8")
    outs = ("--out", "a.json", "--out", "a.png")
    done(tmp_path, "attention", model, *files, "--words", "--view", "rollout", *outs)
    records = AttentionRecords.load(tmp_path / "a.json").records
    assert len(records) == 2
    assert records[0].map().weights.shape == (1, 3, 3)
    assert records[0].words == {}


def test_attention_of_a_masked_model(bert: Path, tmp_path: Path) -> None:
    done(tmp_path, "attention", bert, "goal match", "--details", "--out", "a.json")
    record = AttentionRecord.load(tmp_path / "a.json")
    assert record.parts() == ["text"]
    assert len(record.tokens["text"]) == 4
    assert set(record.map().details) == {"query", "key", "value", "scores"}
    done(tmp_path, "attention", bert, "goal", "--part", "text", "--layer", "0", "--head", "1",
         "--view", "value", "--out", "a.png")  # fmt: skip
    assert (tmp_path / "a.png").stat().st_size > 5000


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "no text is given; name one, or a file of them with --file"),
        (["a", "--out", "a.gif"], "a.gif: the name of an attention record ends in .html, .json"),
        (["a", "--target", "A", "--target", "B"], "1 texts and 2 targets; expected one target"),
        (["a", "--file", "x"], "both TEXT and --file are given; use one of them"),
        (["a", "--view", "x"], "--view x: expected one of weights, value, rollout"),
        (
            ["a", "--part", "text", "--out", "a.png"],
            "no part 'text' was recorded; there are: cross",
        ),
        (["a", "--layer", "1", "--out", "a.png"], "no layer 1: attention of the part 'cross'"),
        (["a", "--head", "2", "--out", "a.png"], "no head 2; decoder.layers.0.cross_attention has"),
        (["a", "--layer", "1"], "no layer 1: attention of the part 'cross' has layer 0 alone"),
        (["a", "--head", "2", "--out", "a.json"], "no head 2; decoder.layers.0.cross_attention"),
        (["a", "--view", "rollout", "--head", "0"], "a roll-out joins the heads of a layer; leave"),
        (["a", ""], "text 2: is empty; expected what the model is to read"),
        (["a", "--target-language", "de"], "the tokenizer has no language tag <2de>"),
        (["--file", "nowhere.txt"], "nowhere.txt"),
    ],
)
def test_mistakes_of_attention(
    model: Path, tmp_path: Path, arguments: list[str], message: str
) -> None:
    assert message in refused(tmp_path, "attention", model, *arguments)


def test_a_language_model_reads_no_target(bert: Path, tmp_path: Path) -> None:
    said = refused(tmp_path, "attention", bert, "goal", "--target", "x")
    assert "holds a language model, which reads one text, no target" in said
    long = " ".join(["goal"] * 30)
    assert "a text of 32 tokens" in refused(tmp_path, "attention", bert, long)


@pytest.fixture
def pairs(tmp_path: Path) -> Path:
    """Letters and their capitals, aligned one by one, words counted from 1."""
    texts = [text.split() for text in tiny.letters(30, 5)]
    (tmp_path / "s.txt").write_text("".join(" ".join(text) + "\n" for text in texts))
    (tmp_path / "t.txt").write_text("".join(" ".join(text).upper() + "\n" for text in texts))
    gold = (" ".join(f"{n}-{n}" for n in range(1, len(text) + 1)) for text in texts)
    (tmp_path / "gold").write_text("".join(line + "\n" for line in gold))
    (tmp_path / "possible").write_text("0?0\n" + 29 * "\n")
    return tmp_path


SIDES = ("--source", "s.txt", "--target", "t.txt")


def test_alignments_with_gold(model: Path, pairs: Path) -> None:
    outs = ("--out", "a.json", "--out", "a.html", "--out", "a.png", "--output", "links.txt")
    told = done(pairs, "align", model, *SIDES, "--gold", "gold", "--first-index", 1, *outs)
    record = AlignmentRecord.load(pairs / "a.json")
    assert record.figures["the diagonal"].aer == 0
    assert record.figures["the alignment"].aer < 20
    assert "the alignment" in told.out.splitlines()[1]
    assert "best on the other half of the gold" in told.err
    assert (pairs / "links.txt").read_text().splitlines() == record.lines()
    assert json.loads((pairs / "a.json").read_text())["kind"] == "alignment"
    assert (pairs / "a.png").stat().st_size > 5000


def test_alignments_without_gold_are_printed(model: Path, pairs: Path) -> None:
    found = done(pairs, "align", model, *SIDES)
    lines = found.out.splitlines()
    assert len(lines) == 30
    assert all(all("-" in link for link in line.split()) for line in lines)
    named = done(pairs, "align", model, *SIDES, "--layer", 0, "--head", 1, "--when-read")
    assert "read in layer 0, head 1, when read" in named.err


def test_blank_lines(model: Path, tmp_path: Path) -> None:
    (tmp_path / "s.txt").write_text("\na b\n")
    (tmp_path / "t.txt").write_text("\nA B\n")
    assert done(tmp_path, "align", model, *SIDES, "--out", "x.png").out.startswith("\n0-0 ")
    assert (tmp_path / "x.png").stat().st_size > 5000
    (tmp_path / "s.txt").write_text("\n\n")
    told = refused(tmp_path, "align", model, *SIDES, "--out", "a.json", "--out", "b.png")
    assert "t.txt: no pair has words on both sides, so there is nothing to align" in told


def test_two_directions_agree(model: Path, pairs: Path) -> None:
    """Capitals are unknown words to the model as a source, but their places are not."""
    found = done(pairs, "align", model, *SIDES, "--reverse", model, "--symmetry", "union")
    assert "read in union of layer 0, mean of the heads" in found.err
    assert "in the other direction, layer 0" in found.err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--gold", "s.txt"], "is no link; expected words of both sides such as 0-1"),
        (["--layer", "3"], "no layer 3: the cross-attention of the model has layer 0 alone."),
        (["--layer", "-1"], "no layer -1: the cross-attention of the model has layer 0 alone."),
        (["--layer", "0", "--head", "2"], "no head 2: layer 0 of the model has heads 0 to 1."),
        (["--gold", "possible"], "possible: none of 1 links is a sure one to words that exist"),
        (["--head", "1"], "head 1 of which layer? Name a layer, too"),
        (["--out", "x.txt"], "x.txt: the name of an alignment record ends in"),
        (["--gold", "nowhere"], "nowhere"),
    ],
)
def test_mistakes_of_align(model: Path, pairs: Path, arguments: list[str], message: str) -> None:
    assert message in refused(pairs, "align", model, *SIDES, *arguments)


@pytest.mark.parametrize(("layer", "gold"), [(3, "gold"), (0, "possible")])
def test_mistakes_of_align_are_told_before_texts_are_read(
    model: Path, pairs: Path, layer: int, gold: str
) -> None:
    given = read_aligned(pairs / "s.txt", pairs / "t.txt", pairs / gold)
    with pytest.raises(SeqloomError, match=r"no layer 3|none of 1 links"):
        align(Translator.load(model), given, chosen=Chosen(layer),
              progress=lambda *_: pytest.fail("a text was read"))  # fmt: skip


def test_a_layer_that_the_reverse_model_has_not(model: Path, pairs: Path) -> None:
    deep = tiny.untrained({**tiny.TRANSFORMER, "decoder_layers": 2})
    folder = tiny.save(deep, pairs / "deep")
    said = refused(pairs, "align", folder, *SIDES, "--reverse", model, "--layer", 1)
    assert "no layer 1: the cross-attention of the reverse model has layer 0 alone." in said
    recurrent = tiny.save(tiny.untrained(tiny.RNN), pairs / "recurrent")
    found = done(pairs, "align", recurrent, *SIDES, "--layer", 0, "--head", 0)
    assert "read in layer 0, mean of the heads" in found.err  # it has one


def test_what_cannot_align(bert: Path, pairs: Path) -> None:
    assert "holds no translation model" in refused(pairs, "align", bert, *SIDES)
    tiny.save(tiny.untrained({**tiny.RNN, "attention": "none"}), pairs / "rnn")
    assert "this model has no attention to draw" in refused(pairs, "align", pairs / "rnn", *SIDES)
    (pairs / "gold").write_text((pairs / "gold").read_text().replace("1-1", "1-99", 1))
    told = done(pairs, "align", tiny.save(tiny.untrained(tiny.RNN), pairs / "with"), *SIDES,
                "--gold", "gold", "--first-index", 1)  # fmt: skip
    assert "links name words that do not exist and are left out, the first in line" in told.err


def test_how_a_text_is_cut(model: Path, tmp_path: Path) -> None:
    told = done(tmp_path, "tokens", model, "a b", "--out", "t.html", "--out", "t.json")
    assert told.out.splitlines() == ["▁a: ▁a", "▁b: ▁b"]
    assert "drawn in t.html, t.json" in told.err
    assert json.loads((tmp_path / "t.json").read_text())["sentence"] == "a b"
    assert "t.gif: the name of a token record" in refused(
        tmp_path, "tokens", model, "a", "--out", "t.gif"
    )
    told = refused(tmp_path, "tokens", "nowhere", "a")
    assert "tokenizer.json: no such tokenizer file; name the folder of a model" in told
