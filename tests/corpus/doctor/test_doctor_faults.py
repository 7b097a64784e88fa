"""Precision and recall on planted faults, small; ``benchmarks/doctor.py`` is the large version."""

import importlib

import pytest
from doctor_corpora import sentences

from seqloom.corpus import Corpus, read_corpus


@pytest.fixture
def faults(repository, monkeypatch):
    monkeypatch.syspath_prepend(str(repository / "benchmarks"))
    return importlib.import_module("faults")


def assert_good(scores, shifted=0.9):
    for score in scores:
        if score.exact:
            assert score.recall >= 0.95, score
            assert score.precision >= 0.95, score
    of = {score.kind: score for score in scores}
    assert of["shifted"].recall >= shifted
    assert of["shifted"].precision >= 0.95
    for kind in ("wrong language", "more text on one side"):
        assert of[kind].recall >= 0.9, of[kind]
        assert of[kind].precision >= 0.75, of[kind]


def test_made_up_sentences(faults):
    made = sentences(3300, "en", "de", "fr")
    pairs = [(english, german) for english, german, _ in made]
    foreign = [french for *_, french in made[:300]]
    clean = Corpus.of(pairs[:3000], "made up", "en", "de")
    assert_good(faults.judge(clean, pairs[3000:], foreign, 40))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "target", "third"),
    [
        ("multi30k", "de", "multi30k/val.cs"),
        ("tatoeba-en-ru", "ru", "tatoeba-en-fr/dev.fr"),
        ("tatoeba-en-zh", "zh", "tatoeba-en-fr/dev.fr"),
    ],
)
def test_real_sentences(faults, real_data, name, target, third):
    part = "val" if name == "multi30k" else "dev"
    clean, held_out = (
        read_corpus(real_data / name / f"{of}.en", real_data / name / f"{of}.{target}")
        for of in ("train", part)
    )
    foreign = (real_data / third).read_text(encoding="utf-8").splitlines()
    pairs = [(pair.source, pair.target) for pair in held_out.pairs()]
    assert_good(faults.judge(clean, pairs, foreign, 100))
