"""``seqloom vectors evaluate`` as a user runs it."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from command_line import seqloom

from seqloom.text.vectors import WordVectors

WORDS = [f"w{i}" for i in range(12)]


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """Three trainings, and sets in a folder."""
    chance = np.random.default_rng(1)
    for seed in (1, 2, 3):
        WordVectors(WORDS, chance.normal(size=(12, 4))).save(tmp_path / f"seed{seed}")
    sets = tmp_path / "sets"
    sets.mkdir()
    asked = [" ".join(chance.choice(WORDS, 4, replace=False)) for _ in range(100)]
    text = "\n".join([": family", *asked, ": gram1-plural", *asked, "w1 w2 W3 Quark"])
    (sets / "asked.txt").write_text(text, encoding="utf-8")
    rows = [chance.choice(WORDS, 2, replace=False) for _ in range(50)]
    text = "\n".join(f"{a}\t{b}\t{chance.uniform():.2f}" for a, b in [*rows, ("Boson", "w1")])
    (sets / "alike.tsv").write_text(text, encoding="utf-8")
    return tmp_path


def test_table_of_one_training(place):
    done = seqloom("vectors", "evaluate", "seed1", "--sets", "sets", cwd=place)
    assert done.code == 0, done.err
    lines = [line.split() for line in done.out.splitlines()]
    table = {line[0]: line[1:] for line in lines if line}
    record = evaluated(place, "seed1")["vectors"][0]
    totals = record["analogies"][0]["total"]
    assert table["total"] == ["200/201", f"{totals['accuracy']:.2f}"]
    assert table["family"][0] == "100/100"
    assert table["gram1-plural"][0] == table["syntactic"][0] == "100/101"
    (alike,) = record["similarities"]
    shown = f"{100 * alike['spearman']:.2f} [{100 * alike['low']:.2f}, {100 * alike['high']:.2f}]"
    assert " ".join(table["alike:"]) == f"Spearman x 100 50/51 {shown}"
    assert table["score"][0] == f"{record['score']:.2f}"
    assert "2 words of the sets are unknown, which --unknown names" in done.out
    assert "put into lower case" in done.out
    assert "Quark" not in done.out


def evaluated(place: Path, *arguments: str) -> dict:
    done = seqloom("vectors", "evaluate", *arguments, "--sets", "sets", "--json", cwd=place)
    assert done.code == 0, done.err
    return json.loads(done.out)


def test_unknown_words_are_named_on_demand(place):
    named = seqloom("vectors", "evaluate", "seed1", "--sets", "sets", "--unknown", cwd=place)
    assert "2 words of the sets are unknown: Quark Boson" in named.out
    record = evaluated(place, "seed1", "--unknown")["vectors"][0]
    assert record["similarities"][0]["unknown_words"] == ["Boson"]
    assert "unknown_words" not in str(evaluated(place, "seed1"))


def test_several_trainings_are_shown_as_mean_and_deviation(place):
    done = seqloom("vectors", "evaluate", "seed1", "seed2", "seed3", "--sets", "sets", cwd=place)
    assert done.code == 0, done.err
    record = evaluated(place, "seed1", "seed2", "seed3")
    spread = record["spread"]["asked/total"]
    totals = [one["analogies"][0]["total"]["accuracy"] for one in record["vectors"]]
    assert spread["mean"] == pytest.approx(np.mean(totals))
    assert spread["deviation"] == pytest.approx(np.std(totals, ddof=1))
    row = next(line for line in done.out.splitlines() if line.startswith("  total "))
    assert row.split() == [
        "total",
        "200/201",
        f"{spread['mean']:.2f}",
        "±",
        f"{spread['deviation']:.2f}",
    ]
    assert [line.split(":")[0] for line in done.out.splitlines()[:3]] == ["seed1", "seed2", "seed3"]


def test_options_change_what_is_measured(place):
    whole = evaluated(place, "seed1")["vectors"][0]["analogies"][0]
    fewer = evaluated(place, "seed1", "--restrict", "8")["vectors"][0]["analogies"][0]
    assert (whole["answering"], fewer["answering"]) == (12, 8)
    assert fewer["total"]["covered"] < whole["total"]["covered"]
    kept = evaluated(place, "seed1", "--case", "keep", "--unknown")["vectors"][0]
    assert kept["analogies"][0]["unknown_words"] == ["W3", "Quark"]


def test_record_goes_to_a_file(place):
    given = (
        "vectors",
        "evaluate",
        "seed1",
        "--sets",
        "sets",
        "--json",
        "--output",
        "out/record.json",
    )
    done = seqloom(*given, cwd=place)
    assert (done.code, done.out) == (0, "")
    record = json.loads((place / "out" / "record.json").read_text(encoding="utf-8"))
    assert (record["kind"], record["version"]) == ("word vectors", 1)


def test_single_sets_may_be_named(place):
    done = seqloom(
        "vectors", "evaluate", "seed1", "--sets", "sets/alike.tsv", "--sets", "sets/asked.txt",
        "--json", cwd=place,
    )  # fmt: skip
    assert json.loads(done.out) == evaluated(place, "seed1")


def test_sets_that_are_not_covered_have_no_score(place):
    (place / "other.txt").write_text("вода\tвино\t5\nсон\tявь\t3\n", encoding="utf-8")
    done = seqloom("vectors", "evaluate", "seed1", "--sets", "other.txt", cwd=place)
    assert done.code == 0, done.err
    rows = [line.split() for line in done.out.splitlines() if line]
    assert ["other:", "Spearman", "x", "100", "0/2", "–"] in rows
    assert "no sets of which a tenth is covered; are they in its language?" in done.out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("seed1",), "no sets to evaluate word vectors on"),
        (("seed1",), "https://github.com/tmikolov/word2vec: questions-words.txt"),
        (("seed1", "--sets", "nowhere"), "nowhere: no such file"),
        (
            ("seed1", "--sets", "bad.txt"),
            "seqloom: bad.txt, line 2: expected two words and a number",
        ),
        (("seed1", "--sets", "sets", "--case", "upper"), "Invalid value for '--case'"),
        (("nothing", "--sets", "sets"), "nothing"),
    ],
)
def test_mistakes_are_one_message_and_exit_two(place, arguments, message):
    (place / "bad.txt").write_text("a\tb\t1\nlonely\n", encoding="utf-8")
    done = seqloom("vectors", "evaluate", *arguments, cwd=place)
    assert (done.code, done.out) == (2, "")
    assert message in done.err
    assert "Traceback" not in done.err


def test_a_set_among_the_vectors_is_told_apart(place):
    sets = [place / "sets" / name for name in ("asked.txt", "alike.tsv")]
    (place / "alike.txt").write_bytes(sets[1].read_bytes())
    for strayed in (sets[0], place / "alike.txt"):
        done = seqloom("vectors", "evaluate", place / "seed1", strayed, "--sets", sets[0])
        assert done.code == 2 and done.out == ""
        assert f"{strayed}: a set, where vectors are expected" in done.err
        assert "--sets ONE --sets OTHER" in done.err
