"""What a job says of a model is what can be counted by hand, text by text."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.stats import spearmanr
from torch.nn import functional as F

from seqloom.encoders import SentenceVectors
from seqloom.errors import CorpusError
from seqloom.finetuning.data import job_of
from seqloom.finetuning.jobs import found_partners, vectors_job
from seqloom.language_folder import build, load_language_folder
from seqloom.models.heads import Classifier, SentenceEncoder
from seqloom.recipe.finetuning import FinetuneRecipe, FinetuningRecipe
from tiny_encoder import WORDS, write_classes

CPU = torch.device("cpu")


def test_partners_by_hand() -> None:
    first = torch.eye(4)
    second = torch.eye(4)[[0, 2, 1, 3]]  # the second and the third are at each other's place
    numbers = torch.tensor([[0, 10], [1, 11], [2, 12], [3, 13]])
    assert found_partners(first, second, numbers) == 0.5
    assert found_partners(first, torch.eye(4), numbers) == 1
    # A text that equals the partner is as good as the partner.
    numbers[1, 1] = numbers[2, 1] = 11
    assert found_partners(first, second, numbers) == 1


def test_figures_of_a_classifier(encoder: Path, tmp_path: Path) -> None:
    source = load_language_folder(encoder)
    train = [str(write_classes(tmp_path / "train.tsv", 30, 1))]
    held = [str(write_classes(tmp_path / "held.tsv", 17, 2))]
    recipe = FinetuneRecipe.model_validate({"model": source.recipe.model.model_dump()})
    job, _ = job_of("classify", train, held, source, recipe)
    torch.manual_seed(4)
    model = build(job.kind, recipe, source.tokenizer, job.labels).eval()
    assert isinstance(model, Classifier)
    figures = job.measure(model, CPU).figures
    losses, right = [], 0
    with torch.no_grad():
        for example in job.held.items:
            logits = model(torch.tensor([example.ids]))
            losses.append(float(F.cross_entropy(logits, torch.tensor(example.labels))))
            right += int(logits.argmax()) == example.labels[0]
    assert figures["loss"] == pytest.approx(sum(losses) / 17, rel=1e-5)
    assert figures["accuracy"] == pytest.approx(100 * right / 17)


def test_figures_of_sentence_vectors(encoder: Path) -> None:
    source = load_language_folder(encoder)
    pairs = [tuple(texts.split(" | ")) for texts in ("goal | match", "soup | salt", "ball | win")]
    settings = FinetuningRecipe(batch_size=2, scale=5.0)
    torch.manual_seed(4)
    model = SentenceEncoder(source.model).eval()

    def vector(text: str) -> torch.Tensor:
        symbols = source.tokenizer.symbols
        ids = [symbols.begin, *source.tokenizer.encode(text), symbols.end]
        return model(torch.tensor([ids]))[0]

    with torch.no_grad():
        first, second = (torch.stack([vector(p[side]) for p in pairs]) for side in (0, 1))
        scores = first @ second.t()
        losses = [
            F.cross_entropy(5.0 * scores[:2, :2], torch.arange(2), reduction="sum"),
            F.cross_entropy(5.0 * scores[2:, 2:], torch.arange(1), reduction="sum"),
        ]
    job = vectors_job(source.tokenizer, 32, pairs, pairs, settings, "pairs")
    figures = job.measure(model, CPU).figures
    hits = int((scores.argmax(1) == torch.arange(3)).sum())
    assert figures["recall"] == pytest.approx(100 * hits / 3)
    assert figures["loss"] == pytest.approx(float(sum(losses)) / 3, abs=1e-5)


def test_grades_are_compared_by_rank(encoder: Path) -> None:
    source = load_language_folder(encoder)
    words = [word for several in WORDS.values() for word in several]
    pairs = list(itertools.combinations(words, 2))[:30]
    model, settings = SentenceEncoder(source.model).eval(), FinetuningRecipe()
    vectors = SentenceVectors.load(encoder, device="cpu").embed([w for pair in pairs for w in pair])
    cosines = (vectors[0::2].astype(float) * vectors[1::2]).sum(1)
    for grades in (cosines**3, -cosines, np.random.default_rng(1).random(30)):
        job = vectors_job(source.tokenizer, 32, pairs, pairs, settings, "pairs", grades.tolist())
        expected = 100 * spearmanr(cosines, grades).statistic
        assert job.measure(model, CPU).figures == {"spearman": pytest.approx(expected, abs=0.5)}
    for few in (pairs[:2], pairs):
        with pytest.raises(CorpusError, match="cannot rank; expected"):
            vectors_job(source.tokenizer, 32, pairs, few, settings, "pairs", [1.0] * len(few))
