"""``benchmarks/alignment.py``, small: its text, its choices, and a run from files to figures."""

from __future__ import annotations

import importlib
import json
import random
import stat
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from seqloom.corpus.alignments import AlignedPairs, Gold
from seqloom.inspector.align import align
from seqloom.text.tokenizer import Tokenizer
from seqloom.translator import Translator

NAMES = ("alignment", "text", "models", "figures", "peer")
WORDS = {
    "the": "le", "dog": "chien", "cat": "chat", "sees": "voit", "eats": "mange", "red": "rouge",
    "house": "maison", "a": "un", "not": "pas", "big": "grand", "and": "et", "bread": "pain",
}  # fmt: skip


@pytest.fixture
def bench(repository, monkeypatch, tmp_path):
    """The modules of the benchmark, which writes below a temporary folder."""
    monkeypatch.syspath_prepend(str(repository / "benchmarks"))
    parts = [name if name == "alignment" else f"alignment_{name}" for name in NAMES]
    found = SimpleNamespace(**dict(zip(NAMES, map(importlib.import_module, parts), strict=True)))
    results = tmp_path / "results.json"
    monkeypatch.setattr(found.alignment, "WORK", tmp_path / "work")
    monkeypatch.setattr(found.alignment, "RESULTS", results)
    monkeypatch.setattr(
        found.alignment, "write_results", lambda _, values: results.write_text(json.dumps(values))
    )
    monkeypatch.setattr(found.peer, "FOLDER", tmp_path)
    monkeypatch.setattr(found.models, "VALIDATIONS", 1)
    monkeypatch.setattr(found.models, "VOCABULARY", None)  # as many as so small a text gives
    monkeypatch.setattr("seqloom.training.loop.draw_curves", lambda _: None)  # slow
    return found


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


@pytest.mark.parametrize(
    ("language", "line", "expected"),
    [
        ("en", "I don't know; they can't!", "i do not know ; they can not !"),
        ("en", "A well-known man - he won't.", "a well - known man - he will not ."),
        ("fr", "L’ami n'a qu'à venir.", "le ami ne a que à venir ."),
        ("fr", "Du thé au lait, des fois !", "de le thé à le lait , de les fois !"),
        ("fr", "Est-ce dû ?", "est - ce dû ?"),
    ],
)
def test_text_is_written_as_the_gold_is(bench, language, line, expected):
    assert list(bench.text.tokenised([line], language)) == [expected]


@pytest.mark.parametrize("language", ["en", "fr"])
def test_the_gold_itself_stays_as_it_is(bench, real_data, language):
    lines = (real_data / "align" / f"enfr.{language}").read_text(encoding="utf-8").splitlines()
    words = [" ".join(line.lower().split()) for line in lines]
    assert list(bench.text.tokenised(lines, language)) == words


def test_the_sets_of_gold_can_be_read(bench, real_data):
    for gold_set in bench.text.GOLD_SETS.values():
        pairs = gold_set.read(real_data)
        assert pairs.judged
        assert len(pairs) >= 40
        rates = bench.figures.baseline(pairs)
        assert rates["aer"] < 90, gold_set  # from a wrong base, or sides changed over: worse


def test_some_lines_stand_for_all(bench):
    lines = [str(number) for number in range(10)]
    assert bench.text.spread(lines, 3) == ["0", "3", "6"]
    assert bench.text.spread(lines, 99) == bench.text.spread(lines, None) == lines


def test_lines_of_one_to_three_pairs_and_of_the_gold(bench):
    pairs = [(f"e{n}", f"f{n}") for n in range(200)]
    lines = bench.text.joined(pairs, [("gold", "or")])
    words = [tuple(side.split() for side in line) for line in lines]
    learned, beside = words[: -bench.text.GOLD_LINES], words[-bench.text.GOLD_LINES :]
    assert sorted(word for english, _ in learned for word in english) == sorted(e for e, _ in pairs)
    assert {len(english) for english, _ in learned} == {1, 2, 3}
    for english, french in learned:
        assert [word[1:] for word in english] == [word[1:] for word in french]
    assert {english.index("gold") for english, _ in beside} == {0, 1}
    for english, french in beside:
        assert len(english) == 2 and french[english.index("gold")] == "or"


def test_capitals_of_a_vocabulary(bench):
    lower, mixed = (
        Tokenizer.train(texts, "bpe", 400, exact=False, tags=["DE"])
        for texts in (["the dog and the cat"], ["The dog and the Cat"])
    )
    assert not bench.text.knows_capitals(lower)
    assert bench.text.knows_capitals(mixed)


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
    marked = [r for r in found["defaults"] if (r["layer from the end"], r["when"]) == (2, "read")]
    assert present.split()[-4] == f"{marked[0]['aer']:.2f}"
    default = found["models"]["transformer"]["readings"]["default, without gold"]
    assert default["how"] == "layer 0, mean of the heads, when read"

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
