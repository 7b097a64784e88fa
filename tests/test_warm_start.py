"""Translation models whose sides begin with language models: what is equal, what is told."""

from __future__ import annotations

import random
import sys
from pathlib import Path
from typing import Any

import pytest
import torch

from seqloom.corpus.pairs import Corpus
from seqloom.corpus.toy import reverse_corpus
from seqloom.errors import FolderError, RecipeError, TokenizerError
from seqloom.language_model import LanguageModel
from seqloom.models import EncoderDecoder, build_model
from seqloom.pretraining import pretrain
from seqloom.recipe import Recipe, load_recipe_of, recipe_from
from seqloom.recipe.pretraining import PretrainRecipe
from seqloom.text.tokenizer import Tokenizer, Tokenizers
from seqloom.training.embeddings import began_with
from seqloom.translation_start import shaped_like, warm_start
from seqloom.workflow import train

sys.path.append(str(Path(__file__).parent / "training"))
from training_toys import Watcher, assert_same, everything

QUICK: dict[str, Any] = {
    "updates": 4, "batch_tokens": 200, "validate_every": 2, "validate_pairs": 4, "warmup": 1,
    "precision": "float32", "checkpoint_every": 1,
}  # fmt: skip
PRETRAINING = (
    "model.width=16", "model.feedforward=24", "model.heads=2", "model.layers=2",
    "model.context=32", "data.tokenizer=word", "data.validation_share=0.2",
    "training.batch_tokens=128", "training.updates=4", "training.validate_every=4",
    "training.precision=float32", "training.samples=[]",
)  # fmt: skip


@pytest.fixture(autouse=True)
def no_pictures(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("seqloom.training.loop.draw_curves", lambda folder: None)


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """A BERT and a GPT, and a GPT as Llama is."""
    chance = random.Random(1)
    texts = [". ".join(" ".join(chance.choices("abcdefgh", k=5)) for _ in "123") for _ in "x" * 60]
    found = {}
    llama = (
        "model.norm=rms",
        "model.positions=rotary",
        "model.activation=swiglu",
        "model.bias=none",
    )
    masked = "data.mask=true"
    kinds = {
        "bert": (masked,), "roformer": (masked, "model.positions=rotary"), "gpt": (), "llama": llama
    }  # fmt: skip
    for name, more in kinds.items():
        family = {"family": "bert" if masked in more else "gpt"}
        recipe = load_recipe_of(PretrainRecipe, None, [*PRETRAINING, *more], {"model": family})
        out = tmp_path_factory.mktemp(name) / "model"
        corpus = Corpus.of([(text, "") for text in texts], name="letters")
        pretrain(recipe, out, corpus=corpus, device="cpu")
        found[name] = str(out)
    return found


def built(
    folders: dict[str, str], model: dict[str, Any] | None = None, **sides: str
) -> tuple[EncoderDecoder, list[str], Recipe]:
    """A translation model with the vocabulary of the models that its sides begin with."""
    training = {f"{side}_from": folders[name] for side, name in sides.items()}
    recipe = shaped_like(recipe_from({"model": model or {}, "training": training}, "test"))
    first = next(iter(training.values()))
    tokenizer = Tokenizer.load(Path(first) / "tokenizer.json")
    torch.manual_seed(1)
    found = build_model(recipe.model, tokenizer.size, tokenizer.size).eval()
    lines = warm_start(recipe, found, Tokenizers(tokenizer, tokenizer))
    return found, lines, recipe


def texts_of(folder: str) -> tuple[LanguageModel, torch.Tensor]:
    model = LanguageModel.load(folder, device="cpu")
    symbols = model.tokenizer.symbols
    rows = [model.tokenizer.encode("a b c d"), model.tokenizer.encode("g f e d")]
    return model, torch.tensor([[symbols.begin, *row, symbols.end] for row in rows])


@torch.no_grad()
@pytest.mark.parametrize("name", ["bert", "roformer"])
def test_an_encoder_that_agrees_in_all_is_the_bert(folders: dict[str, str], name: str) -> None:
    model, lines, recipe = built(folders, encoder=name)
    bert, ids = texts_of(folders[name])
    memory = model.encode(ids, torch.ones_like(ids, dtype=torch.bool))
    assert torch.allclose(memory.states, bert.model(ids), atol=1e-5)
    assert recipe.model.norm == "post"
    assert lines == [
        f"encoder: 2 layers of {folders[name]}, vectors of {bert.tokenizer.size:,} of "
        f"{bert.tokenizer.size:,} tokens."
    ]


@torch.no_grad()
@pytest.mark.parametrize("tie", ["all", "target"])
def test_a_decoder_that_agrees_in_all_is_the_gpt(folders: dict[str, str], tie: str) -> None:
    """But for cross-attention, which is switched off here."""
    model, lines, _ = built(folders, {"tie": tie}, decoder="gpt")
    gpt, ids = texts_of(folders["gpt"])
    for layer in model.decoder:
        layer.cross_attention.output.weight.zero_()
        layer.cross_attention.output.bias.zero_()
    memory = model.encode(ids, torch.ones_like(ids, dtype=torch.bool))
    hidden = model.decode(memory, ids)
    assert torch.allclose(hidden, gpt.model(ids), atol=1e-5)
    assert torch.allclose(model.project(hidden), gpt.model.project(gpt.model(ids)), atol=1e-4)
    assert "not carried over: cross attention, cross attention norm." in lines[0]


@torch.no_grad()
def test_a_scale_of_the_embeddings_is_made_up_for(folders: dict[str, str]) -> None:
    model, _, _ = built(folders, {"scale_embedding": True}, encoder="bert")
    bert, ids = texts_of(folders["bert"])
    memory = model.encode(ids, torch.ones_like(ids, dtype=torch.bool))
    assert torch.allclose(memory.states, bert.model(ids), atol=1e-5)


def test_what_differs_stays_at_random_and_is_told(folders: dict[str, str]) -> None:
    switches = {
        "norm": "pre", "positions": "sinusoidal", "normalize_embedding": False, "heads": 4,
        "feedforward": 20, "activation": "relu", "encoder_layers": 3,
    }  # fmt: skip
    model, lines, _ = built(folders, switches, encoder="bert")
    told = lines[0].partition("not carried over: ")[2]
    assert told == (
        "self attention, self attention norm, feedforward, feedforward norm, "
        "layers from number 3 on, positions, norm, its activation (gelu)."
    )
    size = model.embeddings[0].weight.detach().square().mean().sqrt()
    assert size == pytest.approx(16**-0.5, rel=0.1)


def test_the_encoder_has_the_last_word_where_both_sides_begin(folders: dict[str, str]) -> None:
    _, lines, recipe = built(folders, encoder="bert", decoder="gpt")
    assert (recipe.model.encoder_layers, recipe.model.decoder_layers) == (2, 2)
    assert recipe.model.norm == "post"
    assert "tokens" in lines[0]
    assert "tokens" not in lines[1]
    assert "self attention norm" in lines[1]


def test_norms_of_another_kind_are_not_carried_over(folders: dict[str, str]) -> None:
    _, lines, _ = built(folders, decoder="llama")
    told = lines[0].partition("not carried over: ")[2]
    assert told == (
        "biases, self attention norm, feedforward norm, cross attention, "
        "cross attention norm, norm."
    )


def test_another_width_is_refused(folders: dict[str, str]) -> None:
    with pytest.raises(RecipeError, match=r"set model\.width=16"):
        built(folders, {"width": 32}, encoder="bert")


@pytest.mark.parametrize(("side", "name"), [("encoder", "gpt"), ("decoder", "bert")])
def test_the_wrong_family_is_refused(folders: dict[str, str], side: str, name: str) -> None:
    with pytest.raises(FolderError, match=f"holds a model of the family {name}"):
        built(folders, **{side: name})


def recipe_of(folders: dict[str, str], **data: Any) -> Recipe:
    training = {**QUICK, "encoder_from": folders["bert"]}
    return recipe_from({"data": {"validation_share": 0.1, **data}, "training": training}, "test")


def test_a_run_begins_with_a_bert_and_its_vocabulary(
    folders: dict[str, str], tmp_path: Path
) -> None:
    recipe = recipe_of(folders, source_tokenizer_from=folders["bert"])
    corpus = reverse_corpus(80, 1)
    model = train(recipe, tmp_path / "whole", corpus=corpus, device="cpu")
    bert = LanguageModel.load(folders["bert"], device="cpu").tokenizer
    assert model.tokenizers.source.fingerprint == bert.fingerprint
    assert model.tokenizers.joint
    (line,) = began_with(tmp_path / "whole")
    assert line.startswith(f"encoder: 2 layers of {folders['bert']}")
    assert line in (tmp_path / "whole" / "README.md").read_text(encoding="utf-8")
    with pytest.raises(KeyboardInterrupt):
        train(recipe, tmp_path / "broken", corpus=corpus, progress=Watcher([3]), device="cpu")
    train(recipe, tmp_path / "broken", corpus=corpus, device="cpu")
    assert_same(everything(tmp_path / "whole"), everything(tmp_path / "broken"))


def test_without_its_vocabulary_tokens_are_found_by_their_text(
    folders: dict[str, str], tmp_path: Path
) -> None:
    recipe = recipe_of(folders, tokenizer="character")
    train(recipe, tmp_path / "out", corpus=reverse_corpus(80, 1), device="cpu")
    assert "vectors of 2" in began_with(tmp_path / "out")[0]  # bytes and special tokens, at least


def test_one_side_may_have_the_vocabulary_of_a_folder(
    folders: dict[str, str], tmp_path: Path
) -> None:
    recipe = recipe_from(
        {
            "data": {
                "joint": False, "target_tokenizer_from": folders["gpt"], "validation_share": 0.1,
            },
            "model": {"tie": "target"},
            "training": {**QUICK, "decoder_from": folders["gpt"]},
        },
        "test",
    )  # fmt: skip
    model = train(recipe, tmp_path / "out", corpus=reverse_corpus(80, 1), device="cpu")
    gpt = LanguageModel.load(folders["gpt"], device="cpu").tokenizer
    assert model.tokenizers.target.fingerprint == gpt.fingerprint
    assert not model.tokenizers.joint
    assert model.tokenizers.source.kind == "bpe"


def test_a_vocabulary_of_nowhere_is_refused(tmp_path: Path) -> None:
    recipe = recipe_from({"data": {"source_tokenizer_from": str(tmp_path / "no")}}, "test")
    with pytest.raises(TokenizerError, match="no such tokenizer file"):
        train(recipe, tmp_path / "out", corpus=reverse_corpus(80, 1))


def test_two_beginnings_of_one_side_are_refused() -> None:
    with pytest.raises(RecipeError, match=r"both give the embeddings of the\s+source"):
        recipe_from({"training": {"source_vectors": "a", "encoder_from": "b"}}, "test")
