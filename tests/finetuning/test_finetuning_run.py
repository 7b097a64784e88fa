"""Fine-tuning: each task is learned, the right weights move, and a run goes on where it was."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from seqloom.corpus.classes import gather
from seqloom.corpus.labelled_pairs import read_labelled_pairs
from seqloom.encoders import SentenceVectors, TextClassifier, WordTagger
from seqloom.errors import FolderError, RecipeError
from seqloom.finetuning import finetune
from seqloom.language_folder import KINDS, load_language_folder
from seqloom.recipe.finetuning import FinetuneRecipe, HeadRecipe
from seqloom.tensors import load_tensors
from seqloom.training.progress import Progress
from tiny_encoder import (
    TAGS,
    WORDS,
    tiny_encoder,
    write_classes,
    write_pairs,
    write_paraphrases,
    write_tags,
)


class Ear(Progress):
    """Keeps what it is told."""

    def __init__(self) -> None:
        self.said: list[str] = []

    def message(self, text: str) -> None:
        self.said.append(text)


def recipe(**training: Any) -> FinetuneRecipe:
    values = {"updates": 30, "learning_rate": 1e-2, "batch_size": 16, "precision": "float32"}
    return FinetuneRecipe.model_validate(
        {"training": {**values, "validate_every": 15, **training}, "head": {"dropout": 0.0}}
    )


def weights(folder: Path) -> dict[str, Tensor]:
    model = load_language_folder(folder, tuple(KINDS)).model
    return dict(getattr(model, "encoder", model).state_dict())


def changed(before: Path, after: Path) -> set[str]:
    old, new = weights(before), weights(after)
    return {name for name in old if not torch.equal(old[name], new[name])}


def report(folder: Path) -> dict[str, Any]:
    return json.loads((folder / "metrics.json").read_text())


def test_classes_are_learned_and_reported(encoder: Path, tmp_path: Path) -> None:
    train = write_classes(tmp_path / "train.tsv", 90, 1)
    valid = write_classes(tmp_path / "valid.tsv", 30, 2)
    model = finetune(encoder, "classify", train, tmp_path / "m", validation=valid, recipe=recipe())
    assert isinstance(model, TextClassifier)
    assert model.classes == tuple(sorted(WORDS))
    assert model.predict(["goal team", "soup bread", "judge crime"]) == ["sport", "food", "law"]
    assert model.probabilities(["goal"]).sum() == pytest.approx(1)
    found = report(tmp_path / "m")
    assert found["before"]["accuracy"] < 70 < 99 < found["after"]["accuracy"]
    assert found["figures"]["texts"] == 30 and found["data"]["classes"]["law"] == 30
    card = (tmp_path / "m" / "README.md").read_text()
    assert f"| accuracy | {found['before']['accuracy']:.2f} | 100.00 |" in card
    again = TextClassifier.load(tmp_path / "m")
    texts = ["win ball", "salt"]
    assert np.array_equal(again.probabilities(texts), model.probabilities(texts))


def test_dropout_within_the_encoder(encoder: Path, tmp_path: Path) -> None:
    train = write_classes(tmp_path / "train.tsv", 60, 1)
    few = {"updates": 4, "validate_every": 4}
    tuned = {
        rate: finetune(encoder, "classify", train, tmp_path / str(rate),
                       recipe=recipe(**few, dropout=rate))
        for rate in (None, 0.0, 0.5)
    }  # fmt: skip
    own = load_language_folder(encoder).recipe.model
    rates = {
        rate: load_language_folder(tmp_path / str(rate), tuple(KINDS)).recipe.model
        for rate in tuned
    }
    assert rates[None] == own
    assert (rates[0.5].dropout, rates[0.5].attention_dropout) == (0.5, 0.5)
    texts = ["goal team", "soup bread"]
    found = {rate: model.probabilities(texts) for rate, model in tuned.items()}
    assert not np.allclose(found[0.0], found[0.5])
    assert np.array_equal(found[0.5], tuned[0.5].probabilities(texts))  # none when it is used


def test_pairs_are_told_apart(encoder: Path, tmp_path: Path) -> None:
    data = gather(read_labelled_pairs([write_pairs(tmp_path / "pairs.tsv", 240, 1)]))
    model = finetune(
        encoder, "classify", data, tmp_path / "m", recipe=recipe(updates=300, validate_every=50)
    )
    assert isinstance(model, TextClassifier) and model.pairs
    assert report(tmp_path / "m")["after"]["accuracy"] > 85
    assert TextClassifier.load(tmp_path / "m").pairs
    with pytest.raises(Exception, match="was trained on pairs of texts"):
        model.predict(["one"])


def test_tags_are_learned(encoder: Path, tmp_path: Path) -> None:
    train = write_tags(tmp_path / "train.txt", 60, 1)
    model = finetune(encoder, "tag", train, tmp_path / "m", recipe=recipe())
    assert isinstance(model, WordTagger)
    words = ["goal", "soup", "judge"]
    assert model.tag([words, [], ["win"]]) == [[TAGS[w] for w in words], [], ["sport"]]
    assert report(tmp_path / "m")["after"]["accuracy"] == 100
    long = ["goal", "soup"] * 20
    assert [len(tags) for tags in model.tag([long])] == [40]
    assert "split between words" in model.notes[-1]


def test_vectors_find_their_partners(encoder: Path, tmp_path: Path) -> None:
    train = write_paraphrases(tmp_path / "train.tsv", 200, 1)
    model = finetune(encoder, "vectors", train, tmp_path / "m", recipe=recipe())
    assert isinstance(model, SentenceVectors)
    found = report(tmp_path / "m")
    assert found["after"]["loss"] < found["before"]["loss"]
    assert found["after"]["recall"] >= found["before"]["recall"]
    vectors = model.embed(["goal match", "match goal", "soup salt"])
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(1, abs=1e-5)
    assert vectors[0] @ vectors[1] > vectors[0] @ vectors[2]


def test_vectors_of_single_sentences_and_grades(encoder: Path, tmp_path: Path) -> None:
    train = tmp_path / "train.txt"
    train.write_text("".join(f"{a} {b}\n" for a in TAGS for b in ("goal", "soup", "judge")))
    alone = finetune(encoder, "vectors", train, tmp_path / "a", recipe=recipe(updates=5))
    assert isinstance(alone, SentenceVectors)
    assert report(tmp_path / "a")["after"].keys() == {"recall", "loss"}
    graded = tmp_path / "graded.tsv"
    rows = ["goal win\tgoal win\t5", "goal\tsoup\t0", "soup salt\tsoup bowl\t3", "law\tgoal\t1"]
    graded.write_text("text_a\ttext_b\tscore\n" + "".join(f"{row}\n" for row in rows))
    given = gather(read_labelled_pairs([graded]))
    finetune(encoder, "vectors", train, tmp_path / "g", validation=given, recipe=recipe(updates=5))
    assert report(tmp_path / "g")["after"].keys() == {"spearman"}


def test_a_new_layer_alone_leaves_the_encoder_as_it_is(encoder: Path, tmp_path: Path) -> None:
    train = write_classes(tmp_path / "train.tsv", 60, 1)
    finetune(encoder, "classify", train, tmp_path / "m", recipe=recipe(tune="head", updates=90))
    assert changed(encoder, tmp_path / "m") == set()
    found = report(tmp_path / "m")
    assert found["moving"] == 16 * 3 + 3
    assert found["after"]["loss"] < found["before"]["loss"]


def test_the_last_layers_move_alone(encoder: Path, tmp_path: Path) -> None:
    train = write_classes(tmp_path / "train.tsv", 60, 1)
    finetune(encoder, "classify", train, tmp_path / "m", recipe=recipe(tune="last", updates=3))
    moved = changed(encoder, tmp_path / "m")
    assert {name.split(".")[0] for name in moved} == {"layers"}
    assert {name.split(".")[1] for name in moved if name.startswith("layers")} == {"1"}
    parts = [name for name in weights(encoder) if name.startswith("layers.1.")]
    assert moved >= {name for name in parts if not name.endswith("key.bias")}


def test_lora_moves_only_the_matrices_it_stands_beside(encoder: Path, tmp_path: Path) -> None:
    train = write_classes(tmp_path / "train.tsv", 60, 1)
    model = finetune(
        encoder, "classify", train, tmp_path / "m", recipe=recipe(tune="lora", updates=60)
    )
    assert isinstance(model, TextClassifier)
    moved = changed(encoder, tmp_path / "m")
    expected = {
        name
        for name, tensor in weights(encoder).items()
        if name.startswith("layers.") and name.endswith("weight") and tensor.ndim == 2
    }
    assert moved == expected and len(expected) == 12
    ranks = [
        torch.linalg.matrix_rank(weights(tmp_path / "m")[name] - weights(encoder)[name], rtol=1e-4)
        for name in expected
    ]
    assert max(map(int, ranks)) <= 8
    assert report(tmp_path / "m")["after"]["accuracy"] > 90


def test_a_run_goes_on_where_it_was(encoder: Path, tmp_path: Path) -> None:
    train = write_classes(tmp_path / "train.tsv", 60, 1)
    for tune in ("all", "lora"):
        whole, parts = tmp_path / f"whole-{tune}", tmp_path / f"parts-{tune}"
        options = {"tune": tune, "layer_decay": 0.8, "schedule": "constant", "warmup": 0}
        finetune(encoder, "classify", train, whole, recipe=recipe(updates=30, **options))
        finetune(encoder, "classify", train, parts, recipe=recipe(updates=15, **options))
        before = report(parts)["before"]
        finetune(encoder, "classify", train, parts, recipe=recipe(updates=30, **options))
        (one, _), (other, _) = (load_tensors(f / "model.safetensors") for f in (whole, parts))
        assert one.keys() == other.keys()
        assert all(torch.equal(one[name], other[name]) for name in one)
        assert report(parts)["before"] == before == report(whole)["before"]


def test_another_run_is_refused(encoder: Path, tmp_path: Path) -> None:
    train = write_classes(tmp_path / "train.tsv", 60, 1)
    other = write_classes(tmp_path / "other.tsv", 60, 9)
    finetune(encoder, "classify", train, tmp_path / "m", recipe=recipe(updates=2))
    with pytest.raises(FolderError, match=r"holds another run:\n  - data.train"):
        finetune(encoder, "classify", other, tmp_path / "m", recipe=recipe(updates=2))
    with pytest.raises(FolderError, match=r"training.tune: all there, head asked for"):
        finetune(encoder, "classify", train, tmp_path / "m", recipe=recipe(updates=2, tune="head"))


def test_the_old_task_is_measured_and_mixed_in(tmp_path: Path, encoder: Path) -> None:
    train = write_classes(tmp_path / "train.tsv", 90, 1)
    old = tmp_path / "old.txt"
    words = list(TAGS)
    old.write_text("".join(f"{words[n % 15]} {words[(n + 1) % 15]}\n\n" for n in range(200)))
    losses = []
    for name, share in (("alone", 0.0), ("mixed", 0.5)):
        options = recipe(updates=40, old_share=share, batch_tokens=256)
        finetune(encoder, "classify", train, tmp_path / name, recipe=options, old=[str(old)])
        found = report(tmp_path / name)["old"]
        assert found["before"].keys() == found["after"].keys() >= {"masked accuracy", "loss"}
        losses.append(found["after"]["loss"])
        assert "old task: masked accuracy" in (tmp_path / name / "README.md").read_text()
    assert losses[1] < losses[0]
    assert report(tmp_path / "mixed")["after"]["accuracy"] > 90
    with pytest.raises(FolderError, match=r"old_share has nothing to mix in; name some: --old"):
        finetune(encoder, "classify", train, tmp_path / "x", recipe=recipe(old_share=0.5))


def test_a_tuned_encoder_is_tuned_again(encoder: Path, tmp_path: Path) -> None:
    train = write_classes(tmp_path / "train.tsv", 60, 1)
    finetune(encoder, "classify", train, tmp_path / "a", recipe=recipe(updates=2))
    tags = write_tags(tmp_path / "tags.txt", 20, 1)
    finetune(tmp_path / "a", "tag", tags, tmp_path / "b", recipe=recipe(tune="head", updates=2))
    assert changed(tmp_path / "a", tmp_path / "b") == set()


def test_labels_that_are_known_go_on_and_others_are_named(encoder: Path, tmp_path: Path) -> None:
    train = write_classes(tmp_path / "train.tsv", 90, 1)
    finetune(encoder, "classify", train, tmp_path / "a", recipe=recipe())
    ear = Ear()
    finetune(
        tmp_path / "a", "classify", train, tmp_path / "b", recipe=recipe(updates=1), progress=ear
    )
    assert report(tmp_path / "b")["before"] == report(tmp_path / "a")["after"]
    assert f"{tmp_path / 'a'} tells the same 3 labels apart and goes on." in ear.said

    tags, ear = write_tags(tmp_path / "tags.txt", 20, 1), Ear()
    finetune(tmp_path / "a", "tag", tags, tmp_path / "c", recipe=recipe(updates=1), progress=ear)
    [told] = [each for each in ear.said if "tuned to tell 3 labels apart" in each]
    assert "(food, law, sport). The new model does not" in told
    first = recipe(updates=1).model_copy(update={"head": HeadRecipe(dropout=0.0, pooling="first")})
    finetune(tmp_path / "a", "classify", train, tmp_path / "d", recipe=first)
    assert report(tmp_path / "d")["before"]["accuracy"] < 70


def test_what_cannot_be_is_refused(encoder: Path, tmp_path: Path) -> None:
    pairs = write_paraphrases(tmp_path / "pairs.tsv", 20, 1)
    train = write_classes(tmp_path / "train.tsv", 60, 1)

    def refused(task: Any, data: Path, **training: Any) -> str:
        with pytest.raises(RecipeError) as raised:
            finetune(encoder, task, data, tmp_path / "x", recipe=recipe(**training))
        assert not (tmp_path / "x").exists()
        return str(raised.value)

    assert "sentence vectors have no new layer" in refused("vectors", pairs, tune="head")
    assert "the encoder has 2 layers, not 3" in refused(
        "classify", train, tune="last", last_layers=3
    )
    assert "recall is no figure of this task" in refused("classify", train, metric="recall")
    assert "none of classify, tag, vectors" in refused("cook", train)


def test_long_texts_are_cut_and_that_is_said(tmp_path: Path) -> None:
    ear = Ear()
    folder = tiny_encoder(tmp_path / "bert", layers=1)
    train = tmp_path / "train.tsv"
    train.write_text(
        "".join(f"{'goal soup ' * 20}\t0\n{n} salt\t1\n{n} law\t0\n" for n in range(8))
    )
    finetune(folder, "classify", train, tmp_path / "m", recipe=recipe(updates=1), progress=ear)
    assert any("longer than the context of 16 tokens and are cut" in line for line in ear.said)
    assert any(line.startswith("no --validation: ") for line in ear.said)
