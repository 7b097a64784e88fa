"""``finetune --bag`` and ``classify`` as users call them."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path

import numpy as np
import pytest
from command_line import Result, seqloom

WORDS = {
    "sport": ["goal", "match", "team", "ball", "win"],
    "food": ["bread", "salt", "soup", "bowl", "eat"],
    "law": ["court", "judge", "law", "trial", "crime"],
}


def write(path: Path, count: int, seed: int) -> Path:
    """Lines of words that tell their label, which stands first."""
    chance = np.random.default_rng(seed)
    lines = []
    for number in range(count):
        label = list(WORDS)[number % 3]
        words = [*chance.choice(WORDS[label], size=4).tolist(), "the", "a"]
        lines.append(f"{label}:part{number % 2} {' '.join(words)}\n")
    path.write_text("".join(lines))
    return path


def refused(done: Result) -> str:
    assert done.code == 2, done
    assert done.out == "" and "Traceback" not in done.err
    assert done.err.startswith("seqloom: ") and done.err.count("\n") <= 3, done.err
    return done.err


FORM = ["--label-first", "--until", ":"]


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Result]:
    folder = tmp_path_factory.mktemp("finetune")
    write(folder / "train.txt", 300, 1)
    write(folder / "test.txt", 60, 2)
    done = seqloom("finetune", "--bag", "--train", "train.txt", *FORM, "--out", "model", cwd=folder)
    assert done.code == 0, done.err
    return folder, done


def test_what_it_says(trained: tuple[Path, Result]) -> None:
    _, done = trained
    assert re.search(
        r"^no --validation: \d\d of 300 texts are held out to measure on, 10% of", done.err
    )
    assert "(seed 1)" in done.err and "trained model" in done.err
    assert re.search(r"^accuracy +\d+\.\d\d  \[\d+\.\d\d, 100\.00\]  \d\d texts, 95 %", done.out)
    assert "macro-F1" in done.out
    assert "accuracy of the majority baseline" in done.out
    assert "right \\ said" in done.out
    assert re.search(r"^C = [\d.]+, by cross-validation on the training texts, acc", done.out, re.M)
    told = re.search(r"^  law: (.*)$", done.out, re.M)
    assert told and set(told[1].split(", ")) & set(WORDS["law"])


def test_what_it_leaves(trained: tuple[Path, Result]) -> None:
    folder, done = trained
    model = folder / "model"
    assert {path.name for path in model.iterdir()} == {
        "config.json", "bag.json", "bag.safetensors", "classifier.json", "classifier.safetensors",
        "metrics.json", "README.md",
    }  # fmt: skip
    assert not [path.name for path in folder.iterdir() if path.name.endswith(".part")]
    metrics = json.loads((model / "metrics.json").read_text())
    assert f"{metrics['figures']['accuracy']:.2f}" in done.out
    counts = metrics["data"]["classes"]
    assert counts.keys() == set(WORDS) and sum(counts.values()) == metrics["data"]["texts"]
    assert len(metrics["cross_validation"]) == 5
    card = (model / "README.md").read_text()
    assert "# Seqloom classifier: 3 classes, bag of words" in card
    assert f"| accuracy | {metrics['figures']['accuracy']:.2f} |" in card
    assert f"| law | {counts['law']} |" in card
    config = json.loads((model / "config.json").read_text())
    assert (config["task"], config["family"]) == ("classification", "bag")
    assert config["recipe"]["linear"] == "logistic"


def test_the_command_of_the_card_does_the_same_again(trained: tuple[Path, Result]) -> None:
    folder, done = trained
    card = (folder / "model" / "README.md").read_text()
    (command,) = re.findall(r"^seqloom finetune .*$", card, re.M)
    words = shlex.split(command)[1:]
    words[words.index("--out") + 1] = "again"
    again = seqloom(*words, cwd=folder)
    assert (again.code, again.out) == (0, done.out)
    for name in ("classifier.safetensors", "bag.safetensors", "metrics.json", "config.json"):
        assert (folder / "again" / name).read_bytes() == (folder / "model" / name).read_bytes()


def test_one_label_a_line(trained: tuple[Path, Result], tmp_path: Path) -> None:
    folder, _ = trained
    lines = ["goal match", "", "soup and bread", "JUDGE Court"]
    (tmp_path / "x.txt").write_text("\n".join(lines) + "\n")
    done = seqloom("classify", "model", tmp_path / "x.txt", cwd=folder)
    assert done.code == 0, done.err
    found = done.out.split("\n")
    assert (found[0], found[2], found[3], found[4:]) == ("sport", "food", "law", [""])
    given = seqloom("classify", "model", cwd=folder, stdin="\n".join(lines))
    assert given.out == done.out
    empty = seqloom("classify", "model", "-", cwd=folder, stdin="")
    assert (empty.code, empty.out) == (0, "")
    out = seqloom("classify", "model", tmp_path / "x.txt", "--output", tmp_path / "y", cwd=folder)
    assert out.out == "" and (tmp_path / "y").read_text() == done.out


def test_json_explains_itself(trained: tuple[Path, Result]) -> None:
    folder, _ = trained
    text = "the judge eats soup, soup"
    done = seqloom("classify", "model", "-", "--json", cwd=folder, stdin=f"{text}\n\n")
    first, second = map(json.loads, done.out.splitlines())
    assert first["text"] == text
    assert sum(first["probabilities"].values()) == pytest.approx(1)
    assert max(first["probabilities"], key=first["probabilities"].get) == first["label"]
    added = {each["word"]: each["adds"] for each in first["words"]}
    assert {"judge", "soup"} <= set(added) <= {"the", "judge", "soup"}
    assert sum(added.values()) + first["bias"] == pytest.approx(first["score"])
    assert second["words"] == [] and second["score"] == pytest.approx(second["bias"])


def test_labelled_texts_are_measured(trained: tuple[Path, Result]) -> None:
    folder, _ = trained
    done = seqloom("classify", "model", "test.txt", "--labelled", *FORM, cwd=folder)
    assert done.code == 0, done.err
    assert "accuracy" in done.out and "60 texts" in done.out
    record = seqloom("classify", "model", "test.txt", "--labelled", *FORM, "--json", cwd=folder)
    assert json.loads(record.out)["texts"] == 60
    (folder / "odd.txt").write_text("sport goal\nmusic song\n")
    odd = seqloom("classify", "model", "odd.txt", "--labelled", "--label-first", cwd=folder)
    assert odd.code == 0
    assert "odd.txt: 1 of 2 texts have labels that no training text has: 'music' (1)" in odd.err
    assert "accuracy                  50.00" in odd.out


def test_validation_texts_and_an_svm(trained: tuple[Path, Result], tmp_path: Path) -> None:
    folder, _ = trained
    test = (folder / "test.txt").read_text() + "law:x court\n" * 5 + "opera:x song\n"
    own = folder / "own.txt"
    own.write_text(f"{test}\n")
    known = {line.split(" ", 1)[1] for line in (folder / "train.txt").read_text().splitlines()}
    shared = sum(line.split(" ", 1)[1] in known for line in test.splitlines())
    assert 0 < shared < 30
    options = ["--linear", "svm", "--ngrams", "1", "2", "--set", "c=0.5", *FORM]
    done = seqloom(
        "finetune", "--bag", "--train", "train.txt", "--validation", own, *options,
        "--out", tmp_path / "svm", cwd=folder,
    )  # fmt: skip
    assert done.code == 0, done.err
    assert "held out" not in done.err
    assert "1 blank texts are left out" in done.err
    assert "labels that no training text has: 'opera' (1)" in done.err
    assert f"{shared} of 66 validation texts are training texts too" in done.err
    assert "always 'food' " in done.out, "what training texts say most, not validation texts"
    assert "C = 0.5, as given" in done.out
    said = seqloom("classify", tmp_path / "svm", "-", "--json", stdin="goal match\n")
    record = json.loads(said.out)
    assert record["label"] == "sport" and record["scores"]["sport"] == record["score"]
    assert "goal match" in {each["word"] for each in record["words"]}


def test_one_file_a_class(tmp_path: Path) -> None:
    for label, words in WORDS.items():
        (tmp_path / f"{label}.txt").write_text("".join(f"{w} {w}s\n" for w in words * 4))
    files = [word for label in WORDS for word in ("--train", f"{label}={label}.txt")]
    done = seqloom("finetune", "--bag", *files, "--out", "m", "--linear", "nbsvm", cwd=tmp_path)
    assert done.code == 0, done.err
    assert seqloom("classify", "m", "-", cwd=tmp_path, stdin="salt\ncrime\n").out == "food\nlaw\n"


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["encoder", "--train", "t.tsv", "--out", "x"], "encoder is not a model folder"),
        (["--train", "t.tsv", "--out", "x"], "seqloom finetune --train FILE --out DIR --bag"),
        (["encoder", "--bag", "--train", "t.tsv", "--out", "x"], "leave one of the two out"),
        (["--bag", "--out", "x"], "nothing to train on"),
        (["--bag", "--train", "t.tsv"], "add --out DIR"),
        (["--bag", "--train", "t.tsv", "--out", "full"], "full exists and holds files"),
        (["--bag", "--train", "t.tsv", "--out", "t.tsv"], "t.tsv is a file"),
        (["--bag", "--train", "nowhere", "--out", "x"], "nowhere: no such file"),
        (["--bag", "--train", "one.tsv", "--out", "x"], "all 4 texts have the label 'a'"),
        (["--bag", "--train", "floats.tsv", "--out", "x"], "have a label of their own"),
        (["--bag", "--train", "once.tsv", "--out", "x"], "once.tsv, row 4: 'seldom' has the label"),
        (["--bag", "--train", "lack.tsv", "--out", "x"], "lack.tsv, row 2: the text 'b' has no"),
        (
            ["--bag", "--train", "t.tsv", "--validation", "one.tsv", "--out", "x"],
            "one.tsv: no training text has any of its labels: 'a' (4)",
        ),
        (["--bag", "--train", "t.tsv", "--out", "x", "--set", "d=1"], "d: unknown field"),
        (["--bag", "--train", "t.tsv", "--out", "x", "--stop-words", "tlh"], "stop words 'tlh'"),
        (["--bag", "--train", "t.tsv", "--out", "x", "--set", "min_documents=9"], "min_documents"),
    ],
)
def test_one_message_and_nothing_written(
    arguments: list[str], expected: str, tmp_path: Path
) -> None:
    (tmp_path / "t.tsv").write_text("good\tyes\nfine\tyes\nbad\tno\npoor\tno\n")
    (tmp_path / "one.tsv").write_text("good\ta\nfine\ta\nbad\ta\npoor\ta\n")
    (tmp_path / "floats.tsv").write_text("".join(f"text {n}\t0.{n}\n" for n in range(9)))
    (tmp_path / "once.tsv").write_text("a\tx\nb\tx\nc\tx\nseldom\ty\n")
    (tmp_path / "lack.tsv").write_text("a\tx\nb\t\n")
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "file").write_text("x")
    before = sorted(tmp_path.rglob("*"))
    message = refused(seqloom("finetune", *arguments, cwd=tmp_path))
    assert expected in message
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["nowhere", "x.txt"], "there is no classifier.json in it"),
        (["model", "x.txt"], "x.txt: no such file"),
        (["model", "test.txt", "--label-first"], "--label-first is for texts that have labels"),
        (["model", "--labelled"], "--labelled reads a file"),
    ],
)
def test_classify_refuses(
    arguments: list[str], expected: str, trained: tuple[Path, Result]
) -> None:
    assert expected in refused(seqloom("classify", *arguments, cwd=trained[0]))


def test_real_questions(real_data: Path, tmp_path: Path) -> None:
    questions = real_data / "trec" / "train.txt"
    done = seqloom("finetune", "--bag", "--train", questions, *FORM, "--out", tmp_path / "trec")
    assert done.code == 0, done.err
    figures = json.loads((tmp_path / "trec" / "metrics.json").read_text())["figures"]
    assert figures["accuracy"] > 80 > 30 > figures["baseline"]
    said = seqloom("classify", tmp_path / "trec", "-", stdin="Who wrote Hamlet ?\n")
    assert said.out == "HUM\n"
