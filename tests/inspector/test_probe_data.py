"""What probes are asked: labels, control tasks, baselines, and what cannot be asked."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from seqloom.corpus.tagged import TaggedSentences
from seqloom.errors import CorpusError
from seqloom.inspector.probe_data import ask
from seqloom.inspector.subject import Readable

NOUNS = [f"thing{n}" for n in range(40)]


def treebank(path: Path, sentences: int = 400, seed: int = 0) -> Path:
    """Sentences `the NOUN VERB` with two to nine words; ``was`` is an AUX or a VERB."""
    chance = np.random.default_rng(seed)
    lines = list[str]()
    for _ in range(sentences):
        words = [("The", "DET"), (str(chance.choice(NOUNS)), "NOUN")]
        words.append(("was", str(chance.choice(["AUX", "AUX", "VERB"]))))
        words += [("very", "ADV")] * int(chance.integers(0, 7))
        lines += [
            f"{n}\t{word}\t_\t{tag}\t_\t_\t{max(n - 1, 0)}\tdep\t_\t_"
            for n, (word, tag) in enumerate(words, start=1)
        ]
        lines.append("")
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


@pytest.fixture
def bank(tmp_path: Path) -> Path:
    return treebank(tmp_path / "a.conllu")


def test_words_and_their_tags(bank: Path) -> None:
    asked = ask("upos", bank, examples=500)
    assert asked.classes == ["ADV", "AUX", "DET", "NOUN", "VERB"]
    sizes = len(asked.train), len(asked.validation), len(asked.test)
    assert 480 <= sizes[0] <= 500 and 80 <= sizes[1] <= 100 and 230 <= sizes[2] <= 250
    part = asked.train
    assert part.keys[:2] == [word.lower() for word in part.sentences[0].words[:2]]
    assert part.labels[0] == "DET"
    numbers = asked.numbers(part)
    assert [asked.classes[n] for n in numbers] == part.labels
    assert part.groups.tolist() == [
        n for n, sentence in enumerate(part.sentences) for _ in sentence.words
    ]
    texts = [{each.place for each in some.sentences} for some in
             (asked.train, asked.validation, asked.test)]  # fmt: skip
    assert not texts[0] & texts[1] and not texts[0] & texts[2] and not texts[1] & texts[2]


def test_baselines(bank: Path) -> None:
    asked = ask("upos", bank, examples=500)
    labels, keys = asked.test.labels, asked.test.keys
    common = Counter(asked.train.labels).most_common(1)[0][0]
    auxiliaries = sum(tag == "VERB" for tag in labels)  # all else follows from the word
    unseen = sum(key not in asked.train.keys and common != tag
                 for key, tag in zip(keys, labels, strict=True))  # fmt: skip
    first, second = asked.baselines.values()
    assert first == pytest.approx(100 * labels.count(common) / len(labels))
    assert second == pytest.approx(100 * (1 - (auxiliaries + unseen) / len(labels)))


def test_a_control_task_follows_words_and_the_frequencies_of_labels(bank: Path) -> None:
    asked = ask("upos", bank, examples=1500)
    parts = asked.train, asked.validation, asked.test
    by_key = dict[str, int]()
    for part, labels in zip(parts, asked.control(3), strict=True):
        assert labels.shape == (len(part),)
        for key, label in zip(part.keys, labels.tolist(), strict=True):
            assert by_key.setdefault(key, label) == label
    assert asked.control(3)[0].tolist() == asked.control(3)[0].tolist()
    drawn = [asked.control(seed)[0] for seed in range(40)]
    assert any((each != drawn[0]).any() for each in drawn)
    words = sorted(by_key)
    index = {word: asked.train.keys.index(word) for word in words if word in asked.train.keys}
    found = Counter(int(each[place]) for each in drawn for place in index.values())
    share = Counter(asked.numbers(asked.train).tolist())
    for label, number in share.items():
        expected = number / len(asked.train)
        assert found[label] / sum(found.values()) == pytest.approx(expected, abs=0.05)


def test_lengths_in_ranges_of_like_size(bank: Path) -> None:
    asked = ask("length", bank, examples=200)
    assert asked.train.whole
    assert len(asked.train) == 200
    counts = Counter(asked.train.labels)
    assert 4 <= len(counts) <= 6
    for label, sentence in zip(asked.test.labels, asked.test.sentences, strict=True):
        number, words = int(label.split()[0]), len(sentence.words)
        shorter = [len(each.words) for name, each in
                   zip(asked.train.labels, asked.train.sentences, strict=True)
                   if int(name.split()[0]) < number]  # fmt: skip
        assert words > max(shorter, default=0)
    assert asked.train.keys[0] == "the"
    assert asked.train.groups.tolist() == list(range(200))


def test_words_that_sentences_hold(tmp_path: Path) -> None:
    chance = np.random.default_rng(0)
    common = [f"c{chr(97 + n // 26)}{chr(97 + n % 26)}" for n in range(100)]
    rare = [f"r{chr(97 + n // 26)}{chr(97 + n % 26)}" for n in range(8)]
    lines = list[str]()
    for _ in range(900):
        words = [*chance.choice(common, 40), *chance.choice(rare, int(chance.integers(0, 3)))]
        lines += [f"{word} X" for word in words] + [""]
    (tmp_path / "a.txt").write_text("\n".join(lines) + "\n")
    asked = ask("word", tmp_path / "a.txt", examples=400)
    assert asked.classes == rare
    for label, sentence in zip(asked.train.labels, asked.train.sentences, strict=True):
        assert [word for word in set(sentence.words) if word in rare] == [label]


def test_notes_of_the_files_come_with_the_question(bank: Path, tmp_path: Path) -> None:
    def half(found: TaggedSentences) -> Readable:
        return Readable(found.sentences[::2], [f"{len(found) // 2} of {found.name} left out"])

    asked = ask("upos", bank, examples=10_000, readable=half)
    assert asked.notes == [f"200 of {bank} left out"]
    assert len(asked.train.sentences) + len(asked.validation.sentences) == 160
    other = treebank(tmp_path / "b.conllu", 40, seed=5)
    assert len(ask("upos", bank, other, examples=10_000, readable=half).notes) >= 2
    with pytest.raises(CorpusError, match=r"Give more sentences\. \(10 of .* left out\)"):
        ask("upos", treebank(tmp_path / "c.conllu", 20), examples=10_000, readable=half)


def test_what_is_learned_from_is_not_measured_on(bank: Path, tmp_path: Path) -> None:
    (tmp_path / "link.conllu").symlink_to(bank)
    for same in (bank, tmp_path / "link.conllu"):
        with pytest.raises(CorpusError, match=r"is the file of --treebank.* leave --test out"):
            ask("upos", bank, same, examples=500)
    other = tmp_path / "b.conllu"
    odd = "1\tOdd\t_\tADJ\t_\t_\t0\troot\t_\t_\n\n"
    first, second = bank.read_text().split("\n\n")[:2]
    other.write_text(f"{first}\n\n{second}\n\n" + odd * 60)
    assert ask("upos", bank, other, examples=500).notes == [
        f"2 of 62 sentences of {other} stand in {bank}, too: what is measured on them may have "
        "been learned by heart"
    ]


@pytest.mark.parametrize("name", ["upos", "length"])
def test_where_examples_are_the_cause(bank: Path, name: str) -> None:
    with pytest.raises(CorpusError, match=r"to stop by.* Raise --examples, which leaves the"):
        ask(name, bank, examples=60)


def test_names_of_what_is_asked(bank: Path, tmp_path: Path) -> None:
    assert ask(None, bank, examples=500).name == "upos"
    rows = [f"w{n % 7} X{n % 3} Y{n % 4}" + "\n" * (1 + (n % 9 in (2, 8))) for n in range(1400)]
    (tmp_path / "w.txt").write_text("-DOCSTART- O O\n\n" + "".join(rows))
    asked = {name: ask(name, tmp_path / "w.txt", examples=300) for name in (None, "1", "length")}
    assert [each.name for each in asked.values()] == ["column 2", "column 1", "length"]
    assert [len(each.classes) for each in asked.values()][:2] == [4, 3]


@pytest.mark.parametrize(
    ("name", "sentences", "told"),
    [
        ("xpos", 40, "the column xpos is empty"),
        ("deprel", 40, "all have the deprel 'dep'"),
        ("upos", 5, "examples are left to stop by; expected 20 or more"),
        ("upos", 1, "at least two a class"),
        ("length", 3, "needs"),
        ("feats:Case", 40, "'Case'"),
        ("colour", 40, "no column 'colour'.*Or ask for length, word or tree"),
    ],
)
def test_what_cannot_be_asked(tmp_path: Path, name: str, sentences: int, told: str) -> None:
    with pytest.raises(CorpusError, match=told):
        ask(name, treebank(tmp_path / "a.conllu", sentences), examples=1000)
