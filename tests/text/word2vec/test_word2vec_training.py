from __future__ import annotations

import random
import re
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from seqloom.errors import (
    CorpusError,
    DeviceError,
    MissingExtraError,
    RecipeError,
    TrainingError,
    VectorsError,
)
from seqloom.recipe.vectors import VectorsRecipe, vectors_recipe
from seqloom.text.vectors import WordVectors
from seqloom.text.word2vec import train_vectors

CLUSTERS = [
    "cat dog cow hen pig fox",
    "red blue green pink grey teal",
    "one two three four five six",
]


@pytest.fixture(scope="module")
def planted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Lines that take their words from one cluster each."""
    draw = random.Random(0)
    path = tmp_path_factory.mktemp("planted") / "text.txt"
    lines = [" ".join(draw.choices(draw.choice(CLUSTERS).split(), k=8)) for _ in range(1500)]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def recipe_of(**fields: Any) -> VectorsRecipe:
    given = {"width": 16, "window": 3, "subsample": 0, "epochs": 3, "learning_rate": 0.05}
    return VectorsRecipe(**{**given, "workers": 1, "buckets": 500, **fields})


def share_of_right_neighbours(vectors: WordVectors) -> float:
    right = [
        other in cluster.split()
        for cluster in CLUSTERS
        for word in cluster.split()
        for other, _ in vectors.neighbours(word, 5)
    ]
    return sum(right) / len(right)


@pytest.mark.parametrize("subwords", [False, True])
@pytest.mark.parametrize("objective", ["negative", "hierarchical", "softmax"])
@pytest.mark.parametrize("architecture", ["skipgram", "cbow"])
def test_neighbours_are_those_of_the_planted_cluster(
    planted: Path, architecture: str, objective: str, subwords: bool
) -> None:
    recipe = recipe_of(architecture=architecture, objective=objective, subwords=subwords)
    recipe = recipe.model_copy(update={"batch": 32})
    assert share_of_right_neighbours(train_vectors([planted], recipe, device="cpu")) == 1


@pytest.mark.parametrize("objective", ["negative", "hierarchical", "softmax"])
def test_one_worker_gives_the_same_vectors_bit_by_bit(planted: Path, objective: str) -> None:
    recipe = recipe_of(objective=objective, subsample=1e-2, epochs=1)
    first, again = (train_vectors([planted], recipe, device="cpu") for _ in range(2))
    other = train_vectors([planted], recipe.model_copy(update={"seed": 2}), device="cpu")
    assert first.words == again.words
    assert first.matrix.tobytes() == again.matrix.tobytes()
    assert not np.allclose(first.matrix, other.matrix)


def test_many_workers_learn_the_same(planted: Path) -> None:
    vectors = train_vectors([planted], recipe_of(workers=4), device="cpu")
    assert share_of_right_neighbours(vectors) == 1


def test_the_batched_way_learns_what_the_threads_learn(planted: Path) -> None:
    """What a GPU does, on the processor."""
    import torch

    from seqloom.text.word2vec.batched import Batched
    from seqloom.text.word2vec.encoded import encode
    from seqloom.text.word2vec.vocabulary import vocabulary_of
    from seqloom.text.words import WordRule

    text = encode([planted], WordRule(), planted.with_suffix(".numbers"), lambda *told: None)
    words = vocabulary_of(text, 1)
    for objective in ("negative", "hierarchical"):
        learner = Batched(words, recipe_of(objective=objective, batch=64), torch.device("cpu"))
        for epoch in range(8):
            for number, chunk in enumerate(text.chunks(2000, words.mapping)):
                learner.learn(chunk, 0.05, 1000 * epoch + number)
        vectors = WordVectors(words.words, learner.vectors())
        assert share_of_right_neighbours(vectors) > 0.95


def test_subwords_give_unknown_words_a_vector(tmp_path: Path) -> None:
    draw = random.Random(1)
    stems = {"walk": "go move", "sing": "hear song"}
    lines = [
        f"{stem}{draw.choice(['ing', 'ed', 's'])} {draw.choice(around.split())} {stem} {around}"
        for stem, around in stems.items()
        for _ in range(400)
    ]
    draw.shuffle(lines)
    (tmp_path / "text.txt").write_text("\n".join(lines), encoding="utf-8")
    recipe = recipe_of(subwords=True, shortest_ngram=3, longest_ngram=5, epochs=8)
    vectors = train_vectors([tmp_path / "text.txt"], recipe, device="cpu")
    assert "walker" not in vectors
    near = [word for word, _ in vectors.neighbours("walker", 3)]
    assert all(word.startswith("walk") or word in ("go", "move") for word in near)


def test_phrases_become_words(tmp_path: Path) -> None:
    draw = random.Random(2)
    filler = [f"w{number}" for number in range(40)]
    lines = [
        " ".join([*draw.choices(filler, k=3), "new", "york", draw.choice(filler)])
        for _ in range(30)
    ]
    lines += [" ".join(draw.choices(filler, k=6)) for _ in range(200)]
    (tmp_path / "text.txt").write_text("\n".join(lines), encoding="utf-8")
    recipe = recipe_of(phrases=1, phrase_threshold=5, epochs=1)
    assert "new_york" in train_vectors([tmp_path / "text.txt"], recipe, device="cpu")


def test_the_origin_tells_how_the_vectors_came_about(planted: Path) -> None:
    seen: list[tuple[str, int, int | None]] = []
    told: list[str] = []
    recipe = recipe_of(epochs=2)
    vectors = train_vectors(
        [planted], recipe, device="cpu", progress=lambda *s: seen.append(s), tell=told.append
    )
    assert vectors.origin["text"] == {"words": 12000, "lines": 1500}
    assert vectors.origin["epochs"] == 2
    assert VectorsRecipe.model_validate(vectors.origin["recipe"]) == recipe
    assert ("words learnt", 0, 24000) in seen
    assert seen[-1] == ("words learnt", 24000, 24000)
    assert any("18 different ones" in line for line in told)
    assert vectors.counts is not None
    assert vectors.counts.sum() == 12000


def test_training_stops_when_it_gets_no_better_and_keeps_the_best(planted: Path) -> None:
    figures = iter([9.0, 1.0, 3.0, 2.0, 2.5, 9.0])  # the first of vectors that learnt nothing yet
    seen: list[WordVectors] = []

    def score(vectors: WordVectors) -> float:
        seen.append(vectors)
        return next(figures)

    recipe = recipe_of(epochs=5, patience=2)
    found = train_vectors([planted], recipe, score=score, device="cpu")
    assert found.origin["scores"] == [1.0, 3.0, 2.0, 2.5]
    assert found is seen[2]


def test_sets_that_do_not_fit_are_refused_before_the_training(planted: Path) -> None:
    stages: list[str] = []

    def score(vectors: WordVectors) -> float:
        raise VectorsError("no score")

    with pytest.raises(VectorsError, match="no score"):
        train_vectors(
            [planted],
            recipe_of(),
            score=score,
            device="cpu",
            progress=lambda *s: stages.append(s[0]),
        )
    assert set(stages) == {"reading"}


def test_a_device_that_is_not_there_is_refused_before_the_text_is_read(tmp_path: Path) -> None:
    with pytest.raises(DeviceError, match="gpu7"):
        train_vectors([tmp_path / "nowhere.txt"], recipe_of(), device="gpu7")


def test_an_interrupted_training_returns_what_it_has(planted: Path) -> None:
    seen: list[WordVectors] = []

    def interrupt(vectors: WordVectors) -> float:
        seen.append(vectors)
        if len(seen) > 1:
            raise KeyboardInterrupt
        return 0.0

    found = train_vectors([planted], recipe_of(epochs=9, workers=2), score=interrupt, device="cpu")
    assert found.origin["interrupted"]
    assert found.origin["epochs"] == 1
    assert share_of_right_neighbours(found) > 0.5


@pytest.mark.parametrize("objective", ["negative", "softmax"])
def test_a_diverged_training_says_so(planted: Path, objective: str) -> None:
    recipe = recipe_of(learning_rate=1e30, objective=objective, epochs=3)
    with pytest.raises(TrainingError, match=r"no longer finite .* learning_rate"):
        train_vectors([planted], recipe, device="cpu")


def test_rare_words_only(planted: Path) -> None:
    with pytest.raises(VectorsError, match=r"no word occurs 100,000 times \(--min-count\)"):
        train_vectors([planted], recipe_of(min_count=100_000), device="cpu")


def test_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match="nowhere"):
        train_vectors([tmp_path / "nowhere.txt"], recipe_of(), device="cpu")


def test_without_the_compiler_the_install_command_is_told(
    planted: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in [name for name in sys.modules if name.startswith("seqloom.text.word2vec.")]:
        if re.search(r"threads|passes|rows|drawing|machine", name):
            monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "numba", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'seqloom\[vectors\]'"):
        train_vectors([planted], recipe_of(), device="cpu")


def test_nothing_is_left_of_the_copy_in_numbers(planted: Path, tmp_path: Path) -> None:
    train_vectors([planted], recipe_of(epochs=1), scratch=tmp_path, device="cpu")
    assert list(tmp_path.iterdir()) == []


def test_settings_of_the_command_line() -> None:
    recipe = vectors_recipe({"width": 50}, ["noise_power=0.5", "lowercase=false", "split=spaces"])
    assert (recipe.width, recipe.noise_power) == (50, 0.5)
    assert (recipe.lowercase, recipe.split) == (False, "spaces")


def test_wrong_settings_are_told_all_at_once() -> None:
    with pytest.raises(RecipeError) as caught:
        vectors_recipe({"width": 0}, ["widow=5", "epochs", "negatives=many"])
    message = str(caught.value)
    assert "4 problems" in message
    assert "widow: unknown field; did you mean window?" in message
    assert "--set epochs: expected field=value" in message
    assert "width: input should be greater than or equal to 1 (given: 0)" in message
    assert "negatives: " in message


def test_cbow_begins_with_twice_the_rate_of_skipgram() -> None:
    assert VectorsRecipe().first_rate == 0.025
    assert VectorsRecipe(architecture="cbow").first_rate == 0.05
    assert VectorsRecipe(architecture="cbow", learning_rate=0.01).first_rate == 0.01


def test_bounds_the_wrong_way_round() -> None:
    with pytest.raises(RecipeError) as caught:
        vectors_recipe({"shortest_ngram": 5, "longest_ngram": 4, "final_rate": 0.5})
    assert "longest_ngram: 4 is less than shortest_ngram, 5" in str(caught.value)
    assert "final_rate: 0.5 is more than learning_rate, 0.025" in str(caught.value)
