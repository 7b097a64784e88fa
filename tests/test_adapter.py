"""An adapter: products kept beside the folder whose matrices they change."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from seqloom.encoders import SentenceVectors, TextClassifier
from seqloom.errors import FolderError
from seqloom.language_folder import (
    build,
    load_language_folder,
    save_language_adapter,
    save_language_config,
    save_language_weights,
)
from seqloom.models.heads import EncoderHead
from seqloom.recipe.finetuning import FinetuneRecipe
from seqloom.training.freezing import freeze
from seqloom.training.lora import add_products, apart, merged
from tiny_encoder import tiny_encoder

LABELS = ("a", "b", "c")


def folders(tmp_path: Path) -> tuple[Path, Path, Path]:
    """An encoder, and a classifier upon it: products kept apart, and merged."""
    base = tiny_encoder(tmp_path / "base", layers=1)
    folder = load_language_folder(base)
    recipe = FinetuneRecipe.model_validate(
        {"model": folder.recipe.model, "training": {"tune": "lora", "lora_rank": 2}}
    )
    model = build("classifier", recipe, folder.tokenizer, LABELS)
    assert isinstance(model, EncoderHead)
    model.encoder.load_state_dict(folder.model.state_dict())
    freeze(model, recipe.training)
    add_products(model, 2, 16)
    for parameter in model.parameters():
        if parameter.requires_grad:
            torch.nn.init.normal_(parameter, std=0.1)
    for name in ("apart", "merged"):
        path = tmp_path / name
        save_language_config(path, "classifier", recipe, folder.tokenizer, LABELS)
        if name == "apart":
            save_language_adapter(path, apart(model), recipe, folder.tokenizer, base)
        else:
            save_language_weights(path, merged(model), recipe, folder.tokenizer)
    return base, tmp_path / "apart", tmp_path / "merged"


def test_products_kept_apart_say_what_merged_ones_say(tmp_path: Path) -> None:
    _, kept, merged_in = folders(tmp_path)
    assert not (kept / "model.safetensors").exists()
    texts = ["goal match", "soup"]
    one, other = (TextClassifier.load(folder).probabilities(texts) for folder in (kept, merged_in))
    assert one == pytest.approx(other, abs=1e-6)
    vectors = [SentenceVectors.load(folder).embed(texts) for folder in (kept, merged_in)]
    assert vectors[0] == pytest.approx(vectors[1], abs=1e-6)


def test_a_base_that_changed_or_went_is_told(tmp_path: Path) -> None:
    base, kept, _ = folders(tmp_path)
    folder = load_language_folder(base)
    weights = dict(folder.model.state_dict())
    weights["pooling.bias"] = weights["pooling.bias"] + 1
    save_language_weights(base, weights, folder.recipe, folder.tokenizer)
    with pytest.raises(FolderError, match="whose weights are others now"):
        TextClassifier.load(kept)
    base.rename(tmp_path / "elsewhere")
    with pytest.raises(FolderError, match=r"which is not there, nor at \.\./base from the adapter"):
        TextClassifier.load(kept)


def test_both_folders_move_together(tmp_path: Path) -> None:
    (tmp_path / "one").mkdir()
    _, kept, _ = folders(tmp_path / "one")
    before = TextClassifier.load(kept).probabilities(["soup"]).tolist()
    (tmp_path / "one").rename(tmp_path / "other")
    moved = TextClassifier.load(tmp_path / "other" / kept.name)
    assert moved.probabilities(["soup"]).tolist() == before
