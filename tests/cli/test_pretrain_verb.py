"""``seqloom pretrain``, ``generate``, ``export`` and ``import``, as a user types them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from command_line import seqloom

SETTINGS = (
    "model.width=32", "model.feedforward=64", "model.heads=2", "model.layers=1", "model.context=32",
    "model.dropout=0", "training.updates=60", "training.batch_tokens=512", "training.warmup=5",
    "training.learning_rate=0.01", "training.validate_every=60", "training.precision=float32",
    "training.validate_tokens=1000", "training.sample_tokens=8",
)  # fmt: skip
SMALL = [word for setting in SETTINGS for word in ("--set", setting)]
LETTERS = "abcdefgh"


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a text and a causal model of it in ``gpt``."""
    folder = tmp_path_factory.mktemp("pretrain")
    lines = [
        " ".join(LETTERS[(start + step) % 8] for step in range(length))
        for start in range(8)
        for length in range(4, 30)
    ]
    (folder / "text.txt").write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    done = seqloom(
        "pretrain", "gpt", "--text", "text.txt", "--documents", "lines", "--tokenizer", "word",
        "--out", "gpt", "--device", "cpu", *SMALL, cwd=folder,
    )  # fmt: skip
    assert done.code == 0, done.err
    assert done.out == ""
    assert "perplexity" in done.err
    assert "sample: " in done.err
    assert "try it: seqloom generate gpt" in done.err
    return folder


def test_a_prompt_is_gone_on_with(place: Path) -> None:
    done = seqloom("generate", "gpt", "c d", "--beam", 1, "--tokens", 3, cwd=place)
    assert (done.code, done.out) == (0, "c d e f g\n"), done.err


def test_it_stops_at_a_text(place: Path) -> None:
    done = seqloom("generate", "gpt", "c d", "--beam", 1, "--stop", " g", cwd=place)
    assert (done.code, done.out) == (0, "c d e f\n"), done.err


def test_prompts_of_a_file_and_json(place: Path) -> None:
    (place / "prompts.txt").write_text("a b\nd e\n", encoding="utf-8")
    more = ["--beam", 1, "--tokens", 2]
    done = seqloom("generate", "gpt", "--file", "prompts.txt", *more, cwd=place)
    assert (done.code, done.out) == (0, " c d\n f g\n"), done.err
    done = seqloom("generate", "gpt", "--file", "-", "--json", *more, cwd=place, stdin="a b\n")
    record = json.loads(done.out)
    assert record["prompt"] == "a b"
    assert record["texts"][0]["text"] == " c d"
    assert record["texts"][0]["finished"] is False


def test_the_same_seed_draws_the_same(place: Path) -> None:
    draw = ["generate", "gpt", "a", "--tokens", 12, "--temperature", 3, "--nbest", 2]
    first, again = (seqloom(*draw, "--seed", 3, cwd=place).out for _ in range(2))
    assert first == again
    assert len(first.splitlines()) == 2
    assert seqloom(*draw, "--seed", 4, cwd=place).out != first


def test_there_and_back_through_hugging_face(place: Path) -> None:
    done = seqloom("export", "gpt", "--to", "huggingface", "--out", "theirs", cwd=place)
    assert done.code == 0, done.err
    done = seqloom("import", "theirs", "--out", "back", cwd=place)
    assert done.code == 0, done.err
    more = ["c d", "--beam", 1, "--tokens", 3]
    assert seqloom("generate", "back", *more, cwd=place).out == "c d e f g\n"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["pretrain", "gpt", "--text", "text.txt"], "nowhere to write: add --out DIR"),
        (["pretrain", "gpt", "--out", "x"], "data.sources: no text given; add --text FILE"),
        (["pretrain", "gpt", "--text", "nowhere.txt", "--out", "x"], "nowhere.txt"),
        (
            ["pretrain", "gpt", "--text", "text.txt", "--out", "x", "--set", "model.haeds=2"],
            "model.haeds: unknown key; did you mean model.heads?",
        ),
        (
            ["pretrain", "bert", "--text", "text.txt", "--out", "x", "--set", "model.norm=rms"],
            "model.norm: unknown key",
        ),
        (["generate", "nowhere", "a"], "nowhere is not a model folder: it does not exist"),
        (["generate", "gpt", "a", "--file", "text.txt"], "use one of them"),
        (["generate", "gpt", "a", "--temperature", "0"], "decoding.temperature"),
        (["generate", "gpt", " ".join(40 * ["a"])], "32"),
        (["translate", "gpt", "text.txt"], "holds no translation model"),
    ],
)
def test_a_mistake_is_one_message(place: Path, words: list[str], message: str) -> None:
    done = seqloom(*words, cwd=place)
    assert done.code == 2, done.out + done.err
    assert message in done.err
    assert "Traceback" not in done.err
    assert done.out == ""
