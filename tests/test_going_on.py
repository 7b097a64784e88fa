"""Language models that go on from a folder: their weights, what they forget, what is refused."""

from __future__ import annotations

import random
import re
import sys
from pathlib import Path

import pytest
import torch

from seqloom.corpus.pairs import Corpus
from seqloom.errors import FolderError, RecipeError
from seqloom.language_model import LanguageModel
from seqloom.pretraining import pretrain
from seqloom.recipe import load_recipe_of
from seqloom.recipe.pretraining import PretrainRecipe
from seqloom.training.before import figures_before
from seqloom.training.metrics import read_metrics
from seqloom.training.progress import Progress

sys.path.append(str(Path(__file__).parent / "training"))
from training_toys import Watcher, assert_same, everything

pytestmark = pytest.mark.usefixtures("no_pictures")

TINY = (
    "model.width=16", "model.feedforward=24", "model.heads=2", "model.layers=1",
    "model.context=16", "data.tokenizer=character",
)  # fmt: skip
QUICK = (
    "training.batch_tokens=128", "training.validate_every=4", "training.checkpoint_every=3",
    "training.updates=8", "training.precision=float32", "training.samples=[]",
    "training.warmup=1", "data.validation_share=0.2",
)  # fmt: skip


@pytest.fixture
def no_pictures(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("seqloom.training.loop.draw_curves", lambda folder: None)


def texts(letters: str, count: int = 60, seed: int = 1) -> list[str]:
    chance = random.Random(seed)
    return [
        ". ".join(" ".join(chance.choices(letters, k=5)) for _ in range(4)) for _ in range(count)
    ]


def corpus(letters: str) -> Corpus:
    return Corpus.of([(text, "") for text in texts(letters)], name=letters)


def recipe_of(family: str, *settings: str, **training: object) -> PretrainRecipe:
    return load_recipe_of(
        PretrainRecipe,
        None,
        [*QUICK, *settings],
        {"model": {"family": family}, "training": training},
    )


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A GPT and a BERT that have read letters from a to h."""
    found = {}
    for family in ("gpt", "bert"):
        out = tmp_path_factory.mktemp("old") / family
        mask = ["data.mask=true"] if family == "bert" else []
        pretrain(recipe_of(family, *TINY, *mask), out, corpus=corpus("abcdefgh"), device="cpu")
        found[family] = out
    return found


@pytest.fixture
def old_file(tmp_path: Path) -> str:
    path = tmp_path / "old.txt"
    path.write_text("\n".join(texts("abcdefgh", seed=2)), encoding="utf-8")
    return str(path)


@pytest.mark.parametrize("family", ["gpt", "bert"])
def test_it_begins_with_the_weights_of_the_folder(
    family: str, folders: dict[str, Path], old_file: str, tmp_path: Path
) -> None:
    """What it is before the first update is what the old model was after its last."""
    watcher = Watcher()
    recipe = recipe_of(
        family, "data.documents=lines", old_texts=[old_file], model_from=str(folders[family])
    )
    out = tmp_path / "new"
    model = pretrain(recipe, out, corpus=corpus("efgh"), progress=watcher, device="cpu")
    before = figures_before(out)
    assert before == watcher.figures[0]
    assert before.keys() >= {"loss", "perplexity", "old loss"}
    assert [
        line["update"]
        for line in read_metrics(out / "metrics.jsonl")
        if line["kind"] == "validation"
    ] == [0, 4, 8]
    old = LanguageModel.load(folders[family], device="cpu")
    assert model.tokenizer.fingerprint == old.tokenizer.fingerprint
    assert model.recipe.model == old.recipe.model
    assert model.recipe.data.tokenizer == "character"
    card = (out / "README.md").read_text(encoding="utf-8")
    assert "| figure | before | after |" in card
    assert f"further from `{folders[family]}`" in card


def test_the_first_figures_are_those_of_the_old_weights(
    folders: dict[str, Path], tmp_path: Path
) -> None:
    """A rate of nearly nothing leaves the loss where it was."""
    still = (
        "training.learning_rate=1e-12",
        "training.muon_learning_rate=1e-12",
        "training.weight_decay=0",
    )
    recipe = recipe_of("gpt", *still, model_from=str(folders["gpt"]))
    model = pretrain(recipe, tmp_path / "new", corpus=corpus("efgh"), device="cpu")
    old = LanguageModel.load(folders["gpt"], device="cpu").model.state_dict()
    for name, tensor in model.model.state_dict().items():
        assert torch.allclose(tensor, old[name], atol=1e-8), name


@pytest.mark.parametrize("family", ["gpt", "bert"])
def test_a_run_with_old_texts_resumes_as_if_it_had_not_stopped(
    family: str, folders: dict[str, Path], old_file: str, tmp_path: Path
) -> None:
    recipe = recipe_of(
        family,
        "data.documents=lines",
        model_from=str(folders[family]),
        old_texts=[old_file],
        old_share=0.4,
    )
    new = tmp_path / "new.txt"
    new.write_text("\n".join(texts("efgh")), encoding="utf-8")
    data = recipe.data.model_copy(update={"sources": (str(new),)})
    recipe = recipe.model_copy(update={"data": data})
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    pretrain(recipe, whole, device="cpu")
    for stop in (2, 5):
        with pytest.raises(KeyboardInterrupt):
            pretrain(recipe, broken, progress=Watcher([stop]), device="cpu")
    pretrain(recipe, broken, device="cpu")
    assert_same(everything(whole), everything(broken))
    assert figures_before(whole) == figures_before(broken)


def test_old_texts_may_be_a_prepared_folder(folders: dict[str, Path], tmp_path: Path) -> None:
    recipe = recipe_of(
        "gpt", model_from=str(folders["gpt"]), old_texts=[str(folders["gpt"] / "data")]
    )
    pretrain(recipe, tmp_path / "new", corpus=corpus("efgh"), device="cpu")
    old = [
        line
        for line in read_metrics(folders["gpt"] / "metrics.jsonl")
        if line["kind"] == "validation"
    ]
    assert figures_before(tmp_path / "new")["old loss"] == pytest.approx(old[-1]["loss"], rel=1e-5)


def test_old_texts_of_another_vocabulary_are_refused(
    folders: dict[str, Path], tmp_path: Path
) -> None:
    recipe = recipe_of(
        "gpt", model_from=str(folders["gpt"]), old_texts=[str(folders["bert"] / "data")]
    )
    with pytest.raises(FolderError, match="prepared with another vocabulary"):
        pretrain(recipe, tmp_path / "new", corpus=corpus("efgh"), device="cpu")


@pytest.mark.parametrize(
    ("settings", "complaint"),
    [
        (["model.width=32"], "model.width: 32 asked for, and the model of {} has 16; leave it out"),
        (["model.window=3"], "model.window: 3 asked for, and the model of {} has None"),
        (["data.tokenizer=bpe"], "data.tokenizer: bpe asked for, and the vocabulary of {} was"),
        (["data.vocabulary=99"], "data.vocabulary: 99 asked for"),
    ],
)
def test_what_the_folder_has_decided_is_refused(
    settings: list[str], complaint: str, folders: dict[str, Path], tmp_path: Path
) -> None:
    recipe = recipe_of("gpt", *settings, model_from=str(folders["gpt"]))
    with pytest.raises(RecipeError, match=re.escape(complaint.format(folders["gpt"]))):
        pretrain(recipe, tmp_path / "new", corpus=corpus("efgh"))
    assert not (tmp_path / "new").exists()


def test_another_family_is_refused_with_the_verb_to_use(
    folders: dict[str, Path], tmp_path: Path
) -> None:
    recipe = recipe_of("gpt", model_from=str(folders["bert"]))
    with pytest.raises(RecipeError, match="use seqloom pretrain bert"):
        pretrain(recipe, tmp_path / "new", corpus=corpus("efgh"))


def test_a_masked_model_without_a_mask_is_refused_before_anything_is_written(
    folders: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tokenizer = LanguageModel.load(folders["bert"]).tokenizer
    tokenizer.symbols = tokenizer.symbols._replace(mask=None)
    monkeypatch.setattr("seqloom.language_start.Tokenizer.load", lambda path: tokenizer)
    recipe = recipe_of("bert", model_from=str(folders["bert"]))
    with pytest.raises(FolderError, match=r"its tokenizer has no mask token, .* without --from"):
        pretrain(recipe, tmp_path / "new", corpus=corpus("efgh"))
    assert not (tmp_path / "new").exists()


def test_dropout_may_be_another(folders: dict[str, Path], tmp_path: Path) -> None:
    recipe = recipe_of(
        "gpt", "model.dropout=0.3", "training.updates=1", model_from=str(folders["gpt"])
    )
    model = pretrain(recipe, tmp_path / "new", corpus=corpus("efgh"), device="cpu")
    assert model.recipe.model.dropout == 0.3


def test_rates_are_gentle_unless_asked_for(folders: dict[str, Path], tmp_path: Path) -> None:
    recipe = recipe_of("gpt", "training.learning_rate=0.1", model_from=str(folders["gpt"]))
    model = pretrain(recipe, tmp_path / "new", corpus=corpus("efgh"), device="cpu")
    assert model.recipe.training.learning_rate == 0.1
    assert model.recipe.training.muon_learning_rate == 2e-3


def test_a_share_of_nothing_is_refused() -> None:
    with pytest.raises(RecipeError, match=r"old_share: 0.2 of the batches .* none are named"):
        recipe_of("gpt", old_share=0.2)


def test_a_folder_that_is_none_is_refused(tmp_path: Path) -> None:
    recipe = recipe_of("gpt", model_from=str(tmp_path / "nowhere"))
    with pytest.raises(FolderError, match="is not a model folder: it does not exist"):
        pretrain(recipe, tmp_path / "new", corpus=corpus("efgh"), progress=Progress())
