"""Tuned encoders as transformers' own: the same logits, and their pipelines say what ours say."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest
import torch

from seqloom.encoders import SentenceVectors, TextClassifier, WordTagger
from seqloom.errors import ExportError
from seqloom.export.huggingface import export_huggingface
from seqloom.language_folder import (
    build,
    load_language_folder,
    save_language_config,
    save_language_weights,
)
from seqloom.recipe.finetuning import FinetuneRecipe

sys.path.append(str(Path(__file__).parents[1]))
from tiny_encoder import WORDS, sentences, tiny_encoder

transformers = pytest.importorskip("transformers")

TEXTS = [text for text, _ in sentences(9, 2)]


def tuned(folder: Path, kind: str, positions: str = "learned", **head: Any) -> Path:
    """A folder of that kind with random weights."""
    base = load_language_folder(tiny_encoder(folder / "encoder"))
    model = base.recipe.model.model_copy(update={"positions": positions})
    recipe = FinetuneRecipe.model_validate({"model": model.model_dump(), "head": head})
    labels = list(WORDS) if kind != "sentences" else []
    torch.manual_seed(5)
    made = build(kind, recipe, base.tokenizer, labels)
    for parameter in made.parameters():  # strong enough that texts differ
        if parameter.ndim > 1:
            torch.nn.init.normal_(parameter, std=0.5)
    save_language_config(folder / "ours", kind, recipe, base.tokenizer, labels)
    save_language_weights(folder / "ours", made.state_dict(), recipe, base.tokenizer)
    return folder / "ours"


def test_a_classifier_is_one_of_theirs(tmp_path: Path) -> None:
    ours = tuned(tmp_path, "classifier", pooling="first")
    theirs = export_huggingface(ours, tmp_path / "theirs")
    pipe = transformers.pipeline("text-classification", str(theirs), top_k=None)
    assert isinstance(pipe.model, transformers.BertForSequenceClassification)
    expected = TextClassifier.load(ours).probabilities(TEXTS)
    for scores, row in zip(pipe(TEXTS), expected, strict=True):
        found = {each["label"]: each["score"] for each in scores}
        assert [found[label] for label in WORDS] == pytest.approx(row.tolist(), abs=1e-5)
    assert expected.std() > 0.1


@pytest.mark.parametrize("positions", ["learned", "rotary"])
def test_a_tagger_is_one_of_theirs(positions: str, tmp_path: Path) -> None:
    ours = tuned(tmp_path, "tagger", positions)
    theirs = export_huggingface(ours, tmp_path / "theirs")
    pipe = transformers.pipeline("token-classification", str(theirs))
    assert type(pipe.model).__name__.endswith("ForTokenClassification")
    words = [text.split() for text in TEXTS]
    said = [[each["entity"] for each in found] for found in pipe(TEXTS)]
    assert said == [list(tags) for tags in WordTagger.load(ours).tag(words)]
    assert len({tag for tags in said for tag in tags}) > 1


def test_an_encoder_of_sentences_is_one_of_theirs(tmp_path: Path) -> None:
    ours = tuned(tmp_path, "sentences")
    theirs = export_huggingface(ours, tmp_path / "theirs")
    tokenizer = transformers.AutoTokenizer.from_pretrained(theirs)
    model = transformers.AutoModel.from_pretrained(theirs).eval()
    expected = SentenceVectors.load(ours).embed(TEXTS)
    for text, row in zip(TEXTS, expected, strict=True):
        with torch.no_grad():
            states = model(**tokenizer(text, return_tensors="pt")).last_hidden_state[0]
        mean = states.mean(dim=0)
        assert (mean / mean.norm()).tolist() == pytest.approx(row.tolist(), abs=1e-5)


def test_what_theirs_compute_otherwise_is_refused(tmp_path: Path) -> None:
    out = tmp_path / "out"
    with pytest.raises(ExportError, match=r"takes the mean .* --set head\.pooling=first to exp"):
        export_huggingface(tuned(tmp_path, "classifier"), out)
    rotary = tuned(tmp_path / "r", "classifier", "rotary", pooling="first")
    with pytest.raises(ExportError, match="has rotary positions"):
        export_huggingface(rotary, out)
    assert not out.exists()
