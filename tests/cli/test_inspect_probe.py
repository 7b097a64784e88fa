"""``seqloom inspect probe`` as users call it."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import numpy as np
import pytest
from command_line import seqloom

sys.path.append(str(Path(__file__).parents[1]))

import tiny
from seqloom.inspection.probe_record import CONTROL, RANDOM, TASK, TRAINED, ProbeRecord
from seqloom.inspection.structure_record import StructureRecord
from tiny_encoder import tiny_encoder


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny.trained_folder(tmp_path_factory)


@pytest.fixture(scope="module")
def bert(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_encoder(tmp_path_factory.mktemp("bert"))


@pytest.fixture
def words(tmp_path: Path) -> Path:
    """Letters in twos to fives, as the tiny translator knows them, in two classes."""
    chance, lines = np.random.default_rng(0), list[str]()
    for _ in range(260):
        letters = chance.choice(list("abc"), chance.integers(2, 6))
        lines += [f"{letter}\t{'A' if letter == 'a' else 'O'}" for letter in letters] + [""]
    (tmp_path / "w.txt").write_text("\n".join(lines) + "\n")
    return tmp_path / "w.txt"


FAST = ("--probe", "linear", "--seeds", 1, "--examples", 120)


def test_a_translator_knows_its_letters(model: Path, words: Path, tmp_path: Path) -> None:
    outs = [f"--out=p.{suffix}" for suffix in ("json", "html", "png")]
    told = seqloom("inspect", "probe", model, "--treebank", words, *FAST, *outs, cwd=tmp_path)
    assert told.code == 0, told.err
    assert "column 1: 2 classes; examples: " in told.out
    assert "selectivity" in told.out
    record = ProbeRecord.load(tmp_path / "p.json")
    assert record.layers[:2] == ["embeddings", "layer 0"]
    assert {(run.states, run.labels) for run in record.runs} == {
        (TRAINED, TASK), (TRAINED, CONTROL), (RANDOM, TASK)
    }  # fmt: skip
    found = record.accuracy(0, TRAINED, TASK, "linear")
    assert found is not None and found.mean > 95  # the letter is in its embedding
    assert record.baselines["the word's most frequent label"] == 100


def test_checkpoints_of_a_run(model: Path, words: Path, tmp_path: Path) -> None:
    arguments = ("--treebank", words, *FAST, "--checkpoints", "--property", "length")
    copy = shutil.copytree(model, tmp_path / "model")
    kept = copy / "training"
    for file in kept.glob("weights-*.safetensors"):
        file.unlink()
    told = seqloom("inspect", "probe", copy, *arguments, "--out=p.json", cwd=tmp_path)
    assert told.code == 2
    assert "keeps 0 checkpoints" in told.err and "training.keep=N" in told.err
    kept.mkdir(exist_ok=True)
    for update in (5, 1000):
        shutil.copy(copy / "model.safetensors", kept / f"weights-{update:07d}.safetensors")
    told = seqloom("inspect", "probe", copy, *arguments, "--out=p.json", cwd=tmp_path)
    assert told.code == 0, told.err
    record = ProbeRecord.load(tmp_path / "p.json")
    assert [(run.states, run.labels) for run in record.runs[3:]] == [
        (update, labels) for update in ("update 5", "update 1,000") for labels in (TASK, CONTROL)
    ]
    for run in record.runs[3:]:
        assert run.bits == record.runs[run.labels == CONTROL].bits  # the same weights
    for states in ("update 5", "update 1,000"):
        assert record.selectivity(0, "linear", states) == record.selectivity(0, "linear")


def test_a_masked_model(bert: Path, words: Path, tmp_path: Path) -> None:
    told = seqloom("inspect", "probe", bert, "--treebank", words, *FAST, cwd=tmp_path)
    assert told.code == 0, told.err
    assert told.out.count("layer ") >= 1 and "embeddings" in told.out


@pytest.mark.parametrize(
    ("more", "told"),
    [
        (("--property", "feats:Case"), "column"),
        (("--test", "w.txt"), "--test w.txt is the file of --treebank"),
        (("--examples", "100"), "Raise --examples, which leaves the others out"),
        (
            ("--treebank", "odd.txt"),
            "(the words of odd.txt are cut into 7.0 pieces each; is it written",
        ),
        (("--treebank", "none.conllu"), "none.conllu"),
        (("--out", "p.gif"), "p.gif: the name of a probe record ends in"),
        (("--examples", "3"), "--examples"),
        (("--target-language", "de"), "no language tag <2de>"),
    ],
)
def test_what_is_refused(
    model: Path, words: Path, tmp_path: Path, more: tuple[str, ...], told: str
) -> None:
    (tmp_path / "odd.txt").write_text("uvwxyz\tA\nzyxwvu\tB\n\n" * 50)
    found = seqloom("inspect", "probe", model, "--treebank", words, *FAST, *more, cwd=tmp_path)
    assert (found.code, found.out) == (2, "")
    assert told in found.err and "Traceback" not in found.err


def test_a_treebank_with_a_broken_line(model: Path, tmp_path: Path) -> None:
    (tmp_path / "a.conllu").write_text("1\ta\t_\tNOUN\n\n")
    found = seqloom("inspect", "probe", model, "--treebank", "a.conllu", cwd=tmp_path)
    assert found.code == 2
    assert "a.conllu:1" in found.err or "line 1" in found.err


def test_trees(model: Path, tmp_path: Path) -> None:
    chance, lines = np.random.default_rng(0), list[str]()
    for _ in range(140):
        letters = chance.choice(list("abc"), chance.integers(2, 6))
        lines += [
            f"{n}\t{letter}\t_\tX\t_\t_\t{n - 1}\t{'dep' if n > 1 else 'root'}\t_\t_"
            for n, letter in enumerate(letters, start=1)
        ] + [""]
    (tmp_path / "t.conllu").write_text("\n".join(lines) + "\n")
    arguments = ("--treebank", "t.conllu", "--property", "tree", "--seeds", 2, "--out", "t.json")
    told = seqloom("inspect", "probe", model, *arguments, cwd=tmp_path)
    assert told.code == 0, told.err
    assert "neighbours linked: 100.0 %" in told.out
    record = StructureRecord.load(tmp_path / "t.json")
    assert [run.states for run in record.runs] == [TRAINED, RANDOM]
    assert all(len(row) == 2 for run in record.runs for row in run.uuas)
    (tmp_path / "short.conllu").write_text("1\ta\t_\tX\t_\t_\t0\troot\t_\t_\n"
                                           "2\tb\t_\tX\t_\t_\t1\tdep\t_\t_\n\n" * 140)  # fmt: skip
    told = seqloom("inspect", "probe", model, "--treebank", "t.conllu", "--property", "tree",
                   "--examples", 100, cwd=tmp_path)  # fmt: skip
    assert told.code == 2
    assert "trees are left to stop by; expected 10 or more. Raise --examples" in told.err
    told = seqloom("inspect", "probe", model, "--treebank", "t.conllu", "--property", "tree",
                   "--test", "./t.conllu", cwd=tmp_path)  # fmt: skip
    assert told.code == 2 and "is the file of --treebank" in told.err
    told = seqloom("inspect", "probe", model, "--treebank", "short.conllu", "--property", "tree",
                   cwd=tmp_path)  # fmt: skip
    assert told.code == 2
    assert "no sentence to measure on has 5 to 50 words" in told.err
    (tmp_path / "few.conllu").write_text("\n".join(lines[:20]) + "\n")
    told = seqloom("inspect", "probe", model, "--treebank", "few.conllu", "--property", "tree",
                   cwd=tmp_path)  # fmt: skip
    assert told.code == 2
    assert "trees are left to" in told.err
