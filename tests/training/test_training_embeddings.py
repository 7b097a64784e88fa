"""Embeddings that begin with word vectors: their shape, what stays as it was, and whole runs."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from test_training_distributed import finish, processes, values
from torch import Tensor
from training_toys import RNN, TRANSFORMER, Watcher, assert_same, everything, recipe_of

from seqloom.corpus.toy import LETTERS, reverse_corpus
from seqloom.errors import FolderError, VectorsError
from seqloom.models import EncoderDecoder, build_model
from seqloom.recipe import RecurrentRecipe, TrainingRecipe, TransformerRecipe, recipe_from
from seqloom.tensors import load_tensors
from seqloom.text.piece_vectors import WAYS, PieceVectors
from seqloom.text.prepare import load_prepared
from seqloom.text.tokenizer import Tokenizer, Tokenizers
from seqloom.text.vectors import WordVectors
from seqloom.training.embeddings import Start, began_with, check_vectors, find_start, shaped
from seqloom.training.loop import Trainer
from seqloom.training.progress import Progress
from seqloom.workflow import train

V, D = 40, 16


def random_rows(rows: int, width: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(2.0, 0.3, (rows, width)).astype(np.float32)


def save(folder: Path, words: str | list[str] = LETTERS, width: int = 16, seed: int = 0) -> str:
    """The folder of some random vectors."""
    WordVectors(list(words), random_rows(len(words), width, seed)).save(folder)
    return str(folder)


# --- shape --------------------------------------------------------------------------------------


def test_rows_are_centred_and_of_one_size() -> None:
    rows = random_rows(30, 8)
    found, kept = shaped(rows, 8)
    centred = rows - rows.mean(axis=0)
    assert kept == 1.0
    assert np.sqrt(np.square(found).mean(axis=1)) == pytest.approx(np.ones(30))
    expected = centred / np.sqrt(np.square(centred).mean(axis=1, keepdims=True))
    assert found == pytest.approx(expected, abs=1e-5)
    assert shaped(rows + 7, 8)[0] == pytest.approx(found, abs=1e-4)


def test_wide_rows_are_reduced_to_what_varies_most() -> None:
    """Six points on three axes, with the variances 18, 8 and 2."""
    rows = np.array([[3, 0, 0], [-3, 0, 0], [0, 2, 0], [0, -2, 0], [0, 0, 1], [0, 0, -1]]) + 5.0
    found, kept = shaped(rows, 2)
    one = np.sqrt(2)
    assert kept == pytest.approx(26 / 28)
    expected = [[one, 0], [-one, 0], [0, one], [0, -one], [0, 0], [0, 0]]
    assert found == pytest.approx(np.array(expected), abs=1e-6)


def test_a_reduction_that_loses_nothing_keeps_all_angles() -> None:
    basis, _ = np.linalg.qr(random_rows(40, 3))
    rows = random_rows(50, 3, seed=1) @ basis.T
    found, kept = shaped(rows, 5)
    same, _ = shaped(rows, 40)
    assert kept == pytest.approx(1.0)
    assert found.shape == (50, 5)
    assert found @ found.T / 5 == pytest.approx(same @ same.T / 40, abs=1e-5)


def test_rows_that_cannot_be_centred() -> None:
    alone, _ = shaped(np.array([[3.0, 4.0]]), 2)
    assert alone == pytest.approx(np.array([[3, 4]]) / np.sqrt(12.5))
    equal, kept = shaped(np.ones((4, 3)), 2)
    assert not equal.any()
    assert kept == 0.0


def test_the_directions_do_not_depend_on_the_library(monkeypatch: pytest.MonkeyPatch) -> None:
    """Eigenvectors may point either way; two machines of one run must take the same."""
    rows, eigh = random_rows(20, 6), np.linalg.eigh
    found, _ = shaped(rows, 4)

    def turned(matrix: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        values, vectors = eigh(matrix)
        return values, vectors * np.array([-1, 1, 1, -1, 1, -1])

    monkeypatch.setattr(np.linalg, "eigh", turned)
    assert np.array_equal(shaped(rows, 4)[0], found)


# --- a model's tables ---------------------------------------------------------------------------

FAMILIES = {
    "transformer": lambda tie: TransformerRecipe(
        width=D, feedforward=24, heads=2, encoder_layers=1, decoder_layers=1, tie=tie
    ),
    "rnn": lambda tie: RecurrentRecipe(width=20, embedding=D, tie=tie),
}
NAMES = {
    "transformer": ("encoder.embedder.tokens.weight", "decoder.embedder.tokens.weight"),
    "rnn": ("source.weight", "decoder.tokens.weight"),
}
TIES = ("none", "target", "all")


def model_of(family: str, tie: str) -> EncoderDecoder:
    torch.manual_seed(5)
    return build_model(FAMILIES[family](tie), V, V if tie == "all" else V + 3)


def piece_vectors_of(rows: int, width: int, seed: int) -> PieceVectors:
    """Vectors for every second piece."""
    ways = np.arange(rows) % 2 * 2
    return PieceVectors("x.vec", random_rows(rows, width, seed) * (ways > 0)[:, None], ways)


def state(model: EncoderDecoder) -> dict[str, Tensor]:
    return {name: tensor.clone() for name, tensor in model.state_dict().items()}


def size(rows: Tensor) -> Tensor:
    return rows.square().mean(dim=-1).sqrt()


def check_table(before: Tensor, after: Tensor, found: PieceVectors) -> None:
    """Rows with a vector have it, at the size of the random rows; the others are as they were."""
    width = min(found.matrix.shape[1], D)
    rows, _ = shaped(found.matrix[found.ways > 0], D)
    expected = before.clone()
    expected[found.ways > 0, :width] = torch.from_numpy(rows) * size(before.flatten())
    torch.testing.assert_close(after, expected)
    assert torch.equal(after[found.ways == 0], before[found.ways == 0])
    assert torch.equal(after[:, width:], before[:, width:])


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("tie", TIES)
@pytest.mark.parametrize("width", [5, D, 40])
def test_vectors_fill_the_tables_and_nothing_else(family: str, tie: str, width: int) -> None:
    model = model_of(family, tie)
    before = state(model)
    tables = [table.weight.clone() for table in model.embeddings]
    source = piece_vectors_of(V, width, 1)
    target = source if tie == "all" else piece_vectors_of(V + 3, width, 2)
    lines = Start(source, target).fill(model)
    assert len(lines) == (1 if tie == "all" else 2)
    sides = zip(NAMES[family], tables, (source, target), strict=True)
    for name, old, found in sides:
        check_table(old, model.get_parameter(name), found)
    filled = {id(table.weight) for table in model.embeddings}
    assert len(filled) == (1 if tie == "all" else 2)
    assert (id(model.head.weight) in filled) == (tie != "none")
    for name, parameter in model.named_parameters():
        if id(parameter) not in filled:
            assert torch.equal(parameter, before[name]), name


def test_a_side_without_vectors_stays_as_it_was() -> None:
    model = model_of("transformer", "none")
    source, target = (table.weight.clone() for table in model.embeddings)
    found = piece_vectors_of(V + 3, D, 1)
    (line,) = Start(None, found).fill(model)
    assert line.startswith("target: ")
    assert torch.equal(model.embeddings[0].weight, source)
    check_table(target, model.embeddings[1].weight, found)


def test_a_vector_that_is_the_mean_of_all_leaves_its_row_at_random() -> None:
    matrix = np.zeros((V, D), np.float32)
    matrix[:3] = np.array([[1.0], [3.0], [2.0]])
    found = PieceVectors("x.vec", matrix, np.arange(V) // 3 == 0)
    model = model_of("transformer", "all")
    before = model.embeddings[0].weight.clone()
    Start(found, found).fill(model)
    changed = (model.embeddings[0].weight != before).any(dim=1)
    assert changed.tolist() == [True, True] + [False] * (V - 2)


@pytest.mark.parametrize(
    ("width", "how"),
    [
        (5, r"; they fill 5 of 16 columns\."),
        (16, r"\."),
        (40, r"; 16 of 40 principal components keep [1-9]\d\.\d% of the variance\."),
    ],
)
def test_what_was_done_is_told(width: int, how: str) -> None:
    found = piece_vectors_of(V, width, 1)
    (line,) = Start(found, found).fill(model_of("transformer", "all"))
    summary = "source and target: 20 of 40 pieces have a vector of x.vec (20 by word)"
    assert re.fullmatch(f"{re.escape(summary)}{how}", line)


# --- what a recipe asks for ---------------------------------------------------------------------


def letters_tokenizer(letters: str) -> Tokenizer:
    return Tokenizer.train([" ".join(letters)] * 2, "word", 400, exact=False)


def by_word(found: PieceVectors) -> int:
    return int((found.ways == WAYS.index("by word")).sum())


def test_without_the_fields_nothing_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(place: str, **more: object) -> None:
        raise AssertionError(place)

    monkeypatch.setattr("seqloom.training.embeddings.open_vectors", refuse)
    tokenizer = letters_tokenizer("abc")
    check_vectors({"source_vectors": None, "target_vectors": None})
    assert find_start(TrainingRecipe(), Tokenizers(tokenizer, tokenizer), Progress()) is None


@pytest.mark.parametrize("side", ["source", "target"])
def test_a_shared_vocabulary_takes_the_vectors_of_either_side(side: str, tmp_path: Path) -> None:
    tokenizer = letters_tokenizer("abc")
    recipe = TrainingRecipe(**{f"{side}_vectors": save(tmp_path / "abc", "ab")})
    start = find_start(recipe, Tokenizers(tokenizer, tokenizer), Progress())
    assert start is not None
    assert start.source is start.target
    assert start.source is not None
    assert by_word(start.source) == 2


def test_separate_vocabularies_have_their_own_vectors(tmp_path: Path) -> None:
    both = Tokenizers(letters_tokenizer("abc"), letters_tokenizer("xyz"))
    place = save(tmp_path / "vectors", "abyzx")
    alone = find_start(TrainingRecipe(target_vectors=place), both, Progress())
    assert alone is not None
    assert alone.source is None
    assert alone.target is not None
    one = find_start(TrainingRecipe(source_vectors=place, target_vectors=place), both, Progress())
    assert one is not None
    assert [by_word(side) for side in (one.source, one.target) if side] == [2, 3]


# --- runs ---------------------------------------------------------------------------------------


class StopError(Exception):
    """Ends a run where training would begin."""


def begun(recipe: Any, out: Path, **more: Any) -> Trainer:
    """The trainer of a run, before its first update."""
    caught: list[Trainer] = []

    def fit(trainer: Trainer) -> None:
        caught.append(trainer)
        raise StopError

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("seqloom.training.loop.Trainer.fit", fit)
        with pytest.raises(StopError):
            train(recipe, out, device="cpu", **more)
    return caught[0]


def test_a_run_begins_with_the_vectors(words: Path, tmp_path: Path) -> None:
    place = save(tmp_path / "vectors")
    plain = begun(recipe_of(source=words), tmp_path / "plain")
    watcher = Watcher()
    recipe = recipe_of(source=words, source_vectors=place, ema=0.9)
    trainer = begun(recipe, tmp_path / "out", progress=watcher)
    name = "encoder.embedder.tokens.weight"
    before, after = (dict(each.model.named_parameters()) for each in (plain, trainer))
    assert [key for key in after if not torch.equal(after[key], before[key])] == [name]
    tokenizer = load_prepared(words).tokenizers.source
    rows = [tokenizer.encode(letter)[0] for letter in LETTERS]
    expected = torch.from_numpy(shaped(random_rows(len(LETTERS), 16), 16)[0])
    expected *= size(before[name].flatten())
    torch.testing.assert_close(after[name][rows], expected)
    assert trainer.average is not None
    assert torch.equal(trainer.average.weights[name], after[name])
    assert watcher.messages == [
        f"source and target: 52 of {tokenizer.size} pieces have a vector of {place} "
        "(26 by word, 26 through words)."
    ]
    assert began_with(tmp_path / "out") == watcher.messages
    assert began_with(tmp_path / "plain") == []


@pytest.mark.usefixtures("no_pictures")
@pytest.mark.parametrize("model", [TRANSFORMER, {**RNN, "tie": "all"}], ids=["transformer", "rnn"])
def test_resumed_is_uninterrupted(model: dict[str, Any], words: Path, tmp_path: Path) -> None:
    """Also when the vectors are gone by then."""
    place = save(tmp_path / "vectors", width=9)
    recipe = recipe_of(source=words, model=model, ema=0.9, source_vectors=place)
    train(recipe, tmp_path / "whole", device="cpu")
    out = tmp_path / "broken"
    with pytest.raises(KeyboardInterrupt):
        train(recipe, out, progress=Watcher([3]), device="cpu")
    shutil.rmtree(place)
    train(recipe, out, device="cpu")
    assert_same(everything(out), everything(tmp_path / "whole"))
    (line,) = began_with(out)
    for folder in (out, tmp_path / "whole"):
        card = (folder / "README.md").read_text(encoding="utf-8")
        assert f"It did not begin at random alone:\n\n- {line}\n" in card


@pytest.mark.usefixtures("no_pictures")
def test_a_run_killed_before_its_first_checkpoint_begins_again(words: Path, tmp_path: Path) -> None:
    recipe = recipe_of(source=words, source_vectors=save(tmp_path / "vectors"))
    train(recipe, tmp_path / "whole", device="cpu")

    class Killer(Watcher):
        def update(self, update: int, total: int, loss: float, *rest: object) -> None:
            if update == 2:
                raise StopError

    with pytest.raises(StopError):
        train(recipe, tmp_path / "out", progress=Killer(), device="cpu")
    train(recipe, tmp_path / "out", device="cpu")
    assert_same(everything(tmp_path / "out"), everything(tmp_path / "whole"))


@pytest.mark.usefixtures("no_pictures")
def test_runs_differ_by_their_vectors_alone(words: Path, tmp_path: Path) -> None:
    """Without them a run is what it was; with them another, and a card says so."""
    folders = [tmp_path / name for name in ("plain", "again", "vectors")]
    settings = [{}, {}, {"source_vectors": save(tmp_path / "saved")}]
    for out, more in zip(folders, settings, strict=True):
        train(recipe_of(source=words, updates=2, **more), out, device="cpu")
    plain, again, other = map(everything, folders)
    assert_same(plain, again)
    assert not torch.equal(
        plain["model.encoder.layers.0.feedforward_norm.weight"],
        other["model.encoder.layers.0.feedforward_norm.weight"],
    )
    card = (folders[0] / "README.md").read_text(encoding="utf-8")
    assert "word vectors" not in card
    assert not (folders[0] / "training" / "embeddings.txt").exists()


def test_two_processes_begin_with_the_same(words: Path, tmp_path: Path) -> None:
    """The first one reads the vectors, and tells the other."""
    place = save(tmp_path / "vectors", width=30)
    alone, both = tmp_path / "alone", tmp_path / "both"
    finish(processes(2, values(words, updates=3, source_vectors=place), both))
    recipe = values(words, updates=3, source_vectors=place, accumulation=2)
    train(recipe_from(recipe, "toy"), alone, device="cpu")
    name = "training/checkpoint.safetensors"
    ours, theirs = load_tensors(both / name)[0], load_tensors(alone / name)[0]
    for key in theirs:
        torch.testing.assert_close(ours[key], theirs[key], atol=2e-5, rtol=1e-4)


# --- mistakes -----------------------------------------------------------------------------------


@pytest.mark.parametrize("side", ["source", "target"])
def test_vectors_that_are_not_there_are_told_before_the_corpus_is_prepared(
    side: str, tmp_path: Path
) -> None:
    place = tmp_path / "no.vec"
    recipe = recipe_of(**{f"{side}_vectors": str(place)})
    with pytest.raises(VectorsError) as caught:
        train(recipe, tmp_path / "out", corpus=reverse_corpus(60, 1), device="cpu")
    assert str(caught.value) == (
        f"training.{side}_vectors: there is no file or folder {place}. Name a file of word vectors "
        "(.vec, .txt, .bin), make some with `seqloom vectors train`, or leave the field out."
    )
    assert not (tmp_path / "out").exists()


def test_wrong_vectors_can_be_mended_in_the_same_folder(words: Path, tmp_path: Path) -> None:
    wrong = save(tmp_path / "wrong", ["дом", "мир"])
    with pytest.raises(VectorsError, match=r"wrong: none of the vocabulary's .* дом, мир \.\.\."):
        train(recipe_of(source=words, source_vectors=wrong), tmp_path / "out", device="cpu")
    begun(recipe_of(source=words, source_vectors=save(tmp_path / "right")), tmp_path / "out")


@pytest.mark.usefixtures("no_pictures")
def test_a_run_with_other_vectors_is_another_run(words: Path, tmp_path: Path) -> None:
    out, first, second = tmp_path / "out", save(tmp_path / "first"), save(tmp_path / "second")
    train(recipe_of(source=words, updates=2, source_vectors=first), out, device="cpu")
    for other in (second, None):
        with pytest.raises(FolderError, match=rf"training\.source_vectors: {first} there, {other}"):
            train(recipe_of(source=words, updates=2, source_vectors=other), out, device="cpu")


@pytest.mark.usefixtures("no_pictures")
def test_a_run_from_before_there_were_such_fields_goes_on(words: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    train(recipe_of(source=words, updates=2), out, device="cpu")
    for path in (out / "training" / "request.json", out / "config.json"):
        kept = json.loads(path.read_text(encoding="utf-8"))
        training = (kept.get("recipe") or kept)["training"]
        del training["source_vectors"], training["target_vectors"]
        path.write_text(json.dumps(kept), encoding="utf-8")
    watcher = Watcher()
    train(recipe_of(source=words, updates=3), out, progress=watcher, device="cpu")
    assert watcher.updates == [3]
