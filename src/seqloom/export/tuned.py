"""Encoders that were tuned, as BERT or RoFormer of transformers with their heads on top.

::

    ours                        theirs
    a classifier of texts       BertForSequenceClassification
    a tagger of words           BertForTokenClassification, RoFormerForTokenClassification
    an encoder of sentences     BertForPreTraining, RoFormerForMaskedLM
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from seqloom.errors import ExportError
from seqloom.export import bert
from seqloom.export.checkpoint import write_weights
from seqloom.export.language import export_language, write_language_tokenizer
from seqloom.export.links import give, linear
from seqloom.export.vocabulary import write_json
from seqloom.language_folder import LanguageFolder
from seqloom.models.heads import EncoderHead
from seqloom.recipe.finetuning import FinetuneRecipe
from seqloom.recipe.language import BertRecipe

_CLASSES, _TAGS = "ForSequenceClassification", "ForTokenClassification"


def export_tuned(loaded: LanguageFolder[EncoderHead], out: Path) -> Path:
    """Write an encoder of ours with what was learned on top of it as a checkpoint of theirs.

    Raises:
        ExportError: no architecture of theirs can stand for the model; says why.
        FolderError: a file cannot be written.
    """
    recipe, encoder = loaded.recipe, loaded.model.encoder
    assert isinstance(recipe, FinetuneRecipe)
    body = recipe.model
    assert isinstance(body, BertRecipe)
    if loaded.kind == "sentences":
        return export_language(body, encoder.state_dict(), loaded.tokenizer, out)
    family = bert.family_of(body)
    if loaded.kind == "classifier":
        _check_classifier(loaded.path, recipe, family)
    kind = _CLASSES if loaded.kind == "classifier" else _TAGS
    size, symbols = loaded.tokenizer.size, loaded.tokenizer.symbols
    config = bert.config_of(body, size, symbols) | _head_of(recipe, loaded.labels)
    config["architectures"] = [f"{bert.NAMES[family]}{kind}"]
    links = [*bert.body(body, pooling=kind == _CLASSES), *linear("classifier", "classifier")]
    write_json(out / "config.json", config)
    write_language_tokenizer(body, loaded.tokenizer, out)
    head: Any = loaded.model
    new = {f"classifier.{name}": value for name, value in head.output.state_dict().items()}
    write_weights(out, give(links, encoder.state_dict() | new))
    return out


def _head_of(recipe: FinetuneRecipe, labels: tuple[str, ...]) -> dict[str, Any]:
    return {
        "id2label": dict(enumerate(labels)),
        "label2id": {label: number for number, label in enumerate(labels)},
        "classifier_dropout": recipe.head.dropout,
    }


def _check_classifier(path: Path, recipe: FinetuneRecipe, family: str) -> None:
    """Refuse what their classifiers do not compute."""
    if recipe.head.pooling != "first":
        raise ExportError(
            f"{path}: takes the mean of all hidden states of a text, and BertForSequence"
            "Classification the first one. Tune with --set head.pooling=first to export it."
        )
    if family != "bert":
        raise ExportError(
            f"{path}: has rotary positions, and RoFormerForSequenceClassification computes its "
            "classes otherwise than ours. Pre-train with model.positions=learned to export one."
        )
