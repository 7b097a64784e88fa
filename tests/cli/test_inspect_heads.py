"""``seqloom inspect heads`` as users call it."""

from __future__ import annotations

import random
import sys
from pathlib import Path

import pytest
from command_line import Result, seqloom

sys.path += [str(Path(__file__).parents[1]), str(Path(__file__).parents[1] / "inspection")]

import tiny
from seqloom.inspection.heads_record import HeadsRecord
from tiny_encoder import TAGS, sentences, tiny_encoder


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny.trained_folder(tmp_path_factory)


@pytest.fixture(scope="module")
def bert(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_encoder(tmp_path_factory.mktemp("bert"))


def done(folder: Path, *arguments: object) -> Result:
    found = seqloom("inspect", "heads", *arguments, cwd=folder)
    assert found.code == 0, found.err
    return found


def refused(folder: Path, *arguments: object) -> str:
    before = sorted(folder.iterdir())
    found = seqloom("inspect", "heads", *arguments, cwd=folder)
    assert (found.code, found.out) == (2, ""), found
    assert found.err.startswith("seqloom: ") and "Traceback" not in found.err
    assert sorted(folder.iterdir()) == before
    return found.err


@pytest.fixture
def texts(tmp_path: Path) -> Path:
    """Letters and their capitals, and trees over words."""
    lines = tiny.letters(60, 5)
    (tmp_path / "s.txt").write_text("".join(f"{line}\n" for line in lines))
    (tmp_path / "t.txt").write_text("".join(f"{line.upper()}\n" for line in lines))
    chance = random.Random(1)
    write_trees(tmp_path / "words.conllu", [chance.choices(list(TAGS), k=5) for _ in range(30)])
    write_trees(tmp_path / "letters.conllu", [line.split() for line in lines])
    return tmp_path


def write_trees(path: Path, rows: list[list[str]]) -> None:
    """Each word depends on the one before."""
    with path.open("w") as file:
        for words in rows:
            for number, word in enumerate(words):
                name = "obj" if number else "root"
                file.write(f"{number + 1}\t{word}\t_\t_\t_\t_\t{number}\t{name}\t_\t_\n")
            file.write("\n")


def test_heads_of_a_translator(model: Path, texts: Path) -> None:
    outs = [f"--out=h.{suffix}" for suffix in ("html", "json", "png")]
    told = done(texts, model, "--source", "s.txt", "--target", "t.txt", *outs)
    record = HeadsRecord.load(texts / "h.json")
    assert record.texts == 60
    assert record.parts() == ["cross", "encoder", "decoder"]
    assert len(record.heads) == 6
    assert len(told.out.splitlines()) >= 7
    assert all(not head.importance for head in record.heads)
    assert "drawn in h.html, h.json, h.png" in told.err
    assert (texts / "h.png").stat().st_size > 5000
    # A model that writes letters as capitals looks at the letter that it writes.
    assert any("positional" in head.roles for head in record.heads if head.part == "cross")


def test_own_translations_and_a_treebank(model: Path, texts: Path) -> None:
    told = done(texts, model, "--treebank", "letters.conllu", "--sentences", 40, "--out", "h.json")
    record = HeadsRecord.load(texts / "h.json")
    assert record.texts == 40
    assert "the decoder reads the model's own translations" in told.err
    encoder = [head for head in record.heads if head.part == "encoder"]
    names = {each.name for head in encoder for each in head.evidence}
    assert {"obj, to the head", "obj, to the dependent", "offset 0"} <= names
    relation = next(e for e in encoder[0].evidence if e.name == "obj, to the head")
    assert relation.against["offset -1"].value == 1
    decoder = [head for head in record.heads if head.part == "decoder"]
    assert all(each.role != "syntactic" for head in decoder for each in head.evidence)


def test_a_treebank_beside_other_texts(model: Path, texts: Path) -> None:
    options = ("--source", "s.txt", "--target", "t.txt", "--out", "h.json")
    done(texts, model, *options)
    alone = HeadsRecord.load(texts / "h.json")
    done(texts, model, *options, "--treebank", "letters.conllu")
    both = HeadsRecord.load(texts / "h.json")
    for one, other in zip(alone.heads, both.heads, strict=True):
        general = [each for each in other.evidence if each.role != "syntactic"]
        assert general == one.evidence
        assert (len(general) < len(other.evidence)) == (one.part == "encoder")


def test_what_is_lost_without_each_head(model: Path, texts: Path) -> None:
    options = ("--source", "s.txt", "--target", "t.txt", "--sentences", 20)
    told = done(texts, model, *options, "--importance", "--out", "h.json")
    record = HeadsRecord.load(texts / "h.json")
    assert {name for head in record.heads for name in head.importance} == {"log-likelihood", "BLEU"}
    worst = max(head.importance["log-likelihood"].value for head in record.heads)
    assert worst > 0.05
    assert "lost without the head" in told.out
    assert "own output" not in told.out + told.err


def test_bleu_against_the_model_itself_is_said_to_be_that(model: Path, texts: Path) -> None:
    options = ("--source", "s.txt", "--sentences", 8, "--importance")
    told = done(texts, model, *options, "--out", "h.json", "--out", "h.html")
    assert "measured on the model's own output, too: the whole model has a BLEU" in told.err
    assert "BLEU against the model's own output" in told.out
    assert "BLEU against the model's own output" in (texts / "h.html").read_text()
    record = HeadsRecord.load(texts / "h.json")
    assert "BLEU" not in record.heads[0].importance


def test_heads_of_a_masked_model(bert: Path, texts: Path) -> None:
    (texts / "b.txt").write_text("".join(f"{text}\n" for text, _ in sentences(40, 2)))
    options = ("--source", "b.txt", "--treebank", "words.conllu", "--importance")
    done(texts, bert, *options, "--out", "h.json")
    record = HeadsRecord.load(texts / "h.json")
    assert record.parts() == ["text"]
    assert len(record.heads) == 4
    assert all(head.roles == [] for head in record.heads)  # its weights are random
    assert set(record.heads[0].importance) == {"log-likelihood"}


def test_the_evidence_of_one_head(model: Path, texts: Path) -> None:
    place = ("--part", "encoder", "--layer", 0, "--head", 1)
    done(texts, model, "--source", "s.txt", *place, "--out", "one.svg", "--out", "h.json")
    assert "offset" in (texts / "h.json").read_text()
    assert (texts / "one.svg").read_text().startswith("<?xml")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "no text is given; name a file with --source, or one with --treebank"),
        (["--target", "t.txt"], "--target t.txt says what is written for --source"),
        (["--source", "nowhere.txt"], "nowhere.txt"),
        (["--source", "s.txt", "--target", "short.txt"], "s.txt has 60 lines and short.txt has 1"),
        (["--treebank", "s.txt"], "s.txt, line 1: 1 column in"),
        (["--treebank", "flat.conllu"], "flat.conllu, line 1: '_' is no head (column 7) of word 1"),
        (["--source", "s.txt", "--layer", "0"], "name one head together; give both numbers"),
        (
            ["--source", "s.txt", "--part", "encoder", "--layer", "3", "--head", "0"],
            "no layer 3: attention of the part 'encoder' has layer 0 alone",
        ),
        (
            ["--source", "s.txt", "--layer", "0", "--head", "7", "--out", "h.png"],
            "no head 7; decoder.layers.0.cross_attention has heads 0 to 1",
        ),
        (
            ["--source", "long.txt", "--layer", "0", "--head", "7"],  # before anything is read
            "no head 7; decoder.layers.0.cross_attention has heads 0 to 1",
        ),
        (["--source", "s.txt", "--part", "text", "--layer", "0", "--head", "0"], "no part 'text'"),
        (["--source", "s.txt", "--out", "h.gif"], "h.gif: the name of a heads record ends in"),
        (["--source", "long.txt"], "no text is left: all of 2 are empty or of more than 12 tokens"),
    ],
)
def test_mistakes(model: Path, texts: Path, arguments: list[str], message: str) -> None:
    (texts / "short.txt").write_text("A\n")
    (texts / "flat.conllu").write_text("1\ta\t_\t_\t_\t_\t_\t_\t_\t_\n\n")
    (texts / "long.txt").write_text("a b c d e f g h " * 4 + "\n" + "\n")
    assert message in refused(texts, model, *arguments)


def test_texts_that_are_too_long_are_left_out_and_told(model: Path, texts: Path) -> None:
    lines = (texts / "s.txt").read_text().splitlines()
    (texts / "s.txt").write_text("\n".join([*lines, "", "a b c d e f g h " * 4]) + "\n")
    told = done(texts, model, "--source", "s.txt")
    assert "2 of 62 texts are left out: empty, or of more than 12 tokens" in told.err


def test_sentences_of_a_treebank_that_are_left_out_are_told(model: Path, texts: Path) -> None:
    words = ["abcdefgh"] * 2  # letters that are no words of their own, so bytes
    write_trees(texts / "odd.conllu", [list("abc")] * 8 + [list("abcdefgh") * 2] * 3)
    told = done(texts, model, "--source", "s.txt", "--treebank", "odd.conllu", "--sentences", 20)
    assert "3 of 11 sentences of the treebank are left out: empty, or of more than 12" in told.err
    write_trees(texts / "foreign.conllu", [words] * 8)
    said = refused(texts, model, "--treebank", "foreign.conllu")
    assert "no text is left: all of 8" in said
    assert "the words of foreign.conllu are cut into 9.0 pieces each; is it written in" in said


def test_a_model_without_attention(texts: Path) -> None:
    plain = tiny.untrained({**tiny.RNN, "attention": "none"})
    folder = tiny.save(plain, texts / "rnn")
    assert "this model has no attention to draw" in refused(texts, folder, "--source", "s.txt")


def test_a_recurrent_model_has_no_syntactic_roles(texts: Path) -> None:
    folder = tiny.save(tiny.untrained(tiny.RNN), texts / "rnn")
    told = done(texts, folder, "--treebank", "letters.conllu", "--sentences", 10)
    assert "no head looks from word to word of one text: no syntactic roles" in told.err


def test_a_language_model_reads_no_target(bert: Path, texts: Path) -> None:
    said = refused(texts, bert, "--source", "s.txt", "--target", "t.txt")
    assert "holds a language model, which reads one text, no target" in said
