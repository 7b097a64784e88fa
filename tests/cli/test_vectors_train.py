from __future__ import annotations

import random
import signal
from pathlib import Path

import pytest
from command_line import seqloom, start

from seqloom.text.vectors import WordVectors

CLUSTERS = ["cat dog cow hen pig fox", "red blue green pink grey teal"]


@pytest.fixture(scope="module")
def text(tmp_path_factory: pytest.TempPathFactory) -> Path:
    draw = random.Random(0)
    path = tmp_path_factory.mktemp("text") / "text.txt"
    lines = [" ".join(draw.choices(draw.choice(CLUSTERS).split(), k=8)) for _ in range(1000)]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def train(text: Path, out: Path, *more: object) -> list[object]:
    settings = ["--set", "subsample=0", "--width", 16, "--workers", 1, "--device", "cpu"]
    return ["vectors", "train", text, "--out", out, *settings, *more]


def test_vectors_are_trained_and_asked(text: Path, tmp_path: Path) -> None:
    out = tmp_path / "vectors"
    done = seqloom(*train(text, out))
    assert done.code == 0, done.err
    assert "12 different ones occur 5+ times" in done.err
    assert f"trained: {out}, 12 words of width 16; 5 epochs" in done.err
    asked = seqloom("neighbours", out, "cat", "--number", 5)
    assert asked.code == 0, asked.err
    assert all(word in asked.out for word in ["dog", "cow", "hen", "pig", "fox"])


def test_the_first_seconds_of_advice_can_be_followed(text: Path, tmp_path: Path) -> None:
    done = seqloom(*train(text, tmp_path / "v"))
    advice = done.err.strip().splitlines()[-1]
    assert advice.startswith("try it: seqloom neighbours")
    assert seqloom(*advice.removeprefix("try it: seqloom ").split()).code == 0


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (["--min-count", "100000"], "no word occurs 100,000 times (--min-count)"),
        (["--set", "negatvies=5"], "negatvies: unknown field; did you mean negatives?"),
        (["--width", "0"], "width: input should be greater than or equal to 1"),
        (["--set", "learning_rate=1e30"], "no longer finite numbers"),
        (["--sets", "nowhere.txt"], "nowhere.txt"),
        (["--patience", "3"], "--patience: there is nothing to judge epochs by; add --sets FILE."),
    ],
)
def test_a_mistake_is_one_message(
    text: Path, tmp_path: Path, more: list[str], message: str
) -> None:
    done = seqloom(*train(text, tmp_path / "v", *more))
    assert done.code == 2
    assert message in done.err
    assert "Traceback" not in done.err
    assert not (tmp_path / "v").exists()


def test_a_folder_with_files_is_not_written_over(text: Path, tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine", encoding="utf-8")
    done = seqloom(*train(text, tmp_path))
    assert (done.code, (tmp_path / "mine.txt").read_text()) == (2, "mine")
    assert "holds files; choose another --out" in done.err


def test_without_a_place_to_write(text: Path) -> None:
    done = seqloom("vectors", "train", text)
    assert done.code == 2
    assert "add --out DIR" in done.err


def test_epochs_are_judged_by_sets(text: Path, tmp_path: Path) -> None:
    pairs = tmp_path / "pairs.txt"
    pairs.write_text("cat\tdog\t9\ncat\tred\t1\nblue\tgreen\t8\npig\tteal\t2\n", encoding="utf-8")
    out = tmp_path / "v"
    done = seqloom(*train(text, out, "--sets", pairs, "--patience", 2, "--epochs", 9))
    assert done.code == 0, done.err
    scores = WordVectors.load(out).origin["scores"]
    assert f"epoch 1: score {scores[0]:.2f}" in done.err
    assert len(scores) < 9
    assert "keeping the best" in done.err


def test_ctrl_c_saves_what_is_learnt(text: Path, tmp_path: Path) -> None:
    out, pairs = tmp_path / "v", tmp_path / "pairs.txt"
    pairs.write_text("cat\tdog\t9\ncat\tred\t1\nblue\tgreen\t8\npig\tteal\t2\n", encoding="utf-8")
    process = start(*train(text, out, "--epochs", 1_000_000, "--sets", pairs), cwd=tmp_path)
    assert process.stderr is not None
    for line in process.stderr:
        if line.startswith(b"epoch 3"):
            break
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130, err.decode()
    assert "stopped, and saved as far as it was" in err.decode()
    assert WordVectors.load(out).origin["interrupted"]
    assert not list(tmp_path.glob(".seqloom-*"))
