"""``benchmarks/alignment.py``, small: its text, its choices, and a run from files to figures."""

from __future__ import annotations

import json
import random
import stat
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from seqloom.corpus.alignments import AlignedPairs, Gold
from seqloom.inspector.align import align
from seqloom.translator import Translator

WORDS = {
    "the": "le", "dog": "chien", "cat": "chat", "sees": "voit", "eats": "mange", "red": "rouge",
    "house": "maison", "a": "un", "not": "pas", "big": "grand", "and": "et", "bread": "pain",
}  # fmt: skip


def run(bench, monkeypatch, data, *arguments) -> dict:
    """The figures of the French gold that a command writes."""
    command = ["alignment.py", "--threads", "1", "--data", str(data), *arguments]
    monkeypatch.setattr(sys, "argv", command)
    bench.alignment.main()
    return json.loads(bench.alignment.RESULTS.read_text())["sets"]["enfr"]


def write(path: Path, lines: list[str]) -> None:
    path.parent.mkdir(exist_ok=True, parents=True)
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")


@pytest.fixture
def data(tmp_path):
    """French is English word by word, the other way round; gold counts words from 1."""
    chance = random.Random(1)
    folder = tmp_path / "data"
    for part, count in (("train", 300), ("dev", 5), ("gold", 8)):
        english = [chance.choices(list(WORDS), k=chance.randint(3, 6)) for _ in range(count)]
        french = [[WORDS[word] for word in reversed(words)] for words in english]
        place = folder / ("align/enfr" if part == "gold" else f"tatoeba-en-fr/{part}")
        write(place.with_suffix(".en"), [" ".join(words) for words in english])
        write(place.with_suffix(".fr"), [" ".join(words) for words in french])
        lengths = map(len, english)
        links = [" ".join(f"{i + 1}-{n - i}" for i in range(n)) for n in lengths]
        if part == "gold":
            write(place.with_suffix(".gold"), links)
    return folder


def test_the_other_direction(bench):
    gold = Gold(frozenset({(0, 1)}), frozenset({(0, 1), (2, 0)}))
    pairs = AlignedPairs([["a", "b", "c"]], [["x", "y"]], [gold], [], "toy")
    turned = bench.figures.turned(pairs)
    assert (turned.sources, turned.targets) == (pairs.targets, pairs.sources)
    assert turned.gold == [Gold(frozenset({(1, 0)}), frozenset({(1, 0), (0, 2)}))]
    assert bench.figures.turned(turned).gold == pairs.gold


def ways(*rates: float) -> list[dict]:
    """Layers' means, written and read in turn."""
    return [
        {"layer": number // 2, "head": None, "when": ("written", "read")[number % 2], "aer": rate}
        for number, rate in enumerate(rates)
    ]


def test_defaults_are_counted_from_the_last_layer(bench):
    models = [{"ways": ways(9, 1, 5, 5)}, {"ways": ways(9, 9, 7, 3, 5, 9)}, {"ways": ways(0, 0)}]
    found = bench.figures.rules(models)
    told = {(rule["layer from the end"], rule["when"]): rule["aer"] for rule in found}
    assert told == {(2, "read"): 2, (1, "written"): 5, (1, "read"): 7, (2, "written"): 8}
    assert [rule["aer"] for rule in found] == [2, 5, 7, 8]


def test_the_best_way(bench):
    rows = [*ways(9, 4), {"layer": 0, "head": 1, "when": "read", "aer": 2}]
    assert bench.figures.best(rows)["aer"] == 4
    assert bench.figures.best(rows, when="written")["aer"] == 9
    assert bench.figures.best(rows, head="any")["aer"] == 2
    assert bench.figures.best(rows, head="any", layer=1) is None


STUB = """#!{python}
import sys
name = dict(zip(sys.argv[1::2], sys.argv[2::2]))
sides = [open(name[side], encoding="utf-8").read().splitlines() for side in ("-s", "-t")]
lengths = [(len(s.split()), len(t.split())) for s, t in zip(*sides, strict=True)]
with open(name["-f"], "w") as forward, open(name["-r"], "w") as backward:
    for s, t in lengths:
        print(*(f"{{i}}-{{t - 1 - i}}" for i in range(min(s, t))), file=forward)
        print("0-" + str(t - 1), file=backward)
"""


@pytest.fixture
def stub(bench, monkeypatch, tmp_path):
    """A program in place of eflomal that takes its options."""
    program = tmp_path / "bin" / "eflomal-align"
    write(program, [STUB.format(python=sys.executable)])
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    environment = SimpleNamespace(make=lambda _: None, python=program.parent / "python")
    monkeypatch.setattr(bench.peer, "ENVIRONMENT", environment)
    return program


@pytest.mark.skipif(sys.platform == "win32", reason="a script with a shebang")
def test_the_statistical_aligner_is_judged_by_the_gold_alone(
    bench, stub, data, monkeypatch, capsys
):
    found = run(bench, monkeypatch, data, "--only", "eflomal", "--pairs", "50")
    assert found["models"] == {}
    assert found["eflomal"]["pairs"] == 50
    forward, backward, both = found["eflomal"]["readings"].values()
    assert forward["aer"] == both["aer"] == 0
    assert backward["precision"] == 100
    assert backward["recall"] < 50
    assert "grow-diag-final-and" in capsys.readouterr().out
    stub.write_text("#!/bin/sh\nexit 3\n")
    monkeypatch.setattr(bench.alignment, "made", lambda *_: iter(()))
    again = run(bench, monkeypatch, data, "--only", "rnn", "--pairs", "50")
    assert again["eflomal"] == found["eflomal"]  # left out, so it keeps its figures
    other = run(bench, monkeypatch, data, "--only", "rnn", "--pairs", "60")
    assert other["eflomal"] == {}  # those were of other pairs
    failed = run(bench, monkeypatch, data, "--only", "eflomal", "--pairs", "50")
    assert failed["eflomal"].keys() == {"missing"}
    assert "exit code 3" in failed["eflomal"]["missing"]


def test_a_peer_that_is_not_to_be_had_is_told(bench, data, monkeypatch, capsys):
    def make(_):
        raise bench.peer.PeerMissing("eflomal is not to be had: pip fails.\nmuch more")

    monkeypatch.setattr(bench.peer, "ENVIRONMENT", SimpleNamespace(make=make))
    found = run(bench, monkeypatch, data, "--only", "eflomal")
    assert found["eflomal"] == {"missing": "eflomal is not to be had: pip fails."}
    assert "eflomal takes no part" in capsys.readouterr().out


SMALL = {"family": "transformer", "width": 16, "feedforward": 16, "heads": 2, "dropout": 0.0}
DEPTHS = {"encoder_layers": 1, "decoder_layers": 2}


def test_from_files_to_figures(bench, data, monkeypatch, capsys, tmp_path):
    sizes = {**SMALL, **DEPTHS}
    rnn = {**bench.models.SECTIONS["rnn"], "embedding": 8, "width": 8}
    sections = {"transformer": sizes, "reverse": sizes, "rnn": rnn}
    monkeypatch.setattr(bench.models, "SECTIONS", sections)
    arguments = ("--minutes", "0.002", "--pairs", "100", "--only", "reverse", "transformer", "rnn")
    found = run(bench, monkeypatch, data, *arguments)
    told = capsys.readouterr().out
    counts = {name: len(model["ways"]) for name, model in found["models"].items()}
    assert counts == {"reverse": 12, "transformer": 12, "rnn": 2}  # 2 layers of 2 heads and means
    assert {len(model["readings"]) for model in found["models"].values()} == {2, 4}
    assert len(found["defaults"]) == 4
    assert found["diagonal"]["aer"] > 60
    assert "transformer best layer: layer " in " ".join(told.split())
    [present] = [line for line in told.splitlines() if line.endswith("the present one")]
    assert present.startswith("layer 2 from the end")
    marked = [
        r for r in found["defaults"] if (r["layer from the end"], r["when"]) == (2, "written")
    ]
    assert present.split()[-4] == f"{marked[0]['aer']:.2f}"
    default = found["models"]["transformer"]["readings"]["default, without gold"]
    assert default["how"] == "layer 0, mean of the heads, when written"

    folder = next((tmp_path / "work").glob("*/transformer-*"))
    pairs = bench.text.GOLD_SETS["enfr"].read(data)
    record = align(Translator.load(folder, device="cpu"), pairs)
    for way in found["models"]["transformer"]["ways"]:
        head = "mean of the heads" if way["head"] is None else f"head {way['head']}"
        name = f"layer {way['layer']}, {head}, when {way['when']}"
        assert way["aer"] == round(record.figures[name].aer, 2)

    weights = folder / "model.safetensors"
    before = weights.stat().st_mtime_ns
    again = run(bench, monkeypatch, data, *arguments[:-3], "rnn")
    assert weights.stat().st_mtime_ns == before  # not trained again, and measured all the same
    assert again["models"] == found["models"]


def test_models_that_are_given(bench, data, monkeypatch, capsys, tmp_path):
    monkeypatch.setattr(bench.models, "SECTIONS", {"reverse": {**SMALL, **DEPTHS}})
    first = run(
        bench, monkeypatch, data, "--minutes", "0.0001", "--pairs", "50", "--only", "reverse"
    )
    [folder] = (tmp_path / "work").glob("*/reverse-*")
    monkeypatch.setattr(bench.alignment, "WORK", tmp_path / "elsewhere")
    arguments = ("--only", "eflomal", "--model", str(folder), "--reverse", str(folder))
    monkeypatch.setattr(bench.alignment, "statistical", lambda *_: {})
    with pytest.raises(SystemExit) as stopped:
        run(bench, monkeypatch, data, *arguments)
    assert stopped.value.code == 2
    assert f"{folder} translates fr to en; expected en to fr." in capsys.readouterr().err
    monkeypatch.setattr(bench.alignment, "check_languages", lambda *_: None)
    found = run(bench, monkeypatch, data, *arguments)
    assert list(found["models"]) == ["reverse", "given"]
    assert found["models"]["reverse"]["ways"] == first["models"]["reverse"]["ways"]
    assert len(found["models"]["given"]["readings"]) == 4


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--gold-set", "zhen"), "no align/zhen.zh in"),
        (("--gold-set", "deen"), "invalid choice: 'deen'"),
        (("--only", "fast_align"), "invalid choice: 'fast_align'"),
        (("--model", "nowhere"), "nowhere"),
    ],
)
def test_what_cannot_be_done_is_told(bench, data, monkeypatch, capsys, arguments, message):
    with pytest.raises(SystemExit) as stopped:
        run(bench, monkeypatch, data, "--only", "rnn", *arguments)
    assert stopped.value.code == 2
    assert message in capsys.readouterr().err
    assert not bench.alignment.RESULTS.exists()


def test_gold_without_training_pairs_needs_a_model(bench, real_data, monkeypatch, capsys):
    with pytest.raises(SystemExit) as stopped:
        run(bench, monkeypatch, real_data, "--gold-set", "zhen")
    assert stopped.value.code == 2
    assert "zhen comes without training pairs; name a model with --model" in capsys.readouterr().err
