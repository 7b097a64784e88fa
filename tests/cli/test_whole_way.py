"""The main job as a user does it: train, translate, score, evaluate, average."""

from __future__ import annotations

import contextlib
import gzip
import json
import shutil
import signal
import time
from pathlib import Path

import pytest
from command_line import seqloom, small, start

from seqloom import __version__


def lines_of(path: Path) -> list[str]:
    return path.read_text(encoding="utf-8").splitlines()


def test_the_model_has_learned_and_is_a_whole_folder(work: Path) -> None:
    done = seqloom("translate", "model", "test.en", cwd=work)
    assert done.code == 0, done.err
    pairs = list(zip(done.out.splitlines(), lines_of(work / "test.de"), strict=True))
    assert sum(found == truth for found, truth in pairs) >= 0.9 * len(pairs)
    present = {path.name for path in (work / "model").iterdir()}
    needed = {"config.json", "model.safetensors", "tokenizer.json", "generation.json"}
    assert {*needed, "metrics.jsonl", "README.md"} <= present
    assert not list((work / "model").rglob("*.part"))


def test_the_same_command_again_changes_nothing(work: Path) -> None:
    before = (work / "model" / "model.safetensors").read_bytes()
    done = seqloom(
        "train", "--source", "train.en", "--target", "train.de",
        "--validation-source", "valid.en", "--validation-target", "valid.de",
        "--out", "model", *small(), cwd=work,
    )  # fmt: skip
    assert done.code == 0, done.err
    assert (work / "model" / "model.safetensors").read_bytes() == before


def test_a_folder_can_be_moved(work: Path, tmp_path: Path) -> None:
    shutil.copytree(work / "model", tmp_path / "elsewhere")
    assert seqloom("translate", tmp_path / "elsewhere", stdin="a b\n").out == "A B\n"


def test_line_counts_match_and_empty_lines_stay_empty(work: Path) -> None:
    done = seqloom("translate", "model", "-", cwd=work, stdin="\na b c\r\n\n   \nd")
    assert (done.code, done.out) == (0, "\nA B C\n\n\nD\n")
    assert seqloom("translate", "model", cwd=work, stdin="").out == ""


def test_gzip_in_and_file_out(work: Path, tmp_path: Path) -> None:
    with gzip.open(tmp_path / "in.en.gz", "wt", encoding="utf-8") as file:
        file.write("a b\nc d\n")
    out = tmp_path / "out.de"
    done = seqloom("translate", work / "model", tmp_path / "in.en.gz", "--output", out)
    assert (done.code, done.out) == (0, "")
    assert out.read_text(encoding="utf-8") == "A B\nC D\n"


def test_json_and_nbest_agree_with_the_plain_output(work: Path) -> None:
    text = "a b c\n\nd e\n"
    flags = ("--beam", "4", "--nbest", "2")
    done = seqloom("translate", "model", *flags, "--json", cwd=work, stdin=text)
    found = [json.loads(line) for line in done.out.splitlines()]
    assert [each["source"] for each in found] == ["a b c", "", "d e"]
    first = found[0]["hypotheses"]
    assert first[0]["text"] == "A B C"
    assert len(first) == 2
    assert first[0]["score"] >= first[1]["score"]
    assert set(first[0]) == {"text", "score", "log_probability"}
    assert first[0]["log_probability"] <= 0
    plain = seqloom("translate", "model", *flags, cwd=work, stdin=text).out.splitlines()
    rows = [line.split("\t") for line in plain]
    assert [row[0] for row in rows] == ["1", "1", "2", "3", "3"]
    assert rows[0][2] == "A B C"
    assert float(rows[0][1]) == pytest.approx(first[0]["score"], abs=1e-3)


def test_samples_depend_on_the_seed_alone(work: Path) -> None:
    def sample(seed: int) -> str:
        flags = ("--sample", "--temperature", "3", "--seed", seed)
        return seqloom("translate", "model", "test.en", *flags, cwd=work).out

    assert sample(1) == sample(1) != sample(2)


def test_a_prefix_is_kept(work: Path, tmp_path: Path) -> None:
    (tmp_path / "begin").write_text("H\n\n", encoding="utf-8")
    flags = ("--prefix", tmp_path / "begin")
    done = seqloom("translate", "model", *flags, cwd=work, stdin="a b\nc d\n")
    assert done.code == 0, done.err
    first, second = done.out.splitlines()
    assert first.startswith("H")
    assert second == "C D"


def test_a_model_with_itself_is_an_ensemble_of_one(work: Path) -> None:
    alone = seqloom("translate", "model", "test.en", "--json", cwd=work)
    both = seqloom("translate", "model", "test.en", "--with", "model", "--json", cwd=work)
    assert both.code == 0, both.err
    for one, two in zip(alone.out.splitlines(), both.out.splitlines(), strict=True):
        ours, theirs = json.loads(one)["hypotheses"][0], json.loads(two)["hypotheses"][0]
        assert ours["text"] == theirs["text"]
        assert ours["log_probability"] == pytest.approx(theirs["log_probability"], abs=1e-4)


def test_forced_scores_are_those_of_the_search(work: Path, tmp_path: Path) -> None:
    exact = ("--json", "--precision", "float32")
    found = seqloom("translate", "model", "test.en", *exact, cwd=work).out.splitlines()
    best = [json.loads(line)["hypotheses"][0] for line in found]
    expected = [each["log_probability"] for each in best]
    written = "".join(f"{each['text']}\n" for each in best)
    (tmp_path / "found.de").write_text(written, encoding="utf-8")
    files = ("--source", "test.en", "--target", tmp_path / "found.de")
    done = seqloom("score", "model", *files, cwd=work)
    assert done.code == 0, done.err
    assert [float(line) for line in done.out.splitlines()] == pytest.approx(expected, abs=1e-3)


def test_evaluate_in_both_forms(work: Path, tmp_path: Path) -> None:
    hypotheses = tmp_path / "hypotheses.de"
    seqloom("translate", "model", "test.en", "--output", hypotheses, cwd=work)
    flags = ("--references", "test.de", "--json", "--bootstrap", "50")
    ours = seqloom("evaluate", "model", "--source", "test.en", *flags, cwd=work)
    files = seqloom("evaluate", "--hypotheses", hypotheses, *flags, cwd=work)
    assert ours.code == files.code == 0, ours.err + files.err
    figures = {each["name"]: each for each in json.loads(ours.out)["figures"]}
    assert json.loads(files.out)["figures"] == json.loads(ours.out)["figures"]
    assert list(figures) == ["bleu", "chrf", "ter", "exact", "bleu_lower_tokenized"]
    pairs = zip(lines_of(hypotheses), lines_of(work / "test.de"), strict=True)
    assert figures["exact"]["value"] == 5 * sum(found == truth for found, truth in pairs)
    assert all(each["low"] <= each["value"] <= each["high"] for each in figures.values())
    text = seqloom("evaluate", "--hypotheses", "test.de", "--references", "test.de", cwd=work).out
    assert "version:" in text


def test_evaluate_against_a_baseline_and_side_by_side(work: Path, tmp_path: Path) -> None:
    worse = tmp_path / "worse.de"
    worse.write_text("".join("A B\n" for _ in lines_of(work / "test.de")), encoding="utf-8")
    done = seqloom(
        "evaluate", "--hypotheses", "test.de", "--references", "test.de", "--source", "test.en",
        "--baseline", worse, "--side-by-side", "2", "--metric", "chrf", cwd=work,
    )  # fmt: skip
    assert done.code == 0, done.err
    assert "over the baseline's" in done.out
    assert "A B" in done.out


def test_average_of_checkpoints_and_of_folders(work: Path, tmp_path: Path) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    assert (
        seqloom("average", "model", "--out", one, cwd=work).err == f"averaged 2 models into {one}\n"
    )
    done = seqloom("average", "model", "model", "--out", two, cwd=work)
    assert done.code == 0, done.err
    for folder in (one, two):
        assert (folder / "README.md").read_text(encoding="utf-8").startswith("# Average of 2")
    assert seqloom("translate", two, stdin="a b\n").out == "A B\n"


def test_prepare_reports_and_train_takes_its_folder(work: Path, tmp_path: Path) -> None:
    out = tmp_path / "prepared"
    done = seqloom("prepare", "train.en", "train.de", "--out", out, cwd=work)
    assert done.code == 0, done.err
    assert "1,200 pairs read" in done.out
    assert "vocabulary:" in done.out
    trained = seqloom(
        "train", "--source", out, "--out", tmp_path / "model",
        *small("data.tokenizer=bpe", "training.updates=2"), cwd=work,
    )  # fmt: skip
    assert trained.code == 0, trained.err


def test_prepare_explains_the_merges(work: Path, tmp_path: Path) -> None:
    (tmp_path / "a.en").write_text("unbelievable believable\n" * 20, encoding="utf-8")
    (tmp_path / "a.de").write_text("believe unbelievable\n" * 20, encoding="utf-8")
    files = [tmp_path / "a.en", tmp_path / "a.de"]
    flags = ("--explain", "unbelievable", "--set", "data.vocabulary=300")
    fresh = seqloom("prepare", *files, *flags)
    assert fresh.code == 0, fresh.err
    assert "unbelievable" in fresh.out.replace(" ", "")
    model = seqloom("prepare", work / "model", "--explain", "a b")
    assert model.code == 0, model.err
    assert model.out.strip()


def test_info_names_what_is_there_and_how_to_get_what_is_not() -> None:
    done = seqloom("info", "--json")
    facts = json.loads(done.out)
    assert set(facts) >= {"seqloom", "versions", "threads", "devices", "gflops", "extras"}
    text = seqloom("info").out
    for name, present in facts["extras"].items():
        assert present or f"pip install 'seqloom[{name}]'" in text


def test_a_pipe_streams_and_its_end_is_quiet(work: Path) -> None:
    with start("translate", "model", "--beam", "1", cwd=work) as process:
        assert process.stdin and process.stdout and process.stderr
        process.stdin.write(b"a b\n" * 5000)
        process.stdin.flush()
        assert process.stdout.readline() == b"A B\n"  # long before the input ends
        process.stdout.close()
        with contextlib.suppress(BrokenPipeError):
            process.stdin.write(b"a b\n" * 200_000)
        with contextlib.suppress(BrokenPipeError):
            process.stdin.close()
        assert process.wait(timeout=60) == 1
        assert process.stderr.read() == b""


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_training_saves_when_it_is_stopped_and_goes_on(
    number: signal.Signals, code: int, work: Path, tmp_path: Path
) -> None:
    out = tmp_path / "model"
    flags = [
        "train", "--source", "train.en", "--target", "train.de",
        "--validation-source", "valid.en", "--validation-target", "valid.de", "--out", out,
        *small("training.updates=100000"),
    ]  # fmt: skip
    with start(*flags, cwd=work) as process:
        log = out / "metrics.jsonl"
        while process.poll() is None and not (log.exists() and log.read_bytes()):
            time.sleep(0.05)
        process.send_signal(number)
        _, err = process.communicate(timeout=60)
    assert process.returncode == code, err
    assert b"everything is saved. The same command goes on from here." in err
    assert b"Traceback" not in err
    assert (out / "training" / "checkpoint.safetensors").exists()


def test_a_translation_is_stopped_without_a_trace(work: Path, tmp_path: Path) -> None:
    for number, code in ((signal.SIGINT, 130), (signal.SIGTERM, 143)):
        out = tmp_path / "out"
        with start("translate", "model", "--output", out, cwd=work) as process:
            assert process.stdin
            process.stdin.write(b"a b\n" * 3000)
            process.stdin.flush()
            while process.poll() is None and not list(tmp_path.iterdir()):
                time.sleep(0.05)
            process.send_signal(number)
            _, err = process.communicate(timeout=60)
        assert (process.returncode, err) == (code, b"")
        assert list(tmp_path.iterdir()) == []


def test_the_version_is_told() -> None:
    assert seqloom("--version").out == f"seqloom {__version__}\n"
