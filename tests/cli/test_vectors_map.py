"""``seqloom vectors map`` as users call it, on planted clusters of words."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from command_line import Result, seqloom

from seqloom.inspection.wordmap import WordMap
from seqloom.text.vectors import WordVectors

GROUPS = {"animals": ["cat", "dog", "cow", "кот", "狗"], "foods": ["bread", "milk", "хлеб", "饭"]}
WORDS = [word for group in GROUPS.values() for word in group]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with word vectors in ``vectors``: animals and foods lie apart."""
    chance = np.random.default_rng(0)
    centres = np.repeat(np.eye(2, 8), [len(group) for group in GROUPS.values()], axis=0)
    matrix = centres + 0.1 * chance.standard_normal(centres.shape)
    counts = np.arange(len(WORDS), 0, -1) * 10
    WordVectors(WORDS, matrix, counts).save(tmp_path / "vectors")
    return tmp_path


def mapped(folder: Path, *arguments: object) -> tuple[WordMap, Result]:
    done = seqloom("vectors", "map", "vectors", *arguments, "--out", "map.json", cwd=folder)
    assert (done.code, done.out) == (0, ""), done.err
    return WordMap.from_dict(json.loads((folder / "map.json").read_text(encoding="utf-8"))), done


def refused(folder: Path, *arguments: object) -> str:
    done = seqloom("vectors", "map", *arguments, cwd=folder)
    assert (done.code, done.out) == (2, ""), done
    assert done.err.startswith("seqloom: ") and "Traceback" not in done.err
    assert done.err.count("\n") == 1
    assert not list(folder.glob("map.*"))
    return done.err


def test_page_and_picture_of_all_words(folder: Path) -> None:
    done = seqloom(
        "vectors", "map", "vectors", "--out", "new/map.html", "--out", "new/map.png", cwd=folder
    )
    assert (done.code, done.out) == (0, ""), done.err
    assert "9 words drawn in new/map.html, new/map.png" in done.err.replace("\\", "/")
    page = (folder / "new/map.html").read_text(encoding="utf-8")
    assert all(f"<bdi>{word}</bdi>" in page for word in WORDS)
    assert (folder / "new/map.png").read_bytes().startswith(b"\x89PNG")


def test_a_page_unless_said_otherwise(folder: Path) -> None:
    done = seqloom("vectors", "map", "vectors", "cat", "dog", "milk", cwd=folder)
    assert done.code == 0 and "3 words drawn in map.html" in done.err
    assert (folder / "map.html").is_file()


def test_words_are_given_by_hand_by_list_or_by_nearness(folder: Path) -> None:
    drawn, _ = mapped(folder, "milk", "cat", "饭")
    assert (drawn.words, drawn.ranks) == (["milk", "cat", "饭"], [7, 1, 9])
    lines = [f": {name}\n{' '.join(group)}\n" for name, group in GROUPS.items()]
    (folder / "list.txt").write_text("".join(lines), encoding="utf-8")
    drawn, _ = mapped(folder, "--words", "list.txt")
    assert drawn.words == WORDS
    assert drawn.sections == ["animals"] * 5 + ["foods"] * 4
    (folder / "some.txt").write_text("dog\n", encoding="utf-8")
    (folder / "more.txt").write_text("milk bread dog\n", encoding="utf-8")
    drawn, _ = mapped(folder, "--words", "some.txt", "--words", "more.txt")
    assert dict(zip(drawn.words, drawn.sections, strict=True)) == {
        "dog": "some", "milk": "more", "bread": "more"
    }  # fmt: skip
    drawn, _ = mapped(folder, "--around", "cat", "--around", "milk", "--number", 8)
    assert set(drawn.words) <= set(WORDS) and len(drawn.words) == 8
    for word, section in zip(drawn.words, drawn.sections, strict=True):
        assert section == ("cat" if word in GROUPS["animals"] else "milk")
    drawn, _ = mapped(folder, "--number", 4)
    assert drawn.words == WORDS[:4]


@pytest.mark.parametrize("method", ["pca", "tsne"])
def test_animals_and_foods_lie_apart(folder: Path, method: str) -> None:
    drawn, _ = mapped(folder, "--method", method)
    animals, foods = drawn.points[:5], drawn.points[5:]
    assert drawn.method == method
    apart = np.linalg.norm(animals.mean(axis=0) - foods.mean(axis=0))
    assert apart > max(np.linalg.norm(part - part.mean(axis=0), axis=1).max()
                       for part in (animals, foods))  # fmt: skip


def test_a_seed_is_kept(folder: Path) -> None:
    first, second, other = (
        mapped(folder, "--method", "tsne", "--seed", seed)[0] for seed in (3, 3, 4)
    )
    assert first.as_dict() == second.as_dict() and first.quality["seed"] == 3
    assert first.points.tolist() != other.points.tolist()


def test_a_file_of_vectors_will_do(folder: Path) -> None:
    lines = ["4 2", "a 1 0.1", "b 0.9 0.2", "c 0 1", "d 0.1 0.9"]
    (folder / "small.vec").write_text("\n".join(lines) + "\n", encoding="utf-8")
    done = seqloom("vectors", "map", "small.vec", "--out", "map.json", cwd=folder)
    assert done.code == 0, done.err
    record = json.loads((folder / "map.json").read_text(encoding="utf-8"))
    assert (record["words"], record["ranks"]) == (["a", "b", "c", "d"], [])


def test_unknown_words_are_left_out_and_named(folder: Path) -> None:
    drawn, done = mapped(folder, "cat", "Katze", "dog", "cow", "chien")
    assert drawn.words == ["cat", "dog", "cow"]
    assert drawn.unknown == ["Katze", "chien"]
    assert "left out, since they have no vector: Katze, chien\n" in done.err


def test_mistakes_are_told_in_one_line(folder: Path) -> None:
    told = refused(folder, "vectors", "cat", "Katze", "dog", "chien")
    assert "2 of those given have a vector; not among them: Katze, chien." in told
    (folder / "list.txt").write_text(": nothing\n", encoding="utf-8")
    assert "0 of those given have a vector." in refused(folder, "vectors", "--words", "list.txt")
    assert "no such file" in refused(folder, "vectors", "--words", "none.txt")
    assert "'Katze' is not among the 9 words" in refused(folder, "vectors", "--around", "Katze")
    told = refused(folder, "vectors", "--out", "map.html", "--out", "map.gif")
    assert "map.gif: the name of a word map ends in .html, .json, .png" in told
    told = refused(folder, "vectors", "--method", "umap")
    assert "unknown method 'umap'; expected pca or tsne" in told
    told = refused(folder, "vectors", "cat", "dog", "cow", "--number", 4)
    assert "--number: all the words that were given are drawn" in told
    assert "--seed: for --method tsne only" in refused(folder, "vectors", "--seed", 4)
    (folder / "empty").mkdir()
    assert "empty: there is no vectors.json in it" in refused(folder, "empty")
    assert "nowhere" in refused(folder, "nowhere")
