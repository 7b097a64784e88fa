"""``finetune FOLDER``, ``classify``, ``tag``, ``embed`` and ``neighbours`` on encoders."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from command_line import Result, seqloom

from seqloom.language_folder import save_language_config, save_language_weights
from seqloom.models import build_language_model
from seqloom.recipe.language import GptRecipe
from seqloom.recipe.pretraining import PretrainRecipe
from seqloom.text.tokenizer import Tokenizer
from tiny_encoder import (
    TAGS,
    tiny_encoder,
    write_classes,
    write_pairs,
    write_paraphrases,
    write_tags,
)


def settings(updates: int) -> list[str]:
    given = (
        f"training.updates={updates}", "training.learning_rate=0.01",
        "training.precision=float32", "head.dropout=0", "training.validate_every=20",
    )  # fmt: skip
    return [word for each in given for word in ("--set", each)]


def refused(done: Result) -> str:
    assert done.code == 2, done
    assert done.out == "" and "Traceback" not in done.err
    assert done.err.startswith("seqloom: "), done.err
    return done.err


@pytest.fixture(scope="module")
def work(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An encoder, data, and a model of each task."""
    folder = tmp_path_factory.mktemp("finetune")
    tiny_encoder(folder / "bert", layers=1)
    write_classes(folder / "train.tsv", 90, 1)
    write_classes(folder / "valid.tsv", 30, 2)
    write_pairs(folder / "pairs.tsv", 40, 1)
    write_tags(folder / "tags.txt", 40, 1)
    write_paraphrases(folder / "alike.tsv", 60, 1)
    words = list(TAGS)
    old = [f"{words[n % 15]} {words[n % 7]}\n\n" for n in range(60)]
    (folder / "old.txt").write_text("".join(old))
    runs = [
        ["--train", "train.tsv", "--validation", "valid.tsv", "--out", "classes", "--old",
         "old.txt", *settings(40)],
        ["--task", "tag", "--train", "tags.txt", "--out", "tagger", *settings(40)],
        ["--task", "vectors", "--train", "alike.tsv", "--out", "vectors", *settings(5)],
        ["--train", "pairs.tsv", "--pair", "--out", "two", "--tune", "head", *settings(2)],
    ]  # fmt: skip
    for arguments in runs:
        done = seqloom("finetune", "bert", *arguments, cwd=folder)
        assert done.code == 0, done.err
        (folder / f"{arguments[arguments.index('--out') + 1]}.out").write_text(done.out)
        (folder / f"{arguments[arguments.index('--out') + 1]}.err").write_text(done.err)
    return folder


def test_figures_before_and_after_of_both_tasks(work: Path) -> None:
    out, said = (work / "classes.out").read_text(), (work / "classes.err").read_text()
    report = json.loads((work / "classes" / "metrics.json").read_text())
    assert report["before"]["accuracy"] < 60 < 95 < report["after"]["accuracy"]
    rows = [line.split() for line in out.splitlines()]
    assert rows[0] == ["before", "after"]
    assert ["accuracy", f"{report['before']['accuracy']:.2f}", "100.00"] in rows
    assert any(row[:2] == ["old", "task:"] for row in rows)
    assert "trained classes\ntry it: echo 'A text.' | seqloom classify classes -" in said
    names = {path.name for path in (work / "classes").iterdir()}
    assert names >= {"config.json", "model.safetensors", "tokenizer.json", "README.md"}
    config = json.loads((work / "classes" / "config.json").read_text())
    assert (config["kind"], config["labels"]) == ("classifier", ["food", "law", "sport"])


def test_texts_are_classified(work: Path) -> None:
    given = "goal team match\nsoup salt bread\n\n"
    done = seqloom("classify", "classes", "-", cwd=work, stdin=given)
    assert done.code == 0, done.err
    assert done.out.splitlines()[:2] == ["sport", "food"] and done.out.count("\n") == 3
    record = seqloom("classify", "classes", "-", "--json", cwd=work, stdin=given)
    first = json.loads(record.out.splitlines()[0])
    assert (first["text"], first["label"]) == ("goal team match", "sport")
    assert sum(first["probabilities"].values()) == pytest.approx(1)
    measured = seqloom("classify", "classes", "valid.tsv", "--labelled", "--json", cwd=work)
    after = json.loads((work / "classes" / "metrics.json").read_text())["after"]
    assert json.loads(measured.out)["accuracy"] == pytest.approx(after["accuracy"])
    long = seqloom("classify", "classes", "-", cwd=work, stdin="goal " * 40)
    assert "1 of 1 texts are longer than the context of 16 tokens and are cut" in long.err


def test_pairs_are_two_texts_a_line(work: Path) -> None:
    done = seqloom("classify", "two", "-", cwd=work, stdin="goal match\tsoup\n")
    assert done.code == 0 and done.out.strip() in ("same", "other")
    measured = seqloom("classify", "two", "pairs.tsv", "--labelled", cwd=work)
    assert measured.code == 0 and "40 texts" in measured.out
    bad = refused(seqloom("classify", "two", "-", cwd=work, stdin="a\tb\nalone\n"))
    assert "line 2: 1 texts; this classifier reads pairs" in bad


def test_words_are_tagged(work: Path) -> None:
    done = seqloom("tag", "tagger", "-", cwd=work, stdin="goal soup\n\njudge\n")
    assert done.code == 0, done.err
    assert done.out == "goal\tsport\nsoup\tfood\n\njudge\tlaw\n\n"
    tree = seqloom("tag", "tagger", "-", "--conllu", cwd=work, stdin="goal soup\n").out
    rows = [line for line in tree.splitlines() if line and not line.startswith("#")]
    assert rows[1] == "2\tsoup\t_\tfood" + "\t_" * 6
    (work / "again.conllu").write_text(tree)
    again = seqloom("tag", "tagger", "again.conllu", "--labelled", "--json", cwd=work)
    assert json.loads(again.out)["accuracy"] == 100
    record = seqloom("tag", "tagger", "-", "--json", cwd=work, stdin="win\n")
    assert json.loads(record.out) == {"words": ["win"], "tags": ["sport"]}


def test_texts_become_vectors(work: Path) -> None:
    (work / "texts.txt").write_text("goal match\nsoup bread\nmatch goal\n")
    done = seqloom("embed", "bert", "texts.txt", "--out", "v.npy", cwd=work)
    assert done.code == 0, done.err
    matrix = np.load(work / "v.npy")
    assert matrix.shape == (3, 16) and np.linalg.norm(matrix, axis=1) == pytest.approx(1, abs=1e-5)
    shown = seqloom("embed", "bert", "texts.txt", cwd=work)
    numbers = [[float(word) for word in line.split()] for line in shown.out.splitlines()]
    assert np.array(numbers) == pytest.approx(matrix, abs=1e-5)
    first = seqloom("embed", "bert", "texts.txt", "--pooling", "first", cwd=work)
    assert first.code == 0 and first.out != shown.out
    for folder in ("classes", "tagger", "vectors"):
        assert seqloom("embed", folder, "texts.txt", cwd=work).out.count("\n") == 3


def test_nearest_texts_of_a_file(work: Path) -> None:
    (work / "texts.txt").write_text("goal match\n\nsoup bread\nmatch win\n")
    options = ["--among", "texts.txt", "--number", "2"]
    done = seqloom("neighbours", "vectors", "soup bread", *options, cwd=work)
    assert done.code == 0, done.err
    lines = done.out.splitlines()
    assert lines[0] == "soup bread" and len([line for line in lines if line]) == 3
    assert lines[1].split() == ["3:", "soup", "bread", "1.0000"]
    record = seqloom("neighbours", "vectors", "soup bread", *options, "--json", cwd=work)
    best = json.loads(record.out)["neighbours"][0]
    assert (best["text"], best["line"]) == ("soup bread", 3)
    first = seqloom("neighbours", "bert", "goal", *options, "--pooling", "first", cwd=work)
    mean = seqloom("neighbours", "bert", "goal", *options, "--device", "cpu", cwd=work)
    assert (first.code, mean.code) == (0, 0) and first.out != mean.out


def gpt(folder: Path) -> None:
    recipe = PretrainRecipe(model=GptRecipe(width=8, heads=2, layers=1, feedforward=8))
    tokenizer = Tokenizer.train(["a b"], "word", 300, exact=False)
    model = build_language_model(recipe.model, tokenizer.size, tokenizer.symbols)
    save_language_config(folder, "language", recipe, tokenizer)
    save_language_weights(folder, model.state_dict(), recipe, tokenizer)


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["gpt", "--train", "t.tsv"], "gpt holds a GPT, which writes; classes, tags and vectors"),
        (["nowhere", "--train", "t.tsv"], "nowhere is not a model folder: it does not exist"),
        (["bert"], "nothing to train on; expected: seqloom finetune bert --train FILE --out DIR"),
        (["bert", "--train", "no.tsv"], "no.tsv: no such file"),
        (["bert", "--train", "one.tsv"], "all 4 texts have the label 'a'"),
        (["bert", "--train", "once.tsv"], "'seldom' has the label 'y', which occurs once only"),
        (["bert", "--train", "a=empty.txt", "--train", "t.tsv"], "the class 'a' is empty"),
        (
            ["bert", "--train", "t.tsv", "--validation", "one.tsv"],
            "one.tsv: no training text has any of its labels: 'a' (4)",
        ),
        (["bert", "--train", "t.tsv", "--pair"], "--columns TEXT LABEL --second TEXT"),
        (["bert", "--train", "t.tsv", "--second", "x"], "add --pair --columns TEXT LABEL"),
        (["bert", "--train", "t.tsv", "--grades"], "--grades is for --task vectors"),
        (["bert", "--train", "t.tsv", "--linear", "svm"], "--linear is for --bag"),
        (["bert", "--train", "t.tsv", "--task", "tag", "--until", ":"], "--until is for --task"),
        (["bert", "--train", "t.tsv", "--set", "model.width=3"], "the model is the encoder's"),
        (["bert", "--train", "t.tsv", "--set", "training.metric=recall"], "no figure of this task"),
        (
            ["bert", "--train", "t.tsv", "--tune", "last", "--set", "training.last_layers=2"],
            "the encoder has 1 layers, not 2",
        ),
        (["bert", "--train", "t.tsv", "--set", "training.old_share=0.5"], "name some: --old FILE"),
        (["bert", "--train", "w.txt", "--task", "vectors", "--tune", "head"], "have no new layer"),
        (["bert", "--train", "t.txt", "--task", "tag"], "all 2 words have the tag 'N'"),
        (["--bag", "--train", "t.tsv", "--tune", "all"], "--tune is for an encoder"),
    ],
)
def test_one_message_and_nothing_written(
    arguments: list[str], expected: str, work: Path, tmp_path: Path
) -> None:
    (tmp_path / "bert").symlink_to(work / "bert")
    gpt(tmp_path / "gpt")
    (tmp_path / "t.tsv").write_text("good\tyes\nfine\tyes\nbad\tno\npoor\tno\n")
    (tmp_path / "one.tsv").write_text("good\ta\nfine\ta\nbad\ta\npoor\ta\n")
    (tmp_path / "once.tsv").write_text("a\tx\nb\tx\nc\tx\nseldom\ty\n")
    (tmp_path / "empty.txt").write_text("\n")
    (tmp_path / "w.txt").write_text("one\ntwo\n")
    (tmp_path / "t.txt").write_text("one\tN\n\ntwo\tN\n")
    before = sorted(tmp_path.rglob("*"))
    message = refused(seqloom("finetune", *arguments, "--out", "x", cwd=tmp_path))
    assert expected in message
    assert sorted(tmp_path.rglob("*")) == before


def test_unseen_labels_of_validation_count_as_wrong(work: Path, tmp_path: Path) -> None:
    odd = tmp_path / "odd.tsv"
    odd.write_text("goal\tsport\nsong\tmusic\n")
    done = seqloom(
        "finetune", "bert", "--train", "train.tsv", "--validation", odd, "--out",
        tmp_path / "m", *settings(1), cwd=work,
    )  # fmt: skip
    assert done.code == 0, done.err
    assert "1 of 2 texts have labels that no training text has: 'music' (1)" in done.err


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["classify", "tagger", "x"], "tagger holds a tagger of words; expected a classifier of"),
        (["classify", "bert", "x"], "bert holds a language model; expected a classifier of texts"),
        (["classify", "classes", "-", "--second", "b"], "add --labelled"),
        (["tag", "classes", "x"], "classes holds a classifier of texts; expected a tagger"),
        (["tag", "tagger", "--labelled"], "--labelled reads a file"),
        (["tag", "tagger", "x.txt", "--conllu", "--json"], "leave the other option out"),
        (["embed", "bert", "nowhere.txt"], "nowhere.txt: no such file"),
        (["neighbours", "bert", "goal"], "bert holds an encoder; name texts to look among"),
        (["neighbours", "x.vec", "goal", "--among", "y"], "--among y is for encoders"),
        (["neighbours", "x.vec", "goal", "--device", "cpu"], "--device cpu is for encoders"),
    ],
)
def test_the_other_verbs_refuse(arguments: list[str], expected: str, work: Path) -> None:
    assert expected in refused(seqloom(*arguments, cwd=work))
