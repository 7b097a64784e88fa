"""Pre-training end to end on languages that are learned in seconds.

For a causal model letters in their order; for a masked one a single letter all over a document.
"""

from __future__ import annotations

import math
import random
from pathlib import Path
from typing import Any

import pytest
import torch

from seqloom.errors import CorpusError, FolderError, RecipeError, TrainingError, VectorsError
from seqloom.language_folder import load_language_folder
from seqloom.language_model import LanguageModel
from seqloom.pretraining import pretrain
from seqloom.pretraining.validation import TextValidator, perplexity
from seqloom.recipe import recipe_from_of
from seqloom.recipe.pretraining import PretrainRecipe
from seqloom.tensors import load_tensors
from seqloom.text.texts import load_prepared_texts
from seqloom.training.metrics import read_metrics
from seqloom.training.progress import Progress
from seqloom.training.text_feed import TextFeed

ORDER = "abcdefgh"
SMALL: dict[str, Any] = {
    "gpt": {"family": "gpt", "width": 32, "feedforward": 64, "heads": 2, "layers": 1},
    "bert": {"family": "bert", "width": 32, "feedforward": 64, "heads": 2, "layers": 1},
}
UPDATES = {"gpt": 60, "bert": 300}
SETTINGS: dict[str, dict[str, Any]] = {
    "gpt": {"optimizer": "muon", "learning_rate": 0.01},
    "bert": {"optimizer": "adamw", "learning_rate": 0.003},
}


class Told(Progress):
    """Remembers messages and figures; interrupts after some update."""

    def __init__(self, stop: int | None = None) -> None:
        self.messages: list[str] = []
        self.summary: dict[str, object] = {}
        self.stop = stop

    def started(self, summary: Any) -> None:
        self.summary = dict(summary)

    def update(self, update: int, *rest: object) -> None:
        if update == self.stop:
            raise KeyboardInterrupt

    def message(self, text: str) -> None:
        self.messages.append(text)


def circle(start: int, length: int) -> str:
    """Letters in their order, from one of them on: "c d e f g h a b"."""
    return " ".join(ORDER[(start + step) % len(ORDER)] for step in range(length))


@pytest.fixture(scope="module")
def text(family: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    draw = random.Random(1)
    path = tmp_path_factory.mktemp("letters") / "letters.txt"
    lines = (" ".join(f"{part}." for part in sentences(family, draw)) for _ in range(400))
    path.write_text("".join(f"{line}\n" for line in dict.fromkeys(lines)), encoding="utf-8")
    return path


def sentences(family: str, draw: random.Random) -> list[str]:
    lengths = [draw.randint(3, 9) for _ in range(3)]
    if family == "gpt":
        return [circle(draw.randrange(8), length) for length in lengths]
    letter = draw.choice(ORDER)
    return [" ".join(length * letter) for length in lengths]


def recipe_of(family: str, text: Path, **training: Any) -> PretrainRecipe:
    updates = UPDATES[family]
    settings = {
        "updates": updates, "batch_tokens": 512, "validate_every": updates // 2, "warmup": 5,
        "precision": "float32", "validate_tokens": 2000,
        "sample_tokens": 8, "checkpoint_every": 15, "first_contexts": {8: 35},
        "samples": ["a b"], **SETTINGS[family],
    }  # fmt: skip
    values = {
        "data": {
            "sources": [str(text)], "documents": "lines", "tokenizer": "word",
            "validation_share": 0.1, "mask": family == "bert",
        },
        "model": {**SMALL[family], "context": 32, "dropout": 0.0, "attention_dropout": 0.0},
        "training": {**settings, **training},
    }  # fmt: skip
    return recipe_from_of(PretrainRecipe, values, "toy")


@pytest.fixture(scope="module", params=["gpt", "bert"])
def family(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def trained(family: str, text: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Told]:
    out, told = tmp_path_factory.mktemp(family) / "model", Told()
    pretrain(recipe_of(family, text), out, progress=told, device="cpu")
    return out, told


def test_the_language_is_learned(family: str, trained: tuple[Path, Told]) -> None:
    out, _ = trained
    found = [line for line in read_metrics(out / "metrics.jsonl") if line["kind"] == "validation"]
    assert [line["update"] for line in found] == [UPDATES[family] // 2, UPDATES[family]]
    assert found[-1]["loss"] < found[0]["loss"] < math.log(12)
    assert found[-1]["perplexity"] == pytest.approx(math.exp(found[-1]["loss"]))
    if family == "bert":
        assert found[-1]["masked accuracy"] > 50  # an eighth by guessing
        assert 0 <= found[-1]["next sentence"] <= 100


def test_what_will_be_trained_is_said(family: str, trained: tuple[Path, Told]) -> None:
    out, told = trained
    assert told.unit == {"gpt": "tokens", "bert": "hidden tokens"}[family]
    assert f" {told.unit}/s measured" in str(told.summary["speed"])
    assert (
        told.summary["documents"] == load_prepared_texts(out / "data").report["train"]["documents"]
    )
    assert "about" in str(told.summary["expected"])
    assert "nan" not in str(told.summary)


def test_a_causal_model_shows_how_it_goes_on(family: str, trained: tuple[Path, Told]) -> None:
    samples = [text for text in trained[1].messages if text.startswith("sample: a b")]
    assert len(samples) == (2 if family == "gpt" else 0)


def test_the_folder_is_whole(family: str, trained: tuple[Path, Told]) -> None:
    out, _ = trained
    folder = load_language_folder(out)
    assert folder.kind == "language"
    assert folder.model.symbols == folder.tokenizer.symbols
    assert folder.recipe.model.family == family
    card = (out / "README.md").read_text(encoding="utf-8")
    assert card.startswith(f"# Seqloom language model ({family.upper()})")
    assert ("seqloom generate" in card) == (family == "gpt")


def test_the_kept_weights_have_the_kept_loss(
    family: str, trained: tuple[Path, Told], text: Path
) -> None:
    out, _ = trained
    folder = load_language_folder(out)
    assert isinstance(folder.recipe, PretrainRecipe)
    texts = load_prepared_texts(out / "data")
    feed = TextFeed(folder.recipe, texts)
    validator = TextValidator(folder.recipe, feed, None, torch.device("cpu"), Progress())
    best = min(
        line["loss"] for line in read_metrics(out / "metrics.jsonl") if line["kind"] == "validation"
    )
    assert validator(folder.model)["loss"] == pytest.approx(best, rel=1e-6)


def test_an_interrupted_run_ends_as_an_uninterrupted_one(
    trained: tuple[Path, Told], family: str, text: Path, tmp_path: Path
) -> None:
    recipe = recipe_of(family, text)
    with pytest.raises(KeyboardInterrupt):
        pretrain(recipe, tmp_path / "model", progress=Told(stop=40), device="cpu")
    pretrain(recipe, tmp_path / "model", device="cpu")
    once, _ = load_tensors(trained[0] / "training" / "checkpoint.safetensors")
    twice, _ = load_tensors(tmp_path / "model" / "training" / "checkpoint.safetensors")
    assert once.keys() == twice.keys()
    assert [name for name in once if not torch.equal(once[name], twice[name])] == []


def test_another_run_in_the_same_folder_is_refused(
    trained: tuple[Path, Told], family: str, text: Path
) -> None:
    with pytest.raises(FolderError, match=r"training.learning_rate: 0.0.* there, 0.02 asked for"):
        pretrain(recipe_of(family, text, learning_rate=0.02), trained[0], device="cpu")


def test_a_causal_model_goes_on_with_the_circle(family: str, trained: tuple[Path, Told]) -> None:
    model = LanguageModel.load(trained[0], device="cpu")
    if family == "bert":
        with pytest.raises(Exception, match="fills holes and cannot go on"):
            model.generate(["a b"])
        return
    (found,) = model.generate(["c d"], sample=False, beam=1, max_tokens=3)
    assert found[0].text == " e f g"
    assert found[0].tokens == 3
    assert not found[0].finished
    options = model.recipe.decoding.model_copy(update={"sample": False, "beam": 1, "max_tokens": 3})
    assert "".join(model.write("c d", options)) == " e f g"
    likely, unlikely = model.surprises(["c d e f g.", "c g d e f."])
    assert likely.tokens == unlikely.tokens
    assert likely.perplexity < unlikely.perplexity


def test_a_masked_model_fills_holes(family: str, trained: tuple[Path, Told]) -> None:
    model = LanguageModel.load(trained[0], device="cpu")
    if family == "gpt":
        with pytest.raises(FolderError, match="holds no masked model"):
            model.fill("a <mask> c")
        return
    (found,) = model.fill("c c c <mask> c c.", count=3)
    assert found[0][0] == "▁c"
    assert [share for _, share in found] == sorted((share for _, share in found), reverse=True)
    with pytest.raises(Exception, match="no <mask> in the text"):
        model.fill("c d e")


def test_long_texts_are_read_a_context_at_a_time(trained: tuple[Path, Told], family: str) -> None:
    if family == "bert":
        pytest.skip("for causal models")
    model = LanguageModel.load(trained[0], device="cpu")
    (found,) = model.surprises([circle(0, 100)])
    assert found.tokens == 101
    assert found.perplexity < 3


def test_embeddings_may_begin_with_word_vectors(family: str, text: Path, tmp_path: Path) -> None:
    chance = torch.Generator().manual_seed(1)
    rows = {letter: torch.randn(32, generator=chance) for letter in ORDER}
    lines = [f"{len(rows)} 32"]
    lines += [f"{word} {' '.join(f'{x:.4f}' for x in row.tolist())}" for word, row in rows.items()]
    (tmp_path / "letters.vec").write_text("\n".join(lines) + "\n", encoding="utf-8")
    told = Told()
    settings = {"updates": 1, "validate_every": 1, "learning_rate": 1e-9}
    vectors = str(tmp_path / "letters.vec")
    model = pretrain(
        recipe_of(family, text, **settings, vectors=vectors), tmp_path / "m", progress=told
    )
    assert any(line.startswith("tokens: ") for line in told.messages)
    assert "began with word vectors" in (tmp_path / "m" / "README.md").read_text(encoding="utf-8")
    table = model.model.tokens.weight.detach()
    mean = torch.stack(list(rows.values())).mean(0)
    for letter, row in rows.items():
        (number,) = model.tokenizer.encode(letter)
        likeness = torch.cosine_similarity(table[number], row - mean, dim=0)
        assert likeness > 0.99, letter


def test_vectors_that_are_not_there_are_told_at_once(
    family: str, text: Path, tmp_path: Path
) -> None:
    with pytest.raises(VectorsError, match=r"training.vectors: there is no file or folder nowhere"):
        pretrain(recipe_of(family, text, vectors="nowhere"), tmp_path / "m")
    assert not (tmp_path / "m").exists()


def test_bert_needs_a_mask() -> None:
    with pytest.raises(RecipeError, match=r"data.mask: BERT fills holes"):
        recipe_from_of(PretrainRecipe, {"model": {"family": "bert"}}, "toy")


def test_first_contexts_are_shorter_than_the_models() -> None:
    settings = {"first_contexts": {8: 5, 32: 5}}
    with pytest.raises(RecipeError, match="32 positions are not fewer than the 32 of"):
        recipe_from_of(PretrainRecipe, {"model": {"context": 32}, "training": settings}, "toy")
    with pytest.raises(RecipeError, match=r"first_contexts\.8: input should be greater than 0"):
        recipe_from_of(PretrainRecipe, {"training": {"first_contexts": {8: 0}}}, "toy")


def test_a_new_bert_begins_in_short_contexts(family: str, text: Path, tmp_path: Path) -> None:
    told = Told()
    values = recipe_of(family, text, updates=8, validate_every=8).model_dump()
    values["training"].pop("first_contexts")
    values["model"]["context"] = 40
    pretrain(recipe_from_of(PretrainRecipe, values, "toy"), tmp_path / "m", progress=told)
    recipe = load_language_folder(tmp_path / "m").recipe
    assert isinstance(recipe, PretrainRecipe)
    wanted = {"bert": {16: 2, 32: 2}, "gpt": {}}[family]
    assert recipe.training.first_contexts == wanted
    said = "16 positions for 2, 32 positions for 2 updates, then 40" if wanted else None
    assert told.summary.get("contexts") == said


def test_documents_longer_than_the_context_are_split_and_told(family: str, tmp_path: Path) -> None:
    lines = [" ".join(ORDER[:n] * 3) for n in (2, 3, 6, 7)] * 9  # 6 to 21 words
    (tmp_path / "t.txt").write_text("".join(f"{n} {line}\n" for n, line in enumerate(lines)))
    values = recipe_of(family, tmp_path / "t.txt", updates=1, validate_every=1).model_dump()
    values["model"]["context"], values["training"]["first_contexts"] = 16, {}
    now = Told()
    pretrain(recipe_from_of(PretrainRecipe, values, "toy"), tmp_path / "m", progress=now)
    texts = load_prepared_texts(tmp_path / "m" / "data").train
    long = sum(len(texts.ids(row)) + 2 > 16 for row in range(len(texts)))
    assert 10 < long < len(texts)
    said = f"{long} of {len(texts)} documents, being longer than the context of 16"
    assert now.summary["split"] == said


def test_a_loss_that_is_no_number_stops_the_run(family: str, text: Path, tmp_path: Path) -> None:
    recipe = recipe_of(family, text, learning_rate=1e30, optimizer="adam", clip=0)
    with pytest.raises(TrainingError, match="not finite"):
        pretrain(recipe, tmp_path / "model", device="cpu")


def test_perplexity_of_a_hopeless_model() -> None:
    assert perplexity(0) == 1
    assert perplexity(1e6) == math.inf


def test_a_single_document_has_no_sentence_of_another(tmp_path: Path) -> None:
    path = tmp_path / "text.txt"
    path.write_text("a b. c d.\n\ne f. g h.\n", encoding="utf-8")
    recipe = recipe_of("bert", path, next_sentence=True)
    one = recipe.data.model_copy(update={"documents": "paragraphs"})
    with pytest.raises(
        CorpusError, match=r"needs two documents to train on, and there is one\. Na"
    ):
        pretrain(recipe.model_copy(update={"data": one}), tmp_path / "out", device="cpu")
    path.write_text("a b. c d.\n\ne f. g h.\n\ni j. k l.\n", encoding="utf-8")
    with pytest.raises(CorpusError, match="needs two documents held out"):
        pretrain(recipe.model_copy(update={"data": one}), tmp_path / "again", device="cpu")
